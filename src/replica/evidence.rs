//! What is kept about misbehaviour, and its bytes.
//!
//! Invariants: 1. [`Evidence::Refused`] and [`Evidence::Equivocation`] carry signatures and can be
//! judged by anybody with the trust root; [`Evidence::Claim`] is this node's word; 2. each case has
//! one key, so that repeating it does not fill the disk. Knows nothing of what follows from it.

use super::entry::{Payload, Position, Stamp, read_entry, write_entry};
use crate::ids::{ClusterId, Hash, LogIndex, NodeId, ShardId, Term};
use crate::kv::{Column, Pair, Read, StoreError, WriteBatch, shard_key};
use crate::log::EntryKind;
use crate::log::fork::ForkEvidence;
use crate::wire::{Reader, WireError, Writer};
use std::collections::BTreeSet;

/// Cases a node stores; beyond them it only raises alarms.
pub const MAX_EVIDENCE: usize = 1024;
/// What the key of a fork's evidence starts with, behind the shard.
pub const FORK_KEY: u8 = b'f';

/// What a claim says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Sent an entry whose stamp is missing, forged or by the wrong proposer.
    BadStamp,
    /// Claimed to lead a term that another node leads.
    SecondLeader,
    /// Contradicted an entry at or below our commit index.
    Conflict,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// An entry that the gate refuses, stamped by its proposer.
    Refused {
        sender: NodeId,
        index: LogIndex,
        term: Term,
        payload: Payload,
    },
    /// Two stamps of one proposer for one place.
    Equivocation {
        index: LogIndex,
        term: Term,
        proposer: NodeId,
        /// What was stamped, its digest, the stamp's signature.
        contents: [(EntryKind, Hash, [u8; 64]); 2],
    },
    Claim {
        sender: NodeId,
        index: LogIndex,
        term: Term,
        claim: Claim,
    },
}

impl Evidence {
    /// Who is accused: a refused entry convicts the node that signed it and the one that sent it.
    #[must_use]
    pub fn accused(&self) -> BTreeSet<NodeId> {
        match self {
            Evidence::Refused {
                sender, payload, ..
            } => match payload.stamped() {
                Some(content) => [*sender, content.stamp.proposer].into(),
                None => [*sender].into(),
            },
            Evidence::Equivocation { proposer, .. } => [*proposer].into(),
            Evidence::Claim { sender, .. } => [*sender].into(),
        }
    }

    /// The place it is about.
    #[must_use]
    pub fn place(&self) -> (Term, LogIndex) {
        match self {
            Evidence::Refused { index, term, .. }
            | Evidence::Equivocation { index, term, .. }
            | Evidence::Claim { index, term, .. } => (*term, *index),
        }
    }

    /// Whether the accused lead nobody until our commit passes the place.
    #[must_use]
    pub fn quarantines(&self) -> bool {
        match self {
            Evidence::Refused { .. } => true,
            Evidence::Claim { claim, .. } => *claim == Claim::BadStamp,
            Evidence::Equivocation { .. } => false,
        }
    }

