//! What tools of other hands read and write. Needs node and the packages of scripts/npm (`make tools`).

use crate::run::{Net, Ran, ukehi};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FILES: [&str; 3] = ["verification_key.json", "proof.json", "public.json"];

fn modules() -> PathBuf {
    let tools = std::env::var_os("UKEHI_NPM").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ukehi/npm");
    tools.unwrap_or_else(home).join("node_modules")
}

fn node(args: &[&Path]) -> Output {
    let ran = Command::new("node").args(args).output();
    ran.expect("node runs snarkjs: make tools")
}

fn snarkjs_accepts(dir: &Path) -> bool {
    let cli = modules().join("snarkjs/build/cli.cjs");
    assert!(cli.exists(), "{}: make tools", cli.display());
    let [key, proof, public] = FILES.map(|f| dir.join(f));
    let verify = ["groth16", "verify"].map(Path::new);
    let ran = node(&[&cli, verify[0], verify[1], &key, &public, &proof]);
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(said.contains("OK!"), ran.status.success(), "{said}");
    ran.status.success()
}

/// The three files in a directory of their own, one of them changed.
fn altered(dir: &Path, name: &str, file: &str, edit: impl FnOnce(&mut Value)) -> PathBuf {
    let copy = dir.with_file_name(name);
    fs::create_dir(&copy).unwrap();
    for file in FILES {
        fs::copy(dir.join(file), copy.join(file)).unwrap();
    }
    let path = copy.join(file);
    let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut value);
    fs::write(path, value.to_string()).unwrap();
    copy
}

fn check(dir: &Path, trust: Option<&str>) -> Ran {
    let trust = trust.map(|trust| ["--trust", trust]);
    let args = [
        "audit",
        "check-snarkjs",
        dir.to_str().unwrap(),
        "--output",
        "json",
    ];
    ukehi(args.into_iter().chain(trust.into_iter().flatten()))
}

pub fn snarkjs_verifies_ours(net: &Net) {
    let (bundle, _) = net.bundle();
    let trust = net.path("trust.json");
    let listing = ukehi(["audit", "show", &bundle, "--output", "json"]).json();
    let rows = listing["entries"].as_array().unwrap();
    let batch = rows.iter().find(|r| !r["batch"].is_null()).unwrap();
    let index = batch["index"].to_string();
    let dir = net.scratch("files");
    let out = dir.to_str().unwrap();
    let export = [
        "audit", "snarkjs", &bundle, "--entry", &index, "--out", out, "--trust", &trust,
    ];
    let exported = ukehi(export.into_iter().chain(["--output", "json"])).json();
    assert_eq!(exported["circuit"], batch["batch"]["circuit"]);
    assert!(snarkjs_accepts(&dir));
    let checked = check(&dir, Some(&trust)).json();
    assert_eq!(checked["circuit"], batch["batch"]["circuit"]);
    assert_eq!(checked["public_inputs"], 1);

    let other = ["5"];
    let input = altered(&dir, "input", FILES[2], |v| *v = other.as_slice().into());
    // C is a point of the curve, but not the proof's.
    let generator = ["1", "2", "1"];
    let proof = altered(&dir, "proof", FILES[1], |v| {
        v["pi_c"] = generator.as_slice().into()
    });
    for wrong in [input, proof] {
        assert!(!snarkjs_accepts(&wrong), "{}", wrong.display());
        check(&wrong, None).exits(11);
    }
    let key = altered(&dir, "key", FILES[0], |v| v["IC"][1] = v["IC"][0].clone());
    assert!(!snarkjs_accepts(&key));
    check(&key, None).exits(11);

    // Existing files are kept; genesis has no proof; another cluster's trust root has no say.
    ukehi(export).exits(3);
    let with = |entry: &str, trust: &str| {
        let out = net.scratch("elsewhere");
        let out = out.to_str().unwrap();
        ukehi([
            "audit", "snarkjs", &bundle, "--entry", entry, "--out", out, "--trust", trust,
        ])
    };
    with("0", &trust).exits(4).says("Genesis");
    with("999999", &trust).exits(4);
    with(&index, &net.other_trust()).exits(14);
    assert!(!net.scratch("elsewhere").exists());

    // Without --trust, the one beside the bundle; where there is none, that is said.
    let alone = net.scratch("alone");
    fs::create_dir(&alone).unwrap();
    let copy = alone.join("trail.ukehi");
    fs::copy(&bundle, &copy).unwrap();
    let (copy, out) = (copy.to_str().unwrap(), alone.join("files"));
    let plain = [
        "audit",
        "snarkjs",
        copy,
        "--entry",
        &index,
        "--out",
        out.to_str().unwrap(),
    ];
    ukehi(plain).exits(2).says("--trust TRUST.json");
    fs::copy(&trust, alone.join("trust.json")).unwrap();
    ukehi(plain).exits(0);
    assert!(snarkjs_accepts(&out));
}

#[test]
fn a_proof_that_snarkjs_made_is_verified_and_its_key_is_no_circuit_of_ours() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("made");
    fs::create_dir(&dir).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/snarkjs_prove.cjs");
    let made = node(&[&script, &modules(), &dir]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    assert!(snarkjs_accepts(&dir));
    let checked = check(&dir, None).json();
    assert_eq!(
        (&checked["public_inputs"], &checked["circuit"]),
        (&1.into(), &Value::Null)
    );
    let wrong = altered(&dir, "wrong", FILES[2], |v| v[0] = "82".into());
    check(&wrong, None).exits(11);
    // 81 + r: snarkjs refuses it as well.
    let r = "21888242871839275222246405745257275088548364400416034343698204186575808495698";
    let second_name = altered(&dir, "plus-r", FILES[2], |v| v[0] = r.into());
    assert!(!snarkjs_accepts(&second_name));
    check(&second_name, None).exits(10).says("public input 0");
}

