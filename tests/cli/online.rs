//! Commands that ask the nodes.

use crate::run::{BINARY, Net, Ran, ukehi};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;

pub fn three_processes(net: &Net) {
    assert_eq!(net.started["schema"], "ukehi/testnet/v1");
    let nodes = net.started["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    let shipped = fs::canonicalize(BINARY).unwrap();
    for node in nodes {
        let exe = fs::read_link(format!("/proc/{}/exe", node["pid"])).unwrap();
        assert_eq!(exe, shipped, "{node}");
    }
    // A directory that holds a cluster is not made anew.
    let trust = fs::read(net.path("trust.json")).unwrap();
    net.ukehi(&["testnet", "up", "--detach"]);
    assert_eq!(fs::read(net.path("trust.json")).unwrap(), trust);
}

fn put(net: &Net, author: &str, key: &str, value: &str) -> Value {
    net.json(&["put", "--author", author, key, value])
}

pub fn put_get_scan(net: &Net) {
    let put = put(net, "clinic", "patient/17", "chart opened by dr-osei");
    assert_eq!(put["schema"], "ukehi/put/v1");
    assert_eq!(put["commands"], 1);
    let batch = &put["batches"][0];
    assert_eq!(
        (&batch["seq"], &batch["outcome"]),
        (&json!(1), &json!("applied"))
    );
    assert!(fs::exists(batch["receipt"].as_str().unwrap()).unwrap());

    let got = net.json(&["get", "patient/17"]);
    assert_eq!(got["schema"], "ukehi/get/v1");
    assert_eq!(got["value"], "chart opened by dr-osei");
    assert_eq!(got["author"], batch["author_id"]);
    assert_eq!(got["index"], batch["index"]);
    let table = net.ukehi(&["get", "patient/17"]).exits(0);
    assert_eq!(table.stdout, "chart opened by dr-osei\n");

    // The longest there is, to the byte; and the newest value stands.
    let (key, value) = ("k".repeat(61), "v".repeat(155));
    net.json(&["put", "--author", "lab", &key, &value]);
    assert_eq!(net.json(&["get", &key])["value"], value);
    net.json(&["put", "--author", "lab", &key, "shorter"]);
    assert_eq!(net.json(&["get", &key])["value"], "shorter");

    let scanned = net.json(&["scan"]);
    assert_eq!(
        (&scanned["schema"], &scanned["order"]),
        (&json!("ukehi/scan/v1"), &json!("tag"))
    );
    assert_eq!(scanned["rows"].as_array().unwrap().len(), 2);
    let one = net.json(&["scan", "--limit", "1"]);
    assert_eq!(one["rows"][0], scanned["rows"][0]);
    assert!(net.ukehi(&["scan"]).exits(0).stdout.contains("tag order"));
    // Four author keys: one has to be named.
    net.ukehi(&["put", "key", "value"])
        .exits(2)
        .says("--author");
    net.ukehi(&["put", "--author", "stranger", "key", "value"])
        .exits(3)
        .says("stranger");
}

pub fn put_file(net: &Net) {
    let lines: Vec<String> = (0..12)
        .map(|i| {
            let author = if i < 9 { "clinic" } else { "pharmacy" };
            json!({"author": author, "key": format!("row/{i}"), "value": format!("value {i}")})
                .to_string()
        })
        .collect();
    // A blank line is no command.
    let file = net.write("good.jsonl", format!("\n{}\n", lines.join("\n")));
    let put = [
        "put",
        "--file",
        &file,
        "--table-memory",
        "64",
        "--output",
        "json",
    ];
    let ran = net.ukehi(&put).says("at most 64 MiB");
    let written = ran.json();
    assert_eq!(written["commands"], 12);
    let batches = written["batches"].as_array().unwrap();
    let sizes: Vec<u64> = batches
        .iter()
        .map(|b| b["commands"].as_u64().unwrap())
        .collect();
    assert_eq!(sizes, [8, 1, 3]);
    for i in [0, 7, 8, 11] {
        let got = net.json(&["get", &format!("row/{i}")]);
        assert_eq!(got["value"], format!("value {i}"));
    }
}

pub fn bad_lines(net: &Net) {
    let good = r#"{"author":"clinic","key":"bad/1","value":"v"}"#;
    for (bad, what) in [
        ("{\"author\":\"clinic\"", "cut"),
        (r#"{"author":"clinic","key":"k"}"#, "a field missing"),
        (r#"{"author":"clinic","key":"k","value":1}"#, "not a string"),
        (
            r#"{"author":"clinic","key":"k","value":"v","more":1}"#,
            "a field too many",
        ),
        ("not JSON", "not JSON"),
    ] {
        let file = net.write("bad.jsonl", format!("{good}\n{bad}\n{good}\n"));
        let ran = net.ukehi(&["put", "--file", &file]).exits(2);
        assert!(ran.stderr.contains("line 2"), "{what}: {ran}");
    }
    // Nothing of such a file is written.
    net.ukehi(&["get", "bad/1"]).exits(4);
}

pub fn oversized(net: &Net) {
    let (key, value) = ("k".repeat(62), "v".repeat(156));
    let put = |key: &str, value: &str| net.ukehi(&["put", "--author", "clinic", key, value]);
    // A value too long for a slot is no error: it goes beside the log.
    put("big", &value).exits(0).says("bulk value");
    net.ukehi(&["get", "big"]).exits(2).says("--out");
    put(&key, "v").exits(6).says("61");
    net.ukehi(&["get", &key]).exits(2).says("61");
    // The sequence that was lost to it does not stop the author.
    put("fits", "v").exits(0);
}

pub fn absent(net: &Net) {
    net.ukehi(&["get", "no such key"])
        .exits(4)
        .says("no such key");
    net.ukehi(&["receipt", "get", "clinic", "999"])
        .exits(4)
        .says("999");
    net.ukehi(&["receipt", "get", "nobody", "1"])
        .exits(3)
        .says("nobody");
    let (bundle, _) = net.bundle();
    ukehi(["audit", "show", &bundle, "--entry", "99999"])
        .exits(4)
        .says("99999");
}

pub fn no_listener(net: &Net) {
    // Bound and released: nobody listens there now.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let (trust, keys, params) = (
        net.path("trust.json"),
        net.path("client"),
        net.path("params"),
    );
    let out = net.scratch("none.ukehi");
    let at = [
        "--node",
        &address,
        "--trust",
        &trust,
        "--keys",
        &keys,
        "--timeout",
        "1",
    ];
    for command in [
        &["get", "patient/17"][..],
        &["scan"],
        &[
            "put", "--params", &params, "--author", "billing", "key", "value",
        ],
        &["receipt", "get", "clinic", "1"],
        &["audit", "export", "--out", out.to_str().unwrap()],
    ] {
        ukehi(command.iter().copied().chain(at)).exits(5);
    }
    assert!(!out.exists(), "an export that broke off leaves no bundle");
    ukehi(["status", "--node", &address, "--trust", &trust]).exits(5);
    // The same command against a node's own address works.
    let node = net.started["nodes"][0]["clients"].as_str().unwrap();
    let at = ["--node", node, "--trust", &trust, "--keys", &keys];
    let got = ukehi(["get", "patient/17"].into_iter().chain(at)).exits(0);
    assert_eq!(got.stdout, "chart opened by dr-osei\n");
}

pub fn status(net: &Net) {
    let status = net.json(&["status"]);
    assert_eq!(status["schema"], "ukehi/status/v1");
    assert_eq!(status["cluster"], net.started["cluster"]);
    assert_eq!(status["nodes"].as_array().unwrap().len(), 3);
    assert!(status["leader"].is_u64(), "{status}");
    let node = net.started["nodes"][1]["clients"].as_str().unwrap();
    let trust = net.path("trust.json");
    let one = [
        "status", "--node", node, "--trust", &trust, "--output", "json",
    ];
    let one = ukehi(one).json();
    assert_eq!(one["nodes"].as_array().unwrap().len(), 1, "{one}");
    assert_eq!(one["nodes"][0]["node"], 2);
    net.ukehi(&["status"]).exits(0);
}

pub fn leader_killed(net: &Net) {
    let leader = net.json(&["status"])["leader"].as_u64().unwrap();
    let nodes = net.started["nodes"].as_array().unwrap();
    let pid = nodes.iter().find(|n| n["node"] == leader).unwrap()["pid"].to_string();
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &pid])
        .status()
        .unwrap();
    assert!(killed.success());
    let put: Ran = net.ukehi(&["put", "--author", "billing", "after/kill", "still here"]);
    put.exits(0);
    for (key, value) in [("after/kill", "still here"), ("row/3", "value 3")] {
        assert_eq!(net.json(&["get", key])["value"], value);
    }
    let status = net.json(&["status"]);
    assert_eq!(status["unreachable"][0]["node"], leader, "{status}");
    assert_ne!(status["leader"], leader, "{status}");
}
