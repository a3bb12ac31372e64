//! What a node refuses to start with: the exit code and what to do.

use crate::harness::*;
use std::fs;
use std::net::TcpListener;
use ukehi::trust::TrustRoot;

/// Runs node 1 until it refuses; returns its code and what it printed.
fn refusal(cluster: &Cluster, id: u64) -> (i32, String) {
    let log = cluster.dir().join("refusal.log");
    let _ = fs::remove_file(&log);
    let mut node = Process::node(SHIPPED.as_ref(), &cluster.config_path(id), &log);
    let status = eventually("the node refuses to start", || node.exited());
    let said = fs::read_to_string(&log).expect("its output");
    (status.code().expect("it was not killed"), said)
}

/// A node that starts and serves its client port; then it is killed.
fn runs(cluster: &mut Cluster, id: u64) {
    cluster.start(id);
    eventually("the node answers", || cluster.status(id));
    cluster.kill(id);
}

#[track_caller]
fn expect(found: (i32, String), code: i32, words: &[&str]) {
    assert_eq!(found.0, code, "{}", found.1);
    for word in words {
        assert!(found.1.contains(word), "{word:?} is not said:\n{}", found.1);
    }
}

#[test]
fn a_data_directory_in_use_is_left_alone() {
    let mut cluster = Cluster::new();
    cluster.start(1);
    eventually("the node answers", || cluster.status(1));
    // Node 1 once more, on other ports.
    let config = cluster.config(1);
    cluster.edit_config(1, |c| {
        c.listen.set_port(0);
        c.client_listen.set_port(0);
    });
    let found = refusal(&cluster, 1);
    fs::write(cluster.config_path(1), config.to_toml()).unwrap();
    expect(found, 3, &["data", "stop the other process"]);
    assert!(cluster.is_running(1));
    assert!(cluster.status(1).is_some());
}

#[test]
fn a_data_directory_of_another_cluster_is_refused() {
    let mut cluster = Cluster::new();
    runs(&mut cluster, 1);
    // The same keys under another genesis are another cluster.
    let mut trust = TrustRoot::load(&cluster.trust()).unwrap();
    let ours = trust.genesis.cluster_id();
    trust.genesis.name = "elsewhere".into();
    assert_ne!(trust.genesis.cluster_id(), ours);
    trust.save(&cluster.trust()).unwrap();
    expect(refusal(&cluster, 1), 3, &["cluster", "check `data`"]);
}

#[test]
fn an_occupied_port_is_named() {
    let cluster = Cluster::new();
    for which in ["peers", "clients"] {
        let config = cluster.config(1);
        let taken = if which == "peers" {
            config.listen
        } else {
            config.client_listen
        };
        let _listener = TcpListener::bind(taken).unwrap();
        let port = taken.port().to_string();
        expect(refusal(&cluster, 1), 3, &[&port, "in use", "client_listen"]);
    }
}

#[test]
fn a_damaged_key_file_and_a_wrong_passphrase_are_refused() {
    let mut cluster = Cluster::new();
    let path = cluster.dir().join("node1/node.key");
    let good = fs::read(&path).unwrap();
    for at in [0, good.len() / 2, good.len() - 10] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        expect(refusal(&cluster, 1), 3, &["node.key", "backup"]);
    }
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    expect(refusal(&cluster, 1), 3, &["node.key", "backup"]);
    fs::write(&path, &good).unwrap();

    let pass = cluster.dir().join("client/pass");
    let right = fs::read(&pass).unwrap();
    fs::write(&pass, "a wrong passphrase\n").unwrap();
    expect(refusal(&cluster, 1), 3, &["node.key", "passphrase"]);
    fs::write(&pass, right).unwrap();
    // Another node's key is whole, opens, and is still not ours.
    fs::copy(cluster.dir().join("node2/node.key"), &path).unwrap();
    expect(
        refusal(&cluster, 1),
        3,
        &["genesis", "check `node` and `key`"],
    );
    fs::write(&path, good).unwrap();
    runs(&mut cluster, 1);
}

#[test]
fn a_dev_setup_is_refused_outside_dev_mode() {
    let cluster = Cluster::new();
    cluster.edit_config(1, |config| config.dev = false);
    expect(refusal(&cluster, 1), 14, &["INSECURE", "dev = true"]);
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    let cluster = Cluster::new();
    let good = fs::read_to_string(cluster.config_path(1)).unwrap();
    fs::write(cluster.config_path(1), format!("{good}sync = false\n")).unwrap();
    expect(refusal(&cluster, 1), 3, &["config.toml", "sync"]);
    fs::write(cluster.config_path(1), &good).unwrap();
    let trust = fs::read_to_string(cluster.trust()).unwrap();
    fs::write(cluster.trust(), trust.replacen("testnet", "tastnet", 1)).unwrap();
    expect(refusal(&cluster, 1), 3, &["trust.json", "restore"]);
}
