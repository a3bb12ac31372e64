//! A cluster with really proven batches, for the vectors: short shapes, dev parameters made on the spot.

use crate::audit_support::{self, SHARD, Trail, author, sign};
use std::path::Path;
use std::sync::Arc;
use ukehi::batch::{Anchor, BulkReference, Groth16Verifier, Header, SealedBatch, slot_list};
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::params::{self, Circuit, OpenCircuit};
use ukehi::trust::TrustRoot;
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::matrices::assignment;
use ukehi_circuits::policy::{Opaque, Policy};
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{Command, SealedCommands, SlotPlaintext, seal};
use ukehi_circuits::shape::{Class, Shape};
use ukehi_circuits::slot::{Body, SlotKey};
use ukehi_circuits::{F, Point, field};
use ukehi_keys::Manifest;
use ukehi_provers::groth16::reference::prove;

pub struct World {
    /// Loaded: `opaque` of one and of eight slots, and `ledger`, which genesis does not have.
    circuits: Vec<Arc<Circuit>>,
    pub open: OpenCircuit,
    /// Circuits that genesis does not have: of batches with cells, and a second one of disclosures.
    pub ledger: Manifest,
    pub open_later: OpenCircuit,
    pub open_later_manifest: Manifest,
    pub trust: TrustRoot,
    pub trail: Trail,
}

impl World {
    /// Genesis, a no-op, a batch of one command, one of three, one that came too late, and a bulk put.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut names = params::CircuitName::opaque_short();
        names.push("open-1-short-none".parse().unwrap());
        names.push("seal_cells-8-short-ledger".parse().unwrap());
        let make = |directory: &Path, names: &[params::CircuitName]| {
            params::insecure_dev_params(directory, names, |_, _, _| {}).unwrap()
        };
        let mut manifests = make(directory.path(), &names);
        let circuits = manifests.iter().map(Manifest::circuit_id);
        let circuits = params::load_all(directory.path(), &circuits.collect::<Vec<_>>()).unwrap();
        let proofs = Arc::new(Groth16Verifier::new(&manifests).unwrap());
        let ledger = manifests.pop().unwrap();
        let ids: Vec<_> = manifests.iter().map(Manifest::circuit_id).collect();
        let later = tempfile::tempdir().unwrap();
        let [open_later_manifest] = &make(later.path(), &names[2..3])[..] else {
            panic!("one name gives one manifest");
        };
        let mut genesis = audit_support::genesis(7);
        genesis.name = "vectors".to_owned();
        genesis.circuits = ids.clone();
        genesis.keyspaces[0].epochs[0].route_commitment =
            field::encode(&route_secret().commitment());
        genesis.check().unwrap();
        let mut world = Self {
            circuits,
            open: params::load_open(directory.path(), Class::Short, Some(&ids)).unwrap(),
            ledger,
            open_later: params::load_open(later.path(), Class::Short, None).unwrap(),
            open_later_manifest: open_later_manifest.clone(),
            trail: Trail::judged_by(genesis.clone(), proofs),
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

    /// Puts, sealed and proven by author 1, whatever `edit` makes of the header.
    pub fn sealed(&self, values: &[&[u8]], edit: impl FnOnce(&mut Header)) -> SealedBatch {
        let puts = (0u8..).zip(values).map(|(j, value)| SlotPlaintext {
            key: key(&[b'k', b'0' + j]),
            command: Command::Put(Body::new(Class::Short, value).unwrap()),
        });
        let sealing = Sealing::of_puts(&self.trail, values.len());
        let (batch, _) = self.sealed_as(&sealing, &puts.collect::<Vec<_>>(), None, edit);
        batch
    }

    fn bulk(&self) -> SealedBatch {
        let reference = BulkReference {
            digest: [0xb0; 32],
            length: 70_000,
        };
        let put = SlotPlaintext {
            key: key(b"k0"),
            command: Command::PutBulk(Body::new(Class::Short, &[7; 72]).unwrap()),
        };
        let sealing = Sealing::of_puts(&self.trail, 1);
        let (batch, _) = self.sealed_as(&sealing, &[put], Some(reference), |header| {
            header.author_seq = 4
        });
        batch
    }

    /// Sealed and proven, with what opens the cells it leaves behind. `bulk` is slot 0's.
    pub fn sealed_as(
        &self,
        sealing: &Sealing<'_>,
        plaintexts: &[SlotPlaintext],
        bulk: Option<BulkReference>,
        edit: impl FnOnce(&mut Header),
    ) -> (SealedBatch, Vec<Option<CellOpening>>) {
        let Sealing {
            trail,
            policy,
            shape,
            author: by,
        } = *sealing;
        let fits = |c: &&Arc<Circuit>| c.shape == shape && c.policy.name() == policy.name();
        let circuit = self.circuits.iter().find(fits).unwrap();
        let epoch = &self.trust.genesis.keyspaces[0].epochs[0];
        let epoch_key = Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap();
        let size = trail.size();
        let mut references = vec![None; plaintexts.len()];
        references[0] = bulk;
        let metas = plaintexts.iter().map(|p| p.meta(Class::Short).unwrap());
        let mut header = Header {
            cluster: self.trust.genesis.cluster_id(),
            shard: SHARD,
            keyspace: KeyspaceId(1),
            circuit: circuit.id,
            epoch: EpochId(1),
            epoch_key,
            route_commitment: route_secret().commitment(),
            policy_digest: F::from(0u64),
            author: author(by).public(),
            author_seq: 9,
            valid_until: 100,
            anchor: Anchor {
                size,
                root: trail.root(size),
            },
            slots: plaintexts.len() as u8,
            slot_list: slot_list(metas.zip(references.iter().copied())),
        };
        edit(&mut header);
        let SealedCommands {
            statement,
            witness,
            openings,
        } = seal(
            policy,
            shape,
            header.ctx(),
            &header.epoch_key,
            &route_secret(),
            plaintexts,
            header.digest(),
        )
        .unwrap();
        let assignment = assignment(policy, &statement, &witness).unwrap();
        let proof = prove(circuit.key(), circuit.r1cs(), assignment.as_slice()).unwrap();
        let mut batch = SealedBatch {
            header,
            ephemeral: statement.ephemeral,
            slots: statement.slots.clone(),
            bulk: references,
            proof: proof.to_bytes(),
            signature: [0; 64],
        };
        sign(&mut batch, by);
        (batch, openings)
    }
}

/// For which log, under which circuit, and by whom a batch is sealed.
pub struct Sealing<'a> {
    pub trail: &'a Trail,
    pub policy: &'static dyn Policy,
    pub shape: Shape,
    pub author: u8,
}

impl<'a> Sealing<'a> {
    fn of_puts(trail: &'a Trail, commands: usize) -> Self {
        let shape = match commands {
            1 => Shape::SINGLE,
            _ => Shape::EIGHT,
        };
        Self {
            trail,
            policy: &Opaque,
            shape,
            author: 1,
        }
    }
}

pub fn key(bytes: &[u8]) -> SlotKey {
    SlotKey::new(bytes).unwrap()
}

pub fn route_secret() -> RouteSecret {
    RouteSecret::from_bytes(&field::encode(&F::from(4242u64))).unwrap()
}
