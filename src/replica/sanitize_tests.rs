use super::*;
use crate::ids::ShardId;
use crate::kv::WriteBatch;
use crate::replica::raft_log::RaftLog;
use crate::replica::{Payload, ReplicaConfig};
use crate::store::{MemoryStore, Store};
use raft::eraftpb::{Entry, HardState};
use std::sync::Arc;

const ME: NodeId = NodeId(1);
const PEER: NodeId = NodeId(2);
const OTHER: NodeId = NodeId(3);
const VOTERS: [NodeId; 3] = [ME, PEER, OTHER];
const TERM: Term = 5;

/// A follower in term 5 with entries (1, 1), (2, 2), (3, 2), (4, 5), committed to 3.
fn follower() -> Replica {
    let store = Arc::new(MemoryStore::new());
    let mut log = RaftLog::load(store.clone(), ShardId(0), &VOTERS).unwrap();
    let entries: Vec<Entry> = (1..)
        .zip([1, 2, 2, 5])
        .map(|(index, term)| Payload::NoOp.into_entry(index, term))
        .collect();
    let mut batch = WriteBatch::new();
    log.append(&entries, &mut batch);
    let mut hard = HardState::default();
    (hard.term, hard.commit) = (TERM, 3);
    log.emit(&hard, Matched::default(), &mut batch);
    store.commit(&batch, true).unwrap();
    let config = ReplicaConfig {
        node: ME,
        applied: 0,
        seed: 1,
    };
    let log = RaftLog::load(store, ShardId(0), &VOTERS).unwrap();
    Replica::new(config, log).unwrap()
}

/// The same, elected in term 6, with its no-op at 5 not yet on disk.
fn leader() -> Replica {
    let mut replica = follower();
    let absorb = |replica: &mut Replica| {
        while let Some(mut ready) = replica.ready().unwrap() {
            let entries = ready.take_entries();
            replica.log_mut().append(&entries, &mut WriteBatch::new());
            let number = ready.number();
            replica.absorbed(ready).unwrap();
            replica.persisted(number).unwrap();
        }
    };
    while replica.role() != Role::PreCandidate {
        replica.tick().unwrap();
        absorb(&mut replica);
    }
    for kind in [
        MessageType::MsgRequestPreVoteResponse,
        MessageType::MsgRequestVoteResponse,
    ] {
        replica.step(message(kind, PEER, TERM + 1)).unwrap();
        absorb(&mut replica);
    }
    assert_eq!((replica.role(), replica.last_index()), (Role::Leader, 5));
    replica
}

fn message(kind: MessageType, from: NodeId, term: Term) -> Message {
    let mut m = Message::default();
    m.set_msg_type(kind);
    (m.from, m.to, m.term) = (from.0, ME.0, term);
    m
}

fn append(from: NodeId, term: Term, previous: (u64, u64), entries: &[(u64, u64)]) -> Message {
    let mut m = message(MessageType::MsgAppend, from, term);
    (m.index, m.log_term) = previous;
    let entries = entries
        .iter()
        .map(|(i, t)| Payload::NoOp.into_entry(*i, *t));
    m.set_entries(entries.collect::<Vec<_>>().into());
    m
}

fn admit(sanitizer: &mut Sanitizer, m: &mut Message, replica: &Replica) -> Result<(), Unfit> {
    let standing = Standing {
        replica,
        cosigned: 3,
        reading: Some(b"asked"),
    };
    sanitizer.admit(NodeId(m.from), m, &standing)
}

fn fresh() -> Sanitizer {
    Sanitizer::new(ME, &VOTERS, Matched::default())
}

#[test]
fn only_voters_speak_for_themselves_and_to_us() {
    let replica = follower();
    let heartbeat = || message(MessageType::MsgHeartbeat, PEER, TERM);
    for forge in [
        |m: &mut Message| m.to = 9,
        |m: &mut Message| m.from = 9,
        |m: &mut Message| m.from = ME.0,
    ] {
        let mut m = heartbeat();
        forge(&mut m);
        assert_eq!(admit(&mut fresh(), &mut m, &replica), Err(Unfit::Envelope));
    }
    let standing = Standing {
        replica: &replica,
        cosigned: 0,
        reading: None,
    };
    let refused = fresh().admit(OTHER, &mut heartbeat(), &standing);
    assert_eq!(
        refused,
        Err(Unfit::Envelope),
        "the stream is bound to another node"
    );
}

