//! The registry: genesis and the applied changes, one after the other.
//!
//! Invariants: 1. a refused change consumes nothing (but see [`Outcome::takes_number`]), an applied one exactly its
//! number; 2. a fact
//! once decided is only ever ended, never moved or taken back, so the registry of a longer prefix
//! answers for every index of a shorter one as that one did; 3. ids and keys are never reused.

use super::keyspace::{Keyspace, end};
use super::operation::Operation;
use super::standing::{
    AdminSet, AuthorStanding, CircuitStanding, EpochStanding, Family, GrantRecord, MintRecord,
};
use super::verify::VerifiedChange;
use crate::genesis::Genesis;
use crate::ids::{EpochId, Hash, KeyspaceId, LogIndex, ShardId};
use crate::log::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use ukehi_keys::{AdminId, AuthorId, CircuitId, Manifest};

/// Bounds on what admins can make every replica keep in memory.
const MAX_CHANGES: usize = 1 << 20;
const MAX_REGISTERED_CIRCUITS: usize = 256;

/// One change that used up its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedChange {
    pub index: LogIndex,
    pub number: u64,
    /// [`super::Change::digest`].
    pub digest: Hash,
    /// [`Operation::name`].
    pub what: &'static str,
    /// `Applied`, or why it is void: see [`Outcome::takes_number`].
    pub outcome: Outcome,
}

/// See the module's word on it. Cheap to clone as registries go: the manifests are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    shard: ShardId,
    keyspaces: BTreeMap<KeyspaceId, Keyspace>,
    circuits: BTreeMap<CircuitId, CircuitStanding>,
    /// By `since`, ascending; the first is genesis's.
    admins: Vec<AdminSet>,
    changes: Vec<AppliedChange>,
}

impl Registry {
    /// The registry of a log that holds genesis alone.
    #[must_use]
    pub fn from_genesis(genesis: &Genesis, shard: ShardId) -> Self {
        let keyspaces = genesis.keyspaces.iter().filter(|k| k.shard == shard);
        Self {
            shard,
            keyspaces: keyspaces
                .map(|k| (k.id, Keyspace::from_genesis(k)))
                .collect(),
            circuits: genesis
                .circuits
                .iter()
                .map(|id| {
                    let standing = CircuitStanding {
                        activated_at: 0,
                        retired_at: None,
                        manifest: None,
                    };
                    (*id, standing)
                })
                .collect(),
            admins: vec![AdminSet {
                since: 0,
                keys: genesis.admins.keys.clone(),
                threshold: genesis.admins.threshold,
            }],
            changes: Vec::new(),
        }
    }

    /// Decides the change at `index`; indexes ascend from call to call.
    ///
    /// # Panics
    /// If `index` does not lie behind the last applied change: the fold would be another log's.
    pub fn apply(&mut self, index: LogIndex, verified: &VerifiedChange) -> Outcome {
        self.apply_beside(index, verified, false)
    }

    /// As [`Registry::apply`] beside a state in which the cell a mint names exists already
    /// (`live`): the mint is then refused, and void. It uses up its number and its route all the same,
    /// so that the registry after a prefix, but for what cells make of it, does not depend on batches.
    ///
    /// # Panics
    /// As [`Registry::apply`].
    pub fn apply_beside(
        &mut self,
        index: LogIndex,
        verified: &VerifiedChange,
        live: bool,
    ) -> Outcome {
        let last = self.changes.last().map_or(0, |c| c.index);
        assert!(index > last, "changes are folded in log order");
        let change = verified.change();
        let signers: Vec<AdminId> = change.signatures.iter().map(|(id, _)| *id).collect();
        let outcome = self
            .authorise(&signers, change.content.number)
            .and_then(|()| self.operate(index, verified, live))
            .err()
            .unwrap_or(Outcome::Applied);
        if outcome.takes_number() {
            self.changes.push(AppliedChange {
                index,
                number: change.content.number,
                digest: verified.digest(),
                what: change.content.operation.name(),
                outcome,
            });
        }
        outcome
    }

