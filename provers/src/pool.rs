//! A bounded pool of provers: independent proofs in parallel, one thread each.
//!
//! Invariants:
//! 1. at most `threads + queue_limit` jobs are outstanding (running or waiting); one more is refused, not buffered;
//! 2. jobs start in the order they were submitted;
//! 3. a job that never starts is dropped by whoever cancels it or closes the pool, so its witness is zeroised then,
//!    not later;
//! 4. a panic in a job is that job's outcome and nobody else's;
//! 5. no lock is held while a job runs or is dropped;
//! 6. dropping the pool waits for the running jobs and joins every thread.
//!
//! Knows nothing of circuits, time or priorities between jobs. Uses no async runtime: waiting blocks a thread.

mod job;
mod ticket;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

pub use job::Job;
pub use ticket::{Cancelled, JobError, Ticket};

use crate::priority;
use ticket::Slot;

/// How large a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolConfig {
    /// Provers, one core each when the machine has them; at least 1.
    pub threads: usize,
    /// Jobs that may wait while every thread is busy.
    pub queue_limit: usize,
    /// Added to each prover thread's nice value, 0 to 19 (Linux; ignored elsewhere). A proof keeps a core busy for
    /// its whole length, while a heartbeat needs one for microseconds but needs it now: niced provers leave
    /// Raft its core's worth of time, and an election is not lost to a proof.
    pub nice: u8,
}

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("a prover pool needs at least one thread")]
    NoThreads,
    #[error("nice {nice} is not between 0 and 19")]
    NiceOutOfRange { nice: u8 },
    #[error("cannot lower the priority of a prover thread: {0}")]
    Nice(std::io::Error),
    #[error("cannot start the prover threads: {0}")]
    Spawn(#[from] rayon::ThreadPoolBuildError),
}

/// Why a job was not taken. It is handed back unharmed; dropping it zeroises its witness.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("the prover pool is full: {outstanding} jobs are outstanding")]
    Full { job: Job, outstanding: usize },
    /// Waiting for room on a thread that makes room would never end.
    #[error("submit_blocking was called from a thread of this pool")]
    OnWorkerThread { job: Job },
}

/// Jobs in the pool at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLoad {
    pub waiting: usize,
    pub running: usize,
    /// Callers inside [`Pool::submit_blocking`], whose jobs are not in the pool yet.
    pub blocked: usize,
}

/// The pool. Shared by reference; dropping it closes it.
pub struct Pool {
    shared: Arc<Shared>,
    /// `Some` until drop.
    rayon: Option<rayon::ThreadPool>,
    workers: Vec<thread::JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when a job stops being outstanding.
    room: Condvar,
    limit: usize,
}

struct State {
    waiting: VecDeque<Waiting>,
    running: usize,
    blocked: usize,
    next_id: u64,
}

struct Waiting {
    id: u64,
    job: Job,
    slot: Arc<Slot>,
}

