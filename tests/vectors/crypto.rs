//! Vectors of what the formats are made of: Poseidon, Groth16, and the trust root that names the keys.

use crate::file::Vectors;
use crate::world::World;
use ark_bn254::{Fq, Fq2, G2Affine};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ukehi_circuits::poseidon::{self, Domain};
use ukehi_circuits::{F, field};
use ukehi_provers::groth16::{Groth16Proof, PreparedVerifyingKey, VerifyingKey, verify};
use ukehi_provers::iden3::json::{read_public, write_public};

const USES: [(&str, Domain); 11] = [
    ("key", Domain::Key),
    ("keystream", Domain::Keystream),
    ("route", Domain::Route),
    ("route commitment", Domain::RouteCommitment),
    ("cell", Domain::Cell),
    ("cell leaf", Domain::CellLeaf),
    ("leaf", Domain::Leaf),
    ("node", Domain::Node),
    ("statement", Domain::Statement),
    ("open", Domain::Open),
    ("policy", Domain::Policy),
];

#[derive(Serialize, Deserialize)]
struct Hash {
    #[serde(rename = "use")]
    usage: String,
    inputs: Vec<String>,
    output: String,
}

#[derive(Serialize, Deserialize, Clone)]
struct Proof {
    verifying_key: String,
    inputs: Vec<String>,
    proof: String,
}

fn elements(decimals: &[String]) -> Result<Vec<F>, String> {
    read_public(&serde_json::to_vec(decimals).unwrap()).map_err(|e| e.to_string())
}

fn decimals(elements: &[F]) -> Vec<String> {
    serde_json::from_slice(&write_public(elements)).unwrap()
}

pub fn poseidon(text: &str) -> Result<(), String> {
    let hash: Hash = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let (_, domain) = USES
        .iter()
        .find(|(name, _)| *name == hash.usage)
        .ok_or("an unknown use")?;
    let output = poseidon::hash(*domain, &elements(&hash.inputs)?);
    match elements(&[hash.output])? == [output] {
        true => Ok(()),
        false => Err("another hash".into()),
    }
}

