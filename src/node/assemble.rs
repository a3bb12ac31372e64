//! Builds a node from its configuration and runs it until it is told to stop: the only place
//! where store, network and driver meet.
//!
//! Invariants: 1. nothing listens before the store has been opened and belongs to the cluster;
//! 2. a key that is not the genesis's for this node id is refused before anything starts.
//! Knows nothing of what a batch means.

use super::bulk::registered::Registered;
use super::bulk::{self, BulkArea, BulkScope};
use super::config::{Forks, NodeConfig};
use super::disk::{Disk, DiskError, Place};
use super::driver::{Driver, DriverConfig, DriverError};
use super::egress::Egress;
use super::ingress::Ingress;
use super::query::Queries;
use super::runtime::{self, Input, Running};
use crate::batch::{BatchVerifier, ProofVerifier};
use crate::ids::{NodeId, ShardId};
use crate::keyspace::Keyspace;
use crate::net::client_port::ClientPort;
use crate::net::{AddressFileError, NetConfig, NetError, Network, publish_address};
use crate::trust::{TrustError, TrustRoot};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;
use ukehi_keys::NodeKey;

/// The data shard of this release.
pub const SHARD: ShardId = ShardId(0);

/// Why a node does not start, or stopped.
#[derive(Debug, Error)]
pub enum NodeError {
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(
        "circuits {circuits} rest on an INSECURE set-up; only a dev cluster's node with `dev = true` takes them"
    )]
    InsecureSetup { circuits: String },
    #[error("node {node} is not one of the cluster's")]
    UnknownNode { node: NodeId },
    #[error("the key file holds {found}, genesis says node {node} has {expected}")]
    WrongKey {
        node: NodeId,
        expected: String,
        found: String,
    },
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    AddressFile(#[from] AddressFileError),
    #[error("the consensus driver cannot start: {0}")]
    Driver(#[from] DriverError),
    #[error("the node stopped: {reason}")]
    Stopped { reason: String },
    #[error("the operating system refuses: {0}")]
    System(#[from] std::io::Error),
}

/// Where a started node listens.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    pub peers: SocketAddr,
    pub clients: SocketAddr,
}

/// Runs a node with the shipped proof verifier until `shutdown` resolves.
///
/// # Errors
/// [`NodeError`]; after `Stopped` the store must not be touched again.
pub async fn run(
    config: &NodeConfig,
    key: NodeKey,
    started: impl FnOnce(Listening),
    shutdown: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let trust = TrustRoot::load(&config.trust)?;
    let insecure = trust.insecure_circuits();
    let dev = config.dev && trust.genesis.dev;
    if !insecure.is_empty() && !dev {
        let circuits: Vec<String> = insecure.iter().map(ToString::to_string).collect();
        return Err(NodeError::InsecureSetup {
            circuits: circuits.join(", "),
        });
    }
    let proofs = trust.proof_verifier()?;
    run_with_verifier(config, key, trust, Arc::new(proofs), started, shutdown).await
}

/// [`run`] with a given proof verifier.
///
/// # Errors
/// As [`run`].
pub async fn run_with_verifier(
    config: &NodeConfig,
    key: NodeKey,
    trust: TrustRoot,
    proofs: Arc<dyn ProofVerifier>,
    started: impl FnOnce(Listening),
    shutdown: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let genesis = Arc::new(trust.genesis);
    let cluster = genesis.cluster_id();
    let expected = genesis
        .node_key(config.node)
        .ok_or(NodeError::UnknownNode { node: config.node })?;
    if key.public().to_bytes() != expected.to_bytes() {
        return Err(NodeError::WrongKey {
            node: config.node,
            expected: expected.to_string(),
            found: key.public().to_string(),
        });
    }
    let Disk { store, marks, cut } = Place {
        cluster,
        node: config.node,
        shard: SHARD,
        data: &config.data,
    }
    .open()?;
    if let Some(cut) = cut {
        tracing::warn!(%cut, "the write-ahead log was cut before a write that nobody was told of");
    }
    let store = Arc::new(store);
    let incarnation = now_unix_millis();
    let (net, net_events, peers) = Network::start(NetConfig {
        cluster,
        node: config.node,
        secret: key.secret_bytes(),
        listen: config.listen,
        members: genesis
            .nodes
            .iter()
            .map(|n| (n.id, n.key.to_bytes()))
            .collect(),
        address_file: config.address_file.clone(),
        mdns: config.mdns,
        shard: SHARD,
        incarnation,
    })
    .await?;
    let (requests, clients) = ClientPort::start(cluster, &key.secret_bytes(), config.client_listen)
        .await
        .map_err(NetError::from)?;
    if let Some(file) = &config.address_file {
        publish_address(file, config.node, peers)?;
    }

    let verifier = Arc::new(BatchVerifier::new(genesis.clone(), SHARD, proofs));
    let machine = Keyspace::load(&*store, &genesis, SHARD).map_err(DriverError::from)?;
    let mut driver = Driver::new(
        DriverConfig {
            node: config.node,
            shard: SHARD,
            seed: incarnation,
        },
        store.clone(),
        key,
        verifier.clone(),
        Box::new(machine),
    )?;
    if config.forks == Forks::Enforce {
        driver.enforce_forks(config.released_forks.iter().copied().collect());
    }
    // Before the store's thread starts: afterwards only that thread may remove what is there.
    let staging = bulk::recover(&*store, SHARD).map_err(DriverError::from)?;
    let registered = Registered::new(store.clone(), &genesis, SHARD);
    let scope = BulkScope {
        cluster,
        node: config.node,
        shard: SHARD,
        may_upload: Box::new(move |author| registered.may_write(author)),
    };
    let egress = Egress::new(net.clone());
    let Running {
        commands,
        cosigned,
        status,
        inputs,
        tasks,
        stopped,
    } = runtime::start(
        driver,
        (store.clone(), marks),
        verifier,
        Arc::new(verify_pool()?),
        egress.clone(),
    );
    tokio::spawn(runtime::tick(inputs.clone()));
    tokio::spawn(runtime::pump(net_events, egress, inputs.clone()));
    let ingress = Ingress {
        commands,
        bulk: Arc::new(BulkArea::new(scope, store.clone(), tasks, staging)),
        queries: Queries::new(store, SHARD),
        cosigned,
        status,
    };
    tokio::spawn(ingress.serve(requests));
    started(Listening { peers, clients });

    tokio::select! {
        ended = stopped => match ended {
            Ok(Err(reason)) => Err(NodeError::Stopped { reason }),
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(NodeError::Stopped { reason: "the driver's thread panicked".into() }),
        },
        () = shutdown => {
            let _ = inputs.send(Input::Shutdown).await;
            net.shutdown().await;
            Ok(())
        }
    }
}

/// Verification leaves the driver and the network a core where there is more than one.
fn verify_pool() -> Result<rayon::ThreadPool, NodeError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    rayon::ThreadPoolBuilder::new()
        .num_threads(cores.div_ceil(2))
        .thread_name(|i| format!("verify-{i}"))
        .build()
        .map_err(|e| NodeError::System(std::io::Error::other(e)))
}

fn now_unix_millis() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as u64)
}
