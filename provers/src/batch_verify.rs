//! Many proofs, one product of pairings; on failure, bisection down to single verifications.
//!
//! Invariants: 1. the coefficients come from the operating system after the proofs are fixed, 128 bits each,
//! so a set with a bad proof passes with probability at most 2^-128 per product; 2. a proof is called bad only by
//! [`groth16::verify`](crate::groth16::verify), never by a product; 3. an `Err` judges nobody.
//!
//! Knows nothing of who sent a proof, nor of caches. One thread; the caller spreads batches.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective};
use ark_ec::pairing::{MillerLoopOutput, Pairing};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::Zero;

use crate::groth16::{Groth16Proof, PreparedVerifyingKey, verify};
use crate::lanes::{self, Lanes};
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
        Ok(match lanes::available() {
            Some(lanes) => self.product_in_lanes(lanes, indices, &coefficients),
            None => self.product_plainly(indices, &coefficients),
        })
    }

    fn product_plainly(&self, indices: &[usize], coefficients: &[u128]) -> bool {
        let mut sums = self.empty_sums();
        let mut g1 = Vec::with_capacity(indices.len());
        let mut g2: Vec<G2Prepared> = Vec::with_capacity(indices.len() + 3 * self.keys.len());
        let mut c = vec![(Vec::new(), Vec::new()); self.keys.len()];
        for (&index, &r) in indices.iter().zip(coefficients) {
            let item = &self.items[index];
            let points = item.proof.points();
            g1.push(times(&points.a, r));
            g2.push(points.b.into());
            let r = Fr::from(r);
            sums[item.key].add(r, item.inputs);
            c[item.key].0.push(points.c);
            c[item.key].1.push(r);
        }
        for (sum, (points, scalars)) in sums.iter_mut().zip(&c) {
            sum.c = msm(points, scalars);
        }
        let mut g1 = G1Projective::normalize_batch(&g1);
        self.close(sums, &mut g1, &mut g2);
        Bn254::multi_pairing(g1, g2).is_zero()
    }

    /// The same with the coefficients that lanes take.
    fn product_in_lanes(&self, lanes: Lanes, indices: &[usize], coefficients: &[u128]) -> bool {
        let points = || indices.iter().map(|&i| self.items[i].proof.points());
        let short = |r: &u128| [*r as u64, (*r >> 64) as u64];
        let coefficients: Vec<_> = coefficients.iter().map(short).collect();
        let a: Vec<_> = points().map(|p| p.a).collect();
        let a = G1Projective::normalize_batch(&lanes.scale(&a, &coefficients));
        let c: Vec<_> = points().map(|p| p.c).collect();
        let c = lanes.scale(&c, &coefficients);

        let mut sums = self.empty_sums();
        for ((&index, &r), c) in indices.iter().zip(&coefficients).zip(c) {
            let item = &self.items[index];
            sums[item.key].add(lanes::scalar_of(r), item.inputs);
            sums[item.key].c += c;
        }
        // A coefficient of zero, which happens by chance once in 2^128, makes a pair that stands for one.
        let pairs = a.into_iter().zip(points().map(|p| p.b));
        let pairs: Vec<_> = pairs.filter(|(a, _)| !a.is_zero()).collect();
        let (mut g1, mut g2) = (Vec::new(), Vec::new());
        self.close(sums, &mut g1, &mut g2);
        let product = lanes.miller(&pairs).0 * Bn254::multi_miller_loop(g1, g2).0;
        Bn254::final_exponentiation(MillerLoopOutput(product)).is_some_and(|one| one.is_zero())
    }

    fn empty_sums(&self) -> Vec<KeySum> {
        let keys = self.keys.iter();
        keys.map(|key| KeySum::new(key.public_inputs())).collect()
    }

    /// Adds what pairs with β, −γ and −δ of every key that was used.
    fn close(&self, sums: Vec<KeySum>, g1: &mut Vec<G1Affine>, g2: &mut Vec<G2Prepared>) {
        for (key, sum) in self.keys.iter().zip(sums) {
            if sum.is_used {
                g1.extend(G1Projective::normalize_batch(&sum.finish(key)));
                g2.push(key.beta.clone());
                g2.push(key.points.gamma_g2_neg_pc.clone());
                g2.push(key.points.delta_g2_neg_pc.clone());
            }
        }
    }
}

/// What the proofs under one key add up to.
struct KeySum {
    is_used: bool,
    /// Σ r_i, then Σ r_i · x_ij for each input j: the multipliers of the key's input elements.
    inputs: Vec<Fr>,
    /// Σ r_i · C_i
    c: G1Projective,
}

impl KeySum {
    fn new(public_inputs: usize) -> Self {
        Self {
            is_used: false,
            inputs: vec![Fr::zero(); public_inputs + 1],
            c: G1Projective::zero(),
        }
    }

    fn add(&mut self, r: Fr, inputs: &[Fr]) {
        self.is_used = true;
        self.inputs[0] += r;
        for (sum, x) in self.inputs[1..].iter_mut().zip(inputs) {
            *sum += r * x;
        }
    }

    /// The G1 sides that pair with β, −γ and −δ.
    fn finish(self, key: &PreparedVerifyingKey) -> [G1Projective; 3] {
        let vk = &key.points.vk;
        [
            vk.alpha_g1 * -self.inputs[0],
            msm(&vk.gamma_abc_g1, &self.inputs),
            self.c,
        ]
    }
}

/// The unchecked form would silently drop what one side has too many.
fn msm(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    G1Projective::msm(points, scalars)
        .expect("`check_input_count` and `product_plainly` keep them equally long")
}

fn times(point: &G1Affine, r: u128) -> G1Projective {
    point.mul_bigint([r as u64, (r >> 64) as u64])
}

#[cfg(test)]
#[path = "batch_verify_tests.rs"]
mod tests;
