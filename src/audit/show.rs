//! What a bundle holds, for people to read: its entries in a list, or one of them whole.
//!
//! Invariants: 1. shown is what stands in the file, after its checksums and nothing more: only
//! `verify` judges; 2. one entry is in memory at a time.
//! Knows nothing of trust roots or plaintexts.

use super::bundle::{BundleReader, RawEntry, Start};
use super::error::AuditError;
use crate::batch::{BulkReference, Header, SealedBatch};
use crate::ids::{
    AuthorSeq, ClusterId, EpochId, Hash, KeyspaceId, LogIndex, ShardId, TreeSize, hash_hex,
};
use crate::log::{EntryKind, Outcome, tree};
use serde::Serialize;
use std::io::Read;
use ukehi_circuits::{F, field, seal::PublicSlot, slot::Op};
use ukehi_keys::{AuthorId, CircuitId};

/// The name and version of the JSON forms, [`Listing`] and [`EntryDocument`].
pub const SHOW_SCHEMA: &str = "ukehi/audit-show/v1";

/// Which log a bundle says it is cut from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    pub cluster: ClusterId,
    pub shard: ShardId,
    /// The entries are `from..to`.
    pub from: LogIndex,
    pub to: LogIndex,
    /// Leaves under the checkpoint.
    pub size: TreeSize,
}

/// One line of the list. The batch's fields are absent for other kinds, and for a batch that
/// does not decode, where `undecodable` says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub index: LogIndex,
    pub kind: EntryKind,
    pub outcome: Outcome,
    #[serde(with = "hash_hex")]
    pub header_digest: Hash,
    pub batch: Option<BatchRow>,
    pub undecodable: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchRow {
    pub author: AuthorId,
    pub author_seq: AuthorSeq,
    /// Active slots.
    pub slots: u8,
    pub circuit: CircuitId,
    pub keyspace: KeyspaceId,
    pub epoch: EpochId,
}

/// One entry whole; byte strings are hex, field elements 32 bytes little-endian.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    #[serde(flatten)]
    pub row: Row,
    #[serde(with = "hash_hex")]
    pub x: Hash,
    /// Of the record, as the log's tree has it.
    #[serde(with = "hash_hex")]
    pub leaf_hash: Hash,
    pub payload_bytes: usize,
    pub sealed: Option<SealedDetail>,
}

/// What a sealed batch holds beside what its row shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealedDetail {
    pub valid_until: LogIndex,
    pub anchor_size: TreeSize,
    #[serde(with = "hash_hex")]
    pub anchor_root: Hash,
    /// x ‖ y of PK.
    pub epoch_key: String,
    pub route_commitment: String,
    pub policy_digest: String,
    /// x ‖ y of E.
    pub ephemeral: String,
    pub slots: Vec<SlotDetail>,
    /// A, B and C, compressed.
    pub proof: String,
    pub signature: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotDetail {
    pub op: String,
    pub body_bytes: u16,
    /// Of a bulk put: digest and length of the ciphertext elsewhere.
    pub bulk: Option<BulkDetail>,
    pub route: String,
    /// Key elements, then body elements.
    pub ciphertext: Vec<String>,
}

/// Where a bulk value's ciphertext is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BulkDetail {
    #[serde(with = "hash_hex")]
    pub digest: Hash,
    pub ciphertext_bytes: u64,
}

/// The whole list in one JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    pub schema: &'static str,
    #[serde(flatten)]
    pub head: Head,
    /// Always false: `verify` judges.
    pub verified: bool,
    pub entries: Vec<Row>,
}

/// One entry in one JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryDocument {
    pub schema: &'static str,
    #[serde(flatten)]
    pub head: Head,
    /// Always false: `verify` judges.
    pub verified: bool,
    pub entry: Detail,
}

/// A bundle being shown: its head, then its rows, as an iterator that ends behind the first error.
pub struct Show<R> {
    bundle: BundleReader<R>,
    ended: bool,
}

impl<R: Read> Show<R> {
    /// # Errors
    /// [`AuditError::Bundle`], naming the place.
    pub fn open(input: R) -> Result<Self, AuditError> {
        Ok(Self {
            bundle: BundleReader::open(input)?,
            ended: false,
        })
    }

    #[must_use]
    pub fn head(&self) -> Head {
        Head::of(self.bundle.start())
    }

