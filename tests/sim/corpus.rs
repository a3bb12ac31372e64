//! A cluster's genesis and a stock of batches, the same in every process: no randomness but the
//! constants below, so that a seed replays byte for byte.
//!
//! Proofs are fake: the first half of a true one is a keyed hash of x. What surrounds them (fields,
//! points, signatures, statements) is real.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use ukehi::batch::{
    Anchor, BatchVerifier, Header, ProofItem, ProofVerifier, SIGNATURE_DOMAIN, SealedBatch, Verdict,
};
use ukehi::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode,
};
use ukehi::ids::{EpochId, Hash, KeyspaceId, NodeId, ShardId};
use ukehi::log::{Record, tree};
use ukehi_circuits::seal::PublicSlot;
use ukehi_circuits::shape::{Form, Shape};
use ukehi_circuits::slot::{Meta, Op};
use ukehi_circuits::{F, Point, Scalar, field};
use ukehi_keys::{
    AdminKey, AuthorId, AuthorKey, CircuitId, EpochSecret, Manifest, NodeKey, OperatorKey,
};
use zeroize::Zeroizing;

pub const SHARD: ShardId = ShardId(0);
const CIRCUIT: CircuitId = CircuitId([7; 32]);
const AUTHORS: u8 = 4;
const SEQUENCES: u64 = 150;
const POISONED: u64 = 8;
const FOREIGN: u64 = 4;
/// Batches write one of so many keys.
pub const ROUTES: u64 = 8;

/// The key of a number.
pub fn route(number: u64) -> [u8; 32] {
    field::encode(&F::from(1 + number % ROUTES))
}

fn secret(kind: u8, number: u8) -> Zeroizing<[u8; 32]> {
    let mut bytes = [kind; 32];
    bytes[0] = number;
    bytes[31] = 0;
    Zeroizing::new(bytes)
}

pub fn node_key(node: NodeId) -> NodeKey {
    NodeKey::from_secret_bytes(&secret(1, node.0 as u8))
}

fn author_key(number: u8) -> AuthorKey {
    AuthorKey::from_secret_bytes(&secret(2, number))
}

pub fn author_id(number: u8) -> AuthorId {
    author_key(number).public()
}

fn true_proof(x: &F) -> [u8; 32] {
    *blake3::keyed_hash(&[3; 32], &field::encode(x)).as_bytes()
}

/// Checks the fake proofs, or (a Byzantine or sabotaged node) accepts any.
pub struct FakeProofs {
    pub accept_all: bool,
}

impl ProofVerifier for FakeProofs {
    fn form(&self, circuit: &CircuitId) -> Option<Form> {
        (*circuit == CIRCUIT).then(|| Form::without_cells(Shape::SINGLE))
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
        self.accept_all || item.proof[..32] == true_proof(&item.x)
    }
}

/// A cluster and what its authors have sealed.
pub struct Corpus {
    pub genesis: Arc<Genesis>,
    /// Valid batches, of different sequences.
    pub batches: Vec<Arc<[u8]>>,
    /// Pairs of valid batches: one author, one sequence, another x.
    pub conflicts: Vec<[Arc<[u8]>; 2]>,
    /// Pairs of one command with two different, true proofs.
    pub rerandomised: Vec<[Arc<[u8]>; 2]>,
    /// Batches whose proof is false.
    pub poisoned: Vec<Arc<[u8]>>,
    /// Batches with true proofs: of another cluster, of another shard, of an author who did not
    /// sign them. One of each kind in turn.
    pub foreign: Vec<Arc<[u8]>>,
    /// No entry may ever hold one of these.
    poisoned_digests: BTreeSet<Hash>,
    commands: BTreeMap<Hash, Command>,
    honest: BatchVerifier,
    credulous: BatchVerifier,
    verdicts: Mutex<BTreeMap<(bool, u8, Hash), Verdict>>,
}

/// What the oracles know of a batch: which command it is, and which route it writes.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    pub x: [u8; 32],
    pub route: [u8; 32],
}

