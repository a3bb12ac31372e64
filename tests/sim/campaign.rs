//! Fresh seeds for as long as one likes, and a table of what they showed.

use crate::chaos;
use crate::faults::Counts;
use crate::runs::{self, Totals};
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seeds no earlier campaign had: the second it starts in, times a million.
fn fresh() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |d| d.as_secs()) * 1_000_000
}

fn rows(out: &mut String, title: &str, counts: &Counts) {
    let _ = write!(out, "\n| {title} | times |\n|---|---|\n");
    for (name, count) in counts {
        let _ = writeln!(out, "| {name} | {count} |");
    }
}

fn table(first: u64, took: Duration, totals: &Totals) -> String {
    let mut out = String::new();
    let minutes = took.as_secs_f64() / 60.0;
    let failed = totals.failures.len();
    let _ = write!(
        out,
        "| | |\n|---|---|\n| seeds | {} (from {first}) |\n| simulated hours | {:.1} |\n\
         | minutes on the clock | {minutes:.1} |\n| acknowledged | {} |\n| operations in histories | {} |\n\
         | records | {} |\n| elections | {} |\n| nodes lost to their disk | {} |\n| seeds that failed | {failed} |\n\
         | **acknowledged entries missing** | **{}** |\n| **unproven entries applied** | **{}** |\n",
        totals.seeds,
        totals.hours(),
        totals.acknowledged,
        totals.operations,
        totals.records,
        totals.elections,
        totals.lost,
        totals.acknowledged_missing,
        totals.unproven_applied,
    );
    rows(&mut out, "fault", &totals.faults);
    rows(&mut out, "invariant looked at", &totals.checks);
    for failure in &totals.failures {
        let what = failure.what.lines().next().unwrap_or_default();
        let _ = writeln!(out, "\n`make sim SEED={}`: {what}", failure.seed);
    }
    out
}

/// Appends to the report, and shows it.
fn publish(text: &str) {
    println!("{text}");
    if let Some(path) = std::env::var_os("UKEHI_SIM_REPORT") {
        let written = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let written = written.and_then(|mut f| std::io::Write::write_all(&mut f, text.as_bytes()));
        written.expect("the report's file can be written");
    }
}

#[test]
fn campaign() {
    let hours = std::env::var("UKEHI_SIM_HOURS").ok();
    let Some(hours) = hours.and_then(|h| h.parse::<f64>().ok()) else {
        return;
    };
    let first = crate::number("UKEHI_SIM_FIRST").unwrap_or_else(fresh);
    let length = Duration::from_secs_f64(hours * 3600.0);
    let start = Instant::now();
    let totals = runs::many(first, |_| start.elapsed() < length, chaos::run);
    publish(&table(first, start.elapsed(), &totals));
    totals.show();
    totals.assert_clean();
}

/// Each mutant searched for afresh: `UKEHI_SIM_MUTANT_CAMPAIGN=seeds`.
#[cfg(feature = "mutants")]
#[test]
fn mutants_are_searched_for_afresh() {
    use crate::mutants::{Found, search};
    let Some(seeds) = crate::number("UKEHI_SIM_MUTANT_CAMPAIGN") else {
        return;
    };
    let first = crate::number("UKEHI_SIM_FIRST").unwrap_or_else(fresh);
    let mut out = format!(
        "\n| mutant | found in | of seeds (from {first}) | first | seconds |\n|---|---|---|---|---|\n"
    );
    let all: Vec<Found> = search(first, seeds, Duration::from_secs(600)).collect();
    for Found {
        mutant,
        seeds,
        found,
        first,
        took,
    } in &all
    {
        let first = first.map_or("none".to_owned(), |seed| seed.to_string());
        let _ = writeln!(
            out,
            "| {mutant:?} | {found} | {seeds} | {first} | {:.1} |",
            took.as_secs_f64()
        );
    }
    publish(&out);
    let missed = all.iter().filter(|f| f.found == 0).map(|f| f.mutant);
    let missed: Vec<_> = missed.collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
