use super::*;
use crate::groth16::{PreparedVerifyingKey, verify};
use crate::testing::{proven, random_circuit, small};
use proptest::prelude::*;
use serde_json::Value;

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn edited(bytes: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = value(bytes);
    edit(&mut value);
    serde_json::to_vec(&value).unwrap()
}

/// n + modulus, in decimal: the other name of one residue.
fn plus<P: PrimeField<BigInt = BigInt<4>>>(text: &str) -> String {
    use ark_ff::BigInteger;
    let mut sum: BigInt<4> = text.parse().unwrap();
    assert!(!sum.add_with_carry(&P::MODULUS), "q and r have 254 bits");
    sum.to_string()
}

#[test]
fn keys_proofs_and_statements_survive_their_files() {
    let key = small().key.verifying_key();
    let (inputs, proof) = proven(5);
    let key_again = read_verifying_key(&write_verifying_key(key)).unwrap();
    assert_eq!(key_again, *key);
    assert_eq!(key_again.to_bytes(), key.to_bytes());
    let proof_again = read_proof(&write_proof(&proof)).unwrap();
    let inputs_again = read_public(&write_public(&inputs)).unwrap();
    assert_eq!((&proof_again, &inputs_again), (&proof, &inputs));
    let prepared = PreparedVerifyingKey::new(&key_again);
    verify(&prepared, &inputs_again, &proof_again).unwrap();
    assert_eq!(read_public(b"[]").unwrap(), []);
}

#[test]
fn a_number_has_one_name() {
    let (inputs, proof) = proven(5);
    let one = decimal(&inputs[0]);
    for wrong in [
        plus::<Fr>(&one),
        Fr::MODULUS.to_string(),
        format!("0{one}"),
        format!("+{one}"),
        format!("-{one}"),
        format!("{one} "),
        format!("0x{one}"),
        format!("{one}.0"),
        "1e3".into(),
        String::new(),
        "9".repeat(78),
        "9".repeat(4000),
    ] {
        let bytes = serde_json::to_vec(&[&wrong]).unwrap();
        let place = "public input 0".to_owned();
        assert_eq!(
            read_public(&bytes),
            Err(JsonError::Number { place }),
            "{wrong}"
        );
    }
    // A JSON number is not a string: 2^53 would round.
    let malformed = read_public(b"[5]").unwrap_err();
    assert!(matches!(malformed, JsonError::Malformed { .. }));

    let good = write_proof(&proof);
    for (member, pointer) in [
        ("pi_a", "/pi_a/1"),
        ("pi_b", "/pi_b/0/1"),
        ("pi_c", "/pi_c/0"),
    ] {
        let bytes = edited(&good, |v| {
            let place = v.pointer_mut(pointer).unwrap();
            *place = plus::<Fq>(place.as_str().unwrap()).into();
        });
        let place = member.to_owned();
        assert_eq!(read_proof(&bytes), Err(JsonError::Number { place }));
    }
}

#[test]
fn points_off_the_curve_outside_the_subgroup_or_not_affine_are_refused() {
    let good = write_proof(&proven(5).1);
    let error = |edit: &dyn Fn(&mut Value)| read_proof(&edited(&good, edit)).unwrap_err();
    let not_in_group = |place: &str| JsonError::NotInGroup {
        place: place.to_owned(),
    };
    let not_affine = |place: &str| JsonError::NotAffine {
        place: place.to_owned(),
    };
    assert_eq!(error(&|v| v["pi_a"][0] = "5".into()), not_in_group("pi_a"));
    assert_eq!(error(&|v| v["pi_c"][1] = "5".into()), not_in_group("pi_c"));
    assert_eq!(
        error(&|v| v["pi_b"][0][0] = "5".into()),
        not_in_group("pi_b")
    );
    assert_eq!(error(&|v| v["pi_a"][2] = "2".into()), not_affine("pi_a"));
    assert_eq!(error(&|v| v["pi_b"][2][1] = "1".into()), not_affine("pi_b"));
    let zero = |v: &mut Value| v["pi_a"] = serde_json::json!(["0", "0", "1"]);
    assert_eq!(error(&zero), not_in_group("pi_a"));
    let identity = |v: &mut Value| v["pi_c"] = serde_json::json!(["0", "1", "0"]);
    assert!(matches!(error(&identity), JsonError::Proof(_)));

    let mut x = Fq2::new(Fq::from(1u64), Fq::from(0u64));
    let outside = loop {
        match G2Affine::get_point_from_x_unchecked(x, true) {
            Some(point) if !point.is_in_correct_subgroup_assuming_on_curve() => break point,
            _ => x.c0 += Fq::from(1u64),
        }
    };
    let place = serde_json::to_value(g2_json(&outside)).unwrap();
    assert_eq!(error(&|v| v["pi_b"] = place.clone()), not_in_group("pi_b"));
}

