use super::*;
use crate::groth16::{Assignment, Groth16Proof, ProveError, Prover, ProverOptions, verify};
use crate::kernel::Kernel;
use crate::testing::{self, small};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

mod scheduling;

/// A rendezvous that never comes fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(60);

fn pool(threads: usize, queue_limit: usize) -> Pool {
    Pool::new(PoolConfig {
        threads,
        queue_limit,
        nice: 0,
    })
    .unwrap()
}

fn a_proof() -> Groth16Proof {
    testing::proven(3).1
}

fn prover() -> Arc<Prover> {
    let options = ProverOptions::new(Kernel::Portable);
    Arc::new(Prover::new(small().key.clone(), small().r1cs.clone(), options).unwrap())
}

fn quick() -> Job {
    let proof = a_proof();
    Job::from_fn(move || Ok(proof))
}

/// A job that tells when it has started and ends when told to.
struct Held {
    started: Receiver<()>,
    release: Sender<()>,
}

impl Held {
    fn job() -> (Job, Held) {
        let (start, started) = channel();
        let (release, released) = channel();
        let proof = a_proof();
        let job = Job::from_fn(move || {
            start.send(()).unwrap();
            released.recv_timeout(PATIENCE).expect("never released");
            Ok(proof)
        });
        (job, Held { started, release })
    }

    /// A job known to be running on a thread of `pool`.
    fn running(pool: &Pool) -> (Ticket, Held) {
        let (job, held) = Self::job();
        let ticket = pool.submit(job).unwrap();
        held.started
            .recv_timeout(PATIENCE)
            .expect("the job never started");
        (ticket, held)
    }
}

/// Stands in for a witness: tells when it is dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn guarded() -> (Job, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Guard(dropped.clone());
    let job = Job::from_fn(move || {
        let _guard = &guard;
        panic!("a withdrawn job ran")
    });
    (job, dropped)
}

#[test]
fn real_proofs_come_back_from_the_pool_and_verify() {
    let pool = pool(2, 4);
    let tickets: Vec<_> = (1..5)
        .map(|x| {
            let assignment = testing::small_assignment(x);
            let inputs = assignment[1..3].to_vec();
            let job = Job::prove(prover(), Assignment::new(assignment));
            (inputs, pool.submit(job).unwrap())
        })
        .collect();
    for (inputs, ticket) in tickets {
        let proof = ticket.wait().unwrap();
        let key = small().key.prepared_verifying_key();
        assert_eq!(verify(key, &inputs, &proof), Ok(()));
    }
}

#[test]
fn a_provers_error_reaches_its_ticket() {
    let pool = pool(1, 0);
    let job = Job::prove(prover(), Assignment::new(vec![]));
    assert!(matches!(
        pool.submit(job).unwrap().wait(),
        Err(JobError::Prove(ProveError::AssignmentLength { .. }))
    ));
}

#[test]
fn two_jobs_overlap_on_two_threads() {
    let pool = pool(2, 0);
    let (to_second, from_first) = channel();
    let (to_first, from_second) = channel();
    let meet = |to: Sender<()>, from: Receiver<()>| {
        let proof = a_proof();
        Job::from_fn(move || {
            to.send(()).unwrap();
            from.recv_timeout(PATIENCE)
                .expect("the other job does not run beside this one");
            Ok(proof)
        })
    };
    let first = pool.submit(meet(to_second, from_second)).unwrap();
    let second = pool.submit(meet(to_first, from_first)).unwrap();
    assert!(first.wait().is_ok());
    assert!(second.wait().is_ok());
}

