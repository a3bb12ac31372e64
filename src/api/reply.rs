//! What a node answers.

use super::{
    MAX_BULK_PART_BYTES, MAX_EVIDENCE_BYTES, MAX_EVIDENCE_KEY_BYTES, MAX_NOTE_BYTES,
    MAX_PROOF_BYTES, MAX_TEXT_BYTES, read_optional_u64, write_optional_u64,
};
use crate::batch::MAX_BATCH_BYTES;
use crate::ids::{AuthorSeq, LogIndex, TreeSize};
use crate::log::{Outcome, RECORD_BYTES, Record};
use crate::wire::{Reader, WireError, Writer};

/// An entry that shows for itself that it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenEntry {
    pub record: Record,
    /// The sealed batch or the registry change; empty for entries of other kinds.
    pub payload: Vec<u8>,
    /// An encoded `InclusionProof` of the record's leaf.
    pub inclusion: Vec<u8>,
    /// The signed note the proof leads to.
    pub note: String,
}

/// Why a node did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The gate refuses the batch; no retry of these bytes can succeed.
    Invalid,
    /// No leader, no quorum or no time: a submitted batch may still be applied.
    Unavailable,
    /// A bound of the node is reached; nothing was taken in.
    Overloaded,
    /// The request makes no sense to this node.
    BadRequest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To `Submit` and `Change`.
    Decided {
        index: LogIndex,
        outcome: Outcome,
    },
    /// To `Get`, `Scan` (once per row), `Receipt` and `Entry`, and to `Registry` once per change;
    /// `slot` names the slot asked for.
    Entry {
        entry: ProvenEntry,
        slot: u8,
    },
    /// To `Cell`, and to `Cells` once per row: where the newest opening stands. `version` is the
    /// node's word until the opening was seen to have it.
    Cell {
        route: [u8; 32],
        version: u64,
        entry: ProvenEntry,
        slot: u8,
    },
    /// To `Get`, `Cell` and `Receipt`: nothing there as of this applied index.
    NotFound {
        applied: LogIndex,
    },
    /// To `Export`, first: what follows.
    ExportStart {
        from: LogIndex,
        to: LogIndex,
        size: TreeSize,
        /// Hashes of the complete subtrees left of `from` and right of `to`.
        left: Vec<[u8; 32]>,
        right: Vec<[u8; 32]>,
        note: String,
    },
    /// To `Export`: one entry, in log order.
    ExportEntry {
        record: Record,
        payload: Vec<u8>,
    },
    /// To `Head`.
    Head {
        note: Option<String>,
        applied: LogIndex,
        highest_seq: Option<AuthorSeq>,
    },
    /// To `Status`.
    Status {
        json: String,
    },
    /// To `Consistency`: an encoded `ConsistencyProof`.
    Consistency {
        proof: Vec<u8>,
    },
    /// To `Evidence`: one stored case and its key; `End` after the last.
    Evidence {
        key: Vec<u8>,
        bytes: Vec<u8>,
    },
    /// To `BulkBegin`: send the parts under this token.
    BulkReady {
        token: [u8; 16],
    },
    /// To `BulkPart`: at which byte the upload is.
    BulkTaken {
        received: u64,
    },
    /// To `BulkBegin` and `BulkEnd`: the ciphertext is checked and on disk.
    BulkStored,
    /// To `BulkRead`: one part, in order; `End` follows the last.
    BulkPart {
        bytes: Vec<u8>,
    },
    /// To `BulkRead`: no applied entry names it here, or its upload did not reach this node.
    BulkAbsent,
    /// The last of a series: `Scan`, `Cells`, `Export`, `Registry` and `BulkRead` are complete.
    End,
    Denied {
        denial: Denial,
        reason: String,
    },
}

