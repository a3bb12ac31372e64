use super::*;
use crate::groth16::KeyDecodeError;
use crate::groth16::reference::prove;
use crate::testing::{self, random_circuit, small};
use ark_bn254::{G1Affine, G2Affine};

fn proving_bytes() -> Vec<u8> {
    small().key.to_bytes()
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 32;
    let checksum = blake3::hash(&bytes[..body]);
    bytes[body..].copy_from_slice(checksum.as_bytes());
    bytes
}

#[test]
fn keys_survive_their_encoding_and_still_prove() {
    for circuit in [small(), random_circuit()] {
        let bytes = circuit.key.to_bytes();
        let key = ProvingKey::from_bytes(&bytes).unwrap();
        assert!(key.belongs_to(&circuit.r1cs));
        assert_eq!(key.to_bytes(), bytes);
        assert!(prove(&key, &circuit.r1cs, &circuit.assignment).is_ok());

        let bytes = circuit.key.verifying_key().to_bytes();
        assert_eq!(bytes.len(), 244 + 32 * 3);
        let key = VerifyingKey::from_bytes(&bytes).unwrap();
        assert_eq!(&key, circuit.key.verifying_key());
        assert_eq!(key.to_bytes(), bytes);
    }
}

#[test]
fn truncated_and_trailing_bytes_are_length_errors() {
    let proving = proving_bytes();
    let verifying = small().key.verifying_key().to_bytes();
    for cut in [0, 1, 15, 19, 20, 59, 60, 100] {
        if cut < verifying.len() {
            let error = VerifyingKey::from_bytes(&verifying[..cut]).unwrap_err();
            assert!(matches!(error, KeyDecodeError::Length { actual, .. } if actual == cut));
        }
        let error = ProvingKey::from_bytes(&proving[..cut]).unwrap_err();
        assert!(matches!(error, KeyDecodeError::Length { actual, .. } if actual == cut));
    }
    for change in [-64i64, -1, 1, 64] {
        let resized = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes.resize((bytes.len() as i64 + change) as usize, 0);
            bytes
        };
        assert_eq!(
            VerifyingKey::from_bytes(&resized(&verifying)),
            Err(KeyDecodeError::Length {
                expected: verifying.len() as u64,
                actual: (verifying.len() as i64 + change) as usize
            })
        );
        assert_eq!(
            ProvingKey::from_bytes(&resized(&proving)).unwrap_err(),
            KeyDecodeError::Length {
                expected: proving.len() as u64,
                actual: (proving.len() as i64 + change) as usize
            }
        );
    }
}

#[test]
fn a_header_that_promises_gigabytes_is_refused_before_anything_is_allocated() {
    let mut bytes = proving_bytes();
    bytes[48..56].fill(0xff);
    assert!(matches!(
        ProvingKey::from_bytes(&bytes),
        Err(KeyDecodeError::Length { expected, .. }) if expected > 1 << 40
    ));
    bytes[56..60].copy_from_slice(&28u32.to_le_bytes());
    assert_eq!(
        ProvingKey::from_bytes(&bytes).unwrap_err(),
        KeyDecodeError::Domain { log2: 28 }
    );
}

#[test]
fn keys_of_one_kind_are_not_keys_of_the_other() {
    let verifying = small().key.verifying_key().to_bytes();
    assert_eq!(
        VerifyingKey::from_bytes(&proving_bytes()),
        Err(KeyDecodeError::Magic)
    );
    assert_eq!(
        ProvingKey::from_bytes(&verifying).unwrap_err(),
        KeyDecodeError::Magic
    );
}

#[test]
fn every_flipped_byte_of_a_proving_key_file_is_noticed() {
    let bytes = proving_bytes();
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        let error = ProvingKey::from_bytes(&damaged).unwrap_err();
        let expected = match position {
            0..16 => matches!(error, KeyDecodeError::Magic),
            48..60 => matches!(
                error,
                KeyDecodeError::Length { .. } | KeyDecodeError::Domain { .. }
            ),
            _ => error == KeyDecodeError::Checksum,
        };
        assert!(expected, "byte {position}: {error}");
    }
}

#[test]
fn a_point_off_the_curve_or_written_another_way_is_refused_under_a_valid_checksum() {
    let (header, g1, g2) = (60, 64, 128);
    let inputs = header + 3 * g1 + 3 * g2;
    let at = |position: usize, change: fn(&mut u8)| {
        let mut bytes = proving_bytes();
        change(&mut bytes[position]);
        ProvingKey::from_bytes(&with_checksum(bytes)).unwrap_err()
    };
    assert_eq!(
        at(inputs + g1, |b| *b ^= 1),
        KeyDecodeError::NotInGroup {
            part: KeyPart::Inputs,
            index: 1
        }
    );
    // The sign flag of an uncompressed point, which arkworks' decoder ignores.
    assert_eq!(
        at(inputs + 2 * g1 - 1, |b| *b ^= 0x80),
        KeyDecodeError::NonCanonical {
            part: KeyPart::Inputs,
            index: 1
        }
    );
    assert_eq!(
        at(header, |b| *b ^= 1),
        KeyDecodeError::NotInGroup {
            part: KeyPart::Alpha,
            index: 0
        }
    );
}

