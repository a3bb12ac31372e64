//! `results.json`: all that a run found, with the raw samples it rests on. `docs/bench-schema.json` describes it.
//!
//! Invariants: 1. a cell with a fault has no figure; 2. nothing here was computed from anything but the journal, the
//! clock's readings and the instances' facts.

use crate::cell::{Cell, Metric, Suite};
use crate::instance::Facts;
use crate::journal::{Config, Outcome, Record, RunFile};
use crate::machine::{Clock, Machine};
use crate::speedup::Speedup;
use crate::statistics::Summary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const SCHEMA: &str = "ukehi/bench/v1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    pub schema: String,
    pub release: String,
    /// Every cell that was asked for has all its rounds or a fault.
    pub complete: bool,
    pub config: Config,
    pub machine: Machine,
    /// At the begin and end of every session.
    pub clocks: Vec<Clock>,
    pub instances: Vec<InstanceFacts>,
    pub cells: Vec<CellResult>,
    pub speedups: Vec<Speedup>,
    pub faults: Vec<FaultReport>,
    pub not_run: Vec<NotRun>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceFacts {
    pub name: String,
    pub facts: Facts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    pub cell: Cell,
    pub unit: String,
    pub more_is_better: bool,
    pub summary: Summary,
    /// By round.
    pub raw: Vec<RawSample>,
    /// The largest peak of any round.
    pub memory_kib: Option<u64>,
    /// Medians, in milliseconds a proof.
    pub stages: Vec<Stage>,
    /// For proofs: constraints proven a second on each core.
    pub constraints_per_second_per_core: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSample {
    pub round: u32,
    pub value: f64,
    /// How many times in a row the value is the mean of.
    pub repeats: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub name: String,
    pub ms: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultReport {
    pub cell: Cell,
    pub fault: String,
    pub detail: String,
}

/// What was not measured, and why: silence would read as "no difference".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotRun {
    pub what: String,
    pub why: String,
}

impl Results {
    #[must_use]
    pub fn new(
        run: &RunFile,
        records: &[Record],
        clocks: Vec<Clock>,
        instances: Vec<InstanceFacts>,
        not_run: Vec<NotRun>,
        complete: bool,
    ) -> Self {
        let cells = cells(records, &instances);
        let speedups = Speedup::all(&cells);
        Self {
            schema: SCHEMA.to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            complete,
            config: run.config.clone(),
            machine: run.machine.clone(),
            clocks,
            instances,
            cells,
            speedups,
            faults: faults(records),
            not_run,
        }
    }

    #[must_use]
    pub fn of_suite(&self, suite: Suite) -> Vec<&CellResult> {
        self.cells
            .iter()
            .filter(|c| c.cell.suite == suite)
            .collect()
    }

    /// For each circuit and prover that tells its stages, the cell that tells them best: a proof alone on one thread,
    /// or else one beside others.
    #[must_use]
    pub fn staged(&self) -> Vec<&CellResult> {
        let mut cells = self.of_suite(Suite::Prover);
        cells.retain(|c| !c.stages.is_empty());
        // In the order of the fields of a cell, so a circuit's and prover's latencies come first.
        cells.sort_by(|a, b| a.cell.cmp(&b.cell));
        let of = |c: &CellResult| (c.cell.instance.clone(), c.cell.subject.clone());
        cells.dedup_by_key(|c| of(c));
        cells
    }

    #[must_use]
    pub fn facts(&self, instance: &str) -> Option<&Facts> {
        let found = self.instances.iter().find(|i| i.name == instance)?;
        Some(&found.facts)
    }
}

impl CellResult {
    /// (round, value).
    #[must_use]
    pub fn series(&self) -> Vec<(u32, f64)> {
        self.raw.iter().map(|s| (s.round, s.value)).collect()
    }
}

fn cells(records: &[Record], instances: &[InstanceFacts]) -> Vec<CellResult> {
    let mut by_cell: BTreeMap<&Cell, Vec<(u32, &crate::journal::Measurement)>> = BTreeMap::new();
    let mut broken = Vec::new();
    for record in records {
        match &record.outcome {
            Outcome::Measured(m) => by_cell
                .entry(&record.cell)
                .or_default()
                .push((record.round, m)),
            Outcome::Failed { .. } => broken.push(&record.cell),
        }
    }
    by_cell.retain(|cell, _| !broken.contains(cell));
    let result = |(cell, mut samples): (&Cell, Vec<(u32, &crate::journal::Measurement)>)| {
        samples.sort_by_key(|(round, _)| *round);
        let values: Vec<f64> = samples.iter().map(|(_, m)| m.value).collect();
        let summary = Summary::of(&values)?;
        let facts = instances.iter().find(|i| i.name == cell.instance);
        Some(CellResult {
            unit: cell.metric.unit().to_owned(),
            more_is_better: cell.metric.more_is_better(),
            summary,
            memory_kib: samples.iter().filter_map(|(_, m)| m.memory_kib).max(),
            stages: stages(&samples),
            constraints_per_second_per_core: facts
                .and_then(|i| rate(cell, &summary, i.facts.constraints)),
            raw: samples
                .iter()
                .map(|(round, m)| RawSample {
                    round: *round,
                    value: m.value,
                    repeats: m.repeats,
                })
                .collect(),
            cell: cell.clone(),
        })
    };
    by_cell.into_iter().filter_map(result).collect()
}

fn rate(cell: &Cell, summary: &Summary, constraints: usize) -> Option<f64> {
    let proofs_per_second = match cell.metric {
        Metric::Latency => 1e3 / summary.median,
        Metric::Throughput => summary.median,
        _ => return None,
    };
    Some(proofs_per_second * constraints as f64 / cell.threads as f64)
}

fn stages(samples: &[(u32, &crate::journal::Measurement)]) -> Vec<Stage> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in samples.iter().flat_map(|(_, m)| &m.stages) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let of_name = |name: &str| -> Vec<f64> {
        let of_all = samples.iter().flat_map(|(_, m)| &m.stages);
        of_all
            .filter(|(n, _)| n == name)
            .map(|(_, ms)| *ms)
            .collect()
    };
    let stage = |name: &&str| {
        let summary = Summary::of(&of_name(name))?;
        Some(Stage {
            name: (*name).to_owned(),
            ms: summary.median,
        })
    };
    names.iter().filter_map(stage).collect()
}

fn faults(records: &[Record]) -> Vec<FaultReport> {
    let fault = |record: &Record| match &record.outcome {
        Outcome::Measured(_) => None,
        Outcome::Failed { fault, detail } => Some(FaultReport {
            cell: record.cell.clone(),
            fault: fault.clone(),
            detail: detail.clone(),
        }),
    };
    records.iter().filter_map(fault).collect()
}

#[cfg(test)]
#[path = "results_tests.rs"]
mod tests;
