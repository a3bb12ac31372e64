//! The contributions of phase 1 (snarkjs 0.7.6, `powersoftau_verify.js`): each is challenged by the hash of the file
//! before it and proves that its shares of τ, α and β were known.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use blake2::{Blake2b512, Digest};

use super::blake::ResumableBlake2b;
use super::combine::same_ratio;
use super::meter::Meter;
use super::oracle::{
    MAX_BEACON_ITERATIONS_LOG2, MIN_BEACON_ITERATIONS_LOG2, Oracle, beacon_oracle,
    phase_one_challenge,
};
use crate::iden3::{
    ContributionKind, Iden3Point, PtauContribution, PtauPublicKey, PtauSection as S,
    TRANSCRIPT_BYTES,
};

/// The greatest number of copies of the generator hashed at once.
const BLOCK: u64 = 1 << 14;
/// Hashing a point costs this fraction of checking one.
const HASH_SHARE: u64 = 256;

/// What is wrong with one contribution of phase 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("it does not prove that its share of {of} was known")]
    Knowledge { of: &'static str },
    #[error("its {of} does not follow from the one before by its share")]
    DoesNotFollow { of: &'static str },
    #[error("it is a beacon whose value does not give its key")]
    Beacon,
    #[error(
        "it is a beacon of 2^{found} iterations, 2^{MIN_BEACON_ITERATIONS_LOG2} to 2^{MAX_BEACON_ITERATIONS_LOG2} are followed"
    )]
    BeaconIterations { found: u8 },
    #[error("its hasher's state is none")]
    PartialHash,
}

const NAMES: [&str; 3] = ["tau", "alpha", "beta"];

/// The contributions' response hashes, if each follows from the one before; else which one (from 1) does not.
pub(super) fn verify_phase_one(
    contributions: &[PtauContribution],
    first_challenge: &[u8; TRANSCRIPT_BYTES],
) -> Result<Vec<[u8; TRANSCRIPT_BYTES]>, (usize, ChainError)> {
    let mut before = Points::at_the_start();
    let mut challenge = first_challenge;
    let mut responses = Vec::with_capacity(contributions.len());
    for (number, contribution) in (1..).zip(contributions) {
        let after = Points::of(contribution);
        let response = response_hash(contribution)
            .ok_or(ChainError::PartialHash)
            .and_then(|hash| verify_step(contribution, challenge, &before, &after).map(|()| hash));
        responses.push(response.map_err(|error| (number, error))?);
        (before, challenge) = (after, &contribution.next_challenge);
    }
    Ok(responses)
}

struct Points {
    g1: [G1Affine; 3],
    tau_g2: G2Affine,
    beta_g2: G2Affine,
}

impl Points {
    fn at_the_start() -> Self {
        Self {
            g1: [G1Affine::generator(); 3],
            tau_g2: G2Affine::generator(),
            beta_g2: G2Affine::generator(),
        }
    }

    fn of(c: &PtauContribution) -> Self {
        Self {
            g1: [c.tau_g1, c.alpha_g1, c.beta_g1],
            tau_g2: c.tau_g2,
            beta_g2: c.beta_g2,
        }
    }
}

fn verify_step(
    contribution: &PtauContribution,
    challenge: &[u8; TRANSCRIPT_BYTES],
    before: &Points,
    after: &Points,
) -> Result<(), ChainError> {
    let key = &contribution.key;
    if let ContributionKind::Beacon {
        iterations_log2,
        value,
    } = &contribution.kind
    {
        let found = *iterations_log2;
        if !(MIN_BEACON_ITERATIONS_LOG2..=MAX_BEACON_ITERATIONS_LOG2).contains(&found) {
            return Err(ChainError::BeaconIterations { found });
        }
        if beacon_key(value, found, challenge) != *key {
            return Err(ChainError::Beacon);
        }
    }
    for (i, of) in NAMES.into_iter().enumerate() {
        let (s, sx) = key.g1[i];
        let sp = phase_one_challenge(i as u8, challenge, &s, &sx);
        if !same_ratio(s, sx, sp, key.g2_spx[i]) {
            return Err(ChainError::Knowledge { of });
        }
        if !same_ratio(before.g1[i], after.g1[i], sp, key.g2_spx[i]) {
            return Err(ChainError::DoesNotFollow { of });
        }
    }
    let in_g2 = [
        (0, before.tau_g2, after.tau_g2),
        (2, before.beta_g2, after.beta_g2),
    ];
    for (i, before, after) in in_g2 {
        let (s, sx) = key.g1[i];
        if !same_ratio(s, sx, before, after) {
            return Err(ChainError::DoesNotFollow { of: NAMES[i] });
        }
    }
    Ok(())
}

