//! A reader's X25519 subkey: what one epoch's secret is wrapped to.
//!
//! Invariant: one subkey for one epoch. Destroying a subkey makes the grants to it useless, and
//! no other epoch's. Knows nothing of what is wrapped.

use crate::entropy::{EntropyError, random};
use crate::hex_serde;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::{Deserializable, Serializable};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

/// The secret subkey, 32 bytes; zeroised on drop.
pub struct ReaderKey {
    secret: Zeroizing<[u8; 32]>,
}

impl ReaderKey {
    /// # Errors
    /// [`EntropyError`].
    pub fn generate() -> Result<Self, EntropyError> {
        random().map(|secret| Self { secret })
    }

    /// Any 32 bytes are a secret (RFC 7748 clamps them).
    #[must_use]
    pub fn from_secret_bytes(secret: &Zeroizing<[u8; 32]>) -> Self {
        Self {
            secret: secret.clone(),
        }
    }

    #[must_use]
    pub fn public(&self) -> ReaderId {
        let public = X25519HkdfSha256::sk_to_pk(&self.private());
        ReaderId(public.to_bytes().into())
    }

    pub(crate) fn private(&self) -> PrivateKey {
        PrivateKey::from_bytes(self.secret.as_ref()).expect("any 32 bytes are an X25519 secret")
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.clone()
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderKey(secret of {})", self.public())
    }
}

/// A public subkey: an X25519 u-coordinate, 32 bytes; hex in text and JSON. Points of small order
/// are refused where something is wrapped to them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReaderId([u8; 32]);

impl ReaderId {
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderId({self})")
    }
}

impl Serialize for ReaderId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        hex_serde::fixed::serialize(&self.0, s)
    }
}

impl<'de> Deserialize<'de> for ReaderId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        hex_serde::fixed::deserialize(d).map(Self)
    }
}
