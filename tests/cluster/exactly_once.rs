//! The same bytes, however often and wherever they are submitted, have one outcome.

use crate::harness::*;
use ukehi::log::Outcome;

#[test]
fn a_batch_has_one_index_and_one_outcome_through_any_node_and_across_a_failover() {
    let mut cluster = Cluster::running();
    let led = cluster.leader_among(&[1, 2, 3]);
    let others: Vec<u64> = (1..=3).filter(|id| *id != led).collect();
    let first = batch(1);
    // Through two nodes at the same time: neither knows of the other's attempt.
    let attempts: Vec<_> = [others[0], others[1], led]
        .map(|id| {
            let (mut client, first) = (cluster.client(&[id]), first.clone());
            std::thread::spawn(move || client.submit(&first.bytes).expect("decided"))
        })
        .into_iter()
        .map(|attempt| attempt.join().expect("no panic"))
        .collect();
    let (index, outcome) = attempts[0];
    assert_eq!(outcome, Outcome::Applied);
    assert!(
        attempts.iter().all(|a| *a == (index, outcome)),
        "{attempts:?}"
    );

    // Acknowledged by the leader alone, before it dies.
    let second = batch(2);
    let decided = cluster
        .client(&[led])
        .submit(&second.bytes)
        .expect("decided");
    cluster.kill(led);
    for id in &others {
        let mut client = cluster.client(&[*id]);
        assert_eq!(
            client.submit(&second.bytes).expect("decided"),
            decided,
            "node {id}"
        );
        assert_eq!(
            client.submit(&first.bytes).expect("decided"),
            (index, outcome)
        );
    }
    let receipt = |seq: u64| {
        let node = cluster.endpoints(&others)[0].address.to_string();
        let keys = cluster.dir().join("client");
        let out = cluster.dir().join("receipt.json");
        let (keys, trust, out) = (
            keys.to_str().unwrap().to_owned(),
            cluster.trust().to_str().unwrap().to_owned(),
            out.to_str().unwrap().to_owned(),
        );
        let seq = seq.to_string();
        let got = cluster.ukehi(&[
            "receipt", "get", "--node", &node, "--keys", &keys, "--trust", &trust, "--out", &out,
            "clinic", &seq,
        ]);
        if !got.status.success() {
            return Err(got.status.code());
        }
        let done = cluster.ukehi(&[
            "receipt", "verify", &out, "--trust", &trust, "--output", "json",
        ]);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let verified: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        Ok(verified["index"].as_u64().expect("an index"))
    };
    assert_eq!(
        receipt(2),
        Ok(decided.0),
        "from another node, the leader is dead"
    );
    assert_eq!(receipt(99), Err(Some(4)));

    // Another batch under a used sequence.
    let other = batch_of("clinic", 2, "key/2", "another value");
    let mut client = cluster.client(&others);
    let (at, outcome) = client.submit(&other.bytes).expect("decided");
    assert_eq!(outcome, Outcome::SequenceConflict);
    assert_eq!(client.get("key/2").unwrap().as_deref(), Some("value 2"));
    assert_eq!(
        client.submit(&other.bytes).expect("decided").1,
        Outcome::SequenceConflict
    );
    // At the command line: a batch that lies in the outbox is sent again, and refused.
    let name = format!("client/outbox/{}-{:020}.batch", other.author, other.seq);
    std::fs::write(cluster.dir().join(&name), &other.bytes).unwrap();
    let put = ["put", "--dir", cluster.path(), "--author", "lab", "k", "v"];
    let put = cluster.ukehi(&put);
    let said = String::from_utf8_lossy(&put.stderr).into_owned();
    assert_eq!(put.status.code(), Some(6), "{said}");
    assert!(said.contains("sequence"), "{said}");
    assert!(
        !cluster.dir().join(name).exists(),
        "a decided batch blocks the outbox"
    );

    let receipts = [1, 2].map(|seq| client.receipt(&first.author, seq).expect("a receipt"));
    let trail = cluster.trail(at);
    assert_eq!(trail.sums("exactly once", &receipts), Sums::ZERO);
}
