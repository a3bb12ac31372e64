//! The encryption of a batch: one key from the shared point, one keystream per slot.
//!
//! Invariants: 1. a keystream belongs to (K, slot number, meta), so no two slots of a batch share one; 2. the capacity
//! lane of a keystream permutation is never put out, so the keystream cannot be run backwards to K.
//! Knows nothing of who holds the reading key.

use crate::F;
use crate::curve::Point;
use crate::gadget::{Builder, Num, edwards::PointNum};
use crate::poseidon::{self, Domain, gadget::Lane};
use ark_ff::AdditiveGroup;
use zeroize::Zeroize;

/// State width of a keystream permutation of the short class: seven elements a block.
const WIDTH: usize = 8;

/// Inputs of a keystream block: K, j, meta, block number.
const INPUTS: usize = 4;

/// K = H(S, ctx).
pub(crate) fn content_key(shared: &Point, ctx: F) -> F {
    poseidon::hash(Domain::Key, &[shared.x(), shared.y(), ctx])
}

/// Twin of [`content_key`].
pub(crate) fn constrain_content_key(builder: &mut Builder, shared: &PointNum, ctx: &Num) -> Num {
    poseidon::gadget::hash(
        builder,
        Domain::Key,
        &[
            Lane::from(&shared.x),
            Lane::from(&shared.y),
            Lane::from(ctx),
        ],
    )
}

/// `len` keystream elements of a slot: block b is lanes 1..=7 of the permutation of (tag; K, j, meta, b, 0, 0, 0).
pub(crate) fn keystream(key: F, slot: usize, meta: F, len: usize) -> Vec<F> {
    let mut stream = Vec::with_capacity(len);
    let mut block = 0u64;
    while stream.len() < len {
        let mut state = [F::ZERO; WIDTH];
        state[0] = Domain::Keystream.capacity(INPUTS);
        state[1..=INPUTS].copy_from_slice(&[key, F::from(slot as u64), meta, F::from(block)]);
        poseidon::permute(&mut state);
        let take = (len - stream.len()).min(WIDTH - 1);
        stream.extend_from_slice(&state[1..=take]);
        state.zeroize();
        block += 1;
    }
    stream
}

/// Twin of [`keystream`].
pub(crate) fn constrain_keystream(
    builder: &mut Builder,
    key: &Num,
    slot: usize,
    meta: &Num,
    len: usize,
) -> Vec<Num> {
    let mut stream = Vec::with_capacity(len);
    let mut block = 0u64;
    while stream.len() < len {
        let mut state = vec![Lane::Constant(F::ZERO); WIDTH];
        state[0] = Lane::Constant(Domain::Keystream.capacity(INPUTS));
        state[1] = Lane::from(key);
        state[2] = Lane::Constant(F::from(slot as u64));
        state[3] = Lane::from(meta);
        state[4] = Lane::Constant(F::from(block));
        let take = (len - stream.len()).min(WIDTH - 1);
        stream.extend(
            poseidon::gadget::permute(builder, &state)
                .into_iter()
                .skip(1)
                .take(take),
        );
        block += 1;
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::{element, first_violation};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn both_keystreams_agree_over_several_blocks(key in element(), meta in element(), slot in 0usize..64, len in 1usize..=37) {
            let native = keystream(key, slot, meta, len);
            prop_assert_eq!(native.len(), len);
            let mut builder = Builder::recording();
            let (key, meta) = (builder.witness(key), builder.witness(meta));
            let constrained = constrain_keystream(&mut builder, &key, slot, &meta, len);
            prop_assert_eq!(constrained.iter().map(Num::value).collect::<Vec<_>>(), native);
            prop_assert_eq!(first_violation(builder), None);
        }
    }

    #[test]
    fn a_keystream_depends_on_key_slot_meta_and_block() {
        let base = keystream(F::from(1u8), 2, F::from(3u8), 14);
        assert_ne!(base, keystream(F::from(9u8), 2, F::from(3u8), 14));
        assert_ne!(base, keystream(F::from(1u8), 9, F::from(3u8), 14));
        assert_ne!(base, keystream(F::from(1u8), 2, F::from(9u8), 14));
        assert_ne!(base[..7], base[7..]);
    }
}
