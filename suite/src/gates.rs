//! What Ukehi is meant to reach, held against results: a page in Markdown.
//!
//! Invariants: 1. a gate that was missed is said to be missed, and one that was not measured not measured; 2. a ratio is
//! that of samples of the same round, with its interval. A gate is held against the median. Knows nothing of how the
//! results came about.

use crate::cell::{Cell, Metric, Suite};
use crate::machine::Machine;
use crate::ours::{PORTABLE, SUBJECT};
use crate::report::text::{date, mebibytes, number, with_interval};
use crate::results::{CellResult, Results};
use crate::speedup::{Kind, Speedup, best_rate};
use crate::statistics::Summary;
use std::fmt::Write;

const ARK: &str = "ark-groth16";
const SEAL_64: &str = "seal-64-short-opaque";

/// What must be reached, and where there is one, what is hoped for.
enum Aim {
    AtLeast(f64, Option<f64>),
    AtMost(f64),
}

struct Gate {
    what: String,
    aim: Aim,
    unit: &'static str,
    found: Option<Summary>,
    /// What else one should know.
    beside: String,
}

/// The page. All results should be of one machine: the first one's is named.
#[must_use]
pub fn markdown(results: &[Results]) -> String {
    let mut page = String::from("# The gates, measured\n\n");
    if let Some(first) = results.first() {
        machine(&mut page, &first.machine, results);
    }
    page.push_str(
        "\n## Gates\n\nMedians, with the interval that holds the median with 95 %. A ratio is that of samples of the same round.\n\n\
         | gate | aim | measured | | beside |\n|---|---|---|---|---|\n",
    );
    for gate in gates(results) {
        row(&mut page, &gate);
    }
    provers(&mut page, results);
    stages(&mut page, results);
    left_out(&mut page, results);
    page
}

fn machine(page: &mut String, m: &Machine, results: &[Results]) {
    let clocks = || results.iter().flat_map(|r| &r.clocks);
    let loops = clocks().map(|c| c.loop_ms);
    let (low, high) = loops.fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
    let load = clocks().filter_map(|c| c.load).fold(0.0, f64::max);
    let day = clocks().map(|c| c.at).max().unwrap_or(0);
    let flags = match m.rustflags.as_str() {
        "" => "no flags of our own",
        flags => flags,
    };
    let _ = writeln!(
        page,
        "{}, {} cores, {} of memory, {}, Linux {}. Instructions: {}. {}, {flags}. {}.",
        m.cpu,
        m.cores,
        mebibytes(m.memory_mib as f64),
        m.os,
        m.kernel,
        m.features.join(", "),
        m.rustc,
        date(day),
    );
    let _ = writeln!(
        page,
        "A fixed loop took {low:.2} to {high:.2} ms (the clock's steadiness); the load at the run's begin and end was {} at most.",
        number(load)
    );
}

fn gates(results: &[Results]) -> Vec<Gate> {
    let mut gates = Vec::new();
    for (instance, ifma, prize) in [("poseidon-14", 8.0, 12.0), ("poseidon-16", 7.5, 10.0)] {
        gates.push(ratio(results, SUBJECT, instance, ifma, Some(prize)));
        gates.push(ratio(results, PORTABLE, instance, 4.0, None));
    }
    for instance in ["sha-14", "sha-16"] {
        gates.push(ratio(results, SUBJECT, instance, 1.0, None));
        gates.push(ratio(results, PORTABLE, instance, 1.0, None));
    }
    for instance in ["poseidon-14", "poseidon-16"] {
        let cold = speedup(results, SUBJECT, instance, Kind::Cold);
        gates.push(Gate {
            what: format!("{instance}: a process that proves once, against {ARK}'s"),
            aim: Aim::AtLeast(1.0, None),
            unit: "×",
            found: cold.map(|s| s.ratio),
            beside: String::new(),
        });
    }
    gates.extend(verification(results));
    gates.extend(sealing(results));
    gates
}

/// Proofs a second on the most threads there are, against ark-groth16 as shipped.
fn ratio(
    results: &[Results],
    subject: &str,
    instance: &str,
    gate: f64,
    prize: Option<f64>,
) -> Gate {
    Gate {
        what: format!("{instance}: proofs/s of {subject}, against {ARK}'s"),
        aim: Aim::AtLeast(gate, prize),
        unit: "×",
        found: speedup(results, subject, instance, Kind::Throughput).map(|s| s.ratio),
        beside: String::new(),
    }
}

