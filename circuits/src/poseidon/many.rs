//! Many hashes of one length, eight at a time where the CPU can.
//!
//! Invariant: the digests are those of [`hash`]. For public values only: vector code leaves copies in registers and on the
//! stack that nothing erases.

use super::{Domain, hash};
use crate::F;

/// [`hash`] of every `length` inputs in turn. Panics if `length` is 0 or the inputs do not divide into such pieces.
pub fn hash_each(domain: Domain, length: usize, inputs: &[F]) -> Vec<F> {
    assert!(
        length > 0 && inputs.len().is_multiple_of(length),
        "the inputs are whole pieces"
    );
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = super::lanes::available() {
        // One alone costs less without.
        if inputs.len() > length {
            return lanes.hash_each(domain, length, inputs);
        }
    }
    let pieces = inputs.chunks_exact(length);
    pieces.map(|piece| hash(domain, piece)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::element;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn hashes_together_are_those_alone(
            length in 1usize..40, count in 0usize..20, pool in prop::collection::vec(element(), 61),
        ) {
            let inputs: Vec<F> = pool.iter().cycle().take(length * count).copied().collect();
            let alone: Vec<F> = inputs.chunks(length).map(|piece| hash(Domain::Leaf, piece)).collect();
            prop_assert_eq!(hash_each(Domain::Leaf, length, &inputs), alone);
        }
    }
}
