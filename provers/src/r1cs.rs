//! The constraint matrices of one circuit, as the prover wants them: built once per circuit, shared by
//! every proof.
//!
//! Invariants: 1. every index is a variable that exists; 2. the digest is that of the matrices held
//! (both are immutable). Knows nothing of how the matrices were synthesised.

use std::fmt;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};
use ark_groth16::r1cs_to_qap::evaluate_constraint;
use ark_relations::gr1cs::Matrix;

/// Largest QAP domain: the odd coset needs a domain twice as large, and BN254's scalar field has 2-adicity 28.
const MAX_DOMAIN: usize = 1 << 27;

/// Which of the three matrices an error speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatrixName {
    A,
    B,
    C,
}

/// Why three matrices are not a circuit this crate can prove.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum R1csError {
    #[error("matrices have {a}, {b} and {c} rows")]
    RowCounts { a: usize, b: usize, c: usize },
    #[error("a circuit without constraints")]
    NoConstraints,
    #[error("variable 0, the constant one, is not among the instance variables")]
    NoConstant,
    #[error("matrix {matrix:?}, row {row}: variable {variable} of {variables}")]
    VariableOutOfRange {
        matrix: MatrixName,
        row: usize,
        variable: usize,
        variables: usize,
    },
    #[error(
        "{constraints} constraints, {instance_variables} instance and {witness_variables} witness variables: \
         over the limit of a 2^27 domain and as many witness variables"
    )]
    TooLarge {
        constraints: usize,
        instance_variables: usize,
        witness_variables: usize,
    },
}

/// A circuit: ⟨A_i, z⟩ · ⟨B_i, z⟩ = ⟨C_i, z⟩ for every row i, where z is 1, the public inputs, the witness.
pub struct R1cs {
    matrices: [Matrix<Fr>; 3],
    instance_variables: usize,
    witness_variables: usize,
    domain_size: usize,
    digest: [u8; 32],
}

impl R1cs {
    /// Checks and takes the matrices. Rows are lists of (coefficient, variable); variables
    /// `0..instance_variables` are the constant one and the public inputs, the rest is the witness.
    pub fn new(
        a: Vec<Vec<(Fr, usize)>>,
        b: Vec<Vec<(Fr, usize)>>,
        c: Vec<Vec<(Fr, usize)>>,
        instance_variables: usize,
        witness_variables: usize,
    ) -> Result<Self, R1csError> {
        let constraints = a.len();
        if b.len() != constraints || c.len() != constraints {
            return Err(R1csError::RowCounts {
                a: constraints,
                b: b.len(),
                c: c.len(),
            });
        }
        if constraints == 0 {
            return Err(R1csError::NoConstraints);
        }
        if instance_variables == 0 {
            return Err(R1csError::NoConstant);
        }
        let domain_size = domain_size(constraints, instance_variables)
            .filter(|_| witness_variables <= MAX_DOMAIN)
            .ok_or(R1csError::TooLarge {
                constraints,
                instance_variables,
                witness_variables,
            })?;
        let variables = instance_variables + witness_variables;
        let matrices = [a, b, c];
        for (matrix, name) in matrices
            .iter()
            .zip([MatrixName::A, MatrixName::B, MatrixName::C])
        {
            check_indices(matrix, name, variables)?;
        }
        let digest = digest(&matrices, instance_variables, witness_variables);
        Ok(Self {
            matrices,
            instance_variables,
            witness_variables,
            domain_size,
            digest,
        })
    }

    /// Number of rows.
    pub fn constraints(&self) -> usize {
        self.matrices[0].len()
    }

    /// The constant one and the public inputs.
    pub fn instance_variables(&self) -> usize {
        self.instance_variables
    }

    /// Public inputs: field elements in the statement.
    pub fn public_inputs(&self) -> usize {
        self.instance_variables - 1
    }

    pub fn witness_variables(&self) -> usize {
        self.witness_variables
    }

    /// Length of a full assignment.
    pub fn variables(&self) -> usize {
        self.instance_variables + self.witness_variables
    }

    /// The QAP domain: constraints plus instance variables, rounded up to a power of two.
    pub fn domain_size(&self) -> usize {
        self.domain_size
    }

    /// The matrices A, B, C.
    pub fn matrices(&self) -> &[Matrix<Fr>; 3] {
        &self.matrices
    }

    /// BLAKE3 over the shape and every entry in order. It tells keys of different circuits apart; the
    /// circuit id that goes into the log is made by the circuits crate.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The first row that `assignment` breaks.
    ///
    /// # Panics
    /// If `assignment` is shorter than [`R1cs::variables`].
    pub fn first_unsatisfied(&self, assignment: &[Fr]) -> Option<usize> {
        let [a, b, c] = &self.matrices;
        a.iter().zip(b).zip(c).position(|((a, b), c)| {
            let product = evaluate_constraint(a, assignment) * evaluate_constraint(b, assignment);
            !(product - evaluate_constraint(c, assignment)).is_zero()
        })
    }
}

impl fmt::Debug for R1cs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("R1cs")
            .field("constraints", &self.constraints())
            .field("instance_variables", &self.instance_variables)
            .field("witness_variables", &self.witness_variables)
            .finish_non_exhaustive()
    }
}