pub fn groth16(text: &str) -> Result<(), String> {
    let case: Proof = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let key = VerifyingKey::from_bytes(&unhex(&case.verifying_key)).map_err(|e| e.to_string())?;
    let inputs = case.inputs.iter().map(|hex| {
        let bytes: [u8; 32] = unhex(hex).try_into().map_err(|_| "an input is 32 bytes")?;
        field::decode(&bytes).map_err(|e| e.to_string())
    });
    let inputs = inputs.collect::<Result<Vec<F>, String>>()?;
    let proof = Groth16Proof::from_bytes(&unhex(&case.proof)).map_err(|e| e.to_string())?;
    verify(&PreparedVerifyingKey::new(&key), &inputs, &proof).map_err(|e| e.to_string())
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

pub fn write(world: &World) {
    write_poseidon();
    write_groth16(world);
    write_trust(world);
}

fn write_poseidon() {
    let mut vectors = Vectors::new("poseidon");
    let case = |usage: &str, inputs: Vec<F>, edit: fn(&mut Hash)| {
        let (_, domain) = USES.iter().find(|(name, _)| *name == usage).unwrap();
        let mut hash = Hash {
            usage: usage.into(),
            output: decimals(&[poseidon::hash(*domain, &inputs)]).remove(0),
            inputs: decimals(&inputs),
        };
        edit(&mut hash);
        serde_json::to_string(&hash).unwrap()
    };
    let large = |i: usize| -F::from(i as u64 + 1);
    for (at, (usage, _)) in USES.iter().enumerate() {
        let inputs = (0..at).map(large).collect();
        vectors.accept(
            &format!("{usage} of {at} inputs"),
            case(usage, inputs, |_| {}),
        );
    }
    // One block, one block and one, several blocks: widths of 17 from 16 inputs on.
    for count in [10, 11, 12, 13, 14, 15, 16, 17, 32, 76] {
        let inputs = (0..count).map(|i| F::from(i as u64)).collect();
        vectors.accept(
            &format!("leaf of {count} inputs"),
            case("leaf", inputs, |_| {}),
        );
    }
    let four = || (0..4).map(large).collect::<Vec<F>>();
    vectors.refuse(
        "another use",
        "the use is in the capacity lane",
        case("leaf", four(), |h| h.usage = "node".into()),
    );
    vectors.refuse(
        "a zero more",
        "the number of inputs is in the capacity lane",
        case("leaf", four(), |h| h.inputs.push("0".into())),
    );
    const P: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";
    vectors.refuse(
        "an input of p",
        "p is not reduced to 0",
        case("leaf", vec![F::from(0u64)], |h| h.inputs[0] = P.to_owned()),
    );
    vectors.save("poseidon.json");
}

fn write_groth16(world: &World) {
    let mut vectors = Vectors::new("groth16");
    let entry = &world.trail.entries[2];
    let batch = entry.batch();
    let manifest = world
        .trust
        .circuits
        .iter()
        .find(|m| m.circuit_id() == batch.header.circuit);
    let good = Proof {
        verifying_key: hex::encode(manifest.unwrap().verifying_key()),
        inputs: vec![hex::encode(entry.record.x)],
        proof: hex::encode(batch.proof),
    };
    let with = |edit: &dyn Fn(&mut Proof)| {
        let mut case = good.clone();
        edit(&mut case);
        serde_json::to_string(&case).unwrap()
    };
    let in_proof = |at: usize, bytes: &[u8]| {
        with(&|case| {
            let mut proof = unhex(&case.proof);
            proof[at..at + bytes.len()].copy_from_slice(bytes);
            case.proof = hex::encode(proof);
        })
    };
    let in_key = |edit: &dyn Fn(&mut Vec<u8>)| {
        with(&|case| {
            let mut key = unhex(&case.verifying_key);
            edit(&mut key);
            case.verifying_key = hex::encode(key);
        })
    };
    let identity = |length: usize| {
        let mut bytes = vec![0; length];
        bytes[length - 1] = 0x40;
        bytes
    };
    vectors.accept("a proof", with(&|_| {}));
    vectors.refuse(
        "another input",
        "the equation does not hold",
        with(&|c| c.inputs = vec![hex::encode(field::encode(&F::from(5u64)))]),
    );
    vectors.refuse(
        "the input plus p",
        "a field element is below p",
        with(&|c| c.inputs = vec![hex::encode(plus_p(&entry.record.x))]),
    );
    vectors.refuse(
        "an input more, zero",
        "a key takes exactly so many inputs",
        with(&|c| c.inputs.push("00".repeat(32))),
    );
    vectors.refuse(
        "no input",
        "a key takes exactly so many inputs",
        with(&|c| c.inputs.clear()),
    );
    vectors.refuse(
        "-A",
        "the equation does not hold",
        in_proof(31, &[batch.proof[31] ^ 0x80]),
    );
    vectors.refuse(
        "-B",
        "the equation does not hold",
        in_proof(95, &[batch.proof[95] ^ 0x80]),
    );
    vectors.refuse(
        "-C",
        "the equation does not hold",
        in_proof(127, &[batch.proof[127] ^ 0x80]),
    );
    vectors.refuse(
        "A and C exchanged",
        "the equation does not hold",
        with(&|c| {
            let proof = unhex(&c.proof);
            c.proof = hex::encode([&proof[96..], &proof[32..96], &proof[..32]].concat());
        }),
    );
    vectors.refuse(
        "A the identity",
        "no element of a proof is the identity",
        in_proof(0, &identity(32)),
    );
    vectors.refuse(
        "B the identity",
        "no element of a proof is the identity",
        in_proof(32, &identity(64)),
    );
    vectors.refuse(
        "C the identity",
        "no element of a proof is the identity",
        in_proof(96, &identity(32)),
    );
    let mut hiding = identity(32);
    hiding[0] = 7;
    vectors.refuse(
        "an identity with coordinates",
        "an identity has no other bits",
        in_proof(96, &hiding),
    );
    vectors.refuse(
        "both flags",
        "a point is the identity or has a y",
        in_proof(127, &[batch.proof[127] | 0xc0]),
    );
    vectors.refuse(
        "x of A is q",
        "a coordinate is below q",
        in_proof(
            0,
            &unhex("47fd7cd8168c203c8dca7168916a81975d588181b64550b829a031e1724e6430"),
        ),
    );
    vectors.refuse(
        "x without a point",
        "no y has this x",
        in_proof(0, &off_curve()),
    );
    vectors.refuse(
        "B outside the subgroup",
        "G2 has points of other orders",
        in_proof(32, &outside_subgroup()),
    );
    vectors.refuse(
        "127 bytes",
        "a proof has 128",
        with(&|c| c.proof.truncate(254)),
    );
    vectors.refuse(
        "129 bytes",
        "a proof has 128",
        with(&|c| c.proof.push_str("00")),
    );
    vectors.refuse(
        "key: gamma is delta",
        "anyone could forge",
        in_key(&|k| k.copy_within(180..244, 116)),
    );
    vectors.refuse(
        "key: IC_1 the identity",
        "the input would not be bound",
        in_key(&|k| k[276..308].copy_from_slice(&identity(32))),
    );
    vectors.refuse(
        "key: alpha the identity",
        "no element but IC_0 is the identity",
        in_key(&|k| k[20..52].copy_from_slice(&identity(32))),
    );
    vectors.refuse(
        "key: another magic",
        "a key of another kind",
        in_key(&|k| k[15] = b'2'),
    );
    vectors.refuse(
        "key: a byte more",
        "nothing follows the last element",
        in_key(&|k| k.push(0)),
    );
    vectors.refuse(
        "key: counts one input too few",
        "length and count must fit",
        in_key(&|k| k[16] = 1),
    );
    vectors.refuse(
        "key: beta and gamma exchanged",
        "the equation does not hold",
        in_key(&|k| {
            let beta = k[52..116].to_vec();
            k.copy_within(116..180, 52);
            k[116..180].copy_from_slice(&beta);
        }),
    );
    vectors.save("groth16.json");
}

/// The other name of a residue, as 32 bytes: p has 254 bits.
pub fn plus_p(element: &[u8; 32]) -> [u8; 32] {
    let p = unhex("010000f093f5e1439170b97948e833285d588181b64550b829a031e1724e6430");
    let mut carry = 0;
    let mut sum = *element;
    for (byte, add) in sum.iter_mut().zip(p) {
        let total = u16::from(*byte) + u16::from(add) + carry;
        *byte = total as u8;
        carry = total >> 8;
    }
    sum
}

fn off_curve() -> Vec<u8> {
    let without = (1u64..)
        .find(|x| ark_bn254::G1Affine::get_point_from_x_unchecked(Fq::from(*x), false).is_none());
    let mut bytes = vec![0; 32];
    bytes[..8].copy_from_slice(&without.unwrap().to_le_bytes());
    bytes
}

/// On the curve of G2, with a small x, and of another order.
fn outside_subgroup() -> Vec<u8> {
    let x = (1u64..).find(|x| {
        let point =
            G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(*x), Fq::from(0u64)), false);
        point.is_some_and(|point| !point.is_in_correct_subgroup_assuming_on_curve())
    });
    let mut bytes = vec![0; 64];
    bytes[..8].copy_from_slice(&x.unwrap().to_le_bytes());
    bytes
}