    /// As [`Registry::apply`] where the record says what the state made of a mint.
    ///
    /// # Panics
    /// As [`Registry::apply`].
    pub fn apply_recorded(
        &mut self,
        index: LogIndex,
        verified: &VerifiedChange,
        recorded: Outcome,
    ) -> Outcome {
        self.apply_beside(index, verified, recorded == Outcome::CellLive)
    }

    fn authorise(&self, signers: &[AdminId], number: u64) -> Result<(), Outcome> {
        let admins = self.admins();
        if signers.iter().any(|id| !admins.keys.contains(id)) {
            return Err(Outcome::UnknownAdmin);
        }
        if signers.len() < usize::from(admins.threshold) {
            return Err(Outcome::TooFewSignatures);
        }
        if number != self.next_number() {
            return Err(Outcome::WrongNumber);
        }
        if self.changes.len() >= MAX_CHANGES {
            return Err(Outcome::RegistryFull);
        }
        Ok(())
    }

    fn operate(
        &mut self,
        index: LogIndex,
        verified: &VerifiedChange,
        live: bool,
    ) -> Result<(), Outcome> {
        match &verified.change().content.operation {
            Operation::ActivateCircuit { .. } => {
                let manifest = verified.manifest().expect("the gate read the manifest");
                self.activate(index, manifest)
            }
            Operation::RetireCircuit { circuit } => {
                let standing = self.circuits.get_mut(circuit);
                let standing = standing.ok_or(Outcome::CircuitUnknownAtIndex)?;
                end(&mut standing.retired_at, index, Outcome::CircuitRetired)
            }
            Operation::SetAdmins { keys, threshold } => {
                self.admins.push(AdminSet {
                    since: index,
                    keys: keys.clone(),
                    threshold: *threshold,
                });
                Ok(())
            }
            operation => {
                let id = operation
                    .keyspace()
                    .expect("only the three above have none");
                let keyspace = self.keyspaces.get_mut(&id);
                let keyspace = keyspace.ok_or(Outcome::UnknownKeyspace)?;
                keyspace.operate(index, operation, &verified.change().payload, live)
            }
        }
    }

    fn activate(&mut self, index: LogIndex, manifest: &Arc<Manifest>) -> Result<(), Outcome> {
        let id = manifest.circuit_id();
        if self.circuits.contains_key(&id) {
            return Err(Outcome::CircuitExists);
        }
        if self.circuits.len() >= MAX_REGISTERED_CIRCUITS {
            return Err(Outcome::RegistryFull);
        }
        let standing = CircuitStanding {
            activated_at: index,
            retired_at: None,
            manifest: Some(manifest.clone()),
        };
        self.circuits.insert(id, standing);
        Ok(())
    }

