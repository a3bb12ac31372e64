//! A testnet's directory as a program of one's own uses it: the registry known and changed, a cell read and written.
//!
//! Invariant: what a node says is used only after it was verified against trust.json.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ukehi::api::{Reply, Request};
use ukehi::batch::{Anchor, Verdict};
use ukehi::client::cells::{FoundCell, ShownCell, update};
use ukehi::client::outbox::Outbox;
use ukehi::client::remote::{Endpoint, Remote, RemoteError};
use ukehi::client::{AnchorFile, KnownRegistry, Reader, Sealer, check_decided};
use ukehi::ids::{KeyspaceId, LogIndex};
use ukehi::log::{ConsistencyProof, Outcome, Receipt, SignedCheckpoint};
use ukehi::node::{NodeConfig, SHARD};
use ukehi::params::{Circuit, route_commitment};
use ukehi::registry::{EpochOpening, EpochStanding, Operation, Registry, Unsigned};
use ukehi::trust::TrustRoot;
use ukehi_circuits::field;
use ukehi_circuits::policy::{self, Policy};
use ukehi_circuits::slot::SlotKey;
use ukehi_keys::{AdminKey, AuthorKey, EpochScope, EpochSecret, KdfCost, Passphrase, keystore};
use ukehi_provers::pool::{Pool, PoolConfig};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub struct Cluster {
    pub keyspace: KeyspaceId,
    trust: TrustRoot,
    client: PathBuf,
    pass: Passphrase,
    known: KnownRegistry,
    remote: Remote,
    runtime: tokio::runtime::Runtime,
}

/// An author, and what seals for it.
pub struct Writer {
    key: AuthorKey,
    sealer: Sealer,
    outbox: Outbox,
    policy: &'static dyn Policy,
}

pub struct Written {
    pub index: LogIndex,
    pub outcome: Outcome,
}

impl Cluster {
    pub fn open(dir: &Path) -> Result<Self> {
        let trust = TrustRoot::load(&dir.join("trust.json"))?;
        let endpoint = |node: &ukehi::genesis::GenesisNode| -> Result<Endpoint> {
            let config = NodeConfig::load(&dir.join(format!("node{}/config.toml", node.id)))?;
            Ok(Endpoint {
                node: node.id,
                key: node.key.to_bytes(),
                address: config.client_listen,
            })
        };
        let endpoints = trust
            .genesis
            .nodes
            .iter()
            .map(endpoint)
            .collect::<Result<_>>()?;
        let remote = Remote::new(
            trust.genesis.cluster_id(),
            endpoints,
            Duration::from_secs(60),
        );
        let client = dir.join("client");
        let mut cluster = Self {
            keyspace: trust
                .genesis
                .keyspaces
                .first()
                .ok_or("a cluster without keyspaces")?
                .id,
            known: KnownRegistry::open(
                trust.batch_verifier(SHARD)?,
                Some(&client.join("registry")),
            )?,
            pass: Passphrase::from_file(&client.join("pass"))?,
            client,
            trust,
            remote,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?,
        };
        cluster.catch_up()?;
        Ok(cluster)
    }

    pub fn registry(&self) -> &Registry {
        self.known.registry()
    }

    /// The newest open epoch under these very parameters.
    pub fn epoch(&self, policy: &dyn Policy) -> Option<&EpochStanding> {
        let next = self.known.last() + 1;
        let epoch = self
            .registry()
            .newest_epoch(self.keyspace, policy.name(), next);
        epoch.filter(|e| e.policy_digest == field::encode(&policy::digest(policy)))
    }

