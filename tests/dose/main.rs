//! The worked example of a policy of one's own, on three nodes of the shipped binary.

#[allow(dead_code)]
#[path = "../../examples/dose/main.rs"]
mod example;

use example::policy::{OUT_OF_RANGE, TOO_FAR};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use ukehi::ceremony::{AnnouncedBeacon, Ceremony, CeremonyError, CircuitSource, ListedParticipant};
use ukehi::error::ExitCode;
use ukehi::params::{Circuit, CircuitName, default_options};
use ukehi_circuits::Shape;
use ukehi_circuits::policy::Ledger;
use ukehi_keys::{ParticipantKey, params};
use ukehi_provers::ceremony::insecure_dev_powers;
use ukehi_provers::iden3::write_ptau;
use zeroize::Zeroizing;

struct Testnet(tempfile::TempDir);

impl Testnet {
    fn up() -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let net = Self(dir);
        net.ukehi(&[
            "testnet",
            "up",
            "--detach",
            "--author",
            "clinic",
            "--circuits",
            "seal-1-short-opaque",
        ]);
        net
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    /// The shipped binary, which has no policy of that name; its output.
    fn ukehi(&self, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ukehi"));
        let done = command
            .args(words)
            .arg("--dir")
            .arg(self.dir())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "ukehi {words:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ukehi"));
        let _ = command
            .args(["testnet", "down", "--dir"])
            .arg(self.dir())
            .output();
    }
}

#[test]
fn nodes_that_do_not_know_the_policy_keep_doses_within_it() {
    let net = Testnet::up();
    let first = example::run(net.dir(), None).unwrap();
    assert_eq!(first.doses, [40, 60, 80]);
    let [(130, overdose), (90, jump)] = &first.refused[..] else {
        panic!("refused: {:?}", first.refused);
    };
    assert!(overdose.contains(OUT_OF_RANGE), "{overdose}");
    assert!(jump.contains(TOO_FAR), "{jump}");
    assert_eq!(first.audited, ExitCode::Ok);

    // The shipped binary reads what it could not have written.
    let got = net.ukehi(&["cells", "get", "ward-3/bed-17/morphine", "--output", "json"]);
    let got: serde_json::Value = serde_json::from_str(&got).unwrap();
    assert_eq!(
        (&got["value"], &got["policy"]),
        (&80.into(), &"dose_range".into())
    );
    assert_eq!(got["version"], 3);

    // Again on the same cluster: from 80, 40 is too far; everything was accepted before.
    let again = example::run(net.dir(), None).unwrap();
    assert_eq!(again.doses, [60, 80]);
    let refused: Vec<u64> = again.refused.iter().map(|(dose, _)| *dose).collect();
    assert_eq!(refused, [40, 130, 90]);
    assert_eq!(again.audited, ExitCode::Ok);
    let shown = net.ukehi(&["keys", "registry", "show", "--output", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["changes"].as_array().unwrap().len(), 3);
}

/// Powers whose one contributor is not the development maker by name, as in a ceremony of others.
fn powers(file: &Path) {
    let mut powers = insecure_dev_powers(13, &mut |_, _| {}).unwrap();
    powers.contributions[0].name = Some("a public ceremony".into());
    write_ptau(&powers, File::create(file).unwrap()).unwrap();
}

#[test]
fn a_ceremony_makes_the_policys_parameters_and_of_no_other_rules() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    example::export_circuit(&at("dose.r1cs")).unwrap();
    powers(&at("p.ptau"));
    let key = ParticipantKey::generate().unwrap();
    let ada = ListedParticipant {
        name: "ada".into(),
        key: key.public(),
    };
    let beacon = AnnouncedBeacon {
        source: "a draw to come".into(),
        iterations_log2: 10,
    };
    let (circuit, powers) = (at("dose.r1cs"), at("p.ptau"));
    let circuit = CircuitSource::File(&circuit);
    let quiet = &mut |_, _, _| {};
    let ceremony = Ceremony::announce(&at("D"), circuit, &powers, vec![ada], beacon, quiet);
    let ceremony = ceremony.unwrap();
    let entropy = Zeroizing::new(b"typed".to_vec());
    ceremony.contribute("ada", &key, entropy, quiet).unwrap();
    ceremony.beacon(vec![7; 32], quiet).unwrap();
    // Rules that were not announced.
    let other = CircuitName::seal(&Ledger, Shape::SINGLE);
    let refused = ceremony.finish_for(&other, &at("params"), false, quiet);
    assert!(matches!(refused, Err(CeremonyError::OtherCircuit { .. })));

    example::finish_ceremony(&at("D"), &at("params")).unwrap();
    let manifest = params::list(&at("params")).unwrap().remove(0);
    manifest.require_secure().unwrap();
    assert_eq!(manifest.shape().policy, "dose_range");
    let options = default_options().unwrap();
    Circuit::of_policy(&at("params"), &manifest, &example::PRESCRIBED, &options).unwrap();
}
