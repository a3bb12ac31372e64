//! Whether a `.ptau` file is what it says: powers of one τ, times 1, α and β, in both bases, from a chain of
//! contributions.
//!
//! Beyond snarkjs 0.7.6 (`powersoftau verify`): subgroups are checked for every point, combinations have
//! coefficients of 128 bits instead of 32, the doubled domain's basis has no free direction ([`Check::top_power`]),
//! and τ must not be a root of unity of that domain.

use std::io::{Read, Seek};

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{One, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use blake2::{Blake2b512, Digest};

use super::Progress;
use super::combine::{coefficients, pairings_agree, same_ratio, sum};
use super::meter::Meter;
use super::powers_chain::{ChainError, first_challenge, first_challenge_work, verify_phase_one};
use super::transcript::put_points;
use crate::iden3::{
    FileError, Iden3Point, Ptau, PtauContribution, PtauSection as S, TRANSCRIPT_BYTES,
};
use crate::randomness::RandomnessUnavailable;

/// Points held at a time.
const CHUNK: u64 = 1 << 14;

/// Why powers of τ are not to be built on.
#[derive(Debug, thiserror::Error)]
pub enum PowersError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("nobody has contributed to it")]
    NoContribution,
    #[error("contribution {contribution}: {fault}")]
    Contribution {
        contribution: usize,
        fault: ChainError,
    },
    #[error("section {}: its points are not successive powers of one tau", *section as u32)]
    NotPowers { section: S },
    #[error("section {} does not start as the last contribution says", *section as u32)]
    Start { section: S },
    #[error("section {} is not section {} in the Lagrange bases", *lagrange as u32, *monomial as u32)]
    Lagrange { lagrange: S, monomial: S },
    #[error("tau is a root of unity of a domain: keys made from it are void")]
    RootOfUnity,
    #[error("the last contribution's next challenge is not the hash of the points")]
    LastChallenge,
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}

/// One contribution of phase 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowersStep {
    pub name: Option<String>,
    pub beacon: bool,
    /// What snarkjs prints and contributors publish.
    pub response_hash: [u8; TRANSCRIPT_BYTES],
}

/// What a file that stands consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowersReport {
    pub power: u32,
    pub ceremony_power: u32,
    pub steps: Vec<PowersStep>,
    /// Whether the last contribution's challenge could be recomputed: a file cut down from a larger ceremony no
    /// longer holds the points it was taken over.
    pub last_challenge_checked: bool,
}

impl PowersReport {
    /// Whether nobody but this crate's development maker contributed, by the name it gives: a guard against mistakes,
    /// not against somebody who changes the name.
    pub fn is_development(&self) -> bool {
        let name = Some(super::dev_powers::NAME);
        self.steps.iter().all(|s| s.name.as_deref() == name)
    }
}

/// Checks everything a file prepared for phase 2 says. The responses of earlier contributors are not in it: that
/// their hashes are the published ones is for whoever took part to compare.
pub fn verify_powers<R: Read + Seek>(
    powers: &mut Ptau<R>,
    progress: Progress<'_>,
) -> Result<PowersReport, PowersError> {
    let mut meter = Meter::new(progress, work(powers.power(), powers.ceremony_power()));
    let first = first_challenge(powers.ceremony_power(), &mut meter);
    let responses =
        verify_phase_one(powers.contributions(), &first).map_err(|(contribution, fault)| {
            PowersError::Contribution {
                contribution,
                fault,
            }
        })?;
    let (Some(last), Some(response)) = (powers.contributions().last().cloned(), responses.last())
    else {
        return Err(PowersError::NoContribution);
    };
    let hasher = Blake2b512::new_with_prefix(response);
    let challenge = check_sections(powers, &last, hasher, &mut meter)?;
    let complete = powers.power() == powers.ceremony_power();
    if complete && challenge != last.next_challenge {
        return Err(PowersError::LastChallenge);
    }
    let steps = powers.contributions().iter().zip(responses);
    Ok(PowersReport {
        power: powers.power(),
        ceremony_power: powers.ceremony_power(),
        steps: steps
            .map(|(c, response_hash)| PowersStep {
                name: c.name.clone(),
                beacon: c.kind != crate::iden3::ContributionKind::Participant,
                response_hash,
            })
            .collect(),
        last_challenge_checked: complete,
    })
}

