use super::*;
use crate::batch::{
    Anchor, BatchVerifier, BulkReference, ProofItem, ProofVerifier, SIGNATURE_DOMAIN, SealedBatch,
    Verdict,
};
use crate::genesis::{GATE_VERSION, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode};
use crate::ids::{EpochId, KeyspaceId, NodeId};
use crate::keyspace::session::WINDOW;
use crate::kv::{Column, Pair, WriteBatch};
use crate::log::{EntryKind, Record, genesis_root};
use crate::store::{MemoryStore, Store};
use std::sync::Arc;
use ukehi_circuits::seal::PublicSlot;
use ukehi_circuits::shape::{Form, Shape};
use ukehi_circuits::slot::{Meta, Op};
use ukehi_circuits::{F, Point};
use ukehi_keys::{AdminKey, AuthorKey, CircuitId, EpochSecret, Manifest, NodeKey, OperatorKey};
use zeroize::Zeroizing;

const SHARD: ShardId = ShardId(0);
const CIRCUIT: CircuitId = CircuitId([8; 32]);

/// Takes every proof: apply's tests are about what comes after the gate.
struct AcceptAll;

impl ProofVerifier for AcceptAll {
    fn form(&self, _: &CircuitId) -> Option<Form> {
        Some(Form::without_cells(Shape::EIGHT))
    }

    fn policy(&self, _: &CircuitId) -> Option<&str> {
        Some("opaque")
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

fn author(seed: u8) -> AuthorKey {
    AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32]))
}

/// The cluster's one admin is 1.
fn admin(seed: u8) -> AdminKey {
    AdminKey::from_secret_bytes(&Zeroizing::new([150 + seed; 32]))
}

fn keyspace(id: u32, shard: ShardId, by: u8) -> GenesisKeyspace {
    let epoch = |id: u32| GenesisEpoch {
        id: EpochId(id),
        key: EpochSecret::from_secret_bytes(&Zeroizing::new([id as u8; 32]))
            .unwrap()
            .public(),
        route_commitment: field::encode(&F::from(77u64)),
        policy: "opaque".into(),
        policy_digest: [0; 32],
        expires: None,
    };
    GenesisKeyspace {
        id: KeyspaceId(id),
        shard,
        authors: vec![author(by).public()],
        epochs: vec![epoch(1), epoch(2)],
        families: Vec::new(),
    }
}

/// Keyspace 1 is author 1's, keyspace 2 author 2's; keyspace 3 lies in another shard.
fn genesis() -> Genesis {
    let operator = OperatorKey::from_secret_bytes(&Zeroizing::new([200; 32]));
    let node = NodeKey::from_secret_bytes(&Zeroizing::new([101; 32]));
    let genesis = Genesis {
        name: "apply tests".into(),
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
        circuits: vec![CIRCUIT],
        keyspaces: vec![
            keyspace(1, SHARD, 1),
            keyspace(2, SHARD, 2),
            keyspace(3, ShardId(1), 1),
        ],
    };
    genesis.check().unwrap();
    genesis
}

/// A replica without Raft: applies a list, one entry an index, and grows the tree.
struct Replica {
    genesis: Arc<Genesis>,
    machine: Keyspace,
    store: MemoryStore,
    next: LogIndex,
}

impl Replica {
    fn new() -> Self {
        let genesis = Arc::new(genesis());
        let mut replica = Self {
            machine: Keyspace::new(&genesis, SHARD),
            store: MemoryStore::new(),
            next: 0,
            genesis,
        };
        replica.append(
            &Record::genesis(replica.genesis.cluster_id()),
            WriteBatch::new(),
        );
        replica
    }

    /// As a node does it: apply, then the leaf with the outcome, in one commit.
    fn apply(&mut self, batch: &SealedBatch) -> Outcome {
        let (record, writes) = self.decide(self.next, batch);
        self.append(&record, writes);
        record.outcome
    }

