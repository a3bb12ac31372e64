//! A change on its way from one admin to the next, as a file.
//!
//! Invariant: what is signed and sent is the change's bytes; the words beside them are for people.

use super::read_bounded;
use crate::error::Failure;
use crate::registry::{Change, MAX_CHANGE_BYTES};
use serde::{Deserialize, Serialize};
use std::path::Path;

const SCHEMA: &str = "ukehi/change/v1";
/// Hex doubles the bytes; the rest is small.
const MAX_FILE_BYTES: usize = 2 * MAX_CHANGE_BYTES + 8 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFile {
    schema: String,
    /// What the change does, for people.
    what: String,
    number: u64,
    /// Who has signed, for people.
    signed_by: Vec<String>,
    /// How many must, by the registry it was made for.
    threshold: u8,
    change: String,
}

impl ChangeFile {
    pub fn new(change: &Change, threshold: u8) -> Self {
        let signers = change.signatures.iter();
        Self {
            schema: SCHEMA.into(),
            what: change.content.operation.name().into(),
            number: change.content.number,
            signed_by: signers.map(|(id, _)| id.to_string()).collect(),
            threshold,
            change: hex::encode(change.to_bytes()),
        }
    }

    pub fn summary(&self) -> String {
        format!(
            "{} (change {}): signed by {} of the {} it needs",
            self.what,
            self.number,
            self.signed_by.len(),
            self.threshold
        )
    }

    /// Written whole or not at all: signatures of others may be in it.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::runtime(format!("{}: {e}", path.display()));
        let mut json = serde_json::to_vec_pretty(self).expect("strings and numbers only");
        json.push(b'\n');
        let temporary = path.with_extension("tmp");
        std::fs::write(&temporary, json).map_err(failed)?;
        std::fs::rename(&temporary, path).map_err(failed)
    }
}

/// The change in a file; nothing else in it is believed.
pub fn read(path: &Path) -> Result<Change, Failure> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    let bad = |reason: String| {
        Failure::usage(
            format!("{} is no change file: {reason}", path.display()),
            "make one with --sign-only --out FILE",
        )
    };
    let file: ChangeFile = serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))?;
    if file.schema != SCHEMA {
        return Err(bad(format!("its schema is {:?}", file.schema)));
    }
    let bytes = hex::decode(&file.change).map_err(|e| bad(e.to_string()))?;
    Change::from_bytes(&bytes).map_err(|e| bad(e.to_string()))
}
