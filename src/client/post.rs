//! The way of a sealed batch into the log: outbox, nodes, receipt.
//!
//! Crash points: a batch is on disk before it is first sent, and leaves the outbox after its receipt verified and is on
//! disk; a crash in between is made good by whoever sends what is pending, with the same bytes.
//! Knows nothing of bulk ciphertexts, which are sent before the batch that names them.

use super::cluster::{Cluster, ClusterError};
use super::outbox::{Outbox, OutboxError};
use super::remote::RemoteError;
use super::sealer::Sealed;
use crate::batch::{SealedBatch, Verdict};
use crate::ids::{AuthorSeq, LogIndex, TreeSize};
use crate::log::{Outcome, Receipt};
use std::io::Write;
use std::path::{Path, PathBuf};
use ukehi_circuits::field;
use ukehi_keys::AuthorId;

/// A client's directory of batches under way and of receipts.
pub struct Post {
    outbox: Outbox,
    receipts: PathBuf,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub index: LogIndex,
    pub outcome: Outcome,
    /// Of the cosigned checkpoint the entry was shown to be under.
    pub checkpoint_size: TreeSize,
    /// The file its receipt is in.
    pub receipt: PathBuf,
}

impl Post {
    /// Waits for another program that has the outbox open.
    ///
    /// # Errors
    /// [`OutboxError::Io`].
    pub fn open(directory: &Path) -> Result<Self, OutboxError> {
        Ok(Self {
            outbox: Outbox::open(&directory.join("outbox"))?,
            receipts: directory.join("receipts"),
        })
    }

    /// The batches whose outcome is not known, by author and sequence.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn pending(&self) -> Result<Vec<(SealedBatch, Vec<u8>)>, OutboxError> {
        self.outbox.pending()
    }

    /// The sequence of the author's next batch.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn next_seq(
        &self,
        cluster: &mut Cluster,
        author: AuthorId,
    ) -> Result<AuthorSeq, ClusterError> {
        let (_, highest) = cluster.head(Some(author)).await?;
        Ok(self.outbox.next_seq(&author, highest)?)
    }

    /// Persists a sealed batch, and sends it.
    ///
    /// # Errors
    /// As [`Post::send`].
    pub async fn deliver(
        &self,
        cluster: &mut Cluster,
        sealed: &Sealed,
    ) -> Result<Delivered, ClusterError> {
        self.outbox.store(&sealed.batch, &sealed.bytes)?;
        self.send(cluster, &sealed.batch, &sealed.bytes).await
    }

    /// Submits until decided, fetches and keeps the receipt, then empties the outbox.
    ///
    /// # Errors
    /// [`ClusterError`]; the batch stays in the outbox, unless this client's own gate refuses it too.
    pub async fn send(
        &self,
        cluster: &mut Cluster,
        batch: &SealedBatch,
        bytes: &[u8],
    ) -> Result<Delivered, ClusterError> {
        let (author, seq) = (batch.header.author, batch.header.author_seq);
        let submitted = cluster.remote.submit(bytes).await;
        // Where our own gate agrees, these bytes can never be applied, and keeping them would block
        // every later batch. Else one node's word does not make this client forget one.
        let own = cluster.known().verifier().verify(&[bytes.into()]).pop();
        let refused = matches!(&submitted, Err(RemoteError::Refused { .. }));
        if refused && matches!(own, Some(Verdict::Invalid(_))) {
            self.outbox.remove(&author, seq)?;
        }
        submitted?;
        let (receipt, shown) = cluster.receipt(author, seq).await?;
        // What a node said of the batch need not be believed; what the receipt shows is. It may be
        // another batch's that used the sequence first.
        let ours = matches!(own, Some(Verdict::Valid(b)) if field::encode(b.x()) == shown.record.x);
        let outcome = match ours {
            true => shown.record.outcome,
            false => Outcome::SequenceConflict,
        };
        let path = self.receipts.join(format!("{author}-{seq}.json"));
        // On disk before the batch leaves the outbox: a crash in between keeps one of the two.
        self.keep(&path, &receipt)
            .map_err(|source| ClusterError::Io {
                path: path.clone(),
                source,
            })?;
        self.outbox.remove(&author, seq)?;
        Ok(Delivered {
            index: shown.record.index,
            outcome,
            checkpoint_size: receipt.tree_size(),
            receipt: path,
        })
    }

    fn keep(&self, path: &Path, receipt: &Receipt) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.receipts)?;
        let mut file = std::fs::File::create(path)?;
        file.write_all(receipt.to_json().as_bytes())?;
        file.sync_all()
    }
}
