//! What is measured on circuits of batches, within this process: sealing alone and through the pool, and a follower's
//! check of what was sealed.

use super::paper::Paper;
use super::shapes;
use crate::cli::set_up::set_up;
use crate::error::Failure;
use crate::params::{self, CircuitName};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use ukehi_keys::Manifest;
use ukehi_keys::params as files;
use ukehi_provers::groth16::{ProverOptions, TableCache};
use ukehi_provers::pool::{Job, Pool, PoolConfig, Ticket};
use ukehi_suite::cell::{Cell, Metric, Suite};
use ukehi_suite::inprocess::{InProcess, Work, milliseconds};
use ukehi_suite::ours::SUBJECT;

/// Batches in flight for each thread: more than one, so that no thread waits for another to be sealed.
const BATCHES_PER_THREAD: usize = 3;
/// What one question to a follower's gate holds.
const BATCHES_PER_QUESTION: usize = 16;
/// As clients run their provers (`ukehi put`).
const NICE: u8 = 10;

/// A circuit with what proves and verifies its batches.
pub struct Circuit {
    name: CircuitName,
    manifest: Manifest,
    loaded: Arc<params::Circuit>,
}

impl Circuit {
    /// With development parameters, made once in `directory` and kept, and with its tables.
    pub fn prepare(directory: &Path, name: CircuitName) -> Result<Self, Failure> {
        let home = directory.join("params").join(name.to_string());
        std::fs::create_dir_all(&home).map_err(Failure::runtime)?;
        let mut manifests = files::list(&home).map_err(Failure::runtime)?;
        if manifests.is_empty() {
            manifests = set_up(&home, &[name])?;
        }
        let manifest = manifests.swap_remove(0);
        let options = ProverOptions {
            cache: Some(TableCache::new(home.join("tables"))),
            ..params::default_options()?
        };
        let mut loaded = params::load_all_with(&home, &[manifest.circuit_id()], &options)?;
        let loaded = loaded.swap_remove(0);
        loaded.prover().finish_tables();
        Ok(Self {
            name,
            manifest,
            loaded,
        })
    }

    fn cell(&self, suite: Suite, metric: Metric, threads: usize) -> Cell {
        Cell::new(suite, &self.name.to_string(), SUBJECT, metric, threads)
    }

    fn slots(&self) -> usize {
        self.loaded.shape.slots()
    }

    /// Whether any command will do.
    fn is_opaque(&self) -> bool {
        self.loaded.policy.name() == "opaque"
    }

    fn paper(&self, threads: usize) -> Result<Paper, Failure> {
        Paper::new(&self.loaded, &self.manifest, pool_of(threads)?)
    }

    fn job(&self) -> Result<Job, String> {
        let (policy, shape) = (self.loaded.policy, self.loaded.shape);
        Ok(self.loaded.job(&shapes::assignment(policy, shape)?))
    }
}

/// One core: the witness alone, and a command's share of sealing and proving its batch.
pub fn seal(circuits: &[Arc<Circuit>]) -> Result<InProcess<'static>, Failure> {
    let pool = Arc::new(pool_of(1)?);
    let cells = circuits.iter().flat_map(|circuit| {
        let slots = circuit.slots() as f64;
        let of = circuit.loaded.clone();
        let witness: Work<'static> = Box::new(move |repeats| {
            milliseconds(repeats, || {
                shapes::assignment(of.policy, of.shape).map(drop)
            })
        });
        let mut batch = alone(pool.clone(), circuit.clone());
        let whole: Work<'static> = Box::new(move |repeats| Ok(batch(repeats)? / slots));
        [
            (circuit.cell(Suite::Seal, Metric::Witness, 1), witness),
            (circuit.cell(Suite::Seal, Metric::Command, 1), whole),
        ]
    });
    Ok(InProcess::new(SUBJECT, cells.collect()))
}