fn verification(results: &[Results]) -> Vec<Gate> {
    let one = |suite, instance: &str, metric| cell(results, suite, instance, SUBJECT, metric, 1);
    let batch = "batch of 256";
    let ark = cell(results, Suite::Verify, "one by one", ARK, Metric::Verify, 1);
    let many = one(Suite::Hash, "poseidon t=9, many", Metric::Permutation);
    let follower = most_threads(results, Suite::Verify, SEAL_64, Metric::Commands);
    vec![
        Gate {
            what: "verification, a proof, in batches of 256, one core".into(),
            aim: Aim::AtMost(0.25),
            unit: " ms",
            found: one(Suite::Verify, batch, Metric::Verify).map(|c| c.summary),
            beside: beside("ark-groth16, one by one", ark),
        },
        Gate {
            what: "checked decoding, a proof, in batches of 256, one core".into(),
            aim: Aim::AtMost(0.05),
            unit: " ms",
            found: one(Suite::Verify, batch, Metric::Decode).map(|c| c.summary),
            beside: String::new(),
        },
        Gate {
            what: "Poseidon t = 9, scalar, one core".into(),
            aim: Aim::AtMost(30.0),
            unit: " us",
            found: one(Suite::Hash, "poseidon t=9", Metric::Permutation).map(|c| c.summary),
            beside: beside("many at a time", many),
        },
        Gate {
            what: "a follower's check of ready batches of 64 short commands".into(),
            aim: Aim::AtLeast(20_000.0, None),
            unit: " commands/s",
            found: follower.map(|c| c.summary),
            beside: threads_of(follower),
        },
    ]
}

fn sealing(results: &[Results]) -> Vec<Gate> {
    let commands = most_threads(results, Suite::Pool, SEAL_64, Metric::Commands);
    let of_seal = |metric| cell(results, Suite::Seal, SEAL_64, SUBJECT, metric, 1);
    // A command's share of sealing and proving 64 of them, so the whole is 64 times as long.
    let witness = of_seal(Metric::Witness)
        .zip(of_seal(Metric::Command))
        .and_then(|(witness, command)| {
            Summary::of_ratios(&witness.series(), &command.series())
                .map(|share| share.scaled(100.0 / 64.0))
        });
    vec![
        Gate {
            what: "sealing batches of 64 short commands, from plaintext to signed bytes".into(),
            aim: Aim::AtLeast(150.0, Some(300.0)),
            unit: " commands/s",
            found: commands.map(|c| c.summary),
            beside: threads_of(commands),
        },
        Gate {
            what: "of which encryption and witness, one core".into(),
            aim: Aim::AtMost(5.0),
            unit: " %",
            found: witness,
            beside: beside("witness", of_seal(Metric::Witness)),
        },
    ]
}

fn row(page: &mut String, gate: &Gate) {
    let unit = gate.unit;
    let aim = match &gate.aim {
        Aim::AtLeast(gate, None) => format!("≥ {gate}{unit}"),
        Aim::AtLeast(gate, Some(prize)) => format!("≥ {gate}{unit}, prize {prize}{unit}"),
        Aim::AtMost(gate) => format!("≤ {gate}{unit}"),
    };
    let (measured, verdict) = match &gate.found {
        None => ("not measured".to_owned(), ""),
        Some(found) => {
            let verdict = match &gate.aim {
                Aim::AtLeast(_, Some(prize)) if found.median >= *prize => "**reached, with prize**",
                Aim::AtLeast(gate, _) if found.median >= *gate => "**reached**",
                Aim::AtMost(gate) if found.median <= *gate => "**reached**",
                _ => "**missed**",
            };
            let [median, low, high] = [found.median, found.low, found.high].map(number);
            (format!("{median}{unit} ({low} to {high})"), verdict)
        }
    };
    let _ = writeln!(
        page,
        "| {} | {aim} | {measured} | {verdict} | {} |",
        gate.what, gate.beside
    );
}

