//! Leaves of a batch and its 8-ary tree.
//!
//! Invariants: 1. a leaf covers a group of slots and has one input length per shape, whichever slots are active;
//! 2. the shape fixes depth and arity of every node, so a node is never read as a leaf or as one of another arity.
//! Knows nothing of what an element stands for.

mod path;

pub use path::{PathError, path, root_from_path};

use crate::F;
use crate::gadget::{Builder, Num};
use crate::poseidon::{self, Domain, gadget::Lane};

/// Most children of a node.
pub const ARITY: usize = 8;

/// `H_Leaf` over a group: per slot its route, then its ciphertext; zeros for an inactive slot.
pub fn leaf(group: &[F]) -> F {
    poseidon::hash(Domain::Leaf, group)
}

/// [`leaf`] of every `elements` inputs in turn.
pub fn leaves(elements: usize, groups: &[F]) -> Vec<F> {
    poseidon::hash_each(Domain::Leaf, elements, groups)
}

/// Twin of [`leaf`].
pub(crate) fn constrain_leaf(builder: &mut Builder, group: &[Num]) -> Num {
    let inputs: Vec<Lane> = group.iter().map(Lane::from).collect();
    poseidon::gadget::hash(builder, Domain::Leaf, &inputs)
}

/// `H_CellLeaf`(leaf, then op, old and new commitment of each slot): the leaf of a group whose policy has cells.
pub fn cell_leaf(leaf: F, slots: &[[F; 3]]) -> F {
    cell_leaves(&[leaf], slots)[0]
}

/// [`cell_leaf`] of several groups, of as many slots each.
pub fn cell_leaves(leaves: &[F], slots: &[[F; 3]]) -> Vec<F> {
    let slots_each = slots.len() / leaves.len();
    let mut inputs = Vec::with_capacity(leaves.len() + 3 * slots.len());
    for (leaf, slots) in leaves.iter().zip(slots.chunks_exact(slots_each)) {
        inputs.push(*leaf);
        inputs.extend_from_slice(slots.as_flattened());
    }
    poseidon::hash_each(Domain::CellLeaf, 1 + 3 * slots_each, &inputs)
}

/// Twin of [`cell_leaf`].
pub(crate) fn constrain_cell_leaf(builder: &mut Builder, leaf: &Num, slots: &[[Num; 3]]) -> Num {
    let mut inputs = vec![Lane::from(leaf)];
    inputs.extend(slots.as_flattened().iter().map(Lane::from));
    poseidon::gadget::hash(builder, Domain::CellLeaf, &inputs)
}

/// The root over the leaves, eight to a node, fewer in a level's only node; of one leaf, the leaf itself.
pub fn batch_root(leaves: &[F]) -> F {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        assert_full_nodes(level.len());
        let arity = level.len().min(ARITY);
        level = poseidon::hash_each(Domain::Node, arity, &level);
    }
    level.pop().expect("a batch has slots")
}

/// Twin of [`batch_root`].
pub(crate) fn constrain_batch_root(builder: &mut Builder, leaves: Vec<Num>) -> Num {
    let mut level = leaves;
    while level.len() > 1 {
        assert_full_nodes(level.len());
        let mut parents = Vec::with_capacity(level.len().div_ceil(ARITY));
        for children in level.chunks(ARITY) {
            let children: Vec<Lane> = children.iter().map(Lane::from).collect();
            parents.push(poseidon::gadget::hash(builder, Domain::Node, &children));
        }
        level = parents;
    }
    level.pop().expect("a batch has slots")
}

fn assert_full_nodes(level: usize) {
    assert!(
        level < ARITY || level.is_multiple_of(ARITY),
        "a level of a batch tree is one node or full nodes"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn a_root_depends_on_every_leaf_and_its_place() {
        let leaves: Vec<F> = (0..64u64).map(F::from).collect();
        for count in Shape::ALL.map(Shape::groups) {
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
