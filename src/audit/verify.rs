//! The offline verifier: from a bundle and a trust root to a [`Report`], or to the first thing
//! that does not hold.
//!
//! Invariants: 1. a report means: every byte was covered by a checksum, every batch passed the
//! gate that replicas run, the records lead to a root that a majority of the trust root's nodes
//! cosigned, and in a trail from genesis every outcome was decided again; 2. faults are reported
//! in log order; 3. memory is bounded by a window of entries, and by the replayed state.
//! Needs no decryption key, node, network or clock.

use super::bundle::{BundleReader, RawEntry, Start};
use super::checkpoint::{self, Other};
use super::error::AuditError;
use super::frames::BundleError;
use super::place::Place;
use super::replay::Replay;
use super::report::{Report, supply};
use crate::batch::BatchVerifier;
use crate::genesis::Genesis;
use crate::trust::TrustRoot;
use std::io::Read;

/// Payload bytes after which a window is judged, however few its entries.
const WINDOW_BYTES: usize = 8 << 20;

/// What an auditor may choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Accept circuits whose set-up is INSECURE.
    pub allow_insecure_setup: bool,
    /// The signed note of a checkpoint obtained elsewhere, to look for a fork.
    pub checkpoint: Option<String>,
}

/// How far the audit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries judged.
    pub done: u64,
    /// Entries the bundle promises.
    pub total: u64,
}

/// Verifies a bundle against a trust root.
///
/// # Errors
/// The first fault, as [`AuditError`]; its `exit_code` and `next` say what it means.
pub fn verify<R: Read>(
    input: R,
    trust: &TrustRoot,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, AuditError> {
    let insecure = trust.insecure_circuits();
    if !options.allow_insecure_setup && !insecure.is_empty() {
        return Err(AuditError::InsecureSetup { circuits: insecure });
    }
    let bundle = BundleReader::open(input)?;
    check_log(bundle.start(), &trust.genesis)?;
    let verifier =
        trust
            .batch_verifier(bundle.start().shard)
            .map_err(|e| AuditError::UnusableTrust {
                reason: e.to_string(),
            })?;
    let report = verify_trail(bundle, &verifier, options, progress)?;
    Ok(report.under_insecure_setup(insecure))
}

/// [`verify`] with the gate given: for whoever holds one already. Of set-ups it judges those of
/// circuits the log activated only.
///
/// # Errors
/// As [`verify`].
pub fn verify_trail<R: Read>(
    mut bundle: BundleReader<R>,
    verifier: &BatchVerifier,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, AuditError> {
    let genesis = verifier.genesis().clone();
    let start = bundle.start().clone();
    check_log(&start, &genesis)?;
    if start.shard != verifier.shard() {
        return Err(AuditError::mismatch(
            Place::Preamble,
            "its shard",
            verifier.shard(),
            start.shard,
        ));
    }
    let other = options
        .checkpoint
        .as_deref()
        .map(|note| Other::new(note, &start, &genesis))
        .transpose()?;

    let mut replay = Replay::new(verifier, &start)?;
    let total = start.to - start.from;
    loop {
        progress(Progress {
            done: replay.tally.entries,
            total,
        });
        let (window, unreadable) = read_window(&mut bundle);
        let judged = window.len();
        // What precedes a damaged frame is judged first: faults are reported in log order.
        replay.judge(window)?;
        if let Some(error) = unreadable {
            return Err(error.into());
        }
        if judged == 0 {
            break;
        }
    }

    let note = bundle.finish()?;
    let signed = checkpoint::of_bundle(&note, &start, &genesis)?;
    if let Some(other) = &other {
        other.same_size(&signed, &genesis)?;
    }
    checkpoint::same_root(&signed, &replay.root(&start)?)?;
    Replay::check_registry(&start, &signed)?;
    let insecure = replay.insecure_circuits();
    if !options.allow_insecure_setup && !insecure.is_empty() {
        return Err(AuditError::InsecureSetup { circuits: insecure });
    }
    let comparison = other
        .map(|other| other.compare(&signed, &replay, &genesis))
        .transpose()?;
    let supply = supply(replay.registry());
    let tally = replay.tally;
    let report = Report::new(&start, &signed, genesis.majority(), tally, comparison);
    let report = report.with_supply(supply);
    Ok(report.under_insecure_setup(insecure))
}

/// As many entries as are judged together, and the error that ended them, if one did.
fn read_window<R: Read>(bundle: &mut BundleReader<R>) -> (Vec<RawEntry>, Option<BundleError>) {
    let mut window = Vec::new();
    let mut bytes = 0;
    while window.len() < Replay::window() && bytes < WINDOW_BYTES {
        match bundle.entry() {
            Ok(Some(entry)) => {
                bytes += entry.payload.len();
                window.push(entry);
            }
            Ok(None) => break,
            Err(error) => return (window, Some(error)),
        }
    }
    (window, None)
}

/// That the bundle is of the trust root's cluster, byte for byte of its genesis.
pub(super) fn check_log(start: &Start, genesis: &Genesis) -> Result<(), AuditError> {
    let (expected, found) = (genesis.cluster_id(), start.cluster);
    if expected != found {
        return Err(AuditError::OtherCluster { expected, found });
    }
    if start.genesis != genesis.canonical_bytes() {
        let digest = |bytes: &[u8]| blake3::hash(bytes).to_string();
        return Err(AuditError::mismatch(
            Place::Preamble,
            "the digest of its genesis",
            digest(&genesis.canonical_bytes()),
            digest(&start.genesis),
        ));
    }
    if !genesis.keyspaces.iter().any(|k| k.shard == start.shard) {
        let shards: Vec<String> = genesis
            .keyspaces
            .iter()
            .map(|k| k.shard.to_string())
            .collect();
        let expected = format!("one of {}", shards.join(", "));
        return Err(AuditError::mismatch(
            Place::Preamble,
            "its shard",
            expected,
            start.shard,
        ));
    }
    Ok(())
}
