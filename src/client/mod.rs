//! The client: seals and proves what an author writes, checks and opens what a reader gets.

mod anchor;
mod bulk;
pub mod grants;
#[cfg(feature = "node")]
pub mod outbox;
mod reader;
mod registry;
#[cfg(feature = "node")]
pub mod remote;
mod sealer;
#[cfg(feature = "node")]
pub mod transfer;

pub use anchor::{AnchorError, AnchorFile};
pub use bulk::{BULK_BODY_BYTES, BulkBody, BulkBodyError};
pub use reader::{Opened, ReadError, Reader, check_entry, check_included};
pub use registry::{KnownRegistry, RegistryError, check_decided};
pub use sealer::{Put, SealError, Sealed, Sealer, Ticket};