impl Corpus {
    /// The corpus of a cluster of so many nodes.
    pub fn of(nodes: usize) -> &'static Corpus {
        static MADE: Mutex<BTreeMap<usize, &'static Corpus>> = Mutex::new(BTreeMap::new());
        let mut made = MADE.lock().unwrap();
        made.entry(nodes)
            .or_insert_with(|| Box::leak(Box::new(Corpus::make(nodes))))
    }

    /// Public input and route of a batch of this corpus.
    pub fn command(&self, batch: &[u8]) -> Command {
        self.commands[&SealedBatch::digest(batch)]
    }

    /// The same of any batch; `None` if it is not of this corpus.
    pub fn knows(&self, batch: &[u8]) -> Option<Command> {
        self.commands.get(&SealedBatch::digest(batch)).copied()
    }

    /// A valid batch of an author whom genesis may not know.
    pub fn sealed_by(&self, number: u8, seq: u64) -> Vec<u8> {
        seal(&self.genesis, number, seq, 0, 0, true).to_bytes()
    }

    /// The oracle: whether a stored batch must never have been applied.
    pub fn is_poisoned(&self, batch: &[u8]) -> bool {
        self.poisoned_digests.contains(&SealedBatch::digest(batch))
    }

    pub fn verifier(&self, accept_all: bool) -> BatchVerifier {
        let proofs = Arc::new(FakeProofs { accept_all });
        BatchVerifier::new(self.genesis.clone(), SHARD, proofs)
    }

    /// The real verifier's verdicts, each computed once for all seeds.
    pub fn verify(&self, accept_all: bool, batches: &[Arc<[u8]>]) -> Vec<Verdict> {
        let mutated = mutated_verifier();
        let mut known = self.verdicts.lock().unwrap();
        let verifier = if accept_all {
            &self.credulous
        } else {
            &self.honest
        };
        batches
            .iter()
            .map(|bytes| {
                known
                    .entry((accept_all, mutated, SealedBatch::digest(bytes)))
                    .or_insert_with(|| verifier.verify(std::slice::from_ref(bytes)).remove(0))
                    .clone()
            })
            .collect()
    }

    fn make(nodes: usize) -> Corpus {
        let genesis = Arc::new(genesis(nodes));
        genesis
            .check()
            .expect("the simulator's genesis is in order");
        let author =
            |number: u8, seq, salt, tail, truth| seal(&genesis, number, seq, salt, tail, truth);
        let batches: Vec<_> = (1..=SEQUENCES)
            .flat_map(|seq| (0..AUTHORS).map(move |number| (number, seq)))
            .map(|(number, seq)| author(number, seq, 0, 0, true))
            .collect();
        let conflicts: Vec<_> = (1..=4)
            .map(|i| [0, 1].map(|salt| author(0, 500 + i, salt, 0, true)))
            .collect();
        let rerandomised: Vec<_> = (1..=4)
            .map(|i| [0, 1].map(|tail| author(1, 500 + i, 0, tail, true)))
            .collect();
        let poisoned: Vec<_> = (1..=POISONED)
            .map(|seq| author(3, 900 + seq, 0, 0, false))
            .collect();
        let foreign = foreign(&genesis);
        let pairs = conflicts.iter().chain(&rerandomised).flatten();
        let known = batches.iter().chain(pairs).chain(&poisoned).chain(&foreign);
        let commands = known.map(|b| (SealedBatch::digest(&b.to_bytes()), command_of(b)));
        let commands = commands.collect();
        let bytes = |b: &SealedBatch| -> Arc<[u8]> { Arc::from(b.to_bytes()) };
        let never = poisoned.iter().chain(&foreign);
        let never = never.map(|b| SealedBatch::digest(&b.to_bytes())).collect();
        let verifier = |accept_all| {
            let proofs = Arc::new(FakeProofs { accept_all });
            BatchVerifier::new(genesis.clone(), SHARD, proofs)
        };
        Corpus {
            batches: batches.iter().map(bytes).collect(),
            conflicts: conflicts.iter().map(|p| p.each_ref().map(bytes)).collect(),
            rerandomised: rerandomised
                .iter()
                .map(|p| p.each_ref().map(bytes))
                .collect(),
            poisoned: poisoned.iter().map(bytes).collect(),
            foreign: foreign.iter().map(bytes).collect(),
            poisoned_digests: never,
            commands,
            honest: verifier(false),
            credulous: verifier(true),
            verdicts: Mutex::default(),
            genesis: genesis.clone(),
        }
    }
}

/// The public input of a batch that decodes.
pub fn x_of(batch: &[u8]) -> [u8; 32] {
    command_of(&SealedBatch::from_bytes(batch).expect("what is submitted decodes")).x
}

fn command_of(batch: &SealedBatch) -> Command {
    let statement = batch
        .statement(Form::without_cells(Shape::SINGLE))
        .expect("of the one shape");
    Command {
        x: field::encode(&statement.x()),
        route: field::encode(&batch.slots[0].route),
    }
}

/// Which of the gate's rules a mutant breaks: its verdicts are others.
#[cfg(feature = "mutants")]
fn mutated_verifier() -> u8 {
    use ukehi::mutant::{Mutant, is};
    let rules = [
        Mutant::OtherClusterAccepted,
        Mutant::OtherShardAccepted,
        Mutant::SignatureIgnored,
    ];
    rules
        .iter()
        .position(|m| is(*m))
        .map_or(0, |at| at as u8 + 1)
}

