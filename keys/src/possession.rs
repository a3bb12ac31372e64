//! Proof that whoever registers an epoch key holds its secret: without it a keyspace could be
//! sealed to a key that nobody, or somebody else, can read with.
//!
//! Schnorr's identification over BabyJubJub, made non-interactive with BLAKE3 (Fiat–Shamir).
//! Invariant: the challenge covers cluster, keyspace, epoch, key and commitment, so a proof holds
//! for one registration only.
//! Knows nothing of the registry.

use crate::entropy::{EntropyError, random};
use crate::epoch::{EpochPublicKey, EpochSecret, point_bytes};
use crate::frame::frame;
use crate::{field_bytes, hex_serde};
use ark_ec::{CurveGroup, PrimeGroup};
use serde::{Deserialize, Serialize};
use taceo_ark_babyjubjub::{EdwardsProjective, Fr as Scalar};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// What the proof is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochScope {
    /// H(genesis).
    pub cluster: [u8; 32],
    pub keyspace: u32,
    pub epoch: u32,
}

/// R ‖ s: the commitment (64 bytes, as [`EpochPublicKey::to_bytes`]) and the response (a scalar,
/// 32 bytes little-endian); hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PossessionProof(#[serde(with = "hex_serde::fixed")] pub [u8; 96]);

/// The proof does not show possession of this key in this scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the proof of possession does not hold for this epoch key, cluster, keyspace and epoch")]
pub struct PossessionRefused;

impl EpochSecret {
    /// # Errors
    /// [`EntropyError`].
    pub fn prove_possession(&self, scope: &EpochScope) -> Result<PossessionProof, EntropyError> {
        let mut nonce = self.nonce(scope)?;
        let commitment = point_bytes(&(EdwardsProjective::generator() * nonce).into_affine());
        let challenge = challenge(scope, &self.public(), &commitment);
        let response = nonce + challenge * self.scalar();
        nonce.zeroize();
        let mut proof = [0; 96];
        proof[..64].copy_from_slice(&commitment);
        proof[64..].copy_from_slice(&field_bytes::encode(&response));
        Ok(PossessionProof(proof))
    }

    /// Two proofs with one nonce give the secret away, so it hangs on fresh randomness *and* on
    /// the secret and the scope: a generator that repeats itself does not repeat a nonce.
    fn nonce(&self, scope: &EpochScope) -> Result<Scalar, EntropyError> {
        let secret = self.secret_bytes();
        let fresh: Zeroizing<[u8; 32]> = random()?;
        let input = Zeroizing::new(frame(
            &scope.cluster,
            &[
                &scope.keyspace.to_le_bytes(),
                &scope.epoch.to_le_bytes(),
                secret.as_ref(),
                fresh.as_ref(),
            ],
        ));
        Ok(hash_to_scalar("ukehi/epoch-possession-nonce/v1", &input))
    }
}

impl EpochPublicKey {
    /// s·B8 = R + c·PK.
    ///
    /// # Errors
    /// [`PossessionRefused`].
    pub fn verify_possession(
        &self,
        scope: &EpochScope,
        proof: &PossessionProof,
    ) -> Result<(), PossessionRefused> {
        let (commitment, response) = proof.0.split_at(64);
        let commitment: &[u8; 64] = commitment.try_into().expect("split at 64");
        let response = response.try_into().expect("96 - 64 = 32");
        let response: Scalar = field_bytes::decode(response).ok_or(PossessionRefused)?;
        let challenge = challenge(scope, self, commitment);
        // R is compared as bytes with the one point it can be: it needs no decoding, and no
        // other encoding or point outside the subgroup can pass.
        let expected = EdwardsProjective::generator() * response - *self.point() * challenge;
        if point_bytes(&expected.into_affine()) == *commitment {
            Ok(())
        } else {
            Err(PossessionRefused)
        }
    }
}

fn challenge(scope: &EpochScope, key: &EpochPublicKey, commitment: &[u8; 64]) -> Scalar {
    let input = frame(
        &scope.cluster,
        &[
            &scope.keyspace.to_le_bytes(),
            &scope.epoch.to_le_bytes(),
            &key.to_bytes(),
            commitment,
        ],
    );
    hash_to_scalar("ukehi/epoch-possession/v1", &input)
}

