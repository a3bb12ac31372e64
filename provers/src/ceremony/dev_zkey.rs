//! A development key as a `.zkey`, so that other hands' provers can prove under it. As insecure as the key itself.

use crate::R1cs;
use crate::groth16::ProvingKey;
use crate::iden3::{PhaseTwo, TRANSCRIPT_BYTES, Zkey, ZkeyHeader};

use super::initial::coefficients;

/// A key of [`crate::groth16::insecure_dev_setup`] with its circuit's coefficients. It names no contribution and its
/// circuit hash is zero: no ceremony can be continued from it, and `snarkjs zkey verify` refuses it. `None` if the key
/// belongs to another circuit.
#[must_use]
pub fn insecure_dev_zkey(key: &ProvingKey, circuit: &R1cs) -> Option<Zkey> {
    if !key.belongs_to(circuit) {
        return None;
    }
    let count = |n: usize| u32::try_from(n).expect("R1cs::new bounds what a circuit has");
    let points = key.points();
    Some(Zkey {
        header: ZkeyHeader {
            variables: count(circuit.variables()),
            public_inputs: count(circuit.public_inputs()),
            domain_size: count(circuit.domain_size()),
            alpha_g1: points.vk.alpha_g1,
            beta_g1: points.beta_g1,
            beta_g2: points.vk.beta_g2,
            gamma_g2: points.vk.gamma_g2,
            delta_g1: points.delta_g1,
            delta_g2: points.vk.delta_g2,
        },
        inputs: points.vk.gamma_abc_g1.clone(),
        coefficients: coefficients(circuit),
        a: points.a_query.clone(),
        b_g1: points.b_g1_query.clone(),
        b_g2: points.b_g2_query.clone(),
        l: points.l_query.clone(),
        h: points.h_query.clone(),
        phase_two: PhaseTwo {
            circuit_hash: [0; TRANSCRIPT_BYTES],
            contributions: Vec::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{random_circuit, small};
    use std::io::Cursor;

    #[test]
    fn a_development_key_survives_the_way_through_a_zkey() {
        let small = small();
        let zkey = insecure_dev_zkey(&small.key, &small.r1cs).unwrap();
        let bytes = zkey.write(Cursor::new(Vec::new())).unwrap().into_inner();
        let read = Zkey::read(Cursor::new(bytes)).unwrap();
        let key = ProvingKey::from_zkey(read, &small.r1cs).unwrap();
        assert_eq!(key.points(), small.key.points());
        assert!(insecure_dev_zkey(&small.key, &random_circuit().r1cs).is_none());
    }
}
