//! A leader that slept through its replacement (bug 11 of reliability.md).

use crate::harness::*;
use rustix::process::Signal;

/// Bytes that have arrived for connections to this port and that its process has not read.
fn unread(port: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux's table of connections");
    let rows = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let of_port = rows.filter(|row| row[1].ends_with(&format!(":{port:04X}")));
    of_port
        .filter_map(|row| u64::from_str_radix(row[4].split(':').nth(1)?, 16).ok())
        .sum()
}

#[test]
fn a_leader_that_was_stopped_never_serves_a_stale_read() {
    let cluster = Cluster::running();
    let (old, new) = (
        batch_of("clinic", 1, "bed/4", "free"),
        batch_of("clinic", 2, "bed/4", "taken"),
    );
    cluster.client(&[1, 2, 3]).write(&old);
    let led = cluster.leader_among(&[1, 2, 3]);
    let others: Vec<u64> = (1..=3).filter(|id| *id != led).collect();
    // A connection that stands before the leader stops: the question waits in its socket and is
    // the first thing it sees when it wakes up, still believing that it leads.
    let mut early = cluster.client(&[led]);
    assert_eq!(early.get("bed/4").unwrap().as_deref(), Some("free"));
    cluster.signal(led, Signal::STOP);
    let mut client = cluster.client(&others);
    client.write(&new);
    assert_eq!(client.get("bed/4").unwrap().as_deref(), Some("taken"));
    for id in &others {
        let read = cluster.client(&[*id]).get("bed/4").unwrap();
        assert_eq!(read.as_deref(), Some("taken"), "node {id}");
    }
    let port = cluster.config(led).client_listen.port();
    let before = unread(port);
    let waiting = std::thread::spawn(move || early.get("bed/4"));
    eventually("the question waits in the stopped leader's socket", || {
        (unread(port) > before).then_some(())
    });
    cluster.signal(led, Signal::CONT);
    let read = waiting
        .join()
        .expect("no panic")
        .expect("it answers in the end");
    assert_eq!(
        read.as_deref(),
        Some("taken"),
        "the first read after the pause"
    );
    for _ in 0..20 {
        let read = cluster.client(&[led]).get("bed/4").expect("an answer");
        assert_eq!(read.as_deref(), Some("taken"));
    }
    let node = cluster.endpoints(&[led])[0].address.to_string();
    let (keys, trust) = (cluster.dir().join("client"), cluster.trust());
    let got = cluster.ukehi(&[
        "get",
        "--node",
        &node,
        "--keys",
        keys.to_str().unwrap(),
        "--trust",
        trust.to_str().unwrap(),
        "bed/4",
    ]);
    assert!(
        got.status.success(),
        "{}",
        String::from_utf8_lossy(&got.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&got.stdout).trim(), "taken");
}
