//! So many threads for a prover that takes what rayon's current pool has.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// By size, made on first use: a lane that proves on one thread has a pool of one to itself.
    static POOLS: RefCell<HashMap<usize, ThreadPool>> = RefCell::default();
}

/// Runs `work` with a pool of `threads` threads as rayon's current one.
pub fn with<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, String> {
    POOLS.with_borrow_mut(|pools| {
        if !pools.contains_key(&threads) {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            pools.insert(threads, pool.map_err(|e| e.to_string())?);
        }
        Ok(pools[&threads].install(work))
    })
}
