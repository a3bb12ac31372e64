//! How much memory precomputed tables may take, over all provers that share the budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a machine is taken to have if it does not say.
const UNKNOWN_MEMORY: u64 = 4 << 30;

/// Bytes for tables. Clones are the same budget.
#[derive(Debug, Clone)]
pub struct TableBudget(Arc<Account>);

#[derive(Debug)]
struct Account {
    total: u64,
    used: AtomicU64,
}

/// Bytes taken from a budget, given back on drop.
#[derive(Debug)]
pub(super) struct Reservation {
    account: Arc<Account>,
    bytes: u64,
}

impl TableBudget {
    /// With 0 there are no tables, and proofs are made all the same.
    pub fn bytes(total: u64) -> Self {
        Self(Arc::new(Account {
            total,
            used: AtomicU64::new(0),
        }))
    }

    /// A quarter of this machine's memory.
    pub fn quarter_of_memory() -> Self {
        Self::bytes(memory() / 4)
    }

    pub fn total(&self) -> u64 {
        self.0.total
    }

    /// Bytes in use by tables now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// As many of the wanted bytes as are left.
    pub(super) fn reserve(&self, wanted: u64) -> Reservation {
        let take = |used: u64| Some(used + wanted.min(self.0.total - used));
        let before = self
            .0
            .used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .expect("the closure never gives up");
        Reservation {
            account: self.0.clone(),
            bytes: wanted.min(self.0.total - before),
        }
    }
}

impl Reservation {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back what is above `needed`.
    pub(super) fn shrink_to(&mut self, needed: u64) {
        let surplus = self.bytes.saturating_sub(needed);
        self.account.used.fetch_sub(surplus, Ordering::Relaxed);
        self.bytes -= surplus;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// Linux says it in proc(5); elsewhere a machine is taken to have [`UNKNOWN_MEMORY`].
fn memory() -> u64 {
    let described = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = described
        .strip_prefix("MemTotal:")
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kibibytes.map_or(UNKNOWN_MEMORY, |n| n.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_budget_is_never_exceeded_and_comes_back() {
        let budget = TableBudget::bytes(100);
        let mut first = budget.clone().reserve(70);
        let second = budget.reserve(70);
        assert_eq!((first.bytes(), second.bytes()), (70, 30));
        assert_eq!(budget.reserve(1).bytes(), 0);
        first.shrink_to(50);
        assert_eq!(budget.reserve(90).bytes(), 20);
        drop(first);
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_quarter_of_memory_is_something() {
        assert!(TableBudget::quarter_of_memory().total() >= 1 << 20);
    }
}
