//! `ukehi testnet`: three processes of the shipped binary, and who may be signalled.

use crate::harness::*;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Ends what `testnet up --detach` left running, and nothing else.
struct Detached<'a>(&'a Cluster);

impl Detached<'_> {
    fn up(&self) -> Value {
        self.0.json(&["testnet", "up", "--detach"])
    }

    fn pid(&self, id: u64) -> Option<i32> {
        let text = fs::read_to_string(self.0.dir().join(format!("node{id}/pid"))).ok()?;
        text.split(' ').next()?.parse().ok()
    }

    /// Whether the pid is a process of the shipped binary with this cluster's configuration.
    fn is_our_node(&self, pid: i32) -> bool {
        let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let args = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let args = String::from_utf8_lossy(&args).into_owned();
        exe == fs::canonicalize(SHIPPED).expect("the binary") && args.contains(self.0.path())
    }

    fn kill(&self, pid: i32) {
        let pid = Pid::from_raw(pid).expect("a pid");
        kill_process(pid, Signal::KILL).expect("the node runs");
    }
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        for pid in (1..=3).filter_map(|id| self.pid(id)) {
            if self.is_our_node(pid) {
                self.kill(pid);
            }
        }
    }
}

fn leader(cluster: &Cluster) -> Option<u64> {
    cluster.json(&["status"])["leader"].as_u64()
}

#[test]
fn a_testnet_of_shipped_processes_outlives_its_leader_and_passes_its_audit() {
    let cluster = Cluster::new();
    let testnet = Detached(&cluster);
    let started = testnet.up();
    let pids: Vec<i32> = (1..=3)
        .map(|id| testnet.pid(id).expect("a pid file"))
        .collect();
    for (pid, node) in pids.iter().zip(started["nodes"].as_array().expect("nodes")) {
        assert!(
            testnet.is_our_node(*pid),
            "pid {pid} is no process of {SHIPPED}"
        );
        assert_eq!(node["pid"].as_i64(), Some(i64::from(*pid)));
    }
    let ports = |id| {
        let config = cluster.config(id);
        (config.listen, config.client_listen)
    };
    let before: Vec<_> = (1..=3).map(ports).collect();

    let put = |key: &str, value: &str| {
        let written = cluster.json(&["put", "--author", "clinic", key, value]);
        assert_eq!(written["batches"][0]["outcome"], "applied");
        written["batches"][0]["index"].as_u64().expect("an index")
    };
    put("patient/17", "chart opened");
    put("patient/18", "blood drawn");
    let led = eventually("status names a leader", || leader(&cluster));
    let killed = pids[led as usize - 1];
    assert!(testnet.is_our_node(killed));
    testnet.kill(killed);

    let last = put("patient/17", "chart closed");
    for (key, value) in [
        ("patient/17", "chart closed"),
        ("patient/18", "blood drawn"),
    ] {
        assert_eq!(cluster.json(&["get", key])["value"], value);
    }
    let led_now = eventually("another leader", || leader(&cluster).filter(|l| *l != led));
    assert_ne!(led_now, led);

    testnet.up();
    assert_eq!(
        (1..=3).map(ports).collect::<Vec<_>>(),
        before,
        "ports moved"
    );
    for id in 1..=3 {
        let pid = testnet.pid(id).expect("a pid file");
        assert_eq!(
            pid == pids[id as usize - 1],
            id != led,
            "node {id} has pid {pid}"
        );
    }
    cluster.applied(&[led], last);
    let mut caught_up = cluster.client(&[led]);
    assert_eq!(
        caught_up.get("patient/17").unwrap().as_deref(),
        Some("chart closed")
    );

    let bundle = cluster.export(last);
    let verify = |more: &[&str]| {
        let trust = cluster.trust();
        let args = [
            "audit",
            "verify",
            bundle.to_str().unwrap(),
            "--trust",
            trust.to_str().unwrap(),
        ];
        cluster.ukehi(&[&args, more].concat()).status.code()
    };
    assert_eq!(verify(&["--allow-insecure-setup"]), Some(0));
    assert_eq!(verify(&[]), Some(14));

    let down = cluster.json(&["testnet", "down"]);
    assert_eq!(down["stopped"], serde_json::json!([1, 2, 3]));
    for id in 1..=3 {
        assert_eq!(testnet.pid(id), None, "node {id}'s pid file is left");
        assert!(cluster.status(id).is_none(), "node {id} still answers");
    }
}

#[test]
fn a_pid_file_with_a_foreign_start_time_is_never_signalled() {
    let cluster = Cluster::new();
    let mut sleep = Command::new("sleep");
    sleep.arg("600");
    let mut stranger = Process::spawn(sleep, &cluster.dir().join("stranger.log"));
    let pid = stranger.pid().as_raw_nonzero().get();
    fs::write(cluster.dir().join("node1/pid"), format!("{pid} 1\n")).unwrap();
    let down = cluster.json(&["testnet", "down"]);
    assert_eq!(down["stopped"], serde_json::json!([]));
    assert!(
        stranger.is_running(),
        "a process that is no node was signalled"
    );

    // The control: the same file with the true start time is acted on.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let started = stat.rsplit(')').next().unwrap().split(' ').nth(20).unwrap();
    fs::write(
        cluster.dir().join("node1/pid"),
        format!("{pid} {started}\n"),
    )
    .unwrap();
    // The stranger is our child: somebody must reap it for `down` to see it gone.
    let path = cluster.path().to_owned();
    let down = std::thread::spawn(move || {
        Command::new(SHIPPED)
            .args(["testnet", "down", "--dir", &path])
            .output()
    });
    eventually("the stranger ends", || stranger.exited());
    assert!(down.join().unwrap().unwrap().status.success());
}
