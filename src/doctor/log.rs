//! The Raft log: that it is whole, that its terms agree, and that each entry bears its proposer's
//! signature for this place.

use super::Check;
use crate::genesis::Genesis;
use crate::ids::{LogIndex, NodeId, ShardId};
use crate::kv::Read;
use crate::replica::entry::Position;
use crate::replica::raft_log::{RaftLog, StoredEntry, read_entry};
use std::sync::Arc;

pub(super) fn check(
    store: &Arc<dyn Read>,
    genesis: &Genesis,
    shard: ShardId,
    applied: LogIndex,
) -> Check {
    let mut check = Check::new("raft log", "entries");
    let voters: Vec<NodeId> = genesis.nodes.iter().map(|n| n.id).collect();
    let log = match RaftLog::load(store.clone(), shard, &voters) {
        Ok(log) => log,
        Err(error) => {
            check.fault(error);
            return check;
        }
    };
    let committed = log.loaded().commit;
    if applied > committed {
        check.fault(format!(
            "entry {applied} is applied, and only {committed} are committed"
        ));
    }
    for index in 1..=log.last() {
        check.examined += 1;
        match read_entry(&**store, shard, index) {
            Ok(Some(entry)) => {
                if Some(entry.term) != log.term_at(index) {
                    check.fault(format!(
                        "entry {index} has term {}, the term index another",
                        entry.term
                    ));
                }
                if !is_stamped(&entry, genesis, shard) {
                    check.fault(format!("entry {index} lacks its proposer's signature"));
                }
            }
            Ok(None) => check.fault(format!("entry {index} is missing")),
            Err(error) => check.fault(error),
        }
    }
    check
}

fn is_stamped(entry: &StoredEntry, genesis: &Genesis, shard: ShardId) -> bool {
    let Some(content) = entry.payload.stamped() else {
        return true;
    };
    let position = Position {
        cluster: genesis.cluster_id(),
        shard,
        term: entry.term,
        index: entry.index,
        kind: content.kind,
        digest: content.digest(),
    };
    let key = genesis.node_key(content.stamp.proposer);
    key.is_some_and(|key| content.stamp.verifies(key, &position))
}
