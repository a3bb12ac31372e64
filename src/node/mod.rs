//! The assembled node: the only place where store, network and driver meet.

mod assemble;
mod bulk;
mod config;
pub mod disk;
pub mod driver;
mod egress;
mod ingress;
mod query;
mod runtime;

pub use assemble::{Listening, NodeError, SHARD, run, run_with_verifier};
pub use config::{ConfigError, Forks, NodeConfig, SCHEMA as CONFIG_SCHEMA};
