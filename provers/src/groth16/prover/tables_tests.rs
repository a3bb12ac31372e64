use super::*;
use crate::groth16::prover::Prover;
use crate::groth16::{Cores, verify};
use crate::testing::{Circuit, random_circuit, small};
use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};

fn options(cache: Option<TableCache>, after_proofs: u32) -> ProverOptions {
    ProverOptions {
        kernel: Kernel::detect().unwrap(),
        budget: TableBudget::bytes(0),
        cache,
        after_proofs,
    }
}

fn prover(circuit: &Circuit, options: ProverOptions) -> Prover {
    Prover::new(circuit.key.clone(), circuit.r1cs.clone(), options).unwrap()
}

fn proves(prover: &Prover, circuit: &Circuit) -> bool {
    let proof = prover.prove(&circuit.assignment, Cores::One).unwrap();
    let key = circuit.key.prepared_verifying_key();
    verify(key, &circuit.assignment[1..3], &proof).is_ok()
}

#[test]
fn the_work_begins_with_the_proof_it_should_and_ends_in_a_folded_key() {
    let circuit = random_circuit();
    let prover = prover(circuit, options(None, 2));
    assert_eq!(prover.table_state(), TableState::Cold);
    assert!(proves(&prover, circuit));
    assert_eq!(prover.table_state(), TableState::Cold);
    assert!(proves(&prover, circuit));
    assert_ne!(prover.table_state(), TableState::Cold);
    let facts = prover.finish_tables();
    assert!(facts.folded && facts.cache == CacheUse::None);
    assert_eq!(prover.table_state(), TableState::Ready(facts));
    assert!(proves(&prover, circuit));
}

#[test]
fn a_second_prover_takes_the_fold_from_the_cache() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TableCache::new(directory.path());
    for expected in [CacheUse::Stored, CacheUse::Loaded] {
        let prover = prover(small(), options(Some(cache.clone()), 1));
        let facts = prover.finish_tables();
        assert_eq!((facts.folded, facts.cache), (true, expected));
        assert!(proves(&prover, small()));
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_reported_and_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a file, not a directory");
    std::fs::write(&file, b"").unwrap();
    let prover = prover(small(), options(Some(TableCache::new(file)), 1));
    let facts = prover.finish_tables();
    assert!(facts.folded && matches!(facts.cache, CacheUse::Unwritable(_)));
    assert!(proves(&prover, small()));
}

#[test]
fn a_whole_file_with_a_wrong_point_is_found_out_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TableCache::new(directory.path());
    let circuit = random_circuit();
    let derived = prover(circuit, options(Some(cache.clone()), 1));
    assert_eq!(derived.finish_tables().cache, CacheUse::Stored);
    let right = cache
        .load(&circuit.key, circuit.r1cs.variables())
        .expect("it was stored");
    let mut wrong = right.clone();
    wrong[7] = (wrong[7] + G1Affine::generator()).into_affine();
    cache.store(&circuit.key, &wrong).unwrap();

    let prover = prover(circuit, options(Some(cache.clone()), 1));
    assert_eq!(prover.finish_tables().cache, CacheUse::Stored);
    assert!(proves(&prover, circuit));
    assert!(cache.load(&circuit.key, right.len()).unwrap() == right);
}

#[test]
fn proofs_verify_with_no_half_and_full_tables_on_every_kernel_and_the_budget_is_kept() {
    let circuit = random_circuit();
    for kernel in Kernel::all() {
        let with = |budget: &TableBudget| {
            let budget = budget.clone();
            let prover = prover(
                circuit,
                ProverOptions {
                    kernel,
                    budget,
                    ..options(None, 1)
                },
            );
            let facts = prover.finish_tables();
            assert!(facts.folded && proves(&prover, circuit));
            (prover, facts.bytes)
        };
        let plenty = TableBudget::bytes(1 << 30);
        let (full, most) = with(&plenty);
        assert!(most > 0 && plenty.used() == most);
        drop(full);
        assert_eq!(plenty.used(), 0);
        let half = TableBudget::bytes(most / 2);
        let (first, bytes) = with(&half);
        assert!(bytes > 0 && bytes <= most / 2 && half.used() == bytes);
        // What is left is too little for another prover's tables, and it proves all the same.
        let (_second, rest) = with(&half);
        assert!(rest <= most / 2 - bytes);
        drop(first);
        assert_eq!(with(&TableBudget::bytes(0)).1, 0);
    }
}

#[test]
fn a_dropped_prover_ends_its_work() {
    let circuit = random_circuit();
    let prover = prover(circuit, options(None, 1));
    assert!(proves(&prover, circuit));
    let inner = prover.inner.clone();
    drop(prover);
    // Whoever still waits is woken.
    inner.tables.finish(&inner);
}
