//! The key before any contribution (δ = γ = 1), from a circuit and the powers of τ: what `snarkjs zkey new` makes.

use std::io::{Read, Seek};

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{One, Zero};
use blake2::{Blake2b512, Digest};
use rayon::prelude::*;

use super::Progress;
use super::combine::{normalise, sum_here};
use super::meter::Meter;
use super::transcript::{put_point, put_points};
use crate::R1cs;
use crate::iden3::{
    FileError, Iden3Point, PhaseTwo, Ptau, PtauSection, TRANSCRIPT_BYTES, Zkey, ZkeyHeader,
    encode_coefficients,
};

/// Columns summed between two reports of progress.
const REPORT_EVERY: usize = 512;
/// snarkjs hashes H's points so many at a time.
const HASH_CHUNK: usize = 1 << 14;

/// Why there is no key for a circuit under these powers.
#[derive(Debug, thiserror::Error)]
pub enum InitialError {
    #[error("the powers of tau cannot be read: {0}")]
    Powers(#[from] FileError),
    #[error(
        "the circuit needs a domain of 2^{circuit}, the powers of tau reach 2^{powers}: take a larger .ptau file"
    )]
    TooFewPowers { circuit: u32, powers: u32 },
    /// The points it would then hash lie in the next section, so the hash is of no circuit.
    #[error(
        "snarkjs 0.7.6 reads one point too many for a domain of 2^{circuit} under a .ptau of the same power: take one of 2^{next}", next = circuit + 1
    )]
    SamePower { circuit: u32 },
}

/// The initial key; byte for byte snarkjs's. Every point of the powers that is used is checked to be in its group,
/// not that they are powers: [`super::verify_powers`] does that.
pub fn initial_zkey<R: Read + Seek>(
    circuit: &R1cs,
    powers: &mut Ptau<R>,
    progress: Progress<'_>,
) -> Result<Zkey, InitialError> {
    let (domain, power) = (circuit.domain_size(), circuit.domain_size().ilog2());
    if power > powers.power() {
        return Err(InitialError::TooFewPowers {
            circuit: power,
            powers: powers.power(),
        });
    }
    if domain > HASH_CHUNK && power == powers.power() {
        return Err(InitialError::SamePower { circuit: power });
    }
    let tau_g1: Vec<G1Affine> = powers.lagrange(PtauSection::LagrangeTauG1, power)?;
    let tau_g2: Vec<G2Affine> = powers.lagrange(PtauSection::LagrangeTauG2, power)?;
    let alpha: Vec<G1Affine> = powers.lagrange(PtauSection::LagrangeAlphaTauG1, power)?;
    let beta: Vec<G1Affine> = powers.lagrange(PtauSection::LagrangeBetaTauG1, power)?;

    let [a, b, c] = circuit.matrices();
    let one = Fr::one();
    let instance: Vec<Instance> = instance_rows(circuit, &one);
    let columns_a = Columns::new(circuit, &[(0, a)], &instance);
    let columns_b = Columns::new(circuit, &[(0, b)], &[]);
    let columns_c = Columns::new(circuit, &[(0, a), (1, b), (2, c)], &instance);
    let mut meter = Meter::new(
        progress,
        (columns_a.work() + columns_c.work() + columns_b.work() * 4) as u64,
    );
    let a = columns_a.sums(&[&tau_g1], 1, &mut meter);
    let mut inputs = columns_c.sums(&[&beta, &alpha, &tau_g1], 1, &mut meter);
    let l = inputs.split_off(circuit.instance_variables());
    let b_g1 = columns_b.sums(&[&tau_g1], 1, &mut meter);
    let b_g2 = columns_b.sums(&[&tau_g2], 3, &mut meter);

    let mut zkey = Zkey {
        header: header(circuit, powers)?,
        inputs,
        coefficients: coefficients(circuit),
        a,
        b_g1,
        b_g2,
        l,
        h: odd_coset(powers, power)?,
        phase_two: PhaseTwo {
            circuit_hash: [0; TRANSCRIPT_BYTES],
            contributions: Vec::new(),
        },
    };
    zkey.phase_two.circuit_hash = circuit_hash(&zkey, powers)?;
    Ok(zkey)
}

