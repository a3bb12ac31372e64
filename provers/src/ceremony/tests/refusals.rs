use super::snarkjs::Bench;
use super::*;
use crate::iden3::{ContributionKind, FileError, ZkeySection, read_r1cs, write_r1cs};
use crate::testing;
use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

struct Finished {
    first: Vec<u8>,
    last: Vec<u8>,
}

/// A circuit's initial key, and the same after two participants and a beacon.
static FINISHED: LazyLock<Finished> = LazyLock::new(|| {
    let (circuit, _) = testing::random_r1cs(41, 30, 1, 3);
    let first = bytes(&initial(&circuit, &POWERS));
    let last = closed(contributed(contributed(read(&first), "ada"), "grace"));
    Finished {
        first,
        last: bytes(&last),
    }
});

fn judged(change: impl FnOnce(&mut Zkey)) -> Result<ZkeyReport, ZkeyVerifyError> {
    let mut zkey = read(&FINISHED.last);
    change(&mut zkey);
    verify_zkey(&zkey, &read(&FINISHED.first), &mut |_, _| {})
}

type Change = fn(&mut Zkey);

fn double(p: &mut G1Affine) {
    *p = (*p + *p).into_affine();
}

#[test]
fn a_finished_key_stands_and_survives_its_file() {
    assert_eq!(judged(|_| {}).unwrap().contributions.len(), 3);
    for file in [&FINISHED.first, &FINISHED.last] {
        assert!(bytes(&read(file)) == **file);
    }
}

#[test]
fn a_key_nobody_contributed_to_is_refused() {
    let first = read(&FINISHED.first);
    assert_eq!(
        verify_zkey(&first, &read(&FINISHED.first), &mut |_, _| {}),
        Err(ZkeyVerifyError::NoContribution)
    );
    // Contributions listed over an unchanged δ are no contributions either.
    let untouched = |zkey: &mut Zkey| {
        zkey.header.delta_g1 = G1Affine::generator();
        zkey.header.delta_g2 = zkey.header.gamma_g2;
    };
    assert_eq!(judged(untouched), Err(ZkeyVerifyError::NoContribution));
    let unlisted = |zkey: &mut Zkey| zkey.phase_two.contributions.clear();
    assert_eq!(judged(unlisted), Err(ZkeyVerifyError::NoContribution));
    let circuit = testing::random_r1cs(41, 30, 1, 3).0;
    assert!(crate::groth16::ProvingKey::from_zkey(first, &circuit).is_err());
}

#[test]
fn every_section_no_contribution_may_change_is_compared() {
    use ZkeySection as S;
    let changes: [(S, Change); 9] = [
        (S::Header, |k| double(&mut k.header.alpha_g1)),
        (S::Header, |k| double(&mut k.header.beta_g1)),
        (S::Header, |k| k.header.beta_g2 = k.header.delta_g2),
        (S::Header, |k| k.header.gamma_g2 = k.header.beta_g2),
        (S::Inputs, |k| double(&mut k.inputs[1])),
        (S::Coefficients, |k| {
            *k.coefficients.last_mut().unwrap() ^= 1
        }),
        (S::A, |k| double(&mut k.a[3])),
        (S::BG1, |k| k.b_g1.swap(3, 4)),
        (S::BG2, |k| k.b_g2.swap(3, 4)),
    ];
    for (section, change) in changes {
        assert_eq!(judged(change), Err(ZkeyVerifyError::Changed { section }));
    }
}

#[test]
fn l_and_h_not_divided_by_delta_are_refused_also_where_the_changes_cancel() {
    use ZkeySection as S;
    let cancel = |points: &mut [G1Affine]| {
        let d = G1Affine::generator();
        points[1] = (points[1] + d).into_affine();
        points[2] = (points[2] - d).into_affine();
    };
    let refused = |section| Err(ZkeyVerifyError::NotDivided { section });
    assert_eq!(judged(|k| double(&mut k.l[0])), refused(S::L));
    assert_eq!(judged(|k| cancel(&mut k.l)), refused(S::L));
    assert_eq!(judged(|k| double(&mut k.h[0])), refused(S::H));
    assert_eq!(judged(|k| cancel(&mut k.h)), refused(S::H));
    let last = |k: &mut Zkey| double(k.h.last_mut().unwrap());
    assert_eq!(judged(last), refused(S::H));
}

