//! One leaf's place in a batch tree, for a stranger who holds a single group: siblings in, root out.
//!
//! Invariant: a path has exactly the levels and siblings that the number of leaves calls for, so a leaf is shown at one
//! index and at no other.

use super::ARITY;
use crate::F;
use crate::poseidon::{self, Domain};

/// Why siblings are not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("leaf {index} of a tree of {leaves}")]
    Index { index: usize, leaves: usize },
    #[error("a path of {found} levels, the tree has {expected}")]
    Levels { expected: usize, found: usize },
    #[error("{found} siblings at level {level}, the tree has {expected}")]
    Siblings {
        level: usize,
        expected: usize,
        found: usize,
    },
}

/// Nodes at each level below the root, leaves first.
fn levels(leaves: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(leaves), |nodes| Some(nodes.div_ceil(ARITY)))
        .take_while(|nodes| *nodes > 1)
}

/// The siblings of leaf `index`, from the leaves up, each level left to right. Panics if there is no such leaf.
pub fn path(leaves: &[F], index: usize) -> Vec<Vec<F>> {
    assert!(index < leaves.len(), "leaf {index} is outside the tree");
    let (mut level, mut at) = (leaves.to_vec(), index);
    let mut path = Vec::new();
    while level.len() > 1 {
        let mut siblings = level
            .chunks(ARITY)
            .nth(at / ARITY)
            .expect("the index is within the level")
            .to_vec();
        siblings.remove(at % ARITY);
        path.push(siblings);
        level = level
            .chunks(ARITY)
            .map(|children| poseidon::hash(Domain::Node, children))
            .collect();
        at /= ARITY;
    }
    path
}

/// The root of a tree of `leaves` leaves in which `leaf` stands at `index` among these siblings.
pub fn root_from_path(
    leaf: F,
    index: usize,
    leaves: usize,
    path: &[Vec<F>],
) -> Result<F, PathError> {
    if index >= leaves {
        return Err(PathError::Index { index, leaves });
    }
    let expected = levels(leaves).count();
    if path.len() != expected {
        let found = path.len();
        return Err(PathError::Levels { expected, found });
    }
    let (mut hash, mut at) = (leaf, index);
    for (level, (nodes, siblings)) in levels(leaves).zip(path).enumerate() {
        let first = at / ARITY * ARITY;
        let expected = (nodes - first).min(ARITY) - 1;
        if siblings.len() != expected {
            return Err(PathError::Siblings {
                level,
                expected,
                found: siblings.len(),
            });
        }
        let mut children = siblings.clone();
        children.insert(at % ARITY, hash);
        hash = poseidon::hash(Domain::Node, &children);
        at /= ARITY;
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::super::batch_root;
    use super::*;
    use ark_ff::Field;

    #[test]
    fn a_path_leads_every_leaf_to_the_root_from_its_own_place_only() {
        for count in [1usize, 4, 8, 32] {
            let leaves: Vec<F> = (1..=count as u64).map(F::from).collect();
            let root = batch_root(&leaves);
            for index in 0..count {
                let path = path(&leaves, index);
                assert_eq!(root_from_path(leaves[index], index, count, &path), Ok(root));
                for other in (0..count).filter(|other| *other != index) {
                    assert_ne!(root_from_path(leaves[index], other, count, &path), Ok(root));
                }
                for level in 0..path.len() {
                    for at in 0..path[level].len() {
                        let mut changed = path.clone();
                        changed[level][at] += F::ONE;
                        assert_ne!(
                            root_from_path(leaves[index], index, count, &changed),
                            Ok(root)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_path_of_another_form_is_refused() {
        let leaves: Vec<F> = (1..=32u64).map(F::from).collect();
        let path = path(&leaves, 9);
        let refused = |index, leaves, path: &[Vec<F>]| {
            root_from_path(F::ONE, index, leaves, path).unwrap_err()
        };
        let error = PathError::Index {
            index: 32,
            leaves: 32,
        };
        assert_eq!(refused(32, 32, &path), error);
        let error = PathError::Levels {
            expected: 2,
            found: 1,
        };
        assert_eq!(refused(9, 32, &path[..1]), error);
        let mut long = path.clone();
        long[1].push(F::ONE);
        let error = PathError::Siblings {
            level: 1,
            expected: 3,
            found: 4,
        };
        assert_eq!(refused(9, 32, &long), error);
        let mut short = path.clone();
        short[0].pop();
        let error = PathError::Siblings {
            level: 0,
            expected: 7,
            found: 6,
        };
        assert_eq!(refused(9, 32, &short), error);
    }
}
