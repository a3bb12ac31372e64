//! The default state machine: a map from route tags to the newest slot sealed under them.

mod apply;
pub mod bulk;
pub mod session;

pub use apply::{ANCHOR_WINDOW, Keyspace, Place, StateMachine};
