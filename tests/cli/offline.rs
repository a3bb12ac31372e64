//! Commands that check what they are given: trust roots, keys, receipts, bundles.

use crate::run::{Net, ukehi, with_pass_file};
use serde_json::Value;
use std::fs;
use std::path::Path;

pub fn trust_root(net: &Net) {
    let good = fs::read_to_string(net.path("trust.json")).unwrap();
    let edited: Value = serde_json::from_str(&good).unwrap();
    let with = |change: fn(&mut Value)| {
        let mut value = edited.clone();
        change(&mut value);
        value.to_string()
    };
    let cases = [
        (
            "another name",
            with(|v| v["genesis"]["name"] = "other".into()),
        ),
        (
            "an author dropped",
            with(|v| drop(v["genesis"]["keyspaces"][0]["authors"][0].take())),
        ),
        ("not dev", with(|v| v["genesis"]["dev"] = false.into())),
        (
            "no warning",
            with(|v| drop(v.as_object_mut().unwrap().remove("warning"))),
        ),
        (
            "a circuit dropped",
            with(|v| drop(v["circuits"].as_array_mut().unwrap().pop())),
        ),
        (
            "another schema",
            with(|v| v["schema"] = "ukehi/trust/v9".into()),
        ),
        ("one field more", with(|v| v["more"] = 1.into())),
        ("cut short", good[..good.len() / 2].to_owned()),
        ("empty", String::new()),
    ];
    let (bundle, _) = net.bundle();
    for (what, text) in cases {
        let trust = net.write("edited-trust.json", text);
        let ran = ukehi([
            "audit",
            "verify",
            &bundle,
            "--trust",
            &trust,
            "--allow-insecure-setup",
        ]);
        assert_eq!(ran.code, 3, "{what}: {ran}");
        assert!(ran.stderr.contains("trust"), "{what}: {ran}");
        let ran = net.ukehi(&["get", "patient/17", "--trust", &trust]);
        assert_eq!(ran.code, 3, "{what}: {ran}");
    }
}

pub fn passphrase(net: &Net) {
    let wrong = net.write("wrong-pass", "a wrong passphrase\n");
    let dir = net.dir_str();
    for command in [
        &["get", "patient/17", "--dir", dir][..],
        &["scan", "--dir", dir],
        &["put", "--author", "clinic", "k", "v", "--dir", dir],
    ] {
        with_pass_file(Some(Path::new(&wrong)), command)
            .exits(3)
            .says("passphrase");
        let missing = net.scratch("no-pass");
        with_pass_file(Some(&missing), command)
            .exits(3)
            .says("no-pass");
    }
    // The environment's file is used before the testnet's.
    let right = net.dir().join("client/pass");
    with_pass_file(Some(&right), ["get", "patient/17", "--dir", dir]).exits(0);
}

pub fn key_file(net: &Net) {
    let keys = net.scratch("keys");
    for name in ["route.key", "epochs/1-1.key", "authors/clinic.key"] {
        for cut in [false, true] {
            let _ = fs::remove_dir_all(&keys);
            copy_dir(&net.dir().join("client"), &keys);
            let path = keys.join(name);
            let mut bytes = fs::read(&path).unwrap();
            if cut {
                bytes.truncate(bytes.len() / 2);
            } else {
                // A digit of what is encrypted: the file still parses.
                let at = bytes.iter().rposition(u8::is_ascii_hexdigit).unwrap();
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            }
            fs::write(&path, bytes).unwrap();
            let keys = keys.to_str().unwrap();
            let ran = match name {
                "authors/clinic.key" => {
                    net.ukehi(&["put", "--author", "clinic", "k", "v", "--keys", keys])
                }
                _ => net.ukehi(&["get", "patient/17", "--keys", keys]),
            };
            ran.exits(3).says(name.rsplit('/').next().unwrap());
        }
    }
}

pub fn receipts(net: &Net) {
    let path = net.scratch("receipt.json");
    let path = path.to_str().unwrap();
    net.ukehi(&["receipt", "get", "clinic", "1", "--out", path])
        .exits(0);
    let text = fs::read_to_string(path).unwrap();
    let receipt: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(receipt["schema"], "ukehi/receipt/v1");
    // To stdout, and by the author's public key.
    let author = receipt["author"].as_str().unwrap();
    let shown = net.ukehi(&["receipt", "get", author, "1"]).exits(0);
    assert_eq!(
        serde_json::from_str::<Value>(&shown.stdout).unwrap()["record"],
        receipt["record"]
    );

    let trust = net.path("trust.json");
    let verify = |path: &str, trust: &str| {
        ukehi([
            "receipt", "verify", path, "--trust", trust, "--output", "json",
        ])
    };
    let verified = verify(path, &trust).json();
    assert_eq!(verified["schema"], "ukehi/receipt-verified/v1");
    assert_eq!(
        (&verified["verified"], &verified["seq"]),
        (&true.into(), &1.into())
    );
    assert!(verified["cosigners"].as_u64().unwrap() >= 2);
    verify(path, &net.other_trust()).exits(14);

    let mut places = Vec::new();
    leaves(&receipt, String::new(), &mut places);
    assert!(places.len() >= 10, "{places:?}");
    for place in places {
        let mut edited = receipt.clone();
        let value = edited.pointer_mut(&place).unwrap();
        edit(value);
        let file = net.write(
            "edited.json",
            serde_json::to_string_pretty(&edited).unwrap(),
        );
        let ran = verify(&file, &trust);
        assert_eq!(ran.code, 10, "{place}: {ran}");
        assert!(ran.stdout.is_empty(), "{place}: {ran}");
    }
    let cut = net.write("edited.json", &text[..text.len() / 2]);
    verify(&cut, &trust).exits(10);
    let missing = net.scratch("no-receipt.json");
    verify(missing.to_str().unwrap(), &trust).exits(2);
}

