//! What a writer keeps: that its batch stands in the log, with which outcome, for a stranger to
//! check with the trust root alone.
//!
//! Invariants: 1. a receipt has one spelling, white space apart: whatever else is changed is
//! refused; 2. nothing in it is believed before [`Receipt::verify`].
//! Knows nothing of nodes or files. Shows neither the batch's proof, which the replicas verified
//! before they acknowledged it, nor that nothing newer stands in the log.

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::json;
use super::note::MAX_NOTE_BYTES;
use super::proof::{InclusionProof, ProofError};
use super::record::{EntryKind, Record};
use super::tree;
use crate::batch::{HEADER_BYTES, Header};
use crate::genesis::Genesis;
use crate::ids::{AuthorSeq, Hash, ShardId, TreeSize};
use crate::wire::Reader;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use thiserror::Error;
use ukehi_keys::AuthorId;

/// Longer texts are refused unread: the largest note and path, with room for indentation.
pub const MAX_RECEIPT_BYTES: usize = 64 * 1024;
const SCHEMA: &str = "ukehi/receipt/v1";

/// An unverified receipt. Made from what a node answers, or read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    schema: String,
    author: AuthorId,
    seq: AuthorSeq,
    record: Record,
    /// The canonical header, hex: its digest stands in the record.
    header: String,
    inclusion: InclusionProof,
    note: String,
}

/// What a receipt shows, once verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    pub author: AuthorId,
    pub author_seq: AuthorSeq,
    /// With the index, the outcome, and x: an author that sealed several batches under one
    /// sequence compares x with that of the batch in its hands.
    pub record: Record,
    pub header: Header,
    pub checkpoint: SignedCheckpoint,
    pub checkpoint_size: TreeSize,
    /// How many nodes of genesis have cosigned the checkpoint: at least a majority.
    pub cosigners: usize,
}

/// Why a receipt shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiptError {
    #[error("the receipt does not decode: {reason}")]
    Undecodable { reason: String },
    #[error("the receipt's {what} should be {expected}, it is {found}")]
    Tampered {
        what: &'static str,
        expected: String,
        found: String,
    },
    /// Not wrong, but not enough: a later checkpoint may do.
    #[error("{found} nodes have cosigned the receipt's checkpoint, {needed} are a majority")]
    Incomplete { found: usize, needed: usize },
    /// Of another cluster, or by nodes the trust root does not name.
    #[error("the trust root does not vouch for the receipt's checkpoint: {reason}")]
    Untrusted { reason: CheckpointError },
}

impl Receipt {
    /// From what a node shows of an entry: its record, the sealed batch (of which only the header
    /// is kept), the encoded inclusion proof and the note it leads to. Nothing is verified yet.
    ///
    /// # Errors
    /// [`ReceiptError::Undecodable`].
    pub fn from_entry(
        record: Record,
        payload: &[u8],
        inclusion: &[u8],
        note: &str,
    ) -> Result<Self, ReceiptError> {
        let header = Header::read(&mut Reader::new(payload))
            .map_err(|e| undecodable(format!("the batch's header: {e}")))?;
        let inclusion = InclusionProof::from_bytes(inclusion)
            .map_err(|e| undecodable(format!("the inclusion proof: {e}")))?;
        if note.len() > MAX_NOTE_BYTES {
            return Err(undecodable("the note is too long"));
        }
        Ok(Self {
            schema: SCHEMA.to_owned(),
            author: header.author,
            seq: header.author_seq,
            record,
            header: hex::encode(header.to_bytes()),
            inclusion,
            note: note.to_owned(),
        })
    }

    /// `ukehi/receipt/v1`, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// # Errors
    /// [`ReceiptError::Undecodable`] for anything but what [`Receipt::to_json`] writes, white
    /// space apart.
    pub fn from_json(text: &str) -> Result<Self, ReceiptError> {
        if text.len() > MAX_RECEIPT_BYTES {
            return Err(undecodable("it is too long"));
        }
        let receipt: Self = json::read(text).map_err(undecodable)?;
        if receipt.schema != SCHEMA {
            return Err(undecodable(format!("its schema is not {SCHEMA}")));
        }
        Ok(receipt)
    }

    /// The record it carries; unverified.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The size of the tree its proof is about; unverified.
    #[must_use]
    pub fn tree_size(&self) -> TreeSize {
        self.inclusion.size
    }

