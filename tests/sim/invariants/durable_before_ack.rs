//! Nothing is promised that a crash takes back, looked at frame by frame: an acknowledged entry
//! and a vote are in their node's store when the frame leaves (etcd#14370; Raft §5.2), and a commit
//! index that any node reaches is in the stores of a majority (Raft §5.3, §5.4.2).

use crate::corpus::SHARD;
use raft::eraftpb::{Message, MessageType};
use std::sync::Arc;
use ukehi::ids::{LogIndex, NodeId};
use ukehi::kv::Read;
use ukehi::node::driver::DriverStatus;
use ukehi::replica::raft_log::{HardRecord, RaftLog};
use ukehi::replica::{PeerMessage, read_entry};

#[derive(Default)]
pub struct DurableBeforeAck {
    commit: LogIndex,
}

fn hard_record(store: &Arc<dyn Read>) -> HardRecord {
    *RaftLog::load(store.clone(), SHARD, &[NodeId(1)])
        .expect("an undamaged store")
        .loaded()
}

impl DurableBeforeAck {
    /// A frame leaves the node with this store.
    pub fn frame(&self, store: &Arc<dyn Read>, frame: &[u8]) -> Option<String> {
        let Ok(PeerMessage::Raft(m)) = PeerMessage::decode(SHARD, frame) else {
            return None;
        };
        let wrong = match m.get_msg_type() {
            MessageType::MsgAppendResponse if !m.reject && m.index > 0 => {
                let stored = read_entry(&**store, SHARD, m.index).expect("an undamaged store");
                stored.is_none()
            }
            MessageType::MsgRequestVoteResponse if !m.reject => voted_otherwise(store, &m, m.to),
            MessageType::MsgRequestVote => voted_otherwise(store, &m, m.from),
            _ => false,
        };
        wrong.then(|| {
            format!(
                "durable before ack: {:?} of node {}",
                m.get_msg_type(),
                m.from
            )
        })
    }

    /// A node shows this status; `stores` are everybody's disks.
    pub fn committed(&mut self, status: &DriverStatus, stores: &[Arc<dyn Read>]) -> Option<String> {
        if status.commit <= self.commit {
            return None;
        }
        self.commit = status.commit;
        let at = |store: &Arc<dyn Read>| {
            read_entry(&**store, SHARD, status.commit).expect("an undamaged store")
        };
        let versions: Vec<_> = stores.iter().map(at).collect();
        let most = versions.iter().flatten().map(|v| {
            versions
                .iter()
                .flatten()
                .filter(|other| *other == v)
                .count()
        });
        let held = most.max().unwrap_or(0);
        (held < stores.len() / 2 + 1).then(|| {
            let (node, index) = (status.node, status.commit);
            format!("durable commit: node {node} commits {index}, {held} disks hold it")
        })
    }
}

fn voted_otherwise(store: &Arc<dyn Read>, m: &Message, candidate: u64) -> bool {
    let hard = hard_record(store);
    (hard.term, hard.vote) != (m.term, candidate)
}
