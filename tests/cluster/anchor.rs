//! What a client saw before: every command that reads or writes compares with it.

use crate::harness::*;
use serde_json::Value;
use std::path::PathBuf;

fn anchor(cluster: &Cluster) -> PathBuf {
    cluster.dir().join("client/anchor")
}

/// The size of the checkpoint on file.
fn anchored(cluster: &Cluster) -> u64 {
    let note = std::fs::read_to_string(anchor(cluster)).expect("an anchor");
    note.lines().nth(1).unwrap().parse().expect("a size")
}

/// Exit code and error of a command with `--dir`.
fn ran(cluster: &Cluster, args: &[&str]) -> (Option<i32>, String) {
    let place = [
        "--dir",
        cluster.path(),
        "--timeout",
        "3",
        "--output",
        "json",
    ];
    let done = cluster.ukehi(&[args, &place].concat());
    let error: Value = serde_json::from_slice(&done.stderr).unwrap_or_default();
    let error = error["error"].as_str().unwrap_or_default();
    (done.status.code(), error.to_owned())
}

#[test]
fn a_client_that_saw_another_history_is_told_of_the_fork_whatever_it_asks() {
    let cluster = Cluster::running();
    let mut writer = cluster.client(&[1, 2, 3]);
    for seq in 1..=4 {
        writer.write(&batch(seq));
    }
    cluster.json(&["keys", "epoch", "open"]);
    let trail = cluster.dir().join("anchor-trail.ukehi");
    let commands: [&[&str]; 6] = [
        &["get", "key/1"],
        &["scan"],
        &["receipt", "get", "clinic", "1"],
        &["keys", "registry", "show"],
        &["audit", "export", "--out", trail.to_str().unwrap()],
        &["put", "--author", "lab", "key/9", "a value"],
    ];
    // Where nothing was seen before, whatever is read first is kept.
    std::fs::remove_file(anchor(&cluster)).expect("opening an epoch has kept one");
    assert_eq!(ran(&cluster, commands[0]).0, Some(0));
    let seen = anchored(&cluster);
    assert!(seen > 4, "the log has more than {seen} entries");

    // A majority's signatures under roots that are not this log's, at a smaller and at the very size.
    for size in [2, seen] {
        for command in commands {
            // What the client keeps of the registry was compared when it came.
            let _ = std::fs::remove_dir_all(cluster.dir().join("client/registry"));
            let forged = cluster.cosigned(size, [7; 32], &[1, 2]);
            std::fs::write(anchor(&cluster), &forged).unwrap();
            let (code, error) = ran(&cluster, command);
            assert_eq!(code, Some(12), "{command:?} at {size}: {error}");
            let kept = std::fs::read_to_string(anchor(&cluster)).unwrap();
            assert_eq!(kept, forged, "the evidence is kept");
            assert!(!trail.exists(), "no trail of another history is written");
        }
    }
    // Ahead of every node: nobody can prove anything, which is said, and is not called a fork.
    std::fs::write(anchor(&cluster), cluster.cosigned(9_999, [7; 32], &[2, 3])).unwrap();
    let (code, error) = ran(&cluster, commands[0]);
    assert_eq!(code, Some(5), "{error}");
    assert!(error.contains("of one history"), "{error}");
    // One node's signature is no checkpoint a client would have kept.
    std::fs::write(anchor(&cluster), "not a note\n").unwrap();
    assert_eq!(ran(&cluster, commands[0]).0, Some(3));

    std::fs::remove_file(anchor(&cluster)).unwrap();
    for command in commands {
        let (code, error) = ran(&cluster, command);
        assert_eq!(code, Some(0), "{command:?}: {error}");
    }
    assert!(anchored(&cluster) > seen, "the put has moved it on");
}
