//! The bytes of an operation: a tag, then its fields at fixed widths or behind named bounds.
//!
//! Invariant: one encoding per operation; lists of keys ascend strictly.

use super::{EpochOpening, MAX_CELL_AUTHORS, MAX_MANIFEST_BYTES, Operation};
use crate::genesis::MAX_POLICY_BYTES;
use crate::ids::{EpochId, KeyspaceId};
use crate::wire::{Reader, WireError, Writer};
use ukehi_circuits::field;
use ukehi_keys::{AuthorId, CircuitId, EpochPublicKey, PossessionProof, SignerId};

impl EpochOpening {
    fn write(&self, w: &mut Writer) {
        w.u32(self.id.0).raw(&self.key.to_bytes());
        w.raw(&self.route_commitment);
        write_name(w, &self.policy);
        w.raw(&self.policy_digest).bool(self.expires.is_some());
        if let Some(expires) = self.expires {
            w.u64(expires);
        }
        w.raw(&self.possession.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            id: EpochId(r.u32("epoch")?),
            key: EpochPublicKey::from_bytes(&r.array("epoch key")?)
                .map_err(|_| WireError::NonCanonical { field: "epoch key" })?,
            route_commitment: read_element(r, "route commitment")?,
            policy: read_name(r)?,
            policy_digest: read_element(r, "policy digest")?,
            expires: match r.bool("expires")? {
                true => Some(r.u64("expires")?),
                false => None,
            },
            possession: PossessionProof(r.array("possession proof")?),
        })
    }
}

impl Operation {
    pub(in crate::registry) fn write(&self, w: &mut Writer) {
        match self {
            Self::RegisterAuthor { keyspace, author } => {
                w.u8(1).u32(keyspace.0).raw(&author.to_bytes());
            }
            Self::RevokeAuthor { keyspace, author } => {
                w.u8(2).u32(keyspace.0).raw(&author.to_bytes());
            }
            Self::OpenEpoch { keyspace, opening } => {
                w.u8(3).u32(keyspace.0);
                opening.write(w);
            }
            Self::RotateEpoch {
                keyspace,
                opening,
                old,
                old_expires,
            } => {
                w.u8(4).u32(keyspace.0);
                opening.write(w);
                w.u32(old.0).u64(*old_expires);
            }
            Self::ExpireEpoch {
                keyspace,
                epoch,
                at,
            } => {
                w.u8(5).u32(keyspace.0).u32(epoch.0).u64(*at);
            }
            Self::RevokeEpoch { keyspace, epoch } => {
                w.u8(6).u32(keyspace.0).u32(epoch.0);
            }
            Self::EraseEpoch { keyspace, epoch } => {
                w.u8(7).u32(keyspace.0).u32(epoch.0);
            }
            Self::ActivateCircuit { manifest } => {
                w.u8(8).bytes(manifest);
            }
            Self::RetireCircuit { circuit } => {
                w.u8(9).raw(&circuit.0);
            }
            Self::SetAdmins { keys, threshold } => {
                w.u8(10).u8(*threshold);
                write_keys(w, keys);
            }
            Self::Grant {
                keyspace,
                epoch,
                reader,
                payload_digest,
            } => {
                w.u8(11).u32(keyspace.0).u32(epoch.0);
                w.raw(reader).raw(payload_digest);
            }
            Self::RegisterFamily {
                keyspace,
                policy,
                authors,
            } => {
                w.u8(12).u32(keyspace.0);
                write_name(w, policy);
                write_keys(w, authors);
            }
            Self::Mint {
                keyspace,
                family,
                route,
                value,
                blind,
                authors,
            } => {
                w.u8(13).u32(keyspace.0);
                write_name(w, family);
                w.raw(route).u64(*value).raw(blind);
                write_keys(w, authors);
            }
            Self::SetCellAuthors {
                keyspace,
                route,
                authors,
            } => {
                w.u8(14).u32(keyspace.0).raw(route);
                write_keys(w, authors);
            }
        }
    }

