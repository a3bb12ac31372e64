//! The prover suite: our prover and its peers on one instance, each a process of its own.
//!
//! Invariants: 1. every proof that was timed has been verified before its time counts; 2. a peer gets the same files as
//! we do; 3. what a peer does wrong is recorded under its name and ends nobody else's turn.

use crate::cell::{Cell, Metric, Suite};
use crate::instance::files::OnDisk;
use crate::journal::Measurement;
use crate::process::{Fault, Worker, run_once};
use crate::protocol::{MAX_PROOFS, Reply, Request};
use crate::template::Template;
use crate::turn::Subject;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A sample of a short proof is the mean of so many in a row that they take about this long.
const SAMPLE_MS: f64 = 300.0;
/// But of no more than this.
const MAX_REPEATS: usize = 64;
/// A warm-up that took longer than this is not repeated to estimate the next.
const LONG_MS: f64 = 2_000.0;

/// Somebody who proves.
#[derive(Debug, Clone)]
pub struct Contender {
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    /// A program that speaks [`crate::protocol`]: `program arguments... serve R1CS ZKEY DIGEST WTNS`. `once` proves
    /// once per process.
    Worker {
        program: PathBuf,
        arguments: Vec<OsString>,
        environment: Vec<(String, String)>,
        once: Template,
    },
    /// A command that proves once.
    Command(Template),
}

/// The cells of an instance, in groups of what is compared with each other.
#[must_use]
pub fn groups(instance: &str, contenders: &[Contender], threads: &[usize]) -> Vec<Vec<Cell>> {
    let most = threads.iter().copied().max().unwrap_or(1);
    let workers = contenders
        .iter()
        .filter(|c| matches!(c.kind, Kind::Worker { .. }));
    let group = |metric, threads: usize, who: &mut dyn Iterator<Item = &Contender>| -> Vec<Cell> {
        who.map(|c| Cell::new(Suite::Prover, instance, &c.name, metric, threads))
            .collect()
    };
    let mut groups = Vec::new();
    for count in threads {
        groups.push(group(Metric::Latency, *count, &mut workers.clone()));
        if *count > 1 {
            groups.push(group(Metric::Throughput, *count, &mut workers.clone()));
        }
    }
    groups.push(group(Metric::Cold, most, &mut contenders.iter()));
    groups
}

/// A contender on an instance.
pub struct OnInstance<'a> {
    contender: &'a Contender,
    instance: &'a OnDisk,
    /// Where proofs of whole processes are written.
    scratch: PathBuf,
    deadline: Duration,
    worker: Option<Result<Worker, Fault>>,
    repeats: HashMap<(Metric, usize), usize>,
}

impl<'a> OnInstance<'a> {
    #[must_use]
    pub fn new(
        contender: &'a Contender,
        instance: &'a OnDisk,
        scratch: &Path,
        deadline: Duration,
    ) -> Self {
        Self {
            contender,
            instance,
            scratch: scratch.join(&contender.name),
            deadline,
            worker: None,
            repeats: HashMap::new(),
        }
    }

    /// Started when first needed; a worker that broke is not started again on this instance.
    fn worker(&mut self) -> Result<&mut Worker, Fault> {
        let (deadline, contender, files) = (self.deadline, self.contender, &self.instance.files);
        let start = || match &contender.kind {
            Kind::Command(_) => Err(Fault::Refused("it proves once per process".into())),
            Kind::Worker {
                program,
                arguments,
                environment,
                ..
            } => {
                let mut command = Command::new(program);
                command
                    .args(arguments)
                    .arg("serve")
                    .envs(environment.iter().cloned());
                command
                    .args([&files.r1cs, &files.zkey])
                    .arg(&files.zkey_digest)
                    .arg(&files.wtns);
                Worker::start(command, deadline)
            }
        };
        let worker = self.worker.get_or_insert_with(start);
        worker.as_mut().map_err(|fault| fault.clone())
    }