pub fn contracts(net: &Net) {
    let (trust, params) = (net.path("trust.json"), net.path("params"));
    let by_name = [
        "keys",
        "solidity",
        "seal-1-short-opaque",
        "--output",
        "json",
    ];
    let from_trust = ukehi(by_name.into_iter().chain(["--trust", &trust])).json();
    let circuit = from_trust["circuit"].as_str().unwrap();
    let source = from_trust["source"].as_str().unwrap();
    assert!(
        source.contains(circuit) && source.contains("INSECURE"),
        "{source}"
    );
    let out = net.scratch("Verifier.sol");
    let by_id = [
        "keys",
        "solidity",
        &circuit[..8],
        "--params",
        &params,
        "--out",
    ];
    let by_id = || ukehi(by_id.into_iter().chain([out.to_str().unwrap()]));
    by_id().exits(0);
    assert_eq!(fs::read_to_string(&out).unwrap(), source);
    by_id().exits(3);
    // A key of the trust root, whose id is too short to be meant, or of nothing.
    for name in [&circuit[..7], "seal-9-short-opaque", "00000000"] {
        ukehi(["keys", "solidity", name, "--trust", &trust])
            .exits(4)
            .says(circuit);
    }
}

/// tests/independent, written from docs/formats.md alone.
pub fn python(args: &[&str]) -> Output {
    let venv = std::env::var_os("UKEHI_VENV").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ukehi/venv");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent/verify.py");
    let ran = Command::new(venv.unwrap_or_else(home).join("bin/python"))
        .arg(script)
        .args(args)
        .output();
    ran.expect("the second verifier runs: make tools")
}

pub fn python_agrees(net: &Net) {
    let (bundle, bytes) = net.bundle();
    let trust = net.path("trust.json");
    let says = |args: &[&str], code: i32, text: &str| {
        let ran = python(args);
        let said = [&ran.stdout[..], &ran.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(ran.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(text), "{args:?}: {said}");
        String::from_utf8(ran.stdout).unwrap()
    };
    let verify = |bundle: &str| {
        vec![
            "bundle".to_owned(),
            bundle.to_owned(),
            "--trust".to_owned(),
            trust.clone(),
        ]
    };
    let run = |bundle: &str, more: &[&str], code, text: &str| {
        let args = verify(bundle);
        let args: Vec<&str> = args
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        says(&args, code, text)
    };
    let allow = ["--allow-insecure-setup"];
    let ours = ukehi([
        "audit", "verify", &bundle, "--trust", &trust, allow[0], "--output", "json",
    ])
    .json();
    let theirs = run(&bundle, &allow, 0, "decided again");
    let counted = format!(
        "batches: {} ({} commands applied)",
        ours["batches"], ours["commands_applied"]
    );
    assert!(theirs.contains(&counted), "{theirs}\n{ours}");
    run(&bundle, &[], 1, "INSECURE");
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    flipped[middle] ^= 1;
    run(&net.write("flipped.ukehi", flipped), &allow, 1, "REFUSED");
    run(
        &net.write("cut.ukehi", &bytes[..bytes.len() - 1]),
        &allow,
        1,
        "REFUSED",
    );
    let range = net.scratch("python-range.ukehi");
    let range = range.to_str().unwrap();
    net.json(&[
        "audit", "export", "--out", range, "--from", "1", "--to", "3",
    ]);
    run(range, &allow, 0, "not decided again");

    let receipt = net.scratch("python-receipt.json");
    let receipt = receipt.to_str().unwrap();
    net.ukehi(&["receipt", "get", "clinic", "1", "--out", receipt])
        .exits(0);
    says(&["receipt", receipt, "--trust", &trust], 0, "VERIFIED");
    let altered = fs::read_to_string(receipt)
        .unwrap()
        .replacen("\"seq\": 1", "\"seq\": 2", 1);
    let altered = net.write("python-altered.json", altered);
    says(&["receipt", &altered, "--trust", &trust], 1, "REFUSED");
    says(
        &["receipt", receipt, "--trust", &net.other_trust()],
        1,
        "REFUSED",
    );
}

#[test]
fn snarkjs_reads_an_exported_circuit() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("seal.r1cs");
    let export = [
        "circuits",
        "export",
        "seal-1-short-opaque",
        "--output",
        "json",
    ];
    let to = ["--r1cs", file.to_str().unwrap()];
    let exported = ukehi(export.into_iter().chain(to)).exits(0).json();
    assert_eq!(exported["public_inputs"], 1);

    let cli = modules().join("snarkjs/build/cli.cjs");
    let ran = node(&[&cli, Path::new("r1cs"), Path::new("info"), &file]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}");
    let constraints = format!("# of Constraints: {}", exported["constraints"]);
    assert!(said.contains(&constraints), "{said}");
    assert!(
        said.contains(&format!("# of Wires: {}", exported["wires"])),
        "{said}"
    );

    let listed = ukehi(["circuits", "list", "--output", "json"])
        .exits(0)
        .json();
    let names = listed["circuits"].as_array().unwrap();
    assert!(names.iter().any(|c| c["name"] == exported["circuit"]));
    let unknown = ukehi(["circuits", "export", "seal-2-short-opaque", "--r1cs", to[1]]).exits(4);
    assert!(unknown.stderr.contains("seal-8-short-opaque"), "{unknown}");
}