    /// All rows in one document: for bundles that fit into memory.
    ///
    /// # Errors
    /// [`AuditError::Bundle`], naming the entry.
    pub fn listing(self) -> Result<Listing, AuditError> {
        Ok(Listing {
            schema: SHOW_SCHEMA,
            head: self.head(),
            verified: false,
            entries: self.collect::<Result<_, _>>()?,
        })
    }

    /// The entry at `index`, whole.
    ///
    /// # Errors
    /// [`AuditError::NoSuchEntry`] outside the bundle; [`AuditError::Bundle`].
    pub fn entry(mut self, index: LogIndex) -> Result<EntryDocument, AuditError> {
        let head = self.head();
        while let Some(entry) = self.bundle.entry()? {
            if entry.record.index == index {
                return Ok(EntryDocument {
                    schema: SHOW_SCHEMA,
                    head,
                    verified: false,
                    entry: Detail::of(&entry),
                });
            }
        }
        Err(AuditError::NoSuchEntry {
            index,
            from: head.from,
            to: head.to,
        })
    }
}

impl<R: Read> Iterator for Show<R> {
    type Item = Result<Row, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match self.bundle.entry() {
            Ok(entry) => entry.map(|entry| Ok(Row::of(&entry, decode(&entry).as_ref()))),
            Err(error) => Some(Err(error.into())),
        };
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl Head {
    fn of(start: &Start) -> Self {
        Self {
            cluster: start.cluster,
            shard: start.shard,
            from: start.from,
            to: start.to,
            size: start.size,
        }
    }
}

/// `None` for entries that are no batches.
type Decoded = Option<Result<SealedBatch, String>>;

fn decode(entry: &RawEntry) -> Decoded {
    (entry.record.kind == EntryKind::Batch)
        .then(|| SealedBatch::from_bytes(&entry.payload).map_err(|e| e.to_string()))
}

impl Row {
    fn of(entry: &RawEntry, decoded: Option<&Result<SealedBatch, String>>) -> Self {
        let record = &entry.record;
        let (batch, undecodable) = match decoded {
            Some(Ok(batch)) => (Some(BatchRow::of(&batch.header)), None),
            Some(Err(reason)) => (None, Some(reason.clone())),
            None => (None, None),
        };
        Self {
            index: record.index,
            kind: record.kind,
            outcome: record.outcome,
            header_digest: record.header_digest,
            batch,
            undecodable,
        }
    }
}

impl BatchRow {
    fn of(header: &Header) -> Self {
        Self {
            author: header.author,
            author_seq: header.author_seq,
            slots: header.slots,
            circuit: header.circuit,
            keyspace: header.keyspace,
            epoch: header.epoch,
        }
    }
}

impl Detail {
    fn of(entry: &RawEntry) -> Self {
        let decoded = decode(entry);
        Self {
            row: Row::of(entry, decoded.as_ref()),
            x: entry.record.x,
            leaf_hash: tree::leaf_hash(&entry.record.to_bytes()),
            payload_bytes: entry.payload.len(),
            sealed: decoded
                .and_then(Result::ok)
                .map(|batch| SealedDetail::of(&batch)),
        }
    }
}

impl SealedDetail {
    fn of(batch: &SealedBatch) -> Self {
        let header = &batch.header;
        Self {
            valid_until: header.valid_until,
            anchor_size: header.anchor.size,
            anchor_root: header.anchor.root,
            epoch_key: hex::encode(header.epoch_key.to_bytes()),
            route_commitment: element(&header.route_commitment),
            policy_digest: element(&header.policy_digest),
            ephemeral: hex::encode(batch.ephemeral.to_bytes()),
            slots: (batch.slots.iter().zip(&batch.bulk))
                .map(|(slot, bulk)| SlotDetail::of(slot, bulk.as_ref()))
                .collect(),
            proof: hex::encode(batch.proof),
            signature: hex::encode(batch.signature),
        }
    }
}

impl SlotDetail {
    fn of(slot: &PublicSlot, bulk: Option<&BulkReference>) -> Self {
        Self {
            op: op_name(slot.meta.op),
            body_bytes: slot.meta.body_len,
            bulk: bulk.map(|bulk| BulkDetail {
                digest: bulk.digest,
                ciphertext_bytes: bulk.length,
            }),
            route: element(&slot.route),
            ciphertext: slot.ct.iter().map(element).collect(),
        }
    }
}

pub(super) fn op_name(op: Op) -> String {
    match op {
        Op::Put => "put".into(),
        Op::PutBulk => "put-bulk".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn element(element: &F) -> String {
    hex::encode(field::encode(element))
}
