//! Nodes in memory, joined by a gossip that drops what it has seen.

use super::*;
use crate::kv::{Overlay, WriteBatch};
use crate::log::testing::{Mem, NOW, SHARD, cosigner, genesis, grow, node_key, signed};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

struct Node {
    cosigner: Cosigner,
    mem: Mem,
    inbox: VecDeque<String>,
    published: Vec<SignedCheckpoint>,
    saved: Vec<SignedCheckpoint>,
    alarms: Vec<CosignAction>,
}

struct Cluster {
    trust: Arc<Genesis>,
    nodes: Vec<Node>,
    leader: Option<usize>,
    now_ms: u64,
    seen: BTreeSet<String>,
    /// Nodes that hear and say nothing.
    cut_off: BTreeSet<usize>,
}

impl Cluster {
    fn new(count: u64) -> Self {
        let trust = genesis(count);
        let nodes = (1..=count).map(|id| Node {
            cosigner: cosigner(&trust, id, None),
            mem: Mem::default(),
            inbox: VecDeque::new(),
            published: Vec::new(),
            saved: Vec::new(),
            alarms: Vec::new(),
        });
        Self {
            nodes: nodes.collect(),
            trust,
            leader: Some(0),
            now_ms: 0,
            seen: BTreeSet::new(),
            cut_off: BTreeSet::new(),
        }
    }

    fn apply(&mut self, node: usize, size: u64) {
        grow(&mut self.nodes[node].mem, size, 0);
        self.nodes[node].cosigner.applied(size);
    }

    fn apply_all(&mut self, size: u64) {
        for node in 0..self.nodes.len() {
            self.apply(node, size);
        }
    }

