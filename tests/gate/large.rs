//! Full batches under the circuits that are too large to set up in every run: one real proof each.

use crate::cells::{Bank, key, opening};
use crate::world::{SHARD, Word, author, genesis, sealer, word};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ukehi::batch::{
    Anchor, BatchVerifier, Groth16Verifier, SIGNATURE_DOMAIN, SealedBatch, Verdict, form_of,
};
use ukehi::client::Put;
use ukehi::client::cells::update;
use ukehi::log::genesis_root;
use ukehi::params::{CircuitName, insecure_dev_params};
use ukehi_circuits::F;
use ukehi_circuits::seal::SlotPlaintext;
use ukehi_keys::RouteKey;
use zeroize::Zeroizing;

/// The longest body of the long class.
const LONG: usize = 1_085;

fn judged(verifier: &BatchVerifier, batch: &SealedBatch) -> Verdict {
    verifier.verify(&[batch.to_bytes().into()]).remove(0)
}

#[test]
#[ignore = "over a minute, most of it set-up; by hand: cargo test --release --test gate -- --ignored --nocapture --test-threads 1"]
fn sixty_four_cells_move_under_one_proof_in_either_class() {
    ledger_of("seal_cells-64-short-ledger", 64);
    ledger_of("seal_cells-64-long-ledger", 64);
}

#[test]
#[ignore = "over a minute, most of it set-up; by hand: cargo test --release --test gate -- --ignored --nocapture --test-threads 1"]
fn eight_and_sixty_four_long_values_stand_under_one_proof() {
    long_of("seal-8-long-opaque", 8);
    long_of("seal-64-long-opaque", 64);
}

/// Each cell takes the value of the next one: all change, the sum stays.
fn moved(slots: u64) -> Vec<SlotPlaintext> {
    let cell = |i: u64| key(&format!("account/{i}"));
    let next = |i: u64| ((i + 1) % slots).pow(2);
    (0..slots)
        .map(|i| update(cell(i), Some(opening(i * i, 1)), next(i)))
        .collect()
}

fn ledger_of(circuit: &str, slots: u64) {
    let started = Instant::now();
    let bank = Bank::under(circuit);
    let set_up = started.elapsed();
    let started = Instant::now();
    let author = author(1);
    let ticket = bank
        .sealer
        .seal_commands(&author, 1, bank.anchor, &moved(slots));
    let batch = ticket.unwrap().finish(&author).unwrap().batch;
    report(circuit, set_up, started.elapsed());
    assert_eq!(batch.slots.len() as u64, slots);
    assert_eq!(word(&judged(&bank.verifier, &batch)), Word::Valid);
    let last = slots as usize - 1;
    let altered = bank.attacked(&batch, |b| b.slots[last].cell[1] += F::from(1u64));
    assert_eq!(altered, Word::Proof, "a commitment that was not proven");

    // One more than there was is not even sealed.
    let mut minted = moved(slots);
    let held = opening((slots - 1).pow(2), 1);
    minted[last] = update(key(&format!("account/{last}")), Some(held), 1);
    let refused = bank.sealer.seal_commands(&author, 2, bank.anchor, &minted);
    assert!(refused.is_err());
}

fn report(circuit: &str, set_up: Duration, proven: Duration) {
    eprintln!("{circuit}: set up in {set_up:.1?}, a full batch sealed and proven in {proven:.1?}");
}

fn long_of(circuit: &str, slots: usize) {
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let names = [circuit.parse::<CircuitName>().unwrap()];
    let manifests = insecure_dev_params(dir.path(), &names, |_, _, _| {}).unwrap();
    let route = || RouteKey::from_secret_bytes(&Zeroizing::new([9; 32])).unwrap();
    let genesis = Arc::new(genesis(&manifests, &route()));
    let sealer = sealer(&genesis, route(), dir.path());
    let set_up = started.elapsed();
    let proofs = Arc::new(Groth16Verifier::new(&manifests).unwrap());
    let verifier = BatchVerifier::new(genesis.clone(), SHARD, proofs);
    let anchor = Anchor {
        size: 1,
        root: genesis_root(genesis.cluster_id()),
    };
    let keys: Vec<String> = (0..slots).map(|i| format!("report/{i}")).collect();
    let value = vec![b'v'; LONG];
    let puts: Vec<Put<'_>> = keys
        .iter()
        .map(|key| Put::inline(key.as_bytes(), &value))
        .collect();
    let started = Instant::now();
    let ticket = sealer.seal(&author(1), 1, anchor, &puts).unwrap();
    let batch = ticket.finish(&author(1)).unwrap().batch;
    report(circuit, set_up, started.elapsed());
    assert_eq!(batch.slots.len(), slots);
    assert_eq!(word(&judged(&verifier, &batch)), Word::Valid);
    let mut altered = batch;
    altered.slots[slots - 1].ct[36] += F::from(1u64);
    let statement = altered.statement(form_of(&manifests[0]).unwrap()).unwrap();
    let (header, x) = altered.signed_parts(&statement.x());
    altered.signature = author(1).sign(SIGNATURE_DOMAIN, &[&header, &x]);
    assert_eq!(word(&judged(&verifier, &altered)), Word::Proof);
}
