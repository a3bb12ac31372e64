//! What a keyspace demands of a batch beyond being readable and routed: a gadget and its native twin.
//!
//! Invariant: whatever `constrain` enforces, `check` finds, and the reverse. Only `opaque` exists; a policy that reads
//! bodies will extend what a slot shows to it. Knows nothing of encryption.

mod opaque;

pub use opaque::Opaque;

use crate::F;
use crate::seal::PublicSlot;

/// A policy of a keyspace.
pub trait Policy {
    /// The family's byte in a circuit id.
    const FAMILY: u8;

    /// P: the digest of the policy's public parameters.
    fn digest(&self) -> F;

    /// Checks the active slots, natively. `digest` is the statement's P.
    fn check(&self, digest: F, slots: &[PublicSlot]) -> Result<(), PolicyViolation>;
}

/// A batch breaks its keyspace's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    #[error("the policy digest is not this policy's")]
    Digest,
    #[error("slot {slot}: this policy has no cells")]
    UnexpectedCell { slot: usize },
}
