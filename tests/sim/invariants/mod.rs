//! What must hold, one file each, named after the papers. They look from outside: at stores, at
//! clients' answers, at the status a node shows; never at its own judgement of itself.

pub mod acknowledged;
pub mod barrier;
pub mod checkpoint_prefix;
pub mod commit_rule;
pub mod durable_before_ack;
pub mod election_safety;
pub mod exactly_once;
pub mod leader_completeness;
pub mod liveness;
pub mod log_matching;
pub mod state_machine_safety;
pub mod verified_before_ack;
