//! The parameters of a ceremony in the log of a cluster that takes no others: from the manifest to the audited trail.

use super::support::snarkjs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Three nodes in production mode; stopped when this is dropped.
struct Production {
    root: PathBuf,
}

impl Production {
    fn up(root: &Path) -> Self {
        let net = Self {
            root: root.to_owned(),
        };
        // One policy, so that one epoch; the name sets nothing up here.
        let circuits = ["--circuits", "seal-1-short-opaque", "--author", "clinic"];
        net.json(
            &[
                &["testnet", "up", "--detach", "--production"][..],
                &circuits,
            ]
            .concat(),
        );
        net
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ukehi"));
        command.args(args).output().unwrap()
    }

    /// A command on the cluster that succeeds.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let dir = self.path("net");
        super::support::json(&self.run(&[args, &["--dir", &dir, "--output", "json"]].concat()))
    }

    #[track_caller]
    fn refused(&self, args: &[&str], code: i32, says: &str) {
        let dir = self.path("net");
        let ran = self.run(&[args, &["--dir", &dir]].concat());
        let said = super::support::text(&ran);
        assert_eq!(ran.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

impl Drop for Production {
    fn drop(&mut self) {
        self.run(&["testnet", "down", "--dir", &self.path("net")]);
    }
}

/// `params` below `root` holds what the ceremony finished with.
pub fn activated_used_and_audited(root: &Path) {
    let net = Production::up(root);
    let params = net.path("params");
    let put = ["put", "--author", "clinic", "patient/17", "chart opened"];
    let put = [&put[..], &["--params", &params]].concat();
    // Nobody has accepted it yet.
    net.refused(&put, 3, "keys circuit activate");

    // Whoever made parameters alone gets them into no such cluster.
    let dev = net.path("dev");
    let circuit = "seal-1-short-opaque";
    let setup = ["keys", "setup", "--dev", "--circuits", circuit];
    let made = net.run(&[&setup[..], &["--dir", &dev]].concat());
    assert!(made.status.success());
    let alone = format!("{dev}/{circuit}.json");
    let activate = |manifest: &'static str| ["keys", "circuit", "activate", manifest];
    net.refused(&activate(alone.leak()), 6, "development set-up");

    let manifest = format!("{params}/{circuit}.json");
    let activated = net.json(&activate(manifest.leak()));
    assert_eq!(activated["outcome"], "applied");
    let shown = net.json(&["keys", "registry", "show"]);
    let made = &shown["circuits"][0];
    assert_eq!(made["name"], circuit);
    assert_eq!(made["set_up"], "ceremony of ada, grace, edsger");
    let written = net.json(&put);
    assert_eq!(written["batches"][0]["outcome"], "applied", "{written}");
    assert_eq!(net.json(&["get", "patient/17"])["value"], "chart opened");
    audited(&net, &written["batches"][0]["index"].to_string());
}

/// By us without `--allow-insecure-setup`, by the second verifier, and the proof by snarkjs.
fn audited(net: &Production, entry: &str) {
    let bundle = net.path("trail.ukehi");
    let trust = net.path("net/trust.json");
    net.json(&["audit", "export", "--out", &bundle]);
    let verify = ["audit", "verify", &bundle, "--trust", &trust];
    let report = net.run(&[&verify[..], &["--output", "json"]].concat());
    let report = super::support::json(&report);
    assert_eq!(report["insecure_circuits"], serde_json::json!([]));
    assert_eq!(report["commands_applied"], 1);
    let words = super::support::text(&net.run(&verify));
    assert!(words.contains("no circuit is INSECURE"), "{words}");
    assert!(!words.contains("WARNING"), "{words}");

    let second = python(&["bundle", &bundle, "--trust", &trust]);
    assert!(second.status.success(), "{}", super::support::text(&second));

    let files = net.path("files");
    let export = [
        "audit", "snarkjs", &bundle, "--entry", entry, "--out", &files,
    ];
    let export = net.run(&[&export[..], &["--trust", &trust]].concat());
    // The circuit is not the trust root's but the log's.
    assert!(export.status.success(), "{}", super::support::text(&export));
    let check = [
        "files/verification_key.json",
        "files/public.json",
        "files/proof.json",
    ];
    let said = snarkjs(&net.root, &[&["groth16", "verify"][..], &check].concat());
    assert!(said.contains("OK!"), "{said}");
}

/// tests/independent, written from docs/formats.md alone.
fn python(args: &[&str]) -> Output {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ukehi/venv");
    let venv = std::env::var_os("UKEHI_VENV").map_or_else(home, PathBuf::from);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent/verify.py");
    let ran = Command::new(venv.join("bin/python"))
        .arg(script)
        .args(args)
        .output();
    ran.expect("the second verifier runs: make tools")
}
