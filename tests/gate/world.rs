//! One cluster, its circuits, and a few honestly sealed batches.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use ukehi::batch::{
    Anchor, BatchVerifier, Fault, Groth16Verifier, NotYet, SIGNATURE_DOMAIN, SealedBatch, Verdict,
};
use ukehi::client::{Put, Sealer};
use ukehi::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode,
};
use ukehi::ids::{EpochId, KeyspaceId, NodeId, ShardId};
use ukehi::log::genesis_root;
use ukehi::params::{CircuitName, insecure_dev_params, load_all, route_commitment};
use ukehi::registry::Registry;
use ukehi_circuits::shape::{Form, Shape};
use ukehi_circuits::{F, field};
use ukehi_keys::{
    AdminKey, AuthorKey, CircuitId, EpochSecret, Manifest, NodeKey, OperatorKey, RouteKey,
};
use ukehi_provers::pool::{Pool, PoolConfig};
use zeroize::Zeroizing;

pub const SHARD: ShardId = ShardId(0);

pub struct World {
    pub genesis: Arc<Genesis>,
    pub manifests: Vec<Manifest>,
    pub proofs: Arc<Groth16Verifier>,
    pub verifier: BatchVerifier,
    /// Author 1, sequence 1: one command under the one-slot circuit.
    pub one: SealedBatch,
    /// Author 1, sequence 2: three commands under the eight-slot circuit.
    pub three: SealedBatch,
    /// Author 1, sequence 3, the same command as `one`: another valid one-slot batch.
    pub again: SealedBatch,
    /// Author 2, sequence 2, the same commands as `three`.
    pub others: SealedBatch,
    /// Author 3, who is not registered: valid in every other way.
    pub strangers: SealedBatch,
    pub registry: Registry,
}

pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// 1 and 2 are registered, 3 is not.
pub fn author(seed: u8) -> AuthorKey {
    AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32]))
}

/// The cluster's one admin is 1.
pub fn admin(seed: u8) -> AdminKey {
    AdminKey::from_secret_bytes(&Zeroizing::new([150 + seed; 32]))
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut circuits = CircuitName::opaque_short();
        circuits.push("open-1-short-none".parse().unwrap());
        let manifests = insecure_dev_params(dir.path(), &circuits, |_, _, _| {}).unwrap();
        let route = || RouteKey::from_secret_bytes(&Zeroizing::new([9; 32])).unwrap();
        let genesis = Arc::new(genesis(&manifests, &route()));
        let proofs = Arc::new(Groth16Verifier::new(&manifests).unwrap());
        let sealer = sealer(&genesis, route(), dir.path());
        let anchor = Anchor {
            size: 1,
            root: genesis_root(genesis.cluster_id()),
        };
        let seal = |by: u8, seq: u64, commands: usize| {
            let keys = ["patient/17", "patient/18", "patient/19"];
            let puts: Vec<Put<'_>> = keys[..commands]
                .iter()
                .map(|key| Put::inline(key.as_bytes(), b"chart opened"))
                .collect();
            let key = author(by);
            let ticket = sealer.seal(&key, seq, anchor, &puts).unwrap();
            ticket.finish(&key).unwrap().batch
        };
        Self {
            one: seal(1, 1, 1),
            three: seal(1, 2, 3),
            again: seal(1, 3, 1),
            others: seal(2, 2, 3),
            strangers: seal(3, 1, 1),
            registry: Registry::from_genesis(&genesis, SHARD),
            verifier: BatchVerifier::new(genesis.clone(), SHARD, proofs.clone()),
            manifests,
            proofs,
            genesis,
        }
    }

    /// Both shapes: what holds of one must hold of the other.
    pub fn subjects(&self) -> [(&'static str, &SealedBatch); 2] {
        [("N=1", &self.one), ("N=8", &self.three)]
    }

    /// The other registered circuit.
    pub fn other_circuit(&self, id: CircuitId) -> CircuitId {
        let mut circuits = self.genesis.circuits.iter().copied();
        circuits.find(|c| *c != id).unwrap()
    }

    pub fn shape(&self, batch: &SealedBatch) -> Shape {
        use ukehi::batch::ProofVerifier;
        let known = self
            .proofs
            .form(&batch.header.circuit)
            .map(|form| form.shape);
        known.unwrap_or(if batch.slots.len() == 1 {
            Shape::SINGLE
        } else {
            Shape::EIGHT
        })
    }

    /// Signs anew as the header's author, over x as it is now: what an author who attacks can do.
    pub fn resign(&self, batch: &mut SealedBatch) {
        let x = batch
            .statement(Form::without_cells(self.shape(batch)))
            .map_or(F::from(0u64), |statement| statement.x());
        let (header, x) = batch.signed_parts(&x);
        let key = (1..=3)
            .map(author)
            .find(|k| k.public() == batch.header.author);
        // A foreign author cannot sign at all; the gate refuses it before it looks.
        if let Some(key) = key {
            batch.signature = key.sign(SIGNATURE_DOMAIN, &[&header, &x]);
        }
    }
}

