//! Nodes and hostile peers on loopback, and waiting for conditions.

#![allow(dead_code)] // Each test binary uses its part.

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::multiaddr::{Multiaddr, Protocol};
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Stream, StreamProtocol, SwarmBuilder, noise, tcp, yamux};
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use ukehi::ids::{ClusterId, NodeId, ShardId};
use ukehi::net::{NetConfig, NetEvent, NetHandle, Network, identity, publish_address};
use zeroize::Zeroizing;

pub const DEADLINE: Duration = Duration::from_secs(30);
pub const CLUSTER: ClusterId = ClusterId([0xc1; 32]);
pub const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Waits for a future, and says what it waited for if it does not come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("not within {DEADLINE:?}: {what}"),
    }
}

/// Polls a condition until it holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub fn secret(node: u64) -> Zeroizing<[u8; 32]> {
    Zeroizing::new([u8::try_from(node).unwrap(); 32])
}

pub fn public(node: u64) -> [u8; 32] {
    identity::public_bytes(&identity::keypair(&secret(node)))
}

pub fn peer_id(node: u64) -> PeerId {
    identity::peer_id(&public(node)).unwrap()
}

/// `count` node ids, the lowest peer id (which dials all the others) first.
pub fn nodes_by_peer_id(count: u64) -> Vec<u64> {
    let mut nodes: Vec<u64> = (1..=count).collect();
    nodes.sort_by_key(|node| peer_id(*node));
    nodes
}

pub struct Node {
    pub id: u64,
    pub handle: NetHandle,
    pub events: mpsc::Receiver<NetEvent>,
    pub addr: SocketAddr,
}

/// Nodes that find each other through one address file.
pub struct Cluster {
    directory: tempfile::TempDir,
    pub members: Vec<u64>,
}

impl Cluster {
    pub fn new(members: &[u64]) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            members: members.to_vec(),
        }
    }

    pub fn addresses(&self) -> PathBuf {
        self.directory.path().join("addresses.json")
    }

    pub fn config(&self, id: u64) -> NetConfig {
        NetConfig {
            cluster: CLUSTER,
            node: NodeId(id),
            secret: secret(id),
            listen: LOOPBACK,
            members: self
                .members
                .iter()
                .map(|n| (NodeId(*n), public(*n)))
                .collect(),
            address_file: Some(self.addresses()),
            mdns: false,
            shard: ShardId(0),
            incarnation: 1,
        }
    }

    pub async fn start(&self, id: u64) -> Node {
        self.start_with(self.config(id)).await
    }

    pub async fn start_with(&self, config: NetConfig) -> Node {
        let id = config.node;
        let (handle, events, addr) = Network::start(config).await.expect("the node starts");
        publish_address(&self.addresses(), id, addr).unwrap();
        Node {
            id: id.0,
            handle,
            events,
            addr,
        }
    }
}

impl Node {
    pub async fn next(&mut self, what: &str) -> NetEvent {
        within(what, self.events.recv())
            .await
            .expect("the network runs")
    }

    /// Skips events until `pick` takes one.
    pub async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(NetEvent) -> Option<T>) -> T {
        within(what, async {
            loop {
                let event = self.events.recv().await.expect("the network runs");
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        })
        .await
    }

    pub async fn wait_up(&mut self, peers: &[u64]) {
        let mut missing = peers.to_vec();
        while !missing.is_empty() {
            let what = format!("node {}: {missing:?} up", self.id);
            let up = self
                .wait(&what, |event| match event {
                    NetEvent::PeerUp(node) => Some(node.0),
                    _ => None,
                })
                .await;
            missing.retain(|node| *node != up);
        }
    }

    pub fn is_connected(&self, peer: u64) -> bool {
        self.handle.peers()[&NodeId(peer)].connected
    }

    pub async fn frame_from(&mut self, peer: u64) -> Vec<u8> {
        let what = format!("node {}: a frame from {peer}", self.id);
        self.wait(&what, |event| match event {
            NetEvent::Frame { from, bytes } if from.0 == peer => Some(bytes),
            _ => None,
        })
        .await
    }
}

/// A member's key in hostile hands: it speaks libp2p, and whatever else the test wants.
pub struct Hostile {
    pub control: libp2p_stream::Control,
    /// The connection's end, when it comes.
    closed: mpsc::Receiver<()>,
    connected: mpsc::Receiver<()>,
}

