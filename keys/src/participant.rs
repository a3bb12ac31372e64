//! Who contributes to a set-up ceremony: a participant signs for the contribution it made.
//!
//! Knows nothing of what a contribution is.

use crate::signer::{Role, SignerId, SignerKey, sealed};

/// Marks the keys of participants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Participant {}

impl sealed::Sealed for Participant {}
impl Role for Participant {
    const NAMES: (&'static str, &'static str) = ("ParticipantKey", "ParticipantId");
}

/// A participant's Ed25519 secret.
pub type ParticipantKey = SignerKey<Participant>;
/// A participant: its Ed25519 public key.
pub type ParticipantId = SignerId<Participant>;
