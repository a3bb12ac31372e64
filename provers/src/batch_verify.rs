//! Many proofs, one product of pairings; on failure, bisection down to single verifications.
//!
//! Invariants: 1. the coefficients come from the operating system after the proofs are fixed, 128 bits each,
//! so a set with a bad proof passes with probability at most 2^-128 per product; 2. a proof is called bad only by
//! [`groth16::verify`](crate::groth16::verify), never by a product; 3. an `Err` judges nobody.
//!
//! Knows nothing of who sent a proof, nor of caches. One thread; the caller spreads batches.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM, pairing::Pairing};
use ark_ff::Zero;

use crate::groth16::{Groth16Proof, PreparedVerifyingKey, verify};
use crate::randomness::{self, RandomnessUnavailable};

type G2Prepared = <Bn254 as Pairing>::G2Prepared;

/// One proof to judge: `key` indexes the keys given with the batch.
#[derive(Clone, Copy)]
pub struct BatchItem<'a> {
    pub key: usize,
    pub inputs: &'a [Fr],
    pub proof: &'a Groth16Proof,
}

/// The judgement of a whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchVerdict {
    /// Indices of the items that do not verify, ascending; all others do.
    pub bad: Vec<usize>,
}

/// Why nothing was judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("item {item} names verifying key {key} of {keys}")]
    UnknownKey {
        item: usize,
        key: usize,
        keys: usize,
    },
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}

/// Judges every item. n good items cost one product of n + 3k pairings for k distinct keys; each bad item adds
/// about 2·log2(n) smaller products.
pub fn verify_batch(
    keys: &[&PreparedVerifyingKey],
    items: &[BatchItem<'_>],
) -> Result<BatchVerdict, BatchError> {
    let mut bad = Vec::new();
    let mut open = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let key = keys.get(item.key).ok_or(BatchError::UnknownKey {
            item: index,
            key: item.key,
            keys: keys.len(),
        })?;
        match key.check_input_count(item.inputs) {
            Ok(()) => open.push(index),
            Err(_) => bad.push(index),
        }
    }
    let batch = Batch { keys, items };
    batch.bisect(&open, Suspicion::None, &mut bad)?;
    bad.sort_unstable();
    Ok(BatchVerdict { bad })
}

#[derive(Clone, Copy, PartialEq)]
enum Suspicion {
    None,
    /// A product over a set that contains this one failed, and the rest of that set is good.
    Certain,
}

struct Batch<'a> {
    keys: &'a [&'a PreparedVerifyingKey],
    items: &'a [BatchItem<'a>],
}

impl Batch<'_> {
    fn bisect(
        &self,
        indices: &[usize],
        suspicion: Suspicion,
        bad: &mut Vec<usize>,
    ) -> Result<(), RandomnessUnavailable> {
        match indices {
            [] => return Ok(()),
            [single] => {
                let item = &self.items[*single];
                if verify(self.keys[item.key], item.inputs, item.proof).is_err() {
                    bad.push(*single);
                }
                return Ok(());
            }
            _ => {}
        }
        if suspicion == Suspicion::None && self.product_is_one(indices)? {
            return Ok(());
        }
        let (left, right) = indices.split_at(indices.len() / 2);
        let before = bad.len();
        self.bisect(left, Suspicion::None, bad)?;
        let suspicion = if bad.len() == before {
            Suspicion::Certain
        } else {
            Suspicion::None
        };
        self.bisect(right, suspicion, bad)
    }

    /// ∏_i (e(A_i, B_i) · e(α, β)^-1 · e(I_i, γ)^-1 · e(C_i, δ)^-1)^(r_i) = 1, the last three gathered per key.
    fn product_is_one(&self, indices: &[usize]) -> Result<bool, RandomnessUnavailable> {
        let coefficients = randomness::coefficients(indices.len())?;
        let mut sums: Vec<Option<KeySum>> = self.keys.iter().map(|_| None).collect();
        let mut g1 = Vec::with_capacity(indices.len() + 3 * self.keys.len());
        let mut g2: Vec<G2Prepared> = Vec::with_capacity(g1.capacity());
        for (&index, &r) in indices.iter().zip(&coefficients) {
            let item = &self.items[index];
            let points = item.proof.points();
            g1.push(times(&points.a, r));
            g2.push(points.b.into());
            sums[item.key]
                .get_or_insert_with(|| KeySum::new(item.inputs.len()))
                .add(r, item.inputs, points.c);
        }
        for (key, sum) in self.keys.iter().zip(sums) {
            let Some(sum) = sum else { continue };
            let [alpha, inputs, c] = sum.finish(key);
            g1.extend([alpha, inputs, c]);
            g2.push(key.beta.clone());
            g2.push(key.points.gamma_g2_neg_pc.clone());
            g2.push(key.points.delta_g2_neg_pc.clone());
        }
        let g1 = G1Projective::normalize_batch(&g1);
        Ok(Bn254::multi_pairing(g1, g2).is_zero())
    }
}

/// What the proofs under one key add up to.
struct KeySum {
    /// Σ r_i, then Σ r_i · x_ij for each input j: the multipliers of the key's input elements.
    inputs: Vec<Fr>,
    c: Vec<G1Affine>,
    coefficients: Vec<Fr>,
}

impl KeySum {
    fn new(public_inputs: usize) -> Self {
        Self {
            inputs: vec![Fr::zero(); public_inputs + 1],
            c: Vec::new(),
            coefficients: Vec::new(),
        }
    }

    fn add(&mut self, r: u128, inputs: &[Fr], c: G1Affine) {
        let r = Fr::from(r);
        self.inputs[0] += r;
        for (sum, x) in self.inputs[1..].iter_mut().zip(inputs) {
            *sum += r * x;
        }
        self.c.push(c);
        self.coefficients.push(r);
    }

    /// The G1 sides that pair with β, −γ and −δ.
    fn finish(self, key: &PreparedVerifyingKey) -> [G1Projective; 3] {
        let vk = &key.points.vk;
        // The unchecked form would silently drop what one side has too many.
        let msm = |points: &[G1Affine], scalars: &[Fr]| {
            G1Projective::msm(points, scalars)
                .expect("`check_input_count` and `add` keep them equally long")
        };
        [
            vk.alpha_g1 * -self.inputs[0],
            msm(&vk.gamma_abc_g1, &self.inputs),
            msm(&self.c, &self.coefficients),
        ]
    }
}

fn times(point: &G1Affine, r: u128) -> G1Projective {
    point.mul_bigint([r as u64, (r >> 64) as u64])
}

#[cfg(test)]
#[path = "batch_verify_tests.rs"]
mod tests;
