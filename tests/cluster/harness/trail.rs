//! The exported trail, and the sums that must be 0.

use super::template::template;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use ukehi::audit::{self, BundleReader, Options, RawEntry};
use ukehi::batch::{SealedBatch, Verdict};
use ukehi::ids::ShardId;
use ukehi::log::{EntryKind, Outcome, VerifiedReceipt};
use ukehi_circuits::field;

pub struct Trail {
    pub entries: Vec<RawEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Entries a client holds a verified receipt for, and the trail does not hold as receipted.
    pub acknowledged_missing: usize,
    /// Applied batches whose proof does not verify for the recorded x.
    pub unproven_applied: usize,
    /// Applied batches beyond the first of an author's sequence.
    pub applied_again: usize,
}

impl Sums {
    pub const ZERO: Self = Self {
        acknowledged_missing: 0,
        unproven_applied: 0,
        applied_again: 0,
    };
}

impl Trail {
    /// Reads a bundle without judging it.
    pub fn read(bundle: &Path) -> Self {
        let mut reader =
            BundleReader::open(File::open(bundle).expect("the bundle")).expect("whole");
        let mut entries = Vec::new();
        while let Some(entry) = reader.entry().expect("an entry") {
            entries.push(entry);
        }
        reader.finish().expect("the bundle is whole");
        Self { entries }
    }

    /// Whether the offline audit passes.
    pub fn audit(bundle: &Path) -> Result<(), audit::AuditError> {
        let options = Options {
            allow_insecure_setup: true,
            checkpoint: None,
        };
        let file = File::open(bundle).expect("the bundle");
        audit::verify(file, &template().trust, &options, &mut |_| {}).map(drop)
    }

    pub fn holds(&self, payload: &[u8]) -> bool {
        self.entries.iter().any(|e| e.payload == payload)
    }

    /// Compares clients' receipts with the trail; prints the sums.
    pub fn sums(&self, test: &str, acknowledged: &[VerifiedReceipt]) -> Sums {
        let missing = acknowledged.iter().filter(|receipt| {
            let at = self
                .entries
                .iter()
                .find(|e| e.record.index == receipt.record.index);
            at.map(|e| e.record) != Some(receipt.record)
        });
        let mut applied: BTreeMap<_, usize> = BTreeMap::new();
        let mut unproven_applied = 0;
        let verifier = template()
            .trust
            .batch_verifier(ShardId(0))
            .expect("a verifier");
        for entry in &self.entries {
            let record = &entry.record;
            if record.kind != EntryKind::Batch || record.outcome != Outcome::Applied {
                continue;
            }
            let verdict = verifier.verify(&[entry.payload.clone().into()]).remove(0);
            let proven = matches!(&verdict, Verdict::Valid(b) if field::encode(b.x()) == record.x);
            unproven_applied += usize::from(!proven);
            if let Ok(batch) = SealedBatch::from_bytes(&entry.payload) {
                let header = batch.header;
                *applied
                    .entry((header.author, header.author_seq))
                    .or_default() += 1;
            }
        }
        let sums = Sums {
            acknowledged_missing: missing.count(),
            unproven_applied,
            applied_again: applied.values().map(|times| times - 1).sum(),
        };
        // Straight to stderr: every run shows the sums, also where the test passes.
        let _ = writeln!(
            std::io::stderr(),
            "{test}: {} receipts, {} entries; acknowledged entries missing: {}; unproven entries applied: {}; applied again: {}",
            acknowledged.len(),
            self.entries.len(),
            sums.acknowledged_missing,
            sums.unproven_applied,
            sums.applied_again,
        );
        sums
    }
}