/// snarkjs combines H with a last coefficient of zero: whoever makes the first key could hide a point in that
/// direction, have it divided by δ, and, with an input's element for it, prove any statement.
#[test]
fn a_point_hidden_in_the_direction_snarkjs_does_not_check_is_refused() {
    let bench = Bench::new();
    let (circuit, _) = testing::random_r1cs(45, 30, 1, 3);
    let file = write_r1cs(&circuit, Cursor::new(Vec::new())).unwrap();
    bench.put("c.r1cs", file.get_ref());
    bench.put("p.ptau", &POWERS);
    let circuit = read_r1cs(file).unwrap();
    let first = initial(&circuit, &POWERS);
    let mut prepared = initial(&circuit, &POWERS);
    let domain = Radix2EvaluationDomain::<Fr>::new(2 * prepared.h.len()).unwrap();
    let input = prepared.inputs[1];
    for (j, point) in prepared.h.iter_mut().enumerate() {
        *point = (*point + input * domain.element(2 * j + 1)).into_affine();
    }
    let finished = closed(contributed(prepared, "ada"));
    bench.put("f.zkey", &bytes(&finished));
    let printed = bench.ok("zkey verify c.r1cs p.ptau f.zkey");
    assert!(printed.contains("ZKey Ok!"), "{printed}");
    assert_eq!(
        verify_zkey(&finished, &first, &mut |_, _| {}),
        Err(ZkeyVerifyError::NotDivided {
            section: ZkeySection::H
        })
    );
}

#[test]
fn a_delta_other_than_the_last_contributions_is_refused() {
    let by_two = |k: &mut Zkey| double(&mut k.header.delta_g1);
    assert_eq!(judged(by_two), Err(ZkeyVerifyError::Delta));
    let by_two = |k: &mut Zkey| {
        k.header.delta_g2 = (k.header.delta_g2 + k.header.delta_g2).into_affine();
    };
    assert_eq!(judged(by_two), Err(ZkeyVerifyError::Delta));
}

/// Whoever passes the key on could multiply δ by a share of his own and divide L and H by it: all else fits.
#[test]
fn a_delta_with_a_share_that_no_contribution_proves_is_refused() {
    let two = Fr::from(2u64);
    let half = two.inverse().unwrap();
    let taken_on = |k: &mut Zkey| {
        k.header.delta_g1 = (k.header.delta_g1 * two).into_affine();
        k.header.delta_g2 = (k.header.delta_g2 * two).into_affine();
        for point in k.l.iter_mut().chain(&mut k.h) {
            *point = (*point * half).into_affine();
        }
    };
    assert_eq!(judged(taken_on), Err(ZkeyVerifyError::Delta));
}

#[test]
fn a_chain_with_any_changed_link_is_refused_and_the_contribution_named() {
    let fault = |change: fn(&mut Zkey)| match judged(change).unwrap_err() {
        ZkeyVerifyError::Chain(fault) => fault,
        other => panic!("{other}"),
    };
    assert_eq!(
        fault(|k| double(&mut k.phase_two.contributions[1].g1_s)),
        ChainFault::Transcript { contribution: 2 }
    );
    assert_eq!(
        fault(|k| k.phase_two.contributions[0].transcript[0] ^= 1),
        ChainFault::Transcript { contribution: 1 }
    );
    assert_eq!(
        fault(|k| k.phase_two.contributions[0].g2_spx = k.header.beta_g2),
        ChainFault::Knowledge { contribution: 1 }
    );
    assert_eq!(
        fault(|k| double(&mut k.phase_two.contributions[0].delta_after)),
        ChainFault::Delta { contribution: 1 }
    );
    assert_eq!(
        fault(|k| drop(k.phase_two.contributions.remove(0))),
        ChainFault::Transcript { contribution: 1 }
    );
    assert_eq!(
        fault(|k| k.phase_two.contributions.swap(0, 1)),
        ChainFault::Transcript { contribution: 1 }
    );
    let beacon = |iterations_log2, value: &[u8]| ContributionKind::Beacon {
        iterations_log2,
        value: value.to_vec(),
    };
    for kind in [beacon(10, b"another value"), beacon(11, &[0])] {
        let refused = judged(|k| k.phase_two.contributions[2].kind = kind);
        assert_eq!(refused, Err(ChainFault::Beacon { contribution: 3 }.into()));
    }
    let refused = judged(|k| k.phase_two.contributions[2].kind = beacon(63, &[1]));
    let bounded = ChainFault::BeaconIterations {
        contribution: 3,
        found: 63,
    };
    assert_eq!(refused, Err(bounded.into()));
}