/// Everybody's proofs a second, and how many times as fast ours is.
fn provers(page: &mut String, results: &[Results]) {
    page.push_str(
        "\n## Proofs a second\n\nEvery prover on the same circuit, key and witness, on all threads of the run, the way (a proof a thread, or all on one) that is \
         better for it.\n\n| circuit | prover | proofs/s | rounds | ukehi is faster by | peak memory |\n|---|---|---|---|---|---|\n",
    );
    for of in results {
        let threads = of.config.threads.iter().copied().max().unwrap_or(1);
        for instance in &of.instances {
            let name = &instance.name;
            let here = of.cells.iter().filter(|c| c.cell.instance == *name);
            let mut subjects: Vec<&str> = here.map(|c| c.cell.subject.as_str()).collect();
            subjects.sort_by_key(|s| (*s != SUBJECT, *s));
            subjects.dedup();
            for subject in subjects {
                let Some(rate) = best_rate(&of.cells, name, subject, threads) else {
                    continue;
                };
                let own = best_rate(&of.cells, name, SUBJECT, threads);
                let faster = own.and_then(|own| Summary::of_ratios(&own.series, &rate.series));
                let memory = rate.cell.memory_kib.map(|kib| kib as f64 / 1024.0);
                let _ = writeln!(
                    page,
                    "| {name} | {subject} | {} | {} | {} | {} |",
                    with_interval(&rate.summary),
                    rate.summary.samples,
                    faster
                        .filter(|_| subject != SUBJECT)
                        .map_or(String::new(), |f| format!("{}×", with_interval(&f))),
                    memory.map_or(String::new(), mebibytes),
                );
            }
        }
    }
}

/// The profile of our proofs, for whoever wants to know why a gate was missed.
fn stages(page: &mut String, results: &[Results]) {
    let with_stages: Vec<&CellResult> = results.iter().flat_map(Results::staged).collect();
    let Some(first) = with_stages.first() else {
        return;
    };
    let names: Vec<&str> = first.stages.iter().map(|s| s.name.as_str()).collect();
    let _ = writeln!(
        page,
        "\n## Where a proof's time goes\n\nMilliseconds of one proof on one thread, while so many threads prove.\n\n\
         | circuit | prover | threads | {} |\n|---|---|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for c in with_stages {
        let ms: Vec<String> = c.stages.iter().map(|s| number(s.ms)).collect();
        let Cell {
            instance,
            subject,
            threads,
            ..
        } = &c.cell;
        let _ = writeln!(
            page,
            "| {instance} | {subject} | {threads} | {} |",
            ms.join(" | ")
        );
    }
}

fn left_out(page: &mut String, results: &[Results]) {
    let mut lines: Vec<String> = Vec::new();
    for of in results {
        if !of.complete {
            lines.push("a run was interrupted: what it lacks is missing here".into());
        }
        let faults = of.faults.iter();
        lines.extend(faults.map(|f| format!("{}: {} ({})", f.cell, f.fault, f.detail)));
        let not_run = of.not_run.iter();
        lines.extend(not_run.map(|n| format!("{}: {}", n.what, n.why)));
    }
    lines.sort();
    lines.dedup();
    if !lines.is_empty() {
        page.push_str("\n## Not measured\n\n");
        for line in lines {
            let _ = writeln!(page, "- {line}");
        }
    }
}

fn speedup<'a>(
    results: &'a [Results],
    subject: &str,
    instance: &str,
    kind: Kind,
) -> Option<&'a Speedup> {
    let all = results.iter().flat_map(|r| &r.speedups);
    let of = all.filter(|s| {
        s.subject == subject && s.peer == ARK && s.instance == instance && s.kind == kind
    });
    of.max_by_key(|s| s.threads)
}

fn cell<'a>(
    results: &'a [Results],
    suite: Suite,
    instance: &str,
    subject: &str,
    metric: Metric,
    threads: usize,
) -> Option<&'a CellResult> {
    let mut cells = results.iter().flat_map(|r| &r.cells);
    cells.find(|c| {
        let cell = &c.cell;
        cell.suite == suite
            && cell.instance == instance
            && cell.subject == subject
            && cell.metric == metric
            && cell.threads == threads
    })
}

fn most_threads<'a>(
    results: &'a [Results],
    suite: Suite,
    instance: &str,
    metric: Metric,
) -> Option<&'a CellResult> {
    let counts = results.iter().flat_map(|r| &r.config.threads);
    let most = counts.copied().max()?;
    cell(results, suite, instance, SUBJECT, metric, most)
}

fn threads_of(cell: Option<&CellResult>) -> String {
    cell.map_or(String::new(), |c| format!("{} threads", c.cell.threads))
}

fn beside(name: &str, cell: Option<&CellResult>) -> String {
    cell.map_or(String::new(), |c| {
        format!("{name}: {} {}", number(c.summary.median), c.unit)
    })
}

#[cfg(test)]
#[path = "gates_tests.rs"]
mod tests;
