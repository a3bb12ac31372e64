//! The way of a sealed batch into the log: outbox, nodes, receipt.
//!
//! Crash points: a batch is on disk before it is first sent and leaves the outbox after its
//! receipt verified; a crash in between is made good by the next command that writes, with the same
//! bytes.

use super::bulk::{BulkOutbox, Network};
use crate::api::{Reply, Request};
use crate::batch::{Anchor, BatchVerifier, SealedBatch, Verdict};
use crate::cli::connect::Place;
use crate::client::outbox::Outbox;
use crate::client::remote::{Remote, RemoteError};
use crate::client::{AnchorFile, KnownRegistry, Sealed, Sealer};
use crate::error::{ExitCode, Failure};
use crate::ids::{AuthorSeq, EpochId, KeyspaceId, LogIndex};
use crate::log::{self, ConsistencyProof, Outcome, Receipt, SignedCheckpoint, VerifiedReceipt};
use crate::params::{self, Circuit};
use crate::registry::Registry;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use ukehi_circuits::field;
use ukehi_keys::{AuthorId, AuthorKey, CircuitId, Manifest, keystore};
use ukehi_provers::pool::{Pool, PoolConfig};

/// Proofs queued at most: bounds the witnesses in memory.
const QUEUE: usize = 16;
/// How often, and how long apart, a checkpoint over the registry is asked for.
const ANCHOR_TRIES: usize = 50;
const ANCHOR_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

#[derive(Serialize)]
pub struct WrittenBatch {
    pub author: String,
    pub author_id: AuthorId,
    pub seq: u64,
    pub commands: usize,
    pub index: u64,
    pub outcome: Outcome,
    pub checkpoint_size: u64,
    pub receipt: String,
}

/// What it takes to send these authors' batches.
pub struct Post {
    pub remote: Remote,
    pub bulk: BulkOutbox,
    pub network: Network,
    verifier: BatchVerifier,
    /// The last registry change: the anchor must lie behind it, or an author or epoch that it
    /// brought is not known at the anchor.
    registry_at: LogIndex,
    anchor_file: AnchorFile,
    receipts: PathBuf,
    outbox: Outbox,
    authors: BTreeMap<String, AuthorKey>,
    names: BTreeMap<AuthorId, String>,
}

impl Post {
    /// Loads the authors' keys from client/authors.
    pub fn open(
        place: &Place,
        remote: Remote,
        known: &KnownRegistry,
        authors: impl IntoIterator<Item = String>,
    ) -> Result<Self, Failure> {
        let client = place.client_dir()?;
        let pass = place.passphrase()?;
        let directory = client.join("authors");
        let here = author_names(place)?;
        let mut keys = BTreeMap::new();
        for name in authors {
            if !here.contains(&name) {
                return Err(Failure::configuration(
                    format!("no key of author {name:?} in {}", directory.display()),
                    format!("authors with keys there: {}", here.join(", ")),
                ));
            }
            let key: AuthorKey = keystore::load(&directory.join(format!("{name}.key")), &pass)?;
            keys.insert(name, key);
        }
        let outbox = Outbox::open(&client.join("outbox"))?;
        Ok(Self {
            remote,
            network: Network::of(place),
            bulk: BulkOutbox::open(&client.join("bulk"), &outbox.pending()?)?,
            verifier: known.verifier().clone(),
            registry_at: known.last(),
            anchor_file: AnchorFile::new(&client.join("anchor")),
            receipts: client.join("receipts"),
            outbox,
            names: keys.iter().map(|(n, k)| (k.public(), n.clone())).collect(),
            authors: keys,
        })
    }

    /// The key of one of the authors it was opened for.
    pub fn author(&self, name: &str) -> &AuthorKey {
        &self.authors[name]
    }

    /// Sends what an earlier command could not bring to a decision.
    pub async fn resend(&mut self) -> Result<Vec<WrittenBatch>, Failure> {
        let mut written = Vec::new();
        for (batch, bytes) in self.outbox.pending()? {
            eprintln!(
                "sending batch {} of {} again: its outcome was not known",
                batch.header.author_seq, batch.header.author
            );
            self.send_bulk(&batch).await?;
            written.push(self.send(&batch, &bytes).await?);
        }
        Ok(written)
    }

    /// The sequence of the author's next batch.
    pub async fn next_seq(&mut self, author: &str) -> Result<AuthorSeq, Failure> {
        let id = self.author(author).public();
        let ask = self.remote.ask(|_| Request::Head { author: Some(id) });
        let highest = match ask.await? {
            (_, Reply::Head { highest_seq, .. }) => highest_seq,
            (node, other) => return Err(protocol(node, &other)),
        };
        Ok(self.outbox.next_seq(&id, highest)?)
    }

