//! Clients of one node, over loopback TCP.
#![cfg(feature = "node")]

mod net_support;

use futures::AsyncReadExt;
use libp2p::{StreamProtocol, SwarmBuilder, noise, tcp, yamux};
use net_support::*;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;
use ukehi::ids::ClusterId;
use ukehi::net::ListenError;
use ukehi::net::client_port::{
    CallError, ClientConnection, ClientPort, ClientRequest, ConnectError, MAX_REQUEST,
    MAX_RESPONSE, ResponseError,
};

const NODE: u64 = 1;

async fn port() -> (mpsc::Receiver<ClientRequest>, SocketAddr) {
    ClientPort::start(CLUSTER, &secret(NODE), LOOPBACK)
        .await
        .expect("the port opens")
}

/// A node that answers with the request, as often as its first byte says.
fn echo(mut requests: mpsc::Receiver<ClientRequest>) {
    tokio::spawn(async move {
        while let Some(ClientRequest { bytes, responder }) = requests.recv().await {
            tokio::spawn(async move {
                for _ in 0..bytes[0] {
                    if responder.send(bytes.clone()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
}

async fn connect(addr: SocketAddr) -> ClientConnection {
    ClientConnection::connect(CLUSTER, public(NODE), addr, DEADLINE)
        .await
        .expect("the client connects")
}

async fn failure(cluster: ClusterId, node: u64, addr: SocketAddr) -> ConnectError {
    ClientConnection::connect(cluster, public(node), addr, DEADLINE)
        .await
        .err()
        .expect("no connection")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_serves_many_calls_each_with_its_own_responses() {
    let (requests, addr) = port().await;
    echo(requests);
    let client = std::sync::Arc::new(connect(addr).await);
    let calls = (0..40u8).map(|n| {
        let client = client.clone();
        tokio::spawn(async move {
            let times = n % 4;
            let request = vec![times, n];
            let mut responses = client.call(request.clone()).await.expect("accepted");
            for _ in 0..times {
                assert_eq!(responses.next().await, Ok(Some(request.clone())));
            }
            assert_eq!(responses.next().await, Ok(None));
            assert_eq!(responses.next().await, Ok(None));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        within("a call", call).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_request_and_response_pass() {
    let (mut requests, addr) = port().await;
    let client = connect(addr).await;
    let node = tokio::spawn(async move {
        let request = requests.recv().await.expect("a request");
        assert_eq!(request.bytes.len(), MAX_REQUEST);
        let too_long = request.responder.send(vec![0; MAX_RESPONSE + 1]).await;
        assert_eq!(
            too_long,
            Err(ResponseError::TooLarge {
                found: MAX_RESPONSE + 1,
                limit: MAX_RESPONSE
            })
        );
        request.responder.send(vec![5; MAX_RESPONSE]).await.unwrap();
        requests
    });
    let mut responses = within("the call", client.call(vec![1; MAX_REQUEST]))
        .await
        .unwrap();
    let response = within("the response", responses.next()).await;
    assert!(response == Ok(Some(vec![5; MAX_RESPONSE])));
    drop(node.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversize_request_is_refused_on_both_sides() {
    let (mut requests, addr) = port().await;
    let client = connect(addr).await;
    assert_eq!(
        client.call(vec![0; MAX_REQUEST + 1]).await.err(),
        Some(CallError::TooLarge {
            found: MAX_REQUEST + 1,
            limit: MAX_REQUEST
        })
    );

    // A client that does not check: four bytes are enough to be refused.
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
        .with_swarm_config(|c| c.with_idle_connection_timeout(DEADLINE))
        .build();
    let mut control = swarm.behaviour().new_control();
    let address = format!(
        "/ip4/{}/tcp/{}/p2p/{}",
        addr.ip(),
        addr.port(),
        peer_id(NODE)
    );
    swarm
        .dial(address.parse::<libp2p::Multiaddr>().unwrap())
        .unwrap();
    tokio::spawn(async move {
        use futures::StreamExt;
        loop {
            swarm.select_next_some().await;
        }
    });
    let name = format!("/ukehi/{CLUSTER}/client/1");
    let protocol = StreamProtocol::try_from_owned(name).unwrap();
    let opening = control.open_stream(peer_id(NODE), protocol);
    let mut stream = within("a raw stream", opening).await.unwrap();
    write(&mut stream, &[0xff, 0xff, 0xff, 0xff]).await;
    let mut status = Vec::new();
    within("the status", stream.read_to_end(&mut status))
        .await
        .unwrap();
    assert_eq!(status, [2]);
    assert!(requests.try_recv().is_err(), "nothing reached the node");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_node_key_is_refused() {
    let (_requests, addr) = port().await;
    assert_eq!(
        failure(CLUSTER, 2, addr).await,
        ConnectError::WrongNode { addr }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_cluster_is_told_apart() {
    let (_requests, addr) = port().await;
    assert_eq!(
        failure(ClusterId([0xc2; 32]), NODE, addr).await,
        ConnectError::WrongCluster { addr }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_and_a_silent_one_are_told_apart() {
    let silent = std::net::TcpListener::bind(LOOPBACK).unwrap();
    let addr = silent.local_addr().unwrap();
    let short = Duration::from_millis(300);
    let waited = ClientConnection::connect(CLUSTER, public(NODE), addr, short).await;
    assert_eq!(waited.err(), Some(ConnectError::Timeout { addr }));
    drop(silent);
    assert_eq!(
        failure(CLUSTER, NODE, addr).await,
        ConnectError::Refused { addr }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_not_an_end() {
    let (mut requests, addr) = port().await;
    let client = connect(addr).await;
    let call = client.call(vec![1]);
    let answer = async {
        let request = requests.recv().await.expect("a request");
        request.responder.send(b"part".to_vec()).await.unwrap();
        request.responder
    };
    let (responses, responder) = within("the call", async { tokio::join!(call, answer) }).await;
    let mut responses = responses.unwrap();
    assert_eq!(responses.next().await, Ok(Some(b"part".to_vec())));
    // The node stops with its answer unfinished.
    drop(requests);
    let broken = within("the break", responses.next()).await;
    assert_eq!(broken, Err(CallError::Disconnected));
    assert_eq!(responses.next().await, Err(CallError::Disconnected));
    drop(responder);
    assert_eq!(
        client.call(vec![1]).await.err(),
        Some(CallError::Disconnected)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_beyond_its_quota_is_told_that_the_node_is_busy() {
    let (requests, addr) = port().await;
    echo(requests);
    let greedy = connect(addr).await;
    let mut refused = 0;
    for _ in 0..400 {
        match within("a call", greedy.call(vec![0])).await {
            Ok(_) => {}
            Err(CallError::Busy) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0);
    // Another client has a quota of its own.
    let modest = connect(addr).await;
    let mut responses = modest.call(vec![1]).await.expect("accepted");
    assert_eq!(responses.next().await, Ok(Some(vec![1])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_given_up_after_a_deadline() {
    let (mut requests, addr) = port().await;
    let client = connect(addr).await;
    let call = client.call(vec![1]);
    let (responses, request) =
        within("the call", async { tokio::join!(call, requests.recv()) }).await;
    let _unread = responses.unwrap();
    let responder = request.unwrap().responder;
    let given_up = within("giving up", async {
        loop {
            if let Err(error) = responder.send(vec![0; MAX_RESPONSE]).await {
                return error;
            }
        }
    })
    .await;
    assert_eq!(given_up, ResponseError::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occupied_port_is_named() {
    let (_requests, addr) = port().await;
    let second = ClientPort::start(CLUSTER, &secret(2), addr).await;
    assert_eq!(second.err(), Some(ListenError::PortInUse { addr }));
}
