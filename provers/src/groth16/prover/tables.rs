//! What makes a prover faster behind its first proofs: C folded into L, then tables of multiples under a budget.
//!
//! Invariants: 1. nothing here stands in front of a proof: the work begins once some proofs were made, on niced
//! threads of its own, and a proof takes the bases that are there when it begins; 2. only a fold that its check accepted
//! is ever used, wherever it came from; 3. a failure leaves the prover as fast as it was.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Inner;
use super::bases::Points;
use super::budget::{Reservation, TableBudget};
use super::cache::TableCache;
use super::fold::Fold;
use super::work::{Cancelled, Work};
use crate::kernel::Kernel;
use crate::priority;

/// How a prover works and how it may get faster.
#[derive(Debug, Clone)]
pub struct ProverOptions {
    pub kernel: Kernel,
    pub budget: TableBudget,
    /// Where derived keys are kept; without, they are derived again in every process.
    pub cache: Option<TableCache>,
    /// The work begins when this many proofs were made: a process that makes one or two and ends gains nothing.
    pub after_proofs: u32,
}

impl ProverOptions {
    /// A quarter of memory, no cache, from the second proof on.
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            budget: TableBudget::quarter_of_memory(),
            cache: None,
            after_proofs: 2,
        }
    }
}

/// How far a prover has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    /// Too few proofs yet.
    Cold,
    /// Folding C into L: `done` of `total` point multiplications.
    Folding { done: u64, total: u64 },
    /// Computing tables.
    Building,
    /// As fast as it gets.
    Ready(TableFacts),
}

/// What a prover ended up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFacts {
    /// Whether C is folded into L: four transforms instead of six.
    pub folded: bool,
    /// Bytes of tables.
    pub bytes: u64,
    pub cache: CacheUse,
}

/// What the cache was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// No cache was given, or there was nothing to keep.
    None,
    Loaded,
    Stored,
    /// Derived, but not kept.
    Unwritable(io::ErrorKind),
}

/// The work behind one prover.
pub(super) struct Tables {
    options: ProverOptions,
    work: Work,
    stage: Mutex<Stage>,
    finished: Condvar,
    /// What the tables take of the budget; given back with the prover.
    reserved: Mutex<Option<Reservation>>,
}

enum Stage {
    Cold { proofs: u32 },
    Folding,
    Building,
    Ready(TableFacts),
}

impl Tables {
    pub(super) fn new(options: ProverOptions) -> Self {
        Self {
            options,
            work: Work::default(),
            stage: Mutex::new(Stage::Cold { proofs: 0 }),
            finished: Condvar::new(),
            reserved: Mutex::new(None),
        }
    }

    pub(super) fn state(&self) -> TableState {
        match *self.stage() {
            Stage::Cold { .. } => TableState::Cold,
            Stage::Folding => {
                let (done, total) = self.work.progress();
                TableState::Folding { done, total }
            }
            Stage::Building => TableState::Building,
            Stage::Ready(facts) => TableState::Ready(facts),
        }
    }

    pub(super) fn cancel(&self) {
        self.work.cancel();
    }

    /// Begins the work if enough proofs were made.
    pub(super) fn count_proof(&self, inner: &Arc<Inner>) {
        let mut stage = self.stage();
        if let Stage::Cold { proofs } = &mut *stage {
            *proofs = proofs.saturating_add(1);
            if *proofs >= self.options.after_proofs {
                self.begin(stage, inner, priority::MAX_NICE);
            }
        }
    }

    /// Begins the work if it has not begun, at the caller's own priority, and waits for its end.
    pub(super) fn finish(&self, inner: &Arc<Inner>) -> TableFacts {
        let stage = self.stage();
        if let Stage::Cold { .. } = *stage {
            self.begin(stage, inner, 0);
        } else {
            drop(stage);
        }
        let ended = |stage: &mut Stage| !matches!(stage, Stage::Ready(_));
        let stage = self
            .finished
            .wait_while(self.stage(), ended)
            .unwrap_or_else(PoisonError::into_inner);
        match *stage {
            Stage::Ready(facts) => facts,
            _ => unreachable!("waited until the work had ended"),
        }
    }

