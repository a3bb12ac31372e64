//! From `--dir` or `--node`, `--keys` and `--trust` to a cluster one can ask, and to the keys.

use super::args::Target;
use super::passphrase;
use super::testnet::Layout;
use crate::batch::BatchVerifier;
use crate::client::remote::{Endpoint, Remote};
use crate::client::{Cluster, KeyDirectory, KnownRegistry};
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId};
use crate::node::SHARD;
use crate::params;
use crate::trust::TrustRoot;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ukehi_keys::Passphrase;
use ukehi_provers::groth16::{ProverOptions, TableBudget, TableCache};

/// Where a command finds everything.
pub struct Place {
    pub trust: TrustRoot,
    pub endpoints: Vec<Endpoint>,
    /// Laid out like a testnet's `client/`; `None` where no keys were named.
    client: Option<PathBuf>,
    params: Option<PathBuf>,
    table_memory: Option<u64>,
    timeout: Duration,
}

impl Place {
    /// How this process proves: tables within `--table-memory`, derived keys kept in `~/.cache/ukehi/tables`, which
    /// any client may delete at any time.
    pub fn prover_options(&self) -> Result<ProverOptions, Failure> {
        let mut options = params::default_options()?;
        options.budget = self.table_budget();
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let cache = set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")));
        options.cache = cache.map(|cache| TableCache::new(cache.join("ukehi/tables")));
        Ok(options)
    }

    fn table_budget(&self) -> TableBudget {
        match self.table_memory {
            Some(mib) => TableBudget::bytes(mib << 20),
            None => TableBudget::quarter_of_memory(),
        }
    }

    /// What was chosen for the provers' tables, for who waits for several proofs: the first is made without.
    pub fn table_memory_in_words(&self) -> String {
        let mib = self.table_budget().total() >> 20;
        let why = match self.table_memory {
            Some(_) => "as --table-memory says",
            None => "a quarter of memory; --table-memory MIB changes it",
        };
        format!("provers' tables: at most {mib} MiB, {why}")
    }

    pub fn find(target: &Target) -> Result<Self, Failure> {
        let timeout = Duration::from_secs(target.timeout);
        if let Some(dir) = &target.dir {
            let layout = Layout::new(dir);
            let trust = load_trust(target.trust.as_deref().unwrap_or(&layout.trust()))?;
            return Ok(Self {
                endpoints: layout.endpoints(&trust)?,
                trust,
                client: Some(target.keys.clone().unwrap_or_else(|| layout.client())),
                params: Some(target.params.clone().unwrap_or_else(|| layout.params())),
                table_memory: target.table_memory,
                timeout,
            });
        }
        let (Some(address), Some(trust)) = (target.node, &target.trust) else {
            return Err(Failure::usage(
                "no cluster named",
                "give --dir, or --node with --trust",
            ));
        };
        let trust = load_trust(trust)?;
        Ok(Self {
            endpoints: one_of_the_nodes(&trust, address),
            trust,
            client: target.keys.clone(),
            params: target.params.clone(),
            table_memory: target.table_memory,
            timeout,
        })
    }

    pub fn remote(&self) -> Remote {
        Remote::new(
            self.trust.genesis.cluster_id(),
            self.endpoints.clone(),
            self.timeout,
        )
    }

    pub fn client_dir(&self) -> Result<&Path, Failure> {
        self.client.as_deref().ok_or_else(|| {
            Failure::usage(
                "this command needs keys",
                "give --keys, a directory like a testnet's client/",
            )
        })
    }

    pub fn params_dir(&self) -> Result<&Path, Failure> {
        self.params.as_deref().ok_or_else(|| {
            Failure::usage(
                "this command needs proving parameters",
                "give --params, a directory `ukehi keys setup` made",
            )
        })
    }

    pub fn verifier(&self) -> Result<BatchVerifier, Failure> {
        self.trust
            .batch_verifier(SHARD)
            .map_err(|e| Failure::new(ExitCode::Untrusted, e, "use a matching release"))
    }

    /// The cluster, its registry as of now.
    pub async fn cluster(&self) -> Result<Cluster, Failure> {
        let mut cluster = Cluster::open(self.verifier()?, self.remote(), self.client.as_deref())?;
        cluster.catch_up().await?;
        Ok(cluster)
    }

    /// The keys at hand; their passphrase is asked for here.
    pub fn keys(&self) -> Result<KeyDirectory, Failure> {
        Ok(KeyDirectory::new(self.client_dir()?, self.passphrase()?))
    }

    /// The keyspace the commands are about: the first of genesis.
    pub fn keyspace(&self) -> Result<KeyspaceId, Failure> {
        let first = self.trust.genesis.keyspaces.first();
        first.map(|k| k.id).ok_or_else(|| {
            Failure::configuration("the genesis has no keyspace", "check trust.json")
        })
    }

    /// The epoch to write to under a policy: the newest that is open now.
    pub fn newest_epoch(
        &self,
        known: &KnownRegistry,
        policy: &str,
    ) -> Result<(KeyspaceId, EpochId), Failure> {
        let keyspace = self.keyspace()?;
        // Whatever is asked for next comes behind everything known.
        let next = known.last() + 1;
        let epoch = known.registry().newest_epoch(keyspace, policy, next);
        let epoch = epoch.ok_or_else(|| {
            Failure::new(
                ExitCode::Refused,
                format!("keyspace {keyspace} has no open epoch of policy {policy}"),
                format!("open one: `ukehi keys epoch open --dir DIR --policy {policy}`"),
            )
        })?;
        Ok((keyspace, epoch.id))
    }

    /// Where an epoch's secret is kept.
    pub fn epoch_file(&self, keyspace: KeyspaceId, epoch: EpochId) -> Result<PathBuf, Failure> {
        let name = format!("{keyspace}-{epoch}.key");
        Ok(self.client_dir()?.join("epochs").join(name))
    }

    pub fn passphrase(&self) -> Result<Passphrase, Failure> {
        passphrase::obtain(self.client.as_ref().map(|c| c.join("pass")).as_deref())
    }
}

pub fn load_trust(path: &Path) -> Result<TrustRoot, Failure> {
    TrustRoot::load(path).map_err(|e| {
        Failure::configuration(e, "get trust.json from a source you trust, not from a node")
    })
}

/// A bare address may be any member's: each member's key is tried on it.
pub fn one_of_the_nodes(trust: &TrustRoot, address: SocketAddr) -> Vec<Endpoint> {
    let nodes = trust.genesis.nodes.iter();
    nodes
        .map(|n| Endpoint {
            node: n.id,
            key: n.key.to_bytes(),
            address,
        })
        .collect()
}

pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Failure::runtime(format!("cannot start the runtime: {e}")))
}
