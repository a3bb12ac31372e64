use super::*;
use crate::ids::NodeId;
use crate::replica::Stamp;

const SHARD: ShardId = ShardId(0);

fn batch(bytes: &[u8]) -> Payload {
    Payload::Batch {
        bytes: Arc::from(bytes),
        stamp: Stamp {
            proposer: NodeId(2),
            signature: [7; 64],
        },
    }
}

fn message(kind: MessageType) -> Message {
    let mut m = Message::default();
    m.set_msg_type(kind);
    (m.from, m.to, m.term) = (1, 2, 3);
    m
}

fn samples() -> Vec<PeerMessage> {
    use MessageType as T;
    let mut append = message(T::MsgAppend);
    (append.index, append.log_term, append.commit) = (4, 2, 4);
    let entries = vec![
        Payload::NoOp.into_entry(5, 3),
        batch(b"abc").into_entry(6, 3),
    ];
    append.set_entries(entries.into());
    let mut response = message(T::MsgAppendResponse);
    (response.index, response.reject, response.reject_hint) = (9, true, 8);
    let mut vote = message(T::MsgRequestPreVote);
    (vote.index, vote.log_term, vote.commit, vote.commit_term) = (9, 3, 8, 2);
    let mut granted = message(T::MsgRequestVoteResponse);
    granted.commit = 3;
    let mut heartbeat = message(T::MsgHeartbeat);
    heartbeat.context = vec![1, 2].into();
    let mut read = message(T::MsgReadIndex);
    let context = Entry {
        data: vec![5; 24].into(),
        ..Entry::default()
    };
    read.set_entries(vec![context].into());
    vec![
        PeerMessage::Raft(append),
        PeerMessage::Raft(response),
        PeerMessage::Raft(vote),
        PeerMessage::Raft(granted),
        PeerMessage::Raft(heartbeat),
        PeerMessage::Raft(read),
        PeerMessage::Forward {
            batch: Arc::from(&b"xyz"[..]),
        },
        PeerMessage::ForwardChange {
            change: Arc::from(&b"xyz"[..]),
        },
        PeerMessage::Refusal {
            index: 7,
            term: 3,
            payload: batch(b"poison"),
        },
    ]
}

#[test]
fn every_message_comes_back_and_neither_a_longer_nor_a_shorter_frame_decodes() {
    for sample in samples() {
        let mut frame = sample.encode(SHARD);
        assert_eq!(PeerMessage::decode(SHARD, &frame).as_ref(), Ok(&sample));
        for len in 0..frame.len() {
            assert!(PeerMessage::decode(SHARD, &frame[..len]).is_err());
        }
        frame.push(0);
        assert!(PeerMessage::decode(SHARD, &frame).is_err(), "{sample:?}");
    }
}

#[test]
fn local_and_unused_message_types_are_refused_by_name() {
    use MessageType as T;
    for kind in [
        T::MsgHup,
        T::MsgBeat,
        T::MsgPropose,
        T::MsgSnapshot,
        T::MsgUnreachable,
        T::MsgSnapStatus,
        T::MsgCheckQuorum,
        T::MsgTransferLeader,
        T::MsgTimeoutNow,
    ] {
        let mut w = Writer::new();
        w.u32(0).u8(RAFT).u8(kind as u8);
        w.u64(1).u64(2).u64(3);
        assert_eq!(
            PeerMessage::decode(SHARD, &w.finish()),
            Err(MessageError::Refused { code: kind as u8 })
        );
    }
}

#[test]
fn a_frame_of_another_shard_or_beyond_the_bound_is_refused() {
    let frame = samples()[0].encode(ShardId(9));
    assert_eq!(
        PeerMessage::decode(SHARD, &frame),
        Err(MessageError::WrongShard { found: ShardId(9) })
    );
    let long = vec![0; MAX_FRAME_BYTES + 1];
    assert!(PeerMessage::decode(SHARD, &long).is_err());
}

#[test]
fn an_index_that_would_overflow_is_refused() {
    let mut append = message(MessageType::MsgAppend);
    append.index = u64::MAX;
    append.set_entries(vec![Payload::NoOp.into_entry(0, 3)].into());
    let frame = PeerMessage::Raft(append).encode(SHARD);
    assert!(PeerMessage::decode(SHARD, &frame).is_err());
}
