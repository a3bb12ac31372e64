//! Cells under attack at the gate: an author who signs whatever he likes, beside a proof of an
//! honest transfer. What the store holds is apply's to compare (`keyspace::cells`).

use crate::world::{SHARD, Word, author, genesis, word};
use std::sync::Arc;
use ukehi::audit::snarkjs;
use ukehi::batch::{
    Anchor, BatchVerifier, Groth16Verifier, ProofVerifier, SIGNATURE_DOMAIN, SealedBatch,
};
use ukehi::client::cells::{transfer, update};
use ukehi::client::{SealError, Sealer};
use ukehi::genesis::{GenesisEpoch, GenesisFamily};
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::log::genesis_root;
use ukehi::params::{CircuitName, insecure_dev_params, load_all};
use ukehi::registry::Registry;
use ukehi::trust::TrustRoot;
use ukehi_circuits::F;
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::slot::SlotKey;
use ukehi_keys::{CircuitId, EpochSecret, RouteKey};
use ukehi_provers::pool::{Pool, PoolConfig};
use zeroize::Zeroizing;

pub struct Bank {
    pub sealer: Sealer,
    proofs: Arc<Groth16Verifier>,
    pub verifier: BatchVerifier,
    pub anchor: Anchor,
    opaque: CircuitId,
    trust: TrustRoot,
}

pub fn key(name: &str) -> SlotKey {
    SlotKey::new(name.as_bytes()).unwrap()
}

pub fn opening(value: u64, version: u64) -> CellOpening {
    CellOpening::new(value, version, F::from(11u64))
}

impl Bank {
    fn new() -> Self {
        Self::under("seal_cells-8-short-ledger")
    }

    /// Seals under this circuit of the ledger.
    pub fn under(ledger: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let names = ["seal-8-short-opaque", ledger].map(|n| n.parse::<CircuitName>().unwrap());
        let manifests = insecure_dev_params(dir.path(), &names, |_, _, _| {}).unwrap();
        let route = RouteKey::from_secret_bytes(&Zeroizing::new([9; 32])).unwrap();
        let mut genesis = genesis(&manifests, &route);
        let keyspace = &mut genesis.keyspaces[0];
        let secret = EpochSecret::from_secret_bytes(&Zeroizing::new([6; 32])).unwrap();
        let ledger = GenesisEpoch {
            id: EpochId(2),
            key: secret.public(),
            policy: "ledger".into(),
            ..keyspace.epochs[0].clone()
        };
        keyspace.epochs.push(ledger);
        keyspace.families.push(GenesisFamily {
            policy: "ledger".into(),
            authors: keyspace.authors.clone(),
        });
        let keyspace = keyspace.id;
        genesis.check().unwrap();
        let genesis = Arc::new(genesis);
        let ids = manifests.iter().map(|m| m.circuit_id()).collect::<Vec<_>>();
        let pool = Pool::new(PoolConfig {
            threads: 1,
            queue_limit: 2,
            nice: 0,
        });
        let circuits = load_all(dir.path(), &ids[1..]).unwrap();
        let registry = Arc::new(Registry::from_genesis(&genesis, SHARD));
        let (epoch, pool) = (EpochId(2), pool.unwrap());
        let proofs = Arc::new(Groth16Verifier::new(&manifests).unwrap());
        let anchor = Anchor {
            size: 1,
            root: genesis_root(genesis.cluster_id()),
        };
        Self {
            trust: TrustRoot {
                genesis: (*genesis).clone(),
                circuits: manifests,
            },
            verifier: BatchVerifier::new(genesis.clone(), SHARD, proofs.clone()),
            sealer: Sealer::new(genesis, registry, keyspace, epoch, route, circuits, pool).unwrap(),
            proofs,
            anchor,
            opaque: ids[0],
        }
    }

    /// Two cells and a third beside them, proven.
    fn honest(&self) -> SealedBatch {
        let from = (key("bank"), opening(100, 1));
        let moved = transfer(from, (key("clinic"), Some(opening(5, 4))), 30).unwrap();
        let author = author(1);
        let ticket = self.sealer.seal_commands(&author, 1, self.anchor, &moved);
        ticket.unwrap().finish(&author).unwrap().batch
    }

