//! Circuits written for arkworks: their matrices once, then an assignment for each proof.
//!
//! Invariant: both synthesise under the same goal, so that an assignment's variables are the matrices'.
//!
//! ```
//! use std::sync::Arc;
//! use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError};
//! use ukehi_provers::groth16::{Cores, Prover, ProverOptions, insecure_dev_setup, verify};
//! use ukehi_provers::kernel::Kernel;
//! use ukehi_provers::{Fr, arkworks};
//!
//! /// The public square of a secret number.
//! struct Square(Option<Fr>);
//!
//! impl ConstraintSynthesizer<Fr> for Square {
//!     fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
//!         let root = || self.0.ok_or(SynthesisError::AssignmentMissing);
//!         let square = cs.new_input_variable(|| Ok(root()? * root()?))?;
//!         let root = cs.new_witness_variable(root)?;
//!         let of = LinearCombination::from;
//!         cs.enforce_r1cs_constraint(|| of(root), || of(root), || of(square))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once per circuit. Matrices of one's own go through `R1cs::new` instead.
//! let r1cs = Arc::new(arkworks::r1cs(Square(None))?);
//! // For more than a trial take the key of a ceremony: `Prover::from_zkey_and_r1cs`.
//! let (key, _) = insecure_dev_setup(&r1cs, |_| {})?;
//! let prover = Prover::new(Arc::new(key), r1cs, ProverOptions::new(Kernel::detect()?))?;
//! // Once per proof.
//! let assignment = arkworks::assignment(Square(Some(Fr::from(9u64))))?;
//! let proof = prover.prove(assignment.as_slice(), Cores::One)?;
//! let statement = prover.statement(assignment.as_slice())?;
//! assert_eq!(statement, [Fr::from(81u64)]);
//! verify(prover.key().prepared_verifying_key(), statement, &proof)?;
//! # Ok(()) }
//! ```
//!
//! `iden3::write_r1cs` hands the same matrices to snarkjs, whose `groth16 setup` makes a `.zkey` of them.

use std::mem;

use ark_bn254::Fr;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, OptimizationGoal,
    R1CS_PREDICATE_LABEL, SynthesisError, SynthesisMode,
};
use zeroize::{Zeroize, Zeroizing};

use crate::groth16::Assignment;
use crate::{R1cs, R1csError};

/// Why a circuit has no matrices or assignment here.
#[derive(Debug, thiserror::Error)]
pub enum ArkworksError {
    #[error("the circuit cannot be synthesised: {0}")]
    Synthesis(#[from] SynthesisError),
    #[error("the circuit has constraints of the predicate {label:?}; only R1CS can be proven here")]
    NotR1cs { label: String },
    #[error(transparent)]
    R1cs(#[from] R1csError),
}

/// The circuit's matrices; its values are not asked for.
///
/// # Errors
/// [`ArkworksError`].
pub fn r1cs(circuit: impl ConstraintSynthesizer<Fr>) -> Result<R1cs, ArkworksError> {
    let cs = synthesised(circuit, SynthesisMode::Setup)?;
    cs.finalize();
    let mut matrices = cs.to_matrices()?;
    let r1cs = matrices.remove(R1CS_PREDICATE_LABEL).unwrap_or_default();
    if let Some((label, _)) = matrices.into_iter().find(|(_, rows)| has_rows(rows)) {
        return Err(ArkworksError::NotR1cs { label });
    }
    let [a, b, c]: [_; 3] = r1cs.try_into().unwrap_or_default();
    let (instance, witness) = (cs.num_instance_variables(), cs.num_witness_variables());
    Ok(R1cs::new(a, b, c, instance, witness)?)
}

fn has_rows(matrices: &[Vec<Vec<(Fr, usize)>>]) -> bool {
    matrices.iter().any(|matrix| !matrix.is_empty())
}

/// The values of the circuit's variables, without building matrices. What the circuit itself and its gadgets
/// keep of them is not erased here.
///
/// # Errors
/// [`ArkworksError::Synthesis`], for one if a value is missing.
pub fn assignment(circuit: impl ConstraintSynthesizer<Fr>) -> Result<Assignment, ArkworksError> {
    let mode = SynthesisMode::Prove {
        construct_matrices: false,
        generate_lc_assignments: false,
    };
    let cs = synthesised(circuit, mode)?;
    let mut cs = cs.borrow_mut().ok_or(SynthesisError::MissingCS)?;
    let instance = Zeroizing::new(mem::take(&mut cs.assignments.instance_assignment));
    let witness = Zeroizing::new(mem::take(&mut cs.assignments.witness_assignment));
    cs.assignments.lc_assignment.zeroize();
    let mut values = Vec::with_capacity(instance.len() + witness.len());
    values.extend_from_slice(&instance);
    values.extend_from_slice(&witness);
    Ok(Assignment::new(values))
}

fn synthesised(
    circuit: impl ConstraintSynthesizer<Fr>,
    mode: SynthesisMode,
) -> Result<ConstraintSystemRef<Fr>, SynthesisError> {
    let cs = ConstraintSystem::new_ref();
    // As ark-groth16 does: fewer constraints, denser rows.
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(mode);
    circuit.generate_constraints(cs.clone())?;
    Ok(cs)
}
