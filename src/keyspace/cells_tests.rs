use super::*;
use crate::batch::{
    Anchor, BatchVerifier, Header, ProofItem, ProofVerifier, SIGNATURE_DOMAIN, SealedBatch, Verdict,
};
use crate::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisFamily, GenesisKeyspace, GenesisNode,
};
use crate::ids::{EpochId, NodeId};
use crate::keyspace::{Keyspace, StateMachine};
use crate::kv::{Pair, WriteBatch};
use crate::log::{Record, genesis_root, tree};
use crate::registry::{ChangeVerifier, Payload, Unsigned};
use crate::store::{MemoryStore, Store};
use std::sync::Arc;
use ukehi_circuits::Point;
use ukehi_circuits::shape::{CellUse, Form, Shape};
use ukehi_circuits::slot::{Meta, Op};
use ukehi_keys::{AdminKey, AuthorKey, CircuitId, EpochSecret, Manifest, NodeKey, OperatorKey};
use zeroize::Zeroizing;

#[path = "cells_sum_tests.rs"]
mod sum;

const SHARD: ShardId = ShardId(0);
const KEYSPACE: KeyspaceId = KeyspaceId(1);
/// Circuits of policies `ledger`, `doses`, which has an epoch too, and `points`, which has no family.
const LEDGER: CircuitId = CircuitId([8; 32]);
const DOSES: CircuitId = CircuitId([9; 32]);
const POINTS: CircuitId = CircuitId([10; 32]);

/// Takes every proof: what cells' values do is the circuit's test.
struct AcceptAll;

impl ProofVerifier for AcceptAll {
    fn form(&self, _: &CircuitId) -> Option<Form> {
        Some(Form {
            shape: Shape::EIGHT,
            cells: CellUse::Allowed,
        })
    }

    fn policy(&self, circuit: &CircuitId) -> Option<&str> {
        Some(policy_of(circuit))
    }

    fn with_circuit(&self, _: &Manifest) -> Option<Arc<dyn ProofVerifier>> {
        None
    }

    fn verify_many(&self, items: &[ProofItem<'_>]) -> Vec<bool> {
        vec![true; items.len()]
    }

    fn verify_one(&self, _: &ProofItem<'_>) -> bool {
        true
    }
}

fn policy_of(circuit: &CircuitId) -> &'static str {
    match *circuit {
        DOSES => "doses",
        POINTS => "points",
        _ => "ledger",
    }
}

/// Authors 1 and 2 are the ledger's, 3 is only the keyspace's.
fn author(seed: u8) -> AuthorKey {
    AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32]))
}

fn admin() -> AdminKey {
    AdminKey::from_secret_bytes(&Zeroizing::new([151; 32]))
}

