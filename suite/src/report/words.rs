//! The run in sentences: what came out, and how it was measured.

use super::charts::{instances, threads};
use super::text::{escaped, number, with_interval};
use crate::cell::{Metric, Suite};
use crate::instance::{Family, size_of};
use crate::ours::SUBJECT;
use crate::results::{CellResult, Results};
use crate::speedup::{Kind, Speedup, Way};

/// A list of what matters, each with its interval.
pub fn summary(results: &Results) -> String {
    let mut lines = headline(results);
    lines.extend(others(results));
    lines.extend(steadiness(results));
    if !results.faults.is_empty() {
        let names: Vec<String> = faulty(results).iter().map(|n| escaped(n)).collect();
        lines.push(format!(
            "<span class=\"warning\">Not reported because of a fault: {}.</span> See <a href=\"#not-run\">what was not run</a>.",
            names.join(", ")
        ));
    }
    let items: String = lines
        .iter()
        .map(|line| format!("<li>{line}</li>\n"))
        .collect();
    format!("<ul class=\"facts\">\n{items}</ul>")
}

/// Throughput against every peer, on the largest instance of each family and on each other circuit.
fn headline(results: &Results) -> Vec<String> {
    let most = results.config.threads.iter().copied().max().unwrap_or(1);
    let largest = |family: Family| {
        let of_family = instances(results)
            .into_iter()
            .filter(move |i| size_of(i).is_some_and(|(f, _)| f == family));
        of_family.max_by_key(|i| size_of(i).map(|(_, size)| size))
    };
    let synthetic: Vec<String> = Family::ALL.into_iter().filter_map(largest).collect();
    let others = instances(results)
        .into_iter()
        .filter(|i| size_of(i).is_none());
    let line = |instance: String| {
        let against: Vec<&Speedup> = results
            .speedups
            .iter()
            .filter(|s| s.subject == SUBJECT && s.instance == instance)
            .filter(|s| s.kind == Kind::Throughput && s.threads == most)
            .collect();
        if against.is_empty() {
            return None;
        }
        let phrase = |s: &&Speedup| {
            format!(
                "<strong>{}×</strong> {} ({} to {})",
                number(s.ratio.median),
                escaped(&s.peer),
                number(s.ratio.low),
                number(s.ratio.high)
            )
        };
        let phrases: Vec<String> = against.iter().map(phrase).collect();
        let ours = ours_at(results, &instance, most);
        Some(format!(
            "{}, {}: proofs a second are {}.{ours}",
            escaped(&instance),
            threads(most),
            phrases.join(", ")
        ))
    };
    synthetic
        .into_iter()
        .chain(others)
        .filter_map(line)
        .collect()
}

fn ours_at(results: &Results, instance: &str, threads: usize) -> String {
    let rate = crate::speedup::best_rate(&results.cells, instance, SUBJECT, threads);
    let rate = rate.map(|rate| {
        let way = match rate.way {
            Way::ProofPerThread => "a proof on each thread",
            Way::AllThreadsOnOne => "all threads on one proof",
        };
        let constraints = rate.cell.constraints_per_second_per_core;
        let constraints = constraints.map_or(String::new(), |c| {
            format!(", {} constraints a second on each core", number(c))
        });
        format!(
            " Ours: {} proofs a second ({way}){constraints}.",
            number(rate.summary.median)
        )
    });
    rate.unwrap_or_default()
}

/// The other suites' figures that say most, one line a suite.
fn others(results: &Results) -> Vec<String> {
    let suites = Suite::ALL.into_iter().filter(|s| *s != Suite::Prover);
    let line = |suite: Suite| {
        let mut cells = results.of_suite(suite);
        cells.retain(|c| says_much(c));
        let phrase = |c: &&CellResult| {
            format!(
                "{}, {}: <strong>{}</strong> {}",
                escaped(&c.cell.instance),
                c.cell.metric,
                with_interval(&c.summary),
                escaped(&c.unit)
            )
        };
        let phrases: Vec<String> = cells.iter().map(phrase).collect();
        (!phrases.is_empty()).then(|| format!("{suite}: {}.", phrases.join("; ")))
    };
    suites.filter_map(line).collect()
}

fn says_much(result: &CellResult) -> bool {
    let cell = &result.cell;
    match cell.metric {
        Metric::Permutation => cell.instance.starts_with("poseidon t=9"),
        Metric::Verify | Metric::Decode => cell.instance == "batch of 256",
        Metric::Command | Metric::Commands | Metric::Entries | Metric::DecisionMedian => true,
        _ => false,
    }
}

/// Whether the clock stood still.
fn steadiness(results: &Results) -> Option<String> {
    let loops = results.clocks.iter().map(|c| c.loop_ms);
    let (low, high) = loops.fold((f64::INFINITY, 0.0), |(l, h): (f64, f64), v| {
        (l.min(v), h.max(v))
    });
    if results.clocks.len() < 2 || low <= 0.0 {
        return None;
    }
    let percent = (high / low - 1.0) * 100.0;
    let verdict = if percent < 2.0 {
        "steady"
    } else {
        "<span class=\"warning\">not steady</span>"
    };
    let load = results
        .clocks
        .iter()
        .filter_map(|c| c.load)
        .fold(0.0, f64::max);
    let busy = if load > results.machine.cores as f64 + 1.0 {
        format!(
            " <span class=\"warning\">The machine was shared: a load of {} on {} cores.</span> Ratios are of samples taken in turn, so they suffer less than the figures themselves.",
            number(load),
            results.machine.cores
        )
    } else {
        String::new()
    };
    Some(format!(
        "The machine's clock was {verdict}: a fixed loop took within {} % of the same time at every reading.{busy}",
        number(percent)
    ))
}

fn faulty(results: &Results) -> Vec<String> {
    let mut names: Vec<String> = results
        .faults
        .iter()
        .map(|f| f.cell.subject.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

pub fn method(results: &Results) -> String {
    let config = &results.config;
    let rounds = config.rounds;
    format!(
        "<ul class=\"facts\">\
<li>Subjects take turns: {rounds} rounds, each of one sample of every cell, beginning with another subject. A sample of something short is the mean of as many in a row as take about 0.3 s (<code>repeats</code> in the raw samples). Everything is done once, untimed, before its first sample.</li>\
<li>A figure is the median over the rounds. Its interval is that of order statistics, which assumes nothing about the distribution: between the k-th smallest and the k-th largest sample, with the largest k that covers the median with 95 %. With fewer than six rounds no k does; then the interval is the whole range, and <code>coverage</code> says how sure that is.</li>\
<li>A ratio is the median of the quotients of samples of the same round, with the interval of those quotients.</li>\
<li>All provers get the same r1cs, zkey and witness files, on the same machine in the same run, each in a process of its own. Every proof that was timed is verified by our verifier against the instance's statement, and proofs of one prover must differ from each other; a prover that fails this has no figure.</li>\
<li>Our time includes randomisation, verification of our own proof and erasing of secrets. Peers' times include their randomisation and nothing that they do not do.</li>\
<li>Throughput with T threads is taken both ways, T proofs at a time and all threads on one proof after the other; each prover is shown the way that is better for it.</li>\
<li>Memory is the peak of resident memory of the prover's process, forgotten before each sample where the system can do that.</li>\
<li>Keys come from development set-ups of one party. That changes nothing about the time of a proof.</li>\
</ul>"
    )
}
