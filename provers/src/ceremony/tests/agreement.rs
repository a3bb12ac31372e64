use super::snarkjs::{Bench, printed_hash};
use super::*;
use crate::Fr;
use crate::groth16::reference::prove;
use crate::groth16::{Groth16Proof, ProvingKey, verify};
use crate::iden3::{read_r1cs, write_r1cs};
use crate::testing;
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use serde_json::json;

fn put_circuit(bench: &Bench, circuit: &R1cs) {
    let file = write_r1cs(circuit, Cursor::new(Vec::new())).unwrap();
    bench.put("c.r1cs", &file.into_inner());
}

#[test]
fn a_new_key_is_snarkjss_byte_for_byte() {
    let bench = Bench::new();
    bench.put("p.ptau", &POWERS);
    let circuits = [
        testing::random_r1cs(21, 60, 1, 4).0,
        testing::random_r1cs(22, 1, 0, 1).0,
        testing::random_r1cs(23, 3, 4, 2).0,
    ];
    for circuit in &circuits {
        put_circuit(&bench, circuit);
        let printed = bench.ok("zkey new c.r1cs p.ptau theirs.zkey");
        let ours = initial(&as_written(circuit), &POWERS);
        assert_eq!(
            printed_hash(&printed, "Circuit hash:"),
            hex::encode(ours.phase_two.circuit_hash)
        );
        assert!(bytes(&ours) == bench.get("theirs.zkey"));
    }
}

/// A domain of 2^15, where snarkjs hashes H in several chunks and one point too many. Half a minute:
/// `cargo test --release -p ukehi-provers -- --ignored several_chunks`.
#[test]
#[ignore = "its powers of 2^16 take half a minute to make"]
fn a_new_key_of_several_chunks_is_snarkjss_byte_for_byte() {
    let bench = Bench::new();
    let circuit = as_written(&testing::random_r1cs(24, (1 << 14) + 5, 1, 1).0);
    let too_small = insecure_dev_powers(15, &mut |_, _| {}).unwrap();
    let too_small = write_ptau(&too_small, Cursor::new(Vec::new())).unwrap();
    assert!(matches!(
        initial_zkey(&circuit, &mut open(too_small.get_ref()), &mut |_, _| {}),
        Err(InitialError::SamePower { circuit: 15 })
    ));
    let powers = powers_of(16);
    bench.put("p.ptau", &powers);
    put_circuit(&bench, &circuit);
    bench.ok("zkey new c.r1cs p.ptau theirs.zkey");
    assert!(bytes(&initial(&circuit, &powers)) == bench.get("theirs.zkey"));
}

/// One party of three uses snarkjs, both tools verify, and the beacon is the same bytes from either.
#[test]
fn three_parties_one_of_them_with_snarkjs_make_a_key_both_tools_accept_and_prove_with() {
    let bench = Bench::new();
    let (circuit, assignment) = testing::random_r1cs(31, 60, 1, 4);
    let circuit = as_written(&circuit);
    put_circuit(&bench, &circuit);
    bench.put("p.ptau", &POWERS);
    let first = initial(&circuit, &POWERS);

    let second = contributed(initial(&circuit, &POWERS), "ada");
    bench.put("1.zkey", &bytes(&second));
    let printed = bench.ok("zkey contribute 1.zkey 2.zkey --name=grace_h -e=text");
    let third = read(&bench.get("2.zkey"));
    let theirs = printed_hash(&printed, "Contribution Hash:");
    let hashes = verify_chain(&third.phase_two).unwrap();
    assert_eq!(theirs, hex::encode(hashes[1]));
    assert_eq!(bytes(&third), bench.get("2.zkey"));
    assert_eq!(
        third.phase_two.contributions[1].name.as_deref(),
        Some("grace h")
    );

    bench.put("3.zkey", &bytes(&contributed(third, "edsger")));
    let beacon = "00112233445566778899aabbccddeeff";
    bench.ok(&format!(
        "zkey beacon 3.zkey theirs.zkey {beacon} 10 -n=beacon"
    ));
    let last = closed(read(&bench.get("3.zkey")));
    assert!(bytes(&last) == bench.get("theirs.zkey"));

    let report = verify_zkey(&last, &first, &mut |_, _| {}).unwrap();
    let printed = bench.ok("zkey verify c.r1cs p.ptau theirs.zkey");
    assert!(printed.contains("ZKey Ok!"), "{printed}");
    assert_eq!(report.contributions.len(), 4);
    for (number, (hash, name)) in (1..).zip(
        report
            .contributions
            .iter()
            .zip(["ada", "grace h", "edsger", "beacon"]),
    ) {
        let title = format!("contribution #{number} {name}:");
        assert_eq!(printed_hash(&printed, &title), hex::encode(hash));
    }

    let key = ProvingKey::from_zkey(last, &circuit).unwrap();
    check_proofs_both_ways(&bench, &key, &circuit, &assignment);
}

