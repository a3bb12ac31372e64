//! Bad input on the ports of a real node: it stays up and serves.

use crate::harness::*;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::{StreamProtocol, SwarmBuilder, noise, tcp, yamux};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use ukehi::ids::ClusterId;
use ukehi::net::client_port::{ClientConnection, ConnectError};
use ukehi::net::identity;

/// Sends raw bytes and waits for the node to hang up, or to keep silent.
fn send_raw(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("the port is open");
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    // The node may hang up while we write.
    let _ = stream.write_all(bytes);
    let mut answer = [0; 1024];
    while stream.read(&mut answer).is_ok_and(|n| n > 0) {}
}

fn noise_bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}

/// Through the handshakes with a key of our own, then a frame that announces 4 GiB.
async fn announce_four_gib(node: [u8; 32], address: SocketAddr, protocol: StreamProtocol) {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .unwrap()
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .unwrap()
        .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::from_secs(20)))
        .build();
    let peer = identity::peer_id(&node).expect("a node's key");
    let mut control = swarm.behaviour().new_control();
    let at = Multiaddr::from(address.ip())
        .with(Protocol::Tcp(address.port()))
        .with(Protocol::P2p(peer));
    swarm.dial(at).expect("a dial");
    let driven = tokio::spawn(async move { while swarm.next().await.is_some() {} });
    let attack = async {
        // A stranger on the peers' port may be thrown out before it can open anything.
        if let Ok(mut stream) = control.open_stream(peer, protocol).await {
            let _ = stream.write_all(&[0xff; 4]).await;
            let _ = stream.write_all(&[0x55; 4096]).await;
            let _ = stream.flush().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), attack).await;
    driven.abort();
}

fn resident_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .expect("its peak memory");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number")
}

#[test]
fn a_node_outlives_garbage_oversize_prefixes_and_strangers_on_both_ports() {
    let mut cluster = Cluster::running();
    let mut receipts = vec![cluster.client(&[1, 2, 3]).write(&batch(1))];
    let led = cluster.leader_among(&[1, 2, 3]);
    let before = resident_kib(cluster.pid(led));
    let endpoint = cluster.endpoints(&[led]).remove(0);
    let (peers, clients) = (cluster.config(led).listen, endpoint.address);

    let mut negotiated = b"\x13/multistream/1.0.0\n\x07/noise\n".to_vec();
    let four_gib_varint = [0x80, 0x80, 0x80, 0x80, 0x10];
    for address in [peers, clients] {
        send_raw(address, &noise_bytes(70_000));
        send_raw(address, &[0xff; 5000]);
        send_raw(address, &four_gib_varint);
        negotiated.extend_from_slice(&[0xff; 70_000]);
        send_raw(address, &negotiated);
        send_raw(address, b"GET / HTTP/1.1\r\n\r\n");
    }
    let cluster_id = ukehi::trust::TrustRoot::load(&cluster.trust())
        .expect("the trust root")
        .genesis
        .cluster_id();
    runtime().block_on(async {
        for (address, suffix) in [(clients, "client/1"), (peers, "raft/1")] {
            let name = format!("/ukehi/{cluster_id}/{suffix}");
            let protocol = StreamProtocol::try_from_owned(name).unwrap();
            announce_four_gib(endpoint.key, address, protocol).await;
        }
        let stranger = ClusterId([7; 32]);
        let refused = ClientConnection::connect(stranger, endpoint.key, clients, DEADLINE).await;
        assert_eq!(
            refused.err(),
            Some(ConnectError::WrongCluster { addr: clients })
        );
        // Within the protocol, but no request.
        let client = ClientConnection::connect(cluster_id, endpoint.key, clients, DEADLINE)
            .await
            .expect("connected");
        let mut replies = client.call(noise_bytes(400_000)).await.expect("accepted");
        let reply = replies.next().await.expect("an answer").expect("one reply");
        let reply = ukehi::api::Reply::from_bytes(&reply).expect("a reply");
        assert!(
            matches!(reply, ukehi::api::Reply::Denied { .. }),
            "{reply:?}"
        );
    });

    assert!(cluster.is_running(led), "the node ended");
    assert_eq!(
        cluster.leader_among(&[1, 2, 3]),
        led,
        "the attack cost the leader its office"
    );
    receipts.push(cluster.client(&[led]).write(&batch(2)));
    let grown = resident_kib(cluster.pid(led)).saturating_sub(before);
    assert!(grown < 64 * 1024, "the attack cost {grown} KiB");
    let trail = cluster.trail(receipts[1].record.index);
    assert_eq!(trail.sums("intruders", &receipts), Sums::ZERO);
}
