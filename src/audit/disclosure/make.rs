//! Makes a disclosure out of a bundle and an epoch's secret.
//!
//! Invariants: 1. what is prepared leads from the slot to the bundle's checkpoint, or an error says
//! where it does not; 2. the secret and all that is derived from it stay in the witness, which is
//! zeroised. Whether the trust root vouches for any of it is the checker's to say.

use super::check::check_receipt;
use super::error::DisclosureError;
use super::registry::{
    Known, MAX_DISCLOSED_CHANGE_BYTES, MAX_DISCLOSED_CHANGES, ShownChange, are_within_bounds,
};
use super::{
    Disclosure, Element, GroupSlot, MAX_AUDIENCE_BYTES, PublicWord, SCHEMA, elements, shown_key,
    shown_value,
};
use crate::audit::bundle::{BundleReader, RawEntry, Start};
use crate::audit::error::AuditError;
use crate::batch::SealedBatch;
use crate::ids::{Hash, LogIndex};
use crate::log::{
    EntryKind, InclusionProof, Outcome, ProofError, Receipt, ReceiptError, Record,
    inclusions_in_range, tree,
};
use crate::trust::TrustRoot;
use crate::wire::WireError;
use std::io::Read;
use std::iter;
use thiserror::Error;
use ukehi_circuits::field;
use ukehi_circuits::open::{self, OpenStatement, OpenWitness};
use ukehi_circuits::seal::StatementError;
use ukehi_circuits::shape::Form;
use ukehi_circuits::{Scalar, tree as batch_tree};
use ukehi_keys::CircuitId;

/// Why nothing was disclosed.
#[derive(Debug, Error)]
pub enum DiscloseError {
    #[error(transparent)]
    Bundle(Box<AuditError>),
    #[error("entry {index} is a {kind:?} entry: only commands can be disclosed")]
    NotABatch { index: LogIndex, kind: EntryKind },
    #[error("entry {index} was logged, but not applied: {outcome}")]
    NotApplied { index: LogIndex, outcome: Outcome },
    #[error("entry {index} does not decode: {source}")]
    Undecodable { index: LogIndex, source: WireError },
    #[error("entry {index}: its slots are no statement of its circuit: {source}")]
    Statement {
        index: LogIndex,
        source: StatementError,
    },
    #[error("entry {index} is not the one its record is about")]
    OtherRecord { index: LogIndex },
    #[error("the bundle's hashes lead nowhere: {0}")]
    Hashes(#[from] ProofError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error("entry {index}: {source}")]
    Slot {
        index: LogIndex,
        source: open::DiscloseError,
    },
    #[error(
        "the log holds {changes} registry changes of {bytes} bytes and maybe more; a disclosure carries at most {MAX_DISCLOSED_CHANGES} of {MAX_DISCLOSED_CHANGE_BYTES} bytes"
    )]
    TooManyChanges { changes: usize, bytes: usize },
    #[error("an audience has at most {MAX_AUDIENCE_BYTES} bytes, this one {found}")]
    Audience { found: usize },
}

impl From<AuditError> for DiscloseError {
    fn from(error: AuditError) -> Self {
        DiscloseError::Bundle(Box::new(error))
    }
}

/// An entry taken out of a bundle, with what leads from it to the checkpoint.
pub struct Prepared {
    batch: SealedBatch,
    receipt: Receipt,
    registry: Vec<ShownChange>,
    index: LogIndex,
}

/// Reads a bundle to its end and takes out the batch at `index`.
///
/// # Errors
/// [`DiscloseError`].
pub fn prepare<R: Read>(input: R, index: LogIndex) -> Result<Prepared, DiscloseError> {
    let mut bundle = BundleReader::open(input).map_err(AuditError::from)?;
    let start = bundle.start().clone();
    let (mut leaves, mut wanted) = (Vec::new(), None);
    let mut changes = Changes::default();
    for raw in &start.registry {
        changes.add(raw.record, &raw.change)?;
    }
    while let Some(entry) = bundle.entry().map_err(AuditError::from)? {
        leaves.push(tree::leaf_hash(&entry.record.to_bytes()));
        let (kind, outcome) = (entry.record.kind, entry.record.outcome);
        if kind == EntryKind::Registry && outcome.takes_number() {
            changes.add(entry.record, &entry.payload)?;
        }
        if entry.record.index == index {
            wanted = Some(entry);
        }
    }
    let note = bundle.finish().map_err(AuditError::from)?;
    let entry = wanted.ok_or(AuditError::NoSuchEntry {
        index,
        from: start.from,
        to: start.to,
    })?;
    Prepared::new(&entry, &start, &leaves, &changes, &note)
}

/// The applied registry changes of a bundle, in log order.
#[derive(Default)]
struct Changes {
    list: Vec<(Record, Vec<u8>)>,
    bytes: usize,
}

impl Changes {
    fn add(&mut self, record: Record, change: &[u8]) -> Result<(), DiscloseError> {
        self.bytes += change.len();
        self.list.push((record, change.to_vec()));
        let (changes, bytes) = (self.list.len(), self.bytes);
        match are_within_bounds(changes, bytes) {
            true => Ok(()),
            false => Err(DiscloseError::TooManyChanges { changes, bytes }),
        }
    }

    /// With their paths: those before the range brought theirs along.
    fn shown(
        &self,
        start: &Start,
        inside: Vec<InclusionProof>,
    ) -> Result<Vec<ShownChange>, DiscloseError> {
        let before = start.registry.iter().map(|raw| {
            InclusionProof::from_bytes(&raw.inclusion).map_err(|source| {
                let index = raw.record.index;
                DiscloseError::Undecodable { index, source }
            })
        });
        let paths = before.chain(inside.into_iter().map(Ok));
        let changes = self.list.iter().zip(paths).map(|((record, bytes), path)| {
            ShownChange::new(*record, bytes, path?).map_err(|source| {
                let index = record.index;
                DiscloseError::Undecodable { index, source }
            })
        });
        changes.collect()
    }
}

