//! Who signs membership changes.
//!
//! Knows nothing of what those entries say.

use crate::signer::{Role, SignerId, SignerKey, sealed};

/// Marks the keys of operators.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {}

impl sealed::Sealed for Operator {}
impl Role for Operator {
    const NAMES: (&'static str, &'static str) = ("OperatorKey", "OperatorId");
}

/// An operator's Ed25519 secret.
pub type OperatorKey = SignerKey<Operator>;
/// An operator: its Ed25519 public key.
pub type OperatorId = SignerId<Operator>;
