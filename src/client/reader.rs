//! The reader's side: checks that an entry stands in the log, then opens it.
//!
//! Invariants: 1. nothing is shown that did not verify against the trust root: record, inclusion,
//! cosignatures, batch, proof, and the registry at its index; 2. a key that is not in canonical form is never merged with one
//! that is. Knows nothing of how the entry came here. Does not prove that nothing newer exists.

use crate::api::ProvenEntry;
use crate::batch::{BatchVerifier, BulkReference, Fault, NotYet, Verdict, VerifiedBatch};
use crate::genesis::Genesis;
use crate::log::{EntryKind, InclusionProof, Outcome, ProofError, Record, SignedCheckpoint};
use crate::params::{epoch_scalar, route_secret};
use crate::registry::Registry;
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::slot::{Body, DecodedKey, KeyTooLong, SlotKey};
use ukehi_circuits::{field, seal};
use ukehi_keys::{EpochSecret, RouteKey};

/// Why an entry is not believed, or not opened.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error("the checkpoint shown is not one of this cluster: {reason}")]
    Checkpoint { reason: String },
    #[error("the checkpoint at size {size} has no majority of cosignatures")]
    NoMajority { size: u64 },
    #[error("entry {index}: its record is not in the checkpointed log: {source}")]
    NotIncluded { index: u64, source: ProofError },
    #[error("entry {index}: the inclusion proof is malformed")]
    MalformedProof { index: u64 },
    #[error("entry {index} is no applied batch: {what}")]
    NotApplied { index: u64, what: String },
    /// A change this client does not know of, or nodes that applied what they must not.
    #[error("entry {index}: by the registry known here it could not be applied: {outcome}")]
    NotRegistered { index: u64, outcome: Outcome },
    #[error("entry {index}: the batch is invalid: {fault}")]
    Invalid { index: u64, fault: Fault },
    #[error("entry {index}: the batch cannot be judged here: {reason}")]
    NotJudged { index: u64, reason: NotYet },
    #[error("entry {index}: the batch shown is not the one in the record ({field})")]
    OtherBatch { index: u64, field: &'static str },
    #[error("entry {index} has no slot {slot}")]
    NoSlot { index: u64, slot: u8 },
    #[error("entry {index}, slot {slot} writes to no cell")]
    NoCell { index: u64, slot: u8 },
    #[error("entry {index}: the cell's opening is not the one its commitment was made of")]
    OtherOpening { index: u64 },
    #[error("entry {index}: it stands under another route than asked for")]
    OtherRoute { index: u64 },
    #[error("entry {index} was sealed to an epoch key this reader does not hold")]
    OtherEpoch { index: u64 },
}

/// A decrypted slot.
pub struct Opened {
    pub index: u64,
    pub slot: u8,
    pub author: ukehi_keys::AuthorId,
    pub author_seq: u64,
    /// The tag it stands under: 32 bytes, canonical little-endian.
    pub route: [u8; 32],
    pub key: DecodedKey,
    pub body: Body,
    /// Of a bulk put, whose body is a [`BulkBody`](super::BulkBody).
    pub bulk: Option<BulkReference>,
    pub checkpoint: SignedCheckpoint,
}

/// A reader of the epochs whose secrets it holds.
pub struct Reader {
    secrets: Vec<EpochSecret>,
    route: RouteKey,
    verifier: Arc<BatchVerifier>,
    registry: Arc<Registry>,
}

impl Reader {
    #[must_use]
    pub fn new(route: RouteKey, verifier: Arc<BatchVerifier>, registry: Arc<Registry>) -> Self {
        Self {
            secrets: Vec::new(),
            route,
            verifier,
            registry,
        }
    }

    /// Reads this epoch's entries too, from now on.
    pub fn hold(&mut self, secret: EpochSecret) {
        self.secrets.push(secret);
    }

    /// Whether the secret of an epoch key (x ‖ y) is at hand.
    #[must_use]
    pub fn holds(&self, epoch_key: &[u8; 64]) -> bool {
        self.secret(epoch_key).is_some()
    }

    /// What the client knows of the registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The gate's first stage.
    #[must_use]
    pub fn verifier(&self) -> &BatchVerifier {
        &self.verifier
    }

    pub(super) fn secret(&self, epoch_key: &[u8; 64]) -> Option<&EpochSecret> {
        let mut secrets = self.secrets.iter();
        secrets.find(|secret| secret.public().to_bytes() == *epoch_key)
    }