/// A point of G2 costs about three of G1.
fn work(power: u32, ceremony_power: u32) -> u64 {
    let g1 = [
        S::TauG1,
        S::AlphaTauG1,
        S::BetaTauG1,
        S::LagrangeTauG1,
        S::LagrangeAlphaTauG1,
        S::LagrangeBetaTauG1,
    ];
    let g2 = [S::TauG2, S::LagrangeTauG2];
    let points = |sections: &[S]| sections.iter().map(|s| s.points(power)).sum::<u64>();
    let doubled = 2 << power;
    points(&g1) + 3 * points(&g2) + doubled + first_challenge_work(ceremony_power)
}

fn check_sections<R: Read + Seek>(
    powers: &mut Ptau<R>,
    last: &PtauContribution,
    hasher: Blake2b512,
    meter: &mut Meter<'_>,
) -> Result<[u8; TRANSCRIPT_BYTES], PowersError> {
    let (one_g1, one_g2) = (G1Affine::generator(), G2Affine::generator());
    let mut check = Check {
        powers,
        hasher,
        meter,
    };
    let ratio_g1 = |s: &Sums<G1Affine>| pairings_agree(s.low, last.tau_g2, s.high, one_g2);
    let ratio_g2 = |s: &Sums<G2Affine>| pairings_agree(one_g1, s.high, last.tau_g1, s.low);

    let top = check.top_power(last.tau_g2)?;
    check.section(
        (S::TauG1, S::LagrangeTauG1),
        &[one_g1, last.tau_g1],
        Some(top),
        ratio_g1,
    )?;
    let at_domain: G1Affine = check
        .powers
        .points(S::TauG1, 1 << check.powers.power(), 1)?[0];
    if at_domain == one_g1 || at_domain == -one_g1 {
        return Err(PowersError::RootOfUnity);
    }
    check.section(
        (S::TauG2, S::LagrangeTauG2),
        &[one_g2, last.tau_g2],
        None,
        ratio_g2,
    )?;
    check.section(
        (S::AlphaTauG1, S::LagrangeAlphaTauG1),
        &[last.alpha_g1],
        None,
        ratio_g1,
    )?;
    check.section(
        (S::BetaTauG1, S::LagrangeBetaTauG1),
        &[last.beta_g1],
        None,
        ratio_g1,
    )?;
    let beta_g2: Vec<G2Affine> = check.powers.points(S::BetaG2, 0, 1)?;
    put_points(&mut check.hasher, &beta_g2);
    if beta_g2[0] != last.beta_g2 || !same_ratio(one_g1, last.beta_g1, one_g2, beta_g2[0]) {
        return Err(PowersError::Start { section: S::BetaG2 });
    }
    Ok(check.hasher.finalize().into())
}

/// Of a section's points P: Σ r_i·P_i, Σ r_i·P_(i+1), and the sum its Lagrange bases must give as well.
struct Sums<P: Iden3Point> {
    low: P,
    high: P,
    weighted: P::Group,
    first: Vec<P>,
}

struct Check<'a, 'm, R> {
    powers: &'a mut Ptau<R>,
    hasher: Blake2b512,
    meter: &'a mut Meter<'m>,
}

impl<R: Read + Seek> Check<'_, '_, R> {
    fn section<P: Iden3Point>(
        &mut self,
        (monomial, lagrange): (S, S),
        starts: &[P],
        beyond: Option<P>,
        successive: impl Fn(&Sums<P>) -> bool,
    ) -> Result<(), PowersError> {
        let (weights, transformed) = self.weights(lagrange)?;
        let sums = self.monomials::<P>(monomial, &weights)?;
        if !sums.first.starts_with(starts) {
            return Err(PowersError::Start { section: monomial });
        }
        if !successive(&sums) {
            return Err(PowersError::NotPowers { section: monomial });
        }
        let mut expected = sums.weighted;
        let beyond_weight = weights.get(monomial.points(self.powers.power()) as usize);
        if let (Some(beyond), Some(weight)) = (beyond, beyond_weight) {
            expected += beyond * *weight;
        }
        if self.sum::<P>(lagrange, 0, &transformed)? != expected {
            return Err(PowersError::Lagrange { lagrange, monomial });
        }
        Ok(())
    }

