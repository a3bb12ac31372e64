//! The worked example of a policy of one's own, on three nodes of the shipped binary.

#[allow(dead_code)]
#[path = "../../examples/dose/main.rs"]
mod example;

use example::policy::{OUT_OF_RANGE, TOO_FAR};
use std::path::Path;
use std::process::Command;
use ukehi::error::ExitCode;

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
