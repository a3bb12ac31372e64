//! Nothing is promised that a crash takes back, looked at frame by frame: an acknowledged entry
//! and a vote are in their node's store when the frame leaves (etcd#14370; Raft §5.2), an
//! acknowledged entry stays there while its term lasts (Raft §5.3), and a commit index that any
//! node reaches is in the stores of a majority (Raft §5.4.2).

use crate::corpus::SHARD;
use raft::eraftpb::{Message, MessageType};
use std::collections::BTreeMap;
use ukehi::ids::{LogIndex, Term};
use ukehi::kv::Read;
use ukehi::node::driver::DriverStatus;
use ukehi::replica::{PeerMessage, StoredEntry, read_entry, read_hard};

#[derive(Default)]
pub struct DurableBeforeAck {
    commit: LogIndex,
    /// Node to the last it has acknowledged: in which term, up to where.
    acknowledged: BTreeMap<u64, (Term, LogIndex)>,
}

impl DurableBeforeAck {
    /// A frame leaves the node with this store. `None` if it promises nothing.
    pub fn frame(&mut self, store: &dyn Read, frame: &[u8]) -> Option<Result<(), String>> {
        let Ok(PeerMessage::Raft(m)) = PeerMessage::decode(SHARD, frame) else {
            return None;
        };
        let wrong = match m.get_msg_type() {
            MessageType::MsgAppendResponse if !m.reject && m.index > 0 => {
                let last = self.acknowledged.entry(m.from).or_default();
                *last = (*last).max((m.term, m.index));
                let stored = read_entry(store, SHARD, m.index).expect("rows are never damaged");
                stored.is_none()
            }
            MessageType::MsgRequestVoteResponse if !m.reject => voted_otherwise(store, &m, m.to),
            MessageType::MsgRequestVote => voted_otherwise(store, &m, m.from),
            _ => return None,
        };
        Some(match wrong {
            true => Err(format!(
                "durable before ack: {:?} of node {}",
                m.get_msg_type(),
                m.from
            )),
            false => Ok(()),
        })
    }

    /// A node's store has changed.
    pub fn stored(&self, node: u64, store: &dyn Read) -> Option<String> {
        let (term, index) = self.acknowledged.get(&node)?;
        let hard = read_hard(store, SHARD).expect("rows are never damaged");
        (hard.term == *term && hard.last_index < *index).then(|| {
            let last = hard.last_index;
            format!("durable before ack: node {node} keeps {last} entries, {index} acknowledged")
        })
    }

    pub fn is_news(&self, status: &DriverStatus) -> bool {
        status.commit > self.commit
    }

    /// A node is the first to show this commit; `versions` are what the disks hold there. Returns
    /// what most of them hold.
    pub fn committed(
        &mut self,
        status: &DriverStatus,
        versions: &[Option<StoredEntry>],
    ) -> (Option<StoredEntry>, Option<String>) {
        self.commit = status.commit;
        let copies = |v: &StoredEntry| versions.iter().flatten().filter(|o| *o == v).count();
        let most = versions.iter().flatten().max_by_key(|v| copies(v));
        let held = most.map_or(0, copies);
        let wrong = (held < versions.len() / 2 + 1).then(|| {
            let (node, index) = (status.node, status.commit);
            format!("durable commit: node {node} commits {index}, {held} disks hold it")
        });
        (most.cloned(), wrong)
    }
}

/// A later term on the disk is as good as the vote: none can be cast in the earlier one any more.
fn voted_otherwise(store: &dyn Read, m: &Message, candidate: u64) -> bool {
    let hard = read_hard(store, SHARD).expect("rows are never damaged");
    hard.term < m.term || (hard.term == m.term && hard.vote != candidate)
}
