//! taceo-groth16 0.2 (MIT/Apache-2.0), the prover of TACEO's circom tools.

use crate::Peer;
use crate::ark::{proven, rng};
use crate::instance::Instance;
use crate::threads;
use ark_bn254::{Bn254, Fr};
use ark_groth16::ProvingKey;
use ark_std::UniformRand;
use taceo_groth16::{CircomReduction, ConstraintMatrices, Groth16};
use ukehi_suite::worker::{Proven, Warm};

pub const NAME: &str = "taceo-groth16";

pub struct Taceo {
    key: ProvingKey<Bn254>,
    matrices: ConstraintMatrices<Fr>,
    assignment: Vec<Fr>,
}

impl Taceo {
    pub fn new(instance: Instance) -> Self {
        let Instance {
            key,
            r1cs,
            assignment,
        } = instance;
        let terms = r1cs
            .matrices()
            .each_ref()
            .map(|m| m.iter().map(Vec::len).sum());
        let [a, b, c] = r1cs.matrices().clone();
        Self {
            key,
            matrices: ConstraintMatrices {
                num_instance_variables: r1cs.instance_variables(),
                num_witness_variables: r1cs.witness_variables(),
                num_constraints: r1cs.constraints(),
                a_num_non_zero: terms[0],
                b_num_non_zero: terms[1],
                c_num_non_zero: terms[2],
                a,
                b,
                c,
            },
            assignment,
        }
    }
}

impl Peer for Taceo {
    fn inputs(&self) -> &[Fr] {
        &self.assignment[1..self.matrices.num_instance_variables]
    }
}

impl Warm for Taceo {
    fn name(&self) -> String {
        "taceo-groth16 0.2, matrices and witness at hand".into()
    }

    fn prove(&self, threads: usize) -> Result<Proven, String> {
        let mut rng = rng()?;
        let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
        let proof = threads::with(threads, || {
            Groth16::<Bn254>::prove::<CircomReduction>(
                &self.key,
                r,
                s,
                &self.matrices,
                &self.assignment,
            )
        })?;
        proven(&proof.map_err(|e| e.to_string())?)
    }
}