#[cfg(not(feature = "mutants"))]
fn mutated_verifier() -> u8 {
    0
}

/// What is true elsewhere and must not be taken here.
fn foreign(genesis: &Genesis) -> Vec<SealedBatch> {
    let mut elsewhere = genesis.clone();
    elsewhere.nonce = [0xee; 32];
    let others = (1..=FOREIGN).flat_map(|seq| {
        let mut forged = seal(genesis, 2, 920 + seq, 0, 0, true);
        forged.signature[1] ^= 1;
        [
            seal(&elsewhere, 0, 920 + seq, 0, 0, true),
            seal_for(genesis, ShardId(7), [1, 920 + seq, 0], 0, true),
            forged,
        ]
    });
    others.collect()
}

pub fn admin_key() -> AdminKey {
    AdminKey::from_secret_bytes(&secret(7, 1))
}

fn genesis(nodes: usize) -> Genesis {
    let epoch = EpochSecret::from_secret_bytes(&secret(4, 1)).expect("a scalar below the order");
    Genesis {
        name: "simulated".into(),
        nonce: [nodes as u8; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: (1..=nodes as u64)
            .map(|id| GenesisNode {
                id: NodeId(id),
                key: node_key(NodeId(id)).public(),
            })
            .collect(),
        operators: vec![OperatorKey::from_secret_bytes(&secret(5, 1)).public()],
        admins: GenesisAdmins {
            keys: vec![admin_key().public()],
            threshold: 1,
        },
        circuits: vec![CIRCUIT],
        keyspaces: vec![GenesisKeyspace {
            id: KeyspaceId(1),
            shard: SHARD,
            authors: (0..AUTHORS).map(|a| author_key(a).public()).collect(),
            epochs: vec![GenesisEpoch {
                id: EpochId(1),
                key: epoch.public(),
                route_commitment: field::encode(&F::from(11u64)),
                policy: "opaque".into(),
                policy_digest: field::encode(&F::from(0u64)),
                expires: None,
            }],
            families: Vec::new(),
        }],
    }
}

fn seal(genesis: &Genesis, number: u8, seq: u64, salt: u64, tail: u8, truth: bool) -> SealedBatch {
    seal_for(genesis, SHARD, [u64::from(number), seq, salt], tail, truth)
}

fn seal_for(
    genesis: &Genesis,
    shard: ShardId,
    [number, seq, salt]: [u64; 3],
    tail: u8,
    truth: bool,
) -> SealedBatch {
    let number = number as u8;
    let epoch = &genesis.keyspaces[0].epochs[0];
    let author = author_key(number);
    let leaf = tree::leaf_hash(&Record::genesis(genesis.cluster_id()).to_bytes());
    let header = Header {
        cluster: genesis.cluster_id(),
        shard,
        keyspace: KeyspaceId(1),
        circuit: CIRCUIT,
        epoch: epoch.id,
        epoch_key: Point::from_xy_bytes(&epoch.key.to_bytes()).expect("checked by EpochPublicKey"),
        route_commitment: F::from(11u64),
        policy_digest: F::from(0u64),
        author: author.public(),
        author_seq: seq,
        valid_until: u64::MAX,
        // A log of one leaf has its leaf hash as root.
        anchor: Anchor {
            size: 1,
            root: leaf,
        },
        slots: 1,
        slot_list: [0; 32],
    };
    let content = u64::from(number) << 32 | seq << 8 | salt;
    let ephemeral = Scalar::from_bytes(&secret(6, (content % 251) as u8)).expect("below the order");
    let slot = PublicSlot {
        meta: Meta {
            op: Op::Put,
            body_len: 5,
            cell_count: 0,
        },
        // Few routes, so that writers and readers meet.
        route: F::from(1 + seq % ROUTES),
        cell: [F::from(0u64); 2],
        ct: (0..Shape::SINGLE.class().ct_elements() as u64)
            .map(|i| F::from(content * 31 + i))
            .collect(),
    };
    let mut batch = SealedBatch {
        header,
        ephemeral: ephemeral.public_point(),
        slots: vec![slot],
        bulk: vec![None],
        proof: [tail; 128],
        signature: [0; 64],
    };
    batch.header.slot_list = batch.slot_list();
    let statement = batch
        .statement(Form::without_cells(Shape::SINGLE))
        .expect("one slot of the one class");
    let x = statement.x();
    let mut proof = true_proof(&x);
    if !truth {
        proof[0] ^= 1;
    }
    batch.proof[..32].copy_from_slice(&proof);
    let (header, x) = batch.signed_parts(&x);
    batch.signature = author.sign(SIGNATURE_DOMAIN, &[&header, &x]);
    batch
}