#[test]
fn a_message_without_a_term_or_with_one_far_ahead_is_refused() {
    let replica = follower();
    for term in [0, TERM + MAX_TERM_LEAP + 1, u64::MAX] {
        let mut m = message(MessageType::MsgHeartbeat, PEER, term);
        assert_eq!(
            admit(&mut fresh(), &mut m, &replica),
            Err(Unfit::Term { term })
        );
    }
    let mut m = message(MessageType::MsgHeartbeat, PEER, TERM + MAX_TERM_LEAP);
    assert_eq!(admit(&mut fresh(), &mut m, &replica), Ok(()));
}

#[test]
fn a_heartbeat_commits_no_more_than_its_sender_has_matched_in_its_term() {
    let replica = follower();
    let commit_of = |sanitizer: &mut Sanitizer, from, term| {
        let mut m = message(MessageType::MsgHeartbeat, from, term);
        m.commit = 4;
        admit(sanitizer, &mut m, &replica).map(|()| m.commit)
    };
    let mut sanitizer = fresh();
    assert_eq!(commit_of(&mut sanitizer, PEER, TERM), Ok(0));
    sanitizer.note_matched(TERM, PEER, 4, 4);
    assert_eq!(commit_of(&mut sanitizer, PEER, TERM), Ok(4));
    assert_eq!(
        commit_of(&mut sanitizer, PEER, TERM + 1),
        Ok(0),
        "another term begins anew"
    );
}

#[test]
fn the_first_leader_of_a_term_is_its_only_one() {
    let replica = follower();
    let mut sanitizer = fresh();
    let mut first = message(MessageType::MsgHeartbeat, PEER, TERM);
    assert_eq!(admit(&mut sanitizer, &mut first, &replica), Ok(()));
    let second = Err(Unfit::SecondLeader {
        term: TERM,
        pinned: PEER,
        other: OTHER,
    });
    let mut m = message(MessageType::MsgHeartbeat, OTHER, TERM);
    assert_eq!(admit(&mut sanitizer, &mut m, &replica), second);
    let mut m = append(OTHER, TERM, (4, 5), &[]);
    assert_eq!(admit(&mut sanitizer, &mut m, &replica), second);
    let mut m = message(MessageType::MsgHeartbeat, OTHER, TERM + 1);
    assert_eq!(admit(&mut sanitizer, &mut m, &replica), Ok(()));
}

#[test]
fn the_pin_and_the_match_survive_a_restart() {
    let matched = Matched {
        term: TERM,
        leader: PEER.0,
        index: 4,
    };
    let mut sanitizer = Sanitizer::new(ME, &VOTERS, matched);
    let mut m = message(MessageType::MsgHeartbeat, OTHER, TERM);
    assert!(admit(&mut sanitizer, &mut m, &follower()).is_err());
    let mut m = message(MessageType::MsgHeartbeat, PEER, TERM);
    m.commit = 9;
    assert_eq!(admit(&mut sanitizer, &mut m, &follower()), Ok(()));
    assert_eq!(m.commit, 4);
}

#[test]
fn appends_that_contradict_themselves_or_what_is_settled_are_refused() {
    let replica = follower();
    let incoherent = [
        // raft-rs would find term 0 beyond the log, call it a match, and panic.
        append(PEER, TERM, (9, 0), &[]),
        append(PEER, TERM, (0, 1), &[]),
        append(PEER, TERM, (4, 6), &[]),
        append(PEER, TERM, (4, 5), &[(5, 4)]),
        append(PEER, TERM, (4, 5), &[(5, 6)]),
        append(PEER, TERM, (4, 5), &[(6, 5)]),
        append(PEER, TERM, (MAX_INDEX + 1, 5), &[]),
    ];
    for mut m in incoherent {
        assert_eq!(
            admit(&mut fresh(), &mut m, &replica),
            Err(Unfit::Incoherent),
            "{m:?}"
        );
    }
    for (previous, entries, at) in [((2, 1), vec![], 2), ((2, 2), vec![(3, 3)], 3)] {
        let mut m = append(PEER, TERM, previous, &entries);
        let conflict = Unfit::Conflict {
            leader: PEER,
            term: TERM,
            index: at,
        };
        assert_eq!(admit(&mut fresh(), &mut m, &replica), Err(conflict));
    }
    let mut m = append(PEER, TERM + 1, (3, 2), &[(4, 6)]);
    assert_eq!(
        admit(&mut fresh(), &mut m, &replica),
        Ok(()),
        "above the commit all may change"
    );
}

#[test]
fn a_leader_does_not_rewrite_what_it_had_us_match_in_its_own_term() {
    let mut sanitizer = fresh();
    sanitizer.note_matched(TERM, PEER, 4, 4);
    let mut m = append(PEER, TERM, (3, 2), &[(4, 2)]);
    let refused = admit(&mut sanitizer, &mut m, &follower());
    assert!(
        matches!(refused, Err(Unfit::Conflict { index: 4, .. })),
        "{refused:?}"
    );
}

