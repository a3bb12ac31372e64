//! Readers come and go: grants through the log, rotation, what a new reader can and cannot open.

use crate::run::{Net, Ran, ukehi, with_pass_file};
use crate::strangers::python;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use ukehi::audit::BundleReader;
use ukehi::registry::Change;

/// A reader with a directory of its own, who knows the testnet's trust root and nothing else.
struct Person<'a> {
    net: &'a Net,
    dir: PathBuf,
    pass: PathBuf,
}

impl<'a> Person<'a> {
    fn new(net: &'a Net, name: &str) -> Self {
        let dir = net.scratch(name);
        fs::create_dir_all(dir.join("readers")).unwrap();
        let pass = net.write(&format!("{name}.pass"), format!("{name}'s own words\n"));
        Self {
            net,
            dir,
            pass: pass.into(),
        }
    }

    fn file(&self, epoch: u32) -> String {
        let path = self.dir.join(format!("readers/1-{epoch}.key"));
        path.to_str().unwrap().to_owned()
    }

    /// Makes the subkey of an epoch; returns its public part.
    fn subkey(&self, epoch: u32) -> String {
        let file = self.file(epoch);
        let new = ["keys", "reader", "new", "--output", "json", "--out", &file];
        let made = with_pass_file(Some(&self.pass), new).json();
        assert_eq!(made["kind"], "reader");
        made["public"].as_str().unwrap().to_owned()
    }

    fn ukehi(&self, args: &[&str]) -> Ran {
        let at = [
            "--dir",
            self.net.dir_str(),
            "--keys",
            self.dir.to_str().unwrap(),
        ];
        with_pass_file(Some(&self.pass), args.iter().copied().chain(at))
    }

    fn accept(&self, epoch: u32) -> Ran {
        self.ukehi(&[
            "keys",
            "grants",
            "accept",
            "--reader-key",
            &self.file(epoch),
        ])
    }
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read(path)
        .unwrap()
        .windows(text.len())
        .any(|w| w == text.as_bytes())
}

pub fn readers_come_and_go(net: &Net) {
    net.json(&["put", "--author", "clinic", "grant/past", "from the past"]);
    let (old, new) = (
        Person::new(net, "old-reader"),
        Person::new(net, "new-reader"),
    );

    let public = old.subkey(1);
    old.accept(1).exits(4).says("no grant");
    net.ukehi(&["keys", "grant", "--reader", &public]).exits(0);
    old.accept(1).exits(0);
    // Accepted again, nothing changes.
    old.accept(1).exits(0);
    assert_eq!(
        old.ukehi(&["get", "grant/past"]).exits(0).stdout,
        "from the past\n"
    );

    // The new reader gets the future only; the old one is dropped.
    let public = new.subkey(2);
    let rotate = [
        "keys", "epoch", "rotate", "--grace", "4", "--grant", &public,
    ];
    net.ukehi(&rotate).exits(0);
    new.accept(2).exits(0);
    net.json(&[
        "put",
        "--author",
        "clinic",
        "grant/future",
        "from the future",
    ]);
    assert_eq!(
        new.ukehi(&["get", "grant/future"]).exits(0).stdout,
        "from the future\n"
    );
    new.ukehi(&["get", "grant/past"])
        .exits(14)
        .says("grant of that epoch");
    old.ukehi(&["get", "grant/future"])
        .exits(14)
        .says("grant of that epoch");
    old.ukehi(&["get", "grant/past"]).exits(0);
    let scanned = new.ukehi(&["scan", "--output", "json"]).json();
    assert_eq!(scanned["rows"].as_array().unwrap().len(), 1);
    assert!(scanned["closed"].as_u64().unwrap() > 1, "{scanned}");

    // The trail says the same of who holds the new reader's keys.
    let trail = net.scratch("grants.ukehi");
    let trail = trail.to_str().unwrap();
    net.json(&["audit", "export", "--out", trail]);
    let (trust, keys) = (net.path("trust.json"), new.dir.to_str().unwrap());
    let verified = crate::run::ukehi([
        "audit",
        "verify",
        trail,
        "--trust",
        &trust,
        "--allow-insecure-setup",
        "--keys",
        keys,
        "--output",
        "json",
    ])
    .json();
    assert_eq!(verified["readable"]["readable_entries"], 1);
    let closed = &verified["readable"]["closed_epochs"][0];
    assert_eq!(closed["epoch"], 1);
    assert_eq!(
        closed["entries"].as_u64().unwrap() + 1,
        verified["batches"].as_u64().unwrap()
    );

    // With a grant of the past, the past opens too: the same subkey would do, but is not needed.
    let public = new.subkey(1);
    let past = [
        "keys",
        "grant",
        "--reader",
        &public,
        "--from-epoch",
        "1",
        "--epoch",
        "2",
    ];
    net.ukehi(&past).exits(0);
    new.accept(1).exits(0);
    assert_eq!(
        new.ukehi(&["get", "grant/past"]).exits(0).stdout,
        "from the past\n"
    );

    net.ukehi(&["keys", "grant", "--reader", "not hex"])
        .exits(2)
        .says("64 hex");
    net.ukehi(&["keys", "grant", "--reader", &public, "--epoch", "99"])
        .exits(4)
        .says("no epoch 99");
    let zero = "0".repeat(64);
    net.ukehi(&["keys", "grant", "--reader", &zero])
        .exits(2)
        .says("small order");
    pruned(net, trail);
    // A leaked log holds the grants, and no secret in clear: the reader's key is what opens them.
    assert!(!holds(Path::new(trail), "from the past"));
}

/// A trail for strangers, without what was wrapped to readers: as valid as the whole one.
fn pruned(net: &Net, whole: &str) {
    let out = net.scratch("pruned.ukehi");
    let out = out.to_str().unwrap();
    let to = BundleReader::open(File::open(whole).unwrap()).unwrap();
    let to = to.start().to.to_string();
    let export = ["audit", "export", "--from", "0", "--to", &to, "--out", out];
    net.ukehi(&[&export[..], &["--prune-grants"]].concat())
        .exits(0);
    let payloads = |bundle: &str| -> Vec<Vec<u8>> {
        let mut reader = BundleReader::open(File::open(bundle).unwrap()).unwrap();
        let entries = std::iter::from_fn(|| reader.entry().unwrap());
        let changes = entries.filter_map(|e| Change::from_bytes(&e.payload).ok());
        let granted = changes.filter(|c| c.content.operation.name() == "grant");
        granted.map(|c| c.payload).collect()
    };
    let (full, bare) = (payloads(whole), payloads(out));
    assert!(!full.is_empty() && full.len() == bare.len());
    assert!(full.iter().all(|p| p.len() == 145) && bare.iter().all(Vec::is_empty));
    let trust = net.path("trust.json");
    let given = [out, "--trust", &trust, "--allow-insecure-setup"];
    ukehi(["audit", "verify"].into_iter().chain(given)).exits(0);
    let second = python(&[&["bundle"][..], &given].concat());
    assert!(
        second.status.success(),
        "{}",
        String::from_utf8_lossy(&second.stderr)
    );
}
