//! The set-up ceremony: its directory, its command line, and snarkjs among its participants. Needs node and the packages
//! of scripts/npm (`make tools`).
#![cfg(feature = "node")]

mod interrupted;
mod refusals;
mod support;
mod whole;
