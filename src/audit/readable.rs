//! Which of a bundle's entries a holder of certain epoch secrets can open, and which nobody with
//! those secrets can.
//!
//! Invariant: memory is bounded by the epochs of the trail, not by its entries. Decrypts nothing
//! and judges nothing: the bundle has been verified before.

use super::bundle::BundleReader;
use super::error::AuditError;
use crate::batch::SealedBatch;
use crate::ids::{EpochId, KeyspaceId, LogIndex};
use crate::log::EntryKind;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// Ranges named for one epoch; the others are counted.
const MAX_RANGES: usize = 32;

/// What can be opened, and what cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Readable {
    /// Batches under epochs whose secret is at hand.
    pub readable_entries: u64,
    /// Epochs whose secret is not at hand: nobody here can open their entries.
    pub closed_epochs: Vec<ClosedEpoch>,
}

/// The entries of one epoch whose secret is not at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClosedEpoch {
    pub keyspace: KeyspaceId,
    pub epoch: EpochId,
    /// PK, x ‖ y in hex.
    pub epoch_key: String,
    pub entries: u64,
    /// First and last index of runs of this epoch's batches without another epoch's in between.
    pub ranges: Vec<(LogIndex, LogIndex)>,
    /// Runs beyond those listed.
    pub more_ranges: u64,
}

type Epoch = (KeyspaceId, EpochId, [u8; 64]);

/// Goes through the batches of a bundle. `keys` are the public keys (x ‖ y) of the epoch secrets
/// at hand.
///
/// # Errors
/// [`AuditError::Bundle`].
pub fn readable<R: Read>(input: R, keys: &BTreeSet<[u8; 64]>) -> Result<Readable, AuditError> {
    let mut bundle = BundleReader::open(input)?;
    let mut found = Readable::default();
    let mut closed: BTreeMap<Epoch, ClosedEpoch> = BTreeMap::new();
    let mut last: Option<Epoch> = None;
    while let Some(entry) = bundle.entry()? {
        if entry.record.kind != EntryKind::Batch {
            continue;
        }
        // The audit before this decoded it.
        let Ok(batch) = SealedBatch::from_bytes(&entry.payload) else {
            continue;
        };
        let header = &batch.header;
        let key = header.epoch_key.to_bytes();
        let epoch = (header.keyspace, header.epoch, key);
        let goes_on = last.replace(epoch) == Some(epoch);
        if keys.contains(&key) {
            found.readable_entries += 1;
            continue;
        }
        let new = || ClosedEpoch {
            keyspace: epoch.0,
            epoch: epoch.1,
            epoch_key: hex::encode(key),
            entries: 0,
            ranges: Vec::new(),
            more_ranges: 0,
        };
        let closed = closed.entry(epoch).or_insert_with(new);
        closed.note(entry.record.index, goes_on);
    }
    found.closed_epochs = closed.into_values().collect();
    Ok(found)
}

impl ClosedEpoch {
    fn note(&mut self, index: LogIndex, goes_on: bool) {
        self.entries += 1;
        if !goes_on {
            match self.ranges.len() < MAX_RANGES {
                true => self.ranges.push((index, index)),
                false => self.more_ranges += 1,
            }
        } else if self.more_ranges == 0
            && let Some((_, end)) = self.ranges.last_mut()
        {
            *end = index;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined_and_those_beyond_the_bound_are_counted() {
        let mut closed = ClosedEpoch {
            keyspace: KeyspaceId(1),
            epoch: EpochId(1),
            epoch_key: String::new(),
            entries: 0,
            ranges: Vec::new(),
            more_ranges: 0,
        };
        for index in [3, 4, 6] {
            closed.note(index, index > 3);
        }
        closed.note(9, false);
        assert_eq!(closed.ranges, [(3, 6), (9, 9)]);
        for run in 0..2 * MAX_RANGES as u64 {
            closed.note(100 + 10 * run, false);
            closed.note(101 + 10 * run, true);
        }
        assert_eq!(closed.ranges.len(), MAX_RANGES);
        assert_eq!(closed.ranges[MAX_RANGES - 1], (390, 391));
        assert_eq!(closed.more_ranges, MAX_RANGES as u64 + 2);
        assert_eq!(closed.entries, 4 + 4 * MAX_RANGES as u64);
    }
}
