//! A cluster on paper: who seals for it and who verifies, without nodes or a network.
//!
//! For circuits without a policy: what a policy's commands must be, a measurement cannot make up.

use crate::batch::{Anchor, BatchVerifier, Groth16Verifier, Verdict};
use crate::client::{Put, Sealer, Ticket};
use crate::error::Failure;
use crate::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode,
};
use crate::ids::{EpochId, KeyspaceId, NodeId};
use crate::log::genesis_root;
use crate::node::SHARD;
use crate::params::{Circuit, route_commitment};
use crate::registry::Registry;
use std::sync::Arc;
use ukehi_circuits::shape::{Class, Shape};
use ukehi_circuits::{F, field};
use ukehi_keys::{AdminKey, AuthorKey, EpochSecret, Manifest, NodeKey, OperatorKey, RouteKey};
use ukehi_provers::pool::Pool;
use zeroize::Zeroizing;

const VALUE: [u8; 100] = [7; 100];

/// A command's value: 100 bytes, where its class has room for them.
pub fn value(class: Class) -> &'static [u8] {
    &VALUE[..VALUE.len().min(class.body_bytes())]
}

pub struct Paper {
    shape: Shape,
    verifier: BatchVerifier,
    sealer: Sealer,
    author: AuthorKey,
    anchor: Anchor,
    sequence: u64,
}

impl Paper {
    /// With one circuit, whose batches `pool` proves.
    pub fn new(circuit: &Arc<Circuit>, manifest: &Manifest, pool: Pool) -> Result<Self, Failure> {
        let route =
            RouteKey::from_secret_bytes(&Zeroizing::new([9; 32])).map_err(Failure::runtime)?;
        let author = AuthorKey::from_secret_bytes(&Zeroizing::new([1; 32]));
        let genesis = Arc::new(genesis(manifest, &route, &author)?);
        let registry = Arc::new(Registry::from_genesis(&genesis, SHARD));
        let proofs = Groth16Verifier::new(std::slice::from_ref(manifest));
        let proofs = Arc::new(proofs.map_err(Failure::runtime)?);
        let anchor = Anchor {
            size: 1,
            root: genesis_root(genesis.cluster_id()),
        };
        let sealer = Sealer::new(
            genesis.clone(),
            registry,
            KeyspaceId(1),
            EpochId(1),
            route,
            vec![circuit.clone()],
            pool,
        )?;
        Ok(Self {
            shape: circuit.shape,
            verifier: BatchVerifier::new(genesis, SHARD, proofs),
            sealer,
            author,
            anchor,
            sequence: 0,
        })
    }

    /// Full batches, from plaintext to signed bytes, as many proofs at a time as the pool takes.
    pub fn seal(&mut self, batches: usize) -> Result<Vec<Arc<[u8]>>, Failure> {
        let keys: Vec<String> = (0..self.shape.slots())
            .map(|j| format!("bench/{j}"))
            .collect();
        let puts: Vec<Put<'_>> = keys
            .iter()
            .map(|key| Put::inline(key.as_bytes(), value(self.shape.class())))
            .collect();
        let ticket = |_| {
            self.sequence += 1;
            Ok(self
                .sealer
                .seal(&self.author, self.sequence, self.anchor, &puts)?)
        };
        let tickets: Vec<Ticket> = (0..batches).map(ticket).collect::<Result<_, Failure>>()?;
        let finish = |ticket: Ticket| Ok(ticket.finish(&self.author)?.bytes.into());
        tickets.into_iter().map(finish).collect()
    }

    /// What a follower does with batches before it acknowledges them.
    pub fn verify(&self, batches: &[Arc<[u8]>]) -> Result<(), String> {
        let verdicts = self.verifier.verify(batches);
        match verdicts.iter().all(|v| matches!(v, Verdict::Valid(_))) {
            true => Ok(()),
            false => Err("a good batch was refused".into()),
        }
    }
}

fn genesis(manifest: &Manifest, route: &RouteKey, author: &AuthorKey) -> Result<Genesis, Failure> {
    let epoch =
        EpochSecret::from_secret_bytes(&Zeroizing::new([5; 32])).map_err(Failure::runtime)?;
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
        circuits: vec![manifest.circuit_id()],
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
    genesis.check().map_err(Failure::runtime)?;
    Ok(genesis)
}
