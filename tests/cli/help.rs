//! What needs no cluster: help, usage errors, key files, parameters.

use crate::run::{has_schema, ukehi, with_pass_file};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn every_commands_help_has_an_example() {
    let commands = [
        "",
        "testnet",
        "testnet up",
        "testnet down",
        "node",
        "node run",
        "status",
        "put",
        "get",
        "scan",
        "audit",
        "audit export",
        "audit verify",
        "audit show",
        "audit disclose",
        "audit check-disclosure",
        "audit snarkjs",
        "audit check-snarkjs",
        "receipt",
        "receipt get",
        "receipt verify",
        "cells",
        "cells mint",
        "cells transfer",
        "cells get",
        "cells list",
        "cells authors",
        "cells reseal",
        "circuits",
        "circuits list",
        "circuits export",
        "keys",
        "keys author",
        "keys author new",
        "keys epoch",
        "keys epoch new",
        "keys reader",
        "keys reader new",
        "keys erase-epoch",
        "keys grant",
        "keys grants",
        "keys grants accept",
        "keys author register",
        "keys author revoke",
        "keys epoch open",
        "keys epoch rotate",
        "keys epoch expire",
        "keys epoch revoke",
        "keys epoch erase",
        "keys admin",
        "keys admin new",
        "keys admins",
        "keys admins set",
        "keys circuit",
        "keys circuit activate",
        "keys circuit retire",
        "keys change",
        "keys change sign",
        "keys change submit",
        "keys registry",
        "keys registry show",
        "keys participant",
        "keys participant new",
        "keys ceremony",
        "keys ceremony new",
        "keys ceremony contribute",
        "keys ceremony beacon",
        "keys ceremony verify",
        "keys ceremony finish",
        "keys ceremony ptau",
        "keys list",
        "keys setup",
        "keys solidity",
        "prove",
        "verify",
        "bench",
        "bench quick",
        "bench run",
        "bench compare",
        "bench gates",
    ];
    let mut without = Vec::new();
    for command in commands {
        let help = ukehi(command.split_whitespace().chain(["--help"])).exits(0);
        assert!(help.stderr.is_empty(), "{help}");
        if !help.stdout.contains("Example") {
            without.push(command);
        }
    }
    assert!(without.is_empty(), "no example in the help of {without:?}");
    let version = ukehi(["--version"]).exits(0);
    assert!(version.stdout.starts_with("ukehi "), "{version}");
}

#[test]
fn usage_errors_exit_2_and_print_no_result() {
    let usages: &[&[&str]] = &[
        &[],
        &["frobnicate"],
        &["--output", "yaml", "status", "--dir", "x"],
        &["testnet", "up"],
        &["testnet", "up", "--dir", "x", "--nodes", "0"],
        &["testnet", "up", "--dir", "x", "--nodes", "10"],
        &["status"],
        &["status", "--node", "127.0.0.1:1"],
        &["put", "--dir", "x"],
        &["put", "--dir", "x", "key"],
        &["put", "--dir", "x", "key", "value", "--file", "f"],
        &["put", "--dir", "x", "--file", "f", "--author", "clinic"],
        &["get", "--dir", "x"],
        &["get", "key"],
        &[
            "get",
            "key",
            "--dir",
            "x",
            "--node",
            "127.0.0.1:1",
            "--trust",
            "t",
        ],
        &["get", "key", "--node", "localhost"],
        &["get", "key", "--node", "127.0.0.1:1"],
        &["get", "key", "--dir", "x", "--timeout", "0"],
        &["scan", "--dir", "x", "--limit", "many"],
        &["audit", "verify", "t.ukehi"],
        &["audit", "export", "--dir", "x"],
        &["audit", "export", "--dir", "x", "--out", "o", "--from", "3"],
        &["audit", "show", "no-such-file"],
        &["audit", "disclose", "t.ukehi", "--entry", "2", "--out", "o"],
        &["audit", "check-disclosure", "d.json"],
        &["audit", "snarkjs", "t.ukehi", "--out", "x"],
        &["audit", "snarkjs", "t.ukehi", "--entry", "1"],
        &["audit", "check-snarkjs"],
        &["audit", "check-snarkjs", "no-such-directory"],
        &["prove", "c.zkey", "w.wtns", "proof.json"],
        &["prove", "no.zkey", "no.wtns", "proof.json", "public.json"],
        &[
            "prove",
            "c.zkey",
            "w.wtns",
            "p",
            "q",
            "--trusted-digest",
            "12",
        ],
        &["verify", "vk.json", "public.json"],
        &["verify", "no-vk.json", "public.json", "proof.json"],
        &["keys", "solidity", "--trust", "t"],
        &["keys", "solidity", "0123abcd"],
        &[
            "keys", "solidity", "0123abcd", "--trust", "t", "--params", "p",
        ],
        &["receipt", "get", "--dir", "x", "clinic"],
        &["receipt", "get", "--dir", "x", "clinic", "first"],
        &["receipt", "verify", "r.json"],
        &["keys", "setup", "--dir", "x"],
        &["keys", "ceremony", "verify"],
        &["keys", "ceremony", "verify", "--zkey", "z"],
        &["keys", "ceremony", "ptau", "--power", "0", "--out", "x"],
        &["keys", "ceremony", "beacon", "--dir", "x", "--value", "hex"],
        &["put", "--dir", "x", "--file", "no-such-file"],
        &["bench", "run", "--out", "x"],
        &["bench", "run", "--suite", "prover"],
        &[
            "bench", "run", "--suite", "prover", "--out", "x", "--sizes", "9",
        ],
        &[
            "bench",
            "run",
            "--suite",
            "prover",
            "--out",
            "x",
            "--families",
            "md5",
        ],
        &[
            "bench", "run", "--suite", "prover", "--out", "x", "--peer", "p={zkey}",
        ],
        &["bench", "compare", "a.json"],
        &["bench", "gates"],
    ];
    for usage in usages {
        let ran = ukehi(*usage);
        assert_eq!(ran.code, 2, "{ran}");
        assert!(ran.stdout.is_empty(), "{ran}");
        assert!(!ran.stderr.is_empty(), "{ran}");
    }
    assert!(
        !std::path::Path::new("x").exists(),
        "a usage error leaves nothing behind"
    );
}

