//! Runs snarkjs where `make tools` puts it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

fn script() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    let tools = std::env::var_os("UKEHI_NPM")
        .map_or_else(|| home().join(".cache/ukehi/npm"), PathBuf::from);
    let script = tools.join("node_modules/snarkjs/build/cli.cjs");
    assert!(
        script.exists(),
        "{}: missing; run `make tools`, or set UKEHI_NPM to a directory with snarkjs 0.7.6",
        script.display()
    );
    script
}

/// A directory of its own, in which snarkjs runs and names files.
pub(super) struct Bench(tempfile::TempDir);

impl Bench {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(super) fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// What snarkjs printed; whether it said yes.
    pub(super) fn run(&self, command: &str) -> (bool, String) {
        run_in(self.0.path(), command)
    }

    #[track_caller]
    pub(super) fn ok(&self, command: &str) -> String {
        let (ok, printed) = self.run(command);
        assert!(ok, "snarkjs {command}: {printed}");
        printed
    }
}

fn run_in(directory: &Path, command: &str) -> (bool, String) {
    let words: Vec<OsString> = command
        .split(' ')
        .map(|w| w.replace('_', " ").into())
        .collect();
    let output = Command::new("node")
        .arg(script())
        .args(words)
        .current_dir(directory)
        .output()
        .expect("node runs: install it and run `make tools`");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    (
        output.status.success() && !printed.contains("ERROR"),
        printed,
    )
}

/// The hash snarkjs prints after `title`: sixteen groups of eight digits.
pub(super) fn printed_hash(printed: &str, title: &str) -> String {
    let at = printed
        .find(title)
        .unwrap_or_else(|| panic!("{title:?} is not in {printed}"));
    let groups = printed[at + title.len()..]
        .split_whitespace()
        .filter(|word| word.len() == 8 && word.chars().all(|c| c.is_ascii_hexdigit()));
    groups.take(16).collect()
}
