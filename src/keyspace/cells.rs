//! Cells: what the store holds of each, and when a batch may change them.
//!
//! Invariants: 1. a row changes only by an applied batch that showed the commitment it replaces, or
//! comes to be by a batch that showed none or by a mint; 2. a batch's cells are judged together and
//! change together. The numbers in them are the circuit's to relate: a row holds a commitment only.
//! Knows nothing of values or of who can open them.

use super::apply::Place;
use crate::batch::VerifiedBatch;
use crate::ids::{KeyspaceId, LogIndex, ShardId};
use crate::kv::{Column, Overlay, Read, StoreError, shard_key};
use crate::log::Outcome;
use crate::registry::{Operation, Registry};
use crate::wire::{Reader, WireError, Writer};
use ukehi_circuits::cells::{commitment, family};
use ukehi_circuits::seal::PublicSlot;
use ukehi_circuits::{F, field};
use ukehi_keys::AuthorId;

/// The version a mint or a creation gives.
pub const FIRST_VERSION: u64 = 1;

/// Bytes of a row's value: commitment, family, version, kind, index, slot.
pub const CELL_ROW_BYTES: usize = 32 + 32 + 8 + 1 + 8 + 1;

/// A cell as the store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellRow {
    /// Of the newest opening; one canonical field element, like `family`.
    pub commitment: [u8; 32],
    /// Of the policy the cell belongs to.
    pub family: [u8; 32],
    /// How often it was written: 1 by its creation or mint, one more with each update.
    pub version: u64,
    pub source: CellSource,
}

/// Where a reader finds the newest opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellSource {
    /// A slot of a batch.
    Update(Place),
    /// The registry change that minted the cell.
    Mint(LogIndex),
}

impl CellSource {
    /// The entry that holds it.
    #[must_use]
    pub fn index(&self) -> LogIndex {
        match self {
            Self::Update(place) => place.index,
            Self::Mint(index) => *index,
        }
    }

    /// The slot in it; 0 for a mint.
    #[must_use]
    pub fn slot(&self) -> u8 {
        match self {
            Self::Update(place) => place.slot,
            Self::Mint(_) => 0,
        }
    }
}

/// The cell under a route (32 bytes, canonical little-endian).
///
/// # Errors
/// Those of the store.
pub fn get(
    store: &dyn Read,
    shard: ShardId,
    keyspace: KeyspaceId,
    route: &[u8; 32],
) -> Result<Option<CellRow>, StoreError> {
    store
        .get(Column::Cells, &key(shard, keyspace, route))?
        .map(|bytes| decode(&bytes))
        .transpose()
}

/// At most `limit` cells of a keyspace with routes behind `after`, in tag order.
///
/// # Errors
/// Those of the store.
pub fn scan(
    store: &dyn Read,
    shard: ShardId,
    keyspace: KeyspaceId,
    after: Option<&[u8; 32]>,
    limit: usize,
) -> Result<Vec<([u8; 32], CellRow)>, StoreError> {
    let mut from = key(shard, keyspace, after.map_or(&[], |a| a));
    if after.is_some() {
        // The least key behind a 32-byte tag is the tag with a zero byte.
        from.push(0);
    }
    let to = key(shard, keyspace, &[0xff; 33]);
    store
        .range(Column::Cells, &from, &to, limit)?
        .into_iter()
        .map(|(key, value)| {
            let route = key[8..].try_into().map_err(|_| undecodable("its key"))?;
            Ok((route, decode(&value)?))
        })
        .collect()
}

/// The cells a batch changes, with the routes they stand under.
pub(super) type Changes = Vec<([u8; 32], CellRow)>;

