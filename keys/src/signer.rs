//! Ed25519 for every role that signs; each role has key types of its own, so that one role's key
//! is never taken for another's.
//!
//! Invariants: 1. a [`SignerId`] holds the canonical encoding of a point that is not of small
//! order; 2. verification is `verify_strict` and nothing else: honest replicas never disagree
//! about a signature; 3. what is signed is a framed list (`frame.rs`), under a domain.
//! Knows nothing of what the roles may do.

use crate::entropy::{EntropyError, random};
use crate::frame::frame;
use crate::hex_serde;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use thiserror::Error;
use zeroize::Zeroizing;

/// Who signs. The roles are [`crate::AuthorKey`]'s, [`crate::NodeKey`]'s,
/// [`crate::OperatorKey`]'s and [`crate::AdminKey`]'s.
pub trait Role: sealed::Sealed + Copy + Ord + Hash + Send + Sync + 'static {
    /// Names of the secret and the public type, for `Debug`.
    #[doc(hidden)]
    const NAMES: (&'static str, &'static str);
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// Bytes that are not an acceptable Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    #[error("it is not a point of the curve")]
    NotAPoint,
    #[error("its y coordinate is not below the field's modulus, so it has a second encoding")]
    NonCanonical,
    /// Such a key accepts one signature for nearly every message.
    #[error("it is a point of small order")]
    Weak,
}

/// The signature was not made by this key over this domain and these parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// An Ed25519 secret (RFC 8032, 32-byte seed); zeroised on drop.
pub struct SignerKey<R> {
    key: SigningKey,
    role: PhantomData<R>,
}

impl<R: Role> SignerKey<R> {
    /// # Errors
    /// [`EntropyError`].
    pub fn generate() -> Result<Self, EntropyError> {
        random().map(|secret| Self::from_secret_bytes(&secret))
    }

    /// The key of a 32-byte seed: for keys kept elsewhere, and for simulations that replay.
    #[must_use]
    pub fn from_secret_bytes(secret: &Zeroizing<[u8; 32]>) -> Self {
        Self {
            key: SigningKey::from_bytes(secret),
            role: PhantomData,
        }
    }

    #[must_use]
    pub fn public(&self) -> SignerId<R> {
        SignerId {
            bytes: self.key.verifying_key().to_bytes(),
            role: PhantomData,
        }
    }

    /// Signs the framed list (domain, parts).
    #[must_use]
    pub fn sign(&self, domain: &'static [u8], parts: &[&[u8]]) -> [u8; 64] {
        self.sign_message(&frame(domain, parts))
    }

    pub(crate) fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }
}

impl<R: Role> fmt::Debug for SignerKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(secret of {})", R::NAMES.0, self.public())
    }
}

/// An Ed25519 public key, 32 bytes; hex in text and JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerId<R> {
    bytes: [u8; 32],
    role: PhantomData<R>,
}

impl<R: Role> SignerId<R> {
    /// # Errors
    /// [`PublicKeyError`]: not a point, not its canonical encoding, or of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, PublicKeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::NotAPoint)?;
        if key.is_weak() {
            return Err(PublicKeyError::Weak);
        }
        // dalek decodes by ZIP-215, which takes y + p for y.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(PublicKeyError::NonCanonical);
        }
        Ok(Self {
            bytes: *bytes,
            role: PhantomData,
        })
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// Checks a signature over the framed list (domain, parts), by `verify_strict`.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        domain: &'static [u8],
        parts: &[&[u8]],
        signature: &[u8; 64],
    ) -> Result<(), BadSignature> {
        self.verify_message(&frame(domain, parts), signature)
    }

    pub(crate) fn verify_message(
        &self,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), BadSignature> {
        VerifyingKey::from_bytes(&self.bytes)
            .expect("from_bytes decoded this point before")
            .verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| BadSignature)
    }
}

impl<R> fmt::Display for SignerId<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.bytes))
    }
}

impl<R: Role> fmt::Debug for SignerId<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", R::NAMES.1)
    }
}

impl<R: Role> Serialize for SignerId<R> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        hex_serde::fixed::serialize(&self.bytes, s)
    }
}