    pub(in crate::registry) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let tag = r.u8("operation")?;
        let operation = match tag {
            8 => {
                return Ok(Self::ActivateCircuit {
                    manifest: r.bytes(MAX_MANIFEST_BYTES, "manifest")?.to_vec(),
                });
            }
            9 => {
                return Ok(Self::RetireCircuit {
                    circuit: CircuitId(r.array("circuit")?),
                });
            }
            10 => {
                let threshold = r.u8("threshold")?;
                let keys = read_keys(r, crate::genesis::MAX_ADMINS, "admins")?;
                let canonical = usize::from(threshold) >= 1 && usize::from(threshold) <= keys.len();
                return match canonical {
                    true => Ok(Self::SetAdmins { keys, threshold }),
                    false => Err(WireError::Unknown {
                        field: "threshold",
                        found: u64::from(threshold),
                    }),
                };
            }
            tag => tag,
        };
        let keyspace = KeyspaceId(r.u32("keyspace")?);
        Self::read_in_keyspace(operation, keyspace, r)
    }

    fn read_in_keyspace(
        tag: u8,
        keyspace: KeyspaceId,
        r: &mut Reader<'_>,
    ) -> Result<Self, WireError> {
        Ok(match tag {
            1 => Self::RegisterAuthor {
                keyspace,
                author: read_key(r, "author")?,
            },
            2 => Self::RevokeAuthor {
                keyspace,
                author: read_key(r, "author")?,
            },
            3 => Self::OpenEpoch {
                keyspace,
                opening: EpochOpening::read(r)?,
            },
            4 => Self::RotateEpoch {
                keyspace,
                opening: EpochOpening::read(r)?,
                old: EpochId(r.u32("old epoch")?),
                old_expires: r.u64("old expires")?,
            },
            5 => Self::ExpireEpoch {
                keyspace,
                epoch: EpochId(r.u32("epoch")?),
                at: r.u64("at")?,
            },
            6 => Self::RevokeEpoch {
                keyspace,
                epoch: EpochId(r.u32("epoch")?),
            },
            7 => Self::EraseEpoch {
                keyspace,
                epoch: EpochId(r.u32("epoch")?),
            },
            11 => Self::Grant {
                keyspace,
                epoch: EpochId(r.u32("epoch")?),
                reader: r.array("reader")?,
                payload_digest: r.array("payload digest")?,
            },
            12 => Self::RegisterFamily {
                keyspace,
                policy: read_name(r)?,
                authors: read_keys(r, MAX_CELL_AUTHORS, "authors")?,
            },
            13 => Self::Mint {
                keyspace,
                family: read_name(r)?,
                route: read_element(r, "route")?,
                value: r.u64("value")?,
                blind: read_element(r, "blind")?,
                authors: read_cell_authors(r)?,
            },
            14 => Self::SetCellAuthors {
                keyspace,
                route: read_element(r, "route")?,
                authors: read_cell_authors(r)?,
            },
            found => {
                return Err(WireError::Unknown {
                    field: "operation",
                    found: u64::from(found),
                });
            }
        })
    }
}

fn write_name(w: &mut Writer, name: &str) {
    w.u8(u8::try_from(name.len()).expect("names are at most 32 bytes"));
    w.raw(name.as_bytes());
}

fn read_name(r: &mut Reader<'_>) -> Result<String, WireError> {
    const FIELD: &str = "policy";
    let len = usize::from(r.u8(FIELD)?);
    if len > MAX_POLICY_BYTES {
        return Err(WireError::TooLong {
            field: FIELD,
            found: len as u64,
            limit: MAX_POLICY_BYTES,
        });
    }
    let bytes = r.raw(len, FIELD)?;
    let name = std::str::from_utf8(bytes).unwrap_or_default();
    match crate::genesis::is_policy_name(name) {
        true => Ok(name.to_owned()),
        false => Err(WireError::NonCanonical { field: FIELD }),
    }
}

fn write_keys<R: ukehi_keys::Role>(w: &mut Writer, keys: &[SignerId<R>]) {
    w.u16(u16::try_from(keys.len()).expect("key lists are at most 256 long"));
    for key in keys {
        w.raw(&key.to_bytes());
    }
}

/// Strictly ascending, never empty.
fn read_keys<R: ukehi_keys::Role>(
    r: &mut Reader<'_>,
    limit: usize,
    field: &'static str,
) -> Result<Vec<SignerId<R>>, WireError> {
    let keys = read_key_list(r, limit, field)?;
    match keys.is_empty() {
        false => Ok(keys),
        true => Err(WireError::NonCanonical { field }),
    }
}

/// Strictly ascending; none means all authors of the cell's family.
fn read_cell_authors(r: &mut Reader<'_>) -> Result<Vec<AuthorId>, WireError> {
    read_key_list(r, MAX_CELL_AUTHORS, "authors")
}

fn read_key_list<R: ukehi_keys::Role>(
    r: &mut Reader<'_>,
    limit: usize,
    field: &'static str,
) -> Result<Vec<SignerId<R>>, WireError> {
    let count = usize::from(r.u16(field)?);
    if count > limit {
        return Err(WireError::TooLong {
            field,
            found: count as u64,
            limit,
        });
    }
    let keys: Vec<SignerId<R>> = (0..count)
        .map(|_| read_key(r, field))
        .collect::<Result<_, _>>()?;
    match keys.is_sorted_by(|a, b| a < b) {
        true => Ok(keys),
        false => Err(WireError::NonCanonical { field }),
    }
}

pub(in crate::registry) fn read_key<R: ukehi_keys::Role>(
    r: &mut Reader<'_>,
    field: &'static str,
) -> Result<SignerId<R>, WireError> {
    SignerId::from_bytes(&r.array(field)?).map_err(|_| WireError::NonCanonical { field })
}

fn read_element(r: &mut Reader<'_>, field: &'static str) -> Result<[u8; 32], WireError> {
    let bytes = r.array(field)?;
    match field::decode(&bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(WireError::NonCanonical { field }),
    }
}
