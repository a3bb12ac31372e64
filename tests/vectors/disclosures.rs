//! Disclosures: one command of the batch of three, for an audience, and what is altered in them.

use crate::file::Vectors;
use crate::world::World;
use serde_json::{Value, json};
use ukehi::audit::disclosure::{Disclosure, Unproven, prepare};
use ukehi::params::{OpenCircuit, epoch_scalar};
use ukehi_circuits::shape::{Form, Shape};
use ukehi_keys::EpochSecret;
use zeroize::Zeroizing;

/// The batch of three: its last group has one slot.
const ENTRY: u64 = 3;

fn disclose(world: &World, slot: u8, audience: &str) -> String {
    let form = Form::without_cells(Shape::EIGHT);
    // The secret of the epoch in the fixtures' genesis.
    let secret = EpochSecret::from_secret_bytes(&Zeroizing::new([5; 32])).unwrap();
    let prepared = prepare(&world.trail.bundle()[..], ENTRY).unwrap();
    let unproven = prepared.open(form, epoch_scalar(&secret), slot, audience);
    proven(&world.open, unproven.unwrap())
}

/// With the proof that `circuit` makes of it.
pub fn proven(circuit: &OpenCircuit, unproven: Unproven) -> String {
    let (statement, witness) = unproven.parts();
    let proof = circuit.prove(statement, witness).unwrap();
    unproven.finish(circuit.id, &proof).to_json()
}

/// Written again in the one order of its members.
pub fn altered(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    let disclosure: Disclosure = serde_json::from_value(value).unwrap();
    disclosure.to_json()
}

/// Another digit at the end of a string of hex.
fn bump(value: &mut Value) {
    let mut hex = value.as_str().unwrap().to_owned();
    let last = if hex.pop() == Some('0') { '1' } else { '0' };
    hex.push(last);
    *value = hex.into();
}

pub fn write(world: &World) {
    let mut vectors = Vectors::new("disclosure");
    let court = disclose(world, 0, "court of Basel, case 17");
    vectors.accept("a command of a pair, for an audience", court.clone());
    let alone = disclose(world, 2, "");
    vectors.accept("a command alone in its group, for anyone", alone.clone());
    vectors.accept("an empty value", disclose(world, 1, "auditor"));

    let other: Value = serde_json::from_str(&alone).unwrap();
    let mut refuse = |name: &str, reason: &str, change: &dyn Fn(&mut Value)| {
        vectors.refuse(name, reason, altered(&court, change));
    };
    refuse(
        "another value",
        "it is not what the plaintext encodes",
        &|d| d["value"] = json!("b"),
    );
    refuse(
        "another key",
        "it is not what the plaintext encodes",
        &|d| d["key"] = json!("k9"),
    );
    refuse("another audience", "the proof is for one", &|d| {
        d["audience"] = json!("press")
    });
    refuse("the slot beside it", "the proof is about one slot", &|d| {
        d["slot"] = json!(1)
    });
    refuse("a slot that the batch has not", "slots are below n", &|d| {
        d["slot"] = json!(3)
    });
    refuse("an altered plaintext", "the proof covers it", &|d| {
        bump(&mut d["plaintext"][6])
    });
    refuse("an altered ciphertext", "it leads to another x", &|d| {
        bump(&mut d["group"][0]["ciphertext"][0]);
    });
    refuse("an altered neighbour", "it is in the same leaf", &|d| {
        bump(&mut d["group"][1]["ciphertext"][3]);
    });
    refuse("a path to another root", "it leads to another x", &|d| {
        bump(&mut d["path"][0][0])
    });
    refuse(
        "another public word",
        "the header's slot list covers it",
        &|d| {
            d["slot_list"][2]["meta"] = json!(0x0101);
        },
    );
    refuse("a bulk reference of a put", "a bulk put has one", &|d| {
        d["slot_list"][2]["bulk"] = json!({ "digest": "ab".repeat(32), "length": 70 });
    });
    refuse(
        "a bulk value beyond its bound",
        "16 MiB + 4,128 bytes",
        &|d| {
            let length = (16 << 20) + 4129;
            let bulk = json!({ "digest": "ab".repeat(32), "length": length });
            d["slot_list"][2] = json!({ "meta": 4, "bulk": bulk });
        },
    );
    refuse("a public word less", "one for each command", &|d| {
        d["slot_list"].as_array_mut().unwrap().pop();
    });
    refuse(
        "another ephemeral point",
        "it is no point of the group",
        &|d| {
            bump(&mut d["ephemeral"]);
        },
    );
    refuse(
        "another author's signature",
        "the author signed header and x",
        &|d| {
            d["signature"] = d["receipt"]["header"].as_str().unwrap()[..128].into();
        },
    );
    refuse(
        "the seal's proof as the opening's",
        "each has its circuit",
        &|d| {
            d["open_proof"] = d["seal_proof"].clone();
        },
    );
    refuse(
        "the opening's proof as the seal's",
        "each has its circuit",
        &|d| {
            d["seal_proof"] = d["open_proof"].clone();
        },
    );
    refuse(
        "another command's proof",
        "a proof is for one statement",
        &|d| {
            d["open_proof"] = other["open_proof"].clone();
        },
    );
    refuse("a circuit of batches", "its statement is open/v1", &|d| {
        d["open_circuit"] = json!(world.trust.circuits[0].circuit_id());
    });
    let edited = |from: &str, to: &str| {
        assert!(court.contains(from));
        court.replacen(from, to, 1)
    };
    let schema = edited("disclosure/v1", "disclosure/v2");
    vectors.refuse("another schema", "it names this format", schema);
    let more = edited("{", "{\n  \"note\": \"\",");
    vectors.refuse("a member more", "the members are these", more);
    let spelled = edited("\"slot\": 0", "\"slot\": 0.0");
    vectors.refuse("a number in a second spelling", "numbers have one", spelled);
    let short = court[..900].to_owned();
    vectors.refuse("cut short", "it is a whole text", short);
    vectors.save("disclosure.json");
}
