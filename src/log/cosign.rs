//! From applied sizes to checkpoints that a majority has cosigned.
//!
//! The leader starts: every [`CADENCE_ENTRIES`] entries, or [`CADENCE_MS`] after new ones, it signs
//! its applied size. Whoever hears of a size it has reached recomputes the root from its own store,
//! signs the same size and publishes all the cosignatures it holds; a size ahead of it waits. The
//! leader publishes the completed checkpoint once, and falls silent until there is more to sign.
//! Notes may be lost: whoever is short of a majority for long asks by publishing again.
//!
//! Invariants: 1. only sizes that [`Cosigner::applied`] was told of are signed, with the root that
//! this node's own store gives; 2. the sizes signed by one instance never shrink, so that
//! `cosignature/v1` ("the largest consistent tree head observed") is true; 3. once a majority has
//! signed a root that is not ours, nothing is signed any more; 4. memory is bounded by the number
//! of voters, whoever sends what.
//! Knows nothing of terms, gossip, disks or clocks: time is an argument, what to do an action.

use super::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use super::disputes::Disputes;
use super::fork::ForkEvidence;
use super::pending::{Ahead, Open};
use super::{ledger, tree};
use crate::genesis::Genesis;
use crate::ids::{Hash, NodeId, ShardId, TreeSize};
use crate::kv::{Read, StoreError};
use std::sync::Arc;
use thiserror::Error;
use ukehi_keys::NodeKey;

/// The leader signs at the latest when this many entries are not yet covered ...
pub const CADENCE_ENTRIES: u64 = 256;
/// ... or this long after the first of them, in milliseconds.
pub const CADENCE_MS: u64 = 50;
/// How long the others leave it to the leader. After that they do as it should have done, so that
/// a mute leader, or a checkpoint somebody missed while all is quiet, is made up for.
pub const PATIENCE_MS: u64 = 4_000;
/// How long one waits for a majority before publishing again; the wait then doubles ...
pub const REPUBLISH_MS: u64 = 1_000;
/// ... up to this.
pub const MAX_REPUBLISH_MS: u64 = 16_000;

/// What the driver is to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CosignAction {
    /// Gossip this note.
    Publish(String),
    /// A majority has cosigned: [`ledger::save_checkpoint`].
    Save(SignedCheckpoint),
    /// A node signed two histories: store, gossip, alarm. Once per node.
    Fork(ForkEvidence),
    /// Members signed a root that is not ours at a size we have: alarm. With a majority behind it
    /// our own log is the odd one, and this node signs no more.
    Disagreement {
        theirs: SignedCheckpoint,
        ours: Hash,
        majority: bool,
    },
}

