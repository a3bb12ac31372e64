//! What a client may ask.

use super::{
    MAX_BULK_PART_BYTES, MAX_DEADLINE_MS, MAX_EVIDENCE_KEY_BYTES, MAX_SCAN_ROWS, read_optional_u64,
    write_optional_u64,
};
use crate::batch::{BulkReference, MAX_BATCH_BYTES};
use crate::ids::{AuthorSeq, KeyspaceId, LogIndex, TreeSize};
use crate::registry::MAX_CHANGE_BYTES;
use crate::wire::{Reader, WireError, Writer};
use ukehi_keys::AuthorId;

/// One question; one or more [`Reply`](super::Reply)s follow it on the same stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Take this sealed batch, answer when it is applied or refused.
    Submit { deadline_ms: u32, batch: Vec<u8> },
    /// The newest slot under a route tag, read linearizably.
    Get { deadline_ms: u32, route: [u8; 32] },
    /// The routes after `after` in tag order, each with its newest slot.
    Scan {
        deadline_ms: u32,
        after: Option<[u8; 32]>,
        limit: u32,
    },
    /// What became of an author's sequence, with the record's proof.
    Receipt {
        deadline_ms: u32,
        author: AuthorId,
        seq: AuthorSeq,
    },
    /// The entries `from..to` (to the newest checkpoint without `to`), for a bundle.
    Export {
        from: LogIndex,
        to: Option<LogIndex>,
    },
    /// The newest cosigned checkpoint and the author's highest used sequence.
    Head { author: Option<AuthorId> },
    /// The node's state as a JSON document.
    Status,
    /// That the log of `to` leaves extends the one of `from`.
    Consistency { from: TreeSize, to: TreeSize },
    /// Take this signed registry change, answer when it is applied or refused.
    Change { deadline_ms: u32, change: Vec<u8> },
    /// The applied registry changes above this entry, each with its proof, read linearizably.
    Registry { deadline_ms: u32, after: LogIndex },
    /// The cell under a route tag, read linearizably.
    Cell {
        deadline_ms: u32,
        keyspace: KeyspaceId,
        route: [u8; 32],
    },
    /// The cells of a keyspace after `after` in tag order.
    Cells {
        deadline_ms: u32,
        keyspace: KeyspaceId,
        after: Option<[u8; 32]>,
        limit: u32,
    },
    /// One entry with its proof, once a cosigned checkpoint covers it.
    Entry { deadline_ms: u32, index: LogIndex },
    /// The stored case of misbehaviour that follows this key; the first without one.
    Evidence { after: Vec<u8> },
    /// Take in a bulk ciphertext: answered `BulkReady`, or `BulkStored` if it is here.
    BulkBegin {
        author: AuthorId,
        reference: BulkReference,
        /// Under [`BULK_UPLOAD_DOMAIN`](super::BULK_UPLOAD_DOMAIN).
        signature: [u8; 64],
    },
    /// The part from `offset`, a multiple of [`MAX_BULK_PART_BYTES`].
    BulkPart {
        token: [u8; 16],
        offset: u64,
        bytes: Vec<u8>,
    },
    /// All parts were sent: answered when they are checked and on disk.
    BulkEnd { token: [u8; 16] },
    /// A ciphertext that an applied entry names, from `offset`, a multiple of
    /// [`MAX_BULK_PART_BYTES`]: up to [`MAX_BULK_READ_PARTS`](super::MAX_BULK_READ_PARTS) parts.
    BulkRead { digest: [u8; 32], offset: u64 },
}