#[test]
fn a_key_announces_what_it_holds_and_is_a_sound_key() {
    let good = write_verifying_key(small().key.verifying_key());
    let error = |edit: &dyn Fn(&mut Value)| read_verifying_key(&edited(&good, edit)).unwrap_err();
    assert_eq!(
        error(&|v| v["nPublic"] = 3.into()),
        JsonError::InputCount {
            expected: 3,
            actual: 2
        }
    );
    assert_eq!(
        error(&|v| v["nPublic"] = 1_000_000.into()),
        JsonError::TooManyInputs { actual: 1_000_000 }
    );
    assert_eq!(
        error(&|v| drop(v["IC"].as_array_mut().unwrap().pop())),
        JsonError::InputCount {
            expected: 2,
            actual: 1
        }
    );
    let gamma_is_delta = |v: &mut Value| v["vk_delta_2"] = v["vk_gamma_2"].clone();
    assert_eq!(
        error(&gamma_is_delta),
        JsonError::Key(KeyError::GammaIsDelta)
    );
    let unbound = |v: &mut Value| v["IC"][1] = serde_json::json!(["0", "1", "0"]);
    assert!(matches!(
        error(&unbound),
        JsonError::Key(KeyError::Identity { .. })
    ));
    let other = value(&write_verifying_key(random_circuit().key.verifying_key()));
    let alpha_beta = |v: &mut Value| v["vk_alphabeta_12"] = other["vk_alphabeta_12"].clone();
    assert_eq!(error(&alpha_beta), JsonError::AlphaBeta);
    // The constant's element binds nothing, so it may be the identity: it comes back as such.
    let constant = edited(&good, |v| v["IC"][0] = serde_json::json!(["0", "1", "0"]));
    let key = read_verifying_key(&constant).unwrap();
    assert_eq!(value(&write_verifying_key(&key)), value(&constant));
}

#[test]
fn other_protocols_curves_members_and_oversized_files_are_refused() {
    let key = write_verifying_key(small().key.verifying_key());
    let proof = write_proof(&proven(5).1);
    for (what, other) in [("protocol", "plonk"), ("curve", "bls12381")] {
        let wrong = |bytes: &[u8]| edited(bytes, |v| v[what] = other.into());
        for error in [
            read_verifying_key(&wrong(&key)).unwrap_err(),
            read_proof(&wrong(&proof)).unwrap_err(),
        ] {
            assert!(matches!(error, JsonError::Other { what: w, .. } if w == what));
        }
    }
    let malformed = |e: JsonError| matches!(e, JsonError::Malformed { .. });
    let extra = edited(&proof, |v| v["more"] = 1.into());
    assert!(malformed(read_proof(&extra).unwrap_err()));
    let missing = edited(&key, |v| {
        drop(v.as_object_mut().unwrap().remove("vk_alphabeta_12"))
    });
    assert!(malformed(read_verifying_key(&missing).unwrap_err()));
    // rapidsnark wrote proofs without their curve for years.
    let curveless = edited(&proof, |v| {
        drop(v.as_object_mut().unwrap().remove("curve"));
    });
    assert_eq!(read_proof(&curveless), read_proof(&proof));
    let trailing = [&proof[..], b"{}"].concat();
    assert!(malformed(read_proof(&trailing).unwrap_err()));
    assert!(malformed(
        read_proof(&proof[..proof.len() - 1]).unwrap_err()
    ));
    let twice = String::from_utf8(proof).unwrap();
    let twice = twice.replacen("\"pi_a\"", "\"curve\": \"bn128\", \"pi_a\"", 1);
    assert!(malformed(read_proof(twice.as_bytes()).unwrap_err()));
    let large = vec![b' '; MAX_FILE_BYTES + 1];
    let actual = large.len();
    assert_eq!(read_public(&large), Err(JsonError::TooLarge { actual }));
    let many = serde_json::to_vec(&vec!["1"; MAX_PUBLIC_INPUTS + 1]).unwrap();
    let actual = MAX_PUBLIC_INPUTS + 1;
    assert_eq!(read_public(&many), Err(JsonError::TooManyInputs { actual }));
}

proptest! {
    #[test]
    fn mutated_files_are_taken_or_refused_without_a_panic(
        place in any::<prop::sample::Index>(), new in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let key = write_verifying_key(small().key.verifying_key());
        let public = write_public(&[Fr::from(17u64), Fr::from(0u64)]);
        for bytes in [&key, &public] {
            let mut changed = bytes.clone();
            let at = place.index(changed.len());
            for (old, new) in changed[at..].iter_mut().zip(&new) {
                *old = *new;
            }
            if let Ok(key) = read_verifying_key(&changed) {
                prop_assert_eq!(&read_verifying_key(&write_verifying_key(&key)).unwrap(), &key);
            }
            if let Ok(inputs) = read_public(&changed) {
                prop_assert_eq!(read_public(&write_public(&inputs)), Ok(inputs));
            }
            let _ = read_proof(&changed);
        }
    }
}
