//! What a circuit says about its variables, for the tangent check: which are given from outside, and which linear
//! combinations are published through a hash that ends in x.
//!
//! Invariant: notes never change a row or a value; without rows nothing is noted.

use super::{Builder, Num, Row};
use crate::F;
use crate::poseidon::{Domain, gadget::Lane};

/// The notes of one builder.
#[derive(Default)]
pub(crate) struct Notes {
    pub inputs: Vec<usize>,
    pub published: Vec<Row>,
}

impl Builder {
    /// A new private variable that is *given*: part of the statement or of the witness, computed from nothing. Every
    /// other variable must follow from the given ones ([`crate::tangent`] checks that to first order).
    pub fn input(&mut self, value: F) -> Num {
        let num = self.witness(value);
        if self.is_recording() {
            self.notes.inputs.push(self.values.len() - 1);
        }
        num
    }

    /// Notes what a hash publishes: the elements of x, and those of the leaves below it.
    pub(crate) fn note_hashed(&mut self, domain: Domain, inputs: &[Lane]) {
        use Domain::{CellLeaf, Leaf, Open, Policy, Statement};
        let publishes = matches!(domain, Statement | Leaf | CellLeaf | Open | Policy);
        if !publishes || !self.is_recording() {
            return;
        }
        for lane in inputs {
            if let Lane::Num(num) = lane {
                self.notes.published.push(num.terms.clone());
            }
        }
    }
}
