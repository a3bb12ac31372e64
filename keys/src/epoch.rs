//! An epoch: the BabyJubJub key pair of a keyspace's readers (EIP-2494, circomlib's form).
//!
//! Invariants: 1. an [`EpochPublicKey`] is on the curve, in the prime-order subgroup and not the
//! identity, and has one encoding; 2. a secret is a non-zero scalar below the group order l.
//! Knows nothing of ciphers, grants or registries. Its arithmetic is not constant-time: run it
//! where nobody can time it.

use crate::entropy::EntropyError;
use crate::{field_bytes, hex_serde};
use ark_bn254::Fr as BaseField;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::Zero;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use taceo_ark_babyjubjub::{EdwardsAffine, EdwardsProjective, Fr as Scalar};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that are not an epoch key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EpochKeyError {
    #[error("{coordinate} is not below the field's modulus")]
    NonCanonical { coordinate: &'static str },
    #[error("the point is not on the curve")]
    NotOnCurve,
    #[error("the point is the identity: everybody could read")]
    Identity,
    #[error("the point is outside the prime-order subgroup")]
    WrongSubgroup,
    #[error("the secret scalar is zero or not below the group order")]
    Secret,
}

/// The readers' secret sk: whoever holds it reads the epoch. Zeroised on drop.
pub struct EpochSecret {
    scalar: Scalar,
}

impl EpochSecret {
    /// 64 bytes of the operating system's randomness, modulo l, never zero.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn generate() -> Result<Self, EntropyError> {
        field_bytes::random_non_zero().map(|scalar| Self { scalar })
    }

    /// A scalar in 32 bytes, little-endian.
    ///
    /// # Errors
    /// [`EpochKeyError::Secret`] for zero and for l or more.
    pub fn from_secret_bytes(bytes: &Zeroizing<[u8; 32]>) -> Result<Self, EpochKeyError> {
        field_bytes::decode(bytes)
            .filter(|scalar: &Scalar| !scalar.is_zero())
            .map(|scalar| Self { scalar })
            .ok_or(EpochKeyError::Secret)
    }

    /// For the reader: S = sk·E. The copies a caller makes are the caller's to zeroise.
    #[must_use]
    pub fn scalar(&self) -> &Scalar {
        &self.scalar
    }

    /// PK = sk·B8.
    #[must_use]
    pub fn public(&self) -> EpochPublicKey {
        EpochPublicKey {
            point: (EdwardsProjective::generator() * self.scalar).into_affine(),
        }
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(field_bytes::encode(&self.scalar))
    }
}

impl Drop for EpochSecret {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl fmt::Debug for EpochSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochSecret(secret of {})", self.public())
    }
}

/// PK: to whom a batch is sealed. x ‖ y, each 32 bytes little-endian; hex in text and JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EpochPublicKey {
    point: EdwardsAffine,
}

impl EpochPublicKey {
    /// # Errors
    /// [`EpochKeyError`]: every rule of invariant 1.
    pub fn from_bytes(bytes: &[u8; 64]) -> Result<Self, EpochKeyError> {
        let coordinate = |range: std::ops::Range<usize>, coordinate| {
            let bytes = bytes[range].try_into().expect("both ranges are 32 long");
            field_bytes::decode(&bytes).ok_or(EpochKeyError::NonCanonical { coordinate })
        };
        let point = EdwardsAffine::new_unchecked(coordinate(0..32, "x")?, coordinate(32..64, "y")?);
        if !point.is_on_curve() {
            return Err(EpochKeyError::NotOnCurve);
        }
        if point.is_zero() {
            return Err(EpochKeyError::Identity);
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return Err(EpochKeyError::WrongSubgroup);
        }
        Ok(Self { point })
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        point_bytes(&self.point)
    }

    #[must_use]
    pub fn x(&self) -> &BaseField {
        &self.point.x
    }

    #[must_use]
    pub fn y(&self) -> &BaseField {
        &self.point.y
    }

    pub fn point(&self) -> &EdwardsAffine {
        &self.point
    }
}

pub(crate) fn point_bytes(point: &EdwardsAffine) -> [u8; 64] {
    let mut out = [0; 64];
    out[..32].copy_from_slice(&field_bytes::encode(&point.x));
    out[32..].copy_from_slice(&field_bytes::encode(&point.y));
    out
}

impl fmt::Display for EpochPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for EpochPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochPublicKey({self})")
    }
}

impl Serialize for EpochPublicKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        hex_serde::fixed::serialize(&self.to_bytes(), s)
    }
}

