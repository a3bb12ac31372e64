//! Figures for the design's tables: `cargo test --release -p ukehi-provers timings -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ark_bn254::Fr;

use crate::batch_verify::{BatchItem, verify_batch};
use crate::groth16::reference::prove;
use crate::groth16::{ProvingKey, insecure_dev_setup, verify};
use crate::testing::random_r1cs;

fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 2]
}

#[test]
#[ignore = "measures; run by hand on a quiet machine"]
fn timings() {
    for log2 in [13u32, 14] {
        // A full domain, thirteen terms in each of A and B: about as dense as inlined Poseidon.
        let (r1cs, z) = random_r1cs(1, (1 << log2) - 2, 1, 13);
        let start = Instant::now();
        let (key, _) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
        println!("2^{log2}: set-up {:?}", start.elapsed());
        println!(
            "2^{log2}: prove {:?}",
            median(5, || assert!(black_box(prove(&key, &r1cs, &z)).is_ok()))
        );
        let bytes = key.to_bytes();
        println!(
            "2^{log2}: key of {} bytes decoded in {:?}",
            bytes.len(),
            median(3, || drop(black_box(
                ProvingKey::from_bytes(&bytes).unwrap()
            )))
        );
    }

    let (r1cs, z) = random_r1cs(1, 100, 1, 4);
    let (key, vk) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
    let inputs: &[Fr] = &z[1..2];
    let proofs: Vec<_> = (0..64).map(|_| prove(&key, &r1cs, &z).unwrap()).collect();
    let prepared = key.prepared_verifying_key();
    println!("vk of {} bytes", vk.to_bytes().len());
    println!(
        "verify: {:?}",
        median(50, || verify(prepared, inputs, &proofs[0]).unwrap())
    );
    println!(
        "decode: {:?}",
        median(50, || {
            let bytes = proofs[0].to_bytes();
            black_box(crate::groth16::Groth16Proof::from_bytes(&bytes).unwrap());
        })
    );
    for size in [8, 64] {
        let items: Vec<_> = proofs[..size]
            .iter()
            .map(|proof| BatchItem {
                key: 0,
                inputs,
                proof,
            })
            .collect();
        let whole = median(20, || {
            assert!(verify_batch(&[prepared], &items).unwrap().bad.is_empty())
        });
        println!("batch of {size}: {:?} each", whole / size as u32);
    }
}
