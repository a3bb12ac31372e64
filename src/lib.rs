//! Ukehi: a verifiable-log consensus engine. Organisations that do not fully trust one another
//! replicate one log of encrypted commands; every replica proves to itself that each entry is
//! valid before it acknowledges it, without being able to read it; anyone who holds the trust root
//! can audit the trail offline.
//!
//! Without the `node` feature this is what an author's or auditor's program embeds: sealing,
//! verifying, receipts and audits, with no tokio, libp2p or RocksDB.

pub mod api;
pub mod audit;
pub mod batch;
#[cfg(feature = "node")]
pub mod ceremony;
#[cfg(feature = "node")]
pub mod cli;
pub mod client;
#[cfg(feature = "node")]
pub mod doctor;
pub mod error;
pub mod genesis;
pub mod ids;
pub mod keyspace;
pub mod kv;
pub mod log;
#[cfg(feature = "node")]
pub mod net;
#[cfg(feature = "node")]
pub mod node;
pub mod params;
pub mod registry;
#[cfg(feature = "node")]
pub mod replica;
pub mod store;
pub mod trust;
pub mod wire;
