use super::snarkjs::{Bench, printed_hash};
use super::*;
use crate::iden3::write_r1cs;
use crate::testing;

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
        let file = write_r1cs(circuit, Cursor::new(Vec::new())).unwrap();
        let as_written = crate::iden3::read_r1cs(file).unwrap();
        let ours = initial(&as_written, &POWERS);
        assert_eq!(
            printed_hash(&printed, "Circuit hash:"),
            hex::encode(ours.phase_two.circuit_hash)
        );
        assert!(bytes(&ours) == bench.get("theirs.zkey"));
    }
}