impl Request {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Request::Submit { deadline_ms, batch } => {
                w.u8(1).u32(*deadline_ms).bytes(batch);
            }
            Request::Get { deadline_ms, route } => {
                w.u8(2).u32(*deadline_ms).raw(route);
            }
            Request::Scan {
                deadline_ms,
                after,
                limit,
            } => {
                w.u8(3).u32(*deadline_ms).u32(*limit);
                w.bool(after.is_some());
                w.raw(after.as_ref().map_or(&[][..], |a| &a[..]));
            }
            Request::Receipt {
                deadline_ms,
                author,
                seq,
            } => {
                w.u8(4).u32(*deadline_ms);
                w.raw(&author.to_bytes()).u64(*seq);
            }
            Request::Export { from, to } => {
                w.u8(5).u64(*from);
                write_optional_u64(&mut w, *to);
            }
            Request::Head { author } => {
                w.u8(6).bool(author.is_some());
                if let Some(author) = author {
                    w.raw(&author.to_bytes());
                }
            }
            Request::Status => {
                w.u8(7);
            }
            Request::Consistency { from, to } => {
                w.u8(8).u64(*from).u64(*to);
            }
            Request::BulkBegin {
                author,
                reference,
                signature,
            } => {
                w.u8(16).raw(&author.to_bytes()).raw(&reference.digest);
                w.u64(reference.length).raw(signature);
            }
            Request::BulkPart {
                token,
                offset,
                bytes,
            } => {
                w.u8(17).raw(token).u64(*offset).bytes(bytes);
            }
            Request::BulkEnd { token } => {
                w.u8(18).raw(token);
            }
            Request::BulkRead { digest, offset } => {
                w.u8(19).raw(digest).u64(*offset);
            }
            Request::Change {
                deadline_ms,
                change,
            } => {
                w.u8(9).u32(*deadline_ms).bytes(change);
            }
            Request::Cell {
                deadline_ms,
                keyspace,
                route,
            } => {
                w.u8(20).u32(*deadline_ms).u32(keyspace.0).raw(route);
            }
            Request::Cells {
                deadline_ms,
                keyspace,
                after,
                limit,
            } => {
                w.u8(21).u32(*deadline_ms).u32(keyspace.0).u32(*limit);
                w.bool(after.is_some());
                w.raw(after.as_ref().map_or(&[][..], |a| &a[..]));
            }
            Request::Registry { deadline_ms, after } => {
                w.u8(10).u32(*deadline_ms).u64(*after);
            }
            Request::Evidence { after } => {
                w.u8(12).bytes(after);
            }
            Request::Entry { deadline_ms, index } => {
                w.u8(11).u32(*deadline_ms).u64(*index);
            }
        }
        w.finish()
    }

    /// # Errors
    /// [`WireError`] naming the field; a deadline or limit beyond its bound is refused too.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let request = match r.u8("request")? {
            1 => Request::Submit {
                deadline_ms: read_deadline(&mut r)?,
                batch: r.bytes(MAX_BATCH_BYTES, "batch")?.to_vec(),
            },
            2 => Request::Get {
                deadline_ms: read_deadline(&mut r)?,
                route: r.array("route")?,
            },
            3 => Request::Scan {
                deadline_ms: read_deadline(&mut r)?,
                limit: r.count(MAX_SCAN_ROWS as usize, "limit")? as u32,
                after: match r.bool("after")? {
                    true => Some(r.array("after")?),
                    false => None,
                },
            },
            4 => Request::Receipt {
                deadline_ms: read_deadline(&mut r)?,
                author: read_author(&mut r)?,
                seq: r.u64("seq")?,
            },
            5 => Request::Export {
                from: r.u64("from")?,
                to: read_optional_u64(&mut r, "to")?,
            },
            6 => Request::Head {
                author: match r.bool("author")? {
                    true => Some(read_author(&mut r)?),
                    false => None,
                },
            },
            7 => Request::Status,
            8 => Request::Consistency {
                from: r.u64("from")?,
                to: r.u64("to")?,
            },
            16 => Request::BulkBegin {
                author: read_author(&mut r)?,
                reference: BulkReference::read(&mut r)?,
                signature: r.array("signature")?,
            },
            17 => Request::BulkPart {
                token: r.array("token")?,
                offset: r.u64("offset")?,
                bytes: r.bytes(MAX_BULK_PART_BYTES, "part")?.to_vec(),
            },
            18 => Request::BulkEnd {
                token: r.array("token")?,
            },
            19 => Request::BulkRead {
                digest: r.array("digest")?,
                offset: r.u64("offset")?,
            },
            9 => Request::Change {
                deadline_ms: read_deadline(&mut r)?,
                change: r.bytes(MAX_CHANGE_BYTES, "change")?.to_vec(),
            },
            20 => Request::Cell {
                deadline_ms: read_deadline(&mut r)?,
                keyspace: KeyspaceId(r.u32("keyspace")?),
                route: r.array("route")?,
            },
            21 => Request::Cells {
                deadline_ms: read_deadline(&mut r)?,
                keyspace: KeyspaceId(r.u32("keyspace")?),
                limit: r.count(MAX_SCAN_ROWS as usize, "limit")? as u32,
                after: match r.bool("after")? {
                    true => Some(r.array("after")?),
                    false => None,
                },
            },
            10 => Request::Registry {
                deadline_ms: read_deadline(&mut r)?,
                after: r.u64("after")?,
            },
            12 => Request::Evidence {
                after: r.bytes(MAX_EVIDENCE_KEY_BYTES, "after")?.to_vec(),
            },
            11 => Request::Entry {
                deadline_ms: read_deadline(&mut r)?,
                index: r.u64("index")?,
            },
            found => {
                return Err(WireError::Unknown {
                    field: "request",
                    found: u64::from(found),
                });
            }
        };
        r.end()?;
        Ok(request)
    }
}

fn read_deadline(r: &mut Reader<'_>) -> Result<u32, WireError> {
    r.count(MAX_DEADLINE_MS as usize, "deadline_ms")
        .map(|ms| ms as u32)
}

fn read_author(r: &mut Reader<'_>) -> Result<AuthorId, WireError> {
    AuthorId::from_bytes(&r.array("author")?)
        .map_err(|_| WireError::NonCanonical { field: "author" })
}
