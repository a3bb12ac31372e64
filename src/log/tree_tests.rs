//! The tree against RFC 6962's published roots and against its recursive definition.

use super::*;
use crate::kv::WriteBatch;
use crate::log::proof::{InclusionProof, ProofError};
use crate::log::testing::Mem;
use proptest::prelude::*;

const SHARD: ShardId = ShardId(0);

/// The eight leaves of the certificate-transparency test vectors
/// (`google/certificate-transparency`, cpp/merkletree/merkle_tree_test.cc).
const INPUTS: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
/// The root after each of them, ibid.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn tree_of(leaves: &[Hash]) -> Mem {
    let mut mem = Mem::default();
    let mut batch = WriteBatch::new();
    let mut store = Overlay::new(&mem, &mut batch);
    for (size, leaf) in (0..).zip(leaves) {
        append(&mut store, SHARD, size, *leaf).unwrap();
    }
    mem.commit(batch);
    mem
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// MTH of RFC 6962 §2.1, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m < k {
        (naive_path(m, left), naive_root(right))
    } else {
        (naive_path(m - k, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2.
fn naive_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole {
            vec![]
        } else {
            vec![naive_root(leaves)]
        };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m <= k {
        (naive_subproof(m, left, whole), naive_root(right))
    } else {
        (naive_subproof(m - k, right, false), naive_root(left))
    };
    path.push(sibling);
    path
}

#[test]
fn the_roots_are_those_of_the_certificate_transparency_vectors() {
    let leaves: Vec<Hash> = INPUTS
        .iter()
        .map(|input| leaf_hash(&hex::decode(input).unwrap()))
        .collect();
    let mem = tree_of(&leaves);
    for (size, expected) in (1..).zip(ROOTS) {
        assert_eq!(hex::encode(root(&mem, SHARD, size).unwrap()), expected);
    }
    assert_eq!(
        hex::encode(root(&mem, SHARD, 0).unwrap()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn a_tree_with_its_last_leaf_doubled_has_another_root() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|l| leaf_hash(l));
    let three = tree_of(&[a, b, c]);
    let four = tree_of(&[a, b, c, c]);
    assert_ne!(root(&three, SHARD, 3), root(&four, SHARD, 4));
    let once = root_from_range(&[], 0, &[a, b, c], &[], 3).unwrap();
    let twice = root_from_range(&[], 0, &[a, b, c, c], &[], 4).unwrap();
    assert_ne!(once, twice);
}

#[test]
fn every_root_and_inclusion_proof_up_to_130_leaves_is_that_of_the_definition() {
    let leaves = leaves(130);
    let mem = tree_of(&leaves);
    for size in 1..=130_usize {
        let root = root(&mem, SHARD, size as u64).unwrap();
        assert_eq!(root, naive_root(&leaves[..size]));
        for index in 0..size {
            let proof = inclusion_proof(&mem, SHARD, index as u64, size as u64).unwrap();
            assert_eq!(proof.path, naive_path(index, &leaves[..size]));
            assert_eq!(verify_inclusion(&proof, &leaves[index], &root), Ok(()));
        }
    }
}

#[test]
fn every_consistency_proof_up_to_130_leaves_is_that_of_the_definition() {
    let leaves = leaves(130);
    let mem = tree_of(&leaves);
    for to in 0..=130_usize {
        let new = root(&mem, SHARD, to as u64).unwrap();
        for from in 0..=to {
            let old = root(&mem, SHARD, from as u64).unwrap();
            let proof = consistency_proof(&mem, SHARD, from as u64, to as u64).unwrap();
            if from > 0 {
                assert_eq!(proof.path, naive_subproof(from, &leaves[..to], true));
            }
            assert_eq!(
                verify_consistency(&proof, &old, &new),
                Ok(()),
                "{from} {to}"
            );
        }
    }
}

#[test]
fn an_inclusion_proof_holds_for_no_other_index_or_size() {
    let leaves = leaves(40);
    let mem = tree_of(&leaves);
    for size in 1..=40_u64 {
        let root = root(&mem, SHARD, size).unwrap();
        for index in 0..size {
            let proof = inclusion_proof(&mem, SHARD, index, size).unwrap();
            let leaf = leaves[index as usize];
            for other in (0..=41).filter(|&other| other != index) {
                let moved = InclusionProof {
                    index: other,
                    ..proof.clone()
                };
                assert!(
                    verify_inclusion(&moved, &leaf, &root).is_err(),
                    "{index} {other} {size}"
                );
            }
            // A size may share the shape of a path, so the root at that size is what refuses it.
            for other in (1..=40).filter(|&other| other != size) {
                let moved = InclusionProof {
                    size: other,
                    ..proof.clone()
                };
                let root = super::root(&mem, SHARD, other).unwrap();
                let held = verify_inclusion(&moved, &leaf, &root);
                assert!(held.is_err(), "{index} {size} {other}");
            }
        }
    }
}

#[test]
fn a_consistency_proof_holds_for_no_rewritten_history() {
    let honest = leaves(50);
    let mem = tree_of(&honest);
    for to in 2..=50_usize {
        for from in 1..to {
            let mut rewritten = honest[..to].to_vec();
            rewritten[from - 1] = leaf_hash(b"rewritten");
            let other = tree_of(&rewritten);
            let old = root(&mem, SHARD, from as u64).unwrap();
            let new = root(&other, SHARD, to as u64).unwrap();
            let proof = consistency_proof(&other, SHARD, from as u64, to as u64).unwrap();
            assert!(
                verify_consistency(&proof, &old, &new).is_err(),
                "{from} {to}"
            );
        }
    }
}

#[test]
fn a_missing_node_is_a_typed_error_and_never_a_root() {
    let whole = tree_of(&leaves(7));
    let good = root(&whole, SHARD, 7).unwrap();
    for (column, key) in whole.keys() {
        let mut torn = whole.clone();
        torn.remove(column, &key);
        match root(&torn, SHARD, 7) {
            Ok(found) => assert_eq!(found, good),
            Err(e) => assert!(matches!(e, StoreError::Undecodable { .. })),
        }
        torn.insert(column, key, vec![0; 31]);
        assert!(root(&torn, SHARD, 7).map_or(true, |found| found == good));
    }
    assert!(root(&whole, SHARD, 8).is_err());
    assert!(root(&whole, ShardId(1), 1).is_err());
}

#[test]
fn a_proof_beyond_the_log_is_the_callers_fault_not_the_stores() {
    let mem = tree_of(&leaves(7));
    for refused in [
        inclusion_proof(&mem, SHARD, 7, 7).map(drop),
        inclusion_proof(&mem, SHARD, 0, 8).map(drop),
        inclusion_proof(&mem, SHARD, 0, 0).map(drop),
        consistency_proof(&mem, SHARD, 3, 8).map(drop),
        consistency_proof(&mem, SHARD, 4, 3).map(drop),
    ] {
        assert!(
            matches!(refused, Err(TreeError::OutOfRange { .. })),
            "{refused:?}"
        );
    }
}

proptest! {
    #[test]
    fn one_changed_bit_in_path_leaf_or_root_is_refused(
        size in 1..130_u64, pick in any::<u64>(), place in any::<prop::sample::Index>(), bit in 0..256_usize,
    ) {
        let leaves = leaves(size);
        let mem = tree_of(&leaves);
        let index = pick % size;
        let flip = |hash: &mut Hash| hash[bit / 8] ^= 1 << (bit % 8);

        let mut proof = inclusion_proof(&mem, SHARD, index, size).unwrap();
        let (mut leaf, mut at_size) = (leaves[index as usize], root(&mem, SHARD, size).unwrap());
        let mut hashes: Vec<&mut Hash> = proof.path.iter_mut().chain([&mut leaf, &mut at_size]).collect();
        let chosen = place.index(hashes.len());
        flip(hashes[chosen]);
        prop_assert!(verify_inclusion(&proof, &leaf, &at_size).is_err());

        let from = pick % size + 1;
        let mut proof = consistency_proof(&mem, SHARD, from, size).unwrap();
        let (mut old, mut new) = (root(&mem, SHARD, from).unwrap(), root(&mem, SHARD, size).unwrap());
        let mut hashes: Vec<&mut Hash> = proof.path.iter_mut().chain([&mut old, &mut new]).collect();
        let chosen = place.index(hashes.len());
        flip(hashes[chosen]);
        prop_assert!(verify_consistency(&proof, &old, &new).is_err());
    }

    #[test]
    fn a_path_one_hash_longer_or_shorter_is_refused(size in 2..130_u64, pick in any::<u64>()) {
        let leaves = leaves(size);
        let mem = tree_of(&leaves);
        let index = pick % size;
        let at_size = root(&mem, SHARD, size).unwrap();
        let proof = inclusion_proof(&mem, SHARD, index, size).unwrap();
        let (mut longer, mut shorter) = (proof.clone(), proof);
        longer.path.push([0; 32]);
        shorter.path.pop();
        for changed in [longer, shorter] {
            let refused = verify_inclusion(&changed, &leaves[index as usize], &at_size);
            let by_length = matches!(refused, Err(ProofError::Length { .. }));
            prop_assert!(by_length);
        }
    }

    #[test]
    fn a_range_with_its_frontier_and_suffix_gives_the_root_and_nothing_else_does(
        size in 1..130_u64, a in any::<u64>(), b in any::<u64>(), place in any::<prop::sample::Index>(),
    ) {
        let all = leaves(size);
        let mem = tree_of(&all);
        let (a, b) = (a % (size + 1), b % (size + 1));
        let (from, to) = (a.min(b), a.max(b));
        let mut left = frontier(&mem, SHARD, from).unwrap();
        let mut right = suffix(&mem, SHARD, to, size).unwrap();
        let mut range = all[from as usize..to as usize].to_vec();
        let expected = naive_root(&all);
        prop_assert_eq!(root_from_range(&left, from, &range, &right, size), Ok(expected));

        // Shifted by one, claimed for a larger tree (whose root is another), or cut short.
        if from < to {
            prop_assert_ne!(root_from_range(&left, from + 1, &range, &right, size), Ok(expected));
        }
        let larger = naive_root(&leaves(size + 1));
        prop_assert_ne!(root_from_range(&left, from, &range, &right, size + 1), Ok(larger));
        if let Some((_, fewer)) = range.split_last() {
            prop_assert_ne!(root_from_range(&left, from, fewer, &right, size), Ok(expected));
        }
        // One hash too many on either side, even one that would go unused.
        let more = |hashes: &[Hash]| [hashes, &[[0; 32]]].concat();
        prop_assert!(root_from_range(&left, from, &range, &more(&right), size).is_err());
        prop_assert!(root_from_range(&more(&left), from, &range, &right, size).is_err());
        let mut hashes: Vec<&mut Hash> =
            left.iter_mut().chain(&mut range).chain(&mut right).collect();
        let chosen = place.index(hashes.len());
        hashes[chosen][0] ^= 1;
        prop_assert_ne!(root_from_range(&left, from, &range, &right, size), Ok(expected));
    }
}