impl Prepared {
    fn new(
        entry: &RawEntry,
        start: &Start,
        leaves: &[Hash],
        changes: &Changes,
        note: &str,
    ) -> Result<Self, DiscloseError> {
        let RawEntry { record, payload } = entry;
        let index = record.index;
        if record.kind != EntryKind::Batch {
            let kind = record.kind;
            return Err(DiscloseError::NotABatch { index, kind });
        }
        if record.outcome != Outcome::Applied {
            let outcome = record.outcome;
            return Err(DiscloseError::NotApplied { index, outcome });
        }
        let batch = SealedBatch::from_bytes(payload)
            .map_err(|source| DiscloseError::Undecodable { index, source })?;
        let (from, size) = (start.from, start.size);
        let inside = changes.list[start.registry.len()..].iter();
        let wanted: Vec<LogIndex> = iter::once(index)
            .chain(inside.map(|(record, _)| record.index))
            .collect();
        let mut paths =
            inclusions_in_range(&start.left, from, leaves, &start.right, size, &wanted)?;
        let inclusion = paths.remove(0);
        let receipt = Receipt::from_entry(*record, payload, &inclusion.to_bytes(), note)?;
        if batch.header.digest() != record.header_digest {
            return Err(DiscloseError::OtherRecord { index });
        }
        Ok(Self {
            batch,
            receipt,
            registry: changes.shown(start, paths)?,
            index,
        })
    }

    /// The circuits that trust root and registry changes vouch for up to the bundle's checkpoint,
    /// retired ones left out: a disclosure is proven under one of them.
    ///
    /// # Errors
    /// [`DisclosureError`], as the checker would say.
    pub fn present_circuits(&self, trust: &TrustRoot) -> Result<Vec<CircuitId>, DisclosureError> {
        let receipt = check_receipt(&self.receipt, &trust.genesis)?;
        let (shard, checkpoint) = (receipt.header.shard, &receipt.checkpoint.checkpoint);
        let known = Known::new(trust, shard, &self.registry, checkpoint)?;
        Ok(known.present_circuits())
    }

    /// The batch, whose header says which epoch's secret and which circuit are needed.
    #[must_use]
    pub fn batch(&self) -> &SealedBatch {
        &self.batch
    }

    /// Opens slot `slot` for `audience`; the batch's circuit has `form`. What comes back is to be
    /// proven, and the proof given to [`Unproven::finish`].
    ///
    /// # Errors
    /// [`DiscloseError`].
    pub fn open(
        self,
        form: Form,
        secret: Scalar,
        slot: u8,
        audience: &str,
    ) -> Result<Unproven, DiscloseError> {
        let index = self.index;
        if audience.len() > MAX_AUDIENCE_BYTES {
            let found = audience.len();
            return Err(DiscloseError::Audience { found });
        }
        let sealed = self
            .batch
            .statement(form)
            .map_err(|source| DiscloseError::Statement { index, source })?;
        let (j, shape) = (usize::from(slot), form.shape);
        let (statement, witness) = open::disclose(secret, &sealed, j, open::audience(audience))
            .map_err(|source| DiscloseError::Slot { index, source })?;
        if field::encode(&sealed.x()) != self.receipt.record().x {
            return Err(DiscloseError::OtherRecord { index });
        }
        let leaves: Vec<_> = (0..shape.groups()).map(|g| sealed.leaf(g)).collect();
        let g = j / shape.group_slots();
        let path = batch_tree::path(&leaves, g);
        let group = self.batch.slots.chunks(shape.group_slots()).nth(g);
        let group = group.expect("an active slot has a group");
        let words = self.batch.slots.iter().zip(&self.batch.bulk);
        let disclosure = Disclosure {
            schema: SCHEMA.into(),
            receipt: self.receipt,
            registry: self.registry,
            ephemeral: hex::encode(self.batch.ephemeral.to_bytes()),
            slot_list: words
                .map(|(slot, bulk)| PublicWord::of(slot.meta, *bulk))
                .collect(),
            slot,
            group: group
                .iter()
                .map(|slot| GroupSlot {
                    route: Element(slot.route),
                    cell: slot.cell.map(Element),
                    ciphertext: elements(&slot.ct),
                })
                .collect(),
            path: path.iter().map(|level| elements(level)).collect(),
            seal_proof: hex::encode(self.batch.proof),
            signature: hex::encode(self.batch.signature),
            audience: audience.to_owned(),
            plaintext: elements(&statement.plaintext),
            key: shown_key(&statement.key()),
            value: shown_value(&statement.body()),
            open_circuit: CircuitId([0; 32]),
            open_proof: String::new(),
        };
        Ok(Unproven {
            statement,
            witness,
            disclosure,
        })
    }
}

/// A disclosure that still wants its proof.
pub struct Unproven {
    statement: OpenStatement,
    witness: OpenWitness,
    disclosure: Disclosure,
}

impl Unproven {
    /// What is to be proven, and the secret it is proven with.
    #[must_use]
    pub fn parts(&self) -> (&OpenStatement, &OpenWitness) {
        (&self.statement, &self.witness)
    }

    /// With the proof made under `circuit`; the secret is dropped here.
    #[must_use]
    pub fn finish(self, circuit: CircuitId, proof: &[u8; 128]) -> Disclosure {
        let mut disclosure = self.disclosure;
        disclosure.open_circuit = circuit;
        disclosure.open_proof = hex::encode(proof);
        disclosure
    }
}
