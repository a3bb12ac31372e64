//! Who writes commands: an author signs each batch's header and its statement.
//!
//! Invariant: an author's id is its public key, so no registry can give one id to two keys.
//! Knows nothing of batches or of the registry that admits authors.

use crate::signer::{Role, SignerId, SignerKey, sealed};

/// Marks the keys of authors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Author {}

impl sealed::Sealed for Author {}
impl Role for Author {
    const NAMES: (&'static str, &'static str) = ("AuthorKey", "AuthorId");
}

/// An author's Ed25519 secret.
pub type AuthorKey = SignerKey<Author>;
/// An author: its Ed25519 public key.
pub type AuthorId = SignerId<Author>;