    /// Checks everything against the trust root, offline: the note and its majority, the record's
    /// leaf in the tree, the header in the record, author and sequence in the header.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(&self, trust: &Genesis, shard: ShardId) -> Result<VerifiedReceipt, ReceiptError> {
        let checkpoint = SignedCheckpoint::from_note(&self.note, trust).map_err(refused_note)?;
        let (signed, record) = (&checkpoint.checkpoint, &self.record);
        expect("checkpoint's shard", shard, signed.shard)?;
        // A note that reads has no other than valid cosignatures.
        let (found, needed) = (checkpoint.cosignatures().len(), trust.majority());
        if found < needed {
            return Err(ReceiptError::Incomplete { found, needed });
        }
        expect(
            "inclusion proof's index",
            record.index,
            self.inclusion.index,
        )?;
        expect("inclusion proof's size", signed.size, self.inclusion.size)?;
        let leaf = tree::leaf_hash(&record.to_bytes());
        tree::verify_inclusion(&self.inclusion, &leaf, &signed.root).map_err(not_included)?;
        if record.kind != EntryKind::Batch {
            let (expected, found) = ("a batch".to_owned(), format!("{:?}", record.kind));
            return Err(tampered("record", expected, found));
        }
        let header = self.read_header()?;
        expect_hash("header digest", &record.header_digest, &header.digest())?;
        expect("header's cluster", signed.cluster, header.cluster)?;
        expect("header's shard", shard, header.shard)?;
        expect("author", header.author, self.author)?;
        expect("sequence", header.author_seq, self.seq)?;
        Ok(VerifiedReceipt {
            author: header.author,
            author_seq: header.author_seq,
            record: *record,
            header,
            checkpoint_size: signed.size,
            cosigners: found,
            checkpoint,
        })
    }

    /// The header it carries, decoded and in canonical form, but unverified.
    ///
    /// # Errors
    /// [`ReceiptError::Tampered`].
    pub fn read_header(&self) -> Result<Header, ReceiptError> {
        let malformed = |found: String| {
            let expected = format!("a canonical header of {HEADER_BYTES} bytes");
            tampered("header", expected, found)
        };
        let bytes = hex::decode(&self.header).map_err(|e| malformed(e.to_string()))?;
        let mut r = Reader::new(&bytes);
        let header = Header::read(&mut r).and_then(|header| r.end().map(|()| header));
        let header = header.map_err(|e| malformed(e.to_string()))?;
        // Upper-case digits, too, would be another spelling of the same receipt.
        if hex::encode(header.to_bytes()) != self.header {
            return Err(malformed("spelled otherwise".to_owned()));
        }
        Ok(header)
    }
}

fn refused_note(reason: CheckpointError) -> ReceiptError {
    match reason {
        CheckpointError::WrongCluster { .. } | CheckpointError::UnknownNode { .. } => {
            ReceiptError::Untrusted { reason }
        }
        _ => {
            let expected = "a canonical note with valid cosignatures".to_owned();
            tampered("note", expected, reason.to_string())
        }
    }
}

fn not_included(error: ProofError) -> ReceiptError {
    match error {
        ProofError::RootMismatch {
            expected, found, ..
        } => {
            let what = "root, recomputed from its record,";
            tampered(what, hex::encode(expected), hex::encode(found))
        }
        _ => {
            let expected = "a path that fits its index and size".to_owned();
            tampered("inclusion proof", expected, error.to_string())
        }
    }
}

fn expect<T: PartialEq + Display>(
    what: &'static str,
    expected: T,
    found: T,
) -> Result<(), ReceiptError> {
    if expected == found {
        return Ok(());
    }
    Err(tampered(what, expected.to_string(), found.to_string()))
}

fn expect_hash(what: &'static str, expected: &Hash, found: &Hash) -> Result<(), ReceiptError> {
    expect(what, hex::encode(expected), hex::encode(found))
}

fn tampered(what: &'static str, expected: String, found: String) -> ReceiptError {
    ReceiptError::Tampered {
        what,
        expected,
        found,
    }
}

fn undecodable(reason: impl Into<String>) -> ReceiptError {
    ReceiptError::Undecodable {
        reason: reason.into(),
    }
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
