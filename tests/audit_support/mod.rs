//! Trails made in memory, with a stand-in for Groth16: volume for the audit's tests.
//!
//! What is real: headers, x, author signatures, apply, the tree, cosignatures, the bundle.
#![allow(dead_code)] // Each test binary uses its own part.

pub mod frames;

use std::sync::Arc;
use ukehi::audit::{
    AuditError, BundleReader, BundleWriter, Options, RawChange, Report, Start, verify_trail,
};
use ukehi::batch::{
    Anchor, BatchVerifier, Header, ProofItem, ProofVerifier, SIGNATURE_DOMAIN, SealedBatch, Verdict,
};
use ukehi::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode,
};
use ukehi::ids::{EpochId, Hash, KeyspaceId, LogIndex, NodeId, ShardId, TreeSize};
use ukehi::keyspace::{Keyspace, StateMachine};
use ukehi::kv::{Overlay, WriteBatch};
use ukehi::log::{Checkpoint, EntryKind, Outcome, Record, SignedCheckpoint, tree};
use ukehi::registry::{self, Change, ChangeVerifier, Operation, Payload, Unsigned, VerifiedChange};
use ukehi::store::{MemoryStore, Store};
use ukehi_circuits::seal::PublicSlot;
use ukehi_circuits::shape::{CellUse, Class, Form, Shape};
use ukehi_circuits::slot::{Meta, Op};
use ukehi_circuits::{F, Point, field};
use ukehi_keys::{AdminKey, AuthorKey, CircuitId, EpochSecret, Manifest, NodeKey, OperatorKey};
use zeroize::Zeroizing;

pub const SHARD: ShardId = ShardId(0);
pub const SINGLE: CircuitId = CircuitId([1; 32]);
pub const EIGHT: CircuitId = CircuitId([8; 32]);

/// "Proves" by hashing circuit and x: unforgeable enough for an auditor that is under test.
pub struct FakeProofs;

pub fn fake_proof(circuit: &CircuitId, x: &F) -> [u8; 128] {
    let mut hasher = blake3::Hasher::new_derive_key("test proof");
    hasher.update(&circuit.0).update(&field::encode(x));
    let mut proof = [0; 128];
    hasher.finalize_xof().fill(&mut proof);
    proof
}

impl ProofVerifier for FakeProofs {
    fn form(&self, circuit: &CircuitId) -> Option<Form> {
        [(SINGLE, Shape::SINGLE), (EIGHT, Shape::EIGHT)]
            .into_iter()
            .find_map(|(id, shape)| (id == *circuit).then(|| Form::without_cells(shape)))
    }

    fn policy(&self, _: &CircuitId) -> Option<&str> {
        Some("opaque")
    }

    fn with_circuit(&self, _: &Manifest) -> Option<Arc<dyn ProofVerifier>> {
        None
    }

    fn verify_many(&self, items: &[ProofItem<'_>]) -> Vec<bool> {
        items.iter().map(|item| self.verify_one(item)).collect()
    }

    fn verify_one(&self, item: &ProofItem<'_>) -> bool {
        *item.proof == fake_proof(&item.circuit, &item.x)
    }
}

pub fn author(seed: u8) -> AuthorKey {
    AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32]))
}

/// The cluster's one admin is 1.
pub fn admin(seed: u8) -> AdminKey {
    AdminKey::from_secret_bytes(&Zeroizing::new([150 + seed; 32]))
}

pub fn node(id: u8) -> NodeKey {
    NodeKey::from_secret_bytes(&Zeroizing::new([100 + id; 32]))
}