    fn begin(&self, mut stage: MutexGuard<'_, Stage>, inner: &Arc<Inner>, nice: u8) {
        *stage = Stage::Folding;
        drop(stage);
        let inner = inner.clone();
        let spawned = thread::Builder::new()
            .name("ukehi-tables".into())
            .spawn(move || {
                // Ended: also when a defect made it panic, or whoever waits would wait for ever.
                let ended = Ended(&inner.tables);
                inner.tables.work_on(&inner, nice);
                drop(ended);
            });
        if spawned.is_err() {
            self.end(NOTHING);
        }
    }

    fn work_on(&self, inner: &Inner, nice: u8) {
        // Behind proofs, without its lower priority, the work would only compete with what it is for.
        if priority::lower_this_thread(nice).is_err() {
            return;
        }
        let threads = rayon::ThreadPoolBuilder::new()
            .thread_name(|i| format!("ukehi-tables-{i}"))
            .build();
        if let Ok(threads) = threads
            && let Ok(facts) = threads.install(|| self.accelerate(inner))
        {
            self.end(facts);
        }
    }

    fn accelerate(&self, inner: &Inner) -> Result<TableFacts, Cancelled> {
        let mut facts = NOTHING;
        let fold = self.fold(inner, &mut facts)?;
        let points = Points::of(&inner.key, fold.as_ref());
        if fold.is_some() {
            facts.folded = true;
            inner.replace_bases(points.build(self.options.kernel, &points.plain(), 1));
        }
        let mut reservation = self.options.budget.reserve(points.wanted());
        let plans = points.within(reservation.bytes());
        reservation.shrink_to(points.total_bytes(&plans));
        facts.bytes = reservation.bytes();
        if facts.bytes > 0 {
            *self.stage() = Stage::Building;
            self.work.step(0)?;
            let threads = rayon::current_num_threads();
            inner.replace_bases(points.build(self.options.kernel, &plans, threads));
            *self.reserved() = Some(reservation);
        }
        Ok(facts)
    }

    /// A checked fold: from the cache, or derived and put there.
    fn fold(&self, inner: &Inner, facts: &mut TableFacts) -> Result<Option<Fold>, Cancelled> {
        let Some(r1cs) = &inner.r1cs else {
            return Ok(None);
        };
        // Without randomness nothing can be checked, and nothing unchecked is used.
        let good = |fold: &Fold| fold.check(&inner.key, r1cs, &inner.domain).unwrap_or(false);
        let cache = self.options.cache.as_ref();
        let loaded = cache
            .and_then(|cache| cache.load(&inner.key, r1cs.variables()))
            .and_then(|points| Fold::from_cache(points, r1cs))
            .filter(good);
        if loaded.is_some() {
            facts.cache = CacheUse::Loaded;
            return Ok(loaded);
        }
        let fold = Fold::derive(&inner.key, r1cs, &inner.domain, &self.work)?;
        if !good(&fold) {
            return Ok(None);
        }
        if let Some(cache) = cache {
            facts.cache = match cache.store(&inner.key, fold.l()) {
                Ok(()) => CacheUse::Stored,
                Err(error) => CacheUse::Unwritable(error.kind()),
            };
        }
        Ok(Some(fold))
    }

    fn reserved(&self) -> MutexGuard<'_, Option<Reservation>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, facts: TableFacts) {
        *self.stage() = Stage::Ready(facts);
        self.finished.notify_all();
    }
}

const NOTHING: TableFacts = TableFacts {
    folded: false,
    bytes: 0,
    cache: CacheUse::None,
};

/// Ends the work, however it ended.
struct Ended<'a>(&'a Tables);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if !matches!(*self.0.stage(), Stage::Ready(_)) {
            self.0.end(NOTHING);
        }
    }
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
