//! Each field of a disclosure changed, as whoever passes it on could.

use crate::world::{AUDIENCE, ENTRY, spelled, world};
use serde_json::{Value, json};
use std::sync::OnceLock;
use ukehi::audit::disclosure::{
    Disclosure, DisclosureError, MAX_AUDIENCE_BYTES, MAX_DISCLOSURE_BYTES,
};
use ukehi::error::ExitCode;
use ukehi::log::ReceiptError;
use ukehi_circuits::Scalar;

/// The one disclosure that most tests change: slot 2 of five, made once.
pub fn honest() -> &'static Value {
    static HONEST: OnceLock<Value> = OnceLock::new();
    HONEST.get_or_init(|| {
        let json = world().disclose(2, AUDIENCE).to_json();
        serde_json::from_str(&json).unwrap()
    })
}

/// What the checker says once `change` was made to the honest disclosure.
pub fn changed(change: impl FnOnce(&mut Value)) -> DisclosureError {
    let mut json = honest().clone();
    change(&mut json);
    match world().read(&json) {
        Ok(_) => panic!("the change goes unnoticed"),
        Err(error) => error,
    }
}

/// Another field element in the place of this one.
fn bump(element: &mut Value) {
    let mut bytes = hex::decode(element.as_str().unwrap()).unwrap();
    bytes[0] ^= 1;
    *element = json!(hex::encode(bytes));
}

