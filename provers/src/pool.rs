//! A bounded pool of provers: independent proofs in parallel, one thread each.
//!
//! Invariants:
//! 1. at most `threads + queue_limit` jobs are outstanding (running or waiting); one more is refused, not buffered;
//! 2. jobs of one priority and one circuit start in the order they were submitted, and no job is passed over for ever
//!    (the bounds are [`MAX_PASSED`] and [`MAX_STREAK`]);
//! 3. a job that never starts is dropped by whoever cancels it, finds it late or closes the pool, so its witness is
//!    zeroised then, not later;
//! 4. a panic in a job is that job's outcome and nobody else's;
//! 5. no lock is held while a job runs or is dropped;
//! 6. dropping the pool waits for the running jobs and joins every thread;
//! 7. a running job is stopped by nothing but its own [`Turn::check`].
//!
//! A late job that waits is found by whoever submits, starts or waits for one; until then it keeps its place.
//! Knows nothing of circuits but that two are the same. Uses no async runtime: waiting blocks a thread.

mod job;
mod metrics;
mod queue;
mod ticket;
mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

pub use job::{Job, Priority};
pub use metrics::{BUCKETS, Durations, PoolMetrics};
pub use queue::{MAX_PASSED, MAX_STREAK};
pub use ticket::{Cancelled, JobError, Ticket};
pub use turn::Turn;

use crate::priority;
use queue::{Place, Queue, Warm};
use ticket::{Outcome, Slot};
use turn::Wanted;

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
    Spawn(std::io::Error),
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
    workers: Vec<thread::JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when a job stops being outstanding.
    room: Condvar,
    /// Signalled when there is a job to start, and at the end.
    work: Condvar,
    threads: usize,
    limit: usize,
}

struct State {
    queue: Queue<Waiting>,
    running: usize,
    blocked: usize,
    next_id: u64,
    closed: bool,
    metrics: PoolMetrics,
}