    /// Decides at an index far ahead, over the log there is. Nothing is kept.
    fn at(&self, index: LogIndex, batch: &SealedBatch) -> Outcome {
        self.decide(index, batch).0.outcome
    }

    fn decide(&self, index: LogIndex, batch: &SealedBatch) -> (Record, WriteBatch) {
        let verified = self.verified(batch);
        let mut writes = WriteBatch::new();
        let mut overlay = Overlay::new(&self.store, &mut writes);
        let outcome = self.machine.apply(index, &verified, &mut overlay).unwrap();
        let record = Record {
            index,
            kind: EntryKind::Batch,
            header_digest: batch.header.digest(),
            x: field::encode(verified.x()),
            outcome,
        };
        (record, writes)
    }

    fn verified(&self, batch: &SealedBatch) -> VerifiedBatch {
        let verifier = BatchVerifier::new(self.genesis.clone(), SHARD, Arc::new(AcceptAll));
        match verifier.verify(&[batch.to_bytes().into()]).pop() {
            Some(Verdict::Valid(verified)) => verified,
            other => panic!("the gate says {other:?}"),
        }
    }

    fn append(&mut self, record: &Record, mut writes: WriteBatch) {
        let leaf = tree::leaf_hash(&record.to_bytes());
        let mut overlay = Overlay::new(&self.store, &mut writes);
        tree::append(&mut overlay, SHARD, self.next, leaf).unwrap();
        self.store.commit(&writes, false).unwrap();
        self.next += 1;
    }

    /// An unsigned good batch of author 1 with slots under these routes.
    fn batch(&self, seq: u64, routes: &[u64]) -> SealedBatch {
        let epoch = &self.genesis.keyspaces[0].epochs[0];
        let slot = |route: &u64| PublicSlot {
            meta: Meta {
                op: Op::Put,
                body_len: 1,
                cell_count: 0,
            },
            route: F::from(*route),
            cell: [F::from(0u64); 2],
            ct: (0..7).map(F::from).collect(),
        };
        SealedBatch {
            header: Header {
                cluster: self.genesis.cluster_id(),
                shard: SHARD,
                keyspace: KeyspaceId(1),
                circuit: CIRCUIT,
                epoch: epoch.id,
                epoch_key: Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap(),
                route_commitment: F::from(77u64),
                policy_digest: F::from(0u64),
                author: author(1).public(),
                author_seq: seq,
                valid_until: u64::MAX,
                anchor: Anchor {
                    size: 1,
                    root: genesis_root(self.genesis.cluster_id()),
                },
                slots: u8::try_from(routes.len()).unwrap(),
                slot_list: [0; 32],
            },
            ephemeral: Point::base(),
            slots: routes.iter().map(slot).collect(),
            bulk: vec![None; routes.len()],
            proof: [0; 128],
            signature: [0; 64],
        }
    }

    /// A good batch with its header changed, signed by its author.
    fn with(&self, seq: u64, change: impl FnOnce(&mut Header)) -> SealedBatch {
        let mut batch = self.batch(seq, &[5]);
        change(&mut batch.header);
        signed(batch)
    }

    fn good(&self, seq: u64) -> SealedBatch {
        self.with(seq, |_| {})
    }

    fn session(&self, seq: u64) -> session::Freshness {
        session::lookup(&self.store, SHARD, &author(1).public(), seq).unwrap()
    }

    fn rows(&self, column: Column) -> Vec<Pair> {
        self.store
            .range(column, &[], &[0xff; 80], usize::MAX)
            .unwrap()
    }

    fn place(&self, route: u64) -> Option<Place> {
        Keyspace::place(&self.store, SHARD, &field::encode(&F::from(route))).unwrap()
    }
}

