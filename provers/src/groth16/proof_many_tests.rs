use super::*;
use crate::testing;
use proptest::prelude::*;
use std::sync::LazyLock;

static GOOD: LazyLock<Vec<[u8; PROOF_BYTES]>> =
    LazyLock::new(|| (1..20).map(|x| testing::proven(x).1.to_bytes()).collect());

fn assert_same(encoded: &[Vec<u8>]) {
    let views: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
    let single: Vec<_> = views.iter().map(|b| Groth16Proof::from_bytes(b)).collect();
    assert_eq!(Groth16Proof::from_bytes_many(&views), single);
}

#[test]
fn good_proofs_decode_together_as_they_do_alone() {
    for count in 0..GOOD.len() {
        let encoded: Vec<_> = GOOD[..count].iter().map(|b| b.to_vec()).collect();
        assert_same(&encoded);
        let views: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
        assert!(
            Groth16Proof::from_bytes_many(&views)
                .iter()
                .all(Result::is_ok)
        );
    }
}

/// Most proofs must not go the slow way: the lanes vouch for every good one.
#[test]
fn the_lanes_find_every_good_proof_themselves() {
    let Some(lanes) = lanes::available() else {
        return println!("skipped: this CPU has no AVX-512 IFMA");
    };
    let views: Vec<&[u8]> = GOOD.iter().map(|b| &b[..]).collect();
    assert!(lift(lanes, &views).iter().all(Option::is_some));
}

#[test]
fn every_flipped_bit_gets_the_same_answer_as_alone() {
    let flip = |bit: usize| {
        let mut bytes = GOOD[bit % GOOD.len()].to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    assert_same(&(0..8 * PROOF_BYTES).map(flip).collect::<Vec<_>>());
}

/// Ways to spoil one element of an encoding.
fn spoil(bytes: &mut Vec<u8>, way: u8, noise: [u8; 32]) {
    let last = [31, 95, 127][way as usize % 3];
    match way / 3 {
        0 => bytes[last] ^= LARGER_Y,
        1 => bytes[last] |= IDENTITY,
        2 => bytes[last] |= LARGER_Y | IDENTITY,
        3 => bytes[last - 31..=last].copy_from_slice(&noise),
        4 => bytes[last - 31..=last].fill(0xff),
        5 => bytes[last - 31..=last].fill(0),
        6 => {
            bytes[last - 31..=last].fill(0);
            bytes[last] = IDENTITY;
        }
        7 => bytes[32..64].copy_from_slice(&noise),
        8 => bytes.truncate(usize::from(noise[0]) % PROOF_BYTES),
        9 => bytes.push(0),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn mixed_batches_get_the_answers_of_the_single_decoder(
        ways in prop::collection::vec((0u8..60, prop::array::uniform32(any::<u8>())), 0..20),
    ) {
        let spoiled = |(i, (way, noise)): (usize, &(u8, [u8; 32]))| {
            let mut bytes = GOOD[i % GOOD.len()].to_vec();
            spoil(&mut bytes, *way, *noise);
            bytes
        };
        assert_same(&ways.iter().enumerate().map(spoiled).collect::<Vec<_>>());
    }
}
