//! Trails in one file: exporting them, verifying them with no node running, showing them.
//!
//! Invariants: 1. a bundle is self-contained: with the trust root it is all an auditor needs, and
//! no decryption key is; 2. nothing in a bundle is believed: checksums tell where a file is
//! damaged, only hashes, proofs and signatures that lead to the trust root tell that it is true.
//! Knows nothing of nodes, networks or stores on disk.

mod bundle;
mod checkpoint;
pub mod disclosure;
mod error;
#[cfg(feature = "node")]
pub mod evidence;
mod export;
mod frames;
mod place;
mod readable;
mod replay;
mod report;
pub mod show;
pub mod snarkjs;
pub mod verify;

pub use bundle::{BundleReader, RawChange, RawEntry, Start};
pub use error::{AuditError, Which};
pub use export::{BundleWriter, ExportError};
pub use frames::{BundleError, FORMAT_VERSION, Further};
pub use place::Place;
pub use readable::{ClosedEpoch, Readable, readable};
pub use replay::Replay;
pub use report::{Comparison, Cosigner, OutcomeCount, REPORT_SCHEMA, Report, Tally};
pub use verify::{Options, Progress, verify, verify_trail};
