//! Real nodes: processes of the shipped binary, RocksDB on disk, TCP on loopback.
//!
//! Every run prints two sums that must be 0 (reliability.md): acknowledged entries missing, and
//! unproven entries applied. Both come from comparing clients' receipts with the exported trail.
#![cfg(feature = "node")]

mod anchor;
mod disk;
mod exactly_once;
mod failover;
mod forks;
mod harness;
mod hostile_leader;
mod intruders;
mod kill_rounds;
mod reads;
mod refusals;
mod registry;
mod testnet;