fn beacon_key(
    value: &[u8],
    iterations_log2: u8,
    challenge: &[u8; TRANSCRIPT_BYTES],
) -> PtauPublicKey {
    let mut oracle = beacon_oracle(value, iterations_log2);
    let shares = [oracle.scalar(), oracle.scalar(), oracle.scalar()];
    public_key(&shares, challenge, |_| Oracle::g1(&mut oracle))
}

/// The public key of shares of τ, α, β under a challenge; `point` gives the i-th key's G1 point.
pub(super) fn public_key(
    shares: &[Fr; 3],
    challenge: &[u8; TRANSCRIPT_BYTES],
    mut point: impl FnMut(usize) -> G1Affine,
) -> PtauPublicKey {
    let mut key = PtauPublicKey {
        g1: [(G1Affine::generator(), G1Affine::generator()); 3],
        g2_spx: [G2Affine::generator(); 3],
    };
    for (i, share) in shares.iter().enumerate() {
        let s = point(i);
        let sx = (s * share).into_affine();
        let sp = phase_one_challenge(i as u8, challenge, &s, &sx);
        key.g1[i] = (s, sx);
        key.g2_spx[i] = (sp * share).into_affine();
    }
    key
}

/// The hash of the contribution's response, finished from the state the file keeps; `None` if that is no state.
pub(super) fn response_hash(contribution: &PtauContribution) -> Option<[u8; TRANSCRIPT_BYTES]> {
    let mut hasher = ResumableBlake2b::resume(&contribution.partial_hash)?;
    let mut bytes = Vec::new();
    for (s, sx) in &contribution.key.g1 {
        s.put_uncompressed(&mut bytes);
        sx.put_uncompressed(&mut bytes);
    }
    for spx in &contribution.key.g2_spx {
        spx.put_uncompressed(&mut bytes);
    }
    hasher.update(&bytes);
    Some(hasher.finish())
}

/// What the first contributor of a ceremony of 2^`power` is challenged by: the hash of the file in which τ, α and β
/// are one.
pub(super) fn first_challenge(power: u32, meter: &mut Meter<'_>) -> [u8; TRANSCRIPT_BYTES] {
    let mut hasher = Blake2b512::new_with_prefix(Blake2b512::digest([]));
    let (mut g1, mut g2) = (Vec::new(), Vec::new());
    G1Affine::generator().put_uncompressed(&mut g1);
    G2Affine::generator().put_uncompressed(&mut g2);
    for (section, point) in [
        (S::TauG1, &g1),
        (S::TauG2, &g2),
        (S::AlphaTauG1, &g1),
        (S::BetaTauG1, &g1),
        (S::BetaG2, &g2),
    ] {
        let mut left = section.points(power);
        let block = point.repeat(left.min(BLOCK) as usize);
        while left > 0 {
            let now = left.min(BLOCK);
            hasher.update(&block[..now as usize * point.len()]);
            left -= now;
            meter.add(now / HASH_SHARE);
        }
    }
    hasher.finalize().into()
}

/// What [`first_challenge`] reports in all, at most.
pub(super) fn first_challenge_work(power: u32) -> u64 {
    let sections = [S::TauG1, S::TauG2, S::AlphaTauG1, S::BetaTauG1];
    let points: u64 = sections.iter().map(|s| s.points(power)).sum();
    points / HASH_SHARE
}
