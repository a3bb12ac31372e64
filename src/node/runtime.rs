//! Executes the driver's effects: one thread steps it, one writes the store, a rayon pool
//! verifies, tokio carries messages and ticks.
//!
//! Invariants: 1. the driver is stepped by one thread, in the order events arrive; 2. at most one
//! write is outstanding, and its end is an event like any other; 3. after a failed write or a
//! driver stop the process ends without another call into the store.
//! Knows nothing of Raft or of what frames mean.

use super::driver::{ClientCommand, ClientReply, Driver, Effect, Event, RequestId, TICK_MS};
use super::egress::Egress;
use crate::batch::{BatchVerifier, NotYet, Verdict};
use crate::ids::TreeSize;
use crate::kv::{StoreError, WriteBatch};
use crate::net::NetEvent;
use crate::replica::Mark;
use crate::store::{MarkFile, Store};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// One tick of the driver's virtual clock.
const TICK: Duration = Duration::from_millis(TICK_MS);
/// Events waiting for the driver; senders wait when it is full.
const EVENT_QUEUE: usize = 4096;

/// What reaches the driver's thread.
pub enum Input {
    Event(Event),
    Client {
        command: ClientCommand,
        deadline_ticks: u64,
        reply: oneshot::Sender<ClientReply>,
    },
    Shutdown,
}

/// Hands client commands to the driver.
#[derive(Clone)]
pub struct Commands {
    inputs: mpsc::Sender<Input>,
}

impl Commands {
    /// `None` if the node is stopping.
    pub async fn send(&self, command: ClientCommand, deadline: Instant) -> Option<ClientReply> {
        let (reply, answer) = oneshot::channel();
        let left = deadline.saturating_duration_since(Instant::now());
        let deadline_ticks = left.as_millis().div_ceil(TICK.as_millis()) as u64;
        let input = Input::Client {
            command,
            deadline_ticks,
            reply,
        };
        self.inputs.send(input).await.ok()?;
        answer.await.ok()
    }
}

/// What the rest of the node sees of the running driver.
pub struct Running {
    pub commands: Commands,
    pub cosigned: watch::Receiver<TreeSize>,
    pub status: watch::Receiver<String>,
    pub inputs: mpsc::Sender<Input>,
    pub tasks: StoreTasks,
    /// Ends when the driver stops; an error says why.
    pub stopped: oneshot::Receiver<Result<(), String>>,
}

/// Starts the driver's and the store's threads.
///
/// # Panics
/// If the operating system refuses to start a thread.
#[must_use]
pub fn start(
    driver: Driver,
    disk: (Arc<dyn Store>, MarkFile),
    verifier: Arc<BatchVerifier>,
    verify_pool: Arc<rayon::ThreadPool>,
    egress: Egress,
) -> Running {
    let (inputs, received) = mpsc::channel(EVENT_QUEUE);
    let (cosigned_tx, cosigned) = watch::channel(0);
    let (status_tx, status) = watch::channel(String::from("{}"));
    let (stopped_tx, stopped) = oneshot::channel();
    let writes = start_store_thread(disk, inputs.clone());
    let tasks = StoreTasks::new(writes.clone());
    let worker = Worker {
        driver,
        egress,
        verifier,
        verify_pool,
        inputs: inputs.clone(),
        writes,
        waiting: HashMap::new(),
        next_request: 0,
        cosigned: cosigned_tx,
        status: status_tx,
    };
    std::thread::Builder::new()
        .name("driver".into())
        .spawn(move || {
            let ended = worker.run(received);
            let _ = stopped_tx.send(ended);
        })
        .expect("the system can start a thread");
    Running {
        commands: Commands {
            inputs: inputs.clone(),
        },
        cosigned,
        status,
        inputs,
        tasks,
        stopped,
    }
}

