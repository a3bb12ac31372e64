//! All nodes at once: what a client has a receipt for survives.

use crate::harness::*;

#[test]
fn nothing_acknowledged_is_lost_when_all_nodes_are_killed_at_once() {
    let mut cluster = Cluster::running();
    let mut receipts: Vec<_> = (1..=4)
        .map(|seq| cluster.client(&[1, 2, 3]).write(&batch(seq)))
        .collect();
    cluster.kill_all();
    for id in 1..=3 {
        cluster.start(id);
    }
    cluster.leader_among(&[1, 2, 3]);
    let mut client = cluster.client(&[1, 2, 3]);
    receipts.push(client.write(&batch(5)));
    let trail = cluster.trail(receipts[4].record.index);
    assert_eq!(trail.sums("killed at once", &receipts), Sums::ZERO);
    for receipt in &receipts {
        let again = client
            .receipt(&receipt.author, receipt.author_seq)
            .expect("kept");
        assert_eq!(again.record, receipt.record);
    }
    // The sums can be other than 0: a trail without one receipted entry says so.
    let mut short = trail;
    short
        .entries
        .retain(|e| e.record.index != receipts[1].record.index);
    let sums = short.sums("killed at once, one entry taken out", &receipts);
    assert_eq!(sums.acknowledged_missing, 1);
}
