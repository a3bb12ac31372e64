//! SIGKILL to a random node during a write, again and again.

use crate::harness::*;
use std::time::{Duration, Instant};

/// reliability.md: 20 rounds in each CI run.
const ROUNDS: u64 = 20;

fn random(below: u64) -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("randomness");
    u64::from_le_bytes(bytes) % below
}

#[test]
fn nothing_acknowledged_is_lost_when_random_nodes_are_killed_during_writes() {
    let mut cluster = Cluster::running();
    let batches: Vec<_> = (1..=ROUNDS).map(batch).collect();
    let began = Instant::now();
    let mut receipts = Vec::new();
    for written in batches {
        let victim = random(3) + 1;
        let mut client = cluster.client(&[1, 2, 3]);
        let write = std::thread::spawn(move || client.write(&written));
        // Not a wait for anything: the moment of the kill within the write is random.
        std::thread::sleep(Duration::from_millis(random(60)));
        cluster.kill(victim);
        cluster.start(victim);
        receipts.push(write.join().expect("the write is decided and receipted"));
    }
    let took = began.elapsed();
    println!(
        "{ROUNDS} rounds in {took:.1?}, {:.2?} each",
        took / ROUNDS as u32
    );
    cluster.leader_among(&[1, 2, 3]);
    let last = receipts.iter().map(|r| r.record.index).max().expect("some");
    let trail = cluster.trail(last);
    assert_eq!(trail.sums("random kills", &receipts), Sums::ZERO);
    // Every node, not only the one that exported, has it all.
    cluster.applied(&[1, 2, 3], last);
    for id in 1..=3 {
        let mut client = cluster.client(&[id]);
        for receipt in &receipts {
            let found = client.receipt(&receipt.author, receipt.author_seq);
            assert_eq!(found.map(|f| f.record), Some(receipt.record), "node {id}");
        }
    }
}