impl Pool {
    /// Starts the threads, each with its priority already lowered.
    pub fn new(config: PoolConfig) -> Result<Self, PoolError> {
        if config.threads == 0 {
            return Err(PoolError::NoThreads);
        }
        if config.nice > priority::MAX_NICE {
            return Err(PoolError::NiceOutOfRange { nice: config.nice });
        }
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                running: 0,
                blocked: 0,
                next_id: 0,
            }),
            room: Condvar::new(),
            limit: config.threads.saturating_add(config.queue_limit),
        });
        let mut workers = Vec::with_capacity(config.threads);
        let (report, reports) = mpsc::channel();
        // Our own threads, because rayon's drop does not wait for its threads to end.
        let rayon = rayon::ThreadPoolBuilder::new()
            .num_threads(config.threads)
            .spawn_handler(|worker| {
                let report = report.clone();
                let name = format!("ukehi-prover-{}", worker.index());
                let handle = thread::Builder::new().name(name).spawn(move || {
                    // The receiver is gone only if the pool could not be built: then `run` returns at once.
                    let _ = report.send(priority::lower_this_thread(config.nice));
                    worker.run();
                })?;
                workers.push(handle);
                Ok(())
            })
            .build();
        drop(report);
        let pool = Self {
            shared,
            rayon: Some(rayon?),
            workers,
        };
        reports
            .iter()
            .take(config.threads)
            .collect::<Result<(), _>>()
            .map_err(PoolError::Nice)?;
        Ok(pool)
    }

    /// Takes a job if there is room now.
    pub fn submit(&self, job: Job) -> Result<Ticket, SubmitError> {
        self.enqueue(self.shared.lock(), job)
    }

    /// Takes a job, waiting for room as long as it takes.
    pub fn submit_blocking(&self, job: Job) -> Result<Ticket, SubmitError> {
        if self.rayon().current_thread_index().is_some() {
            return Err(SubmitError::OnWorkerThread { job });
        }
        let mut state = self.shared.lock();
        state.blocked += 1;
        let mut state = self
            .shared
            .room
            .wait_while(state, |state| state.outstanding() >= self.shared.limit)
            .unwrap_or_else(PoisonError::into_inner);
        state.blocked -= 1;
        self.enqueue(state, job)
    }

    pub fn load(&self) -> PoolLoad {
        let state = self.shared.lock();
        PoolLoad {
            waiting: state.waiting.len(),
            running: state.running,
            blocked: state.blocked,
        }
    }

    fn enqueue(&self, mut state: MutexGuard<'_, State>, job: Job) -> Result<Ticket, SubmitError> {
        let outstanding = state.outstanding();
        if outstanding >= self.shared.limit {
            return Err(SubmitError::Full { job, outstanding });
        }
        let id = state.next_id;
        state.next_id += 1;
        let slot = Arc::new(Slot::default());
        state.waiting.push_back(Waiting {
            id,
            job,
            slot: slot.clone(),
        });
        drop(state);
        // One wake-up per job: each runs whichever job is first then, or none if a job was cancelled.
        let shared = self.shared.clone();
        self.rayon().spawn_fifo(move || shared.run_next());
        Ok(Ticket::new(id, slot, self.shared.clone()))
    }

    fn rayon(&self) -> &rayon::ThreadPool {
        self.rayon.as_ref().expect("taken only by drop")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let waiting = std::mem::take(&mut self.shared.lock().waiting);
        for Waiting { job, slot, .. } in waiting {
            drop(job);
            slot.finish(Err(JobError::PoolClosed));
        }
        drop(self.rayon.take());
        for worker in self.workers.drain(..) {
            // A job may own the last handle to its pool; a thread cannot join itself.
            if worker.thread().id() != thread::current().id() {
                worker
                    .join()
                    .expect("jobs' panics are caught, so a prover thread ends normally");
            }
        }
    }
}

impl Shared {
    /// A panic cannot leave the state half-changed: jobs neither run nor drop under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_next(&self) {
        let Some(Waiting { job, slot, .. }) = self.start_next() else {
            return;
        };
        let outcome = match catch_unwind(AssertUnwindSafe(|| job.run())) {
            Ok(result) => result.map_err(JobError::Prove),
            Err(_) => Err(JobError::Panicked),
        };
        // Room first: whoever sees the outcome may submit again at once.
        self.lock().running -= 1;
        self.room.notify_all();
        slot.finish(outcome);
    }

    fn start_next(&self) -> Option<Waiting> {
        let mut state = self.lock();
        let next = state.waiting.pop_front()?;
        state.running += 1;
        Some(next)
    }

    /// Takes a job out of the queue, if it has not started. The caller drops it, outside the lock.
    fn withdraw(&self, id: u64) -> Option<Job> {
        let mut state = self.lock();
        let position = state.waiting.iter().position(|w| w.id == id)?;
        let withdrawn = state.waiting.remove(position)?;
        drop(state);
        self.room.notify_all();
        Some(withdrawn.job)
    }
}

impl State {
    fn outstanding(&self) -> usize {
        self.waiting.len() + self.running
    }
}

#[cfg(test)]
mod tests;
