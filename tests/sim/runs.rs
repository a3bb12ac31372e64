//! Many runs on all cores: one thread per core, each run within one thread.

use crate::faults::{self, Counts};
use crate::oracle::Report;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};

/// A run that was not clean.
pub struct Failure {
    pub seed: u64,
    pub what: String,
}

/// What many runs showed together.
#[derive(Default)]
pub struct Totals {
    pub seeds: u64,
    pub simulated_ms: u64,
    pub acknowledged: usize,
    pub operations: usize,
    pub barriers: usize,
    pub records: usize,
    pub elections: usize,
    pub lost: usize,
    pub acknowledged_missing: usize,
    pub unproven_applied: usize,
    pub faults: Counts,
    pub checks: Counts,
    pub failures: Vec<Failure>,
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.simulated_ms += report.simulated_ms;
        self.acknowledged += report.acknowledged;
        self.operations += report.operations;
        self.barriers += report.barriers;
        self.records += report.records;
        self.elections += report.elections;
        self.lost += report.lost;
        self.acknowledged_missing += report.acknowledged_missing;
        self.unproven_applied += report.unproven_applied;
        faults::add(&mut self.faults, &report.faults);
        faults::add(&mut self.checks, &report.checks);
    }

    pub fn hours(&self) -> f64 {
        self.simulated_ms as f64 / 3_600_000.0
    }

    /// Straight to stderr: every run shows the sums, also where the test passes.
    pub fn show(&self) {
        let _ = writeln!(
            std::io::stderr(),
            "{} seeds, {:.1} h simulated: {} acknowledged, {} operations, {} barriers, {} records, \
             {} elections, {} nodes lost to their disk\n\
             acknowledged entries missing: {}\nunproven entries applied:     {}",
            self.seeds,
            self.hours(),
            self.acknowledged,
            self.operations,
            self.barriers,
            self.records,
            self.elections,
            self.lost,
            self.acknowledged_missing,
            self.unproven_applied
        );
    }

    pub fn assert_clean(&self) {
        assert_eq!(self.acknowledged_missing, 0);
        assert_eq!(self.unproven_applied, 0);
        let failed: Vec<u64> = self.failures.iter().map(|f| f.seed).collect();
        assert!(failed.is_empty(), "seeds {failed:?} failed, see above");
    }
}

thread_local! {
    /// Set while a panic is caught and told by the one who catches it.
    static CAUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
    static CATCHES: Cell<bool> = const { Cell::new(false) };
}

/// A panic is a failure like any other, and says where it was.
pub fn attempt<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match CATCHES.get() {
            true => CAUGHT.set(Some(info.to_string())),
            false => before(info),
        }));
    });
    CATCHES.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(false);
    result.map_err(|_| CAUGHT.take().unwrap_or_default())
}

/// Runs `run` for seeds from `first` on, on all cores, until `more` says no.
pub fn over<R: Send>(
    first: u64,
    more: impl Fn(u64) -> bool + Sync,
    run: impl Fn(u64) -> R + Sync,
) -> Vec<(u64, R)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let results = Mutex::new(Vec::new());
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let done = next.fetch_add(1, Ordering::Relaxed);
                    if !more(done) {
                        return;
                    }
                    let result = run(first + done);
                    let mut results = results.lock().expect("no run panics here");
                    results.push((first + done, result));
                }
            });
        }
    });
    results.into_inner().expect("no run panics here")
}

/// Runs seeds from `first` on, until `more` says no. A failure is told at once.
pub fn many(first: u64, more: impl Fn(u64) -> bool + Sync, run: fn(u64) -> Report) -> Totals {
    let totals = Mutex::new(Totals::default());
    over(first, more, |seed| {
        let result = attempt(|| run(seed));
        let mut totals = totals.lock().expect("no run panics here");
        totals.seeds += 1;
        let what = match &result {
            Ok(report) => {
                totals.add(report);
                report.fault()
            }
            Err(what) => Some(what.clone()),
        };
        if let Some(what) = what {
            let _ = writeln!(
                std::io::stderr(),
                "seed {seed}: {what}\nreplay with: make sim SEED={seed}"
            );
            totals.failures.push(Failure { seed, what });
        }
    });
    totals.into_inner().expect("no run panics here")
}
