//! `k_route`: the secret of a keyspace that turns keys into routes.
//!
//! Invariant: a non-zero element of F. Whoever holds it can test guesses of keys against routes.
//! Knows nothing of Poseidon: C_route and the routes themselves are the circuits' to compute.

use crate::entropy::EntropyError;
use crate::field_bytes;
use ark_bn254::Fr;
use ark_ff::Zero;
use std::fmt;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that are not a route key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the route key is zero or not below the field's modulus")]
pub struct RouteKeyError;

/// Zeroised on drop.
pub struct RouteKey {
    element: Fr,
}

impl RouteKey {
    /// 64 bytes of the operating system's randomness, modulo p, never zero.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn generate() -> Result<Self, EntropyError> {
        field_bytes::random_non_zero().map(|element| Self { element })
    }

    /// A field element in 32 bytes, little-endian.
    ///
    /// # Errors
    /// [`RouteKeyError`] for zero and for p or more.
    pub fn from_secret_bytes(bytes: &Zeroizing<[u8; 32]>) -> Result<Self, RouteKeyError> {
        field_bytes::decode(bytes)
            .filter(|element: &Fr| !element.is_zero())
            .map(|element| Self { element })
            .ok_or(RouteKeyError)
    }

    /// For whoever seals: route = H(key, k_route). The copies a caller makes are the caller's to
    /// zeroise.
    #[must_use]
    pub fn element(&self) -> &Fr {
        &self.element
    }

    /// Tells route keys apart without showing them: BLAKE3 of 254 random bits. It is *not*
    /// C_route, which is a Poseidon hash.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        blake3::derive_key(
            "ukehi/route-key-fingerprint/v1",
            self.secret_bytes().as_ref(),
        )
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(field_bytes::encode(&self.element))
    }
}

impl Drop for RouteKey {
    fn drop(&mut self) {
        self.element.zeroize();
    }
}

impl fmt::Debug for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RouteKey(fingerprint {})",
            hex::encode(self.fingerprint())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{BigInteger, PrimeField};

    #[test]
    fn a_route_key_is_a_non_zero_canonical_field_element() {
        let mut modulus = Zeroizing::new([0; 32]);
        modulus.copy_from_slice(&Fr::MODULUS.to_bytes_le());
        for refused in [Zeroizing::new([0; 32]), modulus, Zeroizing::new([0xff; 32])] {
            assert!(RouteKey::from_secret_bytes(&refused).is_err());
        }
        let key = RouteKey::generate().unwrap();
        let again = RouteKey::from_secret_bytes(&key.secret_bytes()).unwrap();
        assert_eq!(again.element(), key.element());
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert_ne!(
            RouteKey::generate().unwrap().fingerprint(),
            key.fingerprint()
        );
    }

    #[test]
    fn debug_shows_nothing_secret() {
        let key = RouteKey::generate().unwrap();
        let shown = format!("{key:?} {key:#?}");
        assert!(!shown.contains(&hex::encode(key.secret_bytes().as_ref())));
        assert!(!shown.contains(&key.element().to_string()));
    }
}