#[test]
fn nothing_may_follow_a_beacon() {
    let share = ToxicShare::draw(b"").unwrap();
    let late = contribute(read(&FINISHED.last), share, None, &mut |_, _| {});
    assert_eq!(late.err(), Some(ContributeError::Closed));
    // A tool that lets it happen makes a key that is refused.
    let mut open = read(&FINISHED.last);
    open.phase_two.contributions[2].kind = ContributionKind::Participant;
    let mut late = contributed(open, "late");
    late.phase_two.contributions[2].kind =
        read(&FINISHED.last).phase_two.contributions[2].kind.clone();
    assert_eq!(
        verify_chain(&late.phase_two),
        Err(ChainFault::AfterBeacon { contribution: 4 })
    );
}

#[test]
fn keys_of_other_circuits_are_refused() {
    let (other, _) = testing::random_r1cs(42, 30, 1, 3);
    let other = closed(contributed(initial(&other, &POWERS), "ada"));
    let first = read(&FINISHED.first);
    assert_eq!(
        verify_zkey(&other, &first, &mut |_, _| {}),
        Err(ZkeyVerifyError::OtherCircuit)
    );
    let (other, _) = testing::random_r1cs(43, 30, 2, 3);
    let other = closed(contributed(initial(&other, &POWERS), "ada"));
    assert_eq!(
        verify_zkey(&other, &first, &mut |_, _| {}),
        Err(ZkeyVerifyError::PublicInputs {
            expected: 1,
            found: 2
        })
    );
}

#[test]
fn a_circuit_larger_than_the_powers_is_refused() {
    let (circuit, _) = testing::random_r1cs(44, 200, 1, 1);
    assert!(matches!(
        initial_zkey(&circuit, &mut open(&POWERS), &mut |_, _| {}),
        Err(InitialError::TooFewPowers {
            circuit: 8,
            powers: 7
        })
    ));
}

#[test]
fn a_beacon_out_of_bounds_is_not_applied() {
    let apply = |value: Vec<u8>, iterations| {
        apply_beacon(
            read(&FINISHED.first),
            value,
            iterations,
            None,
            &mut |_, _| {},
        )
        .err()
    };
    assert_eq!(
        apply(vec![1], 9),
        Some(ContributeError::BeaconIterations { found: 9 })
    );
    assert_eq!(
        apply(vec![1], 33),
        Some(ContributeError::BeaconIterations { found: 33 })
    );
    assert_eq!(
        apply(vec![], 10),
        Some(ContributeError::BeaconLength { found: 0 })
    );
    assert_eq!(
        apply(vec![0; 256], 10),
        Some(ContributeError::BeaconLength { found: 256 })
    );
}

#[test]
fn a_cut_lengthened_or_bent_key_file_is_refused() {
    let file = &FINISHED.last;
    let refused = |bytes: &[u8]| Zkey::read(Cursor::new(bytes)).err();
    for length in (0..file.len()).step_by(97) {
        assert!(refused(&file[..length]).is_some(), "{length} bytes");
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert!(matches!(
        refused(&longer),
        Some(FileError::Trailing { excess: 1 })
    ));
    // Into the sections of points: a coordinate changed by one bit leaves the curve.
    let l = find(file, ZkeySection::L as u32);
    let b_g2 = find(file, ZkeySection::BG2 as u32);
    for (at, id) in [(l, 8), (b_g2 + 130, 7)] {
        let mut bent = file.clone();
        bent[at] ^= 1;
        assert!(
            matches!(refused(&bent), Some(FileError::NotInGroup { id: found, .. }) if found == id),
            "section {id}"
        );
    }
}

/// Where a section's content starts.
fn find(file: &[u8], id: u32) -> usize {
    let mut at = 12;
    loop {
        let found = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(file[at + 4..at + 12].try_into().unwrap());
        if found == id {
            return at + 12;
        }
        at += 12 + length as usize;
    }
}

#[test]
fn a_point_of_the_curve_outside_the_subgroup_is_refused() {
    use crate::iden3::Iden3Point;
    use ark_bn254::{Fq2, G2Affine};
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), 0u64.into()), true))
        .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    assert!(outside.is_on_curve());
    let mut bytes = Vec::new();
    outside.put_montgomery(&mut bytes);
    assert_eq!(G2Affine::from_montgomery(&bytes), None);
    let generator = G2Affine::generator();
    bytes.clear();
    generator.put_montgomery(&mut bytes);
    assert_eq!(G2Affine::from_montgomery(&bytes), Some(generator));
}

#[test]
fn two_shares_drawn_with_the_same_text_differ() {
    let contributed_twice = [(); 2].map(|()| contributed(read(&FINISHED.first), "ada"));
    let [a, b] = contributed_twice.map(|k| k.header.delta_g1);
    assert_ne!(a, b);
}