#[test]
fn no_flipped_bit_of_a_verifying_key_gives_the_same_key() {
    let key = small().key.verifying_key();
    let bytes = key.to_bytes();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = VerifyingKey::from_bytes(&flipped) {
            assert_eq!(other.to_bytes(), flipped, "bit {bit}: two encodings");
            assert_ne!(other.digest(), key.digest());
        }
    }
}

#[test]
fn a_verifying_key_that_anyone_could_forge_under_is_refused() {
    let good = small().key.verifying_key().points();
    let error = |change: fn(&mut ark_groth16::VerifyingKey<Bn254>)| {
        let mut points = good.clone();
        change(&mut points);
        VerifyingKey::new(points).unwrap_err()
    };
    let identity = |part, index| KeyError::Identity { part, index };
    assert_eq!(
        error(|k| k.alpha_g1 = G1Affine::identity()),
        identity(KeyPart::Alpha, 0)
    );
    assert_eq!(
        error(|k| k.beta_g2 = G2Affine::identity()),
        identity(KeyPart::Beta, 0)
    );
    assert_eq!(
        error(|k| k.gamma_g2 = G2Affine::identity()),
        identity(KeyPart::Gamma, 0)
    );
    assert_eq!(
        error(|k| k.delta_g2 = G2Affine::identity()),
        identity(KeyPart::Delta, 0)
    );
    assert_eq!(
        error(|k| k.gamma_abc_g1[2] = G1Affine::identity()),
        identity(KeyPart::Inputs, 2)
    );
    assert_eq!(error(|k| k.delta_g2 = k.gamma_g2), KeyError::GammaIsDelta);
    assert_eq!(error(|k| k.gamma_abc_g1.clear()), KeyError::NoInputs);
}

#[test]
fn the_decoder_refuses_what_the_constructor_refuses() {
    let mut bytes = small().key.verifying_key().to_bytes();
    let (gamma, delta) = (20 + 32 + 64, 20 + 32 + 128);
    bytes.copy_within(gamma..delta, delta);
    assert_eq!(
        VerifyingKey::from_bytes(&bytes),
        Err(KeyDecodeError::Key(KeyError::GammaIsDelta))
    );
}

#[test]
fn a_proving_key_of_another_shape_or_with_identities_is_refused() {
    let circuit = random_circuit();
    let error = |change: fn(&mut ark_groth16::ProvingKey<Bn254>)| {
        let mut points = circuit.key.points().clone();
        change(&mut points);
        ProvingKey::new(points, &circuit.r1cs).unwrap_err()
    };
    let shape = |part, expected| KeyError::Shape {
        part,
        expected,
        actual: expected - 1,
    };
    let (variables, witness) = (103, 100);
    assert_eq!(
        error(|k| k.vk.gamma_abc_g1.truncate(k.vk.gamma_abc_g1.len() - 1)),
        shape(KeyPart::Inputs, 3)
    );
    assert_eq!(
        error(|k| k.a_query.truncate(k.a_query.len() - 1)),
        shape(KeyPart::AQuery, variables)
    );
    assert_eq!(
        error(|k| k.b_g1_query.truncate(k.b_g1_query.len() - 1)),
        shape(KeyPart::BQueryG1, variables)
    );
    assert_eq!(
        error(|k| k.b_g2_query.truncate(k.b_g2_query.len() - 1)),
        shape(KeyPart::BQueryG2, variables)
    );
    assert_eq!(
        error(|k| k.h_query.truncate(k.h_query.len() - 1)),
        shape(KeyPart::HQuery, 128)
    );
    assert_eq!(
        error(|k| k.l_query.truncate(k.l_query.len() - 1)),
        shape(KeyPart::LQuery, witness)
    );
    for (part, change) in [
        (
            KeyPart::Beta,
            (|k| k.beta_g1 = G1Affine::identity()) as fn(&mut ark_groth16::ProvingKey<Bn254>),
        ),
        (KeyPart::Delta, |k| k.delta_g1 = G1Affine::identity()),
    ] {
        assert_eq!(error(change), KeyError::Identity { part, index: 0 });
    }
}

#[test]
fn a_key_belongs_to_one_circuit() {
    let (twin, _) = testing::random_r1cs(8, 100, 2, 5);
    assert!(random_circuit().key.belongs_to(&random_circuit().r1cs));
    assert!(!random_circuit().key.belongs_to(&twin));
    assert!(!small().key.belongs_to(&random_circuit().r1cs));
}
