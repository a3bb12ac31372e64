//! The registry in the log of three real nodes, changed from the command line.

use crate::harness::*;
use serde_json::Value;
use std::process::{Command, Output};
use ukehi::log::Outcome;

/// `ukehi` with the testnet's pass file for new key files.
fn with_pass(cluster: &Cluster, args: &[&str]) -> Output {
    Command::new(SHIPPED)
        .args(args)
        .env("UKEHI_PASSPHRASE_FILE", cluster.dir().join("client/pass"))
        .output()
        .expect("the binary runs")
}

fn put(cluster: &Cluster, author: &str, key: &str, more: &[&str]) -> Value {
    let put = ["put", "--author", author, key, "a value"];
    let written = cluster.json(&[&put[..], more].concat());
    assert_eq!(written["batches"][0]["outcome"], "applied", "{written}");
    written
}

fn decided(cluster: &Cluster, args: &[&str]) -> u64 {
    let decided = cluster.json(&[&["keys"], args].concat());
    assert_eq!(decided["outcome"], "applied", "{decided}");
    decided["index"].as_u64().expect("an index")
}

fn verifies(cluster: &Cluster, bundle: &str) {
    let trust = cluster.trust();
    let trust = trust.to_str().unwrap();
    let args = [
        "audit",
        "verify",
        bundle,
        "--trust",
        trust,
        "--allow-insecure-setup",
    ];
    let done = cluster.ukehi(&args);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
}

#[test]
fn authors_epochs_and_circuits_come_and_go_in_a_running_cluster() {
    let mut cluster = Cluster::running();
    let client = cluster.dir().join("client");
    let key = client.join("authors/radiology.key");
    let made = with_pass(
        &cluster,
        &["keys", "author", "new", "--out", key.to_str().unwrap()],
    );
    assert!(made.status.success());

    // Nobody the registry does not know writes; once it does, he does.
    let early = cluster.ukehi(&[
        "put",
        "--dir",
        cluster.path(),
        "--author",
        "radiology",
        "scan/1",
        "x",
    ]);
    assert_eq!(early.status.code(), Some(3));
    decided(&cluster, &["author", "register", "radiology"]);
    put(&cluster, "radiology", "scan/1", &[]);

    // A rotation while a node sleeps; old values are read with the old epoch's secret.
    let sleeper = (1..=3)
        .find(|id| *id != cluster.leader_among(&[1, 2, 3]))
        .unwrap();
    cluster.kill(sleeper);
    let rotated = decided(&cluster, &["epoch", "rotate", "--grace", "5"]);
    assert!(client.join("epochs/1-2.key").exists());
    put(&cluster, "radiology", "scan/2", &[]);
    for key in ["scan/1", "scan/2"] {
        assert_eq!(cluster.json(&["get", key])["value"], "a value");
    }
    cluster.start(sleeper);

    // A circuit of another set-up, activated and used.
    let params = cluster.dir().join("params2");
    let params = params.to_str().unwrap();
    assert!(
        cluster
            .ukehi(&["keys", "setup", "--dev", "--dir", params])
            .status
            .success()
    );
    let unknown = cluster.ukehi(&[
        "put",
        "--dir",
        cluster.path(),
        "--author",
        "lab",
        "--params",
        params,
        "a",
        "b",
    ]);
    assert_eq!(
        unknown.status.code(),
        Some(3),
        "no circuit this cluster accepts"
    );
    let manifest = format!("{params}/seal-1-short-opaque.json");
    let activated = decided(&cluster, &["circuit", "activate", &manifest]);
    let written = put(&cluster, "lab", "dose/1", &["--params", params]);
    assert_eq!(cluster.json(&["get", "dose/1"])["value"], "a value");
    let last = written["batches"][0]["index"].as_u64().unwrap();
    cluster.applied(&[1, 2, 3], last);

    // The old epoch has expired by now; a revoked author's batch is a recorded refusal.
    for i in 0..4 {
        put(&cluster, "radiology", &format!("more/{i}"), &[]);
    }
    let mut writer = cluster.client(&[1, 2, 3]);
    let (index, outcome) = writer
        .submit(&batch_of("clinic", 1, "k", "v").bytes)
        .unwrap();
    assert!(index > rotated + 4);
    assert_eq!(outcome, Outcome::EpochExpired);
    let revoked = decided(&cluster, &["author", "revoke", "radiology"]);
    let late = cluster.ukehi(&[
        "put",
        "--dir",
        cluster.path(),
        "--author",
        "radiology",
        "scan/3",
        "x",
    ]);
    assert_eq!(late.status.code(), Some(3));
    decided(&cluster, &["author", "revoke", "lab"]);
    let (last, outcome) = writer.submit(&batch_of("lab", 9, "k", "v").bytes).unwrap();
    assert_ne!(outcome, Outcome::Applied);

    // A refused change is a record, and exits 6.
    let again = cluster.ukehi(&[
        "keys",
        "author",
        "revoke",
        "--dir",
        cluster.path(),
        "radiology",
    ]);
    assert_eq!(again.status.code(), Some(6));

    // Every node keeps it across a restart, and so does the trail.
    cluster.kill_all();
    for id in 1..=3 {
        cluster.start(id);
    }
    cluster.leader_among(&[1, 2, 3]);
    for id in 1..=3 {
        let status = eventually("a node answers", || cluster.status(id));
        assert_eq!(status["registry_changes"], 5);
    }
    std::fs::remove_dir_all(client.join("registry")).unwrap();
    let shown = cluster.json(&["keys", "registry", "show"]);
    assert_eq!(shown["changes"].as_array().unwrap().len(), 5);
    let circuits = shown["circuits"].as_array().unwrap();
    assert_eq!(circuits.len(), 3);
    let live = circuits.iter().find(|c| c["activated_at"] == activated);
    let live = live.expect("the one the log activated");
    assert_eq!(
        (&live["name"], &live["set_up"]),
        (&"seal-1-short-opaque".into(), &"INSECURE".into())
    );
    let live = live["circuit"].as_str().unwrap()[..8].to_owned();
    let epochs = &shown["keyspaces"][0]["epochs"];
    assert_eq!(epochs.as_array().unwrap().len(), 2);
    let bundle = cluster.export(last);
    verifies(&cluster, bundle.to_str().unwrap());
    // A range is judged by the changes before it, which come with it.
    let range = cluster.dir().join("range.ukehi");
    let range = range.to_str().unwrap();
    let (from, to) = ((activated + 1).to_string(), revoked.to_string());
    cluster.json(&[
        "audit", "export", "--out", range, "--from", &from, "--to", &to,
    ]);
    verifies(&cluster, range);

    // Two circuits have the name; the first digits of an id are enough.
    let retire =
        |which: &str| cluster.ukehi(&["keys", "circuit", "retire", "--dir", cluster.path(), which]);
    assert_eq!(retire("seal-1-short-opaque").status.code(), Some(2));
    assert_eq!(retire("00000000").status.code(), Some(4));
    assert_eq!(retire(&live).status.code(), Some(0));
    let put = ["put", "--author", "clinic", "k", "v", "--params", params];
    let late = cluster.ukehi(&[&put[..], &["--dir", cluster.path()]].concat());
    assert_eq!(late.status.code(), Some(3), "its only circuit is retired");
}

