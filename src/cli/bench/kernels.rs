//! What one core does: sealing, proving, verifying, hashing.

use super::{Figure, median, shapes};
use crate::cli::progress::Progress;
use crate::cli::set_up::set_up;
use crate::error::Failure;
use crate::params::{self, Circuit};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use ukehi_circuits::{F, poseidon};
use ukehi_provers::batch_verify::{BatchItem, verify_batch};
use ukehi_provers::groth16::{Cores, Groth16Proof, PreparedVerifyingKey, verify};

const PROOFS: usize = 5;
const VERIFICATIONS: usize = 50;
const BATCH: usize = 64;
const PERMUTATIONS: usize = 2_000;

pub struct Bench {
    circuits: Vec<Arc<Circuit>>,
}

impl Bench {
    /// Makes dev parameters of its own.
    pub fn prepare(directory: &Path) -> Result<Self, Failure> {
        let directory = directory.join("params");
        std::fs::create_dir_all(&directory).map_err(Failure::runtime)?;
        let manifests = set_up(&directory, &params::CircuitName::opaque_short())?;
        let ids: Vec<_> = manifests.iter().map(|m| m.circuit_id()).collect();
        Ok(Self {
            circuits: params::load_all(&directory, &ids)?,
        })
    }

    pub fn measure(&self) -> Result<Vec<Figure>, Failure> {
        let mut figures = Vec::new();
        let mut progress = Progress::new("kernels", 4);
        for (circuit, name) in self.circuits.iter().zip([
            "seal and prove, per command, N=1, one core",
            "seal and prove, per command, N=8, one core",
        ]) {
            let commands = circuit.shape.slots();
            let samples = (0..PROOFS)
                .map(|_| {
                    let started = Instant::now();
                    black_box(self.proof(circuit)?);
                    Ok(started.elapsed().as_secs_f64() * 1e3 / commands as f64)
                })
                .collect::<Result<_, Failure>>()?;
            figures.push(Figure::new(name, median(samples), "ms", PROOFS));
            progress.add(1);
        }
        figures.extend(self.verifications()?);
        progress.add(1);
        figures.push(permutation());
        progress.add(1);
        progress.finish();
        Ok(figures)
    }

    /// With the statement it is of.
    fn proof(&self, circuit: &Circuit) -> Result<(F, Groth16Proof), Failure> {
        let assignment =
            shapes::assignment(circuit.policy, circuit.shape).map_err(Failure::runtime)?;
        let (prover, z) = (circuit.prover(), assignment.as_slice());
        let proof = prover.prove(z, Cores::One).map_err(Failure::runtime)?;
        let statement = prover.statement(z).map_err(Failure::runtime)?;
        Ok((statement[0], proof))
    }

    fn verifications(&self) -> Result<Vec<Figure>, Failure> {
        let circuit = &self.circuits[0];
        let key = PreparedVerifyingKey::new(circuit.key().verifying_key());
        let (x, proof) = self.proof(circuit)?;
        let single = (0..VERIFICATIONS)
            .map(|_| {
                let started = Instant::now();
                verify(&key, &[black_box(x)], &proof).map_err(Failure::runtime)?;
                Ok(started.elapsed().as_secs_f64() * 1e3)
            })
            .collect::<Result<_, Failure>>()?;
        let inputs = [x];
        let item = BatchItem {
            key: 0,
            inputs: &inputs,
            proof: &proof,
        };
        let items = vec![item; BATCH];
        let batched = (0..PROOFS)
            .map(|_| {
                let started = Instant::now();
                let verdict = verify_batch(&[&key], black_box(&items)).map_err(Failure::runtime)?;
                if !verdict.bad.is_empty() {
                    return Err(Failure::runtime("a good proof was refused"));
                }
                Ok(started.elapsed().as_secs_f64() * 1e3 / BATCH as f64)
            })
            .collect::<Result<_, Failure>>()?;
        Ok(vec![
            Figure::new("verify one proof", median(single), "ms", VERIFICATIONS),
            Figure::new(
                "verify, per proof, in batches of 64",
                median(batched),
                "ms",
                PROOFS,
            ),
        ])
    }
}

fn permutation() -> Figure {
    let mut state = [F::from(3u64); 9];
    let samples = (0..PERMUTATIONS)
        .map(|_| {
            let started = Instant::now();
            poseidon::permute(black_box(&mut state));
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    Figure::new(
        "Poseidon permutation, t=9",
        median(samples),
        "us",
        PERMUTATIONS,
    )
}
