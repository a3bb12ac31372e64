//! Mutants: each is caught by its plot, and by the random runs whose seed is recorded here.

use crate::bugs::PLOTS;
use crate::chaos;
use crate::runs;
use std::time::{Duration, Instant};
use ukehi::mutant::{Mutant, choose};

/// The seed of a random run that finds the mutant. Found anew by `make campaign`.
const RECORDED: [(Mutant, u64); 16] = [
    (Mutant::VoteBeforeDurable, 1),
    (Mutant::TermWithoutVote, 1),
    (Mutant::AckBeforeDurable, 1),
    (Mutant::SyncForgotten, 1),
    (Mutant::AppliedIndexLags, 1),
    (Mutant::AckOfOwnSuffix, 1),
    (Mutant::LateAppendTruncates, 3),
    (Mutant::AckBeyondReceived, 1),
    (Mutant::FailedSyncIgnored, 2),
    (Mutant::RetryAppliedTwice, 11),
    (Mutant::OtherClusterAccepted, 4),
    (Mutant::OtherShardAccepted, 4),
    (Mutant::SignatureIgnored, 6),
    (Mutant::LastLeafDoubled, 1),
    (Mutant::GateSkipped, 3),
    (Mutant::QuarantineForgotten, 4),
];

/// A run could show these, and no seed is recorded yet: only their plots find them.
const NOT_RECORDED: [Mutant; 4] = [
    Mutant::OlderTermByCounting,
    Mutant::ReadWithoutQuorum,
    Mutant::LowerTermIgnored,
    Mutant::ChecksumIgnored,
];

/// What random runs cannot show, and why: they have their plots.
const NOT_IN_A_RUN: [Mutant; 2] = [
    // The simulated disk is not RocksDB.
    Mutant::DamageTakenForTorn,
    // A node's start is not simulated.
    Mutant::InsecureSetupAccepted,
];

/// How often random runs find a mutant.
pub struct Found {
    pub mutant: Mutant,
    pub seeds: u64,
    pub found: u64,
    pub first: Option<u64>,
    pub took: Duration,
}

/// The first thing wrong in a run of a mutant.
fn verdict(mutant: Mutant, seed: u64) -> Option<String> {
    choose(Some(mutant));
    let result = runs::attempt(|| chaos::run(seed));
    choose(None);
    match result {
        Ok(report) => report.fault(),
        Err(panic) => Some(panic),
    }
}

/// Searches each mutant that a run can show with seeds from `first` on; only one, if
/// `UKEHI_SIM_MUTANT` names it.
pub fn search(first: u64, seeds: u64, at_most: Duration) -> impl Iterator<Item = Found> {
    let searched = Mutant::ALL.into_iter();
    let searched = searched.filter(|m| !NOT_IN_A_RUN.contains(m));
    let only = std::env::var("UKEHI_SIM_MUTANT").ok();
    let searched = searched.filter(move |m| only.as_ref().is_none_or(|o| *o == format!("{m:?}")));
    let search_one = move |mutant| {
        let start = Instant::now();
        let more = |done| done < seeds && start.elapsed() < at_most;
        let hits = runs::over(first, more, |seed| verdict(mutant, seed));
        let found: Vec<u64> = hits.iter().filter(|h| h.1.is_some()).map(|h| h.0).collect();
        Found {
            mutant,
            seeds: hits.len() as u64,
            found: found.len() as u64,
            first: found.iter().min().copied(),
            took: start.elapsed(),
        }
    };
    searched.map(search_one)
}

#[test]
fn every_plot_catches_its_mutant() {
    let mut missed = PLOTS.to_vec();
    missed.retain(|(mutant, play)| {
        choose(Some(*mutant));
        let played = runs::attempt(play).and_then(|ended| ended);
        choose(None);
        played.is_ok()
    });
    let missed: Vec<Mutant> = missed.into_iter().map(|(mutant, _)| mutant).collect();
    assert!(missed.is_empty(), "these get away: {missed:?}");
}

#[test]
fn every_recorded_seed_finds_its_mutant_and_is_clean_without_it() {
    for (mutant, seed) in RECORDED {
        assert!(
            verdict(mutant, seed).is_some(),
            "{mutant:?} with seed {seed}"
        );
        chaos::run(seed).assert_clean();
    }
}

#[test]
fn every_mutant_has_a_recorded_seed_or_is_named_as_without_one() {
    let recorded = RECORDED.iter().map(|(mutant, _)| *mutant);
    let without = NOT_RECORDED.into_iter().chain(NOT_IN_A_RUN);
    let mut all: Vec<Mutant> = recorded.chain(without).collect();
    all.sort();
    assert_eq!(all, Mutant::ALL);
}

/// Lists what the first seeds find: `UKEHI_SIM_MUTANT_SEEDS=n`.
#[test]
fn survey() {
    let Some(seeds) = crate::number("UKEHI_SIM_MUTANT_SEEDS") else {
        return;
    };
    for found in search(1, seeds, Duration::from_secs(600)) {
        let Found {
            mutant,
            seeds,
            found,
            first,
            took,
        } = found;
        println!("{mutant:?}: {found} of {seeds}, first {first:?}, {took:.1?}");
        if let Some(seed) = first {
            let what = verdict(mutant, seed).unwrap_or_default();
            println!("    {}", what.lines().next().unwrap_or_default());
        }
    }
}
