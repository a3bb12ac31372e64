//! Finds cells: asks nodes for them, and opens what they show with the keys at hand.
//!
//! Invariant: a cell is returned only as [`Reader::open_cell`] has checked it, under the registry of its entry.
//! Knows nothing of writing.

use super::cells::{FoundCell, ShownCell};
use super::cluster::{Cluster, ClusterError};
use super::keys::KeyDirectory;
use super::reader::Reader;
use crate::api::MAX_SCAN_ROWS;
use crate::ids::{KeyspaceId, LogIndex};
use ukehi_circuits::slot::SlotKey;
use ukehi_keys::keystore::KeystoreError;

/// Finds the cells of one keyspace.
pub struct CellFinder {
    pub keyspace: KeyspaceId,
    keys: KeyDirectory,
    reader: Reader,
    /// The registry change up to which the reader knows it.
    known: LogIndex,
}

impl CellFinder {
    /// # Errors
    /// [`KeystoreError`] of the route key.
    pub fn new(
        cluster: &Cluster,
        keys: KeyDirectory,
        keyspace: KeyspaceId,
    ) -> Result<Self, KeystoreError> {
        Ok(Self {
            keyspace,
            reader: keys.reader(cluster.known())?,
            keys,
            known: cluster.known().last(),
        })
    }

    /// The newest opening of the cell under a key that a node shows.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn find(
        &mut self,
        cluster: &mut Cluster,
        key: &SlotKey,
    ) -> Result<Option<FoundCell>, ClusterError> {
        let route = self.reader.route(key.as_bytes());
        let route = route.expect("a slot's key has a route");
        let Some(shown) = cluster.cell(self.keyspace, route).await? else {
            return Ok(None);
        };
        let found = self.check(cluster, &shown).await?;
        // A slot's key and route belong together by its proof: this is a node's mix-up.
        match found.key.as_ref().is_none_or(|k| k == key) {
            true => Ok(Some(found)),
            false => Err(ClusterError::OtherCell { index: found.index }),
        }
    }

    /// Every cell, in tag order.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn all(&mut self, cluster: &mut Cluster) -> Result<Vec<FoundCell>, ClusterError> {
        let mut cells: Vec<FoundCell> = Vec::new();
        loop {
            let after = cells.last().map(|cell| cell.route);
            let page = cluster.cells(self.keyspace, after).await?;
            let full = page.len() == MAX_SCAN_ROWS as usize;
            for shown in &page {
                cells.push(self.check(cluster, shown).await?);
            }
            if !full {
                return Ok(cells);
            }
        }
    }

    async fn check(
        &mut self,
        cluster: &mut Cluster,
        shown: &ShownCell,
    ) -> Result<FoundCell, ClusterError> {
        // A mint or an epoch behind what is known here: the registry has moved on meanwhile.
        if shown.entry.record.index > cluster.known().last() {
            cluster.catch_up().await?;
        }
        if cluster.known().last() > self.known {
            self.reader = self.keys.reader(cluster.known())?;
            self.known = cluster.known().last();
        }
        self.keys.hold_epoch_of(&mut self.reader, &shown.entry)?;
        Ok(self.reader.open_cell(self.keyspace, shown)?)
    }
}
