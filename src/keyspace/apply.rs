//! Apply: what a committed, verified batch does to the state, decided alike on every replica.
//!
//! Invariants: 1. the outcome is a function of the batch, its index and the log before it;
//! 2. a batch applies wholly or is a recorded refusal with no other change than its sequence.
//! 3. a batch is judged with the registry of the changes before its index.
//! Knows nothing of Raft, proofs (a [`VerifiedBatch`] had its checked) or of plaintexts.

use super::session::{self, Freshness, Session};
use super::{bulk, cells};
use crate::batch::{Header, VerifiedBatch};
use crate::genesis::Genesis;
use crate::ids::{LogIndex, ShardId};
use crate::kv::{Column, Overlay, Read, StoreError, shard_key};
use crate::log::{Outcome, tree};
use crate::mutant::{self, Mutant};
use crate::registry::{self, Registry, VerifiedChange};
use crate::wire::{Reader, Writer};
use ukehi_circuits::field;

/// W: how far behind its index a batch's anchor may lie, in entries.
pub const ANCHOR_WINDOW: u64 = 1 << 20;

/// A deterministic state machine over verified batches and registry changes. [`Keyspace`] is the
/// one a node ships.
pub trait StateMachine: Send {
    /// Decides the batch at `index` and writes what follows. The log holds exactly the leaves
    /// `0..index` when it is called.
    ///
    /// # Errors
    /// Those of the store only: a refusal is an [`Outcome`].
    fn apply(
        &self,
        index: LogIndex,
        batch: &VerifiedBatch,
        store: &mut Overlay<'_>,
    ) -> Result<Outcome, StoreError>;

    /// Decides the registry change at `index` and writes it, refused or not.
    ///
    /// # Errors
    /// As [`StateMachine::apply`].
    fn apply_change(
        &mut self,
        index: LogIndex,
        change: &VerifiedChange,
        store: &mut Overlay<'_>,
    ) -> Result<Outcome, StoreError>;

    /// As of the last change applied.
    fn registry(&self) -> &Registry;
}

/// Where the newest slot of a route stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub index: LogIndex,
    pub slot: u8,
}

/// The rules of one shard's keyspaces, from genesis and the changes applied since.
pub struct Keyspace {
    shard: ShardId,
    registry: Registry,
}

impl Keyspace {
    /// Of a log that holds genesis alone.
    #[must_use]
    pub fn new(genesis: &Genesis, shard: ShardId) -> Self {
        Self {
            shard,
            registry: Registry::from_genesis(genesis, shard),
        }
    }

    /// As the store has it: the registry is folded anew from its changes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn load(store: &dyn Read, genesis: &Genesis, shard: ShardId) -> Result<Self, StoreError> {
        let registry = registry::load(store, genesis, shard)?;
        Ok(Self { shard, registry })
    }

    /// Where the newest slot under a route tag (32 bytes, canonical little-endian) stands.
    ///
    /// # Errors
    /// Those of the store.
    pub fn place(
        store: &dyn Read,
        shard: ShardId,
        route: &[u8; 32],
    ) -> Result<Option<Place>, StoreError> {
        store
            .get(Column::State, &shard_key(shard, route))?
            .map(|bytes| decode_place(&bytes))
            .transpose()
    }

    /// At most `limit` routes after `after` (exclusive), in tag order.
    ///
    /// # Errors
    /// Those of the store.
    pub fn scan(
        store: &dyn Read,
        shard: ShardId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<([u8; 32], Place)>, StoreError> {
        let from = match after {
            // The least key above a 32-byte tag is the tag with a zero byte behind it.
            Some(after) => {
                let mut key = shard_key(shard, after);
                key.push(0);
                key
            }
            None => shard_key(shard, &[]),
        };
        let to = shard_key(shard, &[0xff; 33]);
        store
            .range(Column::State, &from, &to, limit)?
            .into_iter()
            .map(|(key, value)| {
                let route = key[4..].try_into().map_err(|_| undecodable("route key"))?;
                Ok((route, decode_place(&value)?))
            })
            .collect()
    }

    fn decide(
        &self,
        index: LogIndex,
        batch: &VerifiedBatch,
        store: &dyn Read,
    ) -> Result<Outcome, StoreError> {
        let header = &batch.batch().header;
        let registered = self.registry.judge(index, header, batch.policy());
        if registered != Outcome::Applied {
            return Ok(registered);
        }
        if index > header.valid_until {
            return Ok(Outcome::Expired);
        }
        self.check_anchor(index, header, store)
    }

    fn check_anchor(
        &self,
        index: LogIndex,
        header: &Header,
        store: &dyn Read,
    ) -> Result<Outcome, StoreError> {
        let anchor = &header.anchor;
        if anchor.size == 0 || anchor.size > index {
            return Ok(Outcome::AnchorUnknown);
        }
        if anchor.size < index.saturating_sub(ANCHOR_WINDOW) {
            return Ok(Outcome::AnchorTooOld);
        }
        if tree::root(store, self.shard, anchor.size)? != anchor.root {
            return Ok(Outcome::AnchorMismatch);
        }
        Ok(Outcome::Applied)
    }
}

