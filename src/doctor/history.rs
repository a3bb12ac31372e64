//! The applied entries, judged as an auditor judges them; and those that wait, as the gate does.

use super::{Check, unreadable};
use crate::audit::{RawEntry, Replay};
use crate::batch::{BatchVerifier, Verdict};
use crate::ids::{LogIndex, ShardId};
use crate::kv::{Read, StoreError};
use crate::log::{EntryKind, ledger};
use crate::registry::{ChangeVerifier, Payload as Grants};
use crate::replica::{Mark, Payload, read_entry};

pub(super) const NAME: &str = "entries";
pub(super) const UNIT: &str = "applied entries";

/// Judges `0..=applied`: record, batch, proof, outcome. Ends at the first fault.
pub(super) fn check<'a>(
    store: &dyn Read,
    verifier: &'a BatchVerifier,
    applied: LogIndex,
    progress: &mut dyn FnMut(u64, u64),
) -> (Check, Option<Replay<'a>>) {
    let mut check = Check::new(NAME, UNIT);
    let mut replay = Replay::from_genesis(verifier);
    let mut next = 0;
    while next <= applied {
        progress(next, applied + 1);
        let until = applied.min(next + Replay::window() as u64 - 1);
        let entries: Result<Vec<_>, _> = (next..=until)
            .map(|index| entry(store, verifier.shard(), index))
            .collect();
        let judged = match entries {
            Ok(entries) => replay.judge(entries).map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(fault) = judged {
            check.fault(fault);
            return (check, None);
        }
        next = until + 1;
        check.examined = next;
    }
    progress(next, applied + 1);
    (check, Some(replay))
}

fn entry(store: &dyn Read, shard: ShardId, index: LogIndex) -> Result<RawEntry, StoreError> {
    let missing = |what: &str| StoreError::Undecodable {
        what: "log",
        reason: format!("{what} {index} is missing"),
    };
    let record = ledger::record(store, shard, index)?.ok_or_else(|| missing("record"))?;
    let payload = match record.kind {
        EntryKind::Batch | EntryKind::Registry => {
            let entry = read_entry(store, shard, index)?.ok_or_else(|| missing("entry"))?;
            match entry.payload {
                Payload::Batch { bytes, .. } | Payload::Change { bytes, .. } => bytes.to_vec(),
                Payload::NoOp => return Err(missing("the content of entry")),
            }
        }
        _ => Vec::new(),
    };
    Ok(RawEntry { record, payload })
}

/// The entries behind the applied ones: acknowledged, so the gate has let them in.
pub(super) fn unapplied(store: &dyn Read, verifier: &BatchVerifier, at: &Mark) -> Check {
    let name = "unapplied";
    let mut check = Check::new(name, "entries behind the applied ones");
    let shard = verifier.shard();
    let changes = ChangeVerifier::new(verifier.genesis(), shard);
    let mut verifier = match with_activated_circuits(store, verifier, &changes, at.applied) {
        Ok(verifier) => verifier,
        Err(error) => return unreadable(name, check.unit, &error),
    };
    for index in at.applied + 1..=at.last_index {
        check.examined += 1;
        let Ok(Some(entry)) = read_entry(store, shard, index) else {
            // A fault of the Raft log's check.
            continue;
        };
        match entry.payload {
            Payload::NoOp => {}
            Payload::Batch { bytes, .. } => match verifier.verify(&[bytes]).pop() {
                Some(Verdict::Valid(_)) => {}
                Some(Verdict::Invalid(fault)) => check.fault(format!("entry {index}: {fault}")),
                Some(Verdict::NotYet(reason)) => check.fault(format!("entry {index}: {reason}")),
                None => unreachable!("verify gives one verdict per batch"),
            },
            Payload::Change { bytes, .. } => match changes.verify(&bytes, Grants::Required) {
                Ok(change) => {
                    if let Some(manifest) = change.manifest() {
                        verifier = verifier.with_circuit(manifest);
                    }
                }
                Err(fault) => check.fault(format!("entry {index}: {fault}")),
            },
        }
    }
    check
}

fn with_activated_circuits(
    store: &dyn Read,
    verifier: &BatchVerifier,
    changes: &ChangeVerifier,
    applied: LogIndex,
) -> Result<BatchVerifier, StoreError> {
    let mut verifier = verifier.clone();
    let mut from = 0;
    loop {
        let rows = crate::registry::rows(store, verifier.shard(), from, 64)?;
        let Some((last, ..)) = rows.last() else {
            return Ok(verifier);
        };
        from = last + 1;
        for (index, _, bytes) in &rows {
            let change = changes.verify(bytes, Grants::MayBePruned).ok();
            if let Some(manifest) = change.as_ref().and_then(|c| c.manifest())
                && *index <= applied
            {
                verifier = verifier.with_circuit(manifest);
            }
        }
    }
}