fn header<R: Read + Seek>(circuit: &R1cs, powers: &mut Ptau<R>) -> Result<ZkeyHeader, FileError> {
    let count = |n: usize| u32::try_from(n).expect("R1cs::new bounds what a circuit has");
    Ok(ZkeyHeader {
        variables: count(circuit.variables()),
        public_inputs: count(circuit.public_inputs()),
        domain_size: count(circuit.domain_size()),
        alpha_g1: powers.points(PtauSection::AlphaTauG1, 0, 1)?[0],
        beta_g1: powers.points(PtauSection::BetaTauG1, 0, 1)?[0],
        beta_g2: powers.points(PtauSection::BetaG2, 0, 1)?[0],
        gamma_g2: G2Affine::generator(),
        delta_g1: G1Affine::generator(),
        delta_g2: G2Affine::generator(),
    })
}

/// The Lagrange basis of the doubled domain, every second point: see [`crate::groth16::CircomReduction`].
fn odd_coset<R: Read + Seek>(powers: &mut Ptau<R>, power: u32) -> Result<Vec<G1Affine>, FileError> {
    let doubled: Vec<G1Affine> = powers.lagrange(PtauSection::LagrangeTauG1, power + 1)?;
    Ok(doubled.into_iter().skip(1).step_by(2).collect())
}

/// The rows after the constraints: instance variable i times one, in A.
type Instance<'a> = (usize, u32, &'a Fr);

fn instance_rows<'a>(circuit: &R1cs, one: &'a Fr) -> Vec<Instance<'a>> {
    (0..circuit.instance_variables())
        .map(|variable| (variable, (circuit.constraints() + variable) as u32, one))
        .collect()
}

pub(super) fn coefficients(circuit: &R1cs) -> Vec<u8> {
    let [a, b, _] = circuit.matrices();
    let one = Fr::one();
    let mut entries = Vec::new();
    for (row, (a, b)) in a.iter().zip(b).enumerate() {
        for (matrix, terms) in [(0, a), (1, b)] {
            entries.extend(
                terms
                    .iter()
                    .map(|(value, variable)| ([matrix, row as u32, *variable as u32], value)),
            );
        }
    }
    let instance = instance_rows(circuit, &one);
    entries.extend(
        instance
            .iter()
            .map(|(variable, row, one)| ([0, *row, *variable as u32], *one)),
    );
    encode_coefficients(entries.into_iter())
}

/// A matrix: each row's (coefficient, variable).
type Rows = Vec<Vec<(Fr, usize)>>;

#[derive(Clone, Copy)]
struct Term<'a> {
    basis: u8,
    row: u32,
    coefficient: &'a Fr,
}

/// The entries of some matrices by variable.
struct Columns<'a> {
    /// Where each variable's terms start; one more at the end.
    starts: Vec<usize>,
    terms: Vec<Term<'a>>,
}