/// Feeds ticks to the driver until it stops.
pub async fn tick(inputs: mpsc::Sender<Input>) {
    let mut interval = tokio::time::interval(TICK);
    // After a stall, virtual time goes on from now: a burst of ticks would start an election.
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let now_unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        if inputs
            .send(Input::Event(Event::Tick { now_unix }))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Feeds what the network brings to the driver until either stops.
pub async fn pump(
    mut events: mpsc::Receiver<NetEvent>,
    egress: Egress,
    inputs: mpsc::Sender<Input>,
) {
    while let Some(event) = events.recv().await {
        if inputs
            .send(Input::Event(egress.event(event)))
            .await
            .is_err()
        {
            return;
        }
    }
}

pub(super) enum Job {
    Write {
        token: u64,
        batch: WriteBatch,
        mark: Mark,
        sync: bool,
    },
    Task {
        task: StoreTask,
        done: oneshot::Sender<()>,
    },
}

type StoreTask = Box<dyn FnOnce(&dyn Store) -> Result<(), StoreError> + Send>;

/// Hands work that is not the driver's to the store's thread: what a task reads there, no other
/// write changes before its own write. Who queues waits for the end, so that the tasks in the
/// queue are bounded by the requests under way.
#[derive(Clone)]
pub struct StoreTasks {
    jobs: blocking::Sender<Job>,
}

impl StoreTasks {
    pub(super) fn new(jobs: blocking::Sender<Job>) -> Self {
        Self { jobs }
    }

    /// Runs after all that was queued before. The receiver fails if the node is stopping; a task
    /// that fails stops it.
    pub fn queue(
        &self,
        task: impl FnOnce(&dyn Store) -> Result<(), StoreError> + Send + 'static,
    ) -> oneshot::Receiver<()> {
        let (done, ended) = oneshot::channel();
        let task = Box::new(task);
        let _ = self.jobs.send(Job::Task { task, done });
        ended
    }
}

pub(super) fn start_store_thread(
    (store, mut marks): (Arc<dyn Store>, MarkFile),
    inputs: mpsc::Sender<Input>,
) -> blocking::Sender<Job> {
    let (writes, received) = blocking::channel::<Job>();
    std::thread::Builder::new()
        .name("store".into())
        .spawn(move || {
            let mut synced = 0;
            for job in received {
                let ended = match job {
                    Job::Write {
                        token,
                        batch,
                        mark,
                        sync,
                    } => store
                        .commit(&batch, sync)
                        .map_err(|error| error.to_string())
                        .and_then(|()| {
                            // Between checkpoints it survives the process, not a power cut.
                            let sync = mark.cosigned > synced;
                            synced = mark.cosigned;
                            marks
                                .write(&mark.to_bytes(), sync)
                                .map_err(|e| e.to_string())
                        })
                        .map(|()| Some(Event::Persisted { token })),
                    Job::Task { task, done } => task(&*store)
                        .map(|()| {
                            let _ = done.send(());
                            None
                        })
                        .map_err(|error| error.to_string()),
                };
                // Never retried: what a failed fsync wrote is unknown (fsyncgate).
                let event = ended.unwrap_or_else(|reason| Some(Event::PersistFailed { reason }));
                let Some(event) = event else { continue };
                let failed = matches!(event, Event::PersistFailed { .. });
                if inputs.blocking_send(Input::Event(event)).is_err() || failed {
                    return;
                }
            }
        })
        .expect("the system can start a thread");
    writes
}

struct Worker {
    driver: Driver,
    egress: Egress,
    verifier: Arc<BatchVerifier>,
    verify_pool: Arc<rayon::ThreadPool>,
    inputs: mpsc::Sender<Input>,
    writes: blocking::Sender<Job>,
    waiting: HashMap<RequestId, oneshot::Sender<ClientReply>>,
    next_request: RequestId,
    cosigned: watch::Sender<TreeSize>,
    status: watch::Sender<String>,
}

impl Worker {
    fn run(mut self, mut received: mpsc::Receiver<Input>) -> Result<(), String> {
        while let Some(input) = received.blocking_recv() {
            let event = match input {
                Input::Shutdown => return Ok(()),
                Input::Event(event) => event,
                Input::Client {
                    command,
                    deadline_ticks,
                    reply,
                } => {
                    self.next_request += 1;
                    self.waiting.insert(self.next_request, reply);
                    Event::Client {
                        request: self.next_request,
                        command,
                        deadline_ticks,
                    }
                }
            };
            for effect in self.driver.step(event) {
                self.execute(effect)?;
            }
            self.publish_status();
        }
        Ok(())
    }

    fn execute(&mut self, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Persist {
                token,
                batch,
                mark,
                sync,
            } => {
                // The store's thread only ends after a failed write, which stops the driver too.
                let _ = self.writes.send(Job::Write {
                    token,
                    batch,
                    mark,
                    sync,
                });
            }
            Effect::Verify { ticket, batches } => self.verify(ticket, batches),
            // Verifications under way end under the verifier they began with.
            Effect::LearnCircuit(manifest) => {
                self.verifier = Arc::new(self.verifier.with_circuit(&manifest));
            }
            Effect::Reply { request, reply } => {
                if let Some(waiting) = self.waiting.remove(&request) {
                    let _ = waiting.send(reply);
                }
            }
            Effect::Stop(reason) => return Err(reason.to_string()),
            other => self.egress.execute(other),
        }
        Ok(())
    }

    fn verify(&self, ticket: u64, batches: Vec<Arc<[u8]>>) {
        let verifier = self.verifier.clone();
        let inputs = self.inputs.clone();
        self.verify_pool.spawn(move || {
            let verdicts = catch_unwind(AssertUnwindSafe(|| verifier.verify(&batches)))
                .unwrap_or_else(|_| vec![Verdict::NotYet(NotYet::Panicked); batches.len()]);
            let _ = inputs.blocking_send(Input::Event(Event::Verified { ticket, verdicts }));
        });
    }

    fn publish_status(&self) {
        let status = self.driver.status();
        self.cosigned.send_if_modified(|size| {
            let changed = *size != status.cosigned_size;
            *size = status.cosigned_size;
            changed
        });
        let json = serde_json::to_string(&status).expect("status holds strings and numbers");
        self.status.send_if_modified(|before| {
            let changed = *before != json;
            *before = json;
            changed
        });
    }
}
