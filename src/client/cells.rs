//! Cells as an author and a reader see them: the newest opening found and checked, and the commands
//! that change it.
//!
//! Invariants: 1. an opening is believed only if it makes the commitment of a slot, or is that of a
//! mint, which stands in the log; 2. no command is made that its policy would refuse. That an
//! opening is the newest is not shown: a batch over an older one is refused as stale.
//! Knows nothing of nodes or files.

use super::reader::{ReadError, Reader, check_entry};
use crate::api::ProvenEntry;
use crate::ids::{EpochId, KeyspaceId, LogIndex};
use crate::keyspace::cells::FIRST_VERSION;
use crate::log::EntryKind;
use crate::params::epoch_scalar;
use thiserror::Error;
use ukehi_circuits::cells::{CellOpening, family};
use ukehi_circuits::seal::{self, Command, SlotPlaintext};
use ukehi_circuits::slot::{DecodedKey, Op, SlotKey};
use ukehi_circuits::{F, field};
use zeroize::Zeroizing;

/// Where a node says that a cell's newest opening stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCell {
    /// 32 bytes, canonical little-endian.
    pub route: [u8; 32],
    pub version: u64,
    pub entry: ProvenEntry,
    pub slot: u8,
}

/// Where an opening was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A batch sealed to this epoch: without its secret nobody changes the cell any more.
    Sealed(EpochId),
    /// An admin's mint, which everybody can read.
    Minted,
}

/// A cell in the log, its value perhaps not readable here.
pub struct FoundCell {
    pub route: [u8; 32],
    /// The policy whose circuits write to it.
    pub policy: String,
    pub version: u64,
    pub index: LogIndex,
    pub slot: u8,
    pub origin: Origin,
    /// Unknown of a cell that was minted and never written to since.
    pub key: Option<SlotKey>,
    /// `None` without the secret of its epoch.
    pub opening: Option<CellOpening>,
}

/// Why a transfer is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransferRefused {
    #[error("the cell holds {held}, less than {asked}")]
    Overdraft { held: u64, asked: u64 },
    #[error("the other cell holds {held}: with {asked} more it would be 2^64 or above")]
    Overflow { held: u64, asked: u64 },
    #[error("both are the same cell")]
    SameCell,
}

impl Reader {
    /// Checks what a node shows of a cell, and opens it if its epoch's secret is held.
    ///
    /// # Errors
    /// [`ReadError`], naming the entry and what does not fit.
    pub fn open_cell(
        &self,
        keyspace: KeyspaceId,
        shown: &ShownCell,
    ) -> Result<FoundCell, ReadError> {
        match shown.entry.record.kind {
            EntryKind::Registry => self.open_mint(keyspace, shown),
            _ => self.open_update(keyspace, shown),
        }
    }

    /// The registry known here holds every mint: the node's entry adds nothing.
    fn open_mint(&self, keyspace: KeyspaceId, shown: &ShownCell) -> Result<FoundCell, ReadError> {
        let index = shown.entry.record.index;
        let mint = self.registry().mint(keyspace, &shown.route);
        let mint = mint.filter(|m| m.minted_at == index && shown.version == FIRST_VERSION);
        let mint = mint.ok_or(ReadError::OtherOpening { index })?;
        let blind = field::decode(&mint.blind).expect("a change holds canonical field elements");
        Ok(FoundCell {
            route: shown.route,
            policy: mint.family.clone(),
            version: shown.version,
            index,
            slot: 0,
            origin: Origin::Minted,
            key: None,
            opening: Some(CellOpening::new(mint.value, FIRST_VERSION, blind)),
        })
    }

    fn open_update(&self, keyspace: KeyspaceId, shown: &ShownCell) -> Result<FoundCell, ReadError> {
        let (index, slot) = (shown.entry.record.index, shown.slot);
        let (verified, _) = check_entry(&shown.entry, self.verifier(), self.registry())?;
        let batch = verified.batch();
        let public = batch.slots.get(usize::from(slot));
        let public = public.ok_or(ReadError::NoSlot { index, slot })?;
        if batch.header.keyspace != keyspace || field::encode(&public.route) != shown.route {
            return Err(ReadError::OtherRoute { index });
        }
        if public.meta.op != Op::Update {
            return Err(ReadError::NoCell { index, slot });
        }
        let mut found = FoundCell {
            route: shown.route,
            policy: verified.policy().to_owned(),
            version: shown.version,
            index,
            slot,
            origin: Origin::Sealed(batch.header.epoch),
            key: None,
            opening: None,
        };
        let Some(secret) = self.secret(&batch.header.epoch_key.to_bytes()) else {
            return Ok(found);
        };
        let opened = seal::open(&epoch_scalar(secret), &verified.statement())
            .map_err(|_| ReadError::OtherEpoch { index })?
            .swap_remove(usize::from(slot));
        let cell = opened.cell.ok_or(ReadError::NoCell { index, slot })?;
        let opening = cell.opening(shown.version);
        // The version is in the commitment: a node cannot tell another one.
        let opening = opening
            .filter(|o| o.commitment(family(verified.policy()), public.route) == public.cell[1]);
        found.opening = Some(opening.ok_or(ReadError::OtherOpening { index })?);
        if let DecodedKey::Canonical(key) = opened.key {
            found.key = Some(key);
        }
        Ok(found)
    }
}