impl<'de, R: Role> Deserialize<'de> for SignerId<R> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_bytes(&hex_serde::fixed::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthorId, AuthorKey};

    const DOMAIN: &[u8] = b"ukehi/test/v1";

    fn key(seed: u8) -> AuthorKey {
        AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32]))
    }

    fn id_of(hex_digits: &str) -> Result<AuthorId, PublicKeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex_digits, &mut bytes).unwrap();
        AuthorId::from_bytes(&bytes)
    }

    #[test]
    fn the_public_key_is_rfc_8032s() {
        let mut seed = Zeroizing::new([0; 32]);
        let test_1 = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        hex::decode_to_slice(test_1, seed.as_mut()).unwrap();
        assert_eq!(
            AuthorKey::from_secret_bytes(&seed).public().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }

    #[test]
    fn a_signature_holds_for_its_key_domain_and_parts_only() {
        let signature = key(1).sign(DOMAIN, &[b"ab", b"c"]);
        let id = key(1).public();
        assert_eq!(id.verify(DOMAIN, &[b"ab", b"c"], &signature), Ok(()));
        assert!(id.verify(DOMAIN, &[b"a", b"bc"], &signature).is_err());
        assert!(id.verify(DOMAIN, &[b"ab", b"c", b""], &signature).is_err());
        assert!(
            id.verify(b"ukehi/test/v2", &[b"ab", b"c"], &signature)
                .is_err()
        );
        assert!(
            key(2)
                .public()
                .verify(DOMAIN, &[b"ab", b"c"], &signature)
                .is_err()
        );
        for byte in 0..64 {
            let mut other = signature;
            other[byte] ^= 1;
            assert!(
                id.verify(DOMAIN, &[b"ab", b"c"], &other).is_err(),
                "byte {byte}"
            );
        }
    }

    #[test]
    fn a_signature_whose_scalar_is_not_reduced_is_refused() {
        let mut signature = key(1).sign(DOMAIN, &[b"m"]);
        // S + l is the same scalar: RFC 8032 wants S below l.
        let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0;
        for (byte, add) in signature[32..].iter_mut().zip(order.unwrap()) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(
            key(1).public().verify(DOMAIN, &[b"m"], &signature),
            Err(BadSignature)
        );
    }

    /// The small-order points, as every Ed25519 test suite lists them, canonical and not.
    const SMALL_ORDER: [&str; 12] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    #[test]
    fn a_public_key_of_small_order_is_refused() {
        for point in SMALL_ORDER {
            assert_eq!(id_of(point), Err(PublicKeyError::Weak), "{point}");
        }
    }

    #[test]
    fn a_public_key_with_a_second_encoding_is_refused() {
        // y = p + 3 decodes to y = 3, a point of large order; y = 2 is not on the curve.
        let second = "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
        assert_eq!(id_of(second), Err(PublicKeyError::NonCanonical));
        let first = "0300000000000000000000000000000000000000000000000000000000000000";
        assert_eq!(id_of(first).map(|id| id.to_string()), Ok(first.into()));
        let off = "0200000000000000000000000000000000000000000000000000000000000000";
        assert_eq!(id_of(off), Err(PublicKeyError::NotAPoint));
    }

    #[test]
    fn an_id_is_hex_in_json_and_checked_when_read() {
        let id = key(1).public();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<AuthorId>(&json).unwrap(), id);
        for refused in [SMALL_ORDER[0], "00", ""] {
            assert!(serde_json::from_str::<AuthorId>(&format!("\"{refused}\"")).is_err());
        }
    }

    #[test]
    fn debug_shows_the_public_key_and_nothing_secret() {
        let key = AuthorKey::generate().unwrap();
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains(&key.public().to_string()));
        assert!(!shown.contains(&hex::encode(key.seed().as_ref())));
        assert!(!shown.contains(&format!("{:?}", key.seed().as_ref())));
    }

    #[test]
    fn two_generated_keys_differ() {
        let ids = [(); 2].map(|()| AuthorKey::generate().unwrap().public());
        assert_ne!(ids[0], ids[1]);
    }
}
