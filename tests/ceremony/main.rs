//! The set-up ceremony: its directory, its command line, and snarkjs among its participants. Needs node and the packages
//! of scripts/npm (`make tools`).
#![cfg(feature = "node")]

#[macro_use]
mod support;

mod in_the_log;
mod interrupted;
mod refusals;
mod whole;
mod with_snarkjs;