fn domain_size(constraints: usize, instance_variables: usize) -> Option<usize> {
    constraints
        .checked_add(instance_variables)
        .and_then(usize::checked_next_power_of_two)
        .filter(|size| *size <= MAX_DOMAIN)
}

fn check_indices(matrix: &Matrix<Fr>, name: MatrixName, variables: usize) -> Result<(), R1csError> {
    for (row, terms) in matrix.iter().enumerate() {
        if let Some(&(_, variable)) = terms.iter().find(|(_, v)| *v >= variables) {
            return Err(R1csError::VariableOutOfRange {
                matrix: name,
                row,
                variable,
                variables,
            });
        }
    }
    Ok(())
}

fn digest(matrices: &[Matrix<Fr>; 3], instance: usize, witness: usize) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("ukehi/provers/r1cs/v1");
    let number = |n: usize| (n as u64).to_le_bytes();
    hasher.update(&number(instance));
    hasher.update(&number(witness));
    hasher.update(&number(matrices[0].len()));
    let mut encoded = Vec::new();
    for matrix in matrices {
        for row in matrix {
            encoded.clear();
            encoded.extend_from_slice(&number(row.len()));
            for (coefficient, variable) in row {
                encoded.extend_from_slice(&number(*variable));
                encoded.extend_from_slice(&coefficient.into_bigint().to_bytes_le());
            }
            hasher.update(&encoded);
        }
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(variable: usize) -> Vec<(Fr, usize)> {
        vec![(Fr::from(1u64), variable)]
    }

    /// x · x = y with y public.
    fn square() -> R1cs {
        R1cs::new(vec![row(2)], vec![row(2)], vec![row(1)], 2, 1).unwrap()
    }

    #[test]
    fn a_satisfied_assignment_breaks_no_row_and_a_wrong_one_names_its_row() {
        let values = |v: [u64; 3]| v.map(Fr::from);
        assert_eq!(square().first_unsatisfied(&values([1, 9, 3])), None);
        assert_eq!(square().first_unsatisfied(&values([1, 8, 3])), Some(0));
    }

    #[test]
    fn malformed_matrices_are_refused_with_what_is_wrong() {
        let error = |r: Result<R1cs, R1csError>| r.unwrap_err();
        assert_eq!(
            error(R1cs::new(vec![row(0)], vec![], vec![row(0)], 1, 0)),
            R1csError::RowCounts { a: 1, b: 0, c: 1 }
        );
        assert_eq!(
            error(R1cs::new(vec![row(0)], vec![row(0)], vec![], 1, 0)),
            R1csError::RowCounts { a: 1, b: 1, c: 0 }
        );
        assert_eq!(
            error(R1cs::new(vec![], vec![], vec![], 1, 0)),
            R1csError::NoConstraints
        );
        assert_eq!(
            error(R1cs::new(vec![row(0)], vec![row(0)], vec![row(0)], 0, 1)),
            R1csError::NoConstant
        );
        assert_eq!(
            error(R1cs::new(vec![row(0)], vec![row(0)], vec![row(3)], 2, 1)),
            R1csError::VariableOutOfRange {
                matrix: MatrixName::C,
                row: 0,
                variable: 3,
                variables: 3
            }
        );
        for (instance_variables, witness_variables) in
            [(MAX_DOMAIN, 0), (usize::MAX, 0), (1, MAX_DOMAIN + 1)]
        {
            let one = || vec![row(0)];
            assert_eq!(
                error(R1cs::new(
                    one(),
                    one(),
                    one(),
                    instance_variables,
                    witness_variables
                )),
                R1csError::TooLarge {
                    constraints: 1,
                    instance_variables,
                    witness_variables
                }
            );
        }
    }

    #[test]
    fn the_digest_sees_coefficients_variables_row_boundaries_and_the_split() {
        let one = |n: u64, v: usize| vec![(Fr::from(n), v)];
        let build = |a, instance, witness| {
            let n = Vec::len(&a);
            *R1cs::new(a, vec![vec![]; n], vec![vec![]; n], instance, witness)
                .unwrap()
                .digest()
        };
        let digests = [
            build(vec![one(1, 2), vec![]], 2, 1),
            build(vec![one(2, 2), vec![]], 2, 1),
            build(vec![one(1, 1), vec![]], 2, 1),
            build(vec![vec![], one(1, 2)], 2, 1),
            build(vec![one(1, 2), vec![]], 1, 2),
        ];
        for (i, digest) in digests.iter().enumerate() {
            assert!(!digests[i + 1..].contains(digest), "digest {i} repeats");
        }
        assert_eq!(square().digest(), square().digest());
    }

    #[test]
    fn the_domain_holds_the_constraints_and_the_instance() {
        let rows = |n: usize| vec![row(0); n];
        for (constraints, instance, expected) in [(1, 1, 2), (6, 2, 8), (7, 2, 16)] {
            let r1cs = R1cs::new(
                rows(constraints),
                rows(constraints),
                rows(constraints),
                instance,
                0,
            );
            assert_eq!(r1cs.unwrap().domain_size(), expected);
        }
    }
}
