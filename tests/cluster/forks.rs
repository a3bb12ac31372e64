//! A node that signs two logs: the others keep the proof, and where forks are enforced they follow it
//! no more.

use crate::harness::*;
use std::net::{Ipv4Addr, SocketAddr};
use ukehi::ids::{NodeId, ShardId};
use ukehi::net::{NetConfig, Network, publish_address};
use ukehi::node::Forks;
use ukehi::trust::TrustRoot;

const FORKER: u64 = 1;

/// Gossips notes under node 1's identity until the nodes 2 and 3 have seen it sign two logs.
fn gossip_as_the_forker(cluster: &Cluster, notes: &[String]) {
    let trust = TrustRoot::load(&cluster.trust()).expect("the trust root");
    let addresses = cluster.dir().join("addresses.json");
    let config = NetConfig {
        cluster: trust.genesis.cluster_id(),
        node: NodeId(FORKER),
        secret: cluster.node_key(FORKER).secret_bytes(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        members: trust
            .genesis
            .nodes
            .iter()
            .map(|n| (n.id, n.key.to_bytes()))
            .collect(),
        address_file: Some(addresses.clone()),
        mdns: false,
        shard: ShardId(0),
        incarnation: u64::MAX,
    };
    let (net, mut events) = runtime().block_on(async {
        let (net, events, address) = Network::start(config).await.expect("a network");
        publish_address(&addresses, NodeId(FORKER), address).expect("an address");
        (net, events)
    });
    let drained = runtime().spawn(async move { while events.recv().await.is_some() {} });
    eventually("nodes 2 and 3 see that node 1 signed two logs", || {
        for note in notes {
            let _ = net.publish(note.clone().into_bytes());
        }
        let seen = [2, 3].map(|id| {
            cluster
                .status(id)
                .map(|s| s["forked"] == serde_json::json!([FORKER]))
        });
        (seen == [Some(true); 2]).then_some(())
    });
    runtime().block_on(net.shutdown());
    drained.abort();
}

#[test]
fn who_signs_two_logs_is_shown_to_anybody_and_where_enforced_never_leads_again() {
    let mut cluster = Cluster::new();
    for id in 1..=3 {
        cluster.edit_config(id, |config| config.forks = Forks::Enforce);
        cluster.start(id);
    }
    cluster.leader_among(&[1, 2, 3]);
    let mut receipts = vec![cluster.client(&[1, 2, 3]).write(&batch(1))];
    cluster.applied(&[1, 2, 3], receipts[0].record.index);
    let size = receipts[0].checkpoint.checkpoint.size;
    let root = receipts[0].checkpoint.checkpoint.root;
    cluster.kill(FORKER);
    cluster.leader_among(&[2, 3]);
    // One cosignature under the log's own root, one under another of the same size.
    let notes = [root, [7; 32]].map(|root| cluster.cosigned(size, root, &[FORKER]));
    gossip_as_the_forker(&cluster, &notes);

    // Anybody can see it.
    let out = cluster.dir().join("evidence");
    let exported = cluster.json(&["evidence", "--out", out.to_str().expect("a path")]);
    assert_eq!(exported["silent"], serde_json::json!([FORKER]));
    let file = out.join(format!("fork-node{FORKER}.json"));
    let trust = cluster.trust();
    let args = [
        "audit",
        "evidence",
        file.to_str().expect("a path"),
        "--trust",
    ];
    let args = [
        &args[..],
        &[trust.to_str().expect("a path"), "--output", "json"],
    ]
    .concat();
    let shown = cluster.ukehi(&args);
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(
        (&shown["shows"], &shown["node"]),
        (&"fork".into(), &FORKER.into())
    );

    // It takes part, and nobody follows it: with one other node up, only that one can lead.
    cluster.start(FORKER);
    receipts.push(cluster.client(&[2, 3]).write(&batch(2)));
    cluster.applied(&[1, 2, 3], receipts[1].record.index);
    for (down, left) in [(3, 2), (2, 3)] {
        cluster.kill(down);
        assert_eq!(cluster.leader_among(&[FORKER, left]), left);
        receipts.push(cluster.client(&[FORKER, left]).write(&batch(1 + down)));
        // Also after a restart of who saw it.
        cluster.start(down);
        let led = cluster.leader_among(&[1, 2, 3]);
        assert_ne!(led, FORKER);
    }
    let last = receipts.iter().map(|r| r.record.index).max().expect("some");
    cluster.applied(&[1, 2, 3], last);
    let trail = cluster.trail(last);
    assert_eq!(trail.sums("a fork, enforced", &receipts), Sums::ZERO);

    // Released by a person at both others, it leads again when the votes fall so.
    for id in [2, 3] {
        cluster.kill(id);
        cluster.edit_config(id, |config| config.released_forks = vec![NodeId(FORKER)]);
        cluster.start(id);
    }
    cluster.leader_among(&[1, 2, 3]);
    eventually("node 1 leads again", || {
        let leader = cluster.leader_among(&[1, 2, 3]);
        if leader == FORKER {
            return Some(());
        }
        cluster.kill(leader);
        cluster.leader_among(
            &[1, 2, 3]
                .into_iter()
                .filter(|id| *id != leader)
                .collect::<Vec<_>>(),
        );
        cluster.start(leader);
        None
    });
}
