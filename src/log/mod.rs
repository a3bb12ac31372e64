//! The verifiable log: records, their RFC 6962 tree, checkpoints over it and receipts from it.

pub mod checkpoint;
pub mod cosign;
mod disputes;
pub mod fork;
pub(crate) mod json;
pub mod ledger;
pub mod note;
mod pending;
mod proof;
mod range;
pub mod receipt;
mod record;
#[cfg(test)]
pub(crate) mod testing;
pub mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, Cosignature, SignedCheckpoint};
pub use cosign::{CosignAction, CosignError, Cosigner};
pub use fork::{ForkError, ForkEvidence};
pub use note::MAX_NOTE_BYTES;
pub use proof::{ConsistencyProof, InclusionProof, ProofError};
pub use range::inclusions_in_range;
pub use receipt::{MAX_RECEIPT_BYTES, Receipt, ReceiptError, VerifiedReceipt};
pub use record::{EntryKind, Outcome, RECORD_BYTES, Record, genesis_root};
pub use tree::TreeError;
