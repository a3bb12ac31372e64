//! Answers to reads, out of the store: entries with their proofs, receipts, trails.
//!
//! Invariant: what is shown is committed, applied and durable, and covered by a checkpoint that a
//! majority cosigned. Knows nothing of Raft: the caller has waited for its read barrier.

use crate::api::{Denial, ProvenEntry, Reply};
use crate::ids::{AuthorSeq, KeyspaceId, LogIndex, ShardId, TreeSize};
use crate::keyspace::cells::{self, CellRow};
use crate::keyspace::{Keyspace, session};
use crate::kv::{Pair, Read, StoreError};
use crate::log::tree::{self, TreeError};
use crate::log::{EntryKind, Record, ledger};
use crate::registry;
use crate::replica::{evidence, raft_log};
use std::sync::Arc;
use ukehi_keys::AuthorId;

/// Reads of one shard.
#[derive(Clone)]
pub struct Queries {
    store: Arc<dyn Read>,
    shard: ShardId,
}

impl Queries {
    #[must_use]
    pub fn new(store: Arc<dyn Read>, shard: ShardId) -> Self {
        Self { store, shard }
    }

    /// The leaves of the tree, genesis included.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tree_size(&self) -> Result<TreeSize, StoreError> {
        ledger::tree_size(&*self.store, self.shard)
    }

    /// Where the newest slot under a route stands.
    ///
    /// # Errors
    /// Those of the store.
    pub fn place(&self, route: &[u8; 32]) -> Result<Option<crate::keyspace::Place>, StoreError> {
        Keyspace::place(&*self.store, self.shard, route)
    }

    /// Routes after `after` with their places, in tag order.
    ///
    /// # Errors
    /// Those of the store.
    pub fn scan(
        &self,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<([u8; 32], crate::keyspace::Place)>, StoreError> {
        Keyspace::scan(&*self.store, self.shard, after, limit)
    }

    /// The cell under a route.
    ///
    /// # Errors
    /// Those of the store.
    pub fn cell(
        &self,
        keyspace: KeyspaceId,
        route: &[u8; 32],
    ) -> Result<Option<CellRow>, StoreError> {
        cells::get(&*self.store, self.shard, keyspace, route)
    }

    /// The cells of a keyspace after `after`, in tag order.
    ///
    /// # Errors
    /// Those of the store.
    pub fn cells(
        &self,
        keyspace: KeyspaceId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<([u8; 32], CellRow)>, StoreError> {
        cells::scan(&*self.store, self.shard, keyspace, after, limit)
    }

    /// What is known of an author's sequence.
    ///
    /// # Errors
    /// Those of the store.
    pub fn session(
        &self,
        author: &AuthorId,
        seq: AuthorSeq,
    ) -> Result<session::Freshness, StoreError> {
        session::lookup(&*self.store, self.shard, author, seq)
    }

    /// An entry below the newest cosigned checkpoint, with its proof; `None` if it is not below.
    ///
    /// # Errors
    /// Those of the store.
    pub fn proven_entry(&self, index: LogIndex) -> Result<Option<ProvenEntry>, StoreError> {
        let Some(checkpoint) = ledger::newest_checkpoint(&*self.store, self.shard)? else {
            return Ok(None);
        };
        let size = checkpoint.checkpoint.size;
        if index >= size {
            return Ok(None);
        }
        self.proven_under(index, size, checkpoint.to_note())
            .map(Some)
    }

    /// An entry with its proof under the checkpoint at `size`, which `note` holds.
    ///
    /// # Errors
    /// Those of the store.
    pub fn proven_under(
        &self,
        index: LogIndex,
        size: TreeSize,
        note: String,
    ) -> Result<ProvenEntry, StoreError> {
        let (record, payload) = self.entry(index)?;
        let proof =
            tree::inclusion_proof(&*self.store, self.shard, index, size).map_err(in_tree)?;
        Ok(ProvenEntry {
            record,
            payload,
            inclusion: proof.to_bytes(),
            note,
        })
    }

    /// The record at `index` and, for a batch or a registry change, its bytes.
    ///
    /// # Errors
    /// Those of the store; an entry that should be there and is not is damage.
    pub fn entry(&self, index: LogIndex) -> Result<(Record, Vec<u8>), StoreError> {
        let record = ledger::record(&*self.store, self.shard, index)?
            .ok_or_else(|| missing("record", index))?;
        match record.kind {
            EntryKind::Batch => {}
            EntryKind::Registry => {
                let (_, _, bytes) = registry::row(&*self.store, self.shard, index)?
                    .ok_or_else(|| missing("registry change", index))?;
                return Ok((record, bytes.to_vec()));
            }
            _ => return Ok((record, Vec::new())),
        }
        let entry = raft_log::read_entry(&*self.store, self.shard, index)?
            .ok_or_else(|| missing("log entry", index))?;
        let bytes = entry
            .batch_bytes()
            .ok_or_else(|| missing("batch of the log entry", index))?;
        Ok((record, bytes.to_vec()))
    }

    /// The applied changes with indexes in `from..to`, at most `limit`, and where to go on.
    ///
    /// # Errors
    /// Those of the store.
    pub fn changes(
        &self,
        from: LogIndex,
        to: LogIndex,
        limit: usize,
    ) -> Result<(Vec<LogIndex>, Option<LogIndex>), StoreError> {
        let rows = registry::rows(&*self.store, self.shard, from, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit);
        let next = next.map(|(index, ..)| index + 1).filter(|next| *next < to);
        let applied = rows
            .iter()
            .filter(|(index, outcome, _)| *index < to && outcome.takes_number());
        Ok((applied.map(|(index, ..)| *index).collect(), next))
    }

    /// The stored case of misbehaviour behind a key, without its shard.
    ///
    /// # Errors
    /// Those of the store.
    pub fn evidence(&self, after: &[u8]) -> Result<Option<Pair>, StoreError> {
        evidence::next(&*self.store, self.shard, after)
    }

    /// The newest cosigned note and what an author may use next.
    ///
    /// # Errors
    /// Those of the store.
    pub fn head(&self, author: Option<&AuthorId>) -> Result<Reply, StoreError> {
        let checkpoint = ledger::newest_checkpoint(&*self.store, self.shard)?;
        let highest_seq = match author {
            Some(author) => session::highest(&*self.store, self.shard, author)?,
            None => None,
        };
        Ok(Reply::Head {
            note: checkpoint.map(|c| c.to_note()),
            applied: self.tree_size()?.saturating_sub(1),
            highest_seq,
        })
    }

    /// That the log of `to` leaves extends the one of `from`.
    ///
    /// # Errors
    /// Those of the store. Sizes this log does not have are a `Denied` reply.
    pub fn consistency(&self, from: TreeSize, to: TreeSize) -> Result<Reply, StoreError> {
        let size = self.tree_size()?;
        if from == 0 || from > to || to > size {
            return Ok(Reply::denied(
                Denial::Unavailable,
                format!("this node's log has {size} entries, not {from} and {to}"),
            ));
        }
        let proof = tree::consistency_proof(&*self.store, self.shard, from, to).map_err(in_tree)?;
        Ok(Reply::Consistency {
            proof: proof.to_bytes(),
        })
    }

    /// What precedes the entries of an export.
    ///
    /// # Errors
    /// Those of the store. A range the newest checkpoint does not cover is a `Denied` reply.
    pub fn export_start(&self, from: LogIndex, to: Option<LogIndex>) -> Result<Reply, StoreError> {
        let Some(signed) = ledger::newest_checkpoint(&*self.store, self.shard)? else {
            return Ok(Reply::denied(
                Denial::Unavailable,
                "no checkpoint has a majority of cosignatures yet",
            ));
        };
        let size = signed.checkpoint.size;
        let to = to.unwrap_or(size);
        if from >= to || to > size {
            return Ok(Reply::denied(
                Denial::BadRequest,
                format!("the range {from}..{to} is empty or ends after the checkpoint at {size}"),
            ));
        }
        Ok(Reply::ExportStart {
            from,
            to,
            size,
            left: tree::frontier(&*self.store, self.shard, from)?,
            right: tree::suffix(&*self.store, self.shard, to, size)?,
            note: signed.to_note(),
        })
    }
}

/// Ranges were checked against a checkpoint in the store: a tree that lacks them is damaged.
fn in_tree(error: TreeError) -> StoreError {
    match error {
        TreeError::Store(error) => error,
        other => StoreError::Undecodable {
            what: "tree",
            reason: other.to_string(),
        },
    }
}

fn missing(what: &str, index: LogIndex) -> StoreError {
    StoreError::Undecodable {
        what: "ledger",
        reason: format!("the {what} at index {index} is missing"),
    }
}
