use super::*;
use crate::groth16::reference::prove;
use crate::testing::{Circuit, proven, random_circuit, small};
use ark_bn254::G2Affine;
use proptest::prelude::*;
use std::sync::LazyLock;

struct Owned {
    key: usize,
    inputs: Vec<Fr>,
    proof: Groth16Proof,
}

impl Owned {
    fn with_c(&self, change: impl Fn(G1Projective) -> G1Projective) -> Groth16Proof {
        let mut points = self.proof.points().clone();
        points.c = change(points.c.into()).into_affine();
        Groth16Proof::new(points).unwrap()
    }
}

/// Twelve good proofs, two in three under the small circuit's key 0, one in three under the random one's key 1.
fn good() -> &'static [Owned] {
    static GOOD: LazyLock<Vec<Owned>> = LazyLock::new(|| {
        (0..12)
            .map(|i| {
                if i % 3 != 2 {
                    let (inputs, proof) = proven(i);
                    return Owned {
                        key: 0,
                        inputs,
                        proof,
                    };
                }
                let Circuit {
                    key,
                    r1cs,
                    assignment,
                } = random_circuit();
                Owned {
                    key: 1,
                    inputs: assignment[1..3].to_vec(),
                    proof: prove(key, r1cs, assignment).unwrap(),
                }
            })
            .collect()
    });
    &GOOD
}

fn keys() -> [&'static PreparedVerifyingKey; 2] {
    [small(), random_circuit()].map(|c| c.key.prepared_verifying_key())
}

fn judge(items: &[Owned]) -> BatchVerdict {
    let items: Vec<_> = items
        .iter()
        .map(|o| BatchItem {
            key: o.key,
            inputs: &o.inputs,
            proof: &o.proof,
        })
        .collect();
    verify_batch(&keys(), &items).unwrap()
}

fn copies() -> Vec<Owned> {
    good()
        .iter()
        .map(|o| Owned {
            key: o.key,
            inputs: o.inputs.clone(),
            proof: o.proof.clone(),
        })
        .collect()
}

/// One way to make an item bad.
fn spoil(item: &mut Owned, way: u8) {
    let g: G1Projective = G1Affine::generator().into();
    match way {
        0 => item.proof = item.with_c(|c| c + g),
        1 => item.inputs[0] += Fr::from(1u64),
        2 => item.inputs.push(Fr::zero()),
        3 => drop(item.inputs.pop()),
        4 => item.key = 1 - item.key,
        5 => {
            let mut points = item.proof.points().clone();
            points.a = -points.a;
            item.proof = Groth16Proof::new(points).unwrap();
        }
        _ => {
            let mut points = item.proof.points().clone();
            points.b = G2Affine::generator();
            item.proof = Groth16Proof::new(points).unwrap();
        }
    }
}

#[test]
fn good_batches_of_every_size_pass() {
    for size in 0..=good().len() {
        let mut items = copies();
        items.truncate(size);
        assert_eq!(judge(&items), BatchVerdict { bad: vec![] });
    }
}

#[test]
fn a_good_batch_passes_by_its_product_alone_and_a_bad_one_does_not() {
    let items = copies();
    let view = |items: &[Owned]| {
        let items: Vec<_> = items
            .iter()
            .map(|o| BatchItem {
                key: o.key,
                inputs: &o.inputs,
                proof: &o.proof,
            })
            .collect();
        let all: Vec<_> = (0..items.len()).collect();
        let batch = Batch {
            keys: &keys(),
            items: &items,
        };
        batch.product_is_one(&all).unwrap()
    };
    assert!(view(&items));
    for way in [0, 1, 4, 5, 6] {
        let mut items = copies();
        spoil(&mut items[4], way);
        assert!(!view(&items), "way {way}");
    }
}

/// C + D beside C − D: with equal coefficients the errors cancel in the product.
#[test]
fn two_bad_proofs_that_cancel_under_equal_coefficients_are_both_found() {
    let d: G1Projective = G1Affine::generator() * Fr::from(31_337u64);
    for multiple in 1..=3u64 {
        let mut items = copies();
        // Also cancels coefficients in a fixed ratio, such as 1, 2, 3 in order.
        items[3].proof = items[3].with_c(|c| c + d * Fr::from(multiple));
        items[4].proof = items[4].with_c(|c| c - d);
        assert_eq!(judge(&items).bad, [3, 4], "multiple {multiple}");
        let only_the_two: Vec<_> = items.drain(3..5).collect();
        assert_eq!(judge(&only_the_two).bad, [0, 1]);
    }
}

#[test]
fn swapped_statements_are_both_bad() {
    let mut items = copies();
    let (left, right) = items.split_at_mut(1);
    std::mem::swap(&mut left[0].inputs, &mut right[0].inputs);
    assert_eq!(judge(&items).bad, [0, 1]);
}

#[test]
fn an_unknown_key_judges_nobody() {
    let items = copies();
    let item = |key| BatchItem {
        key,
        inputs: &items[0].inputs,
        proof: &items[0].proof,
    };
    assert_eq!(
        verify_batch(&keys(), &[item(0), item(2)]),
        Err(BatchError::UnknownKey {
            item: 1,
            key: 2,
            keys: 2
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn exactly_the_spoiled_items_are_named(ways in proptest::collection::vec(0u8..14, 12)) {
        let mut items = copies();
        let mut expected = Vec::new();
        // Seven ways to spoil an item, seven to leave it alone.
        for (i, way) in ways.iter().enumerate().filter(|(_, way)| **way < 7) {
            spoil(&mut items[i], *way);
            expected.push(i);
        }
        prop_assert_eq!(judge(&items).bad, expected);
    }
}
