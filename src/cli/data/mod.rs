//! `ukehi put`, `get` and `scan`.

mod bulk;
mod input;
mod post;
mod read;
mod value;
mod write;

pub use post::{Post, WrittenBatch, author_names, fetch_receipt, only_author, protocol, sealer};
pub use read::{get, hold_epoch_of, open_reader, scan};
pub use write::put;