    /// Persists a sealed batch, submits it until it is decided, and keeps its receipt.
    pub async fn deliver(&mut self, sealed: &Sealed) -> Result<WrittenBatch, Failure> {
        self.outbox.store(&sealed.batch, &sealed.bytes)?;
        self.send(&sealed.batch, &sealed.bytes).await
    }

    /// Sends again what a batch under way names, as far as it is here and its author's key is.
    async fn send_bulk(&self, batch: &SealedBatch) -> Result<(), Failure> {
        let name = self.names.get(&batch.header.author);
        if let Some(author) = name.and_then(|name| self.authors.get(name)) {
            for reference in batch.bulk.iter().flatten() {
                self.bulk.send(&self.network, author, *reference).await?;
            }
        }
        Ok(())
    }

    /// A checkpoint over the registry known here. A node may be one behind the node that showed
    /// it: it is asked again.
    pub async fn anchor(&mut self) -> Result<Anchor, Failure> {
        for _ in 0..ANCHOR_TRIES {
            let anchor = self.newest_anchor().await?;
            if anchor.size > self.registry_at {
                return Ok(anchor);
            }
            tokio::time::sleep(ANCHOR_PAUSE).await;
        }
        Err(Failure::new(
            ExitCode::Unavailable,
            format!("no node shows a checkpoint over entry {}", self.registry_at),
            "check `ukehi status`, and try again",
        ))
    }

    /// The newest cosigned checkpoint any node shows, never behind the one on file.
    async fn newest_anchor(&mut self) -> Result<Anchor, Failure> {
        let (node, reply) = self.remote.ask(|_| Request::Head { author: None }).await?;
        let genesis = self.verifier.genesis();
        match reply {
            Reply::Head {
                note: Some(note), ..
            } => {
                let shown = SignedCheckpoint::from_note(&note, genesis).map_err(|e| {
                    Failure::new(
                        ExitCode::Tampered,
                        format!("node {node} shows a checkpoint that is none: {e}"),
                        "do not trust this node; ask another",
                    )
                })?;
                let genesis = genesis.clone();
                let proof = match self.anchor_file.gap(&shown, &genesis)? {
                    Some((from, to)) => Some(self.consistency(from, to).await?),
                    None => None,
                };
                Ok(self.anchor_file.advance(&shown, proof.as_ref(), &genesis)?)
            }
            Reply::Head { note: None, .. } => Ok(Anchor {
                // Before the first checkpoint there is only genesis, which every branch has.
                size: 1,
                root: log::genesis_root(genesis.cluster_id()),
            }),
            other => Err(protocol(node, &other)),
        }
    }

    async fn consistency(&mut self, from: u64, to: u64) -> Result<ConsistencyProof, Failure> {
        let ask = self.remote.ask(|_| Request::Consistency { from, to });
        match ask.await? {
            (node, Reply::Consistency { proof }) => ConsistencyProof::from_bytes(&proof)
                .map_err(|_| protocol(node, &Reply::Consistency { proof })),
            (node, other) => Err(protocol(node, &other)),
        }
    }

    /// Submits until decided, fetches and verifies the receipt, then empties the outbox.
    async fn send(&mut self, batch: &SealedBatch, bytes: &[u8]) -> Result<WrittenBatch, Failure> {
        let (author_id, seq) = (batch.header.author, batch.header.author_seq);
        let submitted = self.remote.submit(bytes).await;
        // Where our own gate agrees, these bytes can never be applied, and keeping them would block
        // every later put. Else one node's word does not make this client forget a batch.
        let own = self.verifier.verify(&[bytes.into()]).pop();
        let refused = matches!(&submitted, Err(RemoteError::Refused { .. }));
        if refused && matches!(own, Some(Verdict::Invalid(_))) {
            self.outbox.remove(&author_id, seq)?;
            self.bulk.forget(batch)?;
        }
        submitted?;
        let (receipt, shown) =
            fetch_receipt(&mut self.remote, &author_id, seq, &self.verifier).await?;
        // What a node said of the batch need not be believed; what the receipt shows is. It may be
        // another batch's that used the sequence first.
        let ours = matches!(own, Some(Verdict::Valid(b)) if field::encode(b.x()) == shown.record.x);
        let outcome = match ours {
            true => shown.record.outcome,
            false => Outcome::SequenceConflict,
        };
        let path = self.receipts.join(format!("{author_id}-{seq}.json"));
        // On disk before the batch leaves the outbox: a crash in between keeps one of the two.
        let save = || {
            std::fs::create_dir_all(&self.receipts)?;
            let mut file = std::fs::File::create(&path)?;
            file.write_all(receipt.to_json().as_bytes())?;
            file.sync_all()
        };
        save().map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))?;
        self.outbox.remove(&author_id, seq)?;
        self.bulk.forget(batch)?;
        let name = self.names.get(&author_id);
        Ok(WrittenBatch {
            author: name.cloned().unwrap_or_else(|| author_id.to_string()),
            author_id,
            seq,
            commands: batch.slots.len(),
            index: shown.record.index,
            outcome,
            checkpoint_size: receipt.tree_size(),
            receipt: path.display().to_string(),
        })
    }
}

