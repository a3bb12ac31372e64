//! Clusters of real processes, the batches written to them, and what is compared afterwards.
//!
//! Invariants: 1. a process ends with its guard, even on a panic; 2. nothing waits for a fixed
//! time: conditions are polled up to a deadline.

mod client;
mod cluster;
mod corpus;
mod process;
mod template;
mod trail;

pub use client::Client;
pub use cluster::{Cluster, SHIPPED};
pub use corpus::{batch, batch_of, with_proof_of};
pub use process::{HOSTILE_CONFIG, Process};
pub use trail::{Sums, Trail};

use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Far above what anything here takes on two busy cores.
pub const DEADLINE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(20);

/// Polls until there is a value; says what it waited for if none comes.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(POLL);
    }
}

/// The clients' side of all tests.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: std::sync::OnceLock<Runtime> = std::sync::OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}