impl StateMachine for Keyspace {
    fn apply(
        &self,
        index: LogIndex,
        batch: &VerifiedBatch,
        store: &mut Overlay<'_>,
    ) -> Result<Outcome, StoreError> {
        let header = &batch.batch().header;
        let x = field::encode(batch.x());
        match session::lookup(store, self.shard, &header.author, header.author_seq)? {
            Freshness::Used(_) if mutant::is(Mutant::RetryAppliedTwice) => {}
            // The first outcome stands; nothing is remembered anew.
            Freshness::Used(session) if session.x == x => return Ok(Outcome::Duplicate),
            Freshness::Used(_) => return Ok(Outcome::SequenceConflict),
            Freshness::BelowWindow => return Ok(Outcome::OutcomeUnknown),
            Freshness::Fresh => {}
        }
        let mut outcome = self.decide(index, batch, store)?;
        let mut cells = Vec::new();
        if outcome == Outcome::Applied {
            match cells::judge(store, &self.registry, index, batch)? {
                Ok(changes) => cells = changes,
                Err(refused) => outcome = refused,
            }
        }
        let session = Session { x, index, outcome };
        session::remember(
            store,
            self.shard,
            &header.author,
            header.author_seq,
            &session,
        )?;
        if outcome == Outcome::Applied {
            for (slot, public) in (0u8..).zip(&batch.batch().slots) {
                let key = shard_key(self.shard, &field::encode(&public.route));
                let mut w = Writer::new();
                w.u64(index).u8(slot);
                store.put(Column::State, key, w.finish());
            }
            for (route, row) in &cells {
                cells::put(store, self.shard, header.keyspace, route, row);
            }
            for reference in batch.batch().bulk.iter().flatten() {
                bulk::refer(store, self.shard, &reference.digest, index)?;
            }
        }
        Ok(outcome)
    }

    fn apply_change(
        &mut self,
        index: LogIndex,
        change: &VerifiedChange,
        store: &mut Overlay<'_>,
    ) -> Result<Outcome, StoreError> {
        let minted = cells::minted(index, &change.change().content.operation);
        let live = match &minted {
            Some((keyspace, route, _)) => {
                cells::get(store, self.shard, *keyspace, route)?.is_some()
            }
            None => false,
        };
        let outcome = self.registry.apply_beside(index, change, live);
        if let (Outcome::Applied, Some((keyspace, route, row))) = (outcome, minted) {
            cells::put(store, self.shard, keyspace, &route, &row);
        }
        registry::store_change(store, self.shard, index, change, outcome);
        Ok(outcome)
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }
}

fn decode_place(bytes: &[u8]) -> Result<Place, StoreError> {
    let mut r = Reader::new(bytes);
    let place = (|| {
        let place = Place {
            index: r.u64("index")?,
            slot: r.u8("slot")?,
        };
        r.end().map(|()| place)
    })();
    place.map_err(|e| undecodable(&e.to_string()))
}

fn undecodable(reason: &str) -> StoreError {
    StoreError::Undecodable {
        what: "place of a route",
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