/// Why a note was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CosignError {
    /// The sender's fault.
    #[error(transparent)]
    Note(#[from] CheckpointError),
    #[error("a checkpoint of shard {found} came on the topic of shard {expected}")]
    WrongShard { expected: ShardId, found: ShardId },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One shard's collector of cosignatures at one node.
pub struct Cosigner {
    genesis: Arc<Genesis>,
    shard: ShardId,
    me: NodeId,
    key: Arc<NodeKey>,
    leader: bool,
    /// Largest durable size.
    applied: TreeSize,
    /// Largest size signed by this instance, or held with our cosignature when it started.
    signed: TreeSize,
    saved: Option<SignedCheckpoint>,
    saved_is_ours: bool,
    /// Our roots above the saved size, with the cosignatures so far.
    open: Open,
    ahead: Ahead,
    disputes: Disputes,
    /// What the current call is to return.
    out: Vec<CosignAction>,
    halted: bool,
    /// Milliseconds since there was something new to sign, since something was short of a
    /// majority, since we published and since we saved.
    uncovered_ms: u64,
    behind_ms: u64,
    published_ms: u64,
    saved_ms: u64,
    republish_after_ms: u64,
}

impl Cosigner {
    /// `saved` is [`ledger::newest_checkpoint`].
    ///
    /// # Panics
    /// If `key` is not the one genesis names for `me`.
    #[must_use]
    pub fn new(
        genesis: Arc<Genesis>,
        shard: ShardId,
        me: NodeId,
        key: Arc<NodeKey>,
        saved: Option<SignedCheckpoint>,
    ) -> Self {
        assert_eq!(
            genesis.node_key(me),
            Some(&key.public()),
            "a node signs with the key genesis names for it"
        );
        let by_us = saved.as_ref().filter(|s| s.cosignature_of(me).is_some());
        Self {
            signed: by_us.map_or(0, |s| s.checkpoint.size),
            genesis,
            shard,
            me,
            key,
            leader: false,
            applied: 0,
            saved,
            saved_is_ours: false,
            open: Open::default(),
            ahead: Ahead::default(),
            disputes: Disputes::default(),
            out: Vec::new(),
            halted: false,
            uncovered_ms: 0,
            behind_ms: 0,
            published_ms: REPUBLISH_MS,
            saved_ms: REPUBLISH_MS,
            republish_after_ms: REPUBLISH_MS,
        }
    }

    /// The log has grown to `size` leaves. Precondition: they are committed, applied and
    /// *durable*, and the stores passed to the other methods hold them. A size that a crash could
    /// take back would let this node sign two histories.
    pub fn applied(&mut self, size: TreeSize) {
        self.applied = self.applied.max(size);
    }

    /// The largest size a majority has cosigned.
    #[must_use]
    pub fn cosigned(&self) -> TreeSize {
        self.saved.as_ref().map_or(0, |s| s.checkpoint.size)
    }

    /// A majority signed a root that is not ours: nothing is signed any more.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// To be called at least every [`CADENCE_MS`] while there is something to sign: `now` in unix
    /// seconds, `elapsed_ms` since the last call, `leader` as Raft sees it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tick(
        &mut self,
        now: u64,
        elapsed_ms: u64,
        leader: bool,
        store: &dyn Read,
    ) -> Result<Vec<CosignAction>, StoreError> {
        self.out.clear();
        self.leader = leader;
        self.published_ms = self.published_ms.saturating_add(elapsed_ms);
        self.saved_ms = self.saved_ms.saturating_add(elapsed_ms);
        self.check_saved(store)?;
        for reached in self.ahead.take_up_to(self.applied) {
            self.judge(&reached, now, store)?;
        }
        let covered = self.signed.max(self.cosigned());
        self.uncovered_ms = count_up(self.uncovered_ms, elapsed_ms, self.applied > covered);
        self.behind_ms = count_up(self.behind_ms, elapsed_ms, self.applied > self.cosigned());
        if leader || self.behind_ms >= PATIENCE_MS {
            self.lead(now, store)?;
        }
        Ok(std::mem::take(&mut self.out))
    }

    /// A note came by gossip, or was fetched.
    ///
    /// # Errors
    /// [`CosignError`]: all but `Store` are the sender's fault and change nothing here.
    pub fn note(
        &mut self,
        note: &str,
        now: u64,
        store: &dyn Read,
    ) -> Result<Vec<CosignAction>, CosignError> {
        let signed = SignedCheckpoint::from_note(note, &self.genesis)?;
        let (expected, found) = (self.shard, signed.checkpoint.shard);
        if expected != found {
            return Err(CosignError::WrongShard { expected, found });
        }
        self.out.clear();
        if signed.checkpoint.size > self.applied {
            if signed.cosignature_of(self.me).is_some() {
                // Ours, from before a restart: the log has to grow back to it first.
                self.signed = self.signed.max(signed.checkpoint.size);
            }
            let forks = self.disputes.new_only(self.ahead.add(&signed));
            self.out.extend(forks.into_iter().map(CosignAction::Fork));
        } else {
            self.judge(&signed, now, store)?;
        }
        Ok(std::mem::take(&mut self.out))
    }

    /// At start: the log must reproduce the root of the checkpoint we saved.
    fn check_saved(&mut self, store: &dyn Read) -> Result<(), StoreError> {
        let reached = |s: &&SignedCheckpoint| s.checkpoint.size <= self.applied;
        let Some(saved) = self.saved.as_ref().filter(reached) else {
            return Ok(());
        };
        if !self.saved_is_ours {
            let saved = saved.clone();
            self.saved_is_ours = true;
            let ours = tree::root(store, self.shard, saved.checkpoint.size)?;
            if ours != saved.checkpoint.root {
                self.disagree(saved, ours, store)?;
            }
        }
        Ok(())
    }

    fn lead(&mut self, now: u64, store: &dyn Read) -> Result<(), StoreError> {
        let covered = self.signed.max(self.cosigned());
        if self.halted || self.applied <= self.cosigned() {
            return Ok(());
        }
        if self.applied > covered {
            let due = self.applied - covered >= CADENCE_ENTRIES || self.uncovered_ms >= CADENCE_MS;
            if due {
                self.republish_after_ms = REPUBLISH_MS;
                self.sign(self.applied, now, store)?;
            }
            return Ok(());
        }
        // Signed, but no majority yet. The text must be a new one, because gossip drops what it
        // has seen: it is signed again, unless the clock still shows the second of the last time.
        let held = self.open.get(self.applied);
        let held = held.and_then(|held| held.cosignature_of(self.me));
        let fresh = held.is_none_or(|ours| ours.time != now);
        let again = self.applied == self.signed && self.published_ms >= self.republish_after_ms;
        if again && fresh {
            self.republish_after_ms = (self.republish_after_ms * 2).min(MAX_REPUBLISH_MS);
            self.sign(self.applied, now, store)?;
        }
        Ok(())
    }

    /// A checkpoint of a size we have. Its cosignatures have been verified.
    fn judge(
        &mut self,
        theirs: &SignedCheckpoint,
        now: u64,
        store: &dyn Read,
    ) -> Result<(), StoreError> {
        let size = theirs.checkpoint.size;
        let ours = tree::root(store, self.shard, size)?;
        if theirs.checkpoint.root != ours {
            return self.disagree(theirs.clone(), ours, store);
        }
        let forks = self.disputes.agreeing(theirs);
        self.out.extend(forks.into_iter().map(CosignAction::Fork));
        if size <= self.cosigned() {
            self.answer_with_saved(theirs, now);
            return Ok(());
        }
        let open = self.open.add(theirs);
        let held = open.cosignature_of(self.me).map(|ours| ours.time);
        if theirs.cosignature_of(self.me).is_some() {
            // Our own, perhaps from before a restart.
            self.signed = self.signed.max(size);
        }
        let unheard = held.is_some()
            && theirs.cosignature_of(self.me).is_none()
            && self.published_ms >= REPUBLISH_MS
            && held != Some(now);
        if !self.halted && size >= self.signed && (held.is_none() || unheard) {
            return self.sign(size, now, store);
        }
        let complete_already = theirs.cosignatures().len() >= self.genesis.majority();
        if self.complete(size) && self.leader && !complete_already {
            self.publish_saved();
        }
        Ok(())
    }

    /// Signs `size` with our own root and publishes everything held for it.
    fn sign(&mut self, size: TreeSize, now: u64, store: &dyn Read) -> Result<(), StoreError> {
        let checkpoint = Checkpoint {
            cluster: self.genesis.cluster_id(),
            shard: self.shard,
            size,
            root: tree::root(store, self.shard, size)?,
        };
        let ours = checkpoint.with(checkpoint.sign(self.me, &self.key, now));
        let note = self.open.add(&ours).to_note();
        self.signed = self.signed.max(size);
        self.uncovered_ms = 0;
        self.published_ms = 0;
        self.out.push(CosignAction::Publish(note));
        self.complete(size);
        Ok(())
    }

    /// Saves the checkpoint of `size` if a majority has cosigned it.
    fn complete(&mut self, size: TreeSize) -> bool {
        let Some(done) = self.open.take_complete(size, self.genesis.majority()) else {
            return false;
        };
        (self.saved_ms, self.behind_ms) = (0, 0);
        self.republish_after_ms = REPUBLISH_MS;
        self.saved_is_ours = true;
        self.saved = Some(done.clone());
        self.out.push(CosignAction::Save(done));
        true
    }

    /// Somebody asks about a size that is covered already: it lags behind, or has restarted. Under
    /// load it will hear of the next checkpoint anyway, so this is for quiet times only.
    fn answer_with_saved(&mut self, theirs: &SignedCheckpoint, now: u64) {
        let quiet = self.saved_ms >= REPUBLISH_MS && self.published_ms >= REPUBLISH_MS;
        if !quiet || theirs.cosignatures().len() >= self.genesis.majority() {
            return;
        }
        let ours = self.saved_is_ours && !self.halted;
        if let Some(saved) = &mut self.saved
            && ours
            && saved.checkpoint.size >= self.signed
        {
            // Signed again for the same reason as in `lead`.
            saved.add(saved.checkpoint.sign(self.me, &self.key, now));
            self.signed = saved.checkpoint.size;
        }
        self.publish_saved();
    }

    fn publish_saved(&mut self) {
        if let Some(saved) = &self.saved {
            self.published_ms = 0;
            self.out.push(CosignAction::Publish(saved.to_note()));
        }
    }

    fn disagree(
        &mut self,
        theirs: SignedCheckpoint,
        ours: Hash,
        store: &dyn Read,
    ) -> Result<(), StoreError> {
        let size = theirs.checkpoint.size;
        let stored = ledger::checkpoint_at_or_above(store, self.shard, size)?;
        let known = self.open.get(size).into_iter();
        let known = known.chain(&self.saved).chain(&stored);
        let (forks, news) = self.disputes.differing(&theirs, known);
        self.out.extend(forks.into_iter().map(CosignAction::Fork));
        let majority = theirs.cosignatures().len() >= self.genesis.majority();
        self.halted |= majority;
        if news {
            self.out.push(CosignAction::Disagreement {
                theirs,
                ours,
                majority,
            });
        }
        Ok(())
    }
}

fn count_up(ms: u64, elapsed_ms: u64, running: bool) -> u64 {
    if running {
        ms.saturating_add(elapsed_ms)
    } else {
        0
    }
}

#[cfg(test)]
#[path = "cosign_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "cosign_node_tests.rs"]
mod node_tests;
