//! ark-groth16 0.6 with its features `parallel` and (ark-ff) `asm`: as shipped, with a constraint system synthesised
//! for every proof, and with the matrices and the witness at hand.

use crate::Peer;
use crate::instance::Instance;
use crate::reduction::CircomReduction;
use crate::threads;
use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, Proof};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use ukehi_suite::worker::{Proven, Warm};

pub const SHIPPED: &str = "ark-groth16";
pub const CACHED: &str = "ark-groth16-cached";

type Prover = Groth16<Bn254, CircomReduction>;

pub struct Shipped(Instance);

pub struct Cached(Instance);

/// The circuit as a program that synthesises it: a row at a time, its terms ready. A program with gadgets would take
/// longer; this is the least that synthesis can cost.
struct Rows<'a>(&'a Instance);

impl ConstraintSynthesizer<Fr> for Rows<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let Instance {
            r1cs, assignment, ..
        } = self.0;
        let instance = r1cs.instance_variables();
        for value in &assignment[1..instance] {
            let _ = cs.new_input_variable(|| Ok(*value))?;
        }
        for value in &assignment[instance..] {
            let _ = cs.new_witness_variable(|| Ok(*value))?;
        }
        let variable = |at: usize| match at {
            0 => Variable::One,
            at if at < instance => Variable::instance(at),
            at => Variable::witness(at - instance),
        };
        let combination = |row: &[(Fr, usize)]| {
            LinearCombination(row.iter().map(|(c, at)| (*c, variable(*at))).collect())
        };
        let [a, b, c] = r1cs.matrices();
        for ((a, b), c) in a.iter().zip(b).zip(c) {
            cs.enforce_r1cs_constraint(|| combination(a), || combination(b), || combination(c))?;
        }
        Ok(())
    }
}

impl Shipped {
    pub fn new(instance: Instance) -> Self {
        Self(instance)
    }
}

impl Peer for Shipped {
    fn inputs(&self) -> &[Fr] {
        self.0.inputs()
    }
}

impl Warm for Shipped {
    fn name(&self) -> String {
        "ark-groth16 0.6, parallel and asm, as shipped".into()
    }

    fn prove(&self, threads: usize) -> Result<Proven, String> {
        let mut rng = rng()?;
        let proof = threads::with(threads, || {
            Prover::create_random_proof_with_reduction(Rows(&self.0), &self.0.key, &mut rng)
        })?;
        proven(&proof.map_err(|e| e.to_string())?)
    }
}

impl Cached {
    pub fn new(instance: Instance) -> Self {
        Self(instance)
    }
}

impl Peer for Cached {
    fn inputs(&self) -> &[Fr] {
        self.0.inputs()
    }
}

impl Warm for Cached {
    fn name(&self) -> String {
        "ark-groth16 0.6, parallel and asm, matrices and witness at hand".into()
    }

    fn prove(&self, threads: usize) -> Result<Proven, String> {
        let Instance {
            key,
            r1cs,
            assignment,
        } = &self.0;
        let mut rng = rng()?;
        let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
        let proof = threads::with(threads, || {
            Prover::create_proof_with_reduction_and_matrices(
                key,
                r,
                s,
                r1cs.matrices(),
                r1cs.instance_variables(),
                r1cs.constraints(),
                assignment,
            )
        })?;
        proven(&proof.map_err(|e| e.to_string())?)
    }
}

/// Seeded by the operating system.
pub fn rng() -> Result<StdRng, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| e.to_string())?;
    Ok(StdRng::from_seed(seed))
}

pub fn proven(proof: &Proof<Bn254>) -> Result<Proven, String> {
    let mut bytes = [0; 128];
    proof
        .serialize_compressed(bytes.as_mut_slice())
        .map_err(|e| e.to_string())?;
    Ok(Proven {
        proof: bytes,
        stages: Vec::new(),
    })
}
