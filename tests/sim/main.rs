//! The simulator: the real driver, codec, gate, keyspace and ledger over a simulated network and
//! disk, one thread, one seed.
//!
//! `UKEHI_SIM_SEED=n cargo test --release --test sim replay -- --nocapture` runs one seed again,
//! with `UKEHI_SIM_TRACE=1` telling what happens; `UKEHI_SIM_SEEDS=n` sets how many random ones
//! `random_seeds` runs.
#![cfg(feature = "node")]

mod chaos;
mod clients;
mod corpus;
mod forge;
mod invariants;
mod network;
mod node;
mod oracle;
mod registry;
mod rng;
mod scenarios;
mod world;

use oracle::Report;
use std::io::Write;

/// Random seeds in an ordinary test run.
const SEEDS: u64 = 100;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn show(reports: &[Report]) {
    let sum = |f: fn(&Report) -> usize| reports.iter().map(f).sum::<usize>();
    // Straight to stderr: every run shows the sums, also where the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "{} seeds: {} acknowledged, {} barriers, {} records, {} elections\n\
         acknowledged entries missing: {}\nunproven entries applied:     {}",
        reports.len(),
        sum(|r| r.acknowledged),
        sum(|r| r.barriers),
        sum(|r| r.records),
        sum(|r| r.elections),
        sum(|r| r.acknowledged_missing),
        sum(|r| r.unproven_applied)
    );
}

#[test]
fn random_seeds_keep_every_invariant() {
    let seeds = number("UKEHI_SIM_SEEDS").unwrap_or(SEEDS);
    let reports: Vec<Report> = (1..=seeds).map(chaos::run).collect();
    show(&reports);
    reports.iter().for_each(Report::assert_clean);
    assert!(reports.iter().map(|r| r.acknowledged).sum::<usize>() > 0);
}

#[test]
fn a_seed_replays_to_the_same_trace() {
    for seed in [3, 1_000_003, 1_000_004] {
        let (one, two) = (chaos::run(seed), chaos::run(seed));
        assert_eq!(one, two, "seed {seed} went two ways");
    }
}

#[test]
fn replay() {
    let Some(seed) = number("UKEHI_SIM_SEED") else {
        return;
    };
    let report = chaos::run(seed);
    println!("{report:#?}");
    show(std::slice::from_ref(&report));
    report.assert_clean();
}