fn genesis() -> Genesis {
    let epoch = |(id, policy): (u32, &str)| GenesisEpoch {
        id: EpochId(id),
        key: EpochSecret::from_secret_bytes(&Zeroizing::new([id as u8; 32]))
            .unwrap()
            .public(),
        route_commitment: field::encode(&F::from(77u64)),
        policy: policy.into(),
        policy_digest: [0; 32],
        expires: None,
    };
    let family = |policy: &str, authors: &[u8]| GenesisFamily {
        policy: policy.into(),
        authors: authors.iter().map(|a| author(*a).public()).collect(),
    };
    let node = NodeKey::from_secret_bytes(&Zeroizing::new([101; 32]));
    let operator = OperatorKey::from_secret_bytes(&Zeroizing::new([200; 32]));
    let genesis = Genesis {
        name: "cell tests".into(),
        nonce: [1; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: vec![GenesisNode {
            id: NodeId(1),
            key: node.public(),
        }],
        operators: vec![operator.public()],
        admins: GenesisAdmins {
            keys: vec![admin().public()],
            threshold: 1,
        },
        circuits: vec![LEDGER, DOSES, POINTS],
        keyspaces: vec![GenesisKeyspace {
            id: KEYSPACE,
            shard: SHARD,
            authors: (1..=3).map(|a| author(a).public()).collect(),
            epochs: (1..)
                .zip(["ledger", "doses", "points"])
                .map(epoch)
                .collect(),
            families: vec![family("ledger", &[1, 2]), family("doses", &[1, 2])],
        }],
    };
    genesis.check().unwrap();
    genesis
}

/// A replica without Raft, as in apply's tests.
struct Replica {
    genesis: Arc<Genesis>,
    machine: Keyspace,
    store: MemoryStore,
    next: LogIndex,
    seq: u64,
}

impl Replica {
    fn new() -> Self {
        Self::of(genesis())
    }

    fn of(genesis: Genesis) -> Self {
        let genesis = Arc::new(genesis);
        let mut replica = Self {
            machine: Keyspace::new(&genesis, SHARD),
            store: MemoryStore::new(),
            next: 0,
            seq: 0,
            genesis,
        };
        let record = Record::genesis(replica.genesis.cluster_id());
        replica.append(&record, WriteBatch::new());
        replica
    }

    fn append(&mut self, record: &Record, mut writes: WriteBatch) {
        let leaf = tree::leaf_hash(&record.to_bytes());
        let mut overlay = Overlay::new(&self.store, &mut writes);
        tree::append(&mut overlay, SHARD, self.next, leaf).unwrap();
        self.store.commit(&writes, false).unwrap();
        self.next += 1;
    }

    fn apply(&mut self, batch: &SealedBatch) -> Outcome {
        let verifier = BatchVerifier::new(self.genesis.clone(), SHARD, Arc::new(AcceptAll));
        let verified = match verifier.verify(&[batch.to_bytes().into()]).pop() {
            Some(Verdict::Valid(verified)) => verified,
            other => panic!("the gate says {other:?}"),
        };
        let mut writes = WriteBatch::new();
        let mut overlay = Overlay::new(&self.store, &mut writes);
        let applied = self.machine.apply(self.next, &verified, &mut overlay);
        let outcome = applied.unwrap();
        // Which record it is does not matter here, that all replicas grow one tree does.
        let record = Record::registry(self.next, batch.header.digest(), outcome);
        self.append(&record, writes);
        outcome
    }

    fn change(&mut self, operation: Operation) -> Outcome {
        let content = Unsigned {
            cluster: self.genesis.cluster_id(),
            shard: SHARD,
            number: self.machine.registry().next_number(),
            operation,
        };
        let mut change = content.unsigned(Vec::new());
        change.sign(&admin());
        let bytes = change.to_bytes().into();
        let verifier = ChangeVerifier::new(&self.genesis, SHARD);
        let verified = verifier.verify(&bytes, Payload::Required).unwrap();
        let mut writes = WriteBatch::new();
        let mut overlay = Overlay::new(&self.store, &mut writes);
        let applied = self
            .machine
            .apply_change(self.next, &verified, &mut overlay);
        let outcome = applied.unwrap();
        let record = Record::registry(self.next, verified.digest(), outcome);
        self.append(&record, writes);
        outcome
    }

    fn mint(&mut self, route: u64, value: u64) -> Outcome {
        self.mint_for(route, value, Vec::new())
    }

    fn mint_for(&mut self, route: u64, value: u64, authors: Vec<AuthorId>) -> Outcome {
        self.change(Operation::Mint {
            keyspace: KEYSPACE,
            family: "ledger".into(),
            route: tag(route),
            value,
            blind: tag(5),
            authors,
        })
    }

    /// A batch of author 1 under the ledger's circuit.
    fn batch(&mut self, slots: &[Slot]) -> SealedBatch {
        self.batch_of(1, LEDGER, slots)
    }

    fn batch_of(&mut self, by: u8, circuit: CircuitId, slots: &[Slot]) -> SealedBatch {
        self.seq += 1;
        let epochs = &self.genesis.keyspaces[0].epochs;
        let epoch = epochs.iter().find(|e| e.policy == policy_of(&circuit));
        let epoch = epoch.unwrap();
        let mut batch = SealedBatch {
            header: Header {
                cluster: self.genesis.cluster_id(),
                shard: SHARD,
                keyspace: KEYSPACE,
                circuit,
                epoch: epoch.id,
                epoch_key: Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap(),
                route_commitment: F::from(77u64),
                policy_digest: F::from(0u64),
                author: author(by).public(),
                author_seq: self.seq,
                valid_until: u64::MAX,
                anchor: Anchor {
                    size: 1,
                    root: genesis_root(self.genesis.cluster_id()),
                },
                slots: u8::try_from(slots.len()).unwrap(),
                slot_list: [0; 32],
            },
            ephemeral: Point::base(),
            slots: slots.iter().map(public_slot).collect(),
            bulk: vec![None; slots.len()],
            proof: [0; 128],
            signature: [0; 64],
        };
        batch.header.slot_list = batch.slot_list();
        let form = AcceptAll.form(&circuit).unwrap();
        let x = batch.statement(form).unwrap().x();
        let (header, x) = batch.signed_parts(&x);
        batch.signature = author(by).sign(SIGNATURE_DOMAIN, &[&header, &x]);
        batch
    }

    fn write(&mut self, slots: &[Slot]) -> Outcome {
        let batch = self.batch(slots);
        self.apply(&batch)
    }

    fn cell(&self, route: u64) -> Option<CellRow> {
        get(&self.store, SHARD, KEYSPACE, &tag(route)).unwrap()
    }

    fn rows(&self, column: Column) -> Vec<Pair> {
        let all = self.store.range(column, &[], &[0xff; 80], usize::MAX);
        all.unwrap()
    }

    fn root(&self) -> [u8; 32] {
        tree::root(&self.store, SHARD, self.next).unwrap()
    }
}

/// (route, old, new); the operation follows.
type Slot = (u64, F, F);

fn public_slot(&(route, old, new): &Slot) -> PublicSlot {
    let op = match old == new {
        true => Op::Guard,
        false => Op::Update,
    };
    PublicSlot {
        meta: Meta {
            op,
            body_len: 31,
            cell_count: 1,
        },
        route: F::from(route),
        cell: [old, new],
        ct: (0..7).map(F::from).collect(),
    }
}

fn tag(route: u64) -> [u8; 32] {
    field::encode(&F::from(route))
}

fn f(n: u64) -> F {
    F::from(n)
}

const NONE: fn() -> F = || F::from(0u64);

#[test]
fn a_cell_is_created_changed_and_guarded_and_its_row_says_where_it_stands() {
    let mut r = Replica::new();
    let created = r.next;
    assert_eq!(
        r.write(&[(50, NONE(), f(1)), (51, NONE(), f(2))]),
        Outcome::Applied
    );
    let row = r.cell(51).unwrap();
    let place = Place {
        index: created,
        slot: 1,
    };
    assert_eq!((row.commitment, row.version), (tag(2), 1));
    assert_eq!(row.source, CellSource::Update(place));
    assert_eq!(row.family, field::encode(&family("ledger")));
    let changed = r.next;
    assert_eq!(
        r.write(&[(51, f(2), f(3)), (50, f(1), f(1))]),
        Outcome::Applied
    );
    let row = r.cell(51).unwrap();
    assert_eq!((row.commitment, row.version), (tag(3), 2));
    assert_eq!(row.source.index(), changed);
    let guarded = r.cell(50).unwrap();
    assert_eq!(
        (guarded.version, guarded.source.index()),
        (1, created),
        "a guard moves nothing"
    );
    for (_, value) in r.rows(Column::Cells) {
        assert_eq!(value.len(), CELL_ROW_BYTES);
    }
}

#[test]
fn one_bad_cell_refuses_the_batch_by_its_own_code_and_changes_nothing() {
    let mut r = Replica::new();
    assert_eq!(r.mint(60, 100), Outcome::Applied);
    assert_eq!(r.write(&[(50, NONE(), f(1))]), Outcome::Applied);
    let other = r.batch_of(1, DOSES, &[(70, NONE(), f(7))]);
    assert_eq!(r.apply(&other), Outcome::Applied);
    let good = (99, NONE(), f(9));
    let cases = [
        (Outcome::CellNotNew, r.batch(&[good, (50, NONE(), f(2))])),
        (Outcome::CellNotNew, r.batch(&[good, (60, NONE(), f(2))])),
        (Outcome::CellMissing, r.batch(&[good, (51, f(1), f(2))])),
        (Outcome::CellMissing, r.batch(&[good, (51, f(1), f(1))])),
        (Outcome::CellStale, r.batch(&[good, (50, f(3), f(2))])),
        (Outcome::CellStale, r.batch(&[good, (50, f(3), f(3))])),
        // Right commitment, but proven by another policy's circuit.
        (
            Outcome::CellOfOtherFamily,
            r.batch(&[good, (70, f(7), f(8))]),
        ),
        (Outcome::CellAuthor, r.batch_of(3, LEDGER, &[good])),
        (Outcome::UnknownFamily, r.batch_of(1, POINTS, &[good])),
    ];
    let (cells, state) = (r.rows(Column::Cells), r.rows(Column::State));
    for (expected, batch) in cases {
        assert_eq!(r.apply(&batch), expected);
        assert_eq!(r.rows(Column::Cells), cells, "{expected:?}");
        assert_eq!(r.rows(Column::State), state, "{expected:?}");
        assert_eq!(
            r.apply(&batch),
            Outcome::Duplicate,
            "the sequence is used up"
        );
    }
    assert_eq!(r.write(&[good]), Outcome::Applied);
}

#[test]
fn a_circuit_of_another_policy_than_the_epochs_is_refused() {
    let mut r = Replica::new();
    let mut batch = r.batch(&[(50, NONE(), f(1))]);
    batch.header.circuit = DOSES;
    let x = batch
        .statement(AcceptAll.form(&DOSES).unwrap())
        .unwrap()
        .x();
    let (header, x) = batch.signed_parts(&x);
    batch.signature = author(1).sign(SIGNATURE_DOMAIN, &[&header, &x]);
    assert_eq!(r.apply(&batch), Outcome::WrongPolicyFamily);
    assert_eq!(r.cell(50), None);
}

#[test]
fn supply_enters_by_a_mint_that_everybody_can_open_and_never_over_a_cell() {
    let mut r = Replica::new();
    let index = r.next;
    assert_eq!(r.mint(50, 1000), Outcome::Applied);
    let row = r.cell(50).unwrap();
    let opened = commitment(family("ledger"), f(50), 1000, 1, f(5));
    assert_eq!(row.commitment, field::encode(&opened));
    assert_eq!((row.version, row.source), (1, CellSource::Mint(index)));
    assert_eq!(r.mint(50, 1), Outcome::CellExists);
    // Over a cell that a batch created: refused and void, but number and route are used up.
    assert_eq!(r.write(&[(51, NONE(), f(1))]), Outcome::Applied);
    let number = r.machine.registry().next_number();
    let cells = r.rows(Column::Cells);
    assert_eq!(r.mint(51, 1), Outcome::CellLive);
    assert_eq!(r.machine.registry().next_number(), number + 1);
    assert_eq!(r.machine.registry().mint(KEYSPACE, &tag(51)), None);
    assert_eq!(r.mint(51, 1), Outcome::CellExists);
    assert_eq!(r.rows(Column::Cells), cells);
    assert_eq!(r.mint(52, 1), Outcome::Applied);
    // A node that starts folds the same registry from what it stored.
    let loaded = Keyspace::load(&r.store, &r.genesis, SHARD).unwrap();
    assert_eq!(loaded.registry(), r.machine.registry());
    assert_eq!(r.write(&[(50, opened, f(3))]), Outcome::Applied);
    assert_eq!(r.cell(50).unwrap().version, 2);
}

#[test]
fn a_cells_own_list_stands_before_the_familys() {
    let mut r = Replica::new();
    let own = vec![author(3).public()];
    assert_eq!(r.mint_for(50, 7, own), Outcome::Applied);
    let minted = commitment(family("ledger"), f(50), 7, 1, f(5));
    assert_eq!(r.write(&[(50, minted, f(2))]), Outcome::CellAuthor);
    let by_third = r.batch_of(3, LEDGER, &[(50, minted, f(2))]);
    assert_eq!(r.apply(&by_third), Outcome::Applied);
    let set = |authors| Operation::SetCellAuthors {
        keyspace: KEYSPACE,
        route: tag(50),
        authors,
    };
    assert_eq!(r.change(set(vec![author(2).public()])), Outcome::Applied);
    let by_third = r.batch_of(3, LEDGER, &[(50, f(2), f(3))]);
    assert_eq!(r.apply(&by_third), Outcome::CellAuthor);
    assert_eq!(r.change(set(Vec::new())), Outcome::Applied);
    assert_eq!(
        r.write(&[(50, f(2), f(3))]),
        Outcome::Applied,
        "the family's again"
    );
}

#[test]
fn of_two_batches_over_one_cell_the_first_is_applied_the_other_stale_on_every_replica() {
    let mut replicas: Vec<Replica> = (0..3).map(|_| Replica::new()).collect();
    let first = &mut replicas[0];
    let create = first.batch(&[(50, NONE(), f(1))]);
    let winner = first.batch_of(1, LEDGER, &[(50, f(1), f(2)), (51, NONE(), f(4))]);
    let loser = first.batch_of(2, LEDGER, &[(52, NONE(), f(5)), (50, f(1), f(3))]);
    for r in &mut replicas {
        let outcomes = [&create, &winner, &loser].map(|batch| r.apply(batch));
        let expected = [Outcome::Applied, Outcome::Applied, Outcome::CellStale];
        assert_eq!(outcomes, expected);
        assert_eq!(r.cell(52), None, "all or nothing");
    }
    let (roots, cells): (Vec<_>, Vec<_>) = replicas
        .iter()
        .map(|r| (r.root(), r.rows(Column::Cells)))
        .unzip();
    assert!(roots.iter().all(|root| *root == roots[0]));
    assert!(cells.iter().all(|rows| *rows == cells[0]));
}

#[test]
fn cells_come_in_tag_order_and_stay_in_their_keyspace() {
    let mut r = Replica::new();
    for route in [53, 51, 52] {
        assert_eq!(r.write(&[(route, NONE(), f(route))]), Outcome::Applied);
    }
    let routes = |keyspace, after: Option<u64>, limit| {
        let after = after.map(tag);
        let rows = scan(&r.store, SHARD, keyspace, after.as_ref(), limit).unwrap();
        rows.iter().map(|(route, _)| *route).collect::<Vec<_>>()
    };
    assert_eq!(routes(KEYSPACE, None, 9), [51, 52, 53].map(tag));
    assert_eq!(routes(KEYSPACE, Some(51), 1), [tag(52)]);
    assert!(routes(KeyspaceId(2), None, 9).is_empty());
    assert!(routes(KeyspaceId(0), None, 9).is_empty());
}
