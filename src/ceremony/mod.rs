//! A set-up ceremony in a directory: announced, contributed to by named participants, closed by a beacon, verified,
//! and turned into proving parameters.
//!
//! Invariants: 1. a file of the directory is whole or not there, and none is ever overwritten; 2. a step counts once
//! its key file is there: what a crash leaves before that is ignored; 3. nobody contributes to, closes or finishes what
//! does not verify from the circuit and the powers of τ.
//! Knows nothing of terminals. Whether the participants are worth trusting is for whoever reads the announcement.

mod announcement;
mod check;
mod error;
mod files;
mod finish;
mod steps;

pub use announcement::{AnnouncedBeacon, Announcement, ListedParticipant, MAX_SOURCE_BYTES};
pub use check::{CheckedKey, Verified, verify_files};
pub use error::CeremonyError;
pub use files::{read_powers, write_powers};
pub use steps::{CircuitSource, Entropy, StepMade};

use std::fmt;
use std::path::{Path, PathBuf};
use ukehi_provers::R1cs;

/// What takes long, for whoever shows progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Powers,
    InitialKey,
    Checking,
    Contributing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Stage {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Powers => "powers of tau",
            Self::InitialKey => "initial key",
            Self::Checking => "checking",
            Self::Contributing => "contributing",
        }
    }
}

/// Told (stage, done, total) now and then.
pub type Report<'a> = &'a mut dyn FnMut(Stage, u64, u64);

/// An announced ceremony.
pub struct Ceremony {
    directory: PathBuf,
    announcement: Announcement,
    /// Plain BLAKE3 of `ceremony.json`.
    digest: [u8; 32],
    circuit: R1cs,
}

impl Ceremony {
    #[must_use]
    pub fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// Plain BLAKE3 of `ceremony.json`: what participants compare before they contribute, and sign.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

#[cfg(test)]
mod tests;
