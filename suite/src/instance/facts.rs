//! What a circuit and its assignment look like, counted.

use ark_ff::{AdditiveGroup, Field};
use serde::{Deserialize, Serialize};
use ukehi_provers::{Fr, R1cs};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub constraints: usize,
    /// With the constant and the public inputs.
    pub variables: usize,
    pub public_inputs: usize,
    pub domain: usize,
    /// Non-zero coefficients of A, B and C.
    pub terms: [usize; 3],
    /// Variables that are 0 or 1: a prover need not multiply them.
    pub bits: usize,
}

impl Facts {
    #[must_use]
    pub fn of(r1cs: &R1cs, assignment: &[Fr]) -> Self {
        let is_bit = |value: &&Fr| **value == Fr::ZERO || **value == Fr::ONE;
        Self {
            constraints: r1cs.constraints(),
            variables: r1cs.variables(),
            public_inputs: r1cs.public_inputs(),
            domain: r1cs.domain_size(),
            terms: r1cs
                .matrices()
                .each_ref()
                .map(|m| m.iter().map(Vec::len).sum()),
            bits: assignment.iter().filter(is_bit).count(),
        }
    }

    /// Terms of A, B and C together, a row.
    #[must_use]
    pub fn terms_per_row(&self) -> f64 {
        self.terms.iter().sum::<usize>() as f64 / self.constraints as f64
    }

    /// Share of the variables that are 0 or 1.
    #[must_use]
    pub fn bit_share(&self) -> f64 {
        self.bits as f64 / self.variables as f64
    }
}