    /// The gate's word on a batch the author changed and signed anew.
    pub fn attacked(&self, honest: &SealedBatch, change: impl FnOnce(&mut SealedBatch)) -> Word {
        let mut batch = honest.clone();
        change(&mut batch);
        batch.header.slot_list = batch.slot_list();
        let form = self.proofs.form(&batch.header.circuit).unwrap();
        let x = batch.statement(form).map_or(F::from(0u64), |s| s.x());
        let (header, x) = batch.signed_parts(&x);
        batch.signature = author(1).sign(SIGNATURE_DOMAIN, &[&header, &x]);
        word(
            &self
                .verifier
                .verify(&[batch.to_bytes().into()])
                .pop()
                .unwrap(),
        )
    }
}

type Attack<'a> = &'a dyn Fn(&mut SealedBatch);

#[test]
fn no_signature_makes_a_ledger_proof_say_anything_else() {
    let bank = Bank::new();
    let honest = bank.honest();
    assert_eq!(bank.attacked(&honest, |_| ()), Word::Valid);
    let attacks: [(&str, Word, Attack<'_>); 9] = [
        (
            "a padding slot shown as a cell with a value",
            Word::Proof,
            &|b| {
                let mut minted = b.slots[1].clone();
                minted.route += F::from(1u64);
                b.slots.push(minted);
                b.bulk.push(None);
                b.header.slots = 3;
            },
        ),
        ("a slot left out", Word::Proof, &|b| {
            b.slots.truncate(1);
            b.bulk.truncate(1);
            b.header.slots = 1;
        }),
        ("one cell twice", Word::Statement, &|b| {
            b.slots[1].route = b.slots[0].route
        }),
        ("a live cell shown as created", Word::Proof, &|b| {
            b.slots[1].cell[0] = F::from(0u64)
        }),
        ("another old commitment", Word::Proof, &|b| {
            b.slots[0].cell[0] += F::from(1u64)
        }),
        ("another new commitment", Word::Proof, &|b| {
            b.slots[0].cell[1] += F::from(1u64)
        }),
        ("the cells exchanged", Word::Proof, &|b| {
            let [first, second] = [b.slots[0].cell, b.slots[1].cell];
            (b.slots[0].cell, b.slots[1].cell) = (second, first);
        }),
        ("another cell's route", Word::Proof, &|b| {
            b.slots[0].route += F::from(1u64)
        }),
        ("a circuit without cells", Word::Statement, &|b| {
            b.header.circuit = bank.opaque
        }),
    ];
    for (name, expected, attack) in attacks {
        assert_eq!(bank.attacked(&honest, attack), expected, "{name}");
    }
    // A keyspace of the same policy elsewhere: the header is in x.
    let elsewhere = |b: &mut SealedBatch| b.header.keyspace = KeyspaceId(2);
    assert_eq!(bank.attacked(&honest, elsewhere), Word::Proof);
}

#[test]
fn the_files_for_snarkjs_of_a_batch_with_cells_verify() {
    let bank = Bank::new();
    let batch = bank.honest();
    let (circuit, files) = snarkjs::files_of(&batch, &bank.trust, &[], 1).unwrap();
    assert_eq!(circuit, batch.header.circuit);
    let verified = snarkjs::check(&files, Some(&bank.trust)).unwrap();
    assert_eq!(
        (verified.public_inputs, verified.circuit),
        (1, Some(circuit))
    );
}

#[test]
fn an_author_who_would_make_value_gets_no_proof() {
    let bank = Bank::new();
    let author = author(1);
    for commands in [
        vec![update(key("a"), None, 1)],
        vec![update(key("a"), Some(opening(5, 1)), 6)],
        vec![
            update(key("a"), Some(opening(5, 1)), 0),
            update(key("b"), Some(opening(5, 1)), 11),
        ],
    ] {
        let sealed = bank
            .sealer
            .seal_commands(&author, 1, bank.anchor, &commands);
        let refused = matches!(sealed.err(), Some(SealError::Seal(_)));
        assert!(refused, "{} commands that make value", commands.len());
    }
}
