//! Batches of authors whose keys are at hand, on their way into the log: what the library's
//! [`Post`](crate::client::Post) does, with names and bulk values.

use super::bulk::{BulkOutbox, Network};
use crate::batch::{Anchor, SealedBatch};
use crate::cli::connect::Place;
use crate::client::{self, Cluster, Delivered, KnownRegistry, Sealed, Sealer};
use crate::error::Failure;
use crate::ids::{AuthorSeq, EpochId, KeyspaceId};
use crate::log::Outcome;
use crate::params::{self, Circuit};
use crate::registry::Registry;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use ukehi_keys::{AuthorId, AuthorKey, CircuitId, Manifest};
use ukehi_provers::pool::{Pool, PoolConfig};

/// Proofs queued at most: bounds the witnesses in memory.
const QUEUE: usize = 16;

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
    pub cluster: Cluster,
    pub bulk: BulkOutbox,
    pub network: Network,
    post: client::Post,
    authors: BTreeMap<String, AuthorKey>,
    names: BTreeMap<AuthorId, String>,
}

impl Post {
    /// Loads the authors' keys from client/authors.
    pub fn open(
        place: &Place,
        cluster: Cluster,
        authors: impl IntoIterator<Item = String>,
    ) -> Result<Self, Failure> {
        let client = place.client_dir()?;
        let files = place.keys()?;
        let here = author_names(place)?;
        let mut keys = BTreeMap::new();
        for name in authors {
            if !here.contains(&name) {
                return Err(Failure::configuration(
                    format!(
                        "no key of author {name:?} in {}",
                        client.join("authors").display()
                    ),
                    format!("authors with keys there: {}", here.join(", ")),
                ));
            }
            let key = files.author(&name)?;
            keys.insert(name, key);
        }
        let post = client::Post::open(client)?;
        Ok(Self {
            cluster,
            network: Network::of(place),
            bulk: BulkOutbox::open(&client.join("bulk"), &post.pending()?)?,
            post,
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
        for (batch, bytes) in self.post.pending()? {
            eprintln!(
                "sending batch {} of {} again: its outcome was not known",
                batch.header.author_seq, batch.header.author
            );
            self.send_bulk(&batch).await?;
            let delivered = self.post.send(&mut self.cluster, &batch, &bytes).await?;
            written.push(self.written(&batch, delivered)?);
        }
        Ok(written)
    }

    /// The sequence of the author's next batch.
    pub async fn next_seq(&mut self, author: &str) -> Result<AuthorSeq, Failure> {
        let id = self.author(author).public();
        Ok(self.post.next_seq(&mut self.cluster, id).await?)
    }

    /// What a batch is anchored to.
    pub async fn anchor(&mut self) -> Result<Anchor, Failure> {
        Ok(self.cluster.anchor().await?)
    }

    /// Persists a sealed batch, submits it until it is decided, and keeps its receipt.
    pub async fn deliver(&mut self, sealed: &Sealed) -> Result<WrittenBatch, Failure> {
        let delivered = self.post.deliver(&mut self.cluster, sealed).await?;
        self.written(&sealed.batch, delivered)
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

    /// Its ciphertexts are not needed here any more.
    fn written(&self, batch: &SealedBatch, delivered: Delivered) -> Result<WrittenBatch, Failure> {
        self.bulk.forget(batch)?;
        let author_id = batch.header.author;
        let name = self.names.get(&author_id);
        Ok(WrittenBatch {
            author: name.cloned().unwrap_or_else(|| author_id.to_string()),
            author_id,
            seq: batch.header.author_seq,
            commands: batch.slots.len(),
            index: delivered.index,
            outcome: delivered.outcome,
            checkpoint_size: delivered.checkpoint_size,
            receipt: delivered.receipt.display().to_string(),
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
    let route = place.keys()?.route()?;
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

/// The author named, or the only one there is.
pub fn author_or_only(place: &Place, named: Option<&String>) -> Result<String, Failure> {
    match named {
        Some(author) => Ok(author.clone()),
        None => only_author(&author_names(place)?),
    }
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