#[test]
fn a_change_takes_as_many_admins_as_the_threshold_says() {
    let cluster = Cluster::running();
    let client = cluster.dir().join("client");
    for name in ["alice", "bob"] {
        let path = client.join(format!("admins/{name}.key"));
        let made = with_pass(
            &cluster,
            &["keys", "admin", "new", "--out", path.to_str().unwrap()],
        );
        assert!(made.status.success());
    }
    let set = [
        "admins",
        "set",
        "--key",
        "alice",
        "--key",
        "bob",
        "--threshold",
        "2",
    ];
    decided(&cluster, &set);
    let file = cluster.dir().join("change.json");
    let file = file.to_str().unwrap();
    let alone = [
        "keys",
        "author",
        "revoke",
        "lab",
        "--admin",
        "alice",
        "--sign-only",
        "--out",
        file,
    ];
    cluster.json(&alone);
    let early = cluster.ukehi(&["keys", "change", "submit", file, "--dir", cluster.path()]);
    assert_eq!(early.status.code(), Some(6));
    cluster.json(&["keys", "change", "sign", file, "--admin", "bob"]);
    decided(&cluster, &["change", "submit", file]);
    // The first admin decides nothing any more.
    let old = cluster.ukehi(&[
        "keys",
        "epoch",
        "open",
        "--dir",
        cluster.path(),
        "--admin",
        "admin1",
        "--admin",
        "alice",
    ]);
    assert_eq!(old.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&old.stderr).contains("is none at this entry"));
}
