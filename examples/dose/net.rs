//! A testnet's directory as a program of one's own uses it: the registry changed, a cell read and written.
//!
//! What a node says is verified by the library against trust.json before it is used here.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ukehi::client::cells::{FoundCell, update};
use ukehi::client::remote::{Endpoint, Remote};
use ukehi::client::{CellFinder, Cluster, Delivered, KeyDirectory, Post, Sealer};
use ukehi::genesis::GenesisNode;
use ukehi::ids::KeyspaceId;
use ukehi::log::Outcome;
use ukehi::node::{NodeConfig, SHARD};
use ukehi::params::Circuit;
use ukehi::registry::{EpochOpening, EpochStanding, Operation, Registry, Unsigned};
use ukehi::trust::TrustRoot;
use ukehi_circuits::field;
use ukehi_circuits::policy::{self, Policy};
use ukehi_circuits::slot::SlotKey;
use ukehi_keys::{AuthorKey, Passphrase};
use ukehi_provers::pool::{Pool, PoolConfig};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub struct Net {
    pub keyspace: KeyspaceId,
    trust: TrustRoot,
    client: PathBuf,
    cluster: Cluster,
    runtime: tokio::runtime::Runtime,
}

/// An author, and what seals for it.
pub struct Writer {
    key: AuthorKey,
    sealer: Sealer,
    post: Post,
    policy: &'static dyn Policy,
}

impl Net {
    pub fn open(dir: &Path) -> Result<Self> {
        let trust = TrustRoot::load(&dir.join("trust.json"))?;
        let nodes = trust.genesis.nodes.iter();
        let endpoints: Result<_> = nodes.map(|node| endpoint(dir, node)).collect();
        let id = trust.genesis.cluster_id();
        let remote = Remote::new(id, endpoints?, Duration::from_secs(60));
        let client = dir.join("client");
        let verifier = trust.batch_verifier(SHARD)?;
        let mut net = Self {
            keyspace: trust.genesis.keyspaces.first().ok_or("no keyspace")?.id,
            cluster: Cluster::open(verifier, remote, Some(&client))?,
            client,
            trust,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?,
        };
        net.runtime.block_on(net.cluster.catch_up())?;
        Ok(net)
    }

    fn keys(&self) -> Result<KeyDirectory> {
        let pass = Passphrase::from_file(&self.client.join("pass"))?;
        Ok(KeyDirectory::new(&self.client, pass))
    }

    pub fn registry(&self) -> &Registry {
        self.cluster.known().registry()
    }

    /// The newest open epoch under these very parameters.
    pub fn epoch(&self, policy: &dyn Policy) -> Option<&EpochStanding> {
        let next = self.cluster.known().last() + 1;
        let registry = self.registry();
        let epoch = registry.newest_epoch(self.keyspace, policy.name(), next);
        epoch.filter(|e| e.policy_digest == field::encode(&policy::digest(policy)))
    }

    /// Signs a change with the testnet's first admin key, sends it, and checks what the log says of it.
    pub fn decide(&mut self, operation: Operation) -> Result<()> {
        let what = operation.name();
        let change = Unsigned {
            cluster: self.trust.genesis.cluster_id(),
            shard: SHARD,
            number: self.registry().next_number(),
            operation,
        };
        let mut change = change.unsigned(Vec::new());
        change.sign(&self.keys()?.admin("admin1")?);
        let record = self.runtime.block_on(self.cluster.decide(&change))?;
        println!("{what}: entry {}, {}", record.index, record.outcome);
        match record.outcome {
            Outcome::Applied => Ok(()),
            refused => Err(format!("{what}: {refused}").into()),
        }
    }

    /// A new epoch's secret in client/epochs, and what opens it under a policy: P is the digest of its parameters.
    pub fn new_epoch(&self, policy: &dyn Policy) -> Result<EpochOpening> {
        let digest = field::encode(&policy::digest(policy));
        let policy = (policy.name(), digest);
        let known = self.cluster.known();
        let opening = self
            .keys()?
            .next_epoch(known, self.keyspace, policy, None)?;
        Ok(opening)
    }

    pub fn writer(
        &self,
        author: &str,
        policy: &'static dyn Policy,
        circuit: Arc<Circuit>,
    ) -> Result<Writer> {
        let epoch = self.epoch(policy).ok_or("no open epoch of the policy")?.id;
        let keys = self.keys()?;
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
            keys.route()?,
            vec![circuit],
            pool,
        )?;
        Ok(Writer {
            key: keys.author(author)?,
            sealer,
            post: Post::open(&self.client)?,
            policy,
        })
    }

    /// Gives a cell a new value; creates it where there is none. Breaking the policy is an error before any proof.
    pub fn write(&mut self, writer: &Writer, cell: &str, value: u64) -> Result<Delivered> {
        let key = SlotKey::new(cell.as_bytes())?;
        let found = self.find(&key)?;
        let policy = found.as_ref().map(|f| f.policy.as_str());
        if policy.is_some_and(|found| found != writer.policy.name()) {
            return Err(format!("{cell} is a cell of another policy").into());
        }
        let old = found
            .map(|f| f.opening.ok_or("the cell's epoch cannot be read here"))
            .transpose()?;
        let Writer {
            key: author,
            sealer,
            post,
            ..
        } = writer;
        let cluster = &mut self.cluster;
        let anchor = self.runtime.block_on(cluster.anchor())?;
        let next = post.next_seq(cluster, author.public());
        let seq = self.runtime.block_on(next)?;
        let ticket = sealer.seal_commands(author, seq, anchor, &[update(key, old, value)])?;
        let sealed = ticket.finish(author)?;
        let delivered = self.runtime.block_on(post.deliver(cluster, &sealed))?;
        Ok(delivered)
    }

    /// A cell's newest value that a node shows.
    pub fn read(&mut self, cell: &str) -> Result<Option<u64>> {
        let found = self.find(&SlotKey::new(cell.as_bytes())?)?;
        Ok(found.and_then(|f| f.opening).map(|o| o.value()))
    }

    fn find(&mut self, cell: &SlotKey) -> Result<Option<FoundCell>> {
        let mut finder = CellFinder::new(&self.cluster, self.keys()?, self.keyspace)?;
        let found = finder.find(&mut self.cluster, cell);
        Ok(self.runtime.block_on(found)?)
    }
}

fn endpoint(dir: &Path, node: &GenesisNode) -> Result<Endpoint> {
    let config = NodeConfig::load(&dir.join(format!("node{}/config.toml", node.id)))?;
    Ok(Endpoint {
        node: node.id,
        key: node.key.to_bytes(),
        address: config.client_listen,
    })
}
