//! Figures of verification: `cargo test --release -p ukehi-provers verify_timings -- --ignored --nocapture`. Time of this
//! thread on a CPU, so that others on the machine disturb little.

use std::hint::black_box;
use std::time::Duration;

use ark_bn254::{Bn254, Fr};
use ark_groth16::Groth16;

use crate::batch_verify::{BatchItem, verify_batch};
use crate::groth16::{CircomReduction, Groth16Proof, insecure_dev_setup, verify};
use crate::testing::random_r1cs;

/// CPU time of this thread.
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Median and least of several runs, in microseconds for each of `items`.
fn micros(runs: usize, items: usize, mut work: impl FnMut()) -> String {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = now();
            work();
            (now() - start).as_secs_f64() * 1e6 / items as f64
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    format!("{:.1} µs (least {:.1})", times[runs / 2], times[0])
}

#[test]
#[ignore = "measures; run by hand on a quiet machine"]
fn verification() {
    let (r1cs, z) = random_r1cs(1, 100, 1, 4);
    let (key, _) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
    let prepared = key.prepared_verifying_key();
    let inputs: &[Fr] = &z[1..2];
    let prove = |_| crate::groth16::reference::prove(&key, &r1cs, &z).unwrap();
    let proofs: Vec<Groth16Proof> = (0..256).map(prove).collect();
    let bytes: Vec<_> = proofs.iter().map(Groth16Proof::to_bytes).collect();
    let views: Vec<&[u8]> = bytes.iter().map(|b| &b[..]).collect();

    println!("each of 256 proofs, one thread:");
    println!(
        "  decode one by one: {}",
        micros(9, 256, || {
            for bytes in &views {
                black_box(Groth16Proof::from_bytes(bytes).unwrap());
            }
        })
    );
    println!(
        "  decode together: {}",
        micros(21, 256, || drop(black_box(Groth16Proof::from_bytes_many(
            &views
        ))))
    );
    println!(
        "  ark one by one: {}",
        micros(5, 256, || {
            for proof in &proofs {
                let points = proof.points();
                let good = Groth16::<Bn254, CircomReduction>::verify_proof(
                    &prepared.points,
                    points,
                    inputs,
                );
                assert!(good.unwrap());
            }
        })
    );
    println!(
        "  ours one by one: {}",
        micros(5, 256, || {
            proofs
                .iter()
                .for_each(|proof| verify(prepared, inputs, proof).unwrap());
        })
    );
    for size in [8, 64, 256] {
        let item = |proof| BatchItem {
            key: 0,
            inputs,
            proof,
        };
        let items: Vec<_> = proofs[..size].iter().map(item).collect();
        println!(
            "  batch of {size}: {}",
            micros(15, size, || {
                assert!(verify_batch(&[prepared], &items).unwrap().bad.is_empty());
            })
        );
    }
}