impl<'a> Columns<'a> {
    /// `matrices` with the basis each is multiplied by; the instance rows take basis 0.
    fn new(circuit: &R1cs, matrices: &[(u8, &'a Rows)], instance: &[Instance<'a>]) -> Self {
        let entries = || {
            let of_matrices = matrices.iter().flat_map(|(basis, rows)| {
                rows.iter().enumerate().flat_map(move |(row, terms)| {
                    terms.iter().map(move |(coefficient, variable)| {
                        let (basis, row) = (*basis, row as u32);
                        (
                            *variable,
                            Term {
                                basis,
                                row,
                                coefficient,
                            },
                        )
                    })
                })
            });
            let of_instance = instance.iter().map(|&(variable, row, coefficient)| {
                (
                    variable,
                    Term {
                        basis: 0,
                        row,
                        coefficient,
                    },
                )
            });
            of_matrices.chain(of_instance)
        };
        let mut starts = vec![0; circuit.variables() + 1];
        entries().for_each(|(variable, _)| starts[variable + 1] += 1);
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let nothing: &Fr = &<Fr as ark_ff::AdditiveGroup>::ZERO;
        let blank = Term {
            basis: 0,
            row: 0,
            coefficient: nothing,
        };
        let mut terms = vec![blank; starts[circuit.variables()]];
        let mut next = starts.clone();
        for (variable, term) in entries() {
            terms[next[variable]] = term;
            next[variable] += 1;
        }
        Self { starts, terms }
    }

    fn work(&self) -> usize {
        self.terms.len()
    }

    /// Each variable's Σ coefficient · basis[row], `weight` units of work a term.
    fn sums<P: Iden3Point>(&self, bases: &[&[P]], weight: u64, meter: &mut Meter<'_>) -> Vec<P> {
        let variables: Vec<usize> = (0..self.starts.len() - 1).collect();
        let mut points = Vec::with_capacity(variables.len());
        for group in variables.chunks(REPORT_EVERY) {
            let sums: Vec<P::Group> = group
                .par_iter()
                .map(|v| column_sum(&self.terms[self.starts[*v]..self.starts[v + 1]], bases))
                .collect();
            points.extend(normalise::<P>(&sums));
            let terms = self.starts[group[group.len() - 1] + 1] - self.starts[group[0]];
            meter.add(weight * terms as u64);
        }
        points
    }
}

fn column_sum<P: Iden3Point>(terms: &[Term<'_>], bases: &[&[P]]) -> P::Group {
    let mut sum = P::Group::zero();
    let (mut points, mut scalars) = (Vec::new(), Vec::new());
    for term in terms {
        let point = bases[usize::from(term.basis)][term.row as usize];
        // Most coefficients of a circuit are ±1.
        if term.coefficient.is_one() {
            sum += point;
        } else if (-*term.coefficient).is_one() {
            sum -= point;
        } else {
            points.push(point);
            scalars.push(*term.coefficient);
        }
    }
    sum + sum_here(&points, &scalars)
}

/// snarkjs's circuit hash, over the single points, then each list with its length.
fn circuit_hash<R: Read + Seek>(
    zkey: &Zkey,
    powers: &mut Ptau<R>,
) -> Result<[u8; TRANSCRIPT_BYTES], FileError> {
    let header = &zkey.header;
    let mut hasher = Blake2b512::new();
    put_points(&mut hasher, &[header.alpha_g1, header.beta_g1]);
    put_points(&mut hasher, &[header.beta_g2, header.gamma_g2]);
    put_point(&mut hasher, &header.delta_g1);
    put_point(&mut hasher, &header.delta_g2);
    put_list(&mut hasher, &zkey.inputs);
    hash_h(&mut hasher, header.domain_size as usize, powers)?;
    put_list(&mut hasher, &zkey.l);
    put_list(&mut hasher, &zkey.a);
    put_list(&mut hasher, &zkey.b_g1);
    put_list(&mut hasher, &zkey.b_g2);
    Ok(hasher.finalize().into())
}

fn put_list<P: Iden3Point>(hasher: &mut Blake2b512, points: &[P]) {
    hasher.update((points.len() as u32).to_be_bytes());
    points
        .chunks(HASH_CHUNK)
        .for_each(|chunk| put_points(hasher, chunk));
}

/// τ^i·(τ^n − 1) for i < n − 1, whose number is hashed; where that is more than one chunk snarkjs fills the last
/// chunk up, which makes it one point more.
fn hash_h<R: Read + Seek>(
    hasher: &mut Blake2b512,
    domain: usize,
    powers: &mut Ptau<R>,
) -> Result<(), FileError> {
    let count = domain - 1;
    hasher.update((count as u32).to_be_bytes());
    for first in (0..count).step_by(HASH_CHUNK) {
        let (first, chunk) = (first as u64, count.min(HASH_CHUNK) as u64);
        let mut at = |first| powers.points::<G1Affine>(PtauSection::TauG1, first, chunk);
        let (high, low) = (at(first + domain as u64)?, at(first)?);
        let differences: Vec<_> = high
            .par_iter()
            .zip(&low)
            .map(|(high, low)| high.into_group() - low)
            .collect();
        put_points(hasher, &normalise::<G1Affine>(&differences));
    }
    Ok(())
}
