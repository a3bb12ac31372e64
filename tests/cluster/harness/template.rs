//! One dev set-up for all tests: keys, parameters and trust root, made once by `testnet up`.
//!
//! Every test's cluster is a copy with ports and data of its own, so that one corpus of sealed
//! batches fits them all.

use super::cluster::SHIPPED;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use ukehi::trust::TrustRoot;
use ukehi_keys::Passphrase;

pub struct Template {
    pub dir: PathBuf,
    pub trust: TrustRoot,
    pub pass: Passphrase,
    /// Another run of these tests waits until this process ends.
    _lock: File,
}

pub fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(make)
}

fn make() -> Template {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(base.join("cluster-template.lock")).expect("the lock file");
    lock.lock().expect("the lock");
    let dir = base.join("cluster-template");
    let _ = fs::remove_dir_all(&dir);
    let testnet = |args: &[&str]| {
        let done = Command::new(SHIPPED)
            .arg("testnet")
            .args(args)
            .arg("--dir")
            .arg(&dir)
            .output()
            .expect("the binary runs");
        assert!(
            done.status.success(),
            "testnet {args:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let circuits = "seal-1-short-opaque,seal-8-short-opaque";
    testnet(&[
        "up",
        "--detach",
        "--author",
        "clinic",
        "--author",
        "lab",
        "--circuits",
        circuits,
    ]);
    testnet(&["down"]);
    Template {
        trust: TrustRoot::load(&dir.join("trust.json")).expect("the trust root"),
        pass: Passphrase::from_file(&dir.join("client/pass")).expect("the pass file"),
        dir,
        _lock: lock,
    }
}

/// Copies keys, parameters and trust root; what nodes and clients have written stays behind.
pub fn copy_to(target: &Path) {
    copy(&template().dir, target);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("the template") {
        let entry = entry.expect("an entry");
        let (name, path) = (entry.file_name(), entry.path());
        let written_later = [
            "data",
            "data.mark",
            "log",
            "pid",
            "addresses.json",
            "addresses.json.lock",
        ];
        if written_later.iter().any(|w| name == *w) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("a copy");
        }
    }
}
