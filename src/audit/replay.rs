//! Judges entries: a batch by the gate, an outcome by deciding it again, each record by the tree
//! it grows.
//!
//! Invariants: 1. entries are judged in log order, so the first fault is the one reported;
//! 2. outcomes are recomputed by the very `StateMachine` that replicas run.
//! Knows nothing of files or signed notes.

use super::bundle::{RawEntry, Start};
use super::error::AuditError;
use super::place::Place;
use super::report::Tally;
use crate::batch::{BatchVerifier, Fault, SealedBatch, Verdict, VerifiedBatch};
use crate::ids::{Hash, LogIndex, ShardId, TreeSize};
use crate::keyspace::{Keyspace, StateMachine};
use crate::kv::{Overlay, StoreError, WriteBatch};
use crate::log::{EntryKind, ProofError, Record, tree};
use crate::store::{MemoryStore, Store};
use rayon::prelude::*;
use std::sync::Arc;
use ukehi_circuits::field;

/// Proofs in one product of pairings: beyond it, a proof's share of the cost hardly falls.
const PROOFS_AT_ONCE: usize = 64;

/// The trail as far as it has been judged.
pub(super) struct Replay<'a> {
    verifier: &'a BatchVerifier,
    from: LogIndex,
    history: History,
    pub tally: Tally,
}

/// What is kept of the entries judged so far.
enum History {
    /// From genesis on: tree, sessions and state, as a replica holds them.
    Full {
        machine: Keyspace,
        store: MemoryStore,
    },
    /// Leaf hashes alone, 32 bytes an entry.
    Range { leaves: Vec<Hash> },
}

impl<'a> Replay<'a> {
    pub fn new(verifier: &'a BatchVerifier, start: &Start) -> Self {
        let history = if start.is_full() {
            History::Full {
                machine: Keyspace::new(verifier.genesis().clone(), verifier.shard()),
                store: MemoryStore::new(),
            }
        } else {
            History::Range { leaves: Vec::new() }
        };
        Self {
            verifier,
            from: start.from,
            history,
            tally: Tally::default(),
        }
    }

    /// How many entries to hand to [`Replay::judge`] at a time: a product for every thread.
    pub fn window() -> usize {
        PROOFS_AT_ONCE * rayon::current_num_threads()
    }

    /// Judges the entries that follow those judged before.
    pub fn judge(&mut self, entries: Vec<RawEntry>) -> Result<(), AuditError> {
        let (records, payloads): (Vec<Record>, Vec<Arc<[u8]>>) = entries
            .into_iter()
            .map(|entry| (entry.record, Arc::from(entry.payload)))
            .unzip();
        let batches: Vec<Arc<[u8]>> = records
            .iter()
            .zip(&payloads)
            .filter(|(record, _)| record.kind == EntryKind::Batch)
            .map(|(_, payload)| payload.clone())
            .collect();
        let verdicts: Vec<Verdict> = batches
            .par_chunks(PROOFS_AT_ONCE)
            .flat_map_iter(|chunk| self.verifier.verify(chunk))
            .collect();
        let mut verdicts = verdicts.into_iter();
        for (record, payload) in records.iter().zip(&payloads) {
            match record.kind {
                EntryKind::Batch => {
                    let verdict = verdicts.next().expect("verify gives one verdict per batch");
                    self.batch(record, payload, verdict)?;
                }
                _ => self.plain(record, payload)?,
            }
            self.append(record)?;
        }
        Ok(())
    }

    /// The root at the checkpoint's size that the judged entries and the hashes around them give.
    pub fn root(&self, start: &Start) -> Result<Hash, AuditError> {
        let around = match &self.history {
            History::Full { store, .. } => {
                let left = tree::frontier(store, self.verifier.shard(), start.to)
                    .map_err(|e| replay(start.to, e))?;
                tree::root_from_range(&left, start.to, &[], &start.right, start.size)
            }
            History::Range { leaves } => {
                tree::root_from_range(&start.left, self.from, leaves, &start.right, start.size)
            }
        };
        around.map_err(|e| match e {
            ProofError::Length {
                part,
                expected,
                found,
            } => {
                let place = if part.starts_with("before") {
                    Place::Frontier
                } else {
                    Place::Suffix
                };
                AuditError::mismatch(place, "the number of hashes", expected, found)
            }
            other => AuditError::mismatch(Place::Preamble, "the range", "within the log", other),
        })
    }

    /// The root at an earlier size, where all entries up to it are known.
    pub fn root_at(&self, size: TreeSize) -> Result<Option<Hash>, AuditError> {
        match &self.history {
            History::Full { store, .. } if size <= self.tally.entries => {
                tree::root(store, self.verifier.shard(), size)
                    .map(Some)
                    .map_err(|e| replay(size, e))
            }
            _ => Ok(None),
        }
    }

