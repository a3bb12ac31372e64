//! A small circuit, powers of τ, participants, and the two tools.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use ukehi::ceremony::{
    AnnouncedBeacon, Ceremony, CeremonyError, CircuitSource, ListedParticipant, StepMade,
};
use ukehi_keys::ParticipantKey;
use ukehi_provers::ceremony::insecure_dev_powers;
use ukehi_provers::iden3::{write_ptau, write_r1cs};
use ukehi_provers::{Fr, R1cs};
use zeroize::Zeroizing;

/// Expects the error of this pattern.
macro_rules! refused {
    ($outcome:expr, $pattern:pat) => {
        match $outcome {
            Ok(_) => panic!("it was accepted"),
            Err(error) => assert!(matches!(error, $pattern), "{error}"),
        }
    };
}

pub const NAMES: [&str; 3] = ["ada", "grace", "edsger"];
pub const SOURCE: &str = "the draw of the first Monday of May";
pub const BEACON: &str = "0102030405060708090a0b0c0d0e0f10";

/// `rows` squarings of a secret, the last one public and alone so.
pub fn circuit(rows: usize, public: usize) -> R1cs {
    let one = |variable| vec![(Fr::from(1u64), variable)];
    let secret = |i: usize| 1 + public + i;
    let result = |i: usize| if i + 1 == rows { 1 } else { secret(i + 1) };
    let a: Vec<_> = (0..rows).map(|i| one(secret(i))).collect();
    let c = (0..rows).map(|i| one(result(i))).collect();
    R1cs::new(a.clone(), a, c, 1 + public, rows).unwrap()
}

pub fn r1cs_file(circuit: &R1cs) -> Vec<u8> {
    let file = write_r1cs(circuit, Cursor::new(Vec::new())).unwrap();
    file.into_inner()
}

/// Powers whose one contributor is not the development maker by name, as in a ceremony of others.
pub fn powers(power: u32) -> Vec<u8> {
    let mut content = insecure_dev_powers(power, &mut |_, _| {}).unwrap();
    content.contributions[0].name = Some("a public ceremony".into());
    let file = write_ptau(&content, Cursor::new(Vec::new())).unwrap();
    file.into_inner()
}

static SMALL_POWERS: LazyLock<Vec<u8>> = LazyLock::new(|| powers(6));

pub fn key(name: &str) -> ParticipantKey {
    let seed = blake3::hash(name.as_bytes());
    ParticipantKey::from_secret_bytes(&Zeroizing::new(seed.into()))
}

pub fn listed() -> Vec<ListedParticipant> {
    let one = |name: &str| ListedParticipant {
        name: name.into(),
        key: key(name).public(),
    };
    NAMES.iter().map(|name| one(name)).collect()
}

pub fn announced_beacon() -> AnnouncedBeacon {
    AnnouncedBeacon {
        source: SOURCE.into(),
        iterations_log2: 10,
    }
}

/// A directory with a ceremony for the small circuit in `D`.
pub struct Place {
    pub root: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self {
            root: tempfile::tempdir().unwrap(),
        };
        std::fs::write(place.path("p.ptau"), &*SMALL_POWERS).unwrap();
        std::fs::write(place.path("c.r1cs"), r1cs_file(&circuit(20, 1))).unwrap();
        place
    }

    pub fn announced() -> Self {
        let place = Self::new();
        place.announce().unwrap();
        place
    }

    pub fn announce(&self) -> Result<Ceremony, CeremonyError> {
        Ceremony::announce(
            &self.directory(),
            CircuitSource::File(&self.path("c.r1cs")),
            &self.path("p.ptau"),
            listed(),
            announced_beacon(),
            &mut |_, _, _| {},
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn directory(&self) -> PathBuf {
        self.path("D")
    }

    pub fn open(&self) -> Ceremony {
        Ceremony::open(&self.directory()).unwrap()
    }

    pub fn contribute(&self, name: &str) -> Result<StepMade, CeremonyError> {
        let entropy = Zeroizing::new(b"typed".to_vec());
        self.open()
            .contribute(name, &key(name), entropy, &mut |_, _, _| {})
    }

    pub fn import(&self, name: &str, file: &str) -> Result<StepMade, CeremonyError> {
        let file = self.path(file);
        self.open()
            .import(name, &key(name), &file, &mut |_, _, _| {})
    }

    pub fn beacon(&self) -> Result<StepMade, CeremonyError> {
        let value = hex::decode(BEACON).unwrap();
        self.open().beacon(value, &mut |_, _, _| {})
    }

    pub fn verify(&self) -> Result<ukehi::ceremony::Verified, CeremonyError> {
        Ceremony::open(&self.directory())?.verify(&mut |_, _, _| {})
    }

    /// All three and the beacon.
    pub fn finished() -> Self {
        let place = Self::announced();
        for name in NAMES {
            place.contribute(name).unwrap();
        }
        place.beacon().unwrap();
        place
    }

    /// The directory's files with their digests.
    pub fn files(&self) -> Vec<(String, [u8; 32])> {
        let entries = std::fs::read_dir(self.directory()).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let digest = blake3::hash(&std::fs::read(entry.path()).unwrap());
                (entry.file_name().into_string().unwrap(), digest.into())
            })
            .filter(|(name, _): &(String, _)| !name.starts_with('.'))
            .collect();
        files.sort();
        files
    }

    #[track_caller]
    pub fn snarkjs(&self, args: &[&str]) -> String {
        snarkjs(self.root.path(), args)
    }
}

#[track_caller]
pub fn snarkjs(directory: &Path, args: &[&str]) -> String {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ukehi/npm");
    let tools = std::env::var_os("UKEHI_NPM").map_or_else(home, PathBuf::from);
    let script = tools.join("node_modules/snarkjs/build/cli.cjs");
    assert!(script.exists(), "{}: run `make tools`", script.display());
    let output = Command::new("node")
        .arg(script)
        .args(args)
        .current_dir(directory)
        .output()
        .expect("node runs snarkjs: run `make tools`");
    let said = text(&output);
    assert!(output.status.success() && !said.contains("ERROR"), "{said}");
    said
}

pub fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&all).into_owned()
}

/// `ukehi keys ceremony ARGS`, with a passphrase file.
pub fn ukehi(pass: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ukehi"))
        .args(["keys", "ceremony"])
        .args(args)
        .env("UKEHI_PASSPHRASE_FILE", pass)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
pub fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", text(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn write_pass(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, "correct horse battery staple\n").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
