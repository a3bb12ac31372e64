//! A change as it travels and as the log holds it: body, admins' signatures, detached payload.
//!
//! Body: version (u8), cluster (32), shard (u32), number (u64), operation. Then the signatures'
//! count (u8) and each admin's key (32) and signature over the body (64), strictly ascending by
//! key. A grant ends with its payload's length (u16) and bytes; length 0 says it was pruned.
//!
//! Invariants: 1. one encoding per change; 2. neither signatures nor payload are in its digest:
//! the log's leaf holds what was decided, not who among the admins signed.
//! Knows nothing of who the admins are.

use super::operation::{MAX_GRANT_PAYLOAD_BYTES, MAX_MANIFEST_BYTES, Operation, read_key};
use crate::genesis::MAX_ADMINS;
use crate::ids::{ClusterId, Hash, ShardId};
use crate::wire::{Reader, WireError, Writer};
use ukehi_keys::{AdminId, AdminKey};

/// The bound every reader of changes applies: a manifest, sixteen signatures, and room.
pub const MAX_CHANGE_BYTES: usize = MAX_MANIFEST_BYTES + 8 * 1024;
/// Domain of an admin's signature over the body.
pub const SIGNATURE_DOMAIN: &[u8] = b"ukehi/registry/v1";
const VERSION: u8 = 1;

/// What the admins sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    pub cluster: ClusterId,
    pub shard: ShardId,
    /// The registry's own sequence: exactly the next one, or the change is refused.
    pub number: u64,
    pub operation: Operation,
}

impl Unsigned {
    /// The bytes that are signed and digested.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION).raw(&self.cluster.0).u32(self.shard.0);
        w.u64(self.number);
        self.operation.write(&mut w);
        w.finish()
    }

    /// A change without signatures; `payload` for a grant only.
    #[must_use]
    pub fn unsigned(self, payload: Vec<u8>) -> Change {
        Change {
            content: self,
            signatures: Vec::new(),
            payload,
        }
    }
}

/// A change and whatever signatures it has; not yet judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub content: Unsigned,
    /// Strictly ascending by key.
    pub signatures: Vec<(AdminId, [u8; 64])>,
    /// A grant's wrapping; empty where it was pruned and for every other operation.
    pub payload: Vec<u8>,
}

impl Change {
    /// What the log's record holds of it: BLAKE3 over the body.
    #[must_use]
    pub fn digest(&self) -> Hash {
        blake3::derive_key("ukehi/registry-change/v1", &self.content.body())
    }

    /// BLAKE3 over all bytes: what a proposer signs. Never the identity of the change.
    #[must_use]
    pub fn entry_digest(bytes: &[u8]) -> Hash {
        blake3::derive_key("ukehi/registry-entry/v1", bytes)
    }

    /// Adds an admin's signature, or replaces that admin's.
    pub fn sign(&mut self, key: &AdminKey) {
        let signature = key.sign(SIGNATURE_DOMAIN, &[&self.content.body()]);
        let admin = key.public();
        match self.signatures.binary_search_by(|(id, _)| id.cmp(&admin)) {
            Ok(at) => self.signatures[at].1 = signature,
            Err(at) => self.signatures.insert(at, (admin, signature)),
        }
    }

    /// The same change without its payload.
    #[must_use]
    pub fn pruned(&self) -> Self {
        Self {
            payload: Vec::new(),
            ..self.clone()
        }
    }

    /// # Panics
    /// With more signatures than a registry can have admins, or a payload beyond its bound.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.content.body());
        w.u8(u8::try_from(self.signatures.len()).expect("at most 16 admins sign"));
        for (admin, signature) in &self.signatures {
            w.raw(&admin.to_bytes()).raw(signature);
        }
        if let Operation::Grant { .. } = self.content.operation {
            w.u16(u16::try_from(self.payload.len()).expect("a payload has at most 512 bytes"));
            w.raw(&self.payload);
        }
        w.finish()
    }

    /// # Errors
    /// [`WireError`] naming the field; input beyond [`MAX_CHANGE_BYTES`] is refused unread.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(WireError::TooLong {
                field: "change",
                found: bytes.len() as u64,
                limit: MAX_CHANGE_BYTES,
            });
        }
        let mut r = Reader::new(bytes);
        let version = r.u8("change version")?;
        if version != VERSION {
            return Err(WireError::Unknown {
                field: "change version",
                found: u64::from(version),
            });
        }
        let content = Unsigned {
            cluster: ClusterId(r.array("cluster")?),
            shard: ShardId(r.u32("shard")?),
            number: r.u64("number")?,
            operation: Operation::read(&mut r)?,
        };
        let signatures = read_signatures(&mut r)?;
        let payload = match content.operation {
            Operation::Grant { .. } => read_payload(&mut r)?,
            _ => Vec::new(),
        };
        r.end()?;
        Ok(Self {
            content,
            signatures,
            payload,
        })
    }
}

fn read_signatures(r: &mut Reader<'_>) -> Result<Vec<(AdminId, [u8; 64])>, WireError> {
    let count = usize::from(r.u8("signatures")?);
    if count > MAX_ADMINS {
        return Err(WireError::TooLong {
            field: "signatures",
            found: count as u64,
            limit: MAX_ADMINS,
        });
    }
    let signatures: Vec<(AdminId, [u8; 64])> = (0..count)
        .map(|_| Ok((read_key(r, "admin")?, r.array("signature")?)))
        .collect::<Result<_, WireError>>()?;
    match signatures.is_sorted_by(|a, b| a.0 < b.0) {
        true => Ok(signatures),
        false => Err(WireError::NonCanonical {
            field: "signatures",
        }),
    }
}

fn read_payload(r: &mut Reader<'_>) -> Result<Vec<u8>, WireError> {
    let len = usize::from(r.u16("payload")?);
    if len > MAX_GRANT_PAYLOAD_BYTES {
        return Err(WireError::TooLong {
            field: "payload",
            found: len as u64,
            limit: MAX_GRANT_PAYLOAD_BYTES,
        });
    }
    Ok(r.raw(len, "payload")?.to_vec())
}