#[test]
fn jobs_start_in_the_order_they_came() {
    let pool = pool(1, 8);
    let (ticket, held) = Held::running(&pool);
    let (record, order) = channel();
    let tickets: Vec<_> = (0..8)
        .map(|i| {
            let (record, proof) = (record.clone(), a_proof());
            let job = Job::from_fn(move || {
                record.send(i).unwrap();
                Ok(proof)
            });
            pool.submit(job).unwrap()
        })
        .collect();
    held.release.send(()).unwrap();
    ticket.wait().unwrap();
    assert!(tickets.into_iter().all(|t| t.wait().is_ok()));
    assert_eq!(
        order.try_iter().collect::<Vec<_>>(),
        (0..8).collect::<Vec<_>>()
    );
}

#[test]
fn a_full_pool_hands_the_job_back_and_takes_it_again_when_there_is_room() {
    let pool = pool(1, 1);
    let (running, held) = Held::running(&pool);
    let waiting = pool.submit(quick()).unwrap();
    assert_eq!(
        pool.load(),
        PoolLoad {
            waiting: 1,
            running: 1,
            blocked: 0
        }
    );
    let Err(SubmitError::Full { job, outstanding }) = pool.submit(quick()) else {
        panic!("a third job was taken");
    };
    assert_eq!(outstanding, 2);
    held.release.send(()).unwrap();
    running.wait().unwrap();
    let again = pool
        .submit(job)
        .expect("an outcome was seen, so there is room");
    assert!(waiting.wait().is_ok());
    assert!(again.wait().is_ok());
    assert_eq!(
        pool.load(),
        PoolLoad {
            waiting: 0,
            running: 0,
            blocked: 0
        }
    );
}

#[test]
fn submit_blocking_waits_until_a_job_ends_or_is_withdrawn() {
    let pool = pool(1, 1);
    for withdraw in [false, true] {
        let (running, held) = Held::running(&pool);
        let waiting = pool.submit(quick()).unwrap();
        thread::scope(|scope| {
            let blocked = scope.spawn(|| pool.submit_blocking(quick()).unwrap());
            while pool.load().blocked == 0 {
                assert!(!blocked.is_finished(), "a full pool took a job");
                thread::yield_now();
            }
            let waiting = if withdraw {
                assert_eq!(waiting.cancel(), Cancelled::BeforeStart);
                None
            } else {
                held.release.send(()).unwrap();
                Some(waiting)
            };
            let ticket = blocked.join().unwrap();
            let _ = held.release.send(());
            assert!(ticket.wait().is_ok());
            assert!(waiting.is_none_or(|w| w.wait().is_ok()));
            assert!(running.wait().is_ok());
        });
    }
}

#[test]
fn submit_blocking_on_a_pool_thread_is_refused() {
    let pool = Arc::new(pool(1, 0));
    let (tell, told) = channel();
    let inner = pool.clone();
    let (outer, inner_job) = (a_proof(), quick());
    let job = Job::from_fn(move || {
        let refused = matches!(
            inner.submit_blocking(inner_job),
            Err(SubmitError::OnWorkerThread { .. })
        );
        drop(inner);
        tell.send(refused).unwrap();
        Ok(outer)
    });
    assert!(pool.submit(job).unwrap().wait().is_ok());
    assert!(told.recv().unwrap());
}

#[test]
fn cancelling_or_dropping_the_ticket_of_a_waiting_job_drops_its_witness_at_once() {
    let pool = pool(1, 1);
    let (running, held) = Held::running(&pool);
    let (job, witness_gone) = guarded();
    let ticket = pool.submit(job).unwrap();
    assert!(!witness_gone.load(Ordering::SeqCst));
    assert_eq!(ticket.cancel(), Cancelled::BeforeStart);
    assert!(witness_gone.load(Ordering::SeqCst));

    let (job, witness_gone) = guarded();
    drop(pool.submit(job).expect("cancelling made room"));
    assert!(witness_gone.load(Ordering::SeqCst));

    held.release.send(()).unwrap();
    assert!(running.wait().is_ok());
    assert!(pool.submit(quick()).unwrap().wait().is_ok());
}

