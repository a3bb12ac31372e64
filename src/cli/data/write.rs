//! `ukehi put`: seal, persist, send, and keep the receipt.
//!
//! Crash points: a batch is on disk before it is first sent and leaves the outbox after its
//! receipt verified; a crash in between is made good by the next `put`, with the same bytes.

use super::bulk::{BulkOutbox, Network};
use super::input::{Group, Line, Value, group, read_file};
use super::value::slots;
use crate::api::{Reply, Request};
use crate::batch::{Anchor, BatchVerifier, SealedBatch, Verdict};
use crate::cli::args::PutArgs;
use crate::cli::connect::{Place, runtime};
use crate::cli::output::{Output, table};
use crate::cli::progress::Progress;
use crate::client::outbox::Outbox;
use crate::client::remote::{Remote, RemoteError};
use crate::client::{AnchorFile, KnownRegistry, Put, SealError, Sealer, Ticket};
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId, LogIndex};
use crate::log::{self, ConsistencyProof, Outcome, Receipt, SignedCheckpoint, VerifiedReceipt};
use crate::params::{self, Circuit};
use crate::registry::Registry;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use ukehi_circuits::field;
use ukehi_keys::{AuthorId, AuthorKey, CircuitId, Manifest, keystore};
use ukehi_provers::pool::{Pool, PoolConfig};

/// Batches being proven while earlier ones are sent: bounds the witnesses in memory.
const WINDOW: usize = 16;
/// How often, and how long apart, a checkpoint over the registry is asked for.
const ANCHOR_TRIES: usize = 50;
const ANCHOR_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

#[derive(Serialize)]
struct Written {
    schema: &'static str,
    commands: usize,
    batches: Vec<WrittenBatch>,
}

#[derive(Serialize)]
struct WrittenBatch {
    author: String,
    author_id: AuthorId,
    seq: u64,
    commands: usize,
    index: u64,
    outcome: Outcome,
    checkpoint_size: u64,
    receipt: String,
}

pub fn put(args: &PutArgs, output: &Output) -> Result<(), Failure> {
    let lines = lines(args)?;
    let place = Place::find(&args.target)?;
    let runtime = runtime()?;
    let mut remote = place.remote();
    let known = runtime.block_on(place.registry(&mut remote))?;
    let mut writer = Writer::open(&place, lines, remote, &known)?;
    let written = runtime.block_on(writer.run())?;
    output.show(&written, |w| {
        let rows = w.batches.iter().map(|b| {
            vec![
                b.author.clone(),
                b.seq.to_string(),
                b.commands.to_string(),
                b.index.to_string(),
                b.outcome.to_string(),
            ]
        });
        let header = ["author", "seq", "commands", "entry", "outcome"];
        format!("{}\n{} commands written", table(&header, rows), w.commands)
    });
    let refused = written
        .batches
        .iter()
        .find(|b| b.outcome != Outcome::Applied);
    match refused {
        Some(b) => Err(Failure::new(
            ExitCode::Refused,
            format!(
                "entry {} ({} seq {}): {}",
                b.index, b.author, b.seq, b.outcome
            ),
            "the refusal is recorded in the log; mend the cause and put again",
        )),
        None => Ok(()),
    }
}

fn lines(args: &PutArgs) -> Result<Vec<Line>, Failure> {
    if let Some(file) = &args.file {
        return read_file(file);
    }
    let value = match (&args.value, &args.value_file) {
        (Some(text), _) => Some(Value::Text(text.clone())),
        (None, Some(path)) => Some(Value::File(path.clone())),
        (None, None) => None,
    };
    let (Some(key), Some(value)) = (&args.key, value) else {
        return Err(Failure::usage(
            "nothing to write",
            "give KEY VALUE, KEY --value-file PATH, or --file",
        ));
    };
    Ok(vec![Line {
        author: args.author.clone().unwrap_or_default(),
        key: key.clone(),
        value,
    }])
}

struct Writer {
    remote: Remote,
    network: Network,
    bulk: BulkOutbox,
    verifier: BatchVerifier,
    /// The last registry change: the anchor must lie behind it, or an author or epoch that it
    /// brought is not known at the anchor.
    registry_at: LogIndex,
    anchor_file: AnchorFile,
    receipts: std::path::PathBuf,
    outbox: Outbox,
    authors: BTreeMap<String, AuthorKey>,
    names: BTreeMap<AuthorId, String>,
    sealer: Sealer,
    groups: Vec<Group>,
}

struct UnderWay {
    author: String,
    ticket: Ticket,
}