/// JSON pointers to every string and number.
fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(value, format!("{at}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                leaves(value, format!("{at}/{i}"), found);
            }
        }
        _ => found.push(at),
    }
}

/// Another number, or the last letter or digit of a text changed.
fn edit(value: &mut Value) {
    match value {
        Value::Number(number) => *value = (number.as_u64().unwrap() + 1).into(),
        Value::String(text) => {
            let mut bytes = std::mem::take(text).into_bytes();
            // In base64 the last digit before padding may carry unused bits: one further left.
            let at = bytes
                .iter()
                .rposition(u8::is_ascii_alphanumeric)
                .unwrap()
                .saturating_sub(2);
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            *text = String::from_utf8(bytes).unwrap();
        }
        other => panic!("{other} has no other value"),
    }
}

const ALLOW: &str = "--allow-insecure-setup";

pub fn audit_good(net: &Net) {
    let (bundle, _) = net.bundle();
    let trust = net.path("trust.json");
    let verify = ["audit", "verify", &bundle, "--trust", &trust];
    let report = ukehi(verify.into_iter().chain([ALLOW, "--output", "json"])).json();
    assert_eq!(report["from"], 0);
    let table = ukehi(verify.into_iter().chain([ALLOW])).exits(0);
    assert!(table.stdout.contains("VERIFIED"), "{table}");
    assert!(table.stdout.contains("INSECURE"), "{table}");
    assert!(
        table.stderr.contains("audit: "),
        "progress goes to stderr: {table}"
    );
    table.plain_progress();
    // A dev cluster's proofs rest on whoever made its set-up.
    ukehi(verify).exits(14).says(ALLOW);
    let other = net.other_trust();
    ukehi(["audit", "verify", &bundle, "--trust", &other, ALLOW]).exits(14);
    // A range is a bundle of its own.
    let range = net.scratch("range.ukehi");
    let range = range.to_str().unwrap();
    net.json(&[
        "audit", "export", "--out", range, "--from", "2", "--to", "4",
    ]);
    let report = ukehi([
        "audit", "verify", range, "--trust", &trust, ALLOW, "--output", "json",
    ]);
    let report = report.json();
    assert_eq!((&report["from"], &report["to"]), (&2.into(), &4.into()));
}

pub fn audit_flipped(net: &Net) {
    let (_, good) = net.bundle();
    let trust = net.path("trust.json");
    let mut entries = 0;
    for (name, from, to) in frames(&good) {
        // In the payload, and in the check that ends the frame.
        for at in [(from + 29 + to - 32) / 2, to - 1] {
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            let file = net.write("flipped.ukehi", bytes);
            let ran = ukehi(["audit", "verify", &file, "--trust", &trust, ALLOW]);
            assert_eq!(ran.code, 10, "{name}, byte {at}: {ran}");
            assert!(ran.stderr.contains(&name), "{name}, byte {at}: {ran}");
            assert!(!ran.stdout.contains("VERIFIED"), "{ran}");
        }
        entries += usize::from(name.starts_with("entry "));
    }
    assert!(entries >= 6, "{entries} entries");
    for at in [0, 8, 20] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let file = net.write("flipped.ukehi", bytes);
        ukehi(["audit", "verify", &file, "--trust", &trust, ALLOW]).exits(10);
    }
    let mut longer = good.clone();
    longer.push(0);
    let file = net.write("flipped.ukehi", longer);
    ukehi(["audit", "verify", &file, "--trust", &trust, ALLOW]).exits(10);
}

pub fn audit_truncated(net: &Net) {
    let (_, good) = net.bundle();
    let trust = net.path("trust.json");
    let frames = frames(&good);
    let ends = frames
        .iter()
        .map(|(_, _, to)| *to)
        .filter(|to| *to < good.len());
    let cuts = ends.flat_map(|to| [to, to + 40]).chain([good.len() - 1]);
    for len in cuts.filter(|len| *len < good.len()) {
        let file = net.write("cut.ukehi", &good[..len]);
        let ran = ukehi(["audit", "verify", &file, "--trust", &trust, ALLOW]);
        assert_eq!(ran.code, 13, "cut at {len}: {ran}");
    }
}

pub fn audit_show(net: &Net) {
    let (bundle, bytes) = net.bundle();
    let listing = ukehi(["audit", "show", &bundle, "--output", "json"]).json();
    let rows = listing["entries"].as_array().unwrap();
    let entries = frames(&bytes)
        .iter()
        .filter(|(name, ..)| name.starts_with("entry "))
        .count();
    assert_eq!(rows.len(), entries);
    let batch = rows
        .iter()
        .find(|r| !r["batch"].is_null())
        .expect("a batch was written");
    let index = batch["index"].to_string();
    let one = ukehi([
        "audit", "show", &bundle, "--entry", &index, "--output", "json",
    ])
    .json();
    assert!(
        one.to_string()
            .contains(batch["batch"]["author"].as_str().unwrap())
    );
    let table = ukehi(["audit", "show", &bundle]).exits(0);
    assert!(
        table.stdout.contains("nothing here was verified"),
        "{table}"
    );
    // Plaintext cannot be in it.
    for text in ["patient/17", "chart opened"] {
        assert!(
            !bytes.windows(text.len()).any(|w| w == text.as_bytes()),
            "{text}"
        );
    }
}

/// Each frame behind the file header: kind (1), entry (8), length (4), their check (16), payload,
/// check (32).
fn frames(bundle: &[u8]) -> Vec<(String, usize, usize)> {
    crate::frames::frames(bundle).split_off(1)
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
