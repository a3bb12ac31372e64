//! The client: seals and proves what an author writes, checks and opens what a reader gets.

mod anchor;
mod bulk;
#[cfg(feature = "node")]
mod cell_finder;
pub mod cells;
#[cfg(feature = "node")]
mod cluster;
pub mod grants;
mod keys;
#[cfg(feature = "node")]
pub mod outbox;
#[cfg(feature = "node")]
mod post;
mod reader;
mod registry;
#[cfg(feature = "node")]
pub mod remote;
mod sealer;
#[cfg(feature = "node")]
pub mod transfer;

pub use anchor::{AnchorError, AnchorFile};
pub use bulk::{BULK_BODY_BYTES, BulkBody, BulkBodyError};
#[cfg(feature = "node")]
pub use cell_finder::CellFinder;
#[cfg(feature = "node")]
pub use cluster::{Cluster, ClusterError, Found};
pub use keys::{KeyDirectory, NextEpochError};
#[cfg(feature = "node")]
pub use post::{Delivered, Post};
pub use reader::{Opened, ReadError, Reader, check_entry, check_included};
pub use registry::{KnownRegistry, RegistryError, check_decided};
pub use sealer::{Put, SealError, Sealed, Sealer, Ticket};