    /// Asks, verifies, and gives the milliseconds and stages.
    fn proofs(
        &mut self,
        request: Request,
        expected: usize,
    ) -> Result<(f64, Vec<(String, f64)>), Fault> {
        let (deadline, judge) = (self.deadline, &self.instance.judge);
        let reply = match self.worker()?.ask(request, deadline) {
            Ok(Reply::Proofs { ms, proofs, stages }) if ms.is_finite() && ms > 0.0 => {
                judge.proofs(&proofs, expected).map(|()| (ms, stages))
            }
            Ok(Reply::Refused { why }) => return Err(Fault::Refused(why)),
            Ok(other) => Err(Fault::Garbage(
                format!("{other:?}").chars().take(200).collect(),
            )),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = &reply {
            self.worker = Some(Err(fault.clone()));
        }
        reply
    }

    /// How many proofs make a sample, found while warming up.
    fn repeats(&mut self, metric: Metric, threads: usize) -> Result<usize, Fault> {
        if let Some(known) = self.repeats.get(&(metric, threads)) {
            return Ok(*known);
        }
        let (request, lanes) = request(metric, threads, 1);
        let (mut ms, _) = self.proofs(request, lanes)?;
        if ms < LONG_MS {
            (ms, _) = self.proofs(request, lanes)?;
        }
        let repeats = (SAMPLE_MS / ms).ceil() as usize;
        let repeats = repeats.clamp(1, MAX_REPEATS.min(MAX_PROOFS / lanes));
        self.repeats.insert((metric, threads), repeats);
        Ok(repeats)
    }

    fn warm(&mut self, metric: Metric, threads: usize) -> Result<Measurement, Fault> {
        let repeats = self.repeats(metric, threads)?;
        let deadline = self.deadline;
        // Where the peak cannot be forgotten it is that of the whole life so far.
        self.worker()?.ask(Request::ForgetPeak, deadline)?;
        let (request, lanes) = request(metric, threads, repeats);
        let proofs = lanes * repeats;
        let (ms, stages) = self.proofs(request, proofs)?;
        let value = match metric {
            Metric::Throughput => proofs as f64 / ms * 1e3,
            _ => ms / repeats as f64,
        };
        Ok(Measurement {
            value,
            repeats: repeats as u32,
            memory_kib: self.worker()?.peak_kib(),
            stages,
        })
    }

    /// A process from start to end; its proof is read and verified afterwards.
    fn cold(&self, threads: usize) -> Result<Measurement, Fault> {
        let unwritable =
            |e: std::io::Error| Fault::NotStarted(format!("{}: {e}", self.scratch.display()));
        let _ = fs::remove_dir_all(&self.scratch);
        fs::create_dir_all(&self.scratch).map_err(unwritable)?;
        let (proof, public) = (
            self.scratch.join("proof.json"),
            self.scratch.join("public.json"),
        );
        let files = &self.instance.files;
        let command = match &self.contender.kind {
            Kind::Command(template) => template.command(files, &proof, &public, threads),
            Kind::Worker {
                environment, once, ..
            } => {
                let mut command = once.command(files, &proof, &public, threads);
                command.envs(environment.iter().cloned());
                command
            }
        };
        let ran = run_once(command, self.deadline)?;
        let read = |path: &Path| {
            let missing = |e| Fault::WrongProof(format!("{}: {e}", path.display()));
            fs::read(path).map_err(missing)
        };
        self.instance.judge.files(&read(&proof)?, &read(&public)?)?;
        Ok(Measurement {
            value: ran.ms,
            repeats: 1,
            memory_kib: ran.peak_kib,
            stages: Vec::new(),
        })
    }
}

fn request(metric: Metric, threads: usize, repeats: usize) -> (Request, usize) {
    match metric {
        Metric::Throughput => (Request::Throughput { threads, repeats }, threads),
        _ => (Request::Latency { threads, repeats }, 1),
    }
}

impl Subject for OnInstance<'_> {
    fn name(&self) -> &str {
        &self.contender.name
    }

    fn measure(&mut self, cell: &Cell) -> Result<Measurement, Fault> {
        match cell.metric {
            Metric::Cold => self.cold(cell.threads),
            metric => self.warm(metric, cell.threads),
        }
    }
}

#[cfg(test)]
#[path = "prover_tests.rs"]
mod tests;