fn write_trust(world: &World) {
    let mut vectors = Vectors::new("trust");
    let path = crate::file::directory().join("trust.json");
    let good = std::fs::read_to_string(path).unwrap();
    let parsed: Value = serde_json::from_str(&good).unwrap();
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut value = parsed.clone();
        edit(&mut value);
        value.to_string()
    };
    let pop = |value: &mut Value| drop(value.as_array_mut().unwrap().pop());
    vectors.accept("the trust root of these vectors", good.clone());
    vectors.refuse(
        "another name",
        "the cluster id hashes genesis",
        with(&|v| v["genesis"]["name"] = "other".into()),
    );
    vectors.refuse(
        "an author dropped",
        "the cluster id hashes genesis",
        with(&|v| pop(&mut v["genesis"]["keyspaces"][0]["authors"])),
    );
    vectors.refuse(
        "a node dropped",
        "the cluster id hashes genesis",
        with(&|v| pop(&mut v["genesis"]["nodes"])),
    );
    vectors.refuse(
        "not dev",
        "the cluster id hashes genesis",
        with(&|v| v["genesis"]["dev"] = false.into()),
    );
    vectors.refuse(
        "a manifest dropped",
        "each circuit of genesis has one",
        with(&|v| pop(&mut v["circuits"])),
    );
    vectors.refuse(
        "no warning",
        "a dev set-up is not kept quiet",
        with(&|v| drop(v.as_object_mut().unwrap().remove("warning"))),
    );
    vectors.refuse(
        "a member more",
        "exactly the members of the document",
        with(&|v| v["more"] = 1.into()),
    );
    vectors.refuse(
        "a member more in genesis",
        "exactly the members of the document",
        with(&|v| v["genesis"]["more"] = 1.into()),
    );
    vectors.refuse(
        "another schema",
        "ukehi/trust/v1",
        with(&|v| v["schema"] = "ukehi/trust/v9".into()),
    );
    vectors.refuse(
        "another gate version",
        "version 1",
        with(&|v| v["genesis"]["gate_version"] = 2.into()),
    );
    vectors.refuse(
        "a changed verifying key",
        "the circuit id hashes it",
        with(&|v| {
            let other = v["circuits"][1]["verifying_key"].clone();
            v["circuits"][0]["verifying_key"] = other;
        }),
    );
    vectors.refuse(
        "a circuit said to come from a ceremony",
        "the circuit id hashes its set-up",
        with(&|v| {
            v["circuits"][0]["setup"] =
                json!({"kind": "ceremony", "transcript": "00".repeat(32), "contributions": 3});
        }),
    );
    vectors.refuse(
        "another number of slots",
        "the circuit id hashes it",
        with(&|v| v["circuits"][0]["shape"]["slots"] = 64.into()),
    );
    vectors.refuse(
        "a manifest's digits in upper case",
        "hex is written in lower case",
        with(&|v| {
            let digest = &mut v["circuits"][0]["matrix_digest"];
            *digest = digest.as_str().unwrap().to_uppercase().into();
        }),
    );
    let schema = "\"schema\": \"ukehi/params/v1\",";
    vectors.refuse(
        "a member of a manifest twice",
        "each once",
        good.replacen(schema, &schema.repeat(2), 1),
    );
    vectors.refuse(
        "a proving key's file of another name",
        "the shape names it",
        with(&|v| v["circuits"][0]["proving_key"]["file"] = "../other.pk".into()),
    );
    vectors.refuse("cut short", "not JSON", good[..good.len() / 2].to_owned());
    let node_zero = |v: &mut Value| v["genesis"]["nodes"][0]["id"] = 0.into();
    vectors.refuse("a node 0", "node ids start at 1", with(&node_zero));
    assert_eq!(world.trust.genesis.name, "vectors");
    vectors.save("trust-roots.json");
}
