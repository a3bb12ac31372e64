//! What `ukehi bench` measures with: instances to prove, provers as processes, a journal that survives interruption,
//! statistics, comparisons and a report.
//!
//! Invariants: 1. a time is reported only for work whose result was verified by our verifier; 2. every sample is kept;
//! 3. subjects take turns round by round, so that what disturbs the machine disturbs all of them.
//! Knows nothing of nodes, clusters or the command line: whoever runs a suite passes what is measured there.
#![forbid(unsafe_code)]

pub mod cell;
pub mod compare;
pub mod gates;
pub mod inprocess;
pub mod instance;
pub mod journal;
pub mod judge;
pub mod machine;
pub mod ours;
pub mod process;
pub mod protocol;
pub mod prover;
pub mod report;
pub mod results;
pub mod speedup;
pub mod statistics;
pub mod template;
pub mod turn;
pub mod worker;

#[cfg(test)]
mod schema_check;
#[cfg(test)]
mod testing;
