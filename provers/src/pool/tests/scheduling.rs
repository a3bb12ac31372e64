//! Priorities, deadlines, cores and counts, with real threads. Which job is next is tested in `queue`.

use super::*;
use std::sync::Mutex;
use std::time::Instant;

/// A job that only writes down that it ran.
fn noted(record: &Sender<u32>, name: u32) -> Job {
    let (record, proof) = (record.clone(), a_proof());
    Job::from_fn(move || {
        record.send(name).unwrap();
        Ok(proof)
    })
}

/// A job that stops only when it is told that it is not wanted, and says why it stopped.
fn endless() -> (Job, Receiver<()>, Receiver<JobError>) {
    let (start, started) = channel();
    let (tell, told) = channel();
    let job = Job::with_turn(move |turn| {
        start.send(()).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Err(why) = turn.check() {
                tell.send(why.clone()).unwrap();
                return Err(why);
            }
            thread::yield_now();
        }
        panic!("never told to stop")
    });
    (job, started, told)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(5)
}

#[test]
fn urgent_jobs_overtake_and_circuits_are_grouped() {
    let pool = pool(1, 8);
    let (running, held) = Held::running(&pool);
    let (record, order) = channel();
    let jobs = [
        noted(&record, 0).priority(Priority::Background),
        noted(&record, 1).of_circuit([1; 32]),
        noted(&record, 2).of_circuit([2; 32]),
        noted(&record, 3).of_circuit([1; 32]),
        noted(&record, 4).priority(Priority::Urgent),
    ];
    let tickets = jobs.map(|job| pool.submit(job).unwrap());
    held.release.send(()).unwrap();
    running.wait().unwrap();
    assert!(tickets.into_iter().all(|t| t.wait().is_ok()));
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [4, 1, 3, 2, 0]);
}

#[test]
fn a_job_whose_deadline_passes_while_it_waits_is_dropped_and_makes_room() {
    let pool = pool(1, 1);
    let (running, held) = Held::running(&pool);
    let (job, witness_gone) = guarded();
    let late = pool.submit(job.deadline(soon())).unwrap();
    assert_eq!(late.wait(), Err(JobError::DeadlinePassed));
    assert!(witness_gone.load(Ordering::SeqCst));
    assert_eq!(pool.load().waiting, 0);

    // Nobody waits for this one: whoever needs its room finds it.
    let (job, witness_gone) = guarded();
    let late = pool.submit(job.deadline(soon())).unwrap();
    let next = pool.submit_blocking(quick()).unwrap();
    assert!(witness_gone.load(Ordering::SeqCst));
    assert!(late.is_finished());

    held.release.send(()).unwrap();
    assert!(running.wait().is_ok());
    assert!(next.wait().is_ok());
    assert_eq!(pool.metrics().expired, 2);
}

#[test]
fn polling_a_late_ticket_ends_it() {
    let pool = pool(1, 1);
    let (_running, held) = Held::running(&pool);
    let (job, _) = guarded();
    let late = pool.submit(job.deadline(Instant::now())).unwrap();
    assert!(late.is_finished());
    held.release.send(()).unwrap();
}

#[test]
fn a_job_before_its_deadline_runs() {
    let pool = pool(1, 0);
    let ticket = pool
        .submit(quick().deadline(Instant::now() + PATIENCE))
        .unwrap();
    assert!(ticket.wait().is_ok());
}

#[test]
fn a_running_job_stops_when_its_deadline_passes() {
    let pool = pool(1, 0);
    // On a crowded machine it may be late before it starts: then it gets more time.
    for allowed in [5, 50, 500, 5_000].map(Duration::from_millis) {
        let (job, started, told) = endless();
        let ticket = pool.submit(job.deadline(Instant::now() + allowed)).unwrap();
        assert_eq!(ticket.wait(), Err(JobError::DeadlinePassed));
        if started.try_recv().is_ok() {
            assert_eq!(told.recv_timeout(PATIENCE), Ok(JobError::DeadlinePassed));
            return;
        }
    }
    panic!("the job never started");
}

#[test]
fn a_running_job_stops_when_it_is_cancelled() {
    let pool = pool(1, 0);
    let (job, started, told) = endless();
    let ticket = pool.submit(job).unwrap();
    started.recv_timeout(PATIENCE).unwrap();
    assert_eq!(ticket.cancel(), Cancelled::WhileRunning);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(JobError::Cancelled));
    assert!(pool.submit_blocking(quick()).unwrap().wait().is_ok());
    assert_eq!(pool.metrics().cancelled, 1);
}

