//! A cluster as a client knows it: its nodes, the registry so far, the newest checkpoint seen.
//!
//! Invariants: 1. nothing a node says is returned before it verified against the trust root, but for what the
//! method's words call a node's word; 2. every checkpoint shown is of one history with the newest that this client saw
//! before, or the answer is an error. What a node leaves out is not noticed: another may tell.
//! Knows nothing of plaintexts and terminals.

mod ask;
mod error;

pub use ask::Found;
pub use error::ClusterError;

use super::anchor::{AnchorError, AnchorFile};
use super::registry::{KnownRegistry, check_decided};
use super::remote::Remote;
use crate::api::{ProvenEntry, Reply, Request};
use crate::batch::{Anchor, BatchVerifier};
use crate::genesis::Genesis;
use crate::ids::{AuthorSeq, Hash, LogIndex, NodeId, TreeSize};
use crate::log::{self, ConsistencyProof, Record, SignedCheckpoint};
use crate::registry::Change;
use error::{protocol, unasked};
use std::path::Path;
use std::time::Duration;
use ukehi_keys::AuthorId;

/// How often, and how long apart, a checkpoint over the registry is asked for.
const ANCHOR_TRIES: usize = 50;
const ANCHOR_PAUSE: Duration = Duration::from_millis(100);
/// How often a checkpoint is compared anew because another program moved the anchor on meanwhile.
const COMPARE_TRIES: usize = 20;
/// Registry changes taken in together: they are kept in memory until their checkpoints were compared.
const CHANGES_AT_ONCE: usize = 64;

/// A way to ask a cluster, and what is known of it.
pub struct Cluster {
    pub remote: Remote,
    known: KnownRegistry,
    anchor: Option<AnchorFile>,
    /// The last checkpoint that was compared.
    compared: Option<(TreeSize, Hash)>,
}

impl Cluster {
    /// Asks nobody yet. `directory` is a client's: it holds the anchor, and the registry's changes seen before;
    /// without it nothing is remembered.
    ///
    /// # Errors
    /// [`ClusterError::Registry`].
    pub fn open(
        verifier: BatchVerifier,
        remote: Remote,
        directory: Option<&Path>,
    ) -> Result<Self, ClusterError> {
        let registry = directory.map(|d| d.join("registry"));
        Ok(Self {
            remote,
            known: KnownRegistry::open(verifier, registry.as_deref())?,
            anchor: directory.map(|d| AnchorFile::new(&d.join("anchor"))),
            compared: None,
        })
    }

