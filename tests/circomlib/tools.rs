//! Runs node's programs and the binary.

use serde_json::Value;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `make test-tools` puts the npm packages.
pub fn modules() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    let tools = std::env::var_os("UKEHI_NPM").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| home().join(".cache/ukehi/npm"));
    let modules = tools.join("node_modules");
    assert!(
        modules.join("circom2").exists(),
        "{}: no circom2 there; run `make test-tools`",
        modules.display()
    );
    modules
}

/// What a program of node's printed, and whether it said yes.
pub fn node<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> (bool, String) {
    let mut command = Command::new("node");
    let output = command.args(args).current_dir(dir).output();
    let output = output.expect("node runs: install it and run `make test-tools`");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let ok = output.status.success() && !printed.contains("ERROR");
    (ok, printed)
}

/// One command of snarkjs's, words separated by spaces.
pub fn snarkjs(dir: &Path, command: &str) -> (bool, String) {
    let cli = modules().join("snarkjs/build/cli.cjs");
    let words = command.split(' ').map(OsStr::new);
    node(dir, std::iter::once(cli.as_os_str()).chain(words))
}

#[track_caller]
pub fn snarkjs_ok(dir: &Path, command: &str) {
    let (ok, printed) = snarkjs(dir, command);
    assert!(ok, "snarkjs {command}: {printed}");
}

pub struct Ran {
    args: String,
    code: i32,
    stdout: String,
    stderr: String,
}

pub fn ukehi<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ukehi"));
    command.args(args).current_dir(dir).stdin(Stdio::null());
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ran {
        args: format!("{:?}", command.get_args().collect::<Vec<_>>()),
        code: output.status.code().expect("the binary ends by itself"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Ran {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        assert_eq!(code != 0, self.stderr.contains("error"), "{self}");
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr lacks {text:?}: {self}");
        self
    }

    #[track_caller]
    pub fn json(self) -> Value {
        let ran = self.exits(0);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {ran}"))
    }

    pub fn stderr(&self) -> &str {
        &self.stderr
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            args,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "ukehi {args} exited {code}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}