pub fn genesis(manifests: &[Manifest], route: &RouteKey) -> Genesis {
    let epoch = EpochSecret::from_secret_bytes(&Zeroizing::new([5; 32])).unwrap();
    let operator = OperatorKey::from_secret_bytes(&Zeroizing::new([200; 32]));
    let node = NodeKey::from_secret_bytes(&Zeroizing::new([101; 32]));
    let genesis = Genesis {
        name: "gate tests".into(),
        nonce: [1; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: vec![GenesisNode {
            id: NodeId(1),
            key: node.public(),
        }],
        operators: vec![operator.public()],
        admins: GenesisAdmins {
            keys: vec![admin(1).public()],
            threshold: 1,
        },
        circuits: manifests.iter().map(Manifest::circuit_id).collect(),
        keyspaces: vec![GenesisKeyspace {
            id: KeyspaceId(1),
            shard: SHARD,
            authors: vec![author(1).public(), author(2).public()],
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
    genesis.check().unwrap();
    genesis
}

pub fn sealer(genesis: &Arc<Genesis>, route: RouteKey, params: &Path) -> Sealer {
    let circuits = load_all(params, &genesis.circuits).unwrap();
    let pool = Pool::new(PoolConfig {
        threads: 1,
        queue_limit: 8,
        nice: 0,
    })
    .unwrap();
    // The sealer's registry knows author 3 as well: the gate has to refuse it.
    let mut with_stranger = (**genesis).clone();
    with_stranger.keyspaces[0].authors.push(author(3).public());
    Sealer::new(
        genesis.clone(),
        Arc::new(Registry::from_genesis(&with_stranger, SHARD)),
        KeyspaceId(1),
        EpochId(1),
        route,
        circuits,
        pool,
    )
    .unwrap()
}

/// A verdict without its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Valid,
    NotYet,
    Undecodable,
    Cluster,
    Shard,
    Circuit,
    Author,
    BulkReference,
    SlotList,
    OtherStatement,
    Statement,
    Signature,
    Proof,
}

pub fn word(verdict: &Verdict) -> Word {
    match verdict {
        Verdict::Valid(_) => Word::Valid,
        Verdict::NotYet(_) => Word::NotYet,
        Verdict::Invalid(fault) => match fault {
            Fault::Undecodable(_) => Word::Undecodable,
            Fault::WrongCluster => Word::Cluster,
            Fault::WrongShard { .. } => Word::Shard,
            Fault::UnknownCircuit { .. } => Word::Circuit,
            Fault::OtherStatement { .. } => Word::OtherStatement,
            Fault::UnknownAuthor { .. } => Word::Author,
            Fault::BulkReference { .. } => Word::BulkReference,
            Fault::SlotList => Word::SlotList,
            Fault::Statement(_) => Word::Statement,
            Fault::Signature => Word::Signature,
            Fault::Proof { .. } => Word::Proof,
        },
    }
}

/// Both stages of the gate, for the first entry of a log.
pub fn judge_bytes(bytes: &[u8]) -> Verdict {
    let verdict = WORLD.verifier.verify(&[bytes.into()]).pop().unwrap();
    let admitted = match &verdict {
        Verdict::Valid(batch) => WORLD.registry.admit(1, &batch.batch().header),
        Verdict::NotYet(NotYet::UnknownCircuit { circuit }) => {
            WORLD.registry.admit_circuit(1, circuit)
        }
        _ => Ok(()),
    };
    admitted.map_or_else(Verdict::Invalid, |()| verdict)
}

pub fn judge(batch: &SealedBatch) -> Verdict {
    judge_bytes(&batch.to_bytes())
}

pub fn judge_all(batches: &[SealedBatch]) -> Vec<Word> {
    batches.iter().map(|batch| word(&judge(batch))).collect()
}
