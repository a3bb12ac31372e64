//! Members among themselves, over loopback TCP.
#![cfg(feature = "node")]

mod net_support;

use net_support::*;
use tokio::time::Duration;
use ukehi::ids::{ClusterId, NodeId};
use ukehi::net::{
    FrameError, GossipVerdict, MAX_FRAME, NetError, NetEvent, Network, Refusal, SendError,
    publish_address,
};

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_exchange_frames_in_order() {
    const FRAMES: u32 = 200;
    let cluster = Cluster::new(&[1, 2, 3]);
    let mut nodes = [
        cluster.start(1).await,
        cluster.start(2).await,
        cluster.start(3).await,
    ];
    for node in &mut nodes {
        let others: Vec<u64> = [1, 2, 3].into_iter().filter(|n| *n != node.id).collect();
        node.wait_up(&others).await;
    }
    for from in &nodes {
        for to in [1, 2, 3].into_iter().filter(|n| *n != from.id) {
            for n in 0..FRAMES {
                // Of many sizes, the empty and the longest among them, and within the queue.
                let len = match n {
                    0 => 0,
                    1 => MAX_FRAME - 4,
                    n => (n as usize * 37) % 5000,
                };
                let mut bytes = n.to_le_bytes().to_vec();
                bytes.resize(4 + len, 0xab);
                assert_eq!(from.handle.send(NodeId(to), bytes), Ok(()));
            }
        }
    }
    for node in &mut nodes {
        let mut next = std::collections::BTreeMap::new();
        for _ in 0..2 * FRAMES {
            let (from, bytes) = node
                .wait("every frame", |event| match event {
                    NetEvent::Frame { from, bytes } => Some((from, bytes)),
                    _ => None,
                })
                .await;
            let expected = next.entry(from).or_insert(0u32);
            assert_eq!(bytes[..4], expected.to_le_bytes(), "from {from}");
            *expected += 1;
        }
    }
    assert_eq!(
        nodes[0].handle.send(NodeId(2), vec![0; MAX_FRAME + 1]),
        Err(SendError::TooLarge {
            found: MAX_FRAME + 1,
            limit: MAX_FRAME
        })
    );
    assert_eq!(
        nodes[0].handle.send(NodeId(9), vec![]),
        Err(SendError::NotConnected)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_members_is_disconnected() {
    let cluster = Cluster::new(&[1, 2]);
    let node = cluster.start(1).await;
    let mut stranger = Hostile::dial(9, &node, raft_protocol(CLUSTER));
    stranger.disconnected().await;
    assert!(!node.is_connected(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_key_from_another_cluster_is_disconnected() {
    let ids = nodes_by_peer_id(2);
    let cluster = Cluster::new(&ids);
    let node = cluster.start(ids[1]).await;
    let other = raft_protocol(ClusterId([0xc2; 32]));
    let mut foreign = Hostile::dial(ids[0], &node, other.clone());
    foreign.connected().await;
    let opened = within(
        "the negotiation",
        foreign.control.open_stream(peer_id(node.id), other),
    )
    .await;
    assert!(opened.is_err(), "no protocol in common");
    foreign.disconnected().await;
    assert!(!node.is_connected(ids[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_four_gibibyte_prefix_closes_the_stream_and_a_new_one_is_taken() {
    let ids = nodes_by_peer_id(3);
    let cluster = Cluster::new(&ids);
    let mut node = cluster.start(ids[1]).await;
    let mut honest = cluster.start(ids[2]).await;
    let mut hostile = Hostile::dial(ids[0], &node, raft_protocol(CLUSTER));
    hostile.connected().await;

    let (mut stream, answer) = hostile.greet(&node, ids[0], 1).await;
    assert_eq!(answer, 0);
    write(&mut stream, &frame(b"before")).await;
    assert_eq!(node.frame_from(ids[0]).await, b"before");
    write(&mut stream, &[0xff; 4]).await;
    assert_eq!(drain(&mut stream).await, 0);
    let too_long = Refusal::Frame(FrameError::TooLong {
        found: u32::MAX,
        limit: MAX_FRAME,
    });
    until("the refusal is recorded", || {
        node.handle.peers()[&NodeId(ids[0])].last_refusal == Some(too_long)
    })
    .await;

    let (mut stream, answer) = hostile.greet(&node, ids[0], 2).await;
    assert_eq!(answer, 0);
    write(&mut stream, &frame(b"after")).await;
    assert_eq!(node.frame_from(ids[0]).await, b"after");

    // And the node still serves the others.
    honest.wait_up(&[node.id]).await;
    until("node 2 is up", || node.is_connected(honest.id)).await;
    node.handle
        .send(NodeId(honest.id), b"hello".to_vec())
        .unwrap();
    assert_eq!(honest.frame_from(node.id).await, b"hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_names_another_node_is_refused() {
    let ids = nodes_by_peer_id(3);
    let cluster = Cluster::new(&ids);
    let node = cluster.start(ids[1]).await;
    let mut hostile = Hostile::dial(ids[0], &node, raft_protocol(CLUSTER));
    hostile.connected().await;
    let (mut stream, answer) = hostile.greet(&node, ids[2], 1).await;
    assert_eq!(answer, 1);
    drain(&mut stream).await;
    let state = &node.handle.peers()[&NodeId(ids[0])];
    assert_eq!(
        state.last_refusal,
        Some(Refusal::ForeignNode {
            claimed: NodeId(ids[2])
        })
    );
    assert_eq!(state.incarnation, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_stream_replaces_an_older_one_and_never_the_reverse() {
    let ids = nodes_by_peer_id(2);
    let cluster = Cluster::new(&ids);
    let mut node = cluster.start(ids[1]).await;
    let mut hostile = Hostile::dial(ids[0], &node, raft_protocol(CLUSTER));
    hostile.connected().await;
    let (mut old, answer) = hostile.greet(&node, ids[0], 5).await;
    assert_eq!(answer, 0);
    let (mut new, answer) = hostile.greet(&node, ids[0], 6).await;
    assert_eq!(answer, 0);
    drain(&mut old).await;
    let (_stale, answer) = hostile.greet(&node, ids[0], 5).await;
    assert_eq!(answer, 2);
    write(&mut new, &frame(b"still here")).await;
    assert_eq!(node.frame_from(ids[0]).await, b"still here");
    assert_eq!(node.handle.peers()[&NodeId(ids[0])].incarnation, Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_reaches_everyone_and_names_its_author() {
    let cluster = Cluster::new(&[1, 2, 3]);
    let mut nodes = [
        cluster.start(1).await,
        cluster.start(2).await,
        cluster.start(3).await,
    ];
    nodes[0].wait_up(&[2, 3]).await;
    let publisher = nodes[0].handle.clone();
    // Subscriptions travel after the connection, so the first ones may find nobody.
    let publishing = tokio::spawn(async move {
        for n in 0u32.. {
            publisher.publish(n.to_le_bytes().to_vec()).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    for node in &mut nodes[1..] {
        let token = node
            .wait("gossip from node 1", |event| match event {
                NetEvent::Gossip {
                    from: Some(NodeId(1)),
                    token,
                    ..
                } => Some(token),
                _ => None,
            })
            .await;
        node.handle.gossip_verdict(token, GossipVerdict::Accept);
    }
    publishing.abort();
    let too_long = nodes[0].handle.publish(vec![0; ukehi::net::MAX_GOSSIP + 1]);
    assert!(matches!(too_long, Err(SendError::TooLarge { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn gossip_is_forwarded_only_after_it_is_accepted() {
    // A line: the ends do not know each other.
    let cluster = Cluster::new(&[1, 2, 3]);
    let mut left = cluster.config(1);
    left.members.remove(&NodeId(3));
    let mut right = cluster.config(3);
    right.members.remove(&NodeId(1));
    let mut left = cluster.start_with(left).await;
    let mut middle = cluster.start(2).await;
    let mut right = cluster.start_with(right).await;
    left.wait_up(&[2]).await;
    right.wait_up(&[2]).await;

    let publisher = left.handle.clone();
    let publishing = tokio::spawn(async move {
        for n in 0u32.. {
            for word in ["bad", "good"] {
                publisher
                    .publish(format!("{word} {n}").into_bytes())
                    .unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let judging = tokio::spawn(async move {
        while let Some(event) = middle.events.recv().await {
            if let NetEvent::Gossip { data, token, .. } = event {
                let verdict = match data.starts_with(b"good") {
                    true => GossipVerdict::Accept,
                    false => GossipVerdict::Reject,
                };
                middle.handle.gossip_verdict(token, verdict);
            }
        }
    });
    for _ in 0..20 {
        let (from, data) = right
            .wait("gossip through the middle", |event| match event {
                NetEvent::Gossip { from, data, .. } => Some((from, data)),
                _ => None,
            })
            .await;
        assert!(
            data.starts_with(b"good"),
            "{}",
            String::from_utf8_lossy(&data)
        );
        assert_eq!(from, None, "its author is no member here");
    }
    publishing.abort();
    judging.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_peer_is_reconnected_on_its_old_port() {
    // Once the restarted one dials, once it is dialled.
    for restarted in [0, 1] {
        let ids = nodes_by_peer_id(2);
        let cluster = Cluster::new(&ids);
        let mut stays = cluster.start(ids[1 - restarted]).await;
        let mut goes = cluster.start(ids[restarted]).await;
        let goes_id = NodeId(goes.id);
        stays.wait_up(&[goes.id]).await;
        goes.wait_up(&[stays.id]).await;

        let addr = goes.addr;
        goes.handle.shutdown().await;
        drop(goes);
        stays
            .wait("the peer is down", |event| {
                (event == NetEvent::PeerDown(goes_id)).then_some(())
            })
            .await;
        assert_eq!(
            stays.handle.send(goes_id, b"lost".to_vec()),
            Err(SendError::NotConnected)
        );

        let mut config = cluster.config(goes_id.0);
        config.listen = addr;
        config.incarnation = 2;
        let mut back = cluster.start_with(config).await;
        assert_eq!(back.addr, addr);
        stays.wait_up(&[back.id]).await;
        stays.handle.send(goes_id, b"again".to_vec()).unwrap();
        assert_eq!(back.frame_from(stays.id).await, b"again");
        until("its new incarnation is known", || {
            stays.handle.peers()[&goes_id].incarnation == Some(2)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_fills_its_own_queue_and_blocks_nobody() {
    let cluster = Cluster::new(&[1, 2, 3]);
    let mut sender = cluster.start(1).await;
    let mut reader = cluster.start(2).await;
    let slow = cluster.start(3).await;
    sender.wait_up(&[2, 3]).await;
    until("the slow node took the hello", || slow.is_connected(1)).await;

    // The slow node's events are never taken.
    until("the slow peer's queue is full", || {
        sender.handle.send(NodeId(3), vec![0; 64 << 10]) == Err(SendError::QueueFull)
    })
    .await;
    for n in 0..50u8 {
        sender.handle.send(NodeId(2), vec![n]).unwrap();
    }
    for n in 0..50u8 {
        assert_eq!(reader.frame_from(1).await, [n]);
    }
    assert!(sender.handle.peers()[&NodeId(3)].dropped_frames > 0);
    assert_eq!(sender.handle.peers()[&NodeId(2)].dropped_frames, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_floods_does_not_keep_others_from_being_heard() {
    let cluster = Cluster::new(&[1, 2, 3]);
    let mut receiver = cluster.start(1).await;
    let mut flooder = cluster.start(2).await;
    let mut quiet = cluster.start(3).await;
    flooder.wait_up(&[1]).await;
    quiet.wait_up(&[1]).await;
    let flood = tokio::spawn(async move {
        loop {
            let _ = flooder.handle.send(NodeId(1), vec![0; 16 << 10]);
            tokio::task::yield_now().await;
        }
    });
    for n in 0..100u8 {
        quiet.handle.send(NodeId(1), vec![n]).unwrap();
        assert_eq!(receiver.frame_from(3).await, [n]);
    }
    flood.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occupied_port_is_named() {
    let cluster = Cluster::new(&[1, 2]);
    let first = cluster.start(1).await;
    let mut config = cluster.config(2);
    config.listen = first.addr;
    assert_eq!(
        Network::start(config).await.err(),
        Some(NetError::PortInUse { addr: first.addr })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_the_members_does_not_start() {
    let cluster = Cluster::new(&[1, 2]);
    let mut config = cluster.config(2);
    config.secret = secret(1);
    assert_eq!(
        Network::start(config).await.err(),
        Some(NetError::NotThisMember { node: NodeId(2) })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_moved_is_found_through_the_address_file() {
    let ids = nodes_by_peer_id(2);
    let cluster = Cluster::new(&ids);
    let mut dials = cluster.start(ids[0]).await;
    let moves = cluster.start(ids[1]).await;
    dials.wait_up(&[moves.id]).await;
    moves.handle.shutdown().await;
    let old = moves.addr;
    drop(moves);
    let _squatter = std::net::TcpListener::bind(old).expect("the port is free again");
    let moved = cluster.start(ids[1]).await;
    assert_ne!(moved.addr, old);
    dials.wait_up(&[moved.id]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_behind_a_dead_path_is_given_up_and_dialled_again() {
    let ids = nodes_by_peer_id(2);
    let cluster = Cluster::new(&ids);
    let mut listens = Network::start(cluster.config(ids[1])).await.unwrap();
    let proxy = Proxy::start(listens.2).await;
    publish_address(&cluster.addresses(), NodeId(ids[1]), proxy.addr).unwrap();
    let mut dials = cluster.start(ids[0]).await;
    dials.wait_up(&[ids[1]]).await;
    within("the listening side is up", async {
        while listens.1.recv().await != Some(NetEvent::PeerUp(NodeId(ids[0]))) {}
    })
    .await;

    // Nothing passes any more and nothing is closed. Whoever writes fills every buffer.
    proxy.freeze();
    let to = NodeId(ids[1]);
    until("the queue towards the dead path is full", || {
        dials.handle.send(to, vec![0; MAX_FRAME]) == Err(SendError::QueueFull)
    })
    .await;
    dials
        .wait("the silence is noticed", |event| {
            (event == NetEvent::PeerDown(to)).then_some(())
        })
        .await;
    dials.wait_up(&[ids[1]]).await;
    dials.handle.send(to, b"anew".to_vec()).unwrap();
    within("a frame on the new path", async {
        loop {
            match listens.1.recv().await {
                Some(NetEvent::Frame { bytes, .. }) if bytes == b"anew" => return,
                event => assert!(event.is_some()),
            }
        }
    })
    .await;
}
