//! Powers of τ made by one party, for tests and development. **Insecure by construction** unless others contribute to
//! them afterwards (`snarkjs powersoftau contribute`): whoever ran it saw τ, α and β.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{
    AffineRepr, CurveGroup, PrimeGroup,
    scalar_mul::{BatchMulPreprocessing, ScalarMul},
};
use ark_ff::{Field, One, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use blake2::{Blake2b512, Digest};
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Progress;
use super::blake::ResumableBlake2b;
use super::meter::Meter;
use super::powers_chain::{first_challenge, first_challenge_work, public_key, response_hash};
use super::transcript::put_points;
use crate::iden3::{
    ContributionKind, Iden3Point, PARTIAL_HASH_BYTES, PtauContent, PtauContribution,
    PtauSection as S, TRANSCRIPT_BYTES,
};
use crate::randomness::{RandomnessUnavailable, scalar_where};

pub(super) const NAME: &str = "INSECURE: one party's development powers";
/// Points multiplied between two reports of progress, and per rayon task.
const REPORT_EVERY: usize = 8192;
const TASK: usize = 512;

#[derive(Zeroize, ZeroizeOnDrop)]
struct Trapdoor {
    tau: Fr,
    alpha: Fr,
    beta: Fr,
}

/// The content of a file of 2^`power`, prepared for phase 2, with one contribution that says INSECURE.
///
/// # Panics
/// If `power` is 0 or above 20: larger ones come from public ceremonies.
pub fn insecure_dev_powers(
    power: u32,
    progress: Progress<'_>,
) -> Result<PtauContent, RandomnessUnavailable> {
    assert!((1..=20).contains(&power), "a development file's power");
    let nonzero = || scalar_where(|s| !s.is_zero());
    let trapdoor = Trapdoor {
        tau: scalar_where(|s| !s.pow([2u64 << power]).is_one() && !s.is_zero())?,
        alpha: nonzero()?,
        beta: nonzero()?,
    };
    under(&trapdoor, power, progress)
}

/// Powers of a τ that no honest party draws.
#[cfg(test)]
pub(super) fn powers_of_tau(tau: Fr, power: u32) -> PtauContent {
    let trapdoor = Trapdoor {
        tau,
        alpha: Fr::from(5u64),
        beta: Fr::from(7u64),
    };
    under(&trapdoor, power, &mut |_, _| {}).expect("the operating system has randomness")
}

fn under(
    trapdoor: &Trapdoor,
    power: u32,
    progress: Progress<'_>,
) -> Result<PtauContent, RandomnessUnavailable> {
    let points = |sections: [S; 4]| sections.iter().map(|s| s.points(power)).sum::<u64>();
    let g1 = points([S::TauG1, S::AlphaTauG1, S::BetaTauG1, S::LagrangeTauG1])
        + 2 * S::LagrangeAlphaTauG1.points(power);
    let g2 = S::TauG2.points(power) + S::LagrangeTauG2.points(power);
    let total = g1 + 3 * g2 + first_challenge_work(power);
    let mut meter = Meter::new(progress, total);
    let challenge = first_challenge(power, &mut meter);

    let one = Fr::one();
    let (tau, alpha, beta) = (&trapdoor.tau, &trapdoor.alpha, &trapdoor.beta);
    let monomials = |factor: &Fr, section: S| powers_of(tau, factor, section.points(power));
    let lagrange = |factor: &Fr, section: S| {
        let largest = section.points(power).ilog2();
        // The doubled domain's basis is of the polynomial without the power the file has no point for.
        let known = S::TauG1.points(power);
        lagrange_bases(tau, factor, largest, known)
    };
    let g1_table = BatchMulPreprocessing::new(G1Projective::generator(), g1 as usize);
    let g2_table = BatchMulPreprocessing::new(G2Projective::generator(), g2 as usize);
    let mut g1 = |scalars: &[Fr]| multiply(&g1_table, scalars, 1, &mut meter);
    let tau_g1 = g1(&monomials(&one, S::TauG1));
    let alpha_tau_g1 = g1(&monomials(alpha, S::AlphaTauG1));
    let beta_tau_g1 = g1(&monomials(beta, S::BetaTauG1));
    let lagrange_tau_g1 = g1(&lagrange(&one, S::LagrangeTauG1));
    let lagrange_alpha_tau_g1 = g1(&lagrange(alpha, S::LagrangeAlphaTauG1));
    let lagrange_beta_tau_g1 = g1(&lagrange(beta, S::LagrangeBetaTauG1));
    let mut g2 = |scalars: &[Fr]| multiply(&g2_table, scalars, 3, &mut meter);
    let tau_g2 = g2(&monomials(&one, S::TauG2));
    let lagrange_tau_g2 = g2(&lagrange(&one, S::LagrangeTauG2));
    let beta_g2 = (G2Affine::generator() * beta).into_affine();

    let mut content = PtauContent {
        power,
        tau_g1,
        tau_g2,
        alpha_tau_g1,
        beta_tau_g1,
        beta_g2,
        contributions: Vec::new(),
        lagrange_tau_g1,
        lagrange_tau_g2,
        lagrange_alpha_tau_g1,
        lagrange_beta_tau_g1,
    };
    let step = contribution(&content, trapdoor, &challenge)?;
    content.contributions.push(step);
    Ok(content)
}

fn powers_of(tau: &Fr, factor: &Fr, count: u64) -> Zeroizing<Vec<Fr>> {
    let mut power = Zeroizing::new(*factor);
    let next = |_| {
        let current = *power;
        *power *= tau;
        current
    };
    Zeroizing::new((0..count).map(next).collect())
}

fn lagrange_bases(tau: &Fr, factor: &Fr, largest: u32, known: u64) -> Zeroizing<Vec<Fr>> {
    let mut bases = Zeroizing::new(Vec::with_capacity(2 << largest));
    for power in 0..=largest {
        let mut values = powers_of(tau, factor, known.min(1 << power));
        let domain = Radix2EvaluationDomain::<Fr>::new(1 << power)
            .expect("powers are bounded by the field's 2-adicity");
        domain.ifft_in_place(&mut *values);
        bases.extend_from_slice(&values);
    }
    bases
}

fn multiply<T: ScalarMul<ScalarField = Fr>>(
    table: &BatchMulPreprocessing<T>,
    scalars: &[Fr],
    weight: u64,
    meter: &mut Meter<'_>,
) -> Vec<T::MulBase> {
    let mut points = Vec::with_capacity(scalars.len());
    for group in scalars.chunks(REPORT_EVERY) {
        let tasks: Vec<Vec<T::MulBase>> = group
            .par_chunks(TASK)
            .map(|task| table.batch_mul(task))
            .collect();
        points.extend(tasks.into_iter().flatten());
        meter.add(weight * group.len() as u64);
    }
    points
}

/// The one contribution, hashed as snarkjs hashes its own (`powersoftau_contribute.js`).
fn contribution(
    content: &PtauContent,
    trapdoor: &Trapdoor,
    challenge: &[u8; TRANSCRIPT_BYTES],
) -> Result<PtauContribution, RandomnessUnavailable> {
    let points = [(); 3].map(|()| scalar_where(|s| !s.is_zero()));
    let [a, b, c] = points;
    let points = Zeroizing::new([a?, b?, c?]);
    let shares = Zeroizing::new([trapdoor.tau, trapdoor.alpha, trapdoor.beta]);
    let key = public_key(&shares, challenge, |i| {
        (G1Affine::generator() * points[i]).into_affine()
    });
    let mut step = PtauContribution {
        tau_g1: content.tau_g1[1],
        tau_g2: content.tau_g2[1],
        alpha_g1: content.alpha_tau_g1[0],
        beta_g1: content.beta_tau_g1[0],
        beta_g2: content.beta_g2,
        key,
        partial_hash: partial_response(content, challenge),
        next_challenge: [0; TRANSCRIPT_BYTES],
        name: Some(NAME.into()),
        kind: ContributionKind::Participant,
    };
    let response = response_hash(&step).expect("the state was made here");
    let mut hasher = Blake2b512::new_with_prefix(response);
    put_points(&mut hasher, &content.tau_g1);
    put_points(&mut hasher, &content.tau_g2);
    put_points(&mut hasher, &content.alpha_tau_g1);
    put_points(&mut hasher, &content.beta_tau_g1);
    put_points(&mut hasher, &[content.beta_g2]);
    step.next_challenge = hasher.finalize().into();
    Ok(step)
}

fn partial_response(
    content: &PtauContent,
    challenge: &[u8; TRANSCRIPT_BYTES],
) -> [u8; PARTIAL_HASH_BYTES] {
    let mut hasher = ResumableBlake2b::new();
    hasher.update(challenge);
    put_compressed(&mut hasher, &content.tau_g1);
    put_compressed(&mut hasher, &content.tau_g2);
    put_compressed(&mut hasher, &content.alpha_tau_g1);
    put_compressed(&mut hasher, &content.beta_tau_g1);
    put_compressed(&mut hasher, &[content.beta_g2]);
    hasher.partial()
}

/// iden3's compressed form: x big-endian, its top bit set if y is the greater root. arkworks' form reversed, where
/// the flag has the same place; no point here is the identity.
fn put_compressed<P: Iden3Point>(hasher: &mut ResumableBlake2b, points: &[P]) {
    let mut bytes = Vec::new();
    for point in points {
        bytes.clear();
        point
            .serialize_compressed(&mut bytes)
            .expect("writing to memory cannot fail");
        bytes.reverse();
        hasher.update(&bytes);
    }
}
