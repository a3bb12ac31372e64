//! A cluster with really proven batches, for the vectors: both short shapes, dev parameters made on the spot.

use crate::audit_support::{self, SHARD, Trail, author, sign};
use std::sync::Arc;
use ukehi::batch::{Anchor, BulkReference, Groth16Verifier, Header, SealedBatch, slot_list};
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::params::{self, Circuit, OpenCircuit};
use ukehi::trust::TrustRoot;
use ukehi_circuits::matrices::assignment;
use ukehi_circuits::policy::Opaque;
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{Command, SealedCommands, SlotPlaintext, seal};
use ukehi_circuits::shape::{Class, Shape};
use ukehi_circuits::slot::{Body, Meta, Op, SlotKey};
use ukehi_circuits::{F, Point, field};
use ukehi_provers::groth16::reference::prove;

pub struct World {
    circuits: Vec<Arc<Circuit>>,
    pub open: OpenCircuit,
    pub trust: TrustRoot,
    pub trail: Trail,
}

impl World {
    /// Genesis, a no-op, a batch of one command, one of three, one that came too late, and a bulk put.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut circuits = params::CircuitName::opaque_short();
        circuits.push("open-1-short-none".parse().unwrap());
        let manifests =
            params::insecure_dev_params(directory.path(), &circuits, |_, _, _| {}).unwrap();
        let ids: Vec<_> = manifests.iter().map(|m| m.circuit_id()).collect();
        let mut genesis = audit_support::genesis(7);
        genesis.name = "vectors".to_owned();
        genesis.circuits = ids.clone();
        genesis.keyspaces[0].epochs[0].route_commitment =
            field::encode(&route_secret().commitment());
        genesis.check().unwrap();
        let proofs = Groth16Verifier::new(&manifests).unwrap();
        let mut world = Self {
            circuits: params::load_all(directory.path(), &ids).unwrap(),
            open: params::load_open(directory.path(), Class::Short, Some(&ids)).unwrap(),
            trail: Trail::judged_by(genesis.clone(), Arc::new(proofs)),
            trust: TrustRoot {
                genesis,
                circuits: manifests,
            },
        };
        let one = world.sealed(&[b"chart opened"], |header| header.author_seq = 1);
        world.trail.push(&one);
        let three = world.sealed(&[b"a", b"", b"bc"], |header| header.author_seq = 2);
        world.trail.push(&three);
        let late = world.sealed(&[b"too late"], |header| {
            header.author_seq = 3;
            header.valid_until = 3;
        });
        world.trail.push(&late);
        let bulk = world.bulk();
        world.trail.push(&bulk);
        world
    }

    /// Sealed and proven by author 1, whatever `edit` makes of the header.
    pub fn sealed(&self, values: &[&[u8]], edit: impl FnOnce(&mut Header)) -> SealedBatch {
        self.sealed_as(Op::Put, values, &vec![None; values.len()], edit)
    }

    fn bulk(&self) -> SealedBatch {
        let reference = BulkReference {
            digest: [0xb0; 32],
            length: 70_000,
        };
        self.sealed_as(Op::PutBulk, &[&[7; 72]], &[Some(reference)], |header| {
            header.author_seq = 4
        })
    }

    fn sealed_as(
        &self,
        op: Op,
        values: &[&[u8]],
        bulk: &[Option<BulkReference>],
        edit: impl FnOnce(&mut Header),
    ) -> SealedBatch {
        let shape = if values.len() == 1 {
            Shape::SINGLE
        } else {
            Shape::EIGHT
        };
        let circuit = self.circuits.iter().find(|c| c.shape == shape).unwrap();
        let epoch = &self.trust.genesis.keyspaces[0].epochs[0];
        let epoch_key = Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap();
        let size = self.trail.size();
        let metas = values.iter().map(|value| Meta {
            op,
            body_len: value.len() as u16,
            cell_count: 0,
        });
        let mut header = Header {
            cluster: self.trust.genesis.cluster_id(),
            shard: SHARD,
            keyspace: KeyspaceId(1),
            circuit: circuit.id,
            epoch: EpochId(1),
            epoch_key,
            route_commitment: route_secret().commitment(),
            policy_digest: F::from(0u64),
            author: author(1).public(),
            author_seq: 9,
            valid_until: 100,
            anchor: Anchor {
                size,
                root: self.trail.root(size),
            },
            slots: values.len() as u8,
            slot_list: slot_list(metas.zip(bulk.iter().copied())),
        };
        edit(&mut header);
        let plaintexts: Vec<SlotPlaintext> = (0u8..)
            .zip(values)
            .map(|(j, value)| {
                let body = Body::new(Class::Short, value).unwrap();
                SlotPlaintext {
                    key: SlotKey::new(&[b'k', b'0' + j]).unwrap(),
                    command: match op {
                        Op::PutBulk => Command::PutBulk(body),
                        _ => Command::Put(body),
                    },
                }
            })
            .collect();
        let SealedCommands {
            statement, witness, ..
        } = seal(
            &Opaque,
            shape,
            header.ctx(),
            &epoch_key,
            &route_secret(),
            &plaintexts,
            header.digest(),
        )
        .unwrap();
        let assignment = assignment(&Opaque, &statement, &witness).unwrap();
        let proof = prove(circuit.key(), circuit.r1cs(), assignment.as_slice()).unwrap();
        let mut batch = SealedBatch {
            header,
            ephemeral: statement.ephemeral,
            slots: statement.slots.clone(),
            bulk: bulk.to_vec(),
            proof: proof.to_bytes(),
            signature: [0; 64],
        };
        sign(&mut batch, 1);
        batch
    }
}

fn route_secret() -> RouteSecret {
    RouteSecret::from_bytes(&field::encode(&F::from(4242u64))).unwrap()
}
