//! One step: δ times a fresh share, L and H divided by it, and the proof that the contributor knew the share.
//!
//! The multiplications are not constant-time: someone who can time them on the contributor's machine learns about
//! the share. A contributor who minds takes a machine of its own.

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField, Zero};
use zeroize::Zeroizing;

use super::Progress;
use super::combine::scale;
use super::meter::Meter;
use super::oracle::{
    MAX_BEACON_BYTES, MAX_BEACON_ITERATIONS_LOG2, MIN_BEACON_ITERATIONS_LOG2, beacon_oracle,
    hash_to_g2,
};
use super::transcript::Transcript;
use crate::iden3::{
    Contribution, ContributionKind, Iden3Point, MAX_CONTRIBUTIONS, MAX_NAME_BYTES, Zkey,
};
use crate::randomness::{self, RandomnessUnavailable};

/// Points scaled between two reports of progress.
const REPORT_EVERY: usize = 4096;

/// Why a step cannot be taken. The key it was to be taken from is dropped, its file is not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContributeError {
    #[error("the key ends with a beacon: no contribution may follow it")]
    Closed,
    #[error("the key has {MAX_CONTRIBUTIONS} contributions already")]
    Full,
    #[error("the name has {found} bytes, 1 to {MAX_NAME_BYTES} are allowed")]
    Name { found: usize },
    #[error(
        "the beacon asks for 2^{found} iterations, 2^{MIN_BEACON_ITERATIONS_LOG2} to 2^{MAX_BEACON_ITERATIONS_LOG2} are allowed"
    )]
    BeaconIterations { found: u8 },
    #[error("the beacon has {found} bytes, 1 to {MAX_BEACON_BYTES} are allowed")]
    BeaconLength { found: usize },
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}

/// A contributor's share of δ and the scalar of its G1 point. Zeroised on drop; no `Debug`, no `Clone`.
pub struct ToxicShare {
    share: Zeroizing<Fr>,
    point: Zeroizing<Fr>,
}

impl ToxicShare {
    /// From 64 bytes of the operating system and whatever the contributor adds: as long as either cannot be
    /// guessed, neither can the share.
    pub fn draw(added_entropy: &[u8]) -> Result<Self, RandomnessUnavailable> {
        let mut system = Zeroizing::new([0u8; 64]);
        randomness::fill(system.as_mut())?;
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key("ukehi/ceremony/share/v1"));
        hasher.update(system.as_ref());
        hasher.update(added_entropy);
        let mut output = Zeroizing::new(hasher.finalize_xof());
        let mut scalar = || loop {
            let mut wide = Zeroizing::new([0u8; 64]);
            output.fill(wide.as_mut());
            // 512 bits reduced: the bias is below 2^-256.
            let scalar = Zeroizing::new(Fr::from_le_bytes_mod_order(wide.as_ref()));
            if !scalar.is_zero() {
                return scalar;
            }
        };
        Ok(Self {
            share: scalar(),
            point: scalar(),
        })
    }
}

/// Adds a participant's step to a key, which must have been verified; the share is gone afterwards.
pub fn contribute(
    zkey: Zkey,
    share: ToxicShare,
    name: Option<String>,
    progress: Progress<'_>,
) -> Result<Zkey, ContributeError> {
    let g1_s = (G1Affine::generator() * *share.point).into_affine();
    let kind = ContributionKind::Participant;
    step(zkey, &share.share, g1_s, kind, name, progress)
}

/// Adds the last step, whose share everybody can compute from `value`. Its worth is that nobody knew the value when
/// the last participant contributed (Bowe, Gabizon, Miers §4).
pub fn apply_beacon(
    zkey: Zkey,
    value: Vec<u8>,
    iterations_log2: u8,
    name: Option<String>,
    progress: Progress<'_>,
) -> Result<Zkey, ContributeError> {
    if !(MIN_BEACON_ITERATIONS_LOG2..=MAX_BEACON_ITERATIONS_LOG2).contains(&iterations_log2) {
        return Err(ContributeError::BeaconIterations {
            found: iterations_log2,
        });
    }
    if value.is_empty() || value.len() > MAX_BEACON_BYTES {
        return Err(ContributeError::BeaconLength { found: value.len() });
    }
    let mut oracle = beacon_oracle(&value, iterations_log2);
    let share = oracle.scalar();
    let g1_s = oracle.g1();
    let kind = ContributionKind::Beacon {
        iterations_log2,
        value,
    };
    step(zkey, &share, g1_s, kind, name, progress)
}

fn step(
    mut zkey: Zkey,
    share: &Fr,
    g1_s: G1Affine,
    kind: ContributionKind,
    name: Option<String>,
    progress: Progress<'_>,
) -> Result<Zkey, ContributeError> {
    check(&zkey, name.as_deref())?;
    let g1_sx = (g1_s * share).into_affine();
    let transcript = Transcript::of(&zkey.phase_two).challenge(&g1_s, &g1_sx);
    let g2_spx = (hash_to_g2(&transcript) * share).into_affine();
    zkey.header.delta_g1 = (zkey.header.delta_g1 * share).into_affine();
    zkey.header.delta_g2 = (zkey.header.delta_g2 * share).into_affine();
    let inverse = Zeroizing::new(share.inverse().expect("a share is not zero"));
    let mut meter = Meter::new(progress, (zkey.l.len() + zkey.h.len()) as u64);
    scale_metered(&mut zkey.l, &inverse, &mut meter);
    scale_metered(&mut zkey.h, &inverse, &mut meter);
    zkey.phase_two.contributions.push(Contribution {
        delta_after: zkey.header.delta_g1,
        g1_s,
        g1_sx,
        g2_spx,
        transcript,
        name,
        kind,
    });
    Ok(zkey)
}

fn check(zkey: &Zkey, name: Option<&str>) -> Result<(), ContributeError> {
    let steps = &zkey.phase_two.contributions;
    let closed = |c: &Contribution| c.kind != ContributionKind::Participant;
    if steps.iter().any(closed) {
        return Err(ContributeError::Closed);
    }
    if steps.len() >= MAX_CONTRIBUTIONS as usize {
        return Err(ContributeError::Full);
    }
    match name.map(str::len) {
        Some(found) if found == 0 || found > MAX_NAME_BYTES => Err(ContributeError::Name { found }),
        _ => Ok(()),
    }
}

fn scale_metered<P: Iden3Point>(points: &mut [P], scalar: &Fr, meter: &mut Meter<'_>) {
    for group in points.chunks_mut(REPORT_EVERY) {
        let scaled = scale(group, scalar);
        group.copy_from_slice(&scaled);
        meter.add(group.len() as u64);
    }
}
