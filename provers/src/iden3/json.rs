//! `verification_key.json`, `proof.json` and `public.json` as snarkjs 0.7.6 writes and reads them for Groth16 over
//! BN254, which it calls bn128.
//!
//! Invariants: 1. a number is a decimal string without sign or leading zero, below its modulus; 2. a point is
//! affine (third coordinate one), on its curve and in the prime-order subgroup; 3. a file has exactly the members
//! snarkjs writes, but for a proof's curve, and as many inputs as it says. Weierstrass coordinates in F_q²: [c0, c1], c0 + c1·u.

use ark_bn254::{Bn254, Fq, Fq2, Fq6, Fq12, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ff::{BigInt, PrimeField};
use serde::{Deserialize, Serialize};

use crate::groth16::{Groth16Proof, KeyError, ProofDecodeError, VerifyingKey};

/// A file's bound in bytes, refused unread beyond it.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Public inputs a key or statement may have: a key's JSON has some 200 bytes for each.
pub const MAX_PUBLIC_INPUTS: usize = 1 << 14;
/// 2^256 has 78 digits.
const MAX_DIGITS: usize = 78;

const PROTOCOL: &str = "groth16";
const CURVE: &str = "bn128";
/// In G1, where a key's element for the constant may be it; what must not be it is refused by the key or proof.
const IDENTITY: [&str; 3] = ["0", "1", "0"];

/// Why bytes are not such a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("the file has {actual} bytes, at most {MAX_FILE_BYTES} are read")]
    TooLarge { actual: usize },
    #[error("not the JSON snarkjs writes: {reason}")]
    Malformed { reason: String },
    #[error("{what} is {found:?}, expected {expected:?}")]
    Other {
        what: &'static str,
        expected: &'static str,
        found: String,
    },
    #[error("{place} is no canonical decimal number below its modulus")]
    Number { place: String },
    #[error("{place} is not affine: its last coordinate is not one")]
    NotAffine { place: String },
    #[error("{place} is not a point of the prime-order subgroup")]
    NotInGroup { place: String },
    #[error("{expected} public inputs are announced, {actual} are there")]
    InputCount { expected: usize, actual: usize },
    #[error("{actual} public inputs, at most {MAX_PUBLIC_INPUTS} are read")]
    TooManyInputs { actual: usize },
    #[error("vk_alphabeta_12 is not the pairing of alpha and beta")]
    AlphaBeta,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Proof(#[from] ProofDecodeError),
}

type Numbers<const N: usize> = [String; N];
type G1Json = Numbers<3>;
type G2Json = [Numbers<2>; 3];
type GtJson = [[Numbers<2>; 3]; 2];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyingKeyJson {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    n_public: usize,
    vk_alpha_1: G1Json,
    vk_beta_2: G2Json,
    vk_gamma_2: G2Json,
    vk_delta_2: G2Json,
    vk_alphabeta_12: GtJson,
    #[serde(rename = "IC")]
    ic: Vec<G1Json>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofJson {
    pi_a: G1Json,
    pi_b: G2Json,
    pi_c: G1Json,
    protocol: String,
    /// Older provers of other hands leave it out; the key names it too.
    #[serde(default = "bn128")]
    curve: String,
}

fn bn128() -> String {
    CURVE.into()
}

/// `verification_key.json`.
#[must_use]
pub fn write_verifying_key(key: &VerifyingKey) -> Vec<u8> {
    let points = key.points();
    written(&VerifyingKeyJson {
        protocol: PROTOCOL.into(),
        curve: CURVE.into(),
        n_public: key.public_inputs(),
        vk_alpha_1: g1_json(&points.alpha_g1),
        vk_beta_2: g2_json(&points.beta_g2),
        vk_gamma_2: g2_json(&points.gamma_g2),
        vk_delta_2: g2_json(&points.delta_g2),
        vk_alphabeta_12: gt_json(&Bn254::pairing(points.alpha_g1, points.beta_g2).0),
        ic: points.gamma_abc_g1.iter().map(g1_json).collect(),
    })
}

/// Reads `verification_key.json`.
///
/// # Errors
/// [`JsonError`], naming the member.
pub fn read_verifying_key(bytes: &[u8]) -> Result<VerifyingKey, JsonError> {
    let file: VerifyingKeyJson = parsed(bytes)?;
    check_kind(&file.protocol, &file.curve)?;
    check_count(file.n_public)?;
    // One element belongs to the constant.
    let announced = file.n_public + 1;
    if file.ic.len() != announced {
        return Err(JsonError::InputCount {
            expected: file.n_public,
            actual: file.ic.len().saturating_sub(1),
        });
    }
    let inputs = file.ic.iter().enumerate();
    let points = ark_groth16::VerifyingKey::<Bn254> {
        alpha_g1: g1("vk_alpha_1", &file.vk_alpha_1)?,
        beta_g2: g2("vk_beta_2", &file.vk_beta_2)?,
        gamma_g2: g2("vk_gamma_2", &file.vk_gamma_2)?,
        delta_g2: g2("vk_delta_2", &file.vk_delta_2)?,
        gamma_abc_g1: inputs
            .map(|(at, point)| g1(&format!("IC[{at}]"), point))
            .collect::<Result<_, _>>()?,
    };
    // No verifier needs it, but one that trusts it would be misled.
    let alpha_beta = Bn254::pairing(points.alpha_g1, points.beta_g2).0;
    if gt_json(&alpha_beta) != file.vk_alphabeta_12 {
        return Err(JsonError::AlphaBeta);
    }
    Ok(VerifyingKey::new(points)?)
}

/// `proof.json`.
#[must_use]
pub fn write_proof(proof: &Groth16Proof) -> Vec<u8> {
    let points = proof.points();
    written(&ProofJson {
        pi_a: g1_json(&points.a),
        pi_b: g2_json(&points.b),
        pi_c: g1_json(&points.c),
        protocol: PROTOCOL.into(),
        curve: CURVE.into(),
    })
}

/// Reads `proof.json`; it is not a proof *of* anything until verified.
///
/// # Errors
/// [`JsonError`], naming the member.
pub fn read_proof(bytes: &[u8]) -> Result<Groth16Proof, JsonError> {
    let file: ProofJson = parsed(bytes)?;
    check_kind(&file.protocol, &file.curve)?;
    let proof = ark_groth16::Proof::<Bn254> {
        a: g1("pi_a", &file.pi_a)?,
        b: g2("pi_b", &file.pi_b)?,
        c: g1("pi_c", &file.pi_c)?,
    };
    Ok(Groth16Proof::new(proof)?)
}

/// `public.json`: the statement, without the constant.
#[must_use]
pub fn write_public(inputs: &[Fr]) -> Vec<u8> {
    let inputs: Vec<String> = inputs.iter().map(decimal).collect();
    written(&inputs)
}

/// Reads `public.json`.
///
/// # Errors
/// [`JsonError`]; a number of the scalar modulus or more is not canonical.
pub fn read_public(bytes: &[u8]) -> Result<Vec<Fr>, JsonError> {
    let inputs: Vec<String> = parsed(bytes)?;
    check_count(inputs.len())?;
    let numbered = inputs.iter().enumerate();
    numbered
        .map(|(at, input)| number(&format!("public input {at}"), input))
        .collect()
}

/// snarkjs indents by one space; nobody depends on it, diffs are easier to read.
fn written<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let style = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, style);
    value
        .serialize(&mut serializer)
        .expect("strings and numbers go into memory");
    bytes
}

