//! Judges entries: a batch by the gate, an outcome by deciding it again, each record by the tree
//! it grows.
//!
//! Invariants: 1. entries are judged in log order, so the first fault is the one reported;
//! 2. outcomes are recomputed by the very `StateMachine` that replicas run; 3. a batch's author and
//! circuit are judged by the registry of exactly the changes before it.
//! Knows nothing of files or signed notes.

mod compare;

use self::compare::{HEADER_DIGEST, explain, same_hash, same_outcome, same_record};
use super::bundle::{RawEntry, Start};
use super::error::AuditError;
use super::place::Place;
use super::report::Tally;
use crate::batch::{BatchVerifier, Fault, NotYet, Verdict, VerifiedBatch};
use crate::ids::{Hash, LogIndex, ShardId, TreeSize};
use crate::keyspace::{Keyspace, StateMachine};
use crate::kv::{Overlay, StoreError, WriteBatch};
use crate::log::{EntryKind, InclusionProof, Outcome, ProofError, Record, SignedCheckpoint, tree};
use crate::registry::{ChangeVerifier, Payload, Registry, VerifiedChange};
use crate::store::{MemoryStore, Store};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;
use ukehi_circuits::field;
use ukehi_keys::CircuitId;

/// Proofs in one product of pairings: beyond it, a proof's share of the cost hardly falls.
const PROOFS_AT_ONCE: usize = 64;

/// The trail as far as it has been judged.
pub struct Replay<'a> {
    verifier: Cow<'a, BatchVerifier>,
    changes: ChangeVerifier,
    from: LogIndex,
    /// Circuits the log activated whose set-up is INSECURE.
    pub(super) insecure: Vec<CircuitId>,
    history: History,
    pub(super) tally: Tally,
}

/// What is kept of the entries judged so far.
enum History {
    /// From genesis on: tree, sessions and state, as a replica holds them.
    Full {
        machine: Keyspace,
        store: MemoryStore,
    },
    /// Leaf hashes, 32 bytes an entry, and the registry.
    Range {
        leaves: Vec<Hash>,
        registry: Box<Registry>,
    },
}

impl<'a> Replay<'a> {
    /// A log from genesis on, for whoever holds it otherwise than as a bundle.
    #[must_use]
    pub fn from_genesis(verifier: &'a BatchVerifier) -> Self {
        let (genesis, shard) = (verifier.genesis(), verifier.shard());
        let history = History::Full {
            machine: Keyspace::new(genesis, shard),
            store: MemoryStore::new(),
        };
        Self::over(verifier, 0, history)
    }

    /// The state as replayed so far; `None` for a range.
    #[must_use]
    pub fn state(&self) -> Option<&MemoryStore> {
        match &self.history {
            History::Full { store, .. } => Some(store),
            History::Range { .. } => None,
        }
    }

    /// Folds the registry changes before a range; their paths wait for the checkpoint.
    pub(super) fn new(verifier: &'a BatchVerifier, start: &Start) -> Result<Self, AuditError> {
        let (genesis, shard) = (verifier.genesis(), verifier.shard());
        let mut replay = if start.is_full() {
            Self::from_genesis(verifier)
        } else {
            let history = History::Range {
                leaves: Vec::new(),
                registry: Box::new(Registry::from_genesis(genesis, shard)),
            };
            Self::over(verifier, start.from, history)
        };
        let mut before = 0;
        for raw in &start.registry {
            let place = Place::Registry(raw.record.index);
            if raw.record.index <= before || raw.record.index >= start.from {
                let expected = format!("between {before} and {}", start.from);
                let what = "its record's index";
                return Err(AuditError::mismatch(
                    place,
                    what,
                    expected,
                    raw.record.index,
                ));
            }
            before = raw.record.index;
            let change = replay.verify_change(place, raw.change.clone().into())?;
            replay.learn(&change);
            replay.change(place, &raw.record, &change)?;
        }
        Ok(replay)
    }

    fn over(verifier: &'a BatchVerifier, from: LogIndex, history: History) -> Self {
        Self {
            changes: ChangeVerifier::new(verifier.genesis(), verifier.shard()),
            verifier: Cow::Borrowed(verifier),
            from,
            insecure: Vec::new(),
            history,
            tally: Tally::default(),
        }
    }

    /// That the registry changes before a range stand in the checkpointed log.
    pub(super) fn check_registry(
        start: &Start,
        signed: &SignedCheckpoint,
    ) -> Result<(), AuditError> {
        for raw in &start.registry {
            let place = Place::Registry(raw.record.index);
            let refused = |found: String| {
                let what = "its path to the checkpoint";
                AuditError::mismatch(place, what, "one that leads there", found)
            };
            let proof = InclusionProof::from_bytes(&raw.inclusion);
            let proof = proof.map_err(|e| refused(e.to_string()))?;
            let included = signed.checkpoint.verify_record(&raw.record, &proof);
            included.map_err(|e| refused(e.to_string()))?;
        }
        Ok(())
    }

    /// How many entries to hand to [`Replay::judge`] at a time: a product for every thread.
    #[must_use]
    pub fn window() -> usize {
        PROOFS_AT_ONCE * rayon::current_num_threads()
    }

