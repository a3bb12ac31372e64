//! Leaves of a batch and its 8-ary tree.
//!
//! Invariants: 1. a leaf of an active slot and EMPTY differ in the length their capacity lane fixes, so they cannot be
//! equal without a collision; 2. the shape fixes the depth, so a node is never read as a leaf.
//! Knows nothing of why a slot is active.

use crate::F;
use crate::gadget::{Builder, Num};
use crate::poseidon::{self, Domain, gadget::Lane};
use std::sync::LazyLock;

/// Children of a node.
pub const ARITY: usize = 8;

/// The leaf of an inactive slot: `H_Leaf` of nothing.
pub fn empty_leaf() -> F {
    static EMPTY: LazyLock<F> = LazyLock::new(|| poseidon::hash(Domain::Leaf, &[]));
    *EMPTY
}

/// `H_Leaf(meta, route, old cell, new cell, ct)`.
pub fn leaf(meta: F, route: F, cell: [F; 2], ct: &[F]) -> F {
    let mut inputs = vec![meta, route, cell[0], cell[1]];
    inputs.extend_from_slice(ct);
    poseidon::hash(Domain::Leaf, &inputs)
}

/// Twin of [`leaf`].
pub(crate) fn constrain_leaf(
    builder: &mut Builder,
    meta: &Num,
    route: &Num,
    cell: [Lane; 2],
    ct: &[Num],
) -> Num {
    let mut inputs = vec![Lane::from(meta), Lane::from(route)];
    inputs.extend(cell);
    inputs.extend(ct.iter().map(Lane::from));
    poseidon::gadget::hash(builder, Domain::Leaf, &inputs)
}

/// The root over a power of 8 leaves; of one leaf, the leaf itself. Panics for any other number.
pub fn batch_root(leaves: &[F]) -> F {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        assert!(
            level.len().is_multiple_of(ARITY),
            "a batch has a power of 8 slots"
        );
        level = level
            .chunks_exact(ARITY)
            .map(|children| poseidon::hash(Domain::Node, children))
            .collect();
    }
    level.pop().expect("a batch has slots")
}

/// Twin of [`batch_root`].
pub(crate) fn constrain_batch_root(builder: &mut Builder, leaves: Vec<Num>) -> Num {
    let mut level = leaves;
    while level.len() > 1 {
        assert!(
            level.len().is_multiple_of(ARITY),
            "a batch has a power of 8 slots"
        );
        let mut parents = Vec::with_capacity(level.len() / ARITY);
        for children in level.chunks_exact(ARITY) {
            let children: Vec<Lane> = children.iter().map(Lane::from).collect();
            parents.push(poseidon::gadget::hash(builder, Domain::Node, &children));
        }
        level = parents;
    }
    level.pop().expect("a batch has slots")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_depends_on_every_leaf_and_its_place() {
        let leaves: Vec<F> = (0..64u64).map(F::from).collect();
        for count in [1, 8, 64] {
            let root = batch_root(&leaves[..count]);
            for at in 0..count {
                let mut changed = leaves[..count].to_vec();
                changed[at] = F::from(1_000u64);
                assert_ne!(batch_root(&changed), root);
                changed.copy_from_slice(&leaves[..count]);
                changed.swap(at, (at + 1) % count);
                assert!(count == 1 || batch_root(&changed) != root);
            }
        }
        assert_eq!(batch_root(&leaves[5..6]), leaves[5]);
    }
}
