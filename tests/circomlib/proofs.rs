//! What is proven, and who verifies it.

use crate::corpus::{self, CIRCUITS, KEY_OF_SNARKJS};
use crate::tools::{Ran, snarkjs, snarkjs_ok, ukehi};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

pub fn file(name: &str, ending: &str) -> String {
    let path = corpus::dir().join(format!("{name}.{ending}"));
    path.to_str().unwrap().to_owned()
}

/// `ukehi prove` into proof.json and public.json of `dir`.
pub fn prove(dir: &Path, zkey: &str, wtns: &str, more: &[&str]) -> Ran {
    let files = ["prove", zkey, wtns, "proof.json", "public.json"];
    let options = ["--output", "json"].iter().chain(more).copied();
    ukehi(dir, files.into_iter().chain(options))
}

pub fn verify(dir: &Path, vk: &str) -> Ran {
    let files = ["verify", vk, "public.json", "proof.json"];
    ukehi(dir, files.into_iter().chain(["--output", "json"]))
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// By snarkjs and by us.
#[track_caller]
fn verified(dir: &Path, name: &str) {
    let vk = file(name, "vk.json");
    snarkjs_ok(dir, &format!("groth16 verify {vk} public.json proof.json"));
    assert_eq!(verify(dir, &vk).json()["verified"], true);
    assert_eq!(
        read(dir.join("public.json")),
        read(file(name, "expected.json").into()),
        "{name}"
    );
}

fn proven_and_verified(name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let [zkey, wtns, r1cs] = ["zkey", "wtns", "r1cs"].map(|ending| file(name, ending));
    let first = prove(dir, &zkey, &wtns, &[]).json();
    assert_eq!(first["points_checked"], true);
    verified(dir, name);
    let before = fs::read(dir.join("proof.json")).unwrap();

    // The files are replaced, as rapidsnark replaces them; no two proofs are alike.
    prove(dir, &zkey, &wtns, &["--r1cs", &r1cs]).exits(0);
    assert_ne!(fs::read(dir.join("proof.json")).unwrap(), before);
    verified(dir, name);

    let digest = first["zkey_digest"].as_str().unwrap();
    let hash = blake3::hash(&fs::read(&zkey).unwrap());
    assert_eq!(digest, &hash.to_hex()[..]);
    let known = prove(dir, &zkey, &wtns, &["--trusted-digest", digest]).json();
    assert_eq!(known["points_checked"], false);
    verified(dir, name);
}

#[test]
fn a_poseidon_hash_is_proven_and_snarkjs_verifies_it() {
    proven_and_verified("poseidon");
}

#[test]
fn an_eddsa_signature_is_proven_and_snarkjs_verifies_it() {
    proven_and_verified("eddsa");
}

#[test]
fn a_sha256_digest_is_proven_and_snarkjs_verifies_it() {
    proven_and_verified("sha256");
}

#[test]
fn membership_in_a_merkle_tree_is_proven_and_snarkjs_verifies_it() {
    proven_and_verified("merkle");
}

#[test]
fn snarkjs_proofs_verify_here_with_its_keys_and_with_ours() {
    for name in CIRCUITS.into_iter().filter(|name| *name != "sha256") {
        let dir = tempfile::tempdir().unwrap();
        let [zkey, wtns] = ["zkey", "wtns"].map(|ending| file(name, ending));
        let command = format!("groth16 prove {zkey} {wtns} proof.json public.json");
        snarkjs_ok(dir.path(), &command);
        verified(dir.path(), name);
    }
}

#[test]
fn what_snarkjs_refuses_is_refused_here_and_what_is_in_the_way_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let [zkey, wtns, vk] = ["zkey", "wtns", "vk.json"].map(|ending| file(KEY_OF_SNARKJS, ending));
    prove(dir, &zkey, &wtns, &[]).exits(0);
    let good = fs::read_to_string(dir.join("public.json")).unwrap();
    let proof = fs::read_to_string(dir.join("proof.json")).unwrap();
    let refused = |name: &str, text: &str, code: i32| {
        let before = fs::read(dir.join(name)).unwrap();
        fs::write(dir.join(name), text).unwrap();
        let (ok, _) = snarkjs(dir, &format!("groth16 verify {vk} public.json proof.json"));
        assert!(!ok, "snarkjs takes {text}");
        let ran = verify(dir, &vk).exits(code);
        fs::write(dir.join(name), before).unwrap();
        ran
    };
    refused("public.json", "[\"5\"]", 11).says("pairing");
    refused("public.json", &good.replacen('"', "\"9", 1), 10).says("public input 0");
    refused("public.json", &good.replacen('[', "[\"1\",", 1), 11).says("2 public inputs");
    let other_c = {
        let mut value: Value = serde_json::from_str(&proof).unwrap();
        value["pi_c"] = serde_json::json!(["1", "2", "1"]);
        value.to_string()
    };
    refused("proof.json", &other_c, 11);
    refused("proof.json", &proof[..proof.len() / 2], 10).says("in this order");

    // Another circuit's key; then the files in another order.
    verify(dir, &file("merkle", "vk.json")).exits(11);
    let swapped = ["verify", "public.json", &vk, "proof.json"];
    ukehi(dir, swapped).exits(10).says("in this order");
    verify(dir, "missing.json").exits(2).says("missing.json");
    verify(dir, &vk).exits(0);
}