    /// The route tag of a key: 32 bytes, canonical little-endian.
    ///
    /// # Errors
    /// A key longer than 61 bytes.
    pub fn route(&self, key: &[u8]) -> Result<[u8; 32], KeyTooLong> {
        let key = SlotKey::new(key)?;
        Ok(field::encode(&route_secret(&self.route).route(&key)))
    }

    /// Checks an entry a node showed and opens one slot; with `route`, only under that route.
    ///
    /// # Errors
    /// [`ReadError`], naming the entry and what does not fit.
    pub fn open(
        &self,
        entry: &ProvenEntry,
        slot: u8,
        route: Option<&[u8; 32]>,
    ) -> Result<Opened, ReadError> {
        let index = entry.record.index;
        let (verified, checkpoint) = check_entry(entry, &self.verifier, &self.registry)?;
        let batch = verified.batch();
        let public = batch
            .slots
            .get(usize::from(slot))
            .ok_or(ReadError::NoSlot { index, slot })?;
        if route.is_some_and(|route| field::encode(&public.route) != *route) {
            return Err(ReadError::OtherRoute { index });
        }
        let secret = self.secret(&batch.header.epoch_key.to_bytes());
        let secret = secret.ok_or(ReadError::OtherEpoch { index })?;
        let opened = seal::open(&epoch_scalar(secret), &verified.statement())
            .map_err(|_| ReadError::OtherEpoch { index })?
            .swap_remove(usize::from(slot));
        Ok(Opened {
            index,
            slot,
            author: batch.header.author,
            author_seq: batch.header.author_seq,
            route: field::encode(&public.route),
            key: opened.key,
            body: opened.body,
            bulk: batch.bulk[usize::from(slot)],
            checkpoint,
        })
    }
}

/// Verifies that an applied batch stands in the log under a majority-cosigned checkpoint.
///
/// # Errors
/// [`ReadError`].
pub fn check_entry(
    entry: &ProvenEntry,
    verifier: &BatchVerifier,
    registry: &Registry,
) -> Result<(VerifiedBatch, SignedCheckpoint), ReadError> {
    let checkpoint = check_included(entry, verifier.genesis())?;
    check_batch(entry, verifier, registry).map(|batch| (batch, checkpoint))
}

/// Verifies that a record of whatever kind stands in the log under a majority-cosigned checkpoint.
///
/// # Errors
/// [`ReadError`].
pub fn check_included(
    entry: &ProvenEntry,
    genesis: &Genesis,
) -> Result<SignedCheckpoint, ReadError> {
    let record: &Record = &entry.record;
    let index = record.index;
    let checkpoint =
        SignedCheckpoint::from_note(&entry.note, genesis).map_err(|e| ReadError::Checkpoint {
            reason: e.to_string(),
        })?;
    let size = checkpoint.checkpoint.size;
    if !checkpoint.has_majority(genesis) {
        return Err(ReadError::NoMajority { size });
    }
    let proof = InclusionProof::from_bytes(&entry.inclusion)
        .map_err(|_| ReadError::MalformedProof { index })?;
    let included = checkpoint.checkpoint.verify_record(record, &proof);
    included.map_err(|source| ReadError::NotIncluded { index, source })?;
    Ok(checkpoint)
}

fn check_batch(
    entry: &ProvenEntry,
    verifier: &BatchVerifier,
    registry: &Registry,
) -> Result<VerifiedBatch, ReadError> {
    let record: &Record = &entry.record;
    let index = record.index;
    if record.kind != EntryKind::Batch || record.outcome != Outcome::Applied {
        return Err(ReadError::NotApplied {
            index,
            what: record.outcome.to_string(),
        });
    }
    let verified = match verifier.verify(&[entry.payload.clone().into()]).pop() {
        Some(Verdict::Valid(verified)) => verified,
        Some(Verdict::Invalid(fault)) => return Err(ReadError::Invalid { index, fault }),
        Some(Verdict::NotYet(reason)) => return Err(ReadError::NotJudged { index, reason }),
        None => unreachable!("verify gives one verdict per input"),
    };
    if verified.batch().header.digest() != record.header_digest {
        return Err(ReadError::OtherBatch {
            index,
            field: "header digest",
        });
    }
    if field::encode(verified.x()) != record.x {
        return Err(ReadError::OtherBatch { index, field: "x" });
    }
    let outcome = registry.judge(index, &verified.batch().header, verified.policy());
    if outcome != Outcome::Applied {
        return Err(ReadError::NotRegistered { index, outcome });
    }
    Ok(verified)
}
