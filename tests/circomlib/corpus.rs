//! Compiled circuits, witnesses and keys: made once, kept under `~/.cache/ukehi/circomlib` (or `UKEHI_CIRCOMLIB`) in
//! a directory named by the digest of all they are made from.
//!
//! Invariant: a directory of that name is whole: it is filled under another name and renamed.

use crate::tools::{modules, node, snarkjs_ok};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;
use ukehi_provers::ceremony::{ToxicShare, contribute, initial_zkey, insecure_dev_powers};
use ukehi_provers::iden3::{Ptau, read_r1cs, write_ptau};

pub const CIRCUITS: [&str; 4] = ["poseidon", "eddsa", "merkle", "sha256"];
/// snarkjs makes this one's key, our own ceremony the others'.
pub const KEY_OF_SNARKJS: &str = "poseidon";
/// The domains: 2^10 for the first, up to 2^15 for SHA-256, for which snarkjs wants twice the powers.
const SMALL_POWERS: u32 = 11;
const POWERS: u32 = 16;
/// To be raised when this file makes something else of the same sources.
const VERSION: &str = "1";

/// For each circuit NAME: `NAME.r1cs`, `.wtns`, `.zkey`, `.vk.json`, `.expected.json` (its public inputs); for
/// snarkjs's key also `NAME.new.zkey`, to which nobody has contributed.
pub fn dir() -> &'static Path {
    static DIR: LazyLock<PathBuf> = LazyLock::new(made);
    &DIR
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/circomlib")
}

fn made() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    let root = std::env::var_os("UKEHI_CIRCOMLIB").map(PathBuf::from);
    let root = root.unwrap_or_else(|| home().join(".cache/ukehi/circomlib"));
    let finished = root.join(digest());
    if finished.exists() {
        return finished;
    }
    fs::create_dir_all(&root).unwrap();
    let unfinished = tempfile::tempdir_in(&root).unwrap();
    make(unfinished.path());
    match fs::rename(unfinished.keep(), &finished) {
        // Another process was first.
        Err(e) if e.kind() == ErrorKind::DirectoryNotEmpty => {}
        renamed => renamed.unwrap(),
    }
    finished
}

fn digest() -> String {
    let mut hasher = blake3::Hasher::new();
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/npm/package-lock.json");
    let circuits = CIRCUITS.map(|name| sources().join(format!("circuits/{name}.circom")));
    let files = [lock, sources().join("inputs.cjs")];
    hasher.update(VERSION.as_bytes());
    for file in files.into_iter().chain(circuits) {
        // Hashed first, so that no two lists of files are the same bytes.
        hasher.update(blake3::hash(&fs::read(file).unwrap()).as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn make(dir: &Path) {
    // circom as WebAssembly sees nothing outside the directory it runs in.
    copy(
        &modules().join("circomlib/circuits"),
        &dir.join("circomlib/circuits"),
    );
    let inputs = sources().join("inputs.cjs");
    let arguments = [inputs.as_path(), &modules(), dir];
    let (ok, printed) = node(dir, arguments);
    assert!(ok, "{printed}");
    thread::scope(|scope| {
        let powers = scope.spawn(powers);
        // Two at a time: each is a process with one thread.
        for pair in CIRCUITS.chunks(2) {
            thread::scope(|scope| {
                for name in pair {
                    scope.spawn(|| compile(dir, name));
                }
            });
        }
        let powers = powers.join().expect("powers of tau are made");
        for name in CIRCUITS {
            match name {
                KEY_OF_SNARKJS => snarkjs_key(dir, name),
                _ => our_key(dir, name, &powers),
            }
            snarkjs_ok(
                dir,
                &format!("zkey export verificationkey {name}.zkey {name}.vk.json"),
            );
        }
    });
    fs::remove_dir_all(dir.join("circomlib")).unwrap();
}

fn compile(dir: &Path, name: &str) {
    let source = format!("{name}.circom");
    fs::copy(sources().join("circuits").join(&source), dir.join(&source)).unwrap();
    let circom = modules().join("circom2/cli.js");
    let options = [&source, "--r1cs", "--wasm", "--O1", "-l", "."].map(OsStr::new);
    let (ok, printed) = node(dir, [circom.as_os_str()].into_iter().chain(options));
    assert!(ok && dir.join(format!("{name}.r1cs")).exists(), "{printed}");
    snarkjs_ok(
        dir,
        &format!("wtns calculate {name}_js/{name}.wasm {name}.input.json {name}.wtns"),
    );
}

fn powers() -> Vec<u8> {
    let content = insecure_dev_powers(POWERS, &mut |_, _| {}).unwrap();
    let file = write_ptau(&content, Cursor::new(Vec::new()));
    file.unwrap().into_inner()
}

fn our_key(dir: &Path, name: &str, powers: &[u8]) {
    let circuit = read_r1cs(File::open(dir.join(format!("{name}.r1cs"))).unwrap()).unwrap();
    let mut powers = Ptau::open(Cursor::new(powers)).unwrap();
    let initial = initial_zkey(&circuit, &mut powers, &mut |_, _| {}).unwrap();
    let share = ToxicShare::draw(b"").unwrap();
    let zkey = contribute(initial, share, Some("one".into()), &mut |_, _| {}).unwrap();
    let file = File::create(dir.join(format!("{name}.zkey"))).unwrap();
    zkey.write(file).unwrap();
}

fn snarkjs_key(dir: &Path, name: &str) {
    let content = insecure_dev_powers(SMALL_POWERS, &mut |_, _| {}).unwrap();
    write_ptau(&content, File::create(dir.join("small.ptau")).unwrap()).unwrap();
    for command in [
        format!("groth16 setup {name}.r1cs small.ptau {name}.new.zkey"),
        format!("zkey contribute {name}.new.zkey {name}.zkey --name=one -e=text"),
    ] {
        snarkjs_ok(dir, &command);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