    /// The number the next change must have; genesis is none, the first is 1.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.changes.last().map_or(1, |c| c.number + 1)
    }

    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    #[must_use]
    pub fn has_keyspace(&self, keyspace: KeyspaceId) -> bool {
        self.keyspaces.contains_key(&keyspace)
    }

    pub fn keyspaces(&self) -> impl Iterator<Item = KeyspaceId> {
        self.keyspaces.keys().copied()
    }

    #[must_use]
    pub fn author(&self, keyspace: KeyspaceId, author: &AuthorId) -> Option<&AuthorStanding> {
        self.keyspaces.get(&keyspace)?.authors.get(author)
    }

    pub fn authors(
        &self,
        keyspace: KeyspaceId,
    ) -> impl Iterator<Item = (&AuthorId, &AuthorStanding)> {
        let keyspace = self.keyspaces.get(&keyspace);
        keyspace.into_iter().flat_map(|k| &k.authors)
    }

    #[must_use]
    pub fn epoch(&self, keyspace: KeyspaceId, epoch: EpochId) -> Option<&EpochStanding> {
        self.keyspaces.get(&keyspace)?.epochs.get(&epoch)
    }

    /// By id, ascending.
    pub fn epochs(&self, keyspace: KeyspaceId) -> impl Iterator<Item = &EpochStanding> {
        let keyspace = self.keyspaces.get(&keyspace);
        keyspace.into_iter().flat_map(|k| k.epochs.values())
    }

    /// The one of a policy with the highest id that a batch at `index` may be sealed to.
    #[must_use]
    pub fn newest_epoch(
        &self,
        keyspace: KeyspaceId,
        policy: &str,
        index: LogIndex,
    ) -> Option<&EpochStanding> {
        let epochs = &self.keyspaces.get(&keyspace)?.epochs;
        let mut newest = epochs.values().rev();
        newest.find(|e| e.policy == policy && e.is_open_at(index))
    }

    /// The id the next epoch of a keyspace must have.
    #[must_use]
    pub fn next_epoch(&self, keyspace: KeyspaceId) -> Option<EpochId> {
        self.keyspaces.get(&keyspace)?.next_epoch()
    }

    #[must_use]
    pub fn circuit(&self, circuit: &CircuitId) -> Option<&CircuitStanding> {
        self.circuits.get(circuit)
    }

    pub fn circuits(&self) -> impl Iterator<Item = (&CircuitId, &CircuitStanding)> {
        self.circuits.iter()
    }

    /// The circuits the log activated, whether retired since or not: what a verifier needs beside
    /// the trust root's.
    pub fn manifests(&self) -> impl Iterator<Item = &Arc<Manifest>> {
        self.circuits.values().filter_map(|c| c.manifest.as_ref())
    }

    /// The set that decides on the next change.
    #[must_use]
    pub fn admins(&self) -> &AdminSet {
        self.admins.last().expect("genesis has one")
    }

    /// The set that decides at `index`.
    #[must_use]
    pub fn admins_at(&self, index: LogIndex) -> &AdminSet {
        let before = self.admins.iter().rev().find(|set| set.since < index);
        before.unwrap_or(&self.admins[0])
    }

    /// Whether the key was in any set that an entry before `index` made.
    #[must_use]
    pub fn was_admin_before(&self, admin: &AdminId, index: LogIndex) -> bool {
        let sets = self.admins.iter().filter(|set| set.since < index);
        sets.into_iter().any(|set| set.keys.contains(admin))
    }

    /// In log order.
    #[must_use]
    pub fn grants(&self, keyspace: KeyspaceId) -> &[GrantRecord] {
        let keyspace = self.keyspaces.get(&keyspace);
        keyspace.map_or(&[], |k| &k.grants)
    }

    #[must_use]
    pub fn family(&self, keyspace: KeyspaceId, policy: &str) -> Option<&Family> {
        self.keyspaces.get(&keyspace)?.families.get(policy)
    }

    /// By name, ascending.
    pub fn families(&self, keyspace: KeyspaceId) -> impl Iterator<Item = &Family> {
        let keyspace = self.keyspaces.get(&keyspace);
        keyspace.into_iter().flat_map(|k| k.families.values())
    }

    /// The mints of a family: the routes of the cells, and what was minted.
    pub fn mints<'a>(
        &'a self,
        keyspace: KeyspaceId,
        policy: &'a str,
    ) -> impl Iterator<Item = (&'a [u8; 32], &'a MintRecord)> {
        let keyspace = self.keyspaces.get(&keyspace);
        let mints = keyspace.into_iter().flat_map(|k| &k.mints);
        mints.filter(move |(_, mint)| mint.family == policy && !mint.void)
    }

    #[must_use]
    pub fn mint(&self, keyspace: KeyspaceId, route: &[u8; 32]) -> Option<&MintRecord> {
        let mint = self.keyspaces.get(&keyspace)?.mints.get(route);
        mint.filter(|mint| !mint.void)
    }

    /// Who may change a cell at `index`, where a registry entry has said so.
    #[must_use]
    pub fn cell_authors(
        &self,
        keyspace: KeyspaceId,
        route: &[u8; 32],
        index: LogIndex,
    ) -> Option<&[AuthorId]> {
        let lists = self.keyspaces.get(&keyspace)?.cell_authors.get(route)?;
        let list = lists.iter().rev().find(|(since, _)| *since < index);
        list.map(|(_, authors)| &authors[..])
    }

    /// The changes that used up their numbers, in log order: 1, 2, 3, …
    #[must_use]
    pub fn changes(&self) -> &[AppliedChange] {
        &self.changes
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