    /// The coefficient of the highest power in the doubled domain's basis: Σ_j ω^-(N-1)j · L_j. Section 2 has no point
    /// for it, and snarkjs does not look at it: a file prepared by snarkjs has zero there, one cut from a larger file
    /// the power itself. Anything else is a point of somebody's choice, which the contributions would divide by δ:
    /// with an input's element there, proofs of any statement.
    fn top_power(&mut self, tau_g2: G2Affine) -> Result<G1Affine, PowersError> {
        let power = self.powers.power() + 1;
        let domain = Radix2EvaluationDomain::<Fr>::new(1 << power)
            .expect("powers are bounded by the field's 2-adicity");
        let inverse = domain.group_gen_inv();
        let scalars: Vec<Fr> = std::iter::successors(Some(Fr::one()), |s| Some(*s * inverse))
            .take(1 << power)
            .collect();
        let start = S::lagrange_start(power);
        let top = self
            .sum::<G1Affine>(S::LagrangeTauG1, start, &scalars)?
            .into_affine();
        let last = S::TauG1.points(self.powers.power()) - 1;
        let last: G1Affine = self.powers.points(S::TauG1, last, 1)?[0];
        if top.is_zero() || pairings_agree(last, tau_g2, top, G2Affine::generator()) {
            return Ok(top);
        }
        Err(PowersError::Lagrange {
            lagrange: S::LagrangeTauG1,
            monomial: S::TauG1,
        })
    }

    /// Σ_i r_i·τ^i = Σ_j fft(r)_j·L_j(τ) for the Lagrange basis L of any one domain. All domains at once, each
    /// with coefficients of its own: the first list is for the powers, the second for the section's points.
    fn weights(&self, lagrange: S) -> Result<(Vec<Fr>, Vec<Fr>), RandomnessUnavailable> {
        let points = lagrange.points(self.powers.power());
        let largest = points.ilog2();
        let mut weights = vec![Fr::zero(); 1 << largest];
        let mut transformed = Vec::with_capacity(points as usize);
        for power in 0..=largest {
            let drawn = coefficients(1 << power)?;
            for (weight, drawn) in weights.iter_mut().zip(&drawn) {
                *weight += drawn;
            }
            let domain = Radix2EvaluationDomain::<Fr>::new(1 << power)
                .expect("powers are bounded by the field's 2-adicity");
            transformed.extend(domain.fft(&drawn));
        }
        Ok((weights, transformed))
    }

    fn monomials<P: Iden3Point>(
        &mut self,
        section: S,
        weights: &[Fr],
    ) -> Result<Sums<P>, PowersError> {
        let count = section.points(self.powers.power());
        let (mut low, mut high) = (P::Group::zero(), P::Group::zero());
        let mut weighted = P::Group::zero();
        let mut first = Vec::new();
        // The last point of the chunk before, so that the pair across the border is checked too.
        let mut carried: Vec<P> = Vec::new();
        for start in (0..count).step_by(CHUNK as usize) {
            let points: Vec<P> = self
                .powers
                .points(section, start, CHUNK.min(count - start))?;
            put_points(&mut self.hasher, &points);
            if start == 0 {
                first = points[..points.len().min(2)].to_vec();
            }
            weighted += sum(&points, &weights[start as usize..][..points.len()]);
            let mut row = carried;
            row.extend_from_slice(&points);
            let scalars = coefficients(row.len() - 1)?;
            low += sum(&row[..row.len() - 1], &scalars);
            high += sum(&row[1..], &scalars);
            carried = row.split_off(row.len() - 1);
            self.count::<P>(points.len());
        }
        Ok(Sums {
            low: low.into_affine(),
            high: high.into_affine(),
            weighted,
            first,
        })
    }

    fn sum<P: Iden3Point>(
        &mut self,
        section: S,
        from: u64,
        scalars: &[Fr],
    ) -> Result<P::Group, PowersError> {
        let mut total = P::Group::zero();
        for (start, scalars) in (from..)
            .step_by(CHUNK as usize)
            .zip(scalars.chunks(CHUNK as usize))
        {
            let points: Vec<P> = self.powers.points(section, start, scalars.len() as u64)?;
            total += sum(&points, scalars);
            self.count::<P>(points.len());
        }
        Ok(total)
    }

    fn count<P: Iden3Point>(&mut self, points: usize) {
        let each = if <P as Iden3Point>::BYTES == <G1Affine as Iden3Point>::BYTES {
            1
        } else {
            3
        };
        self.meter.add(each * points as u64);
    }
}