    fn batch(
        &mut self,
        record: &Record,
        payload: &[u8],
        verdict: Verdict,
    ) -> Result<(), AuditError> {
        let index = record.index;
        let place = Place::Entry(index);
        let batch = match verdict {
            Verdict::Valid(batch) => batch,
            Verdict::Invalid(fault) => return Err(explain(record, payload, fault)),
            Verdict::NotYet(reason) => return Err(AuditError::NoVerdict { index, reason }),
        };
        let header = &batch.batch().header;
        same_hash(
            place,
            HEADER_DIGEST,
            &record.header_digest,
            &header.digest(),
        )?;
        same_hash(
            place,
            "its record's x",
            &record.x,
            &field::encode(batch.x()),
        )?;
        self.outcome(record, &batch)?;
        self.tally.batch(&batch, record.outcome);
        Ok(())
    }

    fn outcome(&mut self, record: &Record, batch: &VerifiedBatch) -> Result<(), AuditError> {
        let History::Full { machine, store } = &mut self.history else {
            return Ok(());
        };
        let outcome = in_one_write(store, |overlay| machine.apply(record.index, batch, overlay))
            .map_err(|e| replay(record.index, e))?;
        if outcome != record.outcome {
            let place = Place::Entry(record.index);
            let what = "the outcome in its record";
            return Err(AuditError::mismatch(place, what, outcome, record.outcome));
        }
        Ok(())
    }

    /// Genesis and no-ops have one possible record and no payload.
    fn plain(&mut self, record: &Record, payload: &[u8]) -> Result<(), AuditError> {
        let index = record.index;
        let place = Place::Entry(index);
        let expected = match record.kind {
            EntryKind::Genesis => Record::genesis(self.verifier.genesis().cluster_id()),
            EntryKind::NoOp => Record::no_op(index),
            kind => return Err(AuditError::UnknownKind { index, kind }),
        };
        if *record != expected {
            let (expected, found) = (hex::encode(expected.to_bytes()), record.to_bytes());
            return Err(AuditError::mismatch(
                place,
                "its record",
                expected,
                hex::encode(found),
            ));
        }
        if !payload.is_empty() {
            return Err(AuditError::mismatch(
                place,
                "its payload's length",
                0,
                payload.len(),
            ));
        }
        self.tally.plain(record.kind);
        Ok(())
    }

    fn append(&mut self, record: &Record) -> Result<(), AuditError> {
        let index = record.index;
        if (index == 0) != (record.kind == EntryKind::Genesis) {
            let expected = if index == 0 {
                "Genesis"
            } else {
                "NoOp or Batch"
            };
            let found = format!("{:?}", record.kind);
            return Err(AuditError::mismatch(
                Place::Entry(index),
                "its kind",
                expected,
                found,
            ));
        }
        let leaf = tree::leaf_hash(&record.to_bytes());
        let shard: ShardId = self.verifier.shard();
        match &mut self.history {
            History::Full { store, .. } => {
                in_one_write(store, |overlay| tree::append(overlay, shard, index, leaf))
                    .map_err(|e| replay(index, e))?;
            }
            History::Range { leaves } => leaves.push(leaf),
        }
        Ok(())
    }
}

const HEADER_DIGEST: &str = "its record's header digest";

/// A batch that decodes but is not the one its record names was exchanged or edited: say so,
/// rather than that some signature fails.
fn explain(record: &Record, payload: &[u8], fault: Fault) -> AuditError {
    let place = Place::Entry(record.index);
    if let Ok(batch) = SealedBatch::from_bytes(payload) {
        let found = batch.header.digest();
        if let Err(mismatch) = same_hash(place, HEADER_DIGEST, &record.header_digest, &found) {
            return mismatch;
        }
    }
    AuditError::Batch {
        index: record.index,
        fault,
    }
}

fn same_hash(
    place: Place,
    what: &'static str,
    record: &Hash,
    batch: &Hash,
) -> Result<(), AuditError> {
    if record == batch {
        return Ok(());
    }
    Err(AuditError::mismatch(
        place,
        what,
        hex::encode(batch),
        hex::encode(record),
    ))
}

fn in_one_write<T>(
    store: &MemoryStore,
    write: impl FnOnce(&mut Overlay<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut batch = WriteBatch::new();
    let value = write(&mut Overlay::new(store, &mut batch))?;
    store.commit(&batch, false)?;
    Ok(value)
}

fn replay(index: LogIndex, source: StoreError) -> AuditError {
    AuditError::Replay { index, source }
}
