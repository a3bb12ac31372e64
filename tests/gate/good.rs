//! What the gate lets in, and what it cannot judge.

use crate::world::{SHARD, WORLD, Word, judge, judge_all, word};
use std::sync::Arc;
use ukehi::batch::{BatchVerifier, Groth16Verifier, NotYet, SealedBatch, Verdict};
use ukehi::ids::ShardId;
use ukehi_circuits::shape::Form;

#[test]
fn honest_batches_of_both_shapes_are_accepted() {
    let world = &*WORLD;
    assert_eq!((world.one.slots.len(), world.three.slots.len()), (1, 3));
    for batch in [&world.one, &world.three, &world.again, &world.others] {
        let Verdict::Valid(verified) = judge(batch) else {
            panic!("{batch:?} is refused");
        };
        assert_eq!(verified.batch(), batch);
        assert_eq!(verified.bytes(), batch.to_bytes());
        let x = batch
            .statement(Form::without_cells(world.shape(batch)))
            .unwrap()
            .x();
        assert_eq!(*verified.x(), x);
        assert_eq!(verified.statement().x(), x);
    }
}

#[test]
fn a_gate_without_the_circuits_key_gives_no_verdict_and_accuses_nobody() {
    let world = &*WORLD;
    // A node that holds the eight-slot circuit's key only.
    let eight = Groth16Verifier::new(&world.manifests[1..]).unwrap();
    let verifier = BatchVerifier::new(world.genesis.clone(), SHARD, Arc::new(eight));
    let verdicts = verifier.verify(&[world.one.to_bytes().into(), world.three.to_bytes().into()]);
    assert!(matches!(
        verdicts[0],
        Verdict::NotYet(NotYet::UnknownCircuit { .. })
    ));
    assert_eq!(word(&verdicts[1]), Word::Valid);
}

#[test]
fn a_batch_of_this_cluster_is_refused_in_another_and_in_another_shard() {
    let world = &*WORLD;
    let mut genesis = (*world.genesis).clone();
    genesis.nonce[0] ^= 1;
    let other_cluster = BatchVerifier::new(Arc::new(genesis), SHARD, world.proofs.clone());
    let other_shard = BatchVerifier::new(world.genesis.clone(), ShardId(7), world.proofs.clone());
    for (name, batch) in world.subjects() {
        let bytes: Arc<[u8]> = batch.to_bytes().into();
        let verdict = other_cluster
            .verify(std::slice::from_ref(&bytes))
            .pop()
            .unwrap();
        assert_eq!(word(&verdict), Word::Cluster, "{name}");
        let verdict = other_shard.verify(&[bytes]).pop().unwrap();
        assert_eq!(word(&verdict), Word::Shard, "{name}");
    }
}

#[test]
fn one_bad_batch_among_64_good_ones_is_the_only_one_named() {
    let world = &*WORLD;
    let good = [&world.one, &world.three, &world.again, &world.others];
    let mut bad = world.one.clone();
    bad.proof = world.again.proof;
    for at in [0, 29, 64] {
        let mut batches: Vec<SealedBatch> = (0..64).map(|i| good[i % 4].clone()).collect();
        batches.insert(at, bad.clone());
        let mut expected = vec![Word::Valid; 65];
        expected[at] = Word::Proof;
        assert_eq!(judge_all(&batches), expected, "bad at {at}");
    }
}
