//! What a cluster's answers can have wrong with them.

use crate::api::Reply;
use crate::client::outbox::OutboxError;
use crate::client::remote::RemoteError;
use crate::client::{AnchorError, ReadError, RegistryError};
use crate::ids::{AuthorSeq, LogIndex, NodeId, TreeSize};
use crate::log::ReceiptError;
use std::path::PathBuf;
use thiserror::Error;
use ukehi_keys::AuthorId;
use ukehi_keys::keystore::KeystoreError;

/// Why a cluster's answer is not used, or why there is none.
#[derive(Debug, Error)]
pub enum ClusterError {
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("node {node} shows a checkpoint that is none: {reason}")]
    Checkpoint { node: NodeId, reason: String },
    /// Not a fork yet: nodes that cannot be reached prove nothing either.
    #[error(
        "no node proves that the checkpoints of size {from} and {to}, one seen before and one shown now, are of one history: {source}"
    )]
    Unproven {
        from: TreeSize,
        to: TreeSize,
        source: RemoteError,
    },
    #[error("no node shows a checkpoint over entry {index}")]
    NoCheckpoint { index: LogIndex },
    #[error("node {node} gave a receipt that does not verify: {source}")]
    Receipt { node: NodeId, source: ReceiptError },
    #[error(
        "node {node} gave the receipt of author {found} seq {found_seq}, asked for author {asked} seq {asked_seq}"
    )]
    OtherReceipt {
        node: NodeId,
        asked: AuthorId,
        asked_seq: AuthorSeq,
        found: AuthorId,
        found_seq: AuthorSeq,
    },
    #[error("no entry of author {author} with sequence {seq} up to entry {applied}")]
    NoReceipt {
        author: AuthorId,
        seq: AuthorSeq,
        applied: LogIndex,
    },
    #[error("entry {index} was shown for another cell than it writes to")]
    OtherCell { index: LogIndex },
    /// A node could show one row twice.
    #[error("entry {index}: it is no row, or not in tag order")]
    Row { index: LogIndex },
}

/// An answer that is none to what was asked.
pub(super) fn protocol(node: NodeId, reply: &Reply) -> ClusterError {
    let what = format!("{reply:?}");
    RemoteError::Protocol { node, what }.into()
}

/// The same within a stream, which puts in whom it asked.
pub(super) fn unasked(reply: &Reply) -> RemoteError {
    RemoteError::Protocol {
        node: NodeId(0),
        what: format!("{reply:?}"),
    }
}
