//! What a record says against what it should, in words for the report.

use crate::audit::error::AuditError;
use crate::audit::place::Place;
use crate::batch::{Fault, SealedBatch};
use crate::ids::Hash;
use crate::log::{Outcome, Record};

pub(super) const HEADER_DIGEST: &str = "its record's header digest";

/// A batch that decodes but is not the one its record names was exchanged or edited: say so,
/// rather than that some signature fails.
pub(super) fn explain(record: &Record, payload: &[u8], fault: Fault) -> AuditError {
    let place = Place::Entry(record.index);
    if let Ok(batch) = SealedBatch::from_bytes(payload) {
        let found = batch.header.digest();
        if let Err(mismatch) = same_hash(place, HEADER_DIGEST, &record.header_digest, &found) {
            return mismatch;
        }
    }
    AuditError::Batch {
        index: record.index,
        fault,
    }
}

pub(super) fn same_outcome(
    place: Place,
    decided: Outcome,
    recorded: Outcome,
) -> Result<(), AuditError> {
    if decided == recorded {
        return Ok(());
    }
    let what = "the outcome in its record";
    Err(AuditError::mismatch(place, what, decided, recorded))
}

pub(super) fn same_record(
    place: Place,
    record: &Record,
    expected: &Record,
) -> Result<(), AuditError> {
    if record == expected {
        return Ok(());
    }
    let (expected, found) = (expected.to_bytes(), record.to_bytes());
    let (expected, found) = (hex::encode(expected), hex::encode(found));
    Err(AuditError::mismatch(place, "its record", expected, found))
}

pub(super) fn same_hash(
    place: Place,
    what: &'static str,
    record: &Hash,
    batch: &Hash,
) -> Result<(), AuditError> {
    if record == batch {
        return Ok(());
    }
    Err(AuditError::mismatch(
        place,
        what,
        hex::encode(batch),
        hex::encode(record),
    ))
}
