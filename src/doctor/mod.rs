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
use crate::ids::{ClusterId, LogIndex, NodeId, Term, TreeSize};
use crate::kv::{Column, Read, StoreError};
use crate::node::disk::Place;
use crate::replica::Mark;
use crate::store::{OpenError, ReadOnlyStore, Replay};
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

/// Examines a stopped node's disk. `progress` gets the entries judged, of how many.
///
/// # Errors
/// [`OpenError`] where there is no disk of this node to examine, or it runs. Damage is no error.
pub fn examine(
    place: &Place<'_>,
    verifier: &BatchVerifier,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Diagnosis, OpenError> {
    let mut mark = Check::new("mark", "marks");
    let store = match place.read_only(Replay::Whole) {
        Err(fault @ (OpenError::Torn { .. } | OpenError::Damaged { .. })) => {
            match place.read_only(Replay::ToFirstFault) {
                Ok(store) => store,
                Err(_) => {
                    mark.name = "store";
                    mark.fault(fault);
                    return Ok(Diagnosis::new(place, Mark::default(), vec![mark]));
                }
            }
        }
        opened => opened?,
    };
    mark.examined = 1;
    // A log cut within a write that nobody was told of is no fault: the node cuts it off.
    let reached = place
        .kept()
        .and_then(|kept| place.require_reached(kept, &store));
    if let Err(error) = reached {
        mark.fault(error);
    }
    let rows = rows(&store);
    let store: Arc<dyn Read> = Arc::new(store);
    let mut checks = vec![mark, rows];
    let at = match Mark::of_store(&*store, place.shard) {
        Ok(at) => at,
        Err(_) => return Ok(Diagnosis::new(place, Mark::default(), checks)),
    };
    let (genesis, shard) = (verifier.genesis(), place.shard);
    checks.push(log::check(&store, genesis, shard, at.applied));
    let (entries, replay) = history::check(&*store, verifier, at.applied, progress);
    checks.push(entries);
    checks.push(match &replay {
        Some(replay) => state::check(&*store, replay, shard),
        None => Check::skipped(state::NAME, state::UNIT, "the entries have a fault"),
    });
    checks.push(history::unapplied(&*store, verifier, &at));
    checks.push(beside::checkpoints(&*store, genesis, shard));
    checks.push(beside::evidence(&*store, genesis, shard));
    checks.push(beside::bulk(&*store, shard));
    Ok(Diagnosis::new(place, at, checks))
}

impl Diagnosis {
    fn new(place: &Place<'_>, at: Mark, checks: Vec<Check>) -> Self {
        Self {
            schema: SCHEMA,
            node: place.node,
            cluster: place.cluster,
            sound: checks.iter().all(Check::is_sound),
            term: at.term,
            last_index: at.last_index,
            applied: at.applied,
            cosigned_size: at.cosigned,
            checks,
        }
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

fn unreadable(name: &'static str, unit: &'static str, error: &StoreError) -> Check {
    let mut check = Check::new(name, unit);
    check.fault(error);
    check
}
