//! The registry as a client knows it: every change a node shows is verified and folded, and kept.
//!
//! Invariants: 1. a change is taken only if its record stands in the log under a majority-cosigned
//! checkpoint, its signatures hold, and the fold decides what the record says; 2. a change missing
//! in the middle is noticed by the numbers. That nothing newer exists is not shown: a node can
//! leave out the last changes, and another may tell.
//! Knows nothing of how entries come here.

use super::reader::{ReadError, check_included};
use crate::api::ProvenEntry;
use crate::batch::BatchVerifier;
use crate::ids::LogIndex;
use crate::log::{Outcome, Record};
use crate::registry::{
    ChangeFault, ChangeVerifier, MAX_CHANGE_BYTES, Payload, RecordedFault, Registry, VerifiedChange,
};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

const EXTENSION: &str = "change";

/// Why the registry does not move on.
#[derive(Debug, Error)]
pub enum RegistryError {
    #[error(transparent)]
    Entry(#[from] ReadError),
    #[error("entry {index}: the registry change shown is invalid: {fault}")]
    Invalid { index: LogIndex, fault: ChangeFault },
    #[error("entry {index} is not the registry change that was shown")]
    OtherChange { index: LogIndex },
    /// A change before it was left out, or the nodes agree on a wrong outcome.
    #[error(
        "the registry change at entry {index} should be {expected:?} here, its record says {found:?}"
    )]
    Outcome {
        index: LogIndex,
        expected: Outcome,
        found: Outcome,
    },
    #[error("entry {index} comes after entry {last} was taken")]
    OutOfOrder { index: LogIndex, last: LogIndex },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is not what was kept there: {reason}")]
    Damaged { path: PathBuf, reason: String },
}

/// A registry, the gate that goes with it, and the directory it is kept in.
pub struct KnownRegistry {
    registry: Registry,
    verifier: BatchVerifier,
    changes: ChangeVerifier,
    last: LogIndex,
    dir: Option<PathBuf>,
}

impl KnownRegistry {
    /// What genesis and the changes kept in `dir` come to; `verifier` is the trust root's.
    ///
    /// # Errors
    /// [`RegistryError::Io`], [`RegistryError::Damaged`].
    pub fn open(verifier: BatchVerifier, dir: Option<&Path>) -> Result<Self, RegistryError> {
        let mut known = Self {
            registry: Registry::from_genesis(verifier.genesis(), verifier.shard()),
            changes: ChangeVerifier::new(verifier.genesis(), verifier.shard()),
            verifier,
            last: 0,
            dir: dir.map(Path::to_owned),
        };
        for (index, path) in kept(dir)? {
            known.load(index, &path)?;
        }
        Ok(known)
    }

    fn load(&mut self, index: LogIndex, path: &Path) -> Result<(), RegistryError> {
        let damaged = |reason: String| RegistryError::Damaged {
            path: path.to_owned(),
            reason,
        };
        let size = fs::metadata(path).map_err(|e| io_error(path, e))?.len();
        if size > MAX_CHANGE_BYTES as u64 {
            return Err(damaged(format!("it is {size} bytes long")));
        }
        let bytes = fs::read(path).map_err(|e| io_error(path, e))?;
        let change = self.changes.verify(&bytes.into(), Payload::MayBePruned);
        let change = change.map_err(|e| damaged(e.to_string()))?;
        // What the cells made of a mint is not kept; the openings that are read are checked for themselves.
        match self.fold(index, &change, Outcome::Applied) {
            Outcome::Applied => Ok(()),
            other => Err(damaged(format!("it folds to {other:?}"))),
        }
    }

    /// Takes a change a node showed: only those that used up their numbers, in log order.
    ///
    /// # Errors
    /// [`RegistryError`]; the registry then stays where it was.
    pub fn take(&mut self, entry: &ProvenEntry) -> Result<(), RegistryError> {
        let record = &entry.record;
        let index = record.index;
        if index <= self.last {
            return Err(RegistryError::OutOfOrder {
                index,
                last: self.last,
            });
        }
        let change = check_change(entry, &self.verifier, &self.changes)?;
        let mut next = self.registry.clone();
        let expected = next.apply_recorded(index, &change, record.outcome);
        if expected != record.outcome || !record.outcome.takes_number() {
            return Err(RegistryError::Outcome {
                index,
                expected,
                found: record.outcome,
            });
        }
        self.keep(index, change.bytes())?;
        self.fold(index, &change, record.outcome);
        Ok(())
    }

    fn fold(&mut self, index: LogIndex, change: &VerifiedChange, recorded: Outcome) -> Outcome {
        let outcome = self.registry.apply_recorded(index, change, recorded);
        if let (Outcome::Applied, Some(manifest)) = (outcome, change.manifest()) {
            self.verifier = self.verifier.with_circuit(manifest);
        }
        self.last = index;
        outcome
    }

    fn keep(&self, index: LogIndex, bytes: &[u8]) -> Result<(), RegistryError> {
        let Some(dir) = &self.dir else {
            return Ok(());
        };
        // Zero-padded, so that names sort as indexes do.
        let path = dir.join(format!("{index:020}.{EXTENSION}"));
        let temporary = path.with_extension("tmp");
        let write = || {
            fs::create_dir_all(dir)?;
            let mut file = fs::File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|e| io_error(&path, e))
    }

    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The gate's first stage, with the circuits the log activated.
    #[must_use]
    pub fn verifier(&self) -> &BatchVerifier {
        &self.verifier
    }

    /// The last entry taken; a node is asked for the changes above it.
    #[must_use]
    pub fn last(&self) -> LogIndex {
        self.last
    }
}

/// Verifies that a node's entry is this registry change, applied or refused, in the log.
///
/// # Errors
/// [`RegistryError`].
pub fn check_decided(
    entry: &ProvenEntry,
    digest: &[u8; 32],
    known: &KnownRegistry,
) -> Result<Record, RegistryError> {
    let change = check_change(entry, &known.verifier, &known.changes)?;
    match change.digest() == *digest {
        true => Ok(entry.record),
        false => Err(RegistryError::OtherChange {
            index: entry.record.index,
        }),
    }
}

fn check_change(
    entry: &ProvenEntry,
    verifier: &BatchVerifier,
    changes: &ChangeVerifier,
) -> Result<VerifiedChange, RegistryError> {
    let index = entry.record.index;
    check_included(entry, verifier.genesis())?;
    let bytes: Arc<[u8]> = entry.payload.clone().into();
    let change = changes.verify_recorded(&entry.record, &bytes);
    change.map_err(|fault| match fault {
        RecordedFault::Change(fault) => RegistryError::Invalid { index, fault },
        RecordedFault::OtherRecord => RegistryError::OtherChange { index },
    })
}

/// The changes kept, in log order.
fn kept(dir: Option<&Path>) -> Result<Vec<(LogIndex, PathBuf)>, RegistryError> {
    let Some(dir) = dir else {
        return Ok(Vec::new());
    };
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|e| io_error(dir, e))?,
    };
    let mut kept = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| io_error(dir, e))?.path();
        if path.extension().is_none_or(|e| e != EXTENSION) {
            continue;
        }
        let index = path.file_stem().and_then(|s| s.to_str()?.parse().ok());
        let index = index.ok_or_else(|| RegistryError::Damaged {
            path: path.clone(),
            reason: "its name is no entry's index".into(),
        })?;
        kept.push((index, path));
    }
    kept.sort();
    Ok(kept)
}

fn io_error(path: &Path, source: io::Error) -> RegistryError {
    RegistryError::Io {
        path: path.to_owned(),
        source,
    }
}
