//! The simulator: the real driver, codec, gate, keyspace and ledger over a simulated network and
//! disk, one thread, one seed (docs/simulator.md).
//!
//! `make sim` runs what CI runs, `make sim SEED=n` one seed again (with `UKEHI_SIM_TRACE=1` it
//! tells what happens), `make campaign HOURS=h` fresh seeds.
#![cfg(feature = "node")]

mod bugs;
mod campaign;
mod chaos;
mod clients;
mod corpus;
mod disk;
mod faults;
mod fleet;
mod forge;
mod histories;
mod history;
mod invariants;
#[cfg(feature = "mutants")]
mod mutants;
mod network;
mod node;
mod oracle;
mod registry;
mod rng;
mod runs;
mod scenarios;
mod world;

/// Random seeds in an ordinary test run, and what they amount to at least.
const SEEDS: u64 = 300;
const HOURS: f64 = 24.0;
/// Seeds that run twice.
const TWICE: u64 = 20;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn random_seeds_keep_every_invariant() {
    let seeds = number("UKEHI_SIM_SEEDS").unwrap_or(SEEDS);
    let totals = runs::many(1, |done| done < seeds, chaos::run);
    totals.show();
    totals.assert_clean();
    assert!(totals.acknowledged > 0);
    assert!(totals.hours() >= HOURS || seeds < SEEDS);
}

#[test]
fn a_seed_replays_to_the_same_trace() {
    for seed in 1_000_000..1_000_000 + TWICE {
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
    println!("trace {}", hex::encode(report.trace));
    report.assert_clean();
}