fn signed(mut batch: SealedBatch) -> SealedBatch {
    let key = (1..=2)
        .map(author)
        .find(|k| k.public() == batch.header.author);
    batch.header.slot_list = batch.slot_list();
    let x = batch
        .statement(Form::without_cells(Shape::EIGHT))
        .unwrap()
        .x();
    let (header, x) = batch.signed_parts(&x);
    batch.signature = key.unwrap().sign(SIGNATURE_DOMAIN, &[&header, &x]);
    batch
}

/// Every refusal that depends on the header alone, and the first fault found in it.
fn refusals(r: &Replica, first_seq: u64) -> Vec<(Outcome, SealedBatch)> {
    type Change = fn(&mut Header);
    let changes: [(Outcome, Change); 11] = [
        (Outcome::UnknownKeyspace, |h| h.keyspace = KeyspaceId(9)),
        (Outcome::UnknownKeyspace, |h| h.keyspace = KeyspaceId(3)),
        (Outcome::UnknownEpoch, |h| h.epoch = EpochId(9)),
        (Outcome::WrongEpochKey, |h| h.epoch = EpochId(2)),
        (Outcome::WrongEpochKey, |h| h.epoch_key = Point::base()),
        (Outcome::WrongRouteCommitment, |h| {
            h.route_commitment = F::from(78u64)
        }),
        (Outcome::ForeignAuthor, |h| h.keyspace = KeyspaceId(2)),
        (Outcome::Expired, |h| h.valid_until = 0),
        (Outcome::AnchorUnknown, |h| h.anchor.size = 0),
        (Outcome::AnchorUnknown, |h| h.anchor.size = u64::MAX),
        (Outcome::AnchorMismatch, |h| h.anchor.root[0] ^= 1),
    ];
    (first_seq..)
        .zip(changes)
        .map(|(seq, (outcome, change))| (outcome, r.with(seq, change)))
        .collect()
}

#[test]
fn each_wrong_header_is_refused_by_its_own_code_and_uses_up_its_sequence() {
    let mut r = Replica::new();
    for (expected, batch) in refusals(&r, 1) {
        let (seq, index) = (batch.header.author_seq, r.next);
        assert_eq!(r.apply(&batch), expected, "sequence {seq}");
        assert_eq!(r.rows(Column::State), [], "a refusal changes no state");
        // The same again is the same command; a mended one needs a new sequence.
        let session::Freshness::Used(session) = r.session(seq) else {
            panic!("sequence {seq} is still free");
        };
        assert_eq!((session.index, session.outcome), (index, expected));
        assert_eq!(r.apply(&batch), Outcome::Duplicate);
        assert_eq!(r.apply(&r.good(seq)), Outcome::SequenceConflict);
        assert_eq!(r.session(seq), session::Freshness::Used(session));
        assert_eq!(r.rows(Column::State), []);
    }
}

#[test]
fn a_policy_digest_other_than_the_registered_one_is_refused() {
    // The gate refuses it under `opaque` before apply sees it; the registry may still disagree.
    let mut r = Replica::new();
    let mut genesis = genesis();
    genesis.keyspaces[0].epochs[0].policy_digest = field::encode(&F::from(3u64));
    r.machine = Keyspace::new(&genesis, SHARD);
    assert_eq!(r.apply(&r.good(1)), Outcome::WrongPolicy);
}

#[test]
fn valid_until_is_the_last_index_at_which_a_batch_applies() {
    let r = Replica::new();
    let until = |index| r.with(1, |h| h.valid_until = index);
    assert_eq!(r.at(7, &until(7)), Outcome::Applied);
    assert_eq!(r.at(8, &until(7)), Outcome::Expired);
    assert_eq!(
        r.at(u64::MAX, &r.with(1, |h| h.anchor.size = 1)),
        Outcome::AnchorTooOld
    );
}