fn as_written(circuit: &R1cs) -> R1cs {
    read_r1cs(write_r1cs(circuit, Cursor::new(Vec::new())).unwrap()).unwrap()
}

fn check_proofs_both_ways(bench: &Bench, key: &ProvingKey, circuit: &R1cs, assignment: &[Fr]) {
    let proof = prove(key, circuit, assignment).unwrap();
    let inputs = &assignment[1..circuit.instance_variables()];
    let p = proof.points();
    let g1 = |p: &G1Affine| json!([p.x.to_string(), p.y.to_string(), "1"]);
    let pair = |c: &Fq2| json!([c.c0.to_string(), c.c1.to_string()]);
    let json = json!({
        "protocol": "groth16", "curve": "bn128", "pi_a": g1(&p.a), "pi_c": g1(&p.c),
        "pi_b": [pair(&p.b.x), pair(&p.b.y), ["1", "0"]],
    });
    let public: Vec<String> = inputs.iter().map(ToString::to_string).collect();
    bench.put("proof.json", json.to_string().as_bytes());
    bench.put("public.json", json!(public).to_string().as_bytes());
    bench.ok("zkey export verificationkey theirs.zkey vk.json");
    let printed = bench.ok("groth16 verify vk.json public.json proof.json");
    assert!(printed.contains("OK!"), "{printed}");

    bench.put("w.wtns", &wtns(assignment));
    bench.ok("groth16 prove theirs.zkey w.wtns proof.json public.json");
    let made: serde_json::Value = serde_json::from_slice(&bench.get("proof.json")).unwrap();
    let number = |v: &serde_json::Value| -> Fq { v.as_str().unwrap().parse().unwrap() };
    let g1 = |v: &serde_json::Value| G1Affine::new(number(&v[0]), number(&v[1]));
    let pair = |v: &serde_json::Value| Fq2::new(number(&v[0]), number(&v[1]));
    let points = ark_groth16::Proof {
        a: g1(&made["pi_a"]),
        b: G2Affine::new(pair(&made["pi_b"][0]), pair(&made["pi_b"][1])),
        c: g1(&made["pi_c"]),
    };
    let proof = Groth16Proof::new(points).unwrap();
    verify(key.prepared_verifying_key(), inputs, &proof).unwrap();
}

/// A witness in snarkjs's format: the whole assignment.
fn wtns(assignment: &[Fr]) -> Vec<u8> {
    let le = |f: &Fr| f.into_bigint().to_bytes_le();
    let mut bytes = b"wtns".to_vec();
    [2u32, 2, 1]
        .iter()
        .for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes.extend(40u64.to_le_bytes());
    bytes.extend(32u32.to_le_bytes());
    bytes.extend(Fr::MODULUS.to_bytes_le());
    bytes.extend((assignment.len() as u32).to_le_bytes());
    bytes.extend(2u32.to_le_bytes());
    bytes.extend((32 * assignment.len() as u64).to_le_bytes());
    assignment.iter().for_each(|f| bytes.extend(le(f)));
    bytes
}