impl Writer {
    fn open(
        place: &Place,
        mut lines: Vec<Line>,
        remote: Remote,
        known: &KnownRegistry,
    ) -> Result<Self, Failure> {
        let client = place.client_dir()?;
        let pass = place.passphrase()?;
        let directory = client.join("authors");
        let names = author_names(&directory)?;
        for line in &mut lines {
            if line.author.is_empty() {
                line.author = only_author(&names)?;
            }
        }
        let mut authors = BTreeMap::new();
        for line in &lines {
            if !authors.contains_key(&line.author) {
                if !names.contains(&line.author) {
                    return Err(Failure::configuration(
                        format!(
                            "no key of author {:?} in {}",
                            line.author,
                            directory.display()
                        ),
                        format!("authors with keys there: {}", names.join(", ")),
                    ));
                }
                let path = directory.join(format!("{}.key", line.author));
                let key: AuthorKey = keystore::load(&path, &pass)?;
                authors.insert(line.author.clone(), key);
            }
        }
        let route = keystore::load(&client.join("route.key"), &pass)?;
        let genesis = Arc::new(place.trust.genesis.clone());
        let (keyspace, epoch) = place.newest_epoch(known)?;
        let registry = Arc::new(known.registry().clone());
        let circuits = usable_circuits(place.params_dir()?, &registry, keyspace, epoch)?;
        let pool = Pool::new(PoolConfig {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            queue_limit: WINDOW,
            // Nodes on the same machine must not lose an election to a proof.
            nice: 10,
        })
        .map_err(|e| Failure::runtime(format!("the prover pool: {e}")))?;
        let sealer = Sealer::new(genesis, registry, keyspace, epoch, route, circuits, pool)?;
        let groups = group(lines, sealer.max_batch());
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
            names: authors
                .iter()
                .map(|(n, k)| (k.public(), n.clone()))
                .collect(),
            authors,
            sealer,
            groups,
        })
    }

    async fn run(&mut self) -> Result<Written, Failure> {
        let mut written = Vec::new();
        for (batch, bytes) in self.outbox.pending()? {
            eprintln!(
                "sending batch {} of {} again: its outcome was not known",
                batch.header.author_seq, batch.header.author
            );
            self.send_bulk(&batch).await?;
            written.push(self.send(&batch, &bytes).await?);
        }
        let groups = std::mem::take(&mut self.groups);
        let commands = groups.iter().map(|g| g.lines.len()).sum();
        let mut progress = Progress::new("prove+write", commands as u64);
        let anchor = self.anchor_behind_registry().await?;
        let mut under_way = std::collections::VecDeque::new();
        let mut groups = groups.into_iter();
        loop {
            while under_way.len() < WINDOW {
                let Some(group) = groups.next() else { break };
                under_way.push_back(self.seal(&group, anchor).await?);
            }
            let Some(UnderWay { author, ticket }) = under_way.pop_front() else {
                break;
            };
            // The proof is waited for off the runtime's thread: the network lives there.
            let key = &self.authors[&author];
            let sealed = tokio::task::block_in_place(|| ticket.finish(key))?;
            self.outbox.store(&sealed.batch, &sealed.bytes)?;
            let batch = self.send(&sealed.batch, &sealed.bytes).await?;
            progress.add(batch.commands as u64);
            written.push(batch);
        }
        progress.finish();
        Ok(Written {
            schema: "ukehi/put/v1",
            commands,
            batches: written,
        })
    }

    async fn seal(&mut self, group: &Group, anchor: Anchor) -> Result<UnderWay, Failure> {
        let author = &self.authors[&group.author];
        let id = author.public();
        let longest = self.sealer.max_value(group.lines.len());
        let slots = slots(group, longest, author, &self.bulk, &self.network).await?;
        let highest = match self
            .remote
            .ask(|_| Request::Head { author: Some(id) })
            .await?
        {
            (_, Reply::Head { highest_seq, .. }) => highest_seq,
            (node, other) => return Err(protocol(node, &other)),
        };
        let seq = self.outbox.next_seq(&id, highest)?;
        let puts: Vec<Put<'_>> = group
            .lines
            .iter()
            .zip(&slots)
            .map(|(line, slot)| Put {
                key: line.key.as_bytes(),
                value: &slot.body,
                bulk: slot.bulk,
            })
            .collect();
        let ticket = tokio::task::block_in_place(|| self.sealer.seal(author, seq, anchor, &puts))
            .map_err(|e| name_command(e, group))?;
        Ok(UnderWay {
            author: group.author.clone(),
            ticket,
        })
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

    /// A node may be a checkpoint behind the one that showed the registry: it is asked again.
    async fn anchor_behind_registry(&mut self) -> Result<Anchor, Failure> {
        for _ in 0..ANCHOR_TRIES {
            let anchor = self.anchor().await?;
            if anchor.size > self.registry_at {
                return Ok(anchor);
            }
            tokio::time::sleep(ANCHOR_PAUSE).await;
        }
        Err(Failure::new(
            ExitCode::Unavailable,
            format!("no node shows a checkpoint over entry {}", self.registry_at),
            "check `ukehi status`, and put again",
        ))
    }

    /// The newest cosigned checkpoint any node shows, never behind the one on file.
    async fn anchor(&mut self) -> Result<Anchor, Failure> {
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

fn protocol(node: crate::ids::NodeId, reply: &Reply) -> Failure {
    Failure::new(
        ExitCode::Tampered,
        format!("node {node} answered what was not asked: {reply:?}"),
        "do not trust this node; ask another",
    )
}

/// The parameters at hand of the circuits that may seal to the epoch.
fn usable_circuits(
    directory: &std::path::Path,
    registry: &Registry,
    keyspace: KeyspaceId,
    epoch: EpochId,
) -> Result<Vec<Arc<Circuit>>, Failure> {
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
    Ok(params::load_all(directory, &usable)?)
}

fn author_names(directory: &std::path::Path) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(directory).map_err(|e| {
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

fn only_author(known: &[String]) -> Result<String, Failure> {
    match known {
        [only] => Ok(only.clone()),
        _ => Err(Failure::usage(
            "which author writes?",
            format!("give --author, one of: {}", known.join(", ")),
        )),
    }
}

fn name_command(error: SealError, group: &Group) -> Failure {
    match error {
        SealError::Command { position, reason } => Failure::new(
            ExitCode::Refused,
            format!("key {:?}: {reason}", group.lines[position].key),
            "a key has at most 61 bytes",
        ),
        other => other.into(),
    }
}
