//! Registry changes through the simulated cluster: the tail counts, strangers do not.

use crate::corpus::{Corpus, SHARD, admin_key, author_id, node_key};
use crate::world::World;
use raft::eraftpb::{Message, MessageType};
use std::sync::Arc;
use ukehi::batch::SealedBatch;
use ukehi::ids::{KeyspaceId, NodeId};
use ukehi::log::{EntryKind, Outcome};
use ukehi::node::driver::Event;
use ukehi::registry::{Change, Operation, Unsigned};
use ukehi::replica::entry::Position;
use ukehi::replica::{Payload, PeerMessage, Stamp};

/// Nobody genesis knows.
const NEWCOMER: u8 = 9;

fn led(seed: u64) -> (World, usize) {
    let mut world = World::new(seed, 3, &[]);
    assert!(world.run_until(10_000, |w| w.leader().is_some()));
    world.run_for(500);
    let leader = world.leader().expect("nobody disturbs it");
    (world, leader)
}

fn change(corpus: &Corpus, number: u64, operation: Operation) -> Arc<[u8]> {
    let mut change: Change = Unsigned {
        cluster: corpus.genesis.cluster_id(),
        shard: SHARD,
        number,
        operation,
    }
    .unsigned(Vec::new());
    change.sign(&admin_key());
    change.to_bytes().into()
}

fn register(corpus: &Corpus) -> Arc<[u8]> {
    let operation = Operation::RegisterAuthor {
        keyspace: KeyspaceId(1),
        author: author_id(NEWCOMER),
    };
    change(corpus, 1, operation)
}

fn changes_everywhere(world: &World, count: usize) -> bool {
    let drivers: Vec<_> = world
        .nodes
        .iter()
        .filter_map(|n| n.driver.as_ref())
        .collect();
    drivers.len() == 3 && drivers.iter().all(|d| d.status().registry_changes == count)
}

#[test]
fn a_change_reaches_every_node_survives_restarts_and_is_answered_once_decided() {
    let (mut world, leader) = led(21);
    let bytes = register(world.corpus);
    // Through a follower, and once more through the leader: one entry, one outcome.
    let follower = (leader + 1) % 3;
    let [first, again] = [follower, leader].map(|node| world.submit_change(node, &bytes, 60));
    assert!(world.run_until(3_000, |w| w.answer(first).is_some()
        && w.answer(again).is_some()));
    assert_eq!(world.answer(first).unwrap().outcome, Outcome::Applied);
    assert_eq!(world.answer(first), world.answer(again));
    assert!(world.run_until(3_000, |w| changes_everywhere(w, 1)));
    for node in 0..3 {
        world.crash(node);
        world.restart_after(node, 50);
        world.run_for(3_000);
    }
    assert!(changes_everywhere(&world, 1), "a restart folds it again");
    // What was applied is answered from the registry, and a number is used once.
    let replayed = world.submit_change(follower, &bytes, 60);
    let other = Operation::RevokeAuthor {
        keyspace: KeyspaceId(1),
        author: author_id(NEWCOMER),
    };
    let stale = change(world.corpus, 1, other);
    let stale = world.submit_change(follower, &stale, 60);
    assert!(world.run_until(9_000, |w| w.answer(replayed).is_some()
        && w.answer(stale).is_some()));
    assert_eq!(world.answer(replayed), world.answer(first));
    assert_eq!(world.answer(stale).unwrap().outcome, Outcome::WrongNumber);
    world.settle();
    world.report().assert_clean();
}

#[test]
fn an_author_of_the_uncommitted_tail_may_write_and_one_of_no_entry_may_not() {
    let (mut world, leader) = led(22);
    let batch: Arc<[u8]> = world.corpus.sealed_by(NEWCOMER, 1).into();
    let stranger = world.submit(leader, &batch, 30);
    world.run_for(3_000);
    assert_eq!(world.answer(stranger), None, "refused, in no entry");
    let applied = |w: &World| w.nodes[leader].driver.as_ref().unwrap().status().applied;
    let before = applied(&world);
    // Nothing commits meanwhile: the change is in the leader's tail and nowhere else.
    world.network.partition(&[leader], 3);
    let bytes = register(world.corpus);
    let registered = world.submit_change(leader, &bytes, 200);
    let known = world.submit(leader, &batch, 200);
    world.run_for(200);
    assert_eq!(applied(&world), before);
    world.network.heal();
    assert!(world.run_until(9_000, |w| w.answer(registered).is_some()
        && w.answer(known).is_some()));
    // The gate let it in on every node; apply wants an anchor behind the registration.
    assert_eq!(
        world.answer(known).unwrap().outcome,
        Outcome::AuthorAfterAnchor
    );
    for node in &world.nodes {
        let status = node.driver.as_ref().expect("all run").status();
        assert_eq!(status.quarantined, []);
    }
    world.settle();
    world.report().assert_clean();
}

#[test]
fn a_leader_that_proposes_a_strangers_batch_or_change_is_quarantined() {
    for kind in [EntryKind::Batch, EntryKind::Registry] {
        let (mut world, leader) = led(23);
        let bytes: Arc<[u8]> = match kind {
            EntryKind::Batch => world.corpus.sealed_by(NEWCOMER, 1).into(),
            _ => {
                // Signed, by somebody who never was an admin.
                let mut change = Change::from_bytes(&register(world.corpus)).unwrap();
                change.signatures.clear();
                let nobody =
                    ukehi_keys::AdminKey::from_secret_bytes(&zeroize::Zeroizing::new([9; 32]));
                change.sign(&nobody);
                change.to_bytes().into()
            }
        };
        let victim = (leader + 1) % 3;
        let status = world.nodes[victim].driver.as_ref().unwrap().status();
        let me = NodeId(leader as u64 + 1);
        let index = status.last_index + 1;
        let position = Position {
            cluster: world.corpus.genesis.cluster_id(),
            shard: SHARD,
            term: status.term,
            index,
            kind,
            digest: ukehi::replica::entry::content_digest(kind, &bytes),
        };
        let stamp = Stamp::sign(me, &node_key(me), &position);
        let payload = match kind {
            EntryKind::Batch => {
                assert!(SealedBatch::from_bytes(&bytes).is_ok());
                Payload::Batch { bytes, stamp }
            }
            _ => Payload::Change { bytes, stamp },
        };
        let mut append = Message::default();
        append.set_msg_type(MessageType::MsgAppend);
        (append.from, append.to) = (me.0, victim as u64 + 1);
        (append.term, append.log_term) = (status.term, status.term);
        (append.index, append.commit) = (status.last_index, status.commit);
        append.set_entries(vec![payload.into_entry(index, status.term)].into());
        let bytes = PeerMessage::Raft(append).encode(SHARD);
        world.feed(victim, Event::PeerFrame { from: me, bytes });
        let accused = |w: &World, node: usize| {
            let status = w.nodes[node].driver.as_ref().unwrap().status();
            status.quarantined.iter().any(|case| case.node == me)
        };
        assert!(world.run_until(300, |w| accused(w, victim)), "{kind:?}");
        let third = (leader + 2) % 3;
        // The refusal convicts it wherever the log before the place is known.
        assert!(world.run_until(3_000, |w| accused(w, third)), "{kind:?}");
    }
}
