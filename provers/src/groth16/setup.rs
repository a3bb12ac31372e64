//! A proving key made by one party, for development and tests. **Insecure by construction**: whoever ran it
//! saw the trapdoor and could forge any proof. Production keys come from a ceremony.
//!
//! Straight from the matrices: what ark-groth16's generator computes with [`CircomReduction`], without a
//! constraint system in between, on the standard generators, on rayon's global pool.

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::{
    CurveGroup, PrimeGroup,
    scalar_mul::{BatchMulPreprocessing, ScalarMul},
};
use ark_ff::{Field, Zero};
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{CircomReduction, ProvingKey, VerifyingKey};
use crate::R1cs;
use crate::randomness::{RandomnessUnavailable, scalar_where};

/// Points multiplied between two reports of progress, and per rayon task.
const REPORT_EVERY: usize = 8192;
const TASK: usize = 512;

/// Which of the key's queries is being computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupStage {
    Inputs,
    AQuery,
    BQueryG1,
    BQueryG2,
    HQuery,
    LQuery,
}

/// How far a set-up is: `done` of `total` group elements, over all stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupProgress {
    pub stage: SetupStage,
    pub done: usize,
    pub total: usize,
}

/// Makes keys for a circuit from the operating system's randomness. The trapdoor is zeroised, but nobody
/// else has a reason to believe it. `progress` is called on this thread.
pub fn insecure_dev_setup(
    r1cs: &R1cs,
    progress: impl FnMut(SetupProgress),
) -> Result<(ProvingKey, VerifyingKey), RandomnessUnavailable> {
    let trapdoor = Trapdoor::draw(r1cs.domain_size())?;
    let key = generate(r1cs, &trapdoor, progress);
    let verifying_key = key.verifying_key().clone();
    Ok((key, verifying_key))
}

/// The secret of a set-up. No `Debug`, no `Clone`.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Trapdoor {
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
    tau: Fr,
}

impl Trapdoor {
    fn draw(domain_size: usize) -> Result<Self, RandomnessUnavailable> {
        let domain = domain(domain_size);
        let nonzero = || scalar_where(|s| !s.is_zero());
        let gamma = nonzero()?;
        Ok(Self {
            alpha: nonzero()?,
            beta: nonzero()?,
            gamma,
            // With δ = γ a prover could move value between L and the public inputs.
            delta: scalar_where(|s| !s.is_zero() && *s != gamma)?,
            tau: scalar_where(|s| !domain.evaluate_vanishing_polynomial(*s).is_zero())?,
        })
    }
}

fn domain(size: usize) -> Radix2EvaluationDomain<Fr> {
    Radix2EvaluationDomain::new(size).expect("R1cs::new bounds the domain")
}

fn generate(r1cs: &R1cs, trapdoor: &Trapdoor, progress: impl FnMut(SetupProgress)) -> ProvingKey {
    let (instance, variables, n) = (
        r1cs.instance_variables(),
        r1cs.variables(),
        r1cs.domain_size(),
    );
    let [a, b, c] = evaluate_at_tau(r1cs, &trapdoor.tau);
    let inverse = |x: Fr| x.inverse().expect("γ and δ were drawn non-zero");
    let delta_inverse = inverse(trapdoor.delta);
    let combined = |range: std::ops::Range<usize>, over: Fr| {
        Zeroizing::new(
            range
                .map(|i| (trapdoor.beta * a[i] + trapdoor.alpha * b[i] + c[i]) * over)
                .collect::<Vec<_>>(),
        )
    };
    let inputs = combined(0..instance, inverse(trapdoor.gamma));
    let l = combined(instance..variables, delta_inverse);
    let h = Zeroizing::new(
        CircomReduction::h_query_scalars::<Fr, Radix2EvaluationDomain<Fr>>(
            n - 1,
            trapdoor.tau,
            Fr::zero(),
            delta_inverse,
        )
        .expect("R1cs::new bounds the doubled domain"),
    );

    let total = 2 * variables + n + variables + variables;
    let g1_table = BatchMulPreprocessing::new(G1Projective::generator(), total - variables);
    let g2_table = BatchMulPreprocessing::new(G2Projective::generator(), variables);
    let mut meter = Meter {
        report: progress,
        done: 0,
        total,
    };
    let g1 = |s: Fr| (G1Projective::generator() * s).into_affine();
    let g2 = |s: Fr| (G2Projective::generator() * s).into_affine();

    let vk = ark_groth16::VerifyingKey::<Bn254> {
        alpha_g1: g1(trapdoor.alpha),
        beta_g2: g2(trapdoor.beta),
        gamma_g2: g2(trapdoor.gamma),
        delta_g2: g2(trapdoor.delta),
        gamma_abc_g1: meter.multiply(SetupStage::Inputs, &g1_table, &inputs),
    };
    let points = ark_groth16::ProvingKey {
        vk,
        beta_g1: g1(trapdoor.beta),
        delta_g1: g1(trapdoor.delta),
        a_query: meter.multiply(SetupStage::AQuery, &g1_table, &a),
        b_g1_query: meter.multiply(SetupStage::BQueryG1, &g1_table, &b),
        b_g2_query: meter.multiply(SetupStage::BQueryG2, &g2_table, &b),
        h_query: meter.multiply(SetupStage::HQuery, &g1_table, &h),
        l_query: meter.multiply(SetupStage::LQuery, &g1_table, &l),
    };
    ProvingKey::new(points, r1cs).expect("the key was generated with this circuit's shape")
}

/// Every variable's polynomials u, v, w of the QAP at τ (Groth16 §3.1; the public inputs' rows as in libsnark).
fn evaluate_at_tau(r1cs: &R1cs, tau: &Fr) -> [Zeroizing<Vec<Fr>>; 3] {
    let lagrange =
        Zeroizing::new(domain(r1cs.domain_size()).evaluate_all_lagrange_coefficients(*tau));
    let constraints = r1cs.constraints();
    let mut evaluations = r1cs.matrices().each_ref().map(|matrix| {
        let mut values = Zeroizing::new(vec![Fr::zero(); r1cs.variables()]);
        for (row, at_row) in matrix.iter().zip(lagrange.iter()) {
            for (coefficient, variable) in row {
                values[*variable] += *coefficient * at_row;
            }
        }
        values
    });
    for (input, value) in evaluations[0][..r1cs.instance_variables()]
        .iter_mut()
        .enumerate()
    {
        *value += lagrange[constraints + input];
    }
    evaluations
}

/// Multiplies a generator by scalars, reporting now and then.
struct Meter<P> {
    report: P,
    done: usize,
    total: usize,
}

impl<P: FnMut(SetupProgress)> Meter<P> {
    fn multiply<T: ScalarMul<ScalarField = Fr>>(
        &mut self,
        stage: SetupStage,
        table: &BatchMulPreprocessing<T>,
        scalars: &[Fr],
    ) -> Vec<T::MulBase> {
        let mut points = Vec::with_capacity(scalars.len());
        for group in scalars.chunks(REPORT_EVERY) {
            let tasks: Vec<Vec<T::MulBase>> = group
                .par_chunks(TASK)
                .map(|task| table.batch_mul(task))
                .collect();
            points.extend(tasks.into_iter().flatten());
            self.done += group.len();
            (self.report)(SetupProgress {
                stage,
                done: self.done,
                total: self.total,
            });
        }
        points
    }
}

#[cfg(test)]
#[path = "setup_tests.rs"]
mod tests;
