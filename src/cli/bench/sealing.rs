//! The seal and pool suites: from plaintext commands to proofs, alone and through the pool.

use super::shapes;
use crate::cli::set_up::set_up;
use crate::error::Failure;
use crate::params::{self, Circuit, CircuitName};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use ukehi_provers::pool::{Job, Pool, PoolConfig, Ticket};
use ukehi_suite::cell::{Cell, Metric, Suite};
use ukehi_suite::inprocess::{InProcess, Work};
use ukehi_suite::ours::SUBJECT;

/// Batches in flight for each thread: more than one, so that no thread waits for another to be sealed.
const BATCHES_PER_THREAD: usize = 3;
/// As clients run their provers (`ukehi put`).
const NICE: u8 = 10;

/// Circuits with development parameters of their own.
pub fn circuits(directory: &Path, names: &[CircuitName]) -> Result<Vec<Arc<Circuit>>, Failure> {
    let directory = directory.join("params");
    std::fs::create_dir_all(&directory).map_err(Failure::runtime)?;
    let manifests = set_up(&directory, names)?;
    let ids: Vec<_> = manifests.iter().map(|m| m.circuit_id()).collect();
    Ok(params::load_all(&directory, &ids)?)
}

/// One core: the witness alone, and a command's share of sealing and proving its batch.
pub fn seal(
    circuits: &[Arc<Circuit>],
    names: &[CircuitName],
) -> Result<InProcess<'static>, Failure> {
    let pool = pool_of(1)?;
    let cells = circuits.iter().zip(names).flat_map(|(circuit, name)| {
        let commands = circuit.shape.slots() as f64;
        let cell = |metric| Cell::new(Suite::Seal, &name.to_string(), SUBJECT, metric, 1);
        let of = circuit.clone();
        let witness: Work<'static> = Box::new(move |repeats| {
            timed(repeats, || {
                shapes::assignment(of.policy, of.shape).map(drop)
            })
        });
        let mut batch = alone(pool.clone(), circuit.clone());
        let whole: Work<'static> = Box::new(move |repeats| Ok(batch(repeats)? / commands));
        [
            (cell(Metric::Witness), witness),
            (cell(Metric::Command), whole),
        ]
    });
    Ok(InProcess::new(SUBJECT, cells.collect()))
}

/// All the threads there are, the pool between: commands and proofs a second, sealing included.
pub fn pool(
    circuits: &[Arc<Circuit>],
    names: &[CircuitName],
    threads: &[usize],
) -> Result<InProcess<'static>, Failure> {
    let mut cells = Vec::new();
    for count in threads {
        let pool = pool_of(*count)?;
        for (circuit, name) in circuits.iter().zip(names) {
            for metric in [Metric::Commands, Metric::Throughput] {
                let cell = Cell::new(Suite::Pool, &name.to_string(), SUBJECT, metric, *count);
                cells.push((cell, through(pool.clone(), circuit.clone(), *count, metric)));
            }
            let cell = Cell::new(
                Suite::Pool,
                &name.to_string(),
                SUBJECT,
                Metric::Latency,
                *count,
            );
            cells.push((cell, alone(pool.clone(), circuit.clone())));
        }
    }
    Ok(InProcess::new(SUBJECT, cells))
}

fn pool_of(threads: usize) -> Result<Arc<Pool>, Failure> {
    let config = PoolConfig {
        threads,
        queue_limit: BATCHES_PER_THREAD * threads,
        nice: NICE,
    };
    Ok(Arc::new(Pool::new(config).map_err(Failure::runtime)?))
}

/// Keeps every thread of the pool busy with batches that are sealed meanwhile; a second's commands or proofs.
fn through(
    pool: Arc<Pool>,
    circuit: Arc<Circuit>,
    threads: usize,
    metric: Metric,
) -> Work<'static> {
    let per_batch = match metric {
        Metric::Commands => circuit.shape.slots(),
        _ => 1,
    };
    Box::new(move |repeats| {
        let batches = BATCHES_PER_THREAD * threads * repeats as usize;
        // Throughput is the pool's own: its witnesses are made before the clock starts.
        let ready: Vec<Job> = match metric {
            Metric::Commands => Vec::new(),
            _ => (0..batches)
                .map(|_| job(&circuit))
                .collect::<Result<_, _>>()?,
        };
        let started = Instant::now();
        let mut tickets = Vec::with_capacity(batches);
        if metric == Metric::Commands {
            for _ in 0..batches {
                tickets.push(submit(&pool, job(&circuit)?)?);
            }
        }
        for job in ready {
            tickets.push(submit(&pool, job)?);
        }
        for ticket in tickets {
            ticket.wait().map_err(|e| e.to_string())?;
        }
        Ok((batches * per_batch) as f64 / started.elapsed().as_secs_f64())
    })
}

/// One batch at a time through a pool with nothing else to do.
fn alone(pool: Arc<Pool>, circuit: Arc<Circuit>) -> Work<'static> {
    Box::new(move |repeats| {
        timed(repeats, || {
            let ticket = submit(&pool, job(&circuit)?)?;
            ticket.wait().map(drop).map_err(|e| e.to_string())
        })
    })
}

fn job(circuit: &Circuit) -> Result<Job, String> {
    Ok(circuit.job(&shapes::assignment(circuit.policy, circuit.shape)?))
}

fn submit(pool: &Pool, job: Job) -> Result<Ticket, String> {
    pool.submit_blocking(job).map_err(|e| e.to_string())
}

fn timed(repeats: u32, mut work: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let started = Instant::now();
    for _ in 0..repeats {
        work()?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e3 / f64::from(repeats))
}
