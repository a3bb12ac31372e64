//! What a client may ask a node and what it answers: messages and their bytes.
//!
//! Invariants: 1. every message has one encoding and a bound; 2. nothing an answer says need be
//! believed: entries come with their batch, inclusion proof and cosigned checkpoint.
//! Knows nothing of sockets, Raft or decryption.

mod reply;
mod request;

pub use reply::{Denial, ProvenEntry, Reply};
pub use request::Request;

use crate::wire::{Reader, WireError, Writer};

/// The longest wait a client may ask a node for, in milliseconds.
pub const MAX_DEADLINE_MS: u32 = 120_000;
/// The most rows one scan request returns; a client pages on.
pub const MAX_SCAN_ROWS: u32 = 256;
/// Bound on a signed note within a message.
pub const MAX_NOTE_BYTES: usize = 16 * 1024;
/// Bound on an inclusion or consistency proof within a message: 64 hashes, its sizes and count.
pub const MAX_PROOF_BYTES: usize = 64 * 32 + 32;
/// Bound on the key of a stored case of misbehaviour.
pub const MAX_EVIDENCE_KEY_BYTES: usize = 64;
/// Bound on a case: one entry, with its place, stamp and sender.
pub const MAX_EVIDENCE_BYTES: usize = crate::batch::MAX_BATCH_BYTES + 1024;
/// Bytes of bulk ciphertext in one message: every part but the last has exactly so many.
pub const MAX_BULK_PART_BYTES: usize = 128 << 10;
/// Parts that one `BulkRead` is answered with at most; a reader asks on from there.
pub const MAX_BULK_READ_PARTS: usize = 16;
/// Domain of an author's signature over (cluster, node u64, digest, length u64) of an upload: it
/// holds at one node only, so that none can have others take it in its place.
pub const BULK_UPLOAD_DOMAIN: &[u8] = b"ukehi/bulk-upload/v1";
/// Bound on the text of a refusal or of a status document.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

fn write_optional_u64(w: &mut Writer, value: Option<u64>) {
    w.bool(value.is_some());
    if let Some(value) = value {
        w.u64(value);
    }
}

fn read_optional_u64(r: &mut Reader<'_>, field: &'static str) -> Result<Option<u64>, WireError> {
    match r.bool(field)? {
        true => r.u64(field).map(Some),
        false => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BulkReference;
    use crate::log::{Outcome, Record};

    #[test]
    fn every_message_comes_back_and_refuses_a_trailing_byte() {
        let entry = ProvenEntry {
            record: Record::no_op(3),
            payload: vec![1, 2],
            inclusion: vec![3],
            note: "note".into(),
        };
        let replies = [
            Reply::Decided {
                index: 1,
                outcome: Outcome::Expired,
            },
            Reply::Entry { entry, slot: 7 },
            Reply::NotFound { applied: 4 },
            Reply::ExportStart {
                from: 1,
                to: 2,
                size: 3,
                left: vec![[1; 32]],
                right: vec![],
                note: "n".into(),
            },
            Reply::ExportEntry {
                record: Record::no_op(1),
                payload: vec![],
            },
            Reply::Head {
                note: None,
                applied: 5,
                highest_seq: Some(6),
            },
            Reply::Status { json: "{}".into() },
            Reply::End,
            Reply::Consistency { proof: vec![5; 9] },
            Reply::BulkReady { token: [7; 16] },
            Reply::BulkTaken { received: 9 },
            Reply::BulkStored,
            Reply::BulkAbsent,
            Reply::BulkPart { bytes: vec![1; 70] },
            Reply::Evidence {
                key: vec![b'e', 4],
                bytes: vec![1; 80],
            },
            Reply::denied(Denial::Overloaded, "busy"),
        ];
        for reply in replies {
            let mut bytes = reply.to_bytes();
            assert_eq!(Reply::from_bytes(&bytes).as_ref(), Ok(&reply));
            bytes.push(0);
            assert!(Reply::from_bytes(&bytes).is_err(), "{reply:?}");
        }
        let requests = [
            Request::Submit {
                deadline_ms: 5,
                batch: vec![9; 100],
            },
            Request::Get {
                deadline_ms: 1,
                route: [2; 32],
            },
            Request::Scan {
                deadline_ms: 1,
                after: Some([1; 32]),
                limit: 4,
            },
            Request::Export { from: 0, to: None },
            Request::Head { author: None },
            Request::Status,
            Request::Consistency { from: 1, to: 9 },
            Request::BulkBegin {
                author: ukehi_keys::AuthorKey::generate().unwrap().public(),
                reference: BulkReference {
                    digest: [4; 32],
                    length: 99,
                },
                signature: [5; 64],
            },
            Request::BulkPart {
                token: [6; 16],
                offset: 3,
                bytes: vec![1; 50],
            },
            Request::BulkEnd { token: [6; 16] },
            Request::BulkRead {
                digest: [4; 32],
                offset: 7,
            },
            Request::Change {
                deadline_ms: 5,
                change: vec![9; 100],
            },
            Request::Registry {
                deadline_ms: 5,
                after: 7,
            },
            Request::Entry {
                deadline_ms: 5,
                index: 7,
            },
            Request::Evidence {
                after: vec![b'f', 9],
            },
        ];
        for request in requests {
            let mut bytes = request.to_bytes();
            assert_eq!(Request::from_bytes(&bytes).as_ref(), Ok(&request));
            bytes.push(0);
            assert!(Request::from_bytes(&bytes).is_err(), "{request:?}");
        }
    }

    #[test]
    fn a_deadline_beyond_the_bound_is_refused() {
        let request = Request::Get {
            deadline_ms: MAX_DEADLINE_MS + 1,
            route: [0; 32],
        };
        assert!(matches!(
            Request::from_bytes(&request.to_bytes()),
            Err(WireError::TooLong { .. })
        ));
    }
}