#[test]
fn votes_count_only_once_they_have_been_asked_for() {
    let replica = follower();
    let mut sanitizer = fresh();
    let kind = MessageType::MsgRequestVoteResponse;
    let mut m = message(kind, PEER, TERM);
    assert_eq!(
        admit(&mut sanitizer, &mut m, &replica),
        Err(Unfit::Unsolicited)
    );
    sanitizer.campaigned(TERM, MessageType::MsgRequestPreVote);
    assert_eq!(
        admit(&mut sanitizer, &mut m, &replica),
        Err(Unfit::Unsolicited)
    );
    sanitizer.campaigned(TERM, MessageType::MsgRequestVote);
    assert_eq!(admit(&mut sanitizer, &mut m, &replica), Ok(()));
    let mut refusal = message(kind, PEER, TERM + 3);
    refusal.reject = true;
    assert_eq!(
        admit(&mut sanitizer, &mut refusal, &replica),
        Ok(()),
        "it brings a term"
    );
}

#[test]
fn a_vote_commits_nothing_a_majority_has_not_signed() {
    let replica = follower();
    for (commit, kept) in [(2, (2, 2)), (3, (0, 0)), (u64::MAX, (0, 0))] {
        let mut m = message(MessageType::MsgRequestVote, PEER, TERM + 1);
        (m.commit, m.commit_term) = (commit, 2);
        assert_eq!(admit(&mut fresh(), &mut m, &replica), Ok(()));
        assert_eq!((m.commit, m.commit_term), kept, "leaves 0..3 are cosigned");
    }
}

#[test]
fn an_acknowledgement_beyond_the_log_is_refused() {
    let replica = leader();
    for index in [6, MAX_INDEX] {
        let mut m = message(MessageType::MsgAppendResponse, PEER, TERM + 1);
        m.index = index;
        let refused = Err(Unfit::AckBeyondLog { node: PEER, index });
        assert_eq!(admit(&mut fresh(), &mut m, &replica), refused);
    }
    let mut m = message(MessageType::MsgAppendResponse, PEER, TERM + 1);
    (m.index, m.reject, m.reject_hint, m.log_term) = (4, true, u64::MAX, 3);
    assert_eq!(admit(&mut fresh(), &mut m, &replica), Ok(()));
    assert_eq!(
        (m.reject_hint, m.log_term),
        (3, 2),
        "the hint is the answer already"
    );
}

#[test]
fn nobody_else_leads_the_term_we_lead() {
    let replica = leader();
    let mut m = message(MessageType::MsgHeartbeat, PEER, TERM + 1);
    let refused = admit(&mut fresh(), &mut m, &replica);
    assert!(
        matches!(refused, Err(Unfit::SecondLeader { pinned: ME, .. })),
        "{refused:?}"
    );
}

#[test]
fn read_requests_need_their_own_context_and_answers_ours() {
    let with_context = |kind, term, context: &[u8]| {
        let mut m = message(kind, PEER, term);
        let entry = Entry {
            data: context.to_vec().into(),
            ..Entry::default()
        };
        m.set_entries(vec![entry].into());
        m
    };
    let leads = leader();
    let ask = |context: &[u8]| {
        let mut m = with_context(MessageType::MsgReadIndex, 0, context);
        admit(&mut fresh(), &mut m, &leads)
    };
    assert_eq!(ask(&read_context(PEER, 1, 1)), Ok(()));
    assert_eq!(ask(&read_context(OTHER, 1, 1)), Err(Unfit::Incoherent));
    assert_eq!(ask(b""), Err(Unfit::Incoherent));
    let mut none = message(MessageType::MsgReadIndex, PEER, 0);
    assert_eq!(
        admit(&mut fresh(), &mut none, &leads),
        Err(Unfit::Incoherent)
    );

    let mut follows = follower();
    let answer = |context: &[u8], replica: &Replica| {
        let mut m = with_context(MessageType::MsgReadIndexResp, TERM, context);
        admit(&mut fresh(), &mut m, replica)
    };
    assert_eq!(
        answer(b"asked", &follows),
        Err(Unfit::Unsolicited),
        "no leader is known"
    );
    follows
        .step(message(MessageType::MsgHeartbeat, PEER, TERM))
        .unwrap();
    assert_eq!(answer(b"asked", &follows), Ok(()));
    assert_eq!(answer(b"other", &follows), Err(Unfit::Unsolicited));
}
