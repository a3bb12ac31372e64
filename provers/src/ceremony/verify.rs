//! A contributed key against the initial one, which the caller has regenerated from the circuit and the powers.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};

use super::Progress;
use super::chain::{ChainFault, verify_chain};
use super::combine::{coefficients, pairings_agree, same_ratio, sum};
use super::meter::Meter;
use crate::iden3::{TRANSCRIPT_BYTES, Zkey, ZkeySection};
use crate::randomness::RandomnessUnavailable;

/// Why a key is not the initial one with contributions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZkeyVerifyError {
    #[error("it has {found} public inputs, the circuit has {expected}")]
    PublicInputs { expected: u32, found: u32 },
    #[error("it is for a circuit of another size")]
    Shape,
    #[error("nobody has contributed: delta equals gamma, and anyone could forge proofs")]
    NoContribution,
    #[error(
        "it is for another circuit: its circuit hash differs from the one of the circuit and the powers"
    )]
    OtherCircuit,
    #[error(transparent)]
    Chain(#[from] ChainFault),
    #[error("section {} differs from the initial key: no contribution may change it", *section as u32)]
    Changed { section: ZkeySection },
    #[error("its delta is not the last contribution's")]
    Delta,
    #[error("section {} is not the initial one divided by delta", *section as u32)]
    NotDivided { section: ZkeySection },
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}

/// What a key that stands consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZkeyReport {
    pub circuit_hash: [u8; TRANSCRIPT_BYTES],
    /// One hash a contribution, in order.
    pub contributions: Vec<[u8; TRANSCRIPT_BYTES]>,
}

/// Everything that can be told of a key from its initial one. Who contributed is the caller's question.
pub fn verify_zkey(
    zkey: &Zkey,
    initial: &Zkey,
    progress: Progress<'_>,
) -> Result<ZkeyReport, ZkeyVerifyError> {
    check_shape(zkey, initial)?;
    if zkey.phase_two.contributions.is_empty()
        || zkey.header.delta_g2 == zkey.header.gamma_g2
        || zkey.header.delta_g1 == G1Affine::generator()
    {
        return Err(ZkeyVerifyError::NoContribution);
    }
    if zkey.phase_two.circuit_hash != initial.phase_two.circuit_hash {
        return Err(ZkeyVerifyError::OtherCircuit);
    }
    let contributions = verify_chain(&zkey.phase_two)?;
    check_unchanged(zkey, initial)?;
    check_delta(zkey)?;
    let mut meter = Meter::new(progress, 2 * (zkey.l.len() + zkey.h.len()) as u64);
    for (section, before, after) in [
        (ZkeySection::L, &initial.l, &zkey.l),
        (ZkeySection::H, &initial.h, &zkey.h),
    ] {
        if !divided(before, after, zkey.header.delta_g2, &mut meter)? {
            return Err(ZkeyVerifyError::NotDivided { section });
        }
    }
    Ok(ZkeyReport {
        circuit_hash: zkey.phase_two.circuit_hash,
        contributions,
    })
}

/// The sections' lengths follow from the header's counts, which the reader has checked.
fn check_shape(zkey: &Zkey, initial: &Zkey) -> Result<(), ZkeyVerifyError> {
    let (expected, found) = (initial.header.public_inputs, zkey.header.public_inputs);
    if found != expected {
        return Err(ZkeyVerifyError::PublicInputs { expected, found });
    }
    let shape = |zkey: &Zkey| (zkey.header.variables, zkey.header.domain_size);
    match shape(zkey) == shape(initial) {
        true => Ok(()),
        false => Err(ZkeyVerifyError::Shape),
    }
}

fn check_unchanged(zkey: &Zkey, initial: &Zkey) -> Result<(), ZkeyVerifyError> {
    let (ours, theirs) = (&zkey.header, &initial.header);
    let header = ours.alpha_g1 == theirs.alpha_g1
        && ours.beta_g1 == theirs.beta_g1
        && ours.beta_g2 == theirs.beta_g2
        && ours.gamma_g2 == theirs.gamma_g2;
    let changed = [
        (header, ZkeySection::Header),
        (zkey.inputs == initial.inputs, ZkeySection::Inputs),
        (
            zkey.coefficients == initial.coefficients,
            ZkeySection::Coefficients,
        ),
        (zkey.a == initial.a, ZkeySection::A),
        (zkey.b_g1 == initial.b_g1, ZkeySection::BG1),
        (zkey.b_g2 == initial.b_g2, ZkeySection::BG2),
    ];
    match changed.iter().find(|(same, _)| !same) {
        Some((_, section)) => Err(ZkeyVerifyError::Changed { section: *section }),
        None => Ok(()),
    }
}

fn check_delta(zkey: &Zkey) -> Result<(), ZkeyVerifyError> {
    let header = &zkey.header;
    let last = zkey.phase_two.contributions.last();
    let follows = last.is_some_and(|c| c.delta_after == header.delta_g1);
    let generators = (G1Affine::generator(), G2Affine::generator());
    if follows && same_ratio(generators.0, header.delta_g1, generators.1, header.delta_g2) {
        return Ok(());
    }
    Err(ZkeyVerifyError::Delta)
}

/// Whether δ·after[i] = before[i] for all i.
fn divided(
    before: &[G1Affine],
    after: &[G1Affine],
    delta: G2Affine,
    meter: &mut Meter<'_>,
) -> Result<bool, RandomnessUnavailable> {
    let scalars: Vec<Fr> = coefficients(before.len())?;
    let before_sum = sum(before, &scalars).into_affine();
    meter.add(before.len() as u64);
    let after_sum = sum(after, &scalars).into_affine();
    meter.add(after.len() as u64);
    Ok(pairings_agree(
        after_sum,
        delta,
        before_sum,
        G2Affine::generator(),
    ))
}
