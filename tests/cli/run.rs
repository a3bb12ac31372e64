//! Runs the binary, keeps all it ever printed, and owns the testnet.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

pub const BINARY: &str = env!("CARGO_BIN_EXE_ukehi");

/// Everything the binary printed in this process: `secrets` searches it.
pub static PRINTED: Mutex<String> = Mutex::new(String::new());

pub struct Ran {
    pub args: Vec<String>,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Asserts the exit code; shows the whole run if it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        if code != 0 {
            // A failure is explained on stderr and never mistaken for a result.
            assert!(self.stderr.contains("error"), "{self}");
        }
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr lacks {text:?}: {self}");
        self
    }

    /// The one JSON document on stdout, with its schema.
    #[track_caller]
    pub fn json(self) -> Value {
        let ran = self.exits(0);
        let value: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|e| panic!("stdout is no JSON ({e}): {ran}"));
        assert!(has_schema(&value), "no schema: {ran}");
        ran.plain_progress();
        value
    }

    /// Off a terminal progress is lines: no carriage returns, no escapes; none of it on stdout.
    #[track_caller]
    pub fn plain_progress(&self) {
        for stream in [&self.stdout, &self.stderr] {
            assert!(!stream.contains(['\r', '\x1b']), "{self}");
        }
        assert!(
            self.stderr.is_empty() || self.stderr.ends_with('\n'),
            "{self}"
        );
    }
}

pub fn has_schema(value: &Value) -> bool {
    value["schema"]
        .as_str()
        .is_some_and(|s| s.starts_with("ukehi/"))
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            args,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "ukehi {args:?} exited {code}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}

pub fn ukehi<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    with_pass_file(None, args)
}

/// With `UKEHI_PASSPHRASE_FILE` set, and no terminal to ask at.
pub fn with_pass_file<A: AsRef<OsStr>>(
    file: Option<&Path>,
    args: impl IntoIterator<Item = A>,
) -> Ran {
    let mut command = Command::new(BINARY);
    command
        .args(args)
        .env_remove("UKEHI_PASSPHRASE_FILE")
        .stdin(Stdio::null());
    if let Some(file) = file {
        command.env("UKEHI_PASSPHRASE_FILE", file);
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let mut printed = PRINTED.lock().unwrap();
    printed.push_str(&stdout);
    printed.push_str(&stderr);
    drop(printed);
    Ran {
        args: command
            .get_args()
            .map(|a| a.to_string_lossy().into_owned())
            .collect(),
        code: output.status.code().expect("the binary ends by itself"),
        stdout,
        stderr,
    }
}

/// Three nodes; stopped when this is dropped, also by a panic.
pub struct Net {
    root: tempfile::TempDir,
    pub started: Value,
}

impl Net {
    pub fn up() -> Self {
        Self::with_circuits("seal-1-short-opaque,seal-8-short-opaque,open-1-short-none")
    }

    pub fn with_circuits(circuits: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut net = Self {
            root,
            started: Value::Null,
        };
        let dir = net.dir();
        let up = [
            "testnet",
            "up",
            "--nodes",
            "3",
            "--circuits",
            circuits,
            "--detach",
            "--output",
            "json",
            "--dir",
        ];
        net.started = ukehi(up.map(OsStr::new).into_iter().chain([dir.as_os_str()])).json();
        net
    }

    pub fn dir(&self) -> PathBuf {
        self.root.path().join("net")
    }

    pub fn dir_str(&self) -> &str {
        // Leaked once a call, in a test process that ends soon.
        Box::leak(self.dir().to_str().unwrap().to_owned().into_boxed_str())
    }

    /// A path beside the testnet, for what a test writes.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn path(&self, name: &str) -> String {
        self.dir().join(name).to_str().unwrap().to_owned()
    }

    /// `ukehi COMMAND... --dir DIR`.
    pub fn ukehi(&self, args: &[&str]) -> Ran {
        ukehi(args.iter().copied().chain(["--dir", self.dir_str()]))
    }

    pub fn json(&self, args: &[&str]) -> Value {
        ukehi(
            args.iter()
                .copied()
                .chain(["--dir", self.dir_str(), "--output", "json"]),
        )
        .json()
    }

    /// Writes a file beside the testnet.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.scratch(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The whole trail, exported once.
    pub fn bundle(&self) -> (String, Vec<u8>) {
        let path = self.scratch("trail.ukehi");
        if !path.exists() {
            let exported = self.json(&["audit", "export", "--out", path.to_str().unwrap()]);
            assert_eq!(exported["schema"], "ukehi/audit-export/v1");
            assert_eq!(exported["from"], 0);
        }
        let bytes = fs::read(&path).unwrap();
        (path.to_str().unwrap().to_owned(), bytes)
    }

    /// A trust root that differs in nothing but the cluster's nonce.
    pub fn other_trust(&self) -> String {
        let mut trust = ukehi::trust::TrustRoot::load(&self.dir().join("trust.json")).unwrap();
        trust.genesis.nonce[0] ^= 1;
        let path = self.scratch("other-trust.json");
        trust.save(&path).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let down = Command::new(BINARY)
            .args(["testnet", "down", "--dir"])
            .arg(self.dir())
            .output();
        if !down.is_ok_and(|o| o.status.success()) {
            eprintln!(
                "testnet down failed; look for nodes of {}",
                self.dir().display()
            );
        }
    }
}