/// A command that gives a cell a new value; `old` is `None` for one that does not exist.
#[must_use]
pub fn update(key: SlotKey, old: Option<CellOpening>, value: u64) -> SlotPlaintext {
    let memo = Zeroizing::default();
    let command = Command::Update { old, value, memo };
    SlotPlaintext { key, command }
}

/// A command that changes nothing, and is applied only while the cell is as it was read.
#[must_use]
pub fn guard(key: SlotKey, cell: CellOpening) -> SlotPlaintext {
    let memo = Zeroizing::default();
    let command = Command::Guard { cell, memo };
    SlotPlaintext { key, command }
}

/// A command that writes a cell's value anew, sealed to whatever epoch the batch is: the new
/// opening is in it.
#[must_use]
pub fn reseal(key: SlotKey, cell: CellOpening) -> SlotPlaintext {
    let value = cell.value();
    update(key, Some(cell), value)
}

/// The two commands that move `amount`; the second cell is created where it does not exist.
///
/// # Errors
/// [`TransferRefused`].
pub fn transfer(
    from: (SlotKey, CellOpening),
    to: (SlotKey, Option<CellOpening>),
    amount: u64,
) -> Result<[SlotPlaintext; 2], TransferRefused> {
    if from.0 == to.0 {
        return Err(TransferRefused::SameCell);
    }
    let held = from.1.value();
    let left = held.checked_sub(amount);
    let left = left.ok_or(TransferRefused::Overdraft {
        held,
        asked: amount,
    })?;
    let held = to.1.as_ref().map_or(0, CellOpening::value);
    let more = held.checked_add(amount);
    let more = more.ok_or(TransferRefused::Overflow {
        held,
        asked: amount,
    })?;
    Ok([update(from.0, Some(from.1), left), update(to.0, to.1, more)])
}

/// A blinding for a mint: public afterwards, and different each time.
///
/// # Errors
/// The operating system gave no randomness.
pub fn mint_blind() -> Result<[u8; 32], getrandom::Error> {
    let mut wide = [0; 31];
    getrandom::fill(&mut wide)?;
    let mut bytes = [0; 32];
    bytes[..31].copy_from_slice(&wide);
    // 248 bits are below p.
    debug_assert!(field::decode(&bytes).is_ok_and(|e: F| field::encode(&e) == bytes));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> SlotKey {
        SlotKey::new(name.as_bytes()).unwrap()
    }

    fn cell(value: u64) -> CellOpening {
        CellOpening::new(value, 3, F::from(9u64))
    }

    fn values(commands: &[SlotPlaintext]) -> Vec<u64> {
        let value = |c: &SlotPlaintext| match &c.command {
            Command::Update { value, .. } => *value,
            _ => panic!("a transfer updates"),
        };
        commands.iter().map(value).collect()
    }

    #[test]
    fn a_transfer_moves_the_amount_and_creates_what_is_missing() {
        let moved = transfer((key("a"), cell(5)), (key("b"), Some(cell(7))), 5).unwrap();
        assert_eq!(values(&moved), [0, 12]);
        let made = transfer((key("a"), cell(5)), (key("b"), None), 2).unwrap();
        assert_eq!(values(&made), [3, 2]);
    }

    #[test]
    fn what_would_overdraw_overflow_or_move_to_itself_is_refused_before_sealing() {
        let refused = |from, to, amount| transfer(from, to, amount).map(|_| ()).unwrap_err();
        assert_eq!(
            refused((key("a"), cell(5)), (key("b"), None), 6),
            TransferRefused::Overdraft { held: 5, asked: 6 }
        );
        assert_eq!(
            refused((key("a"), cell(5)), (key("b"), Some(cell(u64::MAX))), 1),
            TransferRefused::Overflow {
                held: u64::MAX,
                asked: 1
            }
        );
        let itself = refused((key("a"), cell(5)), (key("a"), Some(cell(5))), 1);
        assert_eq!(itself, TransferRefused::SameCell);
    }
}