fn hash_to_scalar(context: &'static str, input: &[u8]) -> Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    let mut hasher = blake3::Hasher::new_derive_key(context);
    let mut output = hasher.update(input).finalize_xof();
    output.fill(wide.as_mut());
    output.zeroize();
    hasher.zeroize();
    field_bytes::reduce_wide(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{BigInteger, Field, PrimeField};

    const SCOPE: EpochScope = EpochScope {
        cluster: [7; 32],
        keyspace: 1,
        epoch: 2,
    };

    fn proven() -> (EpochPublicKey, PossessionProof) {
        let secret = EpochSecret::generate().unwrap();
        (secret.public(), secret.prove_possession(&SCOPE).unwrap())
    }

    #[test]
    fn a_proof_holds_for_its_key_and_scope_and_survives_json() {
        let (key, proof) = proven();
        assert_eq!(key.verify_possession(&SCOPE, &proof), Ok(()));
        let json = serde_json::to_string(&proof).unwrap();
        let read: PossessionProof = serde_json::from_str(&json).unwrap();
        assert_eq!(key.verify_possession(&SCOPE, &read), Ok(()));
    }

    #[test]
    fn a_proof_transplanted_to_another_cluster_keyspace_epoch_or_key_is_refused() {
        let (key, proof) = proven();
        let mut cluster = SCOPE;
        cluster.cluster[31] ^= 1;
        let keyspace = EpochScope {
            keyspace: 2,
            ..SCOPE
        };
        let epoch = EpochScope { epoch: 3, ..SCOPE };
        let swapped = EpochScope {
            keyspace: 2,
            epoch: 1,
            ..SCOPE
        };
        for scope in [cluster, keyspace, epoch, swapped] {
            let outcome = key.verify_possession(&scope, &proof);
            assert_eq!(outcome, Err(PossessionRefused), "{scope:?}");
        }
        let (other, _) = proven();
        assert_eq!(
            other.verify_possession(&SCOPE, &proof),
            Err(PossessionRefused)
        );
    }

    #[test]
    fn a_proof_with_any_byte_changed_is_refused() {
        let (key, proof) = proven();
        for byte in 0..96 {
            let mut other = proof;
            other.0[byte] ^= 1;
            assert!(
                key.verify_possession(&SCOPE, &other).is_err(),
                "byte {byte}"
            );
        }
    }

    #[test]
    fn a_response_with_a_second_encoding_is_refused() {
        let (key, mut proof) = proven();
        let response: Scalar = field_bytes::decode(proof.0[64..].try_into().unwrap()).unwrap();
        let mut raised = response.into_bigint();
        assert!(!raised.add_with_carry(&Scalar::MODULUS));
        proof.0[64..].copy_from_slice(&raised.to_bytes_le());
        assert_eq!(
            key.verify_possession(&SCOPE, &proof),
            Err(PossessionRefused)
        );
    }

    #[test]
    fn two_proofs_of_one_key_have_different_commitments() {
        let secret = EpochSecret::generate().unwrap();
        let [first, second] = [(); 2].map(|()| secret.prove_possession(&SCOPE).unwrap());
        assert_ne!(first.0[..64], second.0[..64]);
    }

    fn proof_of(commitment: EdwardsProjective, response: Scalar) -> PossessionProof {
        let mut proof = [0; 96];
        proof[..64].copy_from_slice(&point_bytes(&commitment.into_affine()));
        proof[64..].copy_from_slice(&field_bytes::encode(&response));
        PossessionProof(proof)
    }

    #[test]
    fn who_knows_no_secret_cannot_choose_the_commitment_after_the_challenge() {
        let (key, _) = proven();
        let response = Scalar::from(3u64);
        let challenge = challenge(&SCOPE, &key, &[0; 64]);
        let commitment = EdwardsProjective::generator() * response - *key.point() * challenge;
        let forged = proof_of(commitment, response);
        assert_eq!(
            key.verify_possession(&SCOPE, &forged),
            Err(PossessionRefused)
        );
    }

    #[test]
    fn who_knows_no_secret_cannot_choose_the_key_after_the_challenge() {
        let (other, _) = proven();
        let response = Scalar::from(3u64);
        let commitment = *other.point();
        let challenge = challenge(&SCOPE, &other, &point_bytes(&commitment));
        let key =
            (EdwardsProjective::generator() * response - commitment) * challenge.inverse().unwrap();
        let key = EpochPublicKey::from_bytes(&point_bytes(&key.into_affine())).unwrap();
        let forged = proof_of(commitment.into(), response);
        assert_eq!(
            key.verify_possession(&SCOPE, &forged),
            Err(PossessionRefused)
        );
    }
}
