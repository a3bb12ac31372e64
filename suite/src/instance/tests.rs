use super::*;

fn all(sizes: &[u32]) -> Vec<(Family, u32, Instance)> {
    let pairs = Family::ALL
        .into_iter()
        .flat_map(|f| sizes.iter().map(move |s| (f, *s)));
    pairs.map(|(f, s)| (f, s, f.instance(s))).collect()
}

#[test]
fn every_family_is_satisfied_at_every_small_size_and_fills_its_domain() {
    for (family, size, instance) in all(&[10, 11, 12, 13]) {
        let (r1cs, values) = (&instance.r1cs, instance.assignment.as_slice());
        assert_eq!(r1cs.first_unsatisfied(values), None, "{family} {size}");
        assert_eq!(r1cs.domain_size(), 1 << size, "{family}");
        assert_eq!(r1cs.public_inputs(), 1);
    }
}

#[test]
fn a_changed_value_breaks_a_row_wherever_it_is() {
    for (family, _, instance) in all(&[10]) {
        let values = instance.assignment.as_slice();
        for at in [1, 2, values.len() / 2, values.len() - 1] {
            let mut changed = values.to_vec();
            changed[at] += Fr::from(5u64);
            assert!(
                instance.r1cs.first_unsatisfied(&changed).is_some(),
                "{family}: variable {at}"
            );
        }
    }
}

#[test]
fn the_families_are_as_dense_as_they_say() {
    for (family, size, instance) in all(&[10, 13]) {
        let facts = instance.facts();
        let (terms, bits) = (facts.terms_per_row(), facts.bit_share());
        let expected = match family {
            // prover.md: 441k non-zeros on 2^14 rows.
            Family::Poseidon => (24.0..34.0, 0.0..0.01),
            Family::Sha => (3.0..6.0, 0.99..1.01),
            Family::Sparse => (2.99..3.01, 0.0..0.01),
        };
        assert!(
            expected.0.contains(&terms),
            "{family} {size}: {terms} terms a row"
        );
        assert!(
            expected.1.contains(&bits),
            "{family} {size}: {bits} of the variables are bits"
        );
    }
}

#[test]
fn the_chain_computes_poseidon() {
    let rows = (1 << 11) - 2;
    let mut state = poseidon::start();
    for _ in 0..poseidon::links(rows) {
        ukehi_circuits::poseidon::permute(&mut state);
    }
    assert_eq!(Family::Poseidon.instance(11).inputs(), [state[0]]);
}

#[test]
fn the_rounds_compute_what_sha_256_computes_with_these_constants() {
    let rows = (1 << 12) - 2;
    let mut s: [u32; 8] = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
        0x5be0cd19,
    ];
    for round in 0..sha::count(rows) as u32 {
        let [a, b, c, d, e, f, g, h] = s;
        let sigma1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = [sigma1, choice, sha::constant(round), sha::message(round)];
        let first = first.into_iter().fold(h, u32::wrapping_add);
        let sigma0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = sigma0.wrapping_add(majority);
        s = [
            first.wrapping_add(second),
            a,
            b,
            c,
            d.wrapping_add(first),
            e,
            f,
            g,
        ];
    }
    let instance = Family::Sha.instance(12);
    assert_eq!(instance.inputs(), [Fr::from(s[0])]);
}

#[test]
fn a_family_is_known_by_its_name_and_by_no_other() {
    for family in Family::ALL {
        assert_eq!(family.name().parse(), Ok(family));
    }
    assert!("keccak".parse::<Family>().is_err());
}