#[test]
fn a_job_has_all_cores_only_while_the_pool_has_nothing_else() {
    let (tell, told) = channel();
    let asking = || {
        let (tell, proof) = (tell.clone(), a_proof());
        Job::with_turn(move |turn| {
            tell.send(turn.has_all_cores()).unwrap();
            Ok(proof)
        })
    };
    let two = pool(2, 2);
    two.submit(asking()).unwrap().wait().unwrap();
    assert!(told.recv().unwrap(), "nothing else to do");
    let (running, held) = Held::running(&two);
    two.submit(asking()).unwrap().wait().unwrap();
    assert!(!told.recv().unwrap(), "one runs");
    held.release.send(()).unwrap();
    running.wait().unwrap();
    assert_eq!(two.metrics().started_alone, 2);

    let one = pool(1, 0);
    one.submit(asking()).unwrap().wait().unwrap();
    assert!(!told.recv().unwrap(), "one thread is all there is");
}

#[test]
fn every_job_is_counted_once_by_its_outcome() {
    let pool = pool(1, 8);
    let (running, held) = Held::running(&pool);
    let cancelled = pool.submit(guarded().0).unwrap();
    let late = pool.submit(guarded().0.deadline(soon())).unwrap();
    let failed = pool
        .submit(Job::from_fn(|| Err(ProveError::NoConstant)))
        .unwrap();
    let panicked = pool
        .submit(Job::from_fn(|| panic!("deliberate, in a test")))
        .unwrap();
    assert_eq!(cancelled.cancel(), Cancelled::BeforeStart);
    assert_eq!(late.wait(), Err(JobError::DeadlinePassed));
    held.release.send(()).unwrap();
    assert!(running.wait().is_ok());
    assert!(failed.wait().is_err());
    assert_eq!(panicked.wait(), Err(JobError::Panicked));

    let metrics = pool.metrics();
    let outcomes = [
        metrics.proved,
        metrics.failed,
        metrics.panicked,
        metrics.cancelled,
        metrics.expired,
    ];
    assert_eq!(outcomes, [1; 5]);
    assert_eq!((metrics.submitted, metrics.refused), (5, 0));
    assert_eq!((metrics.waited.count, metrics.ran.count), (3, 3));
    assert_eq!(metrics.most_waiting, 4);
}

/// Several submitters, random cancellation, and the pool closed while it is busy: every ticket gets its outcome, and
/// every witness is dropped.
#[test]
fn a_pool_closed_in_the_middle_of_a_storm_loses_nothing() {
    for round in 0..20u32 {
        let pool = pool(3, 2);
        let witnesses = Arc::new(Mutex::new(Vec::new()));
        let tickets = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for submitter in 0..3u32 {
                let (pool, tickets, witnesses) = (&pool, &tickets, witnesses.clone());
                scope.spawn(move || {
                    for i in 0..20 {
                        let dropped = Arc::new(AtomicBool::new(false));
                        witnesses.lock().unwrap().push(dropped.clone());
                        let (guard, proof) = (Guard(dropped), a_proof());
                        let job = Job::with_turn(move |turn| {
                            let _guard = &guard;
                            turn.check()?;
                            Ok(proof)
                        });
                        let choice = (round + submitter + i) % 4;
                        let job = job.priority(Priority::ALL[choice as usize % 3]);
                        let job = if choice == 3 {
                            job.deadline(soon())
                        } else {
                            job
                        };
                        let ticket = pool.submit_blocking(job).unwrap();
                        match choice {
                            0 => drop(ticket.cancel()),
                            _ => tickets.lock().unwrap().push(ticket),
                        }
                    }
                });
            }
        });
        let counts = pool.shared.clone();
        drop(pool);
        for ticket in tickets.into_inner().unwrap() {
            assert!(matches!(
                ticket.wait(),
                Ok(_) | Err(JobError::DeadlinePassed | JobError::PoolClosed)
            ));
        }
        let metrics = counts.lock().metrics;
        let ended = metrics.proved + metrics.cancelled + metrics.expired + metrics.closed;
        assert_eq!((metrics.submitted, ended), (60, 60));
        let witnesses = witnesses.lock().unwrap();
        assert!(witnesses.iter().all(|gone| gone.load(Ordering::SeqCst)));
    }
}