#[test]
fn cancelling_a_running_job_that_never_asks_lets_it_finish_and_discards_its_result() {
    let pool = pool(1, 0);
    let (ticket, held) = Held::running(&pool);
    assert_eq!(ticket.cancel(), Cancelled::WhileRunning);
    assert_eq!(pool.load().running, 1);
    held.release.send(()).expect("the job is still there");
    assert!(pool.submit_blocking(quick()).unwrap().wait().is_ok());
}

#[test]
fn cancelling_a_finished_job_says_so() {
    let pool = pool(1, 1);
    let first = pool.submit(quick()).unwrap();
    // One thread, first in first out: when the second has its outcome, so has the first.
    pool.submit(quick()).unwrap().wait().unwrap();
    assert!(first.is_finished());
    assert_eq!(first.cancel(), Cancelled::AfterEnd);
}

#[test]
fn a_panicking_job_is_its_own_error_and_the_pool_goes_on() {
    let pool = pool(1, 4);
    for _ in 0..3 {
        let job = Job::from_fn(|| panic!("deliberate, in a test"));
        assert_eq!(pool.submit(job).unwrap().wait(), Err(JobError::Panicked));
        assert!(pool.submit(quick()).unwrap().wait().is_ok());
    }
    assert_eq!(
        pool.load(),
        PoolLoad {
            waiting: 0,
            running: 0,
            blocked: 0
        }
    );
}

#[test]
fn closing_drops_waiting_jobs_finishes_running_ones_and_joins_the_threads() {
    let pool = pool(1, 1);
    let (running, held) = Held::running(&pool);
    let (job, witness_gone) = guarded();
    let waiting = pool.submit(job).unwrap();
    let shared = Arc::downgrade(&pool.shared);
    thread::scope(|scope| {
        let closing = scope.spawn(move || drop(pool));
        assert_eq!(waiting.wait(), Err(JobError::PoolClosed));
        assert!(witness_gone.load(Ordering::SeqCst));
        assert!(!running.is_finished());
        assert!(!closing.is_finished(), "closed around a running job");
        held.release.send(()).unwrap();
        closing.join().unwrap();
        assert!(running.is_finished());
        assert!(running.wait().is_ok());
    });
    assert!(
        shared.upgrade().is_none(),
        "a thread outlived its pool and holds its state"
    );
}

#[test]
fn a_job_that_owns_the_last_handle_to_its_pool_can_close_it() {
    let pool = Arc::new(pool(1, 0));
    let (hand_over, handed) = channel::<Arc<Pool>>();
    let proof = a_proof();
    let job = Job::from_fn(move || {
        drop(handed.recv_timeout(PATIENCE).unwrap());
        Ok(proof)
    });
    let ticket = pool.submit(job).unwrap();
    hand_over.send(pool).unwrap();
    assert!(ticket.wait().is_ok());
}

#[test]
fn impossible_configurations_are_refused() {
    let build = |threads, nice| {
        Pool::new(PoolConfig {
            threads,
            queue_limit: 0,
            nice,
        })
    };
    assert!(matches!(build(0, 0), Err(PoolError::NoThreads)));
    assert!(matches!(
        build(1, 20),
        Err(PoolError::NiceOutOfRange { nice: 20 })
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn prover_threads_are_niced_and_the_submitting_thread_is_not() {
    use rustix::process::getpriority_process;
    let own = || getpriority_process(Some(rustix::thread::gettid())).unwrap();
    let before = own();
    let pool = Pool::new(PoolConfig {
        threads: 1,
        queue_limit: 0,
        nice: 3,
    })
    .unwrap();
    let (tell, told) = channel();
    let proof = a_proof();
    let job = Job::from_fn(move || {
        tell.send(own()).unwrap();
        Ok(proof)
    });
    assert!(pool.submit(job).unwrap().wait().is_ok());
    assert_eq!(told.recv().unwrap(), (before + 3).min(19));
    assert_eq!(own(), before);
}
