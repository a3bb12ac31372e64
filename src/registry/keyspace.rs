//! One keyspace of the registry: its authors, epochs, grants, families and mints.
//!
//! Invariants: 1. an operation is done wholly or is refused with nothing changed, but for a mint that the
//! cells refuse: it is kept as void; 2. ids and keys are never reused, and what ended stays ended.
//! Knows nothing of admins, numbers or circuits.

use super::operation::{EpochOpening, Operation};
use super::standing::{AuthorStanding, EpochStanding, Family, GrantRecord, MintRecord};
use crate::ids::{EpochId, LogIndex};
use crate::log::Outcome;
use std::collections::BTreeMap;
use ukehi_keys::AuthorId;

/// Bounds on what admins can make every replica keep in memory.
const MAX_REGISTERED_AUTHORS: usize = 1 << 16;
const MAX_REGISTERED_EPOCHS: usize = 1 << 12;
/// Keys in all the lists of cells' authors together, those that later ones replaced among them: the registry of a
/// shorter prefix still needs them. 32 MiB.
const MAX_LISTED_AUTHORS: usize = 1 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keyspace {
    pub(super) authors: BTreeMap<AuthorId, AuthorStanding>,
    pub(super) epochs: BTreeMap<EpochId, EpochStanding>,
    pub(super) grants: Vec<GrantRecord>,
    pub(super) families: BTreeMap<String, Family>,
    pub(super) mints: BTreeMap<[u8; 32], MintRecord>,
    /// Per cell, each list with the index that set it, ascending.
    pub(super) cell_authors: BTreeMap<[u8; 32], Vec<(LogIndex, Vec<AuthorId>)>>,
    /// Keys in them.
    listed: usize,
}

impl Keyspace {
    pub(super) fn from_genesis(genesis: &crate::genesis::GenesisKeyspace) -> Self {
        let author = AuthorStanding {
            registered_at: 0,
            revoked_at: None,
        };
        let epoch = |e: &crate::genesis::GenesisEpoch| EpochStanding {
            id: e.id,
            key: e.key,
            route_commitment: e.route_commitment,
            policy: e.policy.clone(),
            policy_digest: e.policy_digest,
            opened_at: 0,
            expires: e.expires,
            revoked_at: None,
            erased_at: None,
        };
        let family = |f: &crate::genesis::GenesisFamily| Family {
            registered_at: 0,
            policy: f.policy.clone(),
            authors: f.authors.clone(),
        };
        Self {
            authors: genesis.authors.iter().map(|id| (*id, author)).collect(),
            epochs: genesis.epochs.iter().map(|e| (e.id, epoch(e))).collect(),
            families: genesis
                .families
                .iter()
                .map(|f| (f.policy.clone(), family(f)))
                .collect(),
            ..Self::default()
        }
    }

    pub(super) fn next_epoch(&self) -> Option<EpochId> {
        let highest = self.epochs.keys().next_back().map_or(0, |id| id.0);
        highest.checked_add(1).map(EpochId)
    }

    pub(super) fn operate(
        &mut self,
        index: LogIndex,
        operation: &Operation,
        payload: &[u8],
        live: bool,
    ) -> Result<(), Outcome> {
        match operation {
            Operation::RegisterAuthor { author, .. } => self.register_author(index, *author),
            Operation::RevokeAuthor { author, .. } => {
                let standing = self.authors.get_mut(author);
                let standing = standing.ok_or(Outcome::UnknownAuthor)?;
                end(&mut standing.revoked_at, index, Outcome::AuthorRevoked)
            }
            Operation::OpenEpoch { opening, .. } => {
                self.check_opening(index, opening)?;
                self.open(index, opening);
                Ok(())
            }
            Operation::RotateEpoch {
                opening,
                old,
                old_expires,
                ..
            } => {
                // Both or neither: nothing is written before both are known to be possible.
                self.check_opening(index, opening)?;
                self.expire(index, *old, *old_expires)?;
                self.open(index, opening);
                Ok(())
            }
            Operation::ExpireEpoch { epoch, at, .. } => self.expire(index, *epoch, *at),
            Operation::RevokeEpoch { epoch, .. } => {
                let epoch = self.known_epoch(*epoch)?;
                end(&mut epoch.revoked_at, index, Outcome::EpochRevoked)
            }
            Operation::EraseEpoch { epoch, .. } => {
                let epoch = self.known_epoch(*epoch)?;
                end(&mut epoch.erased_at, index, Outcome::EpochErased)
            }
            Operation::Grant {
                epoch,
                reader,
                payload_digest,
                ..
            } => {
                if self.known_epoch(*epoch)?.erased_at.is_some() {
                    return Err(Outcome::EpochErased);
                }
                self.grants.push(GrantRecord {
                    granted_at: index,
                    epoch: *epoch,
                    reader: *reader,
                    payload_digest: *payload_digest,
                    payload: payload.to_vec(),
                });
                Ok(())
            }
            other => self.operate_on_cells(index, other, live),
        }
    }

