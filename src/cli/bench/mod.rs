//! `ukehi bench`: the README's figures on this machine (`quick`), and thorough runs beside other provers
//! (docs/benchmarks.md).
//!
//! Invariant: every figure was measured in this run. Ratios travel between machines, milliseconds
//! do not, so the machine is named beside them.

pub mod args;
mod cluster;
mod compare;
mod contenders;
mod gates;
mod kernels;
mod paper;
mod plan;
mod run;
mod sealing;
mod shapes;
mod watch;
mod worker;

use super::output::{Output, table};
use crate::error::Failure;
use args::BenchCommand;
use serde::Serialize;
use ukehi_suite::{machine, ours};

/// A measured quantity.
#[derive(Serialize)]
pub struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    /// How many samples the value is the median or the rate of.
    samples: usize,
}

impl Figure {
    pub fn new(name: &'static str, value: f64, unit: &'static str, samples: usize) -> Self {
        Self {
            name,
            value,
            unit,
            samples,
        }
    }
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    machine: Machine,
    figures: Vec<Figure>,
}

#[derive(Serialize)]
struct Machine {
    cpu: String,
    cores: usize,
    memory_mib: u64,
    os: &'static str,
    release: &'static str,
}

pub fn run(command: BenchCommand, output: &Output) -> Result<(), Failure> {
    match command {
        BenchCommand::Quick => quick(output),
        BenchCommand::Run(args) => run::run(&args, output),
        BenchCommand::Compare(args) => compare::run(&args, output),
        BenchCommand::Gates { results } => gates::run(&results),
        BenchCommand::Worker { words } => worker::run(&words),
    }
}

fn quick(output: &Output) -> Result<(), Failure> {
    let directory = tempdir()?;
    let mut figures = Vec::new();
    let bench = kernels::Bench::prepare(directory.path())?;
    figures.extend(bench.measure()?);
    drop(bench);
    figures.extend(cluster::measure(directory.path())?);
    let report = Report {
        schema: "ukehi/bench-quick/v1",
        machine: Machine::here(),
        figures,
    };
    output.show(&report, |r| {
        let rows = r.figures.iter().map(|f| {
            vec![
                f.name.to_owned(),
                format!("{:.3}", f.value),
                f.unit.to_owned(),
                f.samples.to_string(),
            ]
        });
        format!(
            "{}, {} cores, {} MiB, {}\n{}",
            r.machine.cpu,
            r.machine.cores,
            r.machine.memory_mib,
            r.machine.os,
            table(&["figure", "value", "unit", "samples"], rows)
        )
    });
    Ok(())
}

impl Machine {
    fn here() -> Self {
        let machine = machine::Machine::here(&ours::kernel_path());
        Self {
            cpu: machine.cpu,
            cores: machine.cores,
            memory_mib: machine.memory_mib,
            os: std::env::consts::OS,
            release: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// A directory removed at the end, whatever happens.
fn tempdir() -> Result<tempfile::TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("ukehi-bench-").tempdir();
    made.map_err(Failure::runtime)
}

/// The median of `samples`, which must not be empty.
pub fn median(mut samples: Vec<f64>) -> f64 {
    percentile(&mut samples, 0.5)
}

/// The value below which a share of the samples lies.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len() - 1;
    samples[((last as f64) * share).round() as usize]
}