#[test]
fn an_anchor_lies_within_the_window_and_the_log() {
    let mut r = Replica::new();
    for seq in 1..=4 {
        assert_eq!(r.apply(&r.good(seq)), Outcome::Applied);
    }
    assert_eq!(r.next, 5);
    let anchored = |size: u64| {
        let root = tree::root(&r.store, SHARD, size).unwrap();
        r.with(9, |h| h.anchor = Anchor { size, root })
    };
    for size in 1..=5 {
        assert_eq!(r.at(5, &anchored(size)), Outcome::Applied, "size {size}");
    }
    // A root of another size is another branch's, or none's.
    let root = tree::root(&r.store, SHARD, 3).unwrap();
    let crossed = r.with(9, |h| h.anchor = Anchor { size: 4, root });
    assert_eq!(r.at(5, &crossed), Outcome::AnchorMismatch);
    let ahead = r.with(9, |h| h.anchor = Anchor { size: 6, root });
    assert_eq!(r.at(5, &ahead), Outcome::AnchorUnknown);
    // index − W ≤ size.
    assert_eq!(r.at(ANCHOR_WINDOW + 2, &anchored(2)), Outcome::Applied);
    assert_eq!(r.at(ANCHOR_WINDOW + 3, &anchored(2)), Outcome::AnchorTooOld);
}

#[test]
fn the_newest_slot_of_a_route_stands_and_routes_scan_in_tag_order() {
    let mut r = Replica::new();
    assert_eq!(r.place(5), None);
    assert_eq!(r.apply(&signed(r.batch(1, &[7, 5, 6]))), Outcome::Applied);
    assert_eq!(r.place(5), Some(Place { index: 1, slot: 1 }));
    assert_eq!(r.apply(&signed(r.batch(2, &[5]))), Outcome::Applied);
    assert_eq!(r.place(5), Some(Place { index: 2, slot: 0 }));
    assert_eq!(r.place(7), Some(Place { index: 1, slot: 0 }));
    let tags = |after: Option<u64>, limit| -> Vec<u8> {
        let after = after.map(|route| field::encode(&F::from(route)));
        let rows = Keyspace::scan(&r.store, SHARD, after.as_ref(), limit).unwrap();
        rows.iter().map(|(route, _)| route[0]).collect()
    };
    assert_eq!(tags(None, 9), [5, 6, 7]);
    assert_eq!(tags(None, 2), [5, 6]);
    assert_eq!(tags(Some(6), 9), [7]);
    assert_eq!(tags(Some(7), 9), [0u8; 0]);
}

#[test]
fn a_batch_applies_once_and_another_under_its_sequence_never() {
    let mut r = Replica::new();
    let batch = r.good(3);
    assert_eq!(r.apply(&batch), Outcome::Applied);
    let state = r.rows(Column::State);
    let mut again = batch.clone();
    // A re-randomised proof is the same command.
    again.proof = [9; 128];
    assert_eq!(r.apply(&again), Outcome::Duplicate);
    assert_eq!(
        r.apply(&signed(r.batch(3, &[99]))),
        Outcome::SequenceConflict
    );
    assert_eq!(r.rows(Column::State), state);
    // Sequences may come in any order inside the window.
    assert_eq!(r.apply(&r.good(1)), Outcome::Applied);
    assert_eq!(r.apply(&r.good(2)), Outcome::Applied);
}

#[test]
fn below_the_window_nothing_is_known_and_nothing_applies() {
    let mut r = Replica::new();
    let early = r.good(1);
    assert_eq!(r.apply(&early), Outcome::Applied);
    assert_eq!(r.apply(&r.good(WINDOW)), Outcome::Applied);
    assert_eq!(
        r.apply(&early),
        Outcome::Duplicate,
        "1 is the window's last"
    );
    assert_eq!(r.apply(&r.good(WINDOW + 1)), Outcome::Applied);
    assert_eq!(r.apply(&early), Outcome::OutcomeUnknown);
    assert_eq!(r.session(1), session::Freshness::BelowWindow);
    assert_eq!(r.session(2), session::Freshness::Fresh);
    // What was forgotten is gone from the store, and is not remembered anew.
    let sessions = r.rows(Column::Sessions);
    assert_eq!(sessions.len(), 3, "two sequences and the highest");
    assert_eq!(r.apply(&early), Outcome::OutcomeUnknown);
    assert_eq!(r.rows(Column::Sessions), sessions);
}

