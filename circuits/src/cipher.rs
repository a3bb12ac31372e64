//! The encryption of a batch: one key from the shared point, one keystream per group of slots.
//!
//! Invariants: 1. a keystream belongs to (K, group), its elements to one slot each, so no two slots of a batch share
//! one; 2. the capacity lane of a keystream permutation is never put out, so the keystream cannot be run backwards to
//! K. K covers ctx, ctx the header and the header every slot's public word, so a keystream belongs to those as well.
//! Knows nothing of who holds the reading key.

use crate::F;
use crate::curve::Point;
use crate::gadget::{Builder, Num, edwards::PointNum};
use crate::poseidon::{self, Domain, MAX_WIDTH, RATE, gadget::Lane};
use ark_ff::AdditiveGroup;
use zeroize::{Zeroize, Zeroizing};

/// Inputs of a keystream block: K, group, block number.
const INPUTS: usize = 3;

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

/// `len` keystream elements of a group: block b is lanes 1..=16 of the permutation of (tag; K, group, b, 0, ...).
pub(crate) fn keystream(key: F, group: usize, len: usize) -> Zeroizing<Vec<F>> {
    let mut stream = Zeroizing::new(Vec::with_capacity(len));
    for block in 0..len.div_ceil(RATE) {
        let mut state = [F::ZERO; MAX_WIDTH];
        state[0] = Domain::Keystream.capacity(INPUTS);
        state[1..=INPUTS].copy_from_slice(&[key, F::from(group as u64), F::from(block as u64)]);
        poseidon::permute(&mut state);
        let take = (len - stream.len()).min(RATE);
        stream.extend_from_slice(&state[1..=take]);
        state.zeroize();
    }
    stream
}

/// Twin of [`keystream`]. `group` is a constant where the rows know which group they are about.
pub(crate) fn constrain_keystream(
    builder: &mut Builder,
    key: &Num,
    group: &Lane,
    len: usize,
) -> Vec<Num> {
    let mut stream = Vec::with_capacity(len);
    for block in 0..len.div_ceil(RATE) {
        let mut state = vec![Lane::Constant(F::ZERO); MAX_WIDTH];
        state[0] = Lane::Constant(Domain::Keystream.capacity(INPUTS));
        state[1] = Lane::from(key);
        state[2] = group.clone();
        state[3] = Lane::Constant(F::from(block as u64));
        let lanes = poseidon::gadget::permute(builder, &state);
        stream.extend(lanes.into_iter().skip(1).take(len - stream.len()));
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
        fn both_keystreams_agree_over_several_blocks(
            key in element(), group in 0usize..32, len in 1usize..=76, fixed in any::<bool>(),
        ) {
            let native = keystream(key, group, len);
            prop_assert_eq!(native.len(), len);
            let mut builder = Builder::recording();
            let key = builder.witness(key);
            let group = F::from(group as u64);
            let group = if fixed { Lane::Constant(group) } else { Lane::Num(builder.witness(group)) };
            let constrained = constrain_keystream(&mut builder, &key, &group, len);
            prop_assert_eq!(&constrained.iter().map(Num::value).collect::<Vec<_>>(), &*native);
            prop_assert_eq!(first_violation(builder), None);
        }
    }

    #[test]
    fn a_keystream_depends_on_key_group_and_block() {
        let base = keystream(F::from(1u8), 2, 32);
        assert_ne!(base, keystream(F::from(9u8), 2, 32));
        assert_ne!(base, keystream(F::from(1u8), 9, 32));
        assert_ne!(base[..16], base[16..]);
        assert_eq!(base[..20], keystream(F::from(1u8), 2, 20)[..], "a prefix");
    }
}
