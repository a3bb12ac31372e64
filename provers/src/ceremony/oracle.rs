//! Points and scalars from hashes as ffjavascript 0.3 draws them: ChaCha20 keyed by eight big-endian words,
//! candidates cut to 254 bits and taken as Montgomery form.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, g2};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, CurveConfig, CurveGroup};
use ark_ff::{BigInt, Field, Fp, MontBackend, MontConfig, PrimeField, Zero};
use blake2::{Blake2b512, Digest};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use sha2::Sha256;

use crate::iden3::{Iden3Point, TRANSCRIPT_BYTES};

/// snarkjs's own bound.
pub const MIN_BEACON_ITERATIONS_LOG2: u8 = 10;
/// 2^32 SHA-256 in a row take minutes; a file could ask for 2^255.
pub const MAX_BEACON_ITERATIONS_LOG2: u8 = 32;
/// A length is one byte in the file.
pub const MAX_BEACON_BYTES: usize = 255;

pub(super) struct Oracle(ChaCha20);

impl Oracle {
    /// From the first 32 bytes of a hash.
    pub(super) fn new(hash: &[u8]) -> Self {
        let mut key = [0; 32];
        for (word, bytes) in key.chunks_exact_mut(4).zip(hash.chunks_exact(4)) {
            word.copy_from_slice(bytes);
            // The words are read big-endian and keyed little-endian.
            word.reverse();
        }
        Self(ChaCha20::new(&key.into(), &[0; 12].into()))
    }

    fn word(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.apply_keystream(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn element<C: MontConfig<4>>(&mut self) -> Fp<MontBackend<C, 4>, 4> {
        loop {
            let mut limbs = [0; 4];
            for limb in &mut limbs {
                let high = u64::from(self.word());
                *limb = high << 32 | u64::from(self.word());
            }
            // Both fields have 254 bits.
            limbs[3] &= (1 << 62) - 1;
            let form = BigInt::new(limbs);
            if form < C::MODULUS {
                // Unchecked means: not brought into Montgomery form; ffjavascript takes it as such.
                return Fp::new_unchecked(form);
            }
        }
    }

    pub(super) fn scalar(&mut self) -> Fr {
        self.element()
    }

    pub(super) fn g1(&mut self) -> G1Affine {
        self.curve_point(|oracle| oracle.element(), is_negative)
    }

    pub(super) fn g2(&mut self) -> G2Affine {
        let point: G2Affine = self.curve_point(
            |oracle| {
                let c0 = oracle.element();
                Fq2::new(c0, oracle.element())
            },
            |y: &Fq2| match y.c1.is_zero() {
                true => is_negative(&y.c0),
                false => is_negative(&y.c1),
            },
        );
        // By the cofactor itself, not by a faster multiple of it: snarkjs multiplies by exactly this.
        point
            .mul_bigint(<g2::Config as CurveConfig>::COFACTOR)
            .into_affine()
    }

    fn curve_point<P: SWCurveConfig>(
        &mut self,
        mut coordinate: impl FnMut(&mut Self) -> P::BaseField,
        is_negative: impl Fn(&P::BaseField) -> bool,
    ) -> Affine<P> {
        loop {
            let x = coordinate(self);
            let greatest = self.word() & 1 == 1;
            let y_squared = x.square() * x + P::COEFF_B;
            if let Some(y) = y_squared.sqrt() {
                let y = if is_negative(&y) == greatest { y } else { -y };
                // On the curve by the root just taken; the caller clears G2's cofactor, G1 has none.
                return Affine::new_unchecked(x, y);
            }
        }
    }
}

fn is_negative(y: &Fq) -> bool {
    y.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO
}

/// The challenge point of a phase 2 contribution.
pub(super) fn hash_to_g2(transcript: &[u8; TRANSCRIPT_BYTES]) -> G2Affine {
    Oracle::new(transcript).g2()
}

/// The challenge point of one of the three keys of a phase 1 contribution: 0 for τ, 1 for α, 2 for β.
pub(super) fn phase_one_challenge(
    which: u8,
    challenge: &[u8; TRANSCRIPT_BYTES],
    g1_s: &G1Affine,
    g1_sx: &G1Affine,
) -> G2Affine {
    let mut points = Vec::new();
    g1_s.put_uncompressed(&mut points);
    g1_sx.put_uncompressed(&mut points);
    let hash = Blake2b512::new()
        .chain_update([which])
        .chain_update(challenge)
        .chain_update(points)
        .finalize();
    Oracle::new(&hash).g2()
}

/// SHA-256 iterated 2^`iterations_log2` times over the value; the caller has bounded the exponent.
pub(super) fn beacon_oracle(value: &[u8], iterations_log2: u8) -> Oracle {
    let mut hash: [u8; 32] = Sha256::digest(value).into();
    for _ in 1..1u64 << iterations_log2 {
        hash = Sha256::digest(hash).into();
    }
    Oracle::new(&hash)
}