/// Proves for an epoch with every circuit at hand that may seal to it.
pub fn sealer(
    place: &Place,
    known: &KnownRegistry,
    keyspace: KeyspaceId,
    epoch: EpochId,
) -> Result<Sealer, Failure> {
    let pass = place.passphrase()?;
    let route = keystore::load(&place.client_dir()?.join("route.key"), &pass)?;
    let genesis = Arc::new(place.trust.genesis.clone());
    let registry = Arc::new(known.registry().clone());
    let circuits = usable_circuits(place, &registry, keyspace, epoch)?;
    let pool = Pool::new(PoolConfig {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        queue_limit: QUEUE,
        // Nodes on the same machine must not lose an election to a proof.
        nice: 10,
    })
    .map_err(|e| Failure::runtime(format!("the prover pool: {e}")))?;
    Ok(Sealer::new(
        genesis, registry, keyspace, epoch, route, circuits, pool,
    )?)
}

/// The receipt of an author's sequence, verified against the trust root.
pub async fn fetch_receipt(
    remote: &mut Remote,
    author: &AuthorId,
    seq: u64,
    verifier: &BatchVerifier,
) -> Result<(Receipt, VerifiedReceipt), Failure> {
    let (node, reply) = remote
        .ask(|deadline_ms| Request::Receipt {
            deadline_ms,
            author: *author,
            seq,
        })
        .await?;
    let entry = match reply {
        Reply::Entry { entry, .. } => entry,
        Reply::NotFound { applied } => {
            return Err(Failure::new(
                ExitCode::NotFound,
                format!("no entry of author {author} with sequence {seq} up to entry {applied}"),
                "the batch was never applied, or its sequence is below the remembered window",
            ));
        }
        other => return Err(protocol(node, &other)),
    };
    let untrusted = |what: String| {
        Failure::new(
            ExitCode::Tampered,
            format!("node {node} gave {what}"),
            "do not trust this node; ask another",
        )
    };
    let (receipt, shown) =
        Receipt::from_entry(entry.record, &entry.payload, &entry.inclusion, &entry.note)
            .and_then(|receipt| {
                let shown = receipt.verify(verifier.genesis(), verifier.shard())?;
                Ok((receipt, shown))
            })
            .map_err(|e| untrusted(format!("a receipt that does not verify: {e}")))?;
    if (shown.author, shown.author_seq) != (*author, seq) {
        return Err(untrusted(format!(
            "the receipt of author {} seq {}, asked for author {author} seq {seq}",
            shown.author, shown.author_seq
        )));
    }
    Ok((receipt, shown))
}

/// A node's answer that is none.
pub fn protocol(node: crate::ids::NodeId, reply: &Reply) -> Failure {
    Failure::new(
        ExitCode::Tampered,
        format!("node {node} answered what was not asked: {reply:?}"),
        "do not trust this node; ask another",
    )
}

/// The parameters at hand of the circuits that may seal to the epoch.
fn usable_circuits(
    place: &Place,
    registry: &Registry,
    keyspace: KeyspaceId,
    epoch: EpochId,
) -> Result<Vec<Arc<Circuit>>, Failure> {
    let directory = place.params_dir()?;
    let at_hand = ukehi_keys::params::list(directory).map_err(params::CircuitError::from)?;
    let policy = registry.epoch(keyspace, epoch).map(|e| &e.policy);
    let usable: Vec<CircuitId> = at_hand
        .iter()
        .filter(|m| policy == Some(&m.shape().policy))
        .map(Manifest::circuit_id)
        .filter(|id| registry.circuit(id).is_some_and(|c| c.retired_at.is_none()))
        .collect();
    if usable.is_empty() {
        return Err(Failure::configuration(
            format!(
                "{} has no circuit this cluster accepts",
                directory.display()
            ),
            "use the parameters of this cluster (--params), or activate these: `ukehi keys circuit activate`",
        ));
    }
    let options = place.prover_options()?;
    Ok(params::load_all_with(directory, &usable, &options)?)
}

/// Whose keys are in client/authors.
pub fn author_names(place: &Place) -> Result<Vec<String>, Failure> {
    let directory = place.client_dir()?.join("authors");
    let entries = std::fs::read_dir(&directory).map_err(|e| {
        Failure::configuration(
            format!("{}: {e}", directory.display()),
            "give --keys a directory with authors/NAME.key",
        )
    })?;
    let mut names: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".key").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// The author who writes where none was named.
pub fn only_author(known: &[String]) -> Result<String, Failure> {
    match known {
        [only] => Ok(only.clone()),
        _ => Err(Failure::usage(
            "which author writes?",
            format!("give --author, one of: {}", known.join(", ")),
        )),
    }
}