fn is_mismatch(error: &DisclosureError, expected: &str) {
    let DisclosureError::Mismatch { what, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(*what, expected);
    assert_eq!(error.exit_code(), ExitCode::Tampered);
}

const X: &str = "the x that slots, path and header lead to";

#[test]
fn another_value_or_key_beside_the_same_plaintext_is_noticed() {
    for (field, what) in [("value", "value"), ("key", "key")] {
        let error = changed(|d| d[field] = json!("nothing of the kind"));
        assert_eq!(error, DisclosureError::Shown { what });
        assert_eq!(error.exit_code(), ExitCode::Tampered);
    }
    let error = changed(|d| d["key"] = Value::Null);
    assert_eq!(error, DisclosureError::Shown { what: "key" });
}

#[test]
fn another_plaintext_fails_the_proof_even_where_nobody_reads_it() {
    for at in 0..7 {
        let error = changed(|d| {
            // The last byte but one lies beyond key and value: the shown strings stay right.
            let element = &mut d["plaintext"][at];
            let mut bytes = hex::decode(element.as_str().unwrap()).unwrap();
            bytes[30] ^= 1;
            *element = json!(hex::encode(bytes));
            if at < 2 {
                d["key"] = Value::Null;
            }
        });
        assert!(
            matches!(error, DisclosureError::OpenProof { slot: 2, .. }),
            "{at}: {error}"
        );
        assert_eq!(error.exit_code(), ExitCode::ProofInvalid);
    }
}

#[test]
fn another_audience_fails_the_proof() {
    for audience in ["", "somebody else"] {
        let error = changed(|d| d["audience"] = json!(audience));
        assert!(
            matches!(error, DisclosureError::OpenProof { .. }),
            "{error}"
        );
    }
}

#[test]
fn ciphertexts_routes_cells_and_path_are_those_of_the_logged_batch() {
    for member in 0..2 {
        for at in 0..7 {
            let error = changed(|d| bump(&mut d["group"][member]["ciphertext"][at]));
            is_mismatch(&error, X);
        }
        is_mismatch(&changed(|d| bump(&mut d["group"][member]["route"])), X);
        let error = changed(|d| bump(&mut d["group"][member]["cell"][1]));
        is_mismatch(&error, "the group");
    }
    is_mismatch(&changed(|d| bump(&mut d["path"][0][1])), X);
    let error = changed(|d| d["path"][0].as_array_mut().unwrap().swap(0, 2));
    is_mismatch(&error, X);
    let error = changed(|d| d["group"].as_array_mut().unwrap().swap(0, 1));
    // Values of one length: the public words stay those of the header.
    is_mismatch(&error, X);
    let error = changed(|d| drop(d["path"][0].as_array_mut().unwrap().pop()));
    is_mismatch(&error, "the path");
    let error = changed(|d| drop(d["group"].as_array_mut().unwrap().pop()));
    is_mismatch(&error, "the slots of the group");
    let error = changed(|d| drop(d["group"][0]["ciphertext"].as_array_mut().unwrap().pop()));
    is_mismatch(&error, "the group");
    let other = Scalar::random().unwrap().public_point();
    let error = changed(|d| d["ephemeral"] = json!(hex::encode(other.to_bytes())));
    is_mismatch(&error, X);
}

#[test]
fn public_words_are_those_the_header_vouches_for() {
    let error = changed(|d| d["slot_list"][2]["meta"] = json!(1 | 9 << 8));
    is_mismatch(&error, "the digest of the public words");
    let error = changed(|d| d["slot_list"][4]["meta"] = json!(1 | 9 << 8));
    is_mismatch(&error, "the digest of the public words");
    let error = changed(|d| drop(d["slot_list"].as_array_mut().unwrap().pop()));
    is_mismatch(&error, "the number of public words");
    let error = changed(|d| d["slot_list"][0]["meta"] = json!(0));
    assert!(
        matches!(error, DisclosureError::Undecodable { .. }),
        "{error}"
    );
}

#[test]
fn a_bulk_reference_fits_its_operation_and_its_bound_in_every_public_word() {
    let undecodable = |error: DisclosureError, part: &str| {
        let DisclosureError::Undecodable { reason } = error else {
            panic!("{error}")
        };
        assert!(reason.contains(part), "{reason}");
    };
    let bulk = |length: u64| json!({ "digest": "ab".repeat(32), "length": length });
    let limit = ukehi_keys::stream::MAX_CIPHERTEXT_BYTES;
    // Slot 4 is in no group that is shown.
    for word in [2, 4] {
        let with = |op: u32, reference: Value| {
            changed(|d| d["slot_list"][word] = json!({ "meta": op | 9 << 8, "bulk": reference }))
        };
        undecodable(with(1, bulk(70)), "exactly where");
        undecodable(with(4, Value::Null), "exactly where");
        undecodable(with(4, bulk(limit + 1)), "too long");
        is_mismatch(&with(4, bulk(limit)), "the digest of the public words");
    }
}

#[test]
fn the_proof_of_one_slot_shows_no_other() {
    // The neighbour in the group, a slot of another group, an inactive one.
    let error = changed(|d| d["slot"] = json!(3));
    assert!(
        matches!(
            error,
            DisclosureError::OpenProof { slot: 3, .. } | DisclosureError::Shown { .. }
        ),
        "{error}"
    );
    is_mismatch(&changed(|d| d["slot"] = json!(0)), X);
    is_mismatch(&changed(|d| d["slot"] = json!(5)), "the slot");
}

#[test]
fn proofs_of_something_else_are_refused() {
    let again = world().disclose(3, AUDIENCE).to_json();
    let again: Value = serde_json::from_str(&again).unwrap();
    let error = changed(|d| d["open_proof"] = again["open_proof"].clone());
    assert!(
        matches!(error, DisclosureError::OpenProof { .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::ProofInvalid);
    let error = changed(|d| d["open_proof"] = d["seal_proof"].clone());
    assert!(
        matches!(error, DisclosureError::OpenProof { .. }),
        "{error}"
    );
    let error = changed(|d| d["seal_proof"] = d["open_proof"].clone());
    assert!(
        matches!(error, DisclosureError::SealProof { .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::ProofInvalid);
    let error = changed(|d| bump(&mut d["seal_proof"]));
    assert!(
        matches!(error, DisclosureError::SealProof { .. }),
        "{error}"
    );
    let error = changed(|d| bump(&mut d["signature"]));
    assert_eq!(error, DisclosureError::Signature { index: ENTRY });
    assert_eq!(error.exit_code(), ExitCode::Tampered);
}

#[test]
fn the_receipt_inside_is_verified_as_any_receipt_is() {
    let error = changed(|d| d["receipt"]["record"]["index"] = json!(3));
    assert_eq!(error.exit_code(), ExitCode::Tampered, "{error}");
    let error = changed(|d| bump(&mut d["receipt"]["record"]["x"]));
    assert!(
        matches!(
            error,
            DisclosureError::Receipt(ReceiptError::Tampered { .. })
        ),
        "{error}"
    );
    let error = changed(|d| bump(&mut d["receipt"]["inclusion"]["path"][0]));
    assert!(matches!(error, DisclosureError::Receipt(_)), "{error}");
    let error = changed(|d| {
        let header = d["receipt"]["header"].as_str().unwrap().to_owned();
        // The last bit of valid_until: the header's digest is no longer the record's.
        let mut bytes = hex::decode(header).unwrap();
        bytes[253] ^= 1;
        d["receipt"]["header"] = json!(hex::encode(bytes));
    });
    assert!(matches!(error, DisclosureError::Receipt(_)), "{error}");
    let error = changed(|d| {
        let note = d["receipt"]["note"].as_str().unwrap();
        let kept: Vec<&str> = note.lines().collect();
        let mut note = kept[..kept.len() - 1].join("\n");
        note.push('\n');
        d["receipt"]["note"] = json!(note);
    });
    assert!(
        matches!(
            error,
            DisclosureError::Receipt(ReceiptError::Incomplete { .. })
        ),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::Incomplete);
}

#[test]
fn what_is_not_spelled_as_a_disclosure_is_none() {
    let refused = |text: &str| Disclosure::from_json(text).err().unwrap();
    let good = spelled(honest());
    assert!(Disclosure::from_json(&good).is_ok());
    for bad in [
        String::new(),
        "{}".to_owned(),
        good.replace("ukehi/disclosure/v1", "ukehi/disclosure/v2"),
        good.replace("\"slot\":2", "\"slot\":2,\"slot\":2"),
        good.replace("\"slot\":2", "\"slot\":2.0"),
        good.replace("\"slot\":2", "\"slot\":258"),
        format!("{good}x"),
        " ".repeat(MAX_DISCLOSURE_BYTES + 1),
    ] {
        let error = refused(&bad);
        assert!(
            matches!(error, DisclosureError::Undecodable { .. }),
            "{error}"
        );
        assert_eq!(error.exit_code(), ExitCode::Tampered);
    }
    // A field element at the modulus, and a point that is none.
    let modulus = "010000f093f5e1439170b97948e833285d588181b64550b829a031e1724e6430";
    let error = changed(|d| d["plaintext"][0] = json!(modulus));
    assert!(
        matches!(error, DisclosureError::Undecodable { .. }),
        "{error}"
    );
    for point in ["00".repeat(64), "00".repeat(63), "AB".repeat(64)] {
        let error = changed(|d| d["ephemeral"] = json!(point));
        assert!(
            matches!(error, DisclosureError::Undecodable { .. }),
            "{error}"
        );
    }
    let error = changed(|d| d["audience"] = json!("a".repeat(MAX_AUDIENCE_BYTES + 1)));
    assert!(
        matches!(error, DisclosureError::Undecodable { .. }),
        "{error}"
    );
}