fn parsed<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, JsonError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(JsonError::TooLarge {
            actual: bytes.len(),
        });
    }
    serde_json::from_slice(bytes).map_err(|e| JsonError::Malformed {
        reason: e.to_string(),
    })
}

fn check_kind(protocol: &str, curve: &str) -> Result<(), JsonError> {
    for (what, expected, found) in [("protocol", PROTOCOL, protocol), ("curve", CURVE, curve)] {
        if found != expected {
            let found = found.chars().take(32).collect();
            return Err(JsonError::Other {
                what,
                expected,
                found,
            });
        }
    }
    Ok(())
}

fn check_count(inputs: usize) -> Result<(), JsonError> {
    if inputs > MAX_PUBLIC_INPUTS {
        return Err(JsonError::TooManyInputs { actual: inputs });
    }
    Ok(())
}

fn decimal<P: PrimeField>(element: &P) -> String {
    element.into_bigint().to_string()
}

fn number<P: PrimeField<BigInt = BigInt<4>>>(place: &str, text: &str) -> Result<P, JsonError> {
    let digits = !text.is_empty()
        && text.len() <= MAX_DIGITS
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    // Never reduced: x and x + p would be two names of one number.
    let element = digits
        .then(|| text.parse::<BigInt<4>>().ok())
        .flatten()
        .and_then(P::from_bigint);
    element.ok_or_else(|| JsonError::Number {
        place: place.to_owned(),
    })
}

fn fq2(place: &str, [c0, c1]: &Numbers<2>) -> Result<Fq2, JsonError> {
    Ok(Fq2::new(number(place, c0)?, number(place, c1)?))
}

fn g1(place: &str, [x, y, z]: &G1Json) -> Result<G1Affine, JsonError> {
    if [x, y, z] == IDENTITY {
        return Ok(G1Affine::identity());
    }
    check_affine(place, z == "1")?;
    let (x, y): (Fq, Fq) = (number(place, x)?, number(place, y)?);
    checked(place, G1Affine::new_unchecked(x, y))
}

fn g2(place: &str, [x, y, z]: &G2Json) -> Result<G2Affine, JsonError> {
    check_affine(place, z[0] == "1" && z[1] == "0")?;
    let (x, y) = (fq2(place, x)?, fq2(place, y)?);
    checked(place, G2Affine::new_unchecked(x, y))
}

fn check_affine(place: &str, affine: bool) -> Result<(), JsonError> {
    if affine {
        return Ok(());
    }
    Err(JsonError::NotAffine {
        place: place.to_owned(),
    })
}

/// The one way out for a point built from two coordinates. arkworks takes (0, 0) for the identity, which has a name
/// of its own here.
fn checked<G: AffineRepr + ark_serialize::Valid>(place: &str, point: G) -> Result<G, JsonError> {
    if point.is_zero() || point.check().is_err() {
        return Err(JsonError::NotInGroup {
            place: place.to_owned(),
        });
    }
    Ok(point)
}

fn g1_json(point: &G1Affine) -> G1Json {
    match point.xy() {
        Some((x, y)) => [decimal(&x), decimal(&y), "1".into()],
        None => IDENTITY.map(String::from),
    }
}

fn g2_json(point: &G2Affine) -> G2Json {
    let (x, y) = point.xy().expect("no element of G2 is the identity");
    [fq2_json(&x), fq2_json(&y), ["1".into(), "0".into()]]
}

fn fq2_json(element: &Fq2) -> Numbers<2> {
    [decimal(&element.c0), decimal(&element.c1)]
}

fn gt_json(element: &Fq12) -> GtJson {
    let sextic = |c: &Fq6| [fq2_json(&c.c0), fq2_json(&c.c1), fq2_json(&c.c2)];
    [sextic(&element.c0), sextic(&element.c1)]
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