/// What the batch at `index` makes of its cells, or the first rule that one of them breaks.
pub(super) fn judge(
    store: &dyn Read,
    registry: &Registry,
    index: LogIndex,
    batch: &VerifiedBatch,
) -> Result<Result<Changes, Outcome>, StoreError> {
    let header = &batch.batch().header;
    let slots = (0u8..).zip(&batch.batch().slots);
    let slots = slots.filter(|(_, public)| public.meta.op.has_cell());
    let mut changes = Vec::new();
    for (slot, public) in slots {
        let route = field::encode(&public.route);
        if let Err(refused) = authorise(registry, index, batch, &route) {
            return Ok(Err(refused));
        }
        let held = get(store, registry.shard(), header.keyspace, &route)?;
        let place = Place { index, slot };
        match replace(held, public, family(batch.policy()), place) {
            Ok(row) => changes.extend(row.map(|row| (route, row))),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(changes))
}

/// Whether the author may touch a cell of the circuit's policy: a cell's own list decides, where it
/// has one, and the family's otherwise.
fn authorise(
    registry: &Registry,
    index: LogIndex,
    batch: &VerifiedBatch,
    route: &[u8; 32],
) -> Result<(), Outcome> {
    let header = &batch.batch().header;
    let family = registry.family(header.keyspace, batch.policy());
    let family = family.filter(|f| f.is_known_at(index));
    let family = family.ok_or(Outcome::UnknownFamily)?;
    let own = registry.cell_authors(header.keyspace, route, index);
    let may: &[AuthorId] = own.filter(|a| !a.is_empty()).unwrap_or(&family.authors);
    match may.contains(&header.author) {
        true => Ok(()),
        false => Err(Outcome::CellAuthor),
    }
}

/// The row a slot leaves in the place of the one held; `None` under guard.
fn replace(
    held: Option<CellRow>,
    public: &PublicSlot,
    family: F,
    place: Place,
) -> Result<Option<CellRow>, Outcome> {
    let [old, new] = public.cell;
    let family = field::encode(&family);
    let version = match held {
        None if old == F::from(0u64) => FIRST_VERSION,
        None => return Err(Outcome::CellMissing),
        Some(_) if old == F::from(0u64) => return Err(Outcome::CellNotNew),
        Some(row) if row.family != family => return Err(Outcome::CellOfOtherFamily),
        Some(row) if row.commitment != field::encode(&old) => return Err(Outcome::CellStale),
        // A guard was proven against the very commitment that stands.
        Some(_) if old == new => return Ok(None),
        // The circuit's version is a field element; a row's is for people and never wraps.
        Some(row) => row.version.saturating_add(1),
    };
    Ok(Some(CellRow {
        commitment: field::encode(&new),
        family,
        version,
        source: CellSource::Update(place),
    }))
}

/// The cell that a registry change mints at `index`: keyspace, route and row.
pub(super) fn minted(
    index: LogIndex,
    operation: &Operation,
) -> Option<(KeyspaceId, [u8; 32], CellRow)> {
    let Operation::Mint {
        keyspace,
        family: name,
        route,
        value,
        blind,
        ..
    } = operation
    else {
        return None;
    };
    let family = family(name);
    let row = CellRow {
        commitment: mint_commitment(name, route, *value, blind),
        family: field::encode(&family),
        version: FIRST_VERSION,
        source: CellSource::Mint(index),
    };
    Some((*keyspace, *route, row))
}

/// What everybody computes of a mint's public opening.
///
/// # Panics
/// If route or blind are no canonical field elements: changes were decoded by then.
#[must_use]
pub fn mint_commitment(policy: &str, route: &[u8; 32], value: u64, blind: &[u8; 32]) -> [u8; 32] {
    let element = |bytes| field::decode(bytes).expect("a change holds canonical field elements");
    let (route, blind) = (element(route), element(blind));
    let made = commitment(family(policy), route, value, FIRST_VERSION, blind);
    field::encode(&made)
}

pub(super) fn put(
    store: &mut Overlay<'_>,
    shard: ShardId,
    keyspace: KeyspaceId,
    route: &[u8; 32],
    row: &CellRow,
) {
    let kind = match row.source {
        CellSource::Update(_) => 1,
        CellSource::Mint(_) => 2,
    };
    let mut w = Writer::new();
    w.raw(&row.commitment).raw(&row.family).u64(row.version);
    w.u8(kind).u64(row.source.index()).u8(row.source.slot());
    store.put(Column::Cells, key(shard, keyspace, route), w.finish());
}

fn decode(bytes: &[u8]) -> Result<CellRow, StoreError> {
    let read = || -> Result<CellRow, WireError> {
        let mut r = Reader::new(bytes);
        let (commitment, family) = (r.array("commitment")?, r.array("family")?);
        let version = r.u64("version")?;
        let kind = r.u8("source")?;
        let (index, slot) = (r.u64("index")?, r.u8("slot")?);
        r.end()?;
        let source = match kind {
            1 => CellSource::Update(Place { index, slot }),
            2 => CellSource::Mint(index),
            found => {
                return Err(WireError::Unknown {
                    field: "source",
                    found: u64::from(found),
                });
            }
        };
        Ok(CellRow {
            commitment,
            family,
            version,
            source,
        })
    };
    read().map_err(|e| undecodable(&e.to_string()))
}

fn key(shard: ShardId, keyspace: KeyspaceId, route: &[u8]) -> Vec<u8> {
    let mut key = shard_key(shard, &keyspace.0.to_be_bytes());
    key.extend_from_slice(route);
    key
}

fn undecodable(reason: &str) -> StoreError {
    StoreError::Undecodable {
        what: "cell",
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
