//! Bulk ciphertexts at a node: taken from authors in parts, kept, shown to whoever asks.
//!
//! Crash points: 1. an upload's row is written before its parts, so a start finds and removes
//! what was never finished; 2. a whole upload is synced before the author hears of it; 3. parts
//! go only in the store's own thread, after a look at the references there: an entry that names
//! them cannot be applied in between.
//! Invariants: 1. what no applied entry names is bounded (`staging`); 2. what one names stays.
//! Knows nothing of content keys. A node that was down during an upload does not ask for the
//! ciphertext: a client brings it (`ukehi bulk repair`).

pub mod registered;
mod requests;
pub mod staging;

use super::runtime::StoreTasks;
use crate::api::BULK_UPLOAD_DOMAIN;
use crate::batch::BulkReference;
use crate::ids::{ClusterId, Hash, NodeId, ShardId};
use crate::keyspace::bulk::{self as keys, UploadToken};
use crate::kv::{Column, StoreError, WriteBatch};
use crate::store::Store;
use crate::wire::{Reader, WireError, Writer};
use staging::{Staging, Taken, Upload, UploadFault};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use tokio::sync::oneshot;
use ukehi_keys::AuthorId;

/// Why a request about bulk ciphertexts is not served.
#[derive(Debug, Error)]
pub enum BulkError {
    #[error("author {0} is not registered")]
    UnknownAuthor(AuthorId),
    #[error("the author's signature over the upload does not verify")]
    Signature,
    #[error(transparent)]
    Upload(#[from] UploadFault),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the operating system gives no randomness")]
    Randomness,
    #[error("the node is stopping")]
    Stopping,
}

/// Whether an author is registered.
pub type MayUpload = Box<dyn Fn(&AuthorId) -> Result<bool, StoreError> + Send + Sync>;

/// Which cluster, node and shard uploads are for, and who may upload.
pub struct BulkScope {
    pub cluster: ClusterId,
    pub node: NodeId,
    pub shard: ShardId,
    pub may_upload: MayUpload,
}

/// A node's bulk ciphertexts.
pub struct BulkArea {
    scope: BulkScope,
    store: Arc<dyn Store>,
    tasks: StoreTasks,
    staging: Mutex<Staging>,
}

/// What [`BulkArea::begin`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Nothing is left to send.
    Stored,
    Upload(UploadToken),
}

impl BulkArea {
    /// `staging` from [`recover`].
    #[must_use]
    pub fn new(
        scope: BulkScope,
        store: Arc<dyn Store>,
        tasks: StoreTasks,
        staging: Staging,
    ) -> Self {
        Self {
            scope,
            store,
            tasks,
            staging: Mutex::new(staging),
        }
    }

    fn staging(&self) -> MutexGuard<'_, Staging> {
        self.staging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an upload, or finds that the ciphertext is here.
    ///
    /// # Errors
    /// [`BulkError`].
    pub async fn begin(
        &self,
        author: AuthorId,
        reference: BulkReference,
        signature: &[u8; 64],
    ) -> Result<Begun, BulkError> {
        if !(self.scope.may_upload)(&author)? {
            return Err(BulkError::UnknownAuthor(author));
        }
        let (node, length) = (self.scope.node.0, reference.length);
        let parts: [&[u8]; 4] = [
            &self.scope.cluster.0,
            &node.to_le_bytes(),
            &reference.digest,
            &length.to_le_bytes(),
        ];
        author
            .verify(BULK_UPLOAD_DOMAIN, &parts, signature)
            .map_err(|_| BulkError::Signature)?;
        if self.locate(&reference.digest)?.is_some() {
            self.staging().refresh(&reference.digest);
            return Ok(Begun::Stored);
        }
        let mut token = UploadToken::default();
        getrandom::fill(&mut token).map_err(|_| BulkError::Randomness)?;
        self.stage(token, author.to_bytes(), reference)?
            .await
            .map_err(|_| BulkError::Stopping)?;
        Ok(Begun::Upload(token))
    }

    /// The rows are queued under the lock, so that the store sees uploads in staging's order.
    fn stage(
        &self,
        token: UploadToken,
        author: [u8; 32],
        reference: BulkReference,
    ) -> Result<oneshot::Receiver<()>, BulkError> {
        let shard = self.scope.shard;
        let mut staging = self.staging();
        for (token, digest) in staging.whole() {
            if keys::is_referenced(&*self.store, shard, &digest)? {
                staging.settle(&token);
                drop(
                    self.tasks
                        .queue(move |store| forget_upload(store, shard, &token)),
                );
            }
        }
        for (token, gone) in staging.begin(token, author, reference) {
            drop(self.tasks.queue(move |store| {
                let whole = gone.is_whole();
                remove_unless_referenced(store, shard, &token, &gone, whole)
            }));
        }
        let row = UploadRow {
            author,
            reference,
            order: staging.last_order(),
            whole: false,
        };
        Ok(self.tasks.queue(move |store| {
            let mut batch = WriteBatch::new();
            batch.put(
                Column::Bulk,
                keys::upload_key(shard, &token),
                row.to_bytes(),
            );
            store.commit(&batch, false)
        }))
    }

