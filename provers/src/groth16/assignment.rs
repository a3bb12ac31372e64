//! A full assignment: the constant one, the public inputs, the witness.
//!
//! Invariant: the buffer is zeroised when dropped. No `Debug`, no `Clone`: a witness is not printed or
//! copied by habit.

use ark_bn254::Fr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Owns a full assignment, 1 first, of a circuit's [`variables`](crate::R1cs::variables) field elements.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Assignment(Vec<Fr>);

impl Assignment {
    /// Takes the buffer; a copy the caller keeps elsewhere is the caller's to erase.
    pub fn new(values: Vec<Fr>) -> Self {
        Self(values)
    }

    pub fn as_slice(&self) -> &[Fr] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_witness_buffer_is_erased_on_drop_and_on_demand() {
        fn zeroised_on_drop<T: ZeroizeOnDrop>(_: &T) {}
        let mut assignment = Assignment::new(vec![Fr::from(1u64), Fr::from(7u64)]);
        zeroised_on_drop(&assignment);
        assignment.zeroize();
        assert!(assignment.as_slice().is_empty());
    }
}