struct Waiting {
    id: u64,
    since: Instant,
    job: Job,
    slot: Arc<Slot>,
    wanted: Arc<Wanted>,
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
        let mut pool = Self {
            shared: Arc::new(Shared::new(&config)),
            workers: Vec::with_capacity(config.threads),
        };
        let (report, reports) = mpsc::channel();
        for index in 0..config.threads {
            let (report, shared) = (report.clone(), pool.shared.clone());
            let worker = thread::Builder::new()
                .name(format!("ukehi-prover-{index}"))
                .spawn(move || {
                    // The receiver is gone only if the pool could not be built: then `run` returns at once.
                    let _ = report.send(priority::lower_this_thread(config.nice));
                    shared.run();
                })
                .map_err(PoolError::Spawn)?;
            pool.workers.push(worker);
        }
        reports
            .iter()
            .take(config.threads)
            .collect::<Result<(), _>>()
            .map_err(PoolError::Nice)?;
        Ok(pool)
    }

    /// Takes a job if there is room now.
    pub fn submit(&self, job: Job) -> Result<Ticket, SubmitError> {
        self.enqueue(self.shared.lock_current(), job)
    }

    /// Takes a job, waiting for room as long as it takes.
    pub fn submit_blocking(&self, job: Job) -> Result<Ticket, SubmitError> {
        let here = thread::current().id();
        if self.workers.iter().any(|w| w.thread().id() == here) {
            return Err(SubmitError::OnWorkerThread { job });
        }
        self.shared.lock().blocked += 1;
        let mut state = self.shared.lock_with_room();
        state.blocked -= 1;
        self.enqueue(state, job)
    }

    pub fn load(&self) -> PoolLoad {
        let state = self.shared.lock();
        PoolLoad {
            waiting: state.queue.len(),
            running: state.running,
            blocked: state.blocked,
        }
    }

    /// What the pool has done so far.
    pub fn metrics(&self) -> PoolMetrics {
        self.shared.lock().metrics
    }

    fn enqueue(&self, mut state: MutexGuard<'_, State>, job: Job) -> Result<Ticket, SubmitError> {
        let outstanding = state.outstanding();
        if outstanding >= self.shared.limit {
            state.metrics.refused += 1;
            return Err(SubmitError::Full { job, outstanding });
        }
        let ticket = Ticket {
            id: state.next_id,
            slot: Arc::new(Slot::default()),
            wanted: Wanted::until(job.deadline),
            shared: self.shared.clone(),
        };
        state.take_in(job, &ticket);
        drop(state);
        self.shared.work.notify_one();
        Ok(ticket)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let waiting = state.queue.take_all(|_| true);
        drop(state);
        self.shared.work.notify_all();
        self.shared.give_up(waiting, &JobError::PoolClosed);
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
    fn new(config: &PoolConfig) -> Self {
        Self {
            state: Mutex::new(State {
                queue: Queue::new(),
                running: 0,
                blocked: 0,
                next_id: 0,
                closed: false,
                metrics: PoolMetrics::default(),
            }),
            room: Condvar::new(),
            work: Condvar::new(),
            threads: config.threads,
            limit: config.threads.saturating_add(config.queue_limit),
        }
    }

    /// A panic cannot leave the state half-changed: jobs neither run nor drop under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, with no late job in the queue.
    fn lock_current(&self) -> MutexGuard<'_, State> {
        loop {
            let mut state = self.lock();
            let now = Instant::now();
            let late = state.queue.take_all(|waiting| waiting.wanted.is_late(now));
            if late.is_empty() {
                return state;
            }
            drop(state);
            self.give_up(late, &JobError::DeadlinePassed);
        }
    }

    /// The lock, once there is room for a job.
    fn lock_with_room(&self) -> MutexGuard<'_, State> {
        loop {
            let state = self.lock_current();
            if state.outstanding() < self.limit {
                return state;
            }
            // A waiting job that becomes late makes room too.
            let first_late = state.queue.iter().filter_map(|w| w.wanted.deadline()).min();
            match first_late {
                None => drop(self.room.wait(state)),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    drop(self.room.wait_timeout(state, left));
                }
            }
        }
    }

    /// Lets go of late jobs.
    fn expire(&self) {
        drop(self.lock_current());
    }

    /// Drops jobs that will not start. Not to be called under the lock.
    fn give_up(&self, jobs: Vec<Waiting>, why: &JobError) {
        for Waiting { job, slot, .. } in jobs {
            drop(job);
            self.conclude(&slot, Err(why.clone()), |_| {});
        }
    }

    /// Room first: whoever sees the outcome may submit again at once.
    fn conclude(&self, slot: &Slot, outcome: Outcome, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        state.metrics.count(&outcome);
        change(&mut state);
        drop(state);
        self.room.notify_all();
        slot.finish(outcome);
    }

    /// A worker's life.
    fn run(&self) {
        let mut warm = Warm::default();
        while let Some((waiting, all_cores)) = self.start_next(&mut warm) {
            self.run_one(waiting, all_cores);
        }
    }

    /// Waits for a job; `None` when the pool is closed.
    fn start_next(&self, warm: &mut Warm) -> Option<(Waiting, bool)> {
        loop {
            let mut state = self.lock_current();
            if state.closed {
                return None;
            }
            if let Some(next) = state.start_next(warm, self.threads) {
                return Some(next);
            }
            drop(self.work.wait(state));
        }
    }

    fn run_one(&self, waiting: Waiting, all_cores: bool) {
        let Waiting {
            job, slot, wanted, ..
        } = waiting;
        let turn = Turn { wanted, all_cores };
        let started = Instant::now();
        let outcome =
            catch_unwind(AssertUnwindSafe(|| job.run(&turn))).unwrap_or(Err(JobError::Panicked));
        self.conclude(&slot, outcome, |state| {
            state.running -= 1;
            state.metrics.ran.record(started.elapsed());
        });
    }

    /// Takes a job out of the queue and drops it, if it has not started.
    fn withdraw(&self, id: u64) -> bool {
        let withdrawn = self.lock().queue.take_all(|waiting| waiting.id == id);
        let found = !withdrawn.is_empty();
        self.give_up(withdrawn, &JobError::Cancelled);
        found
    }
}

impl State {
    fn outstanding(&self) -> usize {
        self.queue.len() + self.running
    }

    fn take_in(&mut self, job: Job, ticket: &Ticket) {
        self.next_id += 1;
        let place = Place {
            priority: job.priority,
            circuit: job.circuit,
        };
        self.queue.push(
            place,
            Waiting {
                id: ticket.id,
                since: Instant::now(),
                job,
                slot: ticket.slot.clone(),
                wanted: ticket.wanted.clone(),
            },
        );
        self.metrics.submitted += 1;
        self.metrics.most_waiting = self.metrics.most_waiting.max(self.queue.len());
    }

    /// The next job, and whether it may have every core to itself.
    fn start_next(&mut self, warm: &mut Warm, threads: usize) -> Option<(Waiting, bool)> {
        let next = self.queue.next(warm)?;
        let alone = self.running == 0 && self.queue.is_empty() && threads > 1;
        self.running += 1;
        self.metrics.started_alone += u64::from(alone);
        self.metrics.circuit_changes += u64::from(warm.has_changed());
        self.metrics.waited.record(next.since.elapsed());
        Some((next, alone))
    }
}

#[cfg(test)]
mod tests;