/// The pool's proofs a second and its time to one, and what authors get out of it: commands a second.
pub fn pool(circuits: &[Arc<Circuit>], threads: &[usize]) -> Result<InProcess<'static>, Failure> {
    let mut cells = Vec::new();
    for count in threads {
        let pool = Arc::new(pool_of(*count)?);
        for circuit in circuits {
            let cell = |metric| circuit.cell(Suite::Pool, metric, *count);
            let proofs = proofs(pool.clone(), circuit.clone(), *count);
            cells.push((cell(Metric::Throughput), proofs));
            cells.push((cell(Metric::Latency), alone(pool.clone(), circuit.clone())));
            if circuit.is_opaque() {
                let commands = commands(circuit.paper(*count)?, circuit.slots(), *count);
                cells.push((cell(Metric::Commands), commands));
            }
        }
    }
    Ok(InProcess::new(SUBJECT, cells))
}

/// What a follower checks of ready batches before it acknowledges them: decoding, hashes, signatures and proofs.
pub fn follower(
    circuits: &[Arc<Circuit>],
    threads: &[usize],
) -> Result<Vec<(Cell, Work<'static>)>, Failure> {
    let most = threads.iter().copied().max().unwrap_or(1);
    let mut cells = Vec::new();
    for circuit in circuits.iter().filter(|c| c.is_opaque()) {
        let mut paper = circuit.paper(most)?;
        let batches = paper.seal(BATCHES_PER_QUESTION)?;
        let (paper, batches) = (Arc::new(paper), Arc::new(batches));
        for count in threads {
            let (paper, batches, count) = (paper.clone(), batches.clone(), *count);
            let commands = count * batches.len() * circuit.slots();
            let work: Work<'static> = Box::new(move |repeats| {
                let ms = milliseconds(repeats, || at_once(count, || paper.verify(&batches)))?;
                Ok(commands as f64 / ms * 1e3)
            });
            cells.push((circuit.cell(Suite::Verify, Metric::Commands, count), work));
        }
    }
    Ok(cells)
}

fn pool_of(threads: usize) -> Result<Pool, Failure> {
    let config = PoolConfig {
        threads,
        queue_limit: BATCHES_PER_THREAD * threads,
        nice: NICE,
    };
    Pool::new(config).map_err(Failure::runtime)
}

/// The pool's own throughput: its witnesses are made before the clock starts.
fn proofs(pool: Arc<Pool>, circuit: Arc<Circuit>, threads: usize) -> Work<'static> {
    Box::new(move |repeats| {
        let batches = BATCHES_PER_THREAD * threads * repeats as usize;
        let jobs: Vec<Job> = (0..batches)
            .map(|_| circuit.job())
            .collect::<Result<_, _>>()?;
        let started = Instant::now();
        let tickets: Vec<Ticket> = jobs
            .into_iter()
            .map(|job| submit(&pool, job))
            .collect::<Result<_, _>>()?;
        for ticket in tickets {
            ticket.wait().map_err(|e| e.to_string())?;
        }
        Ok(batches as f64 / started.elapsed().as_secs_f64())
    })
}

/// From plaintexts to signed batches.
fn commands(mut paper: Paper, slots: usize, threads: usize) -> Work<'static> {
    Box::new(move |repeats| {
        let batches = BATCHES_PER_THREAD * threads * repeats as usize;
        let started = Instant::now();
        let sealed = paper.seal(batches).map_err(|e| e.what)?;
        let seconds = started.elapsed().as_secs_f64();
        paper.verify(&sealed)?;
        Ok((batches * slots) as f64 / seconds)
    })
}

/// One batch at a time through a pool with nothing else to do.
fn alone(pool: Arc<Pool>, circuit: Arc<Circuit>) -> Work<'static> {
    Box::new(move |repeats| {
        milliseconds(repeats, || {
            let ticket = submit(&pool, circuit.job()?)?;
            ticket.wait().map(drop).map_err(|e| e.to_string())
        })
    })
}

fn submit(pool: &Pool, job: Job) -> Result<Ticket, String> {
    pool.submit_blocking(job).map_err(|e| e.to_string())
}

/// The same work on so many threads; an error of any of them.
fn at_once(threads: usize, work: impl Fn() -> Result<(), String> + Sync) -> Result<(), String> {
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        lanes
            .into_iter()
            .try_for_each(|lane| lane.join().map_err(|_| "a thread panicked".to_owned())?)
    })
}