impl Reply {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Reply::Decided { index, outcome } => {
                w.u8(1).u64(*index).u16(outcome.code());
            }
            Reply::Entry { entry, slot } => {
                w.u8(2).u8(*slot);
                write_entry(&mut w, entry);
            }
            Reply::Cell {
                route,
                version,
                entry,
                slot,
            } => {
                w.u8(21).raw(route).u64(*version).u8(*slot);
                write_entry(&mut w, entry);
            }
            Reply::NotFound { applied } => {
                w.u8(3).u64(*applied);
            }
            Reply::ExportStart {
                from,
                to,
                size,
                left,
                right,
                note,
            } => {
                w.u8(4).u64(*from).u64(*to).u64(*size);
                for side in [left, right] {
                    w.u32(u32::try_from(side.len()).expect("at most 64 subtrees"));
                    for hash in side {
                        w.raw(hash);
                    }
                }
                w.bytes(note.as_bytes());
            }
            Reply::ExportEntry { record, payload } => {
                w.u8(5).raw(&record.to_bytes()).bytes(payload);
            }
            Reply::Head {
                note,
                applied,
                highest_seq,
            } => {
                w.u8(6).bool(note.is_some());
                if let Some(note) = note {
                    w.bytes(note.as_bytes());
                }
                w.u64(*applied);
                write_optional_u64(&mut w, *highest_seq);
            }
            Reply::Status { json } => {
                w.u8(7).bytes(json.as_bytes());
            }
            Reply::End => {
                w.u8(8);
            }
            Reply::Consistency { proof } => {
                w.u8(10).bytes(proof);
            }
            Reply::Evidence { key, bytes } => {
                w.u8(11).bytes(key).bytes(bytes);
            }
            Reply::BulkReady { token } => {
                w.u8(16).raw(token);
            }
            Reply::BulkTaken { received } => {
                w.u8(17).u64(*received);
            }
            Reply::BulkStored => {
                w.u8(18);
            }
            Reply::BulkPart { bytes } => {
                w.u8(19).bytes(bytes);
            }
            Reply::BulkAbsent => {
                w.u8(20);
            }
            Reply::Denied { denial, reason } => {
                w.u8(9).u8(match denial {
                    Denial::Invalid => 1,
                    Denial::Unavailable => 2,
                    Denial::Overloaded => 3,
                    Denial::BadRequest => 4,
                });
                w.bytes(reason.as_bytes());
            }
        }
        w.finish()
    }

    /// # Errors
    /// [`WireError`] naming the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let reply = match r.u8("reply")? {
            1 => Reply::Decided {
                index: r.u64("index")?,
                outcome: Outcome::from_code(r.u16("outcome")?)?,
            },
            2 => {
                let slot = r.u8("slot")?;
                let entry = read_entry(&mut r)?;
                Reply::Entry { entry, slot }
            }
            21 => Reply::Cell {
                route: r.array("route")?,
                version: r.u64("version")?,
                slot: r.u8("slot")?,
                entry: read_entry(&mut r)?,
            },
            3 => Reply::NotFound {
                applied: r.u64("applied")?,
            },
            4 => Reply::ExportStart {
                from: r.u64("from")?,
                to: r.u64("to")?,
                size: r.u64("size")?,
                left: read_hashes(&mut r)?,
                right: read_hashes(&mut r)?,
                note: read_text(&mut r, MAX_NOTE_BYTES, "note")?,
            },
            5 => Reply::ExportEntry {
                record: read_record(&mut r)?,
                payload: r.bytes(MAX_BATCH_BYTES, "payload")?.to_vec(),
            },
            6 => Reply::Head {
                note: match r.bool("note")? {
                    true => Some(read_text(&mut r, MAX_NOTE_BYTES, "note")?),
                    false => None,
                },
                applied: r.u64("applied")?,
                highest_seq: read_optional_u64(&mut r, "highest_seq")?,
            },
            7 => Reply::Status {
                json: read_text(&mut r, MAX_TEXT_BYTES, "status")?,
            },
            8 => Reply::End,
            10 => Reply::Consistency {
                proof: r.bytes(MAX_PROOF_BYTES, "consistency proof")?.to_vec(),
            },
            11 => Reply::Evidence {
                key: r.bytes(MAX_EVIDENCE_KEY_BYTES, "evidence key")?.to_vec(),
                bytes: r.bytes(MAX_EVIDENCE_BYTES, "evidence")?.to_vec(),
            },
            16 => Reply::BulkReady {
                token: r.array("token")?,
            },
            17 => Reply::BulkTaken {
                received: r.u64("received")?,
            },
            18 => Reply::BulkStored,
            19 => Reply::BulkPart {
                bytes: r.bytes(MAX_BULK_PART_BYTES, "part")?.to_vec(),
            },
            20 => Reply::BulkAbsent,
            9 => Reply::Denied {
                denial: match r.u8("denial")? {
                    1 => Denial::Invalid,
                    2 => Denial::Unavailable,
                    3 => Denial::Overloaded,
                    4 => Denial::BadRequest,
                    found => {
                        return Err(WireError::Unknown {
                            field: "denial",
                            found: u64::from(found),
                        });
                    }
                },
                reason: read_text(&mut r, MAX_TEXT_BYTES, "reason")?,
            },
            found => {
                return Err(WireError::Unknown {
                    field: "reply",
                    found: u64::from(found),
                });
            }
        };
        r.end()?;
        Ok(reply)
    }

    /// Shorthand for the answer to a question that cannot be served.
    #[must_use]
    pub fn denied(denial: Denial, reason: impl ToString) -> Self {
        Reply::Denied {
            denial,
            reason: reason.to_string(),
        }
    }
}

fn write_entry(w: &mut Writer, entry: &ProvenEntry) {
    w.raw(&entry.record.to_bytes());
    w.bytes(&entry.payload).bytes(&entry.inclusion);
    w.bytes(entry.note.as_bytes());
}

fn read_entry(r: &mut Reader<'_>) -> Result<ProvenEntry, WireError> {
    Ok(ProvenEntry {
        record: read_record(r)?,
        payload: r.bytes(MAX_BATCH_BYTES, "payload")?.to_vec(),
        inclusion: r.bytes(MAX_PROOF_BYTES, "inclusion proof")?.to_vec(),
        note: read_text(r, MAX_NOTE_BYTES, "note")?,
    })
}

fn read_record(r: &mut Reader<'_>) -> Result<Record, WireError> {
    Record::from_bytes(r.raw(RECORD_BYTES, "record")?)
}

fn read_hashes(r: &mut Reader<'_>) -> Result<Vec<[u8; 32]>, WireError> {
    let count = r.count(64, "subtree hashes")?;
    (0..count).map(|_| r.array("subtree hash")).collect()
}

fn read_text(r: &mut Reader<'_>, limit: usize, field: &'static str) -> Result<String, WireError> {
    String::from_utf8(r.bytes(limit, field)?.to_vec())
        .map_err(|_| WireError::NonCanonical { field })
}