    fn operate_on_cells(
        &mut self,
        index: LogIndex,
        operation: &Operation,
        live: bool,
    ) -> Result<(), Outcome> {
        match operation {
            Operation::RegisterFamily {
                policy, authors, ..
            } => {
                if self.families.contains_key(policy) {
                    return Err(Outcome::FamilyExists);
                }
                let family = Family {
                    registered_at: index,
                    policy: policy.clone(),
                    authors: authors.clone(),
                };
                self.families.insert(policy.clone(), family);
            }
            Operation::Mint {
                family,
                route,
                value,
                blind,
                authors,
                ..
            } => {
                if !self.families.contains_key(family) {
                    return Err(Outcome::UnknownFamily);
                }
                if self.mints.contains_key(route) {
                    return Err(Outcome::CellExists);
                }
                self.check_room_for(authors)?;
                let mint = MintRecord {
                    minted_at: index,
                    family: family.clone(),
                    value: *value,
                    blind: *blind,
                    void: live,
                };
                self.mints.insert(*route, mint);
                if live {
                    return Err(Outcome::CellLive);
                }
                self.list(index, *route, authors);
            }
            Operation::SetCellAuthors { route, authors, .. } => {
                self.check_room_for(authors)?;
                self.list(index, *route, authors);
            }
            _ => unreachable!("every other operation was decided before"),
        }
        Ok(())
    }

    fn check_room_for(&self, authors: &[AuthorId]) -> Result<(), Outcome> {
        match self.listed + authors.len() <= MAX_LISTED_AUTHORS {
            true => Ok(()),
            false => Err(Outcome::RegistryFull),
        }
    }

    fn list(&mut self, index: LogIndex, route: [u8; 32], authors: &[AuthorId]) {
        self.listed += authors.len();
        let lists = self.cell_authors.entry(route).or_default();
        lists.push((index, authors.to_vec()));
    }

    fn register_author(&mut self, index: LogIndex, author: AuthorId) -> Result<(), Outcome> {
        if self.authors.contains_key(&author) {
            return Err(Outcome::AuthorExists);
        }
        if self.authors.len() >= MAX_REGISTERED_AUTHORS {
            return Err(Outcome::RegistryFull);
        }
        let standing = AuthorStanding {
            registered_at: index,
            revoked_at: None,
        };
        self.authors.insert(author, standing);
        Ok(())
    }

    fn check_opening(&self, index: LogIndex, opening: &EpochOpening) -> Result<(), Outcome> {
        if self.next_epoch() != Some(opening.id) {
            return Err(Outcome::EpochExists);
        }
        // Rotated secrets are independent: a key opened again would let a dropped reader read on.
        if self.epochs.values().any(|e| e.key == opening.key) {
            return Err(Outcome::EpochKeyReused);
        }
        if opening.expires.is_some_and(|last| last <= index) {
            return Err(Outcome::ExpiryInPast);
        }
        if self.epochs.len() >= MAX_REGISTERED_EPOCHS {
            return Err(Outcome::RegistryFull);
        }
        Ok(())
    }

    fn open(&mut self, index: LogIndex, opening: &EpochOpening) {
        let standing = EpochStanding {
            id: opening.id,
            key: opening.key,
            route_commitment: opening.route_commitment,
            policy: opening.policy.clone(),
            policy_digest: opening.policy_digest,
            opened_at: index,
            expires: opening.expires,
            revoked_at: None,
            erased_at: None,
        };
        self.epochs.insert(opening.id, standing);
    }

    /// Only ever earlier, and never behind us: what was applied under it stays applied.
    fn expire(&mut self, index: LogIndex, epoch: EpochId, at: LogIndex) -> Result<(), Outcome> {
        let standing = self.known_epoch(epoch)?;
        if at < index {
            return Err(Outcome::ExpiryInPast);
        }
        if standing.expires.is_some_and(|last| last <= at) {
            return Err(Outcome::EpochExpired);
        }
        standing.expires = Some(at);
        Ok(())
    }

    fn known_epoch(&mut self, epoch: EpochId) -> Result<&mut EpochStanding, Outcome> {
        self.epochs.get_mut(&epoch).ok_or(Outcome::UnknownEpoch)
    }
}

/// Ends a fact at `index`, once.
pub(super) fn end(
    ended: &mut Option<LogIndex>,
    index: LogIndex,
    already: Outcome,
) -> Result<(), Outcome> {
    if ended.is_some() {
        return Err(already);
    }
    *ended = Some(index);
    Ok(())
}

#[cfg(test)]
#[path = "keyspace_tests.rs"]
mod tests;
