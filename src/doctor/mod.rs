//! What a stopped node's disk holds, examined wholly: every checksum, entry, signature, proof,
//! outcome, hash and checkpoint.
//!
//! Invariants: 1. nothing is written; 2. a fault ends its own check, or counts there, and the other
//! checks go on, so that an operator sees all there is; 3. what is called sound passed the gate
//! that replicas run, and led to the state that is stored.
//! Needs the trust root; no key, no other node. Memory holds the replayed state.

mod beside;
mod history;
mod log;
mod state;

use crate::batch::BatchVerifier;
use crate::ids::{ClusterId, LogIndex, NodeId, ShardId, Term, TreeSize};
use crate::kv::{Column, Read, StoreError};
use crate::log::ledger;
use crate::replica::stored;
use crate::store::{OpenError, ReadOnlyStore};
use serde::Serialize;
use std::fmt::Display;
use std::sync::Arc;

pub const SCHEMA: &str = "ukehi/doctor/v1";
/// Faults a check names; further ones are counted.
const MAX_FAULTS: usize = 16;

/// One kind of thing that was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    /// How many of `unit` were looked at.
    pub examined: u64,
    pub unit: &'static str,
    /// At most 16 of them, in words.
    pub faults: Vec<String>,
    pub further_faults: u64,
    /// Why the rest of it could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
}

impl Check {
    fn new(name: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            examined: 0,
            unit,
            faults: Vec::new(),
            further_faults: 0,
            not_judged: None,
        }
    }

    fn skipped(name: &'static str, unit: &'static str, why: &str) -> Self {
        Self {
            not_judged: Some(why.to_owned()),
            ..Self::new(name, unit)
        }
    }

    fn fault(&mut self, what: impl Display) {
        match self.faults.len() < MAX_FAULTS {
            true => self.faults.push(what.to_string()),
            false => self.further_faults += 1,
        }
    }

    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.not_judged.is_none()
    }
}

/// What was found on a node's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    pub schema: &'static str,
    pub node: NodeId,
    pub cluster: ClusterId,
    pub sound: bool,
    pub term: Term,
    pub last_index: LogIndex,
    pub applied: LogIndex,
    /// Of the newest checkpoint a majority cosigned; 0 without one.
    pub cosigned_size: TreeSize,
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// Of a store that does not open.
    #[must_use]
    pub fn unopened(node: NodeId, cluster: ClusterId, why: &OpenError) -> Self {
        let mut check = Check::new("store", "stores");
        check.fault(why);
        Self {
            schema: SCHEMA,
            node,
            cluster,
            sound: false,
            term: 0,
            last_index: 0,
            applied: 0,
            cosigned_size: 0,
            checks: vec![check],
        }
    }
}

/// Examines the store of `node`. `progress` gets the entries judged, of how many.
#[must_use]
pub fn examine(
    store: ReadOnlyStore,
    node: NodeId,
    verifier: &BatchVerifier,
    progress: &mut dyn FnMut(u64, u64),
) -> Diagnosis {
    let rows = rows(&store);
    let store: Arc<dyn Read> = Arc::new(store);
    let (genesis, shard) = (verifier.genesis(), verifier.shard());
    let applied = stored::applied(&*store, shard);
    let applied = applied.map(|found| found.map_or(0, |(index, _)| index));
    let (raft_log, hard) = log::check(&store, genesis, shard, applied.clone().unwrap_or(0));
    let last_index = hard.map_or(0, |h| h.last_index);

    let mut checks = vec![rows, raft_log];
    match &applied {
        Ok(applied) => {
            let (entries, replay) = history::check(&*store, verifier, *applied, progress);
            checks.push(entries);
            checks.push(match &replay {
                Some(replay) => state::check(&*store, replay, shard),
                None => Check::skipped(state::NAME, state::UNIT, "the entries above have a fault"),
            });
            checks.push(history::unapplied(&*store, verifier, *applied, last_index));
        }
        Err(error) => checks.push(unreadable(history::NAME, history::UNIT, error)),
    }
    checks.push(beside::checkpoints(&*store, genesis, shard));
    checks.push(beside::evidence(&*store, genesis, shard));
    checks.push(beside::bulk(&*store, shard));
    Diagnosis {
        schema: SCHEMA,
        node,
        cluster: genesis.cluster_id(),
        sound: checks.iter().all(Check::is_sound),
        term: hard.map_or(0, |h| h.term),
        last_index,
        applied: applied.unwrap_or(0),
        cosigned_size: newest(&*store, shard),
        checks,
    }
}

/// Every row of every column against its own checksum, and RocksDB's over its blocks.
fn rows(store: &ReadOnlyStore) -> Check {
    let mut check = Check::new("rows", "stored values");
    for column in Column::ALL {
        store.check(column, &mut |fault| {
            check.examined += 1;
            if let Some(fault) = fault {
                check.fault(fault);
            }
        });
    }
    check
}

fn newest(store: &dyn Read, shard: ShardId) -> TreeSize {
    let newest = ledger::newest_checkpoint(store, shard);
    // A damaged one is a fault of the checkpoints' check.
    newest.ok().flatten().map_or(0, |c| c.checkpoint.size)
}

fn unreadable(name: &'static str, unit: &'static str, error: &StoreError) -> Check {
    let mut check = Check::new(name, unit);
    check.fault(error);
    check
}