#[test]
fn the_last_sequence_of_all_leaves_the_window_below_it_open() {
    let mut r = Replica::new();
    assert_eq!(r.apply(&r.good(u64::MAX)), Outcome::Applied);
    assert_eq!(r.apply(&r.good(u64::MAX)), Outcome::Duplicate);
    assert_eq!(r.apply(&r.good(u64::MAX - 1)), Outcome::Applied);
    assert_eq!(r.apply(&r.good(u64::MAX - WINDOW + 1)), Outcome::Applied);
    assert_eq!(r.apply(&r.good(u64::MAX - WINDOW)), Outcome::OutcomeUnknown);
    assert_eq!(r.apply(&r.good(0)), Outcome::OutcomeUnknown);
}

#[test]
fn an_authors_sequences_are_his_own() {
    let mut r = Replica::new();
    assert_eq!(r.apply(&r.good(u64::MAX)), Outcome::Applied);
    let other = r.with(1, |h| {
        h.author = author(2).public();
        h.keyspace = KeyspaceId(2);
    });
    assert_eq!(r.apply(&other), Outcome::Applied);
}

#[test]
fn two_replicas_that_apply_one_list_agree_in_every_column() {
    let (mut a, mut b) = (Replica::new(), Replica::new());
    let mut list: Vec<SealedBatch> = refusals(&a, 1).into_iter().map(|(_, b)| b).collect();
    list.extend([1, 50, 3, 50, 2000, 40, u64::MAX, 7].map(|seq| a.good(seq)));
    list.push(signed(a.batch(60, &[1, 2, 3])));
    list.push(signed(a.batch(61, &[3, 9])));
    let outcomes: Vec<Outcome> = list.iter().map(|batch| a.apply(batch)).collect();
    // The other one restarts after every entry: it reads all it knows from its store.
    for (batch, expected) in list.iter().zip(outcomes) {
        b.machine = Keyspace::load(&b.store, &genesis(), SHARD).unwrap();
        assert_eq!(b.apply(batch), expected);
    }
    for column in Column::ALL {
        assert_eq!(a.rows(column), b.rows(column), "{}", column.name());
    }
    let root = |r: &Replica| tree::root(&r.store, SHARD, r.next).unwrap();
    assert_eq!(root(&a), root(&b));
}

#[test]
fn an_applied_batch_names_its_bulk_ciphertexts_and_a_refused_one_does_not() {
    let mut replica = Replica::new();
    let with_bulk = |replica: &Replica, seq: u64, digest: u8, change: fn(&mut Header)| {
        let mut batch = replica.with(seq, change);
        batch.slots[0].meta.op = Op::PutBulk;
        batch.bulk[0] = Some(BulkReference {
            digest: [digest; 32],
            length: 99,
        });
        signed(batch)
    };
    let named = |replica: &Replica, digest: u8| {
        super::bulk::is_referenced(&replica.store, SHARD, &[digest; 32]).unwrap()
    };
    let good = with_bulk(&replica, 1, 7, |_| {});
    assert!(!named(&replica, 7));
    assert_eq!(replica.apply(&good), Outcome::Applied);
    assert!(named(&replica, 7));
    let late = with_bulk(&replica, 2, 8, |h| h.valid_until = 0);
    assert_eq!(replica.apply(&late), Outcome::Expired);
    assert!(!named(&replica, 8));
    // Named once more: the first entry's row stays as it is.
    let before = replica.rows(Column::Bulk);
    let again = with_bulk(&replica, 3, 7, |_| {});
    assert_eq!(replica.apply(&again), Outcome::Applied);
    assert_eq!(replica.rows(Column::Bulk), before);
}