    /// Takes the registry's changes since the last one known, each verified.
    fn catch_up(&mut self) -> Result<()> {
        let after = self.known.last();
        let known = &mut self.known;
        let mut failed = None;
        let take = |reply| match reply {
            Reply::Entry { entry, .. } => {
                failed = known.take(&entry).err();
                Ok(failed.is_some())
            }
            Reply::End => Ok(true),
            other => Err(RemoteError::Refused {
                reason: format!("a node answered {other:?}"),
            }),
        };
        let ask = self
            .remote
            .stream(|deadline_ms| Request::Registry { deadline_ms, after }, take);
        self.runtime.block_on(ask)?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn ask(&mut self, request: impl Fn(u32) -> Request) -> std::result::Result<Reply, RemoteError> {
        self.runtime
            .block_on(self.remote.ask(request))
            .map(|(_, reply)| reply)
    }

    /// Signs a change with the testnet's first admin key, sends it, and checks what the log says of it.
    pub fn decide(&mut self, operation: Operation) -> Result<()> {
        let what = operation.name();
        let admin: AdminKey = keystore::load(&self.client.join("admins/admin1.key"), &self.pass)?;
        let change = Unsigned {
            cluster: self.trust.genesis.cluster_id(),
            shard: SHARD,
            number: self.registry().next_number(),
            operation,
        };
        let mut change = change.unsigned(Vec::new());
        change.sign(&admin);
        let (index, _) = self
            .runtime
            .block_on(self.remote.submit_change(&change.to_bytes()))?;
        let Reply::Entry { entry, .. } =
            self.ask(|deadline_ms| Request::Entry { deadline_ms, index })?
        else {
            return Err(format!("no node shows entry {index}").into());
        };
        let record = check_decided(&entry, &change.digest(), &self.known)?;
        println!("{what}: entry {index}, {}", record.outcome);
        match record.outcome {
            Outcome::Applied => self.catch_up(),
            refused => Err(format!("{what}: {refused}").into()),
        }
    }

    /// A new epoch's secret in client/epochs, and what opens it under a policy: P is the digest of its parameters.
    pub fn new_epoch(&self, policy: &dyn Policy) -> Result<EpochOpening> {
        let id = self
            .registry()
            .next_epoch(self.keyspace)
            .ok_or("no further epoch")?;
        let path = self
            .client
            .join(format!("epochs/{}-{id}.key", self.keyspace));
        // A file of this name is of an opening that was not decided.
        let secret = match path.exists() {
            true => keystore::load(&path, &self.pass)?,
            false => {
                let secret = EpochSecret::generate()?;
                keystore::save(&path, &secret, &self.pass, KdfCost::Interactive)?;
                secret
            }
        };
        let scope = EpochScope {
            cluster: self.trust.genesis.cluster_id().0,
            keyspace: self.keyspace.0,
            epoch: id.0,
        };
        let route = keystore::load(&self.client.join("route.key"), &self.pass)?;
        Ok(EpochOpening {
            id,
            key: secret.public(),
            route_commitment: route_commitment(&route),
            policy: policy.name().into(),
            policy_digest: field::encode(&policy::digest(policy)),
            expires: None,
            possession: secret.prove_possession(&scope)?,
        })
    }

    pub fn writer(
        &self,
        author: &str,
        policy: &'static dyn Policy,
        circuit: Arc<Circuit>,
    ) -> Result<Writer> {
        let epoch = self.epoch(policy).ok_or("no open epoch of the policy")?.id;
        let pool = Pool::new(PoolConfig {
            threads: 2,
            queue_limit: 1,
            nice: 10,
        })?;
        let sealer = Sealer::new(
            Arc::new(self.trust.genesis.clone()),
            Arc::new(self.registry().clone()),
            self.keyspace,
            epoch,
            keystore::load(&self.client.join("route.key"), &self.pass)?,
            vec![circuit],
            pool,
        )?;
        Ok(Writer {
            key: keystore::load(
                &self.client.join(format!("authors/{author}.key")),
                &self.pass,
            )?,
            sealer,
            outbox: Outbox::open(&self.client.join("outbox"))?,
            policy,
        })
    }

    /// Gives a cell a new value; creates it where there is none. Breaking the policy is an error before any proof.
    pub fn write(&mut self, writer: &Writer, cell: &str, value: u64) -> Result<Written> {
        let key = SlotKey::new(cell.as_bytes())?;
        let found = self.find(cell)?;
        if found
            .as_ref()
            .is_some_and(|f| f.policy != writer.policy.name())
        {
            return Err(format!("{cell} is a cell of another policy").into());
        }
        let old = found
            .map(|f| f.opening.ok_or("the cell's epoch cannot be read here"))
            .transpose()?;
        let author = writer.key.public();
        let Reply::Head { highest_seq, .. } = self.ask(|_| Request::Head {
            author: Some(author),
        })?
        else {
            return Err("no node tells its head".into());
        };
        let anchor = self.anchor()?;
        let seq = writer.outbox.next_seq(&author, highest_seq)?;
        let ticket =
            writer
                .sealer
                .seal_commands(&writer.key, seq, anchor, &[update(key, old, value)])?;
        let sealed = ticket.finish(&writer.key)?;
        // On disk before it is sent: `ukehi put` and `cells transfer` send what an earlier program left there.
        writer.outbox.store(&sealed.batch, &sealed.bytes)?;
        self.runtime.block_on(self.remote.submit(&sealed.bytes))?;
        let asked = self.ask(|deadline_ms| Request::Receipt {
            deadline_ms,
            author,
            seq,
        })?;
        let Reply::Entry { entry, .. } = asked else {
            return Err("no node shows the batch's receipt".into());
        };
        let receipt =
            Receipt::from_entry(entry.record, &entry.payload, &entry.inclusion, &entry.note)?;
        let shown = receipt.verify(&self.trust.genesis, SHARD)?;
        // What our own gate says x is: the receipt may be another batch's that used the sequence first.
        let own = self.known.verifier().verify(&[sealed.bytes.into()]).pop();
        let ours =
            matches!(&own, Some(Verdict::Valid(b)) if field::encode(b.x()) == shown.record.x);
        if !ours || (shown.author, shown.author_seq) != (author, seq) {
            return Err("the receipt is another batch's".into());
        }
        writer.outbox.remove(&author, seq)?;
        Ok(Written {
            index: shown.record.index,
            outcome: shown.record.outcome,
        })
    }

    /// A cell's newest value that a node shows.
    pub fn read(&mut self, cell: &str) -> Result<Option<u64>> {
        let opening = self.find(cell)?.and_then(|found| found.opening);
        Ok(opening.map(|opening| opening.value()))
    }

    fn find(&mut self, cell: &str) -> Result<Option<FoundCell>> {
        let mut reader = Reader::new(
            keystore::load(&self.client.join("route.key"), &self.pass)?,
            Arc::new(self.known.verifier().clone()),
            Arc::new(self.registry().clone()),
        );
        for epoch in self.registry().epochs(self.keyspace) {
            let path = self
                .client
                .join(format!("epochs/{}-{}.key", self.keyspace, epoch.id));
            if path.exists() {
                reader.hold(keystore::load(&path, &self.pass)?);
            }
        }
        let (keyspace, asked) = (self.keyspace, reader.route(cell.as_bytes())?);
        let ask = |deadline_ms| Request::Cell {
            deadline_ms,
            keyspace,
            route: asked,
        };
        match self.ask(ask)? {
            Reply::NotFound { .. } => Ok(None),
            Reply::Cell {
                route,
                version,
                entry,
                slot,
            } if route == asked => {
                let shown = ShownCell {
                    route,
                    version,
                    entry,
                    slot,
                };
                Ok(Some(reader.open_cell(keyspace, &shown)?))
            }
            other => Err(format!("a node answered {other:?}").into()),
        }
    }

    /// A cosigned checkpoint over the last registry change, never behind the one on file.
    fn anchor(&mut self) -> Result<Anchor> {
        let file = AnchorFile::new(&self.client.join("anchor"));
        let genesis = self.trust.genesis.clone();
        for _ in 0..100 {
            if let Reply::Head {
                note: Some(note), ..
            } = self.ask(|_| Request::Head { author: None })?
            {
                let shown = SignedCheckpoint::from_note(&note, &genesis)?;
                let proof = match file.gap(&shown, &genesis)? {
                    None => None,
                    Some((from, to)) => match self.ask(|_| Request::Consistency { from, to })? {
                        Reply::Consistency { proof } => Some(ConsistencyProof::from_bytes(&proof)?),
                        other => return Err(format!("a node answered {other:?}").into()),
                    },
                };
                let anchor = file.advance(&shown, proof.as_ref(), &genesis)?;
                if anchor.size > self.known.last() {
                    return Ok(anchor);
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("no node shows a checkpoint over the newest registry change".into())
    }
}
