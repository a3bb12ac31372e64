use super::snarkjs::{Bench, printed_hash};
use super::*;
use crate::iden3::{ContributionKind, PtauContent, PtauSection};
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

fn report(powers: &[u8]) -> Result<PowersReport, PowersError> {
    verify_powers(&mut open(powers), &mut |_, _| {})
}

#[test]
fn our_development_powers_stand_before_both_tools_and_say_insecure() {
    let found = report(&POWERS).unwrap();
    assert_eq!((found.power, found.ceremony_power), (7, 7));
    assert!(found.last_challenge_checked);
    assert!(found.is_development());
    assert!(found.steps[0].name.as_ref().unwrap().contains("INSECURE"));
    let bench = Bench::new();
    bench.put("p.ptau", &POWERS);
    let printed = bench.ok("powersoftau verify p.ptau");
    assert!(printed.contains("Powers of Tau Ok!"), "{printed}");
}

#[test]
fn powers_made_by_snarkjs_stand_whole_and_cut_down() {
    let bench = Bench::new();
    bench.ok("powersoftau new bn128 5 0.ptau");
    let printed = bench.ok("powersoftau contribute 0.ptau 1.ptau --name=ada -e=text");
    bench.ok("powersoftau beacon 1.ptau 2.ptau 0102030405060708 10 -n=day");
    bench.ok("powersoftau prepare phase2 2.ptau p.ptau");
    let found = report(&bench.get("p.ptau")).unwrap();
    let names: Vec<_> = found.steps.iter().map(|s| s.name.as_deref()).collect();
    assert_eq!(names, [Some("ada"), Some("day")]);
    assert_eq!(
        found.steps.iter().map(|s| s.beacon).collect::<Vec<_>>(),
        [false, true]
    );
    let theirs = printed_hash(&printed, "Contribution Response Hash imported:");
    assert_eq!(hex::encode(found.steps[0].response_hash), theirs);
    assert!(found.last_challenge_checked && !found.is_development());

    bench.ok("powersoftau truncate p.ptau");
    let files = std::fs::read_dir(bench.path("")).unwrap();
    let cut = files
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .find(|name| name.contains("03"))
        .expect("truncate writes a file of 2^3");
    let found = report(&bench.get(&cut)).unwrap();
    assert_eq!((found.power, found.ceremony_power), (3, 5));
    assert!(!found.last_challenge_checked);
}

type Section = fn(&mut PtauContent) -> &mut Vec<G1Affine>;

fn tampered(change: impl FnOnce(&mut PtauContent)) -> Result<PowersReport, PowersError> {
    let mut content = insecure_dev_powers(3, &mut |_, _| {}).unwrap();
    change(&mut content);
    let written = write_ptau(&content, Cursor::new(Vec::new())).unwrap();
    report(&written.into_inner())
}

#[test]
fn every_section_with_a_changed_point_is_refused_and_named() {
    use PtauSection as S;
    let double = |p: &mut G1Affine| *p = (*p + *p).into();
    let monomials: [(S, Section); 3] = [
        (S::TauG1, |c| &mut c.tau_g1),
        (S::AlphaTauG1, |c| &mut c.alpha_tau_g1),
        (S::BetaTauG1, |c| &mut c.beta_tau_g1),
    ];
    for (expected, section) in monomials {
        for at in [2, 7] {
            let refused = tampered(|c| double(&mut section(c)[at])).unwrap_err();
            assert!(
                matches!(refused, PowersError::NotPowers { section } if section == expected),
                "{expected:?}: {refused}"
            );
        }
        let refused = tampered(|c| double(&mut section(c)[0])).unwrap_err();
        assert!(matches!(refused, PowersError::Start { section } if section == expected));
    }
    let lagrange: [(S, Section); 3] = [
        (S::LagrangeTauG1, |c| &mut c.lagrange_tau_g1),
        (S::LagrangeAlphaTauG1, |c| &mut c.lagrange_alpha_tau_g1),
        (S::LagrangeBetaTauG1, |c| &mut c.lagrange_beta_tau_g1),
    ];
    for (expected, section) in lagrange {
        for at in [0, 1, 4, 10, 14] {
            let refused = tampered(|c| double(&mut section(c)[at])).unwrap_err();
            assert!(
                matches!(refused, PowersError::Lagrange { lagrange, .. } if lagrange == expected),
                "{expected:?} {at}: {refused}"
            );
        }
        // Two changes that cancel in a plain sum.
        let refused = tampered(|c| section(c).swap(8, 9)).unwrap_err();
        assert!(matches!(refused, PowersError::Lagrange { .. }), "{refused}");
    }
    let double = |p: &mut G2Affine| *p = (*p + *p).into();
    let refused = tampered(|c| double(&mut c.tau_g2[5])).unwrap_err();
    assert!(matches!(
        refused,
        PowersError::NotPowers { section: S::TauG2 }
    ));
    let refused = tampered(|c| double(&mut c.lagrange_tau_g2[5])).unwrap_err();
    assert!(matches!(
        refused,
        PowersError::Lagrange {
            lagrange: S::LagrangeTauG2,
            ..
        }
    ));
    let refused = tampered(|c| double(&mut c.beta_g2)).unwrap_err();
    assert!(matches!(refused, PowersError::Start { section: S::BetaG2 }));
}

