//! A cluster on paper with the circuit of 64 short commands: who seals for it, and who verifies.

use std::sync::Arc;
use ukehi::batch::{Anchor, BatchVerifier, Groth16Verifier, Verdict};
use ukehi::client::{Put, Sealer};
use ukehi::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode,
};
use ukehi::ids::{EpochId, KeyspaceId, NodeId, ShardId};
use ukehi::log::genesis_root;
use ukehi::params::{CircuitName, insecure_dev_params, load_all, route_commitment};
use ukehi::registry::Registry;
use ukehi_circuits::{F, field};
use ukehi_keys::{AdminKey, AuthorKey, EpochSecret, Manifest, NodeKey, OperatorKey, RouteKey};
use ukehi_provers::pool::{Pool, PoolConfig};
use zeroize::Zeroizing;

/// Commands in a batch.
pub const COMMANDS: usize = 64;

const SHARD: ShardId = ShardId(0);

pub struct Cluster {
    verifier: BatchVerifier,
    sealer: Sealer,
    author: AuthorKey,
    anchor: Anchor,
}

impl Cluster {
    /// Sets the circuit up for development, which takes a while.
    pub fn prepare() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let name: CircuitName = "seal-64-short-opaque".parse().expect("a circuit's name");
        let manifests =
            insecure_dev_params(directory.path(), &[name], |_, _, _| {}).expect("set-up");
        let route = RouteKey::from_secret_bytes(&Zeroizing::new([9; 32])).expect("a route key");
        let author = AuthorKey::from_secret_bytes(&Zeroizing::new([1; 32]));
        let genesis = Arc::new(genesis(&manifests, &route, &author));
        let circuits = load_all(directory.path(), &genesis.circuits).expect("just written");
        let pool = Pool::new(PoolConfig {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            queue_limit: 4,
            nice: 0,
        })
        .expect("a pool");
        let registry = Arc::new(Registry::from_genesis(&genesis, SHARD));
        let (keyspace, epoch) = (KeyspaceId(1), EpochId(1));
        let proofs = Arc::new(Groth16Verifier::new(&manifests).expect("keys"));
        Self {
            verifier: BatchVerifier::new(genesis.clone(), SHARD, proofs),
            anchor: Anchor {
                size: 1,
                root: genesis_root(genesis.cluster_id()),
            },
            sealer: Sealer::new(genesis, registry, keyspace, epoch, route, circuits, pool)
                .expect("a sealer"),
            author,
        }
    }

    /// What a follower does with batches before it acknowledges them. Panics unless all are valid.
    pub fn verify(&self, batches: &[Arc<[u8]>]) {
        let verdicts = self.verifier.verify(batches);
        assert!(verdicts.iter().all(|v| matches!(v, Verdict::Valid(_))));
    }

    /// Seals batches with these sequences: from plaintext to signed bytes, as many proofs at once as the pool takes.
    pub fn seal(&self, sequences: std::ops::Range<u64>) -> Vec<Arc<[u8]>> {
        let keys: Vec<String> = (0..COMMANDS).map(|j| format!("bench/{j}")).collect();
        let puts: Vec<Put<'_>> = keys
            .iter()
            .map(|key| Put::inline(key.as_bytes(), &[7; 100]))
            .collect();
        let tickets: Vec<_> = sequences
            .map(|seq| {
                let sealed = self.sealer.seal(&self.author, seq, self.anchor, &puts);
                sealed.expect("sealed")
            })
            .collect();
        let finish = |ticket: ukehi::client::Ticket| {
            let sealed = ticket.finish(&self.author).expect("proven");
            sealed.bytes.into()
        };
        tickets.into_iter().map(finish).collect()
    }
}

fn genesis(manifests: &[Manifest], route: &RouteKey, author: &AuthorKey) -> Genesis {
    let epoch = EpochSecret::from_secret_bytes(&Zeroizing::new([5; 32])).expect("an epoch");
    let operator = OperatorKey::from_secret_bytes(&Zeroizing::new([200; 32]));
    let node = NodeKey::from_secret_bytes(&Zeroizing::new([101; 32]));
    let admin = AdminKey::from_secret_bytes(&Zeroizing::new([151; 32]));
    let genesis = Genesis {
        name: "bench".into(),
        nonce: [1; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: vec![GenesisNode {
            id: NodeId(1),
            key: node.public(),
        }],
        operators: vec![operator.public()],
        admins: GenesisAdmins {
            keys: vec![admin.public()],
            threshold: 1,
        },
        circuits: manifests.iter().map(Manifest::circuit_id).collect(),
        keyspaces: vec![GenesisKeyspace {
            id: KeyspaceId(1),
            shard: SHARD,
            authors: vec![author.public()],
            epochs: vec![GenesisEpoch {
                id: EpochId(1),
                key: epoch.public(),
                route_commitment: route_commitment(route),
                policy: "opaque".into(),
                policy_digest: field::encode(&F::from(0u64)),
                expires: None,
            }],
            families: Vec::new(),
        }],
    };
    genesis.check().expect("a genesis");
    genesis
}