    /// The registry, as of the last [`Cluster::catch_up`].
    #[must_use]
    pub fn known(&self) -> &KnownRegistry {
        &self.known
    }

    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.known.verifier().genesis()
    }

    /// Takes the registry's changes since the last one known, each verified.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn catch_up(&mut self) -> Result<(), ClusterError> {
        loop {
            let after = self.known.last();
            let mut changes: Vec<ProvenEntry> = Vec::new();
            let mut complete = false;
            let ask = |deadline_ms| Request::Registry { deadline_ms, after };
            let take = |reply| match reply {
                Reply::Entry { entry, .. } => {
                    changes.push(entry);
                    Ok(changes.len() == CHANGES_AT_ONCE)
                }
                Reply::End => {
                    complete = true;
                    Ok(true)
                }
                other => Err(unasked(&other)),
            };
            let node = self.remote.stream(ask, take).await?;
            // All of them before the first is kept.
            for entry in &changes {
                self.compare(node, &entry.note).await?;
            }
            for entry in &changes {
                self.known.take(entry)?;
            }
            if complete {
                return Ok(());
            }
        }
    }

    /// Compares a checkpoint that a node shows with the newest seen before, which it becomes if it is larger. Says
    /// what a batch may be anchored to.
    ///
    /// # Errors
    /// [`ClusterError`]; a fork is [`ClusterError::Anchor`].
    pub async fn compare(&mut self, node: NodeId, note: &str) -> Result<Anchor, ClusterError> {
        let shown = SignedCheckpoint::from_note(note, self.genesis());
        let shown = shown.map_err(|e| ClusterError::Checkpoint {
            node,
            reason: e.to_string(),
        })?;
        let (size, root) = (shown.checkpoint.size, shown.checkpoint.root);
        let anchor = match &self.anchor {
            Some(file) if self.compared != Some((size, root)) => file.clone(),
            // Nothing to compare with: the majority's signatures are all there is.
            None if !shown.has_majority(self.genesis()) => {
                return Err(AnchorError::NoMajority.into());
            }
            _ => return Ok(Anchor { size, root }),
        };
        for _ in 0..COMPARE_TRIES {
            let known = anchor.load(self.genesis())?;
            let proof = match AnchorFile::gap(known.as_ref(), &shown) {
                Some((from, to)) => Some(self.consistency(from, to).await?),
                None => None,
            };
            match anchor.advance(known.as_ref(), &shown, proof.as_ref(), self.genesis()) {
                Err(AnchorError::Moved { .. }) => {}
                newest => {
                    let newest = newest?;
                    self.compared = Some((size, root));
                    return Ok(newest);
                }
            }
        }
        Err(AnchorError::Moved {
            path: anchor.path().to_owned(),
        }
        .into())
    }

    async fn consistency(
        &mut self,
        from: TreeSize,
        to: TreeSize,
    ) -> Result<ConsistencyProof, ClusterError> {
        let asked = self
            .remote
            .ask(|_| Request::Consistency { from, to })
            .await
            .map_err(|source| ClusterError::Unproven { from, to, source })?;
        match asked {
            (node, Reply::Consistency { proof }) => ConsistencyProof::from_bytes(&proof)
                .map_err(|_| protocol(node, &Reply::Consistency { proof })),
            (node, other) => Err(protocol(node, &other)),
        }
    }

    /// A checkpoint over the registry known here: what a batch is anchored to. A node may be one behind the node that
    /// showed the registry: it is asked again.
    ///
    /// # Errors
    /// [`ClusterError`]; of note [`ClusterError::NoCheckpoint`].
    pub async fn anchor(&mut self) -> Result<Anchor, ClusterError> {
        let index = self.known.last();
        for _ in 0..ANCHOR_TRIES {
            let anchor = match self.remote.ask(|_| Request::Head { author: None }).await? {
                (
                    node,
                    Reply::Head {
                        note: Some(note), ..
                    },
                ) => self.compare(node, &note).await?,
                // Before the first checkpoint there is only genesis, which every branch has.
                (_, Reply::Head { note: None, .. }) => Anchor {
                    size: 1,
                    root: log::genesis_root(self.genesis().cluster_id()),
                },
                (node, other) => return Err(protocol(node, &other)),
            };
            if anchor.size > index {
                return Ok(anchor);
            }
            tokio::time::sleep(ANCHOR_PAUSE).await;
        }
        Err(ClusterError::NoCheckpoint { index })
    }

    /// An entry that a node has applied, and the highest sequence an author has used: both a node's word.
    ///
    /// # Errors
    /// [`ClusterError::Remote`].
    pub async fn head(
        &mut self,
        author: Option<AuthorId>,
    ) -> Result<(LogIndex, Option<AuthorSeq>), ClusterError> {
        match self.remote.ask(|_| Request::Head { author }).await? {
            (
                _,
                Reply::Head {
                    applied,
                    highest_seq,
                    ..
                },
            ) => Ok((applied, highest_seq)),
            (node, other) => Err(protocol(node, &other)),
        }
    }

    /// Sends a signed registry change, and says what the log shows became of it. An applied one is known from then
    /// on.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn decide(&mut self, change: &Change) -> Result<Record, ClusterError> {
        let (index, _) = self.remote.submit_change(&change.to_bytes()).await?;
        // What a node said need not be believed; what the record shows is.
        let ask = |deadline_ms| Request::Entry { deadline_ms, index };
        let (node, entry) = match self.remote.ask(ask).await? {
            (node, Reply::Entry { entry, .. }) => (node, entry),
            (node, other) => return Err(protocol(node, &other)),
        };
        let record = check_decided(&entry, &change.digest(), &self.known)?;
        self.compare(node, &entry.note).await?;
        if record.outcome.takes_number() {
            self.catch_up().await?;
        }
        Ok(record)
    }
}
