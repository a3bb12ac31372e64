//! `ukehi put`, `get` and `scan`.

mod bulk;
mod input;
mod post;
mod read;
mod repair;
mod value;
mod write;

pub use post::{Post, WrittenBatch, author_or_only, sealer};
pub use read::{get, scan};
pub use repair::run as bulk;
pub use write::put;
