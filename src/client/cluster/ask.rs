//! What a client reads: commands, cells, receipts. Of each entry its checkpoint was compared with the newest seen; the
//! rest is the [`Reader`](crate::client::Reader)'s to check.

use super::error::{protocol, unasked};
use super::{Cluster, ClusterError};
use crate::api::{MAX_SCAN_ROWS, ProvenEntry, Reply, Request};
use crate::batch::SealedBatch;
use crate::client::cells::ShownCell;
use crate::ids::{AuthorSeq, KeyspaceId, LogIndex, NodeId};
use crate::log::{Receipt, VerifiedReceipt};
use ukehi_circuits::field;
use ukehi_keys::AuthorId;

/// What a node has under a route.
pub enum Found {
    Entry {
        entry: ProvenEntry,
        slot: u8,
    },
    /// A node's word.
    Nothing {
        node: NodeId,
        applied: LogIndex,
    },
}

impl Cluster {
    /// The receipt of an author's sequence.
    ///
    /// # Errors
    /// [`ClusterError`]; of note [`ClusterError::NoReceipt`].
    pub async fn receipt(
        &mut self,
        author: AuthorId,
        seq: AuthorSeq,
    ) -> Result<(Receipt, VerifiedReceipt), ClusterError> {
        let ask = |deadline_ms| Request::Receipt {
            deadline_ms,
            author,
            seq,
        };
        let (node, entry) = match self.remote.ask(ask).await? {
            (node, Reply::Entry { entry, .. }) => (node, entry),
            (_, Reply::NotFound { applied }) => {
                return Err(ClusterError::NoReceipt {
                    author,
                    seq,
                    applied,
                });
            }
            (node, other) => return Err(protocol(node, &other)),
        };
        let receipt =
            Receipt::from_entry(entry.record, &entry.payload, &entry.inclusion, &entry.note);
        let verifier = self.known.verifier();
        let verified = receipt.and_then(|receipt| {
            let shown = receipt.verify(verifier.genesis(), verifier.shard())?;
            Ok((receipt, shown))
        });
        let (receipt, shown) = verified.map_err(|source| ClusterError::Receipt { node, source })?;
        if (shown.author, shown.author_seq) != (author, seq) {
            return Err(ClusterError::OtherReceipt {
                node,
                asked: author,
                asked_seq: seq,
                found: shown.author,
                found_seq: shown.author_seq,
            });
        }
        self.compare(node, &entry.note).await?;
        Ok((receipt, shown))
    }

    /// Where the newest command under a route stands. Of an entry its checkpoint was compared; the rest is the
    /// [`Reader`](crate::client::Reader)'s to check.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn get(&mut self, route: [u8; 32]) -> Result<Found, ClusterError> {
        let ask = |deadline_ms| Request::Get { deadline_ms, route };
        match self.remote.ask(ask).await? {
            (node, Reply::Entry { entry, slot }) => {
                self.compare(node, &entry.note).await?;
                Ok(Found::Entry { entry, slot })
            }
            (node, Reply::NotFound { applied }) => Ok(Found::Nothing { node, applied }),
            (node, other) => Err(protocol(node, &other)),
        }
    }

    /// The newest command under each route, in tag order, at most `limit`; each as in [`Cluster::get`].
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn scan(&mut self, limit: usize) -> Result<Vec<(ProvenEntry, u8)>, ClusterError> {
        let mut rows: Vec<(ProvenEntry, u8)> = Vec::new();
        let mut after: Option<[u8; 32]> = None;
        while rows.len() < limit {
            let asked = (limit - rows.len()).min(MAX_SCAN_ROWS as usize);
            let mut page: Vec<(ProvenEntry, u8)> = Vec::new();
            let ask = |deadline_ms| Request::Scan {
                deadline_ms,
                after,
                limit: asked as u32,
            };
            let take = |reply| match reply {
                Reply::Entry { entry, slot } if page.len() < asked => {
                    page.push((entry, slot));
                    Ok(false)
                }
                Reply::End => Ok(true),
                other => Err(unasked(&other)),
            };
            let node = self.remote.stream(ask, take).await?;
            let full = page.len() == asked;
            for (entry, slot) in page {
                let route = route_of(&entry, slot);
                if route.is_none() || after >= route {
                    let index = entry.record.index;
                    return Err(ClusterError::Row { index });
                }
                after = route;
                self.compare(node, &entry.note).await?;
                rows.push((entry, slot));
            }
            if !full {
                break;
            }
        }
        Ok(rows)
    }

    /// Where the newest opening of the cell under a route stands; as in [`Cluster::get`].
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn cell(
        &mut self,
        keyspace: KeyspaceId,
        route: [u8; 32],
    ) -> Result<Option<ShownCell>, ClusterError> {
        let ask = |deadline_ms| Request::Cell {
            deadline_ms,
            keyspace,
            route,
        };
        let (node, shown) = match self.remote.ask(ask).await? {
            (_, Reply::NotFound { .. }) => return Ok(None),
            (node, reply) => (node, shown_cell(node, reply)?),
        };
        if shown.route != route {
            let index = shown.entry.record.index;
            return Err(ClusterError::OtherCell { index });
        }
        self.compare(node, &shown.entry.note).await?;
        Ok(Some(shown))
    }

    /// The cells of a keyspace after `after`, in tag order, at most [`MAX_SCAN_ROWS`]; as in [`Cluster::get`].
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn cells(
        &mut self,
        keyspace: KeyspaceId,
        mut after: Option<[u8; 32]>,
    ) -> Result<Vec<ShownCell>, ClusterError> {
        let mut page = Vec::new();
        let ask = |deadline_ms| Request::Cells {
            deadline_ms,
            keyspace,
            after,
            limit: MAX_SCAN_ROWS,
        };
        let take = |reply| match reply {
            Reply::End => Ok(true),
            reply if page.len() == MAX_SCAN_ROWS as usize => Err(unasked(&reply)),
            reply => {
                page.push(reply);
                Ok(false)
            }
        };
        let node = self.remote.stream(ask, take).await?;
        let mut cells = Vec::new();
        for reply in page {
            let shown = shown_cell(node, reply)?;
            if after >= Some(shown.route) {
                let index = shown.entry.record.index;
                return Err(ClusterError::Row { index });
            }
            after = Some(shown.route);
            self.compare(node, &shown.entry.note).await?;
            cells.push(shown);
        }
        Ok(cells)
    }
}

/// The tag a row stands under, as its batch shows it.
fn route_of(entry: &ProvenEntry, slot: u8) -> Option<[u8; 32]> {
    let batch = SealedBatch::from_bytes(&entry.payload).ok()?;
    let slot = batch.slots.get(usize::from(slot))?;
    Some(field::encode(&slot.route))
}

fn shown_cell(node: NodeId, reply: Reply) -> Result<ShownCell, ClusterError> {
    match reply {
        Reply::Cell {
            route,
            version,
            entry,
            slot,
        } => Ok(ShownCell {
            route,
            version,
            entry,
            slot,
        }),
        other => Err(protocol(node, &other)),
    }
}
