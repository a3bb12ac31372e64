//! Who changes the registry: authors, epochs, circuits, and the admin keys themselves.
//!
//! Knows nothing of what the changes say or of how many admins must agree.

use crate::signer::{Role, SignerId, SignerKey, sealed};

/// Marks the keys of admins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Admin {}

impl sealed::Sealed for Admin {}
impl Role for Admin {
    const NAMES: (&'static str, &'static str) = ("AdminKey", "AdminId");
}

/// An admin's Ed25519 secret.
pub type AdminKey = SignerKey<Admin>;
/// An admin: its Ed25519 public key.
pub type AdminId = SignerId<Admin>;