impl<'de> Deserialize<'de> for EpochPublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_bytes(&hex_serde::fixed::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{BigInteger, MontFp, PrimeField};

    /// EIP-2494: the generator of the whole curve, of order 8·l; eight times it is B8.
    const FULL_ORDER: EdwardsAffine = EdwardsAffine::new_unchecked(
        MontFp!("995203441582195749578291179787384436505546430278305826713579947235728471134"),
        MontFp!("5472060717959818805561601436314318772137091100104008585924551046643952123905"),
    );

    fn key(seed: u64) -> EpochPublicKey {
        let scalar = Scalar::from(seed);
        EpochSecret { scalar }.public()
    }

    fn plus_modulus(bytes: &[u8]) -> [u8; 32] {
        let mut number = ark_ff::BigInt::<4>::zero();
        for (limb, chunk) in number.0.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().unwrap());
        }
        assert!(!number.add_with_carry(&BaseField::MODULUS));
        number.to_bytes_le().try_into().unwrap()
    }

    #[test]
    fn the_base_point_is_eip_2494s() {
        assert_eq!(
            (FULL_ORDER * Scalar::from(8u64)).into_affine(),
            *key(1).point()
        );
        assert_eq!(
            key(1).x().to_string(),
            "5299619240641551281634865583518297030282874472190772894086521144482721001553"
        );
    }

    #[test]
    fn a_public_key_survives_bytes_and_json() {
        let key = EpochSecret::generate().unwrap().public();
        assert_eq!(EpochPublicKey::from_bytes(&key.to_bytes()), Ok(key));
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(json, format!("\"{key}\""));
        assert_eq!(serde_json::from_str::<EpochPublicKey>(&json).unwrap(), key);
        assert_eq!(&key.to_bytes()[..32], &field_bytes::encode(key.x()));
        assert_eq!(&key.to_bytes()[32..], &field_bytes::encode(key.y()));
    }

    #[test]
    fn the_identity_is_refused() {
        let bytes = point_bytes(&EdwardsAffine::zero());
        assert_eq!(
            EpochPublicKey::from_bytes(&bytes),
            Err(EpochKeyError::Identity)
        );
        let json = format!("\"{}\"", hex::encode(bytes));
        assert!(serde_json::from_str::<EpochPublicKey>(&json).is_err());
    }

    #[test]
    fn points_of_low_order_and_of_mixed_order_are_refused() {
        let low: EdwardsProjective = FULL_ORDER.mul_bigint(Scalar::MODULUS);
        assert!(
            !low.is_zero(),
            "a generator of the whole curve has a torsion part"
        );
        for k in 1..8u64 {
            let low = low.mul_bigint([k]);
            let mixed = low + key(5).point();
            for point in [low.into_affine(), mixed.into_affine()] {
                assert!(point.is_on_curve());
                let refused = EpochPublicKey::from_bytes(&point_bytes(&point));
                assert_eq!(refused, Err(EpochKeyError::WrongSubgroup), "k = {k}");
            }
        }
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let mut bytes = key(5).to_bytes();
        bytes[32] ^= 1;
        assert_eq!(
            EpochPublicKey::from_bytes(&bytes),
            Err(EpochKeyError::NotOnCurve)
        );
    }

    #[test]
    fn a_coordinate_with_a_second_encoding_is_refused() {
        for (range, coordinate) in [(0..32, "x"), (32..64, "y")] {
            let mut bytes = key(5).to_bytes();
            let raised = plus_modulus(&bytes[range.clone()]);
            bytes[range].copy_from_slice(&raised);
            assert_eq!(
                EpochPublicKey::from_bytes(&bytes),
                Err(EpochKeyError::NonCanonical { coordinate })
            );
        }
    }

    #[test]
    fn a_secret_is_a_non_zero_scalar_below_the_order() {
        let mut order = Zeroizing::new([0; 32]);
        order.copy_from_slice(&Scalar::MODULUS.to_bytes_le());
        for refused in [Zeroizing::new([0; 32]), order, Zeroizing::new([0xff; 32])] {
            let outcome = EpochSecret::from_secret_bytes(&refused).map(|s| s.public());
            assert_eq!(outcome, Err(EpochKeyError::Secret));
        }
        let secret = EpochSecret::generate().unwrap();
        let again = EpochSecret::from_secret_bytes(&secret.secret_bytes()).unwrap();
        assert_eq!(again.public(), secret.public());
        assert_ne!(EpochSecret::generate().unwrap().public(), secret.public());
    }

    #[test]
    fn debug_shows_nothing_secret() {
        let secret = EpochSecret::generate().unwrap();
        let shown = format!("{secret:?} {secret:#?}");
        assert!(!shown.contains(&hex::encode(secret.secret_bytes().as_ref())));
        assert!(!shown.contains(&secret.scalar().to_string()));
    }
}