/// snarkjs sets the last coefficient of its combination to zero, so it takes such a file.
#[test]
fn a_point_hidden_in_the_power_the_file_has_no_point_for_is_refused_though_snarkjs_takes_it() {
    let hidden = |c: &mut PtauContent| {
        let domain = Radix2EvaluationDomain::<Fr>::new(16).unwrap();
        for (j, point) in c.lagrange_tau_g1[15..].iter_mut().enumerate() {
            // The N-th of D·x^(N-1) at ω^-j.
            let share = domain.element(j) * domain.size_inv();
            *point = (*point + G1Affine::generator() * share).into_affine();
        }
    };
    let refused = tampered(hidden).unwrap_err();
    assert!(
        matches!(
            refused,
            PowersError::Lagrange {
                lagrange: PtauSection::LagrangeTauG1,
                ..
            }
        ),
        "{refused}"
    );
    let mut content = insecure_dev_powers(3, &mut |_, _| {}).unwrap();
    hidden(&mut content);
    let bench = Bench::new();
    let written = write_ptau(&content, Cursor::new(Vec::new())).unwrap();
    bench.put("p.ptau", &written.into_inner());
    bench.ok("powersoftau verify p.ptau");
}

/// Such powers are sound in all else; in keys made from them H is empty or all of one point.
#[test]
fn a_tau_that_is_a_root_of_unity_of_a_domain_is_refused() {
    let power = 3;
    for order in [1u64 << power, 2 << power] {
        let domain = Radix2EvaluationDomain::<Fr>::new(order as usize).unwrap();
        let content = dev_powers::powers_of_tau(domain.group_gen(), power);
        let file = write_ptau(&content, Cursor::new(Vec::new())).unwrap();
        let refused = report(file.get_ref()).unwrap_err();
        assert!(matches!(refused, PowersError::RootOfUnity), "{refused}");
    }
}

#[test]
fn powers_without_sound_contributions_are_refused() {
    let refused = tampered(|c| c.contributions.clear()).unwrap_err();
    assert!(matches!(refused, PowersError::NoContribution));
    let refused = tampered(|c| c.contributions[0].next_challenge[0] ^= 1).unwrap_err();
    assert!(matches!(refused, PowersError::LastChallenge));
    let refused = tampered(|c| c.contributions[0].partial_hash[0] ^= 1).unwrap_err();
    assert!(matches!(refused, PowersError::LastChallenge));
    let fault = |change: fn(&mut PtauContent)| match tampered(change).unwrap_err() {
        PowersError::Contribution {
            contribution: 1,
            fault,
        } => fault,
        other => panic!("{other}"),
    };
    assert_eq!(
        fault(|c| c.contributions[0].key.g1[1].1 = c.tau_g1[3]),
        PowersChainError::Knowledge { of: "alpha" }
    );
    assert_eq!(
        fault(|c| c.contributions[0].beta_g1 = c.tau_g1[3]),
        PowersChainError::DoesNotFollow { of: "beta" }
    );
    assert_eq!(
        fault(|c| c.contributions[0].tau_g2 = c.tau_g2[2]),
        PowersChainError::DoesNotFollow { of: "tau" }
    );
    let beacon = |iterations_log2| ContributionKind::Beacon {
        iterations_log2,
        value: vec![1, 2],
    };
    assert_eq!(
        fault(|c| c.contributions[0].kind = ContributionKind::Beacon {
            iterations_log2: 255,
            value: vec![1]
        }),
        PowersChainError::BeaconIterations { found: 255 }
    );
    let refused = tampered(|c| c.contributions[0].kind = beacon(10)).unwrap_err();
    assert!(matches!(
        refused,
        PowersError::Contribution {
            fault: PowersChainError::Beacon,
            ..
        }
    ));
}