#[test]
fn a_missing_cluster_or_configuration_exits_3() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("nothing");
    let dir = dir.to_str().unwrap();
    for command in [
        &["status"][..],
        &["get", "key"],
        &["scan"],
        &["put", "key", "value"],
        &["testnet", "down"],
        &["audit", "export", "--out", "o"],
        &["receipt", "get", "clinic", "1"],
    ] {
        let ran = ukehi(
            command
                .iter()
                .copied()
                .chain(["--dir", dir, "--output", "json"]),
        )
        .exits(3);
        let last = ran.stderr.lines().last().unwrap();
        let error: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(error["schema"], "ukehi/error/v1");
        assert_eq!(error["exit_code"], 3);
        assert!(
            error["error"]
                .as_str()
                .unwrap()
                .contains("nothing/trust.json"),
            "{ran}"
        );
    }
    ukehi(["node", "run", "--config", dir])
        .exits(3)
        .says("nothing");
    let verify = ["audit", "verify", "t.ukehi", "--trust", dir];
    ukehi(verify).exits(3).says("nothing");
}

#[test]
fn keys_are_made_listed_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let pass = dir.path().join("pass");
    fs::write(&pass, "correct horse battery staple\n").unwrap();
    fs::set_permissions(&pass, fs::Permissions::from_mode(0o600)).unwrap();
    let mut publics = Vec::new();
    for kind in ["author", "epoch"] {
        let out = at(&format!("{kind}.key"));
        let new = ["keys", kind, "new", "--output", "json", "--out", &out];
        let made = with_pass_file(Some(&pass), new).json();
        assert_eq!(made["schema"], "ukehi/key-made/v1");
        assert_eq!(made["kind"], kind);
        publics.push(made["public"].as_str().unwrap().to_owned());
        let mode = fs::metadata(&out).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{out}");
        let before = fs::read(&out).unwrap();
        with_pass_file(Some(&pass), new).exits(3);
        assert_eq!(fs::read(&out).unwrap(), before);
    }
    // Without a file and without a terminal there is no passphrase to be had.
    let other = at("other.key");
    ukehi(["keys", "author", "new", "--out", &other])
        .exits(3)
        .says("UKEHI_PASSPHRASE_FILE");
    assert!(!std::path::Path::new(&other).exists());
    // Listing needs no passphrase.
    let list = [
        "keys",
        "list",
        "--output",
        "json",
        "--dir",
        dir.path().to_str().unwrap(),
    ];
    let listed = ukehi(list).json();
    assert_eq!(listed["schema"], "ukehi/keys/v1");
    let rows = listed["keys"].as_array().unwrap();
    let found: Vec<&str> = rows.iter().map(|r| r["public"].as_str().unwrap()).collect();
    assert_eq!(rows.len(), 2, "{listed}");
    assert!(
        publics.iter().all(|p| found.contains(&p.as_str())),
        "{listed}"
    );
    // A damaged file is named, and makes the listing fail.
    let author = at("author.key");
    let mut damaged = fs::read(&author).unwrap();
    damaged.truncate(damaged.len() / 2);
    fs::write(&author, damaged).unwrap();
    let ran = ukehi(list).exits(3).says("author.key");
    assert!(has_schema(&serde_json::from_str(&ran.stdout).unwrap()));
}

#[test]
fn a_dev_setup_says_insecure_and_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let params = dir.path().join("params");
    let setup = [
        "keys",
        "setup",
        "--dev",
        "--output",
        "json",
        "--dir",
        params.to_str().unwrap(),
    ];
    let ran = ukehi(setup).exits(0);
    assert!(
        ran.stderr.contains("set-up: "),
        "progress goes to stderr: {ran}"
    );
    let made = ran.json();
    assert_eq!(made["schema"], "ukehi/params-made/v1");
    assert!(made["warning"].as_str().unwrap().contains("INSECURE"));
    // Batches of one and of eight, disclosures.
    assert_eq!(made["circuits"].as_array().unwrap().len(), 3);
    let files = |dir: &std::path::Path| {
        let entries = fs::read_dir(dir).unwrap().map(|e| e.unwrap());
        let mut files: Vec<_> = entries
            .map(|e| {
                (
                    e.file_name(),
                    *blake3::hash(&fs::read(e.path()).unwrap()).as_bytes(),
                )
            })
            .collect();
        files.sort();
        files
    };
    let before = files(&params);
    ukehi(setup).exits(3);
    assert!(files(&params) == before, "parameters were overwritten");
}