pub fn raft_protocol(cluster: ClusterId) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/ukehi/{cluster}/raft/1")).unwrap()
}

impl Hostile {
    /// Dials `target`. Accepts lanes of `protocol` towards itself, so that the target stays.
    pub fn dial(key: u64, target: &Node, protocol: StreamProtocol) -> Self {
        let mut swarm = SwarmBuilder::with_existing_identity(identity::keypair(&secret(key)))
            .with_tokio()
            .with_tcp(
                tcp::Config::default(),
                noise::Config::new,
                yamux::Config::default,
            )
            .unwrap()
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .unwrap()
            .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::from_secs(60)))
            .build();
        let mut control = swarm.behaviour().new_control();
        let mut incoming = control.accept(protocol).unwrap();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Some((_, mut stream)) = incoming.next().await {
                let mut hello = vec![0; 4 + 25];
                if stream.read_exact(&mut hello).await.is_ok()
                    && stream.write_all(&[0]).await.is_ok()
                    && stream.flush().await.is_ok()
                {
                    kept.push(stream);
                }
            }
        });
        let address = Multiaddr::from(target.addr.ip())
            .with(Protocol::Tcp(target.addr.port()))
            .with(Protocol::P2p(peer_id(target.id)));
        swarm.dial(address).unwrap();
        let (closed_tx, closed) = mpsc::channel(8);
        let (connected_tx, connected) = mpsc::channel(8);
        tokio::spawn(async move {
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => {
                        let _ = connected_tx.send(()).await;
                    }
                    SwarmEvent::ConnectionClosed { .. }
                    | SwarmEvent::OutgoingConnectionError { .. } => {
                        let _ = closed_tx.send(()).await;
                    }
                    _ => {}
                }
            }
        });
        Self {
            control,
            closed,
            connected,
        }
    }

    pub async fn connected(&mut self) {
        within("the hostile peer connects", self.connected.recv()).await;
    }

    pub async fn disconnected(&mut self) {
        within("the hostile peer is disconnected", self.closed.recv()).await;
    }

    pub async fn open(&mut self, target: &Node) -> Stream {
        let opening = self
            .control
            .open_stream(peer_id(target.id), raft_protocol(CLUSTER));
        within("a raw stream", opening)
            .await
            .expect("the stream opens")
    }

    /// Opens a stream and says hello as `node`; returns the answer.
    pub async fn greet(&mut self, target: &Node, node: u64, generation: u64) -> (Stream, u8) {
        let mut stream = self.open(target).await;
        // Version 1, node id, incarnation 7, generation.
        let mut hello = vec![1];
        for word in [node, 7, generation] {
            hello.extend_from_slice(&word.to_le_bytes());
        }
        write(&mut stream, &frame(&hello)).await;
        let mut answer = [0];
        within("an answer to the hello", stream.read_exact(&mut answer))
            .await
            .expect("one byte");
        (stream, answer[0])
    }
}

/// A TCP proxy whose connections can all be frozen: open, and nothing passes.
pub struct Proxy {
    pub addr: SocketAddr,
    /// Connections of an older epoch are frozen.
    epoch: watch::Sender<u64>,
}

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (epoch, frozen) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut frozen = frozen.clone();
                let born = *frozen.borrow_and_update();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let alive = tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => true,
                        _ = frozen.wait_for(|now| *now != born) => false,
                    };
                    if !alive {
                        // Both sockets stay open.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { addr, epoch }
    }

    pub fn freeze(&self) {
        self.epoch.send_modify(|epoch| *epoch += 1);
    }
}

pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut framed = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
    framed.extend_from_slice(bytes);
    framed
}

pub async fn write(stream: &mut Stream, bytes: &[u8]) {
    within("a raw write", async {
        stream.write_all(bytes).await?;
        stream.flush().await
    })
    .await
    .expect("written");
}

/// Reads until the stream ends or fails, and returns how many bytes came.
pub async fn drain(stream: &mut Stream) -> usize {
    let mut bytes = Vec::new();
    let _ = within("the stream to end", stream.read_to_end(&mut bytes)).await;
    bytes.len()
}