    /// Judges the entries that follow those judged before.
    ///
    /// # Errors
    /// The first fault, in log order.
    pub fn judge(&mut self, entries: Vec<RawEntry>) -> Result<(), AuditError> {
        let (records, payloads): (Vec<Record>, Vec<Arc<[u8]>>) = entries
            .into_iter()
            .map(|entry| (entry.record, Arc::from(entry.payload)))
            .unzip();
        let of_kind = |kind| {
            let pairs = records.iter().zip(&payloads);
            pairs.filter(move |(record, _)| record.kind == kind)
        };
        // A circuit's proofs can be verified from here on; whether they count is judged by index.
        for (_, payload) in of_kind(EntryKind::Registry) {
            if let Ok(change) = self.changes.verify(payload, Payload::MayBePruned) {
                self.learn(&change);
            }
        }
        let batches: Vec<Arc<[u8]>> = of_kind(EntryKind::Batch)
            .map(|(_, payload)| payload.clone())
            .collect();
        let verifier: &BatchVerifier = &self.verifier;
        let verdicts: Vec<Verdict> = batches
            .par_chunks(PROOFS_AT_ONCE)
            .flat_map_iter(|chunk| verifier.verify(chunk))
            .collect();
        let mut verdicts = verdicts.into_iter();
        for (record, payload) in records.iter().zip(&payloads) {
            match record.kind {
                EntryKind::Batch => {
                    let verdict = verdicts.next().expect("verify gives one verdict per batch");
                    self.batch(record, payload, verdict)?;
                }
                EntryKind::Registry => {
                    let place = Place::Entry(record.index);
                    let change = self.verify_change(place, payload.clone())?;
                    self.change(place, record, &change)?;
                    self.tally.plain(record.kind);
                }
                _ => self.plain(record, payload)?,
            }
            self.append(record)?;
        }
        Ok(())
    }

    /// The root at the checkpoint's size that the judged entries and the hashes around them give.
    pub(super) fn root(&self, start: &Start) -> Result<Hash, AuditError> {
        let around = match &self.history {
            History::Full { store, .. } => {
                let left = tree::frontier(store, self.verifier.shard(), start.to)
                    .map_err(|e| replay(start.to, e))?;
                tree::root_from_range(&left, start.to, &[], &start.right, start.size)
            }
            History::Range { leaves, .. } => {
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
    pub(super) fn root_at(&self, size: TreeSize) -> Result<Option<Hash>, AuditError> {
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
            Verdict::NotYet(NotYet::UnknownCircuit { circuit })
                if self.registry().admit_circuit(index, &circuit).is_err() =>
            {
                let fault = Fault::UnknownCircuit { circuit };
                return Err(explain(record, payload, fault));
            }
            Verdict::NotYet(reason) => return Err(AuditError::NoVerdict { index, reason }),
        };
        let header = &batch.batch().header;
        self.registry()
            .admit(index, header)
            .map_err(|fault| explain(record, payload, fault))?;
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
        let index = record.index;
        let outcome = match &mut self.history {
            History::Full { machine, store } => {
                in_one_write(store, |overlay| machine.apply(index, batch, overlay))
                    .map_err(|e| replay(index, e))?
            }
            // Of the rules for a batch that was applied, those of the registry are known.
            History::Range { registry, .. } if record.outcome == Outcome::Applied => {
                registry.judge(index, &batch.batch().header, batch.policy())
            }
            History::Range { .. } => return Ok(()),
        };
        same_outcome(Place::Entry(index), outcome, record.outcome)
    }

    /// As of the last change judged.
    pub(super) fn registry(&self) -> &Registry {
        match &self.history {
            History::Full { machine, .. } => machine.registry(),
            History::Range { registry, .. } => registry,
        }
    }

    fn verify_change(&self, place: Place, bytes: Arc<[u8]>) -> Result<VerifiedChange, AuditError> {
        let verified = self.changes.verify(&bytes, Payload::MayBePruned);
        verified.map_err(|fault| AuditError::Change { place, fault })
    }

    /// The circuit a change activates can be verified from now on.
    fn learn(&mut self, change: &VerifiedChange) {
        let Some(manifest) = change.manifest() else {
            return;
        };
        if manifest.require_secure().is_err() && !self.insecure.contains(&manifest.circuit_id()) {
            self.insecure.push(manifest.circuit_id());
        }
        self.verifier = Cow::Owned(self.verifier.with_circuit(manifest));
    }

    /// Judges a registry change by the ones before it, and takes it.
    fn change(
        &mut self,
        place: Place,
        record: &Record,
        change: &VerifiedChange,
    ) -> Result<(), AuditError> {
        let index = record.index;
        same_hash(
            place,
            "its record's digest",
            &record.header_digest,
            &change.digest(),
        )?;
        same_record(
            place,
            record,
            &Record::registry(index, change.digest(), record.outcome),
        )?;
        self.registry()
            .admit_change(index, change)
            .map_err(|fault| AuditError::Change { place, fault })?;
        let outcome = match &mut self.history {
            History::Full { machine, store } => in_one_write(store, |overlay| {
                machine.apply_change(index, change, overlay)
            })
            .map_err(|e| replay(index, e))?,
            // Without the state before it, a mint refused for it is taken as recorded.
            History::Range { registry, .. } => {
                registry.apply_recorded(index, change, record.outcome)
            }
        };
        same_outcome(place, outcome, record.outcome)
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
        same_record(place, record, &expected)?;
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
                "NoOp, Batch or Registry"
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
            History::Range { leaves, .. } => leaves.push(leaf),
        }
        Ok(())
    }
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
