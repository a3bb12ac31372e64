//! A member that speaks the protocol and means harm: well-formed frames with any content.
//!
//! Raft's agreement does not survive a lying voter, so the safety invariants are not asked here;
//! what must hold is that no honest replica panics or stops over anything it is sent, and that
//! nothing unproven is applied.

use crate::corpus::{SHARD, node_key};
use crate::rng::Rng;
use crate::world::World;
use raft::eraftpb::{Entry, Message, MessageType};
use ukehi::batch::SealedBatch;
use ukehi::ids::NodeId;
use ukehi::log::EntryKind;
use ukehi::node::driver::{DriverStatus, Event};
use ukehi::replica::entry::Position;
use ukehi::replica::{Payload, PeerMessage, Stamp};

const KINDS: [MessageType; 10] = [
    MessageType::MsgAppend,
    MessageType::MsgAppendResponse,
    MessageType::MsgRequestVote,
    MessageType::MsgRequestVoteResponse,
    MessageType::MsgHeartbeat,
    MessageType::MsgHeartbeatResponse,
    MessageType::MsgReadIndex,
    MessageType::MsgReadIndexResp,
    MessageType::MsgRequestPreVote,
    MessageType::MsgRequestPreVoteResponse,
];

/// A number near one that matters, or at an edge.
fn number(rng: &mut Rng, near: u64) -> u64 {
    match rng.range(0, 14) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => 1 << 62,
        4 => near.saturating_add(1 << 20),
        5 => near.saturating_add(1 << 21),
        6..=8 => near,
        9 => near.saturating_add(1),
        10 => near.saturating_sub(1),
        _ => (near + 4).saturating_sub(rng.range(0, 9)),
    }
}

fn entry(world: &mut World, me: NodeId, term: u64, index: u64) -> Entry {
    if world.rng.chance(40) {
        return Payload::NoOp.into_entry(index, term);
    }
    let poisoned = world.rng.chance(50);
    let stock = match poisoned {
        true => &world.corpus.poisoned,
        false => &world.corpus.batches,
    };
    let bytes = stock[world.rng.index(stock.len())].clone();
    let position = Position {
        cluster: world.corpus.genesis.cluster_id(),
        shard: SHARD,
        term,
        index,
        kind: EntryKind::Batch,
        digest: SealedBatch::digest(&bytes),
    };
    let mut stamp = Stamp::sign(me, &node_key(me), &position);
    if world.rng.chance(20) {
        stamp.signature[0] ^= 1;
    }
    if world.rng.chance(10) {
        stamp.proposer = NodeId(world.rng.range(0, 5));
    }
    Payload::Batch { bytes, stamp }.into_entry(index, term)
}

/// A message from `me` to a node in this state.
pub fn message(world: &mut World, me: NodeId, to: &DriverStatus) -> PeerMessage {
    let mut m = Message::default();
    let kind = KINDS[world.rng.index(KINDS.len())];
    m.set_msg_type(kind);
    (m.from, m.to) = (me.0, to.node.0);
    m.term = number(&mut world.rng, to.term);
    let index = [to.last_index, to.commit][world.rng.index(2)];
    m.index = number(&mut world.rng, index);
    m.log_term = number(&mut world.rng, to.term);
    m.commit = number(&mut world.rng, to.last_index);
    m.commit_term = number(&mut world.rng, to.term);
    m.reject = world.rng.chance(30);
    m.reject_hint = number(&mut world.rng, to.last_index);
    match kind {
        MessageType::MsgAppend if m.index < 1 << 60 => {
            let (mut term, base) = (m.log_term, m.index);
            let count = world.rng.range(0, 4);
            let entries = (1..=count).map(|i| {
                term += u64::from(world.rng.chance(20) && term < u64::MAX);
                entry(world, me, term, base + i)
            });
            m.set_entries(entries.collect::<Vec<_>>().into());
        }
        MessageType::MsgReadIndex | MessageType::MsgReadIndexResp => {
            let mut context = me.0.to_le_bytes().to_vec();
            context.extend(world.rng.next().to_le_bytes().repeat(2));
            context.truncate([0, 8, 24][world.rng.index(3)]);
            m.term = [0, m.term][world.rng.index(2)];
            let entry = Entry {
                data: context.into(),
                ..Entry::default()
            };
            m.set_entries(vec![entry].into());
        }
        _ => {}
    }
    PeerMessage::Raft(m)
}

fn harass(world: &mut World, liar: usize) {
    let me = NodeId(liar as u64 + 1);
    for to in (0..world.nodes.len()).filter(|n| *n != liar) {
        let Some(status) = world.nodes[to].driver.as_ref().map(|d| d.status()) else {
            continue;
        };
        let bytes = message(world, me, &status).encode(SHARD);
        world.feed(to, Event::PeerFrame { from: me, bytes });
    }
}

#[test]
fn nothing_a_member_says_stops_an_honest_replica_or_gets_poison_applied() {
    for seed in 1..=20 {
        let mut world = World::new(seed, 3, &[]);
        let client = world.clients.add(world.corpus.batches[..30].to_vec());
        world.wake_client(client, 100);
        let liar = (seed % 3) as usize;
        for _ in 0..1_500 {
            let pause = world.rng.range(1, 12);
            world.run_for(pause);
            for _ in 0..world.rng.range(1, 6) {
                harass(&mut world, liar);
            }
        }
        let report = world.report();
        let honest_failures: Vec<_> = report
            .stopped
            .iter()
            .filter(|s| {
                s.contains("panicked") || s.contains("store") || s.contains("does not verify")
            })
            .collect();
        assert!(
            honest_failures.is_empty(),
            "seed {seed}: {honest_failures:#?}"
        );
        assert_eq!(report.unproven_applied, 0, "seed {seed}");
    }
}

#[test]
fn bytes_that_are_no_message_are_refused_and_counted() {
    let mut world = World::new(5, 3, &[]);
    world.run_for(3_000);
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let status = world.nodes[1].driver.as_ref().expect("running").status();
        let mut bytes = message(&mut world, NodeId(1), &status).encode(SHARD);
        for _ in 0..rng.range(1, 4) {
            let at = rng.index(bytes.len());
            match rng.range(0, 3) {
                0 => bytes[at] ^= 1 << rng.range(0, 8),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, rng.next() as u8),
            }
        }
        let event = Event::PeerFrame {
            from: NodeId(1),
            bytes,
        };
        world.feed(1, event);
    }
    let report = world.report();
    assert!(
        report.stopped.iter().all(|s| !s.contains("panicked")),
        "{:#?}",
        report.stopped
    );
    assert_eq!(report.unproven_applied, 0);
}