    /// Takes one part; returns at which byte the upload is.
    ///
    /// # Errors
    /// [`BulkError`].
    pub async fn part(
        &self,
        token: UploadToken,
        offset: u64,
        bytes: Vec<u8>,
    ) -> Result<u64, BulkError> {
        let shard = self.scope.shard;
        let (queued, received) = {
            let mut staging = self.staging();
            match staging.take(&token, offset, &bytes)? {
                Taken::Again { received } => return Ok(received),
                Taken::Part { part, received } => {
                    let queued = self.tasks.queue(move |store| {
                        let mut batch = WriteBatch::new();
                        batch.put(Column::Bulk, keys::part_key(shard, &token, part), bytes);
                        store.commit(&batch, false)
                    });
                    (queued, received)
                }
            }
        };
        queued.await.map_err(|_| BulkError::Stopping)?;
        Ok(received)
    }

    /// Ends an upload: when this returns, the ciphertext is whole, checked and on disk.
    ///
    /// # Errors
    /// [`BulkError`].
    pub async fn end(&self, token: UploadToken) -> Result<(), BulkError> {
        let shard = self.scope.shard;
        let queued = {
            let (upload, _) = self.staging().end(&token)?;
            self.tasks.queue(move |store| {
                let mut batch = WriteBatch::new();
                let row = UploadRow {
                    author: upload.author,
                    reference: upload.reference,
                    order: upload.order,
                    whole: true,
                };
                batch.put(
                    Column::Bulk,
                    keys::upload_key(shard, &token),
                    row.to_bytes(),
                );
                keys::put_whole(shard, &upload.reference, &token, &mut batch);
                // One log serves all: the parts before are on disk with this.
                store.commit(&batch, true)
            })
        };
        queued.await.map_err(|_| BulkError::Stopping)
    }

    /// The token and length of a whole ciphertext.
    fn locate(&self, digest: &Hash) -> Result<Option<(UploadToken, u64)>, StoreError> {
        keys::locate(&*self.store, self.scope.shard, digest)
    }

    /// The length of a ciphertext an applied entry names, if it is here.
    ///
    /// # Errors
    /// Those of the store.
    pub fn find(&self, digest: &Hash) -> Result<Option<(UploadToken, u64)>, StoreError> {
        match keys::is_referenced(&*self.store, self.scope.shard, digest)? {
            true => self.locate(digest),
            false => Ok(None),
        }
    }

    /// One stored part.
    ///
    /// # Errors
    /// Those of the store; a part that should be there and is not is damage.
    pub fn read(&self, token: &UploadToken, part: u32) -> Result<Vec<u8>, StoreError> {
        let key = keys::part_key(self.scope.shard, token, part);
        let found = self.store.get(Column::Bulk, &key)?;
        found.ok_or_else(|| StoreError::Undecodable {
            what: "bulk ciphertext",
            reason: format!("part {part} is missing"),
        })
    }
}

/// The uploads that wait for an entry. Removes those that were never finished: to be called before
/// anything else writes the store.
///
/// # Errors
/// Those of the store.
pub fn recover(store: &dyn Store, shard: ShardId) -> Result<Staging, StoreError> {
    let mut staging = Staging::default();
    let (from, to) = keys::upload_range(shard);
    // Staging bounds how many there are.
    for (key, row) in store.range(Column::Bulk, &from, &to, usize::MAX)? {
        let undecodable = |reason: String| StoreError::Undecodable {
            what: "bulk upload",
            reason,
        };
        let token = key
            .last_chunk()
            .ok_or_else(|| undecodable("its key".into()))?;
        let row = UploadRow::from_bytes(&row).map_err(|e| undecodable(e.to_string()))?;
        let upload = Upload::whole(row.author, row.reference, row.order);
        let named = keys::is_referenced(store, shard, &row.reference.digest)?;
        match (row.whole, named) {
            (true, false) => staging.restore(*token, upload),
            _ => remove_unless_referenced(store, shard, token, &upload, row.whole)?,
        }
    }
    Ok(staging)
}

/// An entry names it: it needs no row among the uploads any more.
fn forget_upload(store: &dyn Store, shard: ShardId, token: &UploadToken) -> Result<(), StoreError> {
    let mut batch = WriteBatch::new();
    batch.delete(Column::Bulk, keys::upload_key(shard, token));
    store.commit(&batch, false)
}

fn remove_unless_referenced(
    store: &dyn Store,
    shard: ShardId,
    token: &UploadToken,
    upload: &Upload,
    whole: bool,
) -> Result<(), StoreError> {
    let digest = &upload.reference.digest;
    if whole && keys::is_referenced(store, shard, digest)? {
        return forget_upload(store, shard, token);
    }
    let mut batch = WriteBatch::new();
    batch.delete(Column::Bulk, keys::upload_key(shard, token));
    for part in 0..upload.parts() {
        batch.delete(Column::Bulk, keys::part_key(shard, token, part));
    }
    // Another upload of the same ciphertext may be the one that counts.
    if keys::locate(store, shard, digest)?.is_some_and(|(found, _)| found == *token) {
        batch.delete(Column::Bulk, keys::ciphertext_key(shard, digest));
    }
    store.commit(&batch, false)
}

/// An upload as the store has it.
struct UploadRow {
    author: [u8; 32],
    reference: BulkReference,
    order: u64,
    whole: bool,
}

impl UploadRow {
    fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.author).raw(&self.reference.digest);
        w.u64(self.reference.length)
            .u64(self.order)
            .bool(self.whole);
        w.finish()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let row = Self {
            author: r.array("author")?,
            reference: BulkReference {
                digest: r.array("digest")?,
                length: r.u64("length")?,
            },
            order: r.u64("order")?,
            whole: r.bool("whole")?,
        };
        r.end().map(|()| row)
    }
}

#[cfg(test)]
#[path = "area_tests.rs"]
mod tests;