    fn act(&mut self, from: usize, actions: Vec<CosignAction>) {
        for action in actions {
            match action {
                CosignAction::Publish(note) => {
                    let read = SignedCheckpoint::from_note(&note, &self.trust).unwrap();
                    self.nodes[from].published.push(read);
                    if self.cut_off.contains(&from) || !self.seen.insert(note.clone()) {
                        continue;
                    }
                    for to in (0..self.nodes.len()).filter(|to| *to != from) {
                        if !self.cut_off.contains(&to) {
                            self.nodes[to].inbox.push_back(note.clone());
                        }
                    }
                }
                CosignAction::Save(checkpoint) => {
                    assert!(checkpoint.has_majority(&self.trust));
                    let node = &mut self.nodes[from];
                    let mut batch = WriteBatch::new();
                    let mut store = Overlay::new(&node.mem, &mut batch);
                    ledger::save_checkpoint(&mut store, SHARD, &checkpoint).unwrap();
                    node.mem.commit(batch);
                    node.saved.push(checkpoint);
                }
                alarm => self.nodes[from].alarms.push(alarm),
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(to) = (0..self.nodes.len()).find(|&n| !self.nodes[n].inbox.is_empty()) {
            self.deliver_one(to);
        }
    }

    fn deliver_one(&mut self, to: usize) {
        let now = NOW + self.now_ms / 1_000;
        let node = &mut self.nodes[to];
        if let Some(note) = node.inbox.pop_front() {
            let actions = node.cosigner.note(&note, now, &node.mem).unwrap();
            self.act(to, actions);
        }
    }

    fn tick(&mut self, ms: u64) {
        self.now_ms += ms;
        let now = NOW + self.now_ms / 1_000;
        for at in 0..self.nodes.len() {
            let leader = self.leader == Some(at);
            let node = &mut self.nodes[at];
            let actions = node.cosigner.tick(now, ms, leader, &node.mem).unwrap();
            self.act(at, actions);
        }
    }

    fn run(&mut self, ticks: u64, ms: u64) {
        for _ in 0..ticks {
            self.tick(ms);
            self.deliver();
        }
    }

    fn published(&self) -> usize {
        self.nodes.iter().map(|n| n.published.len()).sum()
    }

    fn no_alarms(&self) -> bool {
        self.nodes.iter().all(|n| n.alarms.is_empty())
    }
}

/// The signers of a node's newest saved checkpoint and its size.
fn newest(node: &Node) -> Option<u64> {
    node.saved.last().map(|s| s.checkpoint.size)
}

#[test]
fn three_nodes_cosign_and_an_idle_leader_falls_silent() {
    let mut cluster = Cluster::new(3);
    cluster.apply_all(5);
    cluster.tick(CADENCE_MS - 1);
    assert_eq!(cluster.published(), 0);
    cluster.run(1, 1);
    for node in &cluster.nodes {
        assert_eq!(newest(node), Some(5));
        assert_eq!(node.cosigner.cosigned(), 5);
        assert_eq!(node.saved.len(), 1);
    }
    let published = cluster.published();
    assert!(published <= 4, "{published}");
    cluster.run(1_000, 100);
    assert_eq!(cluster.published(), published);
    assert!(cluster.no_alarms());
}

#[test]
fn enough_entries_are_signed_without_waiting() {
    let mut cluster = Cluster::new(3);
    cluster.apply_all(CADENCE_ENTRIES - 1);
    cluster.run(1, 1);
    assert_eq!(newest(&cluster.nodes[0]), None);
    cluster.apply_all(CADENCE_ENTRIES);
    cluster.run(1, 1);
    assert_eq!(newest(&cluster.nodes[0]), Some(CADENCE_ENTRIES));
}

#[test]
fn followers_leave_the_start_to_the_leader_and_take_over_if_it_is_mute() {
    let mut cluster = Cluster::new(3);
    cluster.leader = None;
    cluster.apply_all(1_000);
    cluster.run(PATIENCE_MS / 100 - 1, 100);
    assert_eq!(cluster.published(), 0);
    cluster.run(1, 100);
    for node in &cluster.nodes {
        assert_eq!(newest(node), Some(1_000));
    }
}

#[test]
fn a_follower_that_missed_the_completed_checkpoint_asks_for_it() {
    let mut cluster = Cluster::new(3);
    cluster.apply_all(5);
    cluster.cut_off.insert(2);
    cluster.run(100, 50);
    cluster.cut_off.clear();
    cluster.run(100, 50);
    assert_eq!(newest(&cluster.nodes[2]), Some(5));
    let published = cluster.published();
    cluster.run(1_000, 50);
    assert_eq!(cluster.published(), published);
}

#[test]
fn a_cluster_of_one_is_its_own_majority() {
    let mut cluster = Cluster::new(1);
    cluster.apply_all(2);
    cluster.run(50, 50);
    assert_eq!(newest(&cluster.nodes[0]), Some(2));
    assert_eq!(cluster.published(), 1);
}

#[test]
fn a_lagging_node_waits_and_then_cosigns() {
    let mut cluster = Cluster::new(3);
    cluster.cut_off.insert(2);
    cluster.apply(0, 9);
    cluster.apply(1, 4);
    cluster.run(3, 50);
    assert_eq!(newest(&cluster.nodes[0]), None);
    assert!(
        cluster.nodes[1].published.is_empty(),
        "it has not reached that size"
    );
    cluster.apply(1, 9);
    cluster.run(1, 50);
    assert_eq!(newest(&cluster.nodes[0]), Some(9));
    assert_eq!(newest(&cluster.nodes[1]), Some(9));
}

#[test]
fn a_node_that_is_always_behind_still_cosigns_what_it_reaches() {
    let mut cluster = Cluster::new(3);
    cluster.cut_off.insert(2);
    for step in 10..40 {
        cluster.apply(0, step * 300);
        cluster.apply(1, (step - 9) * 300);
        cluster.run(1, 50);
    }
    let reached = newest(&cluster.nodes[0]).unwrap_or(0);
    assert!(reached >= 20 * 300, "{reached}");
}

#[test]
fn five_nodes_all_learn_of_the_majority_and_chatter_is_bounded() {
    let mut cluster = Cluster::new(5);
    cluster.apply_all(7);
    cluster.run(1_000, 50);
    for node in &cluster.nodes {
        assert_eq!(newest(node), Some(7));
    }
    let published = cluster.published();
    assert!(published <= 6, "{published}");
}

#[test]
fn a_leader_without_majority_republishes_ever_more_rarely_and_succeeds_once_heard() {
    let mut cluster = Cluster::new(3);
    cluster.cut_off.extend([1, 2]);
    cluster.apply_all(5);
    cluster.run(1_200, 50);
    let published = cluster.nodes[0].published.len();
    assert!(
        (5..=10).contains(&published),
        "{published} times in a minute"
    );
    cluster.cut_off.clear();
    cluster.run(400, 50);
    for node in &cluster.nodes {
        assert_eq!(newest(node), Some(5));
    }
}

#[test]
fn a_cosignature_that_was_lost_is_given_again() {
    let mut cluster = Cluster::new(3);
    cluster.cut_off.insert(2);
    cluster.apply_all(5);
    cluster.tick(50);
    cluster.deliver_one(1);
    // What node 2 said is lost on the way.
    cluster.nodes[0].inbox.clear();
    assert_eq!(newest(&cluster.nodes[1]), Some(5));
    cluster.run(60, 50);
    assert_eq!(newest(&cluster.nodes[0]), Some(5));
}

#[test]
fn a_restarted_leader_with_nothing_new_catches_up_with_what_the_others_saved() {
    let mut cluster = Cluster::new(3);
    cluster.apply_all(5);
    cluster.run(1, 50);
    cluster.run(30, 50);
    let mut fresh = cosigner(&cluster.trust, 1, None);
    fresh.applied(5);
    cluster.nodes[0].cosigner = fresh;
    cluster.nodes[0].saved.clear();
    cluster.run(100, 50);
    assert_eq!(newest(&cluster.nodes[0]), Some(5));
    let published = cluster.published();
    cluster.run(1_000, 50);
    assert_eq!(cluster.published(), published);
}

#[test]
fn a_new_leader_finishes_what_the_old_one_started() {
    let mut cluster = Cluster::new(3);
    cluster.apply_all(5);
    cluster.cut_off.insert(2);
    cluster.tick(50);
    // The old leader dies before node 2's answer; node 2 has signed but must lead now.
    cluster.cut_off.insert(0);
    cluster.nodes[1].inbox.clear();
    let half = signed(&cluster.trust, 5, 0, &[], 0);
    let half = half
        .checkpoint
        .with(half.checkpoint.sign(NodeId(2), &node_key(2), NOW));
    let node = &mut cluster.nodes[1];
    node.cosigner.note(&half.to_note(), NOW, &node.mem).unwrap();
    cluster.cut_off.remove(&2);
    cluster.leader = Some(1);
    cluster.run(100, 50);
    assert_eq!(newest(&cluster.nodes[1]), Some(5));
    assert_eq!(newest(&cluster.nodes[2]), Some(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Any order of growth, loss, delay and change of leader: nobody is accused, everything signed
    /// is a prefix of the log, sizes signed and saved only grow; and once all is well, all agree.
    #[test]
    fn honest_nodes_never_accuse_each_other_and_always_agree_in_the_end(
        count in 1..6_usize,
        steps in prop::collection::vec((0..8_u8, any::<prop::sample::Index>(), 1..90_u64), 1..60),
    ) {
        let mut cluster = Cluster::new(count as u64);
        let mut committed = 1;
        cluster.apply_all(1);
        let mut sizes = vec![1; count];
        for (what, node, amount) in steps {
            let node = node.index(count);
            match what {
                0 | 1 => {
                    committed += amount;
                    sizes[node] = committed;
                    cluster.apply(node, committed);
                }
                2 => {
                    sizes[node] = (sizes[node] + amount).min(committed);
                    cluster.apply(node, sizes[node]);
                }
                3 => cluster.leader = Some(node),
                4 => { cluster.nodes[node].inbox.pop_front(); }
                5 => cluster.deliver_one(node),
                6 => {
                    let inbox = &mut cluster.nodes[node].inbox;
                    inbox.rotate_left(1.min(inbox.len()));
                }
                _ => cluster.tick(amount),
            }
        }
        cluster.apply_all(committed);
        cluster.run(800, 50);
        prop_assert!(cluster.no_alarms());
        let mut whole = Mem::default();
        grow(&mut whole, committed, 0);
        for node in &cluster.nodes {
            prop_assert_eq!(newest(node), Some(committed));
            prop_assert!(node.saved.is_sorted_by(|a, b| a.checkpoint.size < b.checkpoint.size));
            let own: Vec<_> = node
                .published
                .iter()
                .filter(|s| s.cosignature_of(node.cosigner.me).is_some())
                .collect();
            for published in own {
                let root = tree::root(&whole, SHARD, published.checkpoint.size).unwrap();
                prop_assert_eq!(published.checkpoint.root, root);
            }
        }
        let published = cluster.published();
        cluster.run(100, 1_000);
        prop_assert_eq!(cluster.published(), published, "silence once all is cosigned");
    }
}