/// Three nodes, authors 1 and 2, one epoch; `nonce` tells clusters apart.
pub fn genesis(nonce: u8) -> Genesis {
    let epoch = EpochSecret::from_secret_bytes(&Zeroizing::new([5; 32])).unwrap();
    let operator = OperatorKey::from_secret_bytes(&Zeroizing::new([200; 32]));
    let genesis = Genesis {
        name: "audit tests".to_owned(),
        nonce: [nonce; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: [1, 2, 3]
            .map(|id| GenesisNode {
                id: NodeId(u64::from(id)),
                key: node(id).public(),
            })
            .to_vec(),
        operators: vec![operator.public()],
        admins: GenesisAdmins {
            keys: vec![admin(1).public()],
            threshold: 1,
        },
        circuits: vec![SINGLE, EIGHT],
        keyspaces: vec![GenesisKeyspace {
            id: KeyspaceId(1),
            shard: SHARD,
            authors: vec![author(1).public(), author(2).public()],
            epochs: vec![GenesisEpoch {
                id: EpochId(1),
                key: epoch.public(),
                route_commitment: field::encode(&F::from(77u64)),
                policy: "opaque".into(),
                policy_digest: [0; 32],
                expires: None,
            }],
            families: Vec::new(),
        }],
    };
    genesis.check().unwrap();
    genesis
}

/// One entry of a trail under construction or under attack.
#[derive(Clone)]
pub struct Entry {
    pub record: Record,
    pub payload: Vec<u8>,
}

impl Entry {
    pub fn batch(&self) -> SealedBatch {
        SealedBatch::from_bytes(&self.payload).unwrap()
    }

    /// Puts another batch in, with its own header digest and x in the record, as a forger would.
    pub fn replace(&mut self, batch: &SealedBatch) {
        self.payload = batch.to_bytes();
        self.record.header_digest = batch.header.digest();
        self.record.x = field::encode(&x(batch));
    }
}

pub fn x(batch: &SealedBatch) -> F {
    let slots = if batch.header.slots == 1 { 1 } else { 8 };
    let long = batch.slots[0].ct.len() == Class::Long.ct_elements();
    let class = if long { Class::Long } else { Class::Short };
    let shape = Shape::new(slots, class).unwrap();
    // A batch under a circuit with cells touches one here.
    let with_cells = batch.slots.iter().any(|slot| slot.meta.op.has_cell());
    let cells = match with_cells {
        true => CellUse::Allowed,
        false => CellUse::None,
    };
    batch.statement(Form { shape, cells }).unwrap().x()
}

/// A log as a replica would have it.
#[derive(Clone)]
pub struct Trail {
    pub genesis: Arc<Genesis>,
    pub proofs: Arc<dyn ProofVerifier>,
    pub entries: Vec<Entry>,
}

impl Trail {
    /// Genesis and a leader's no-op.
    pub fn new(genesis: Genesis) -> Self {
        Self::judged_by(genesis, Arc::new(FakeProofs))
    }

    pub fn judged_by(genesis: Genesis, proofs: Arc<dyn ProofVerifier>) -> Self {
        let cluster = genesis.cluster_id();
        let plain = |record| Entry {
            record,
            payload: Vec::new(),
        };
        Self {
            genesis: Arc::new(genesis),
            proofs,
            entries: vec![plain(Record::genesis(cluster)), plain(Record::no_op(1))],
        }
    }

    /// Genesis, a no-op, then `batches` valid ones by both authors, of one and of three slots.
    pub fn with_batches(batches: u64) -> Self {
        let mut trail = Self::new(genesis(1));
        for i in 0..batches {
            let slots = if i % 2 == 0 { 1 } else { 3 };
            let batch = trail.sealed(1 + (i % 2) as u8, 1 + i / 2, slots);
            trail.push(&batch);
        }
        trail
    }

    pub fn verifier(&self) -> BatchVerifier {
        BatchVerifier::new(self.genesis.clone(), SHARD, self.proofs.clone())
    }

    /// A valid batch anchored at the log's present head.
    pub fn sealed(&self, by: u8, seq: u64, slots: u8) -> SealedBatch {
        let keyspace = &self.genesis.keyspaces[0];
        let epoch = &keyspace.epochs[0];
        let size = self.entries.len() as u64;
        let element = |i: u64| F::from(1_000_000 * u64::from(by) + 1000 * seq + i);
        let slot = |j: u8| PublicSlot {
            meta: Meta {
                op: Op::Put,
                body_len: 20,
                cell_count: 0,
            },
            route: element(u64::from(j)),
            cell: [F::from(0u64); 2],
            ct: (0..7)
                .map(|i| element(100 + 10 * u64::from(j) + i))
                .collect(),
        };
        let mut batch = SealedBatch {
            header: Header {
                cluster: self.genesis.cluster_id(),
                shard: SHARD,
                keyspace: keyspace.id,
                circuit: if slots == 1 { SINGLE } else { EIGHT },
                epoch: epoch.id,
                epoch_key: Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap(),
                route_commitment: field::decode(&epoch.route_commitment).unwrap(),
                policy_digest: F::from(0u64),
                author: author(by).public(),
                author_seq: seq,
                valid_until: 1_000_000,
                anchor: Anchor {
                    size,
                    root: self.root(size),
                },
                slots,
                slot_list: [0; 32],
            },
            ephemeral: Point::base(),
            slots: (0..slots).map(slot).collect(),
            bulk: vec![None; usize::from(slots)],
            proof: [0; 128],
            signature: [0; 64],
        };
        batch.header.slot_list = batch.slot_list();
        prove(&mut batch);
        sign(&mut batch, by);
        batch
    }

    /// Appends a batch with the outcome that apply decides.
    pub fn push(&mut self, batch: &SealedBatch) {
        let bytes: Arc<[u8]> = batch.to_bytes().into();
        let Some(Verdict::Valid(verified)) =
            self.verifier().verify(std::slice::from_ref(&bytes)).pop()
        else {
            panic!("the gate refuses a batch of the test's own making");
        };
        let index = self.entries.len() as u64;
        let store = self.replica();
        let mut writes = WriteBatch::new();
        let machine = Keyspace::load(&store, &self.genesis, SHARD).unwrap();
        let outcome = machine
            .apply(index, &verified, &mut Overlay::new(&store, &mut writes))
            .unwrap();
        self.entries.push(Entry {
            record: Record {
                index,
                kind: EntryKind::Batch,
                header_digest: batch.header.digest(),
                x: field::encode(&x(batch)),
                outcome,
            },
            payload: bytes.to_vec(),
        });
    }

    /// The registry's next change by admin 1.
    pub fn change(&self, operation: Operation) -> Change {
        let registry = registry::load(&self.replica(), &self.genesis, SHARD).unwrap();
        let mut change = Unsigned {
            cluster: self.genesis.cluster_id(),
            shard: SHARD,
            number: registry.next_number(),
            operation,
        }
        .unsigned(Vec::new());
        change.sign(&admin(1));
        change
    }

    fn verified_change(&self, bytes: &Arc<[u8]>) -> VerifiedChange {
        let verifier = ChangeVerifier::new(&self.genesis, SHARD);
        verifier.verify(bytes, Payload::MayBePruned).unwrap()
    }

    /// Appends a registry change with the outcome that apply decides.
    pub fn push_change(&mut self, change: &Change) -> Outcome {
        let bytes: Arc<[u8]> = change.to_bytes().into();
        let index = self.entries.len() as u64;
        let store = self.replica();
        let mut writes = WriteBatch::new();
        let mut machine = Keyspace::load(&store, &self.genesis, SHARD).unwrap();
        let verified = self.verified_change(&bytes);
        let outcome = machine
            .apply_change(index, &verified, &mut Overlay::new(&store, &mut writes))
            .unwrap();
        self.entries.push(Entry {
            record: Record::registry(index, change.digest(), outcome),
            payload: bytes.to_vec(),
        });
        outcome
    }

    fn changes_before(&self, from: LogIndex, tree: &MemoryStore) -> Vec<RawChange> {
        let before = &self.entries[..from as usize];
        let applied = before
            .iter()
            .filter(|e| e.record.kind == EntryKind::Registry && e.record.outcome.takes_number());
        applied
            .map(|e| RawChange {
                record: e.record,
                change: e.payload.clone(),
                inclusion: tree::inclusion_proof(tree, SHARD, e.record.index, self.size())
                    .unwrap()
                    .to_bytes(),
            })
            .collect()
    }

    /// Tree and sessions of the entries so far.
    fn replica(&self) -> MemoryStore {
        let store = self.tree();
        let mut machine = Keyspace::new(&self.genesis, SHARD);
        for entry in &self.entries {
            let bytes: Arc<[u8]> = entry.payload.clone().into();
            if entry.record.kind == EntryKind::Registry {
                let change = self.verified_change(&bytes);
                let mut writes = WriteBatch::new();
                let mut overlay = Overlay::new(&store, &mut writes);
                let index = entry.record.index;
                machine.apply_change(index, &change, &mut overlay).unwrap();
                store.commit(&writes, false).unwrap();
                continue;
            }
            if entry.record.kind != EntryKind::Batch {
                continue;
            }
            if let Some(Verdict::Valid(batch)) = self.verifier().verify(&[bytes]).pop() {
                let mut writes = WriteBatch::new();
                let mut overlay = Overlay::new(&store, &mut writes);
                machine
                    .apply(entry.record.index, &batch, &mut overlay)
                    .unwrap();
                store.commit(&writes, false).unwrap();
            }
        }
        store
    }

    pub fn tree(&self) -> MemoryStore {
        let store = MemoryStore::new();
        let mut writes = WriteBatch::new();
        let mut overlay = Overlay::new(&store, &mut writes);
        for (size, entry) in (0..).zip(&self.entries) {
            let leaf = tree::leaf_hash(&entry.record.to_bytes());
            tree::append(&mut overlay, SHARD, size, leaf).unwrap();
        }
        store.commit(&writes, false).unwrap();
        store
    }

    pub fn root(&self, size: TreeSize) -> Hash {
        tree::root(&self.tree(), SHARD, size).unwrap()
    }

    pub fn size(&self) -> TreeSize {
        self.entries.len() as u64
    }

    /// The head at `size`, signed by these nodes: honest ones, or all of them in collusion.
    pub fn note_by(&self, size: TreeSize, nodes: &[u8]) -> String {
        let checkpoint = Checkpoint {
            cluster: self.genesis.cluster_id(),
            shard: SHARD,
            size,
            root: self.root(size),
        };
        cosigned(checkpoint, nodes)
    }

    pub fn note(&self) -> String {
        self.note_by(self.size(), &[1, 2])
    }

    pub fn start(&self, from: LogIndex, to: LogIndex) -> Start {
        let tree = self.tree();
        Start {
            cluster: self.genesis.cluster_id(),
            genesis: self.genesis.canonical_bytes(),
            shard: SHARD,
            from,
            to,
            size: self.size(),
            left: tree::frontier(&tree, SHARD, from).unwrap(),
            right: tree::suffix(&tree, SHARD, to, self.size()).unwrap(),
            registry: self.changes_before(from, &tree),
        }
    }

    /// Every checksum is computed over what is there, true or not.
    pub fn bundle_with(&self, start: &Start, note: &str) -> Vec<u8> {
        let mut writer = BundleWriter::new(Vec::new(), start).unwrap();
        for entry in &self.entries[start.from as usize..start.to as usize] {
            writer.entry(&entry.record, &entry.payload).unwrap();
        }
        writer.finish(note).unwrap()
    }

    pub fn range(&self, from: LogIndex, to: LogIndex) -> Vec<u8> {
        self.bundle_with(&self.start(from, to), &self.note())
    }

    pub fn bundle(&self) -> Vec<u8> {
        self.range(0, self.size())
    }

    pub fn verify(&self, bundle: &[u8]) -> Result<Report, AuditError> {
        self.verify_with(bundle, &Options::default())
    }

    pub fn verify_with(&self, bundle: &[u8], options: &Options) -> Result<Report, AuditError> {
        verify_trail(
            BundleReader::open(bundle)?,
            &self.verifier(),
            options,
            &mut |_| {},
        )
    }

    /// What an audit by the honest trust root says of this trail after every hash, checksum and
    /// cosignature was made anew over what `attack` did to it: the nodes collude.
    pub fn attacked(&self, attack: impl FnOnce(&mut Trail)) -> AuditError {
        let mut forged = self.clone();
        attack(&mut forged);
        self.verify(&forged.bundle())
            .expect_err("the attack goes unnoticed")
    }
}

pub fn cosigned(checkpoint: Checkpoint, nodes: &[u8]) -> String {
    let mut signed = SignedCheckpoint::new(checkpoint);
    for id in nodes {
        signed.add(checkpoint.sign(NodeId(u64::from(*id)), &node(*id), 1_700_000_000));
    }
    signed.to_note()
}

pub fn prove(batch: &mut SealedBatch) {
    batch.proof = fake_proof(&batch.header.circuit, &x(batch));
}

pub fn sign(batch: &mut SealedBatch, by: u8) {
    let (header, x) = batch.signed_parts(&x(batch));
    batch.signature = author(by).sign(SIGNATURE_DOMAIN, &[&header, &x]);
}

/// The frame of these fields with right checks, whatever it says.
pub fn frame(kind: u8, index: u64, len: u32, payload: &[u8]) -> Vec<u8> {
    let mut fields = vec![kind];
    fields.extend(index.to_le_bytes());
    fields.extend(len.to_le_bytes());
    let head = blake3::derive_key("ukehi/bundle-frame-head/v1", &fields);
    let mut hasher = blake3::Hasher::new_derive_key("ukehi/bundle-frame/v1");
    hasher.update(&fields).update(payload);
    [&fields, &head[..16], payload, hasher.finalize().as_bytes()].concat()
}
