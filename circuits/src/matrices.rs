//! Constraint matrices of a circuit, and assignments to its variables: all that a prover needs of this crate.
//!
//! Invariants: 1. variable 0 is the constant one, variable 1 the public input, then the private variables;
//! 2. the matrices depend on policy and shape alone. Knows nothing of Groth16.

use crate::F;
use crate::gadget::Rows;
use crate::policy::Policy;
use crate::seal::circuit;
use crate::seal::inputs::Inputs;
use crate::seal::{SealStatement, SealWitness};
use crate::shape::Shape;
use ark_ff::Field;
use zeroize::Zeroizing;

/// `A·z ∘ B·z = C·z`, one row per constraint: (coefficient, variable), by increasing variable.
pub struct Matrices {
    pub a: Vec<Vec<(F, usize)>>,
    pub b: Vec<Vec<(F, usize)>>,
    pub c: Vec<Vec<(F, usize)>>,
    /// The constant one and the public input: 2.
    pub num_instance_variables: usize,
    pub num_witness_variables: usize,
    pub num_constraints: usize,
}

impl Matrices {
    pub(crate) fn from_rows(rows: Rows, variables: usize) -> Self {
        Matrices {
            num_instance_variables: 2,
            num_witness_variables: variables - 2,
            num_constraints: rows.a.len(),
            a: rows.a,
            b: rows.b,
            c: rows.c,
        }
    }

    pub(crate) fn row_holds(&self, row: usize, assignment: &[F]) -> bool {
        let evaluate = |row: &[(F, usize)]| {
            row.iter()
                .map(|(c, variable)| *c * assignment[*variable])
                .sum::<F>()
        };
        evaluate(&self.a[row]) * evaluate(&self.b[row]) == evaluate(&self.c[row])
    }
}

/// A full assignment, one first, public input next. Zeroised on drop.
pub struct Assignment(Zeroizing<Vec<F>>);

impl Assignment {
    pub(crate) fn new(values: Zeroizing<Vec<F>>) -> Self {
        Assignment(values)
    }

    pub fn as_slice(&self) -> &[F] {
        &self.0
    }

    /// The public input.
    pub fn x(&self) -> F {
        self.0[1]
    }
}

/// The witness does not belong to the statement: no proof can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    #[error("the witness has {witness} slots, the statement {statement}")]
    SlotCount { statement: usize, witness: usize },
    #[error("the policy and the statement do not agree on cells")]
    OtherPolicy,
    #[error("the witness is not one of the statement under this policy")]
    Unsatisfied,
}

/// The matrices of `seal/v1` for a policy and a shape. Costs up to seconds: once per circuit.
pub fn circuit_matrices(policy: &dyn Policy, shape: Shape) -> Matrices {
    let (values, rows) = circuit::record(policy, &Inputs::blank(shape));
    Matrices::from_rows(rows, values.len())
}

/// The assignment that proves `statement`, without building matrices.
///
/// Most variables are computed so that their rows hold; the other rows, x among them, are evaluated on the way.
pub fn assignment(
    policy: &dyn Policy,
    statement: &SealStatement,
    witness: &SealWitness,
) -> Result<Assignment, AssignmentError> {
    let inputs = Inputs::new(policy, statement, witness)?;
    let (values, violated) = circuit::assign(policy, &inputs);
    if violated {
        return Err(AssignmentError::Unsatisfied);
    }
    Ok(Assignment(values))
}

/// The first row that `assignment` violates, or `None` if it satisfies them all. A wrong length violates row 0.
pub fn is_satisfied(matrices: &Matrices, assignment: &[F]) -> Option<usize> {
    let variables = matrices.num_instance_variables + matrices.num_witness_variables;
    if assignment.len() != variables || assignment[0] != F::ONE {
        return Some(0);
    }
    (0..matrices.num_constraints).find(|&row| !matrices.row_holds(row, assignment))
}

/// BLAKE3 of the matrices' canonical encoding: the counts, then A, B, C, each row as its length and its
/// (variable, coefficient) pairs; integers are 8 bytes, coefficients 32, little-endian.
pub fn matrix_digest(matrices: &Matrices) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("ukehi/matrices/v1");
    let counts = [
        matrices.num_instance_variables,
        matrices.num_witness_variables,
        matrices.num_constraints,
    ];
    let integer = |hasher: &mut blake3::Hasher, n: usize| {
        hasher.update(&(n as u64).to_le_bytes());
    };
    counts.iter().for_each(|count| integer(&mut hasher, *count));
    for row in matrices.a.iter().chain(&matrices.b).chain(&matrices.c) {
        integer(&mut hasher, row.len());
        for (coefficient, variable) in row {
            integer(&mut hasher, *variable);
            hasher.update(&crate::field::encode(coefficient));
        }
    }
    *hasher.finalize().as_bytes()
}
