//! `ukehi bench`: the README's figures on this machine (`quick`), and thorough runs beside other provers
//! (docs/benchmarks.md).
//!
//! Invariant: every figure was measured in this run. Ratios travel between machines, milliseconds
//! do not, so the machine is named beside them.

pub mod args;
mod cluster;
mod compare;
mod contenders;
mod kernels;
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
use std::sync::atomic::{AtomicUsize, Ordering};

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
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|l| l.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib = memory.and_then(|m| m.split(' ').next()?.parse::<u64>().ok());
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| "unknown CPU".into()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kib.unwrap_or(0) / 1024,
            os: std::env::consts::OS,
            release: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// A directory removed at the end, whatever happens.
struct TemporaryDirectory(std::path::PathBuf);

impl TemporaryDirectory {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tempdir() -> Result<TemporaryDirectory, Failure> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("ukehi-bench-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&path)
        .map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))?;
    Ok(TemporaryDirectory(path))
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
