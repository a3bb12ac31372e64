//! `ukehi put`, `get` and `scan`.

mod bulk;
mod input;
mod read;
mod value;
mod write;

pub use read::{get, scan};
pub use write::{fetch_receipt, put};