    /// The digest of a refused entry's content.
    #[must_use]
    pub fn refused_digest(&self) -> Option<Hash> {
        match self {
            Evidence::Refused { payload, .. } => payload.stamped().map(|c| c.digest()),
            _ => None,
        }
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Evidence::Refused {
                sender,
                index,
                term,
                payload,
            } => {
                w.u8(1).u64(sender.0).u64(*index);
                write_entry(&mut w, &payload.clone().into_entry(*index, *term));
            }
            Evidence::Equivocation {
                index,
                term,
                proposer,
                contents,
            } => {
                w.u8(2).u64(*index).u64(*term).u64(proposer.0);
                for (kind, digest, signature) in contents {
                    w.u8(kind.code()).raw(digest).raw(signature);
                }
            }
            Evidence::Claim {
                sender,
                index,
                term,
                claim,
            } => {
                w.u8(3).u64(sender.0).u64(*index).u64(*term);
                w.u8(match claim {
                    Claim::BadStamp => 1,
                    Claim::SecondLeader => 2,
                    Claim::Conflict => 3,
                });
            }
        }
        w.finish()
    }

    /// # Errors
    /// [`WireError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let evidence = match r.u8("evidence")? {
            1 => {
                let sender = NodeId(r.u64("sender")?);
                let index = r.u64("index")?;
                let (term, payload) = read_entry(&mut r)?;
                Evidence::Refused {
                    sender,
                    index,
                    term,
                    payload,
                }
            }
            2 => Evidence::Equivocation {
                index: r.u64("index")?,
                term: r.u64("term")?,
                proposer: NodeId(r.u64("proposer")?),
                contents: [read_content(&mut r)?, read_content(&mut r)?],
            },
            3 => Evidence::Claim {
                sender: NodeId(r.u64("sender")?),
                index: r.u64("index")?,
                term: r.u64("term")?,
                claim: match r.u8("claim")? {
                    1 => Claim::BadStamp,
                    2 => Claim::SecondLeader,
                    3 => Claim::Conflict,
                    found => {
                        return Err(WireError::Unknown {
                            field: "claim",
                            found: u64::from(found),
                        });
                    }
                },
            },
            found => {
                return Err(WireError::Unknown {
                    field: "evidence",
                    found: u64::from(found),
                });
            }
        };
        r.end()?;
        Ok(evidence)
    }

    /// Where it is kept: place first, so that the column reads in log order.
    fn key(&self, shard: ShardId) -> Vec<u8> {
        let (term, index) = self.place();
        let mut suffix = vec![b'e'];
        suffix.extend_from_slice(&index.to_be_bytes());
        suffix.extend_from_slice(&term.to_be_bytes());
        suffix.extend_from_slice(&blake3::derive_key("ukehi/evidence/v1", &self.to_bytes())[..8]);
        shard_key(shard, &suffix)
    }

    pub fn put(&self, shard: ShardId, batch: &mut WriteBatch) {
        batch.put(Column::Evidence, self.key(shard), self.to_bytes());
    }

    /// Whether the signatures in it hold; a claim has none and never does.
    #[must_use]
    pub fn signatures_hold(
        &self,
        cluster: ClusterId,
        shard: ShardId,
        key_of: impl Fn(NodeId) -> Option<ukehi_keys::NodePublicKey>,
    ) -> bool {
        let holds = |stamp: &Stamp, term, index, kind, digest| {
            let position = Position {
                cluster,
                shard,
                term,
                index,
                kind,
                digest,
            };
            key_of(stamp.proposer).is_some_and(|key| stamp.verifies(&key, &position))
        };
        match self {
            Evidence::Refused {
                index,
                term,
                payload,
                ..
            } => payload
                .stamped()
                .is_some_and(|c| holds(c.stamp, *term, *index, c.kind, c.digest())),
            Evidence::Equivocation {
                index,
                term,
                proposer,
                contents: [first, second],
            } => {
                let stamp = |signature| Stamp {
                    proposer: *proposer,
                    signature,
                };
                first.1 != second.1
                    && holds(&stamp(first.2), *term, *index, first.0, first.1)
                    && holds(&stamp(second.2), *term, *index, second.0, second.1)
            }
            _ => false,
        }
    }
}

fn read_content(r: &mut Reader<'_>) -> Result<(EntryKind, Hash, [u8; 64]), WireError> {
    let kind = EntryKind::from_code(r.u8("entry kind")?)?;
    match kind {
        EntryKind::Batch | EntryKind::Registry => {
            Ok((kind, r.array("digest")?, r.array("signature")?))
        }
        other => Err(WireError::Unknown {
            field: "entry kind",
            found: u64::from(other.code()),
        }),
    }
}

/// Keeps the evidence of a forked log, by the node that signed both sides.
pub fn put_fork(shard: ShardId, fork: &ForkEvidence, batch: &mut WriteBatch) {
    let mut suffix = vec![FORK_KEY];
    suffix.extend_from_slice(&fork.node().0.to_be_bytes());
    batch.put(Column::Evidence, shard_key(shard, &suffix), fork.to_bytes());
}

/// The stored case, of a log or of a fork, that follows a key; both without their shard.
///
/// # Errors
/// Those of the store.
pub fn next(store: &dyn Read, shard: ShardId, after: &[u8]) -> Result<Option<Pair>, StoreError> {
    let mut from = shard_key(shard, after.max(b"e"));
    // The least key above a key is the key with a zero byte behind it.
    from.extend((!after.is_empty()).then_some(0));
    let to = shard_key(shard, b"g");
    let found = store.range(Column::Evidence, &from, &to, 1)?.pop();
    Ok(found.map(|(key, bytes)| (key[4..].to_vec(), bytes)))
}

/// The nodes whose fork is stored.
///
/// # Errors
/// Those of the store.
pub fn forked(store: &dyn Read, shard: ShardId) -> Result<BTreeSet<NodeId>, StoreError> {
    let (from, to) = (shard_key(shard, b"f"), shard_key(shard, b"g"));
    let rows = store.range(Column::Evidence, &from, &to, MAX_EVIDENCE)?;
    let node = |(_, bytes): &Pair| {
        let fork = ForkEvidence::from_bytes(bytes).map_err(|e| StoreError::Undecodable {
            what: "evidence of a fork",
            reason: e.to_string(),
        })?;
        Ok(fork.node())
    };
    rows.iter().map(node).collect()
}

/// Every stored case of a shard, in log order.
///
/// # Errors
/// Those of the store.
pub fn stored(store: &dyn Read, shard: ShardId) -> Result<Vec<Evidence>, StoreError> {
    store
        .range(
            Column::Evidence,
            &shard_key(shard, b"e"),
            &shard_key(shard, b"f"),
            MAX_EVIDENCE,
        )?
        .iter()
        .map(|(_, value)| {
            Evidence::from_bytes(value).map_err(|e| StoreError::Undecodable {
                what: "evidence",
                reason: e.to_string(),
            })
        })
        .collect()
}
