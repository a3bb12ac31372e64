//! Values beside the log: there and back, altered at the nodes, and what a leak shows.

use crate::run::{Net, ukehi};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use ukehi::kv::{Column, Read, WriteBatch};
use ukehi::store::{RocksStore, Store};
use ukehi::trust::TrustRoot;

/// Stands in every value this file writes; no key or file name has it.
const MARKER: &[u8] = b"a diagnosis nobody but the readers may see";
const KEY: &str = "scan/bulk";

/// Some 450 KiB, so several parts of uploads and several chunks of the cipher.
fn value() -> Vec<u8> {
    let mut value = Vec::new();
    for number in 0u32..8_000 {
        value.extend_from_slice(MARKER);
        value.extend_from_slice(&number.to_le_bytes());
    }
    value
}

fn get(net: &Net, out: &Path) -> crate::run::Ran {
    net.ukehi(&["get", KEY, "--out", out.to_str().unwrap()])
}

pub fn there_and_back(net: &Net) {
    let file = net.write("scan.bin", value());
    let put = net.json(&["put", "--author", "lab", KEY, "--value-file", &file]);
    assert_eq!(put["batches"][0]["outcome"], "applied");
    let left = fs::read_dir(net.path("client/bulk")).unwrap().count();
    assert_eq!(left, 0, "the ciphertext stays only until the receipt");

    let out = net.scratch("scan.out");
    let got = net.json(&["get", KEY, "--out", out.to_str().unwrap()]);
    assert_eq!(got["bulk_bytes"], value().len());
    assert!(got["value"].is_null(), "the content key is never shown");
    assert!(fs::read(&out).unwrap() == value());
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    net.ukehi(&["get", KEY]).exits(2).says("--out");
    let scanned = net.json(&["scan"]);
    let rows = scanned["rows"].as_array().unwrap();
    let row = rows.iter().find(|r| r["key"] == KEY).unwrap();
    assert_eq!(row["bulk_bytes"], value().len());

    // A short file stands in the slot itself.
    let short = net.write("short.txt", "a short text");
    let put = ["put", "--author", "lab", "short", "--value-file", &short];
    let ran = net.ukehi(&put).exits(0);
    assert!(!ran.stderr.contains("bulk"), "{ran}");
    assert_eq!(net.json(&["get", "short"])["value"], "a short text");
    let none = net.scratch("none.bin");
    let put = [
        "put",
        "--author",
        "lab",
        "k",
        "--value-file",
        none.to_str().unwrap(),
    ];
    net.ukehi(&put).exits(2).says("none.bin");
}

pub fn too_long(net: &Net) {
    let file = net.write("over.bin", vec![7; (16 << 20) + 1]);
    net.ukehi(&["put", "--author", "lab", "over", "--value-file", &file])
        .exits(6)
        .says("16 MiB");
    net.ukehi(&["get", "over"]).exits(4);
    assert_eq!(fs::read_dir(net.path("client/bulk")).unwrap().count(), 0);
}

/// Whether any file below the directory holds the bytes.
fn holds(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holds(&path, bytes),
            false => fs::read(&path)
                .unwrap()
                .windows(bytes.len())
                .any(|window| window == bytes),
        }
    })
}

pub fn leaked_nodes(net: &Net) {
    net.json(&[
        "put",
        "--author",
        "lab",
        "leak",
        "a diagnosis nobody but the readers may see",
    ]);
    let status = net.json(&["status"]);
    let mut searched = 0;
    for node in status["nodes"].as_array().unwrap() {
        let directory = net.dir().join(format!("node{}", node["node"]));
        // What does stand in clear is found: the search works.
        let author = net.json(&["get", "leak"])["author"].clone();
        let author = hex::decode(author.as_str().unwrap()).unwrap();
        assert!(holds(&directory, &author));
        assert!(!holds(&directory, MARKER), "{}", directory.display());
        assert!(!holds(&directory, KEY.as_bytes()));
        searched += 1;
    }
    assert!(searched >= 2);
}

pub fn erased(net: &Net) {
    let keys = net.scratch("erasable");
    fs::create_dir_all(keys.join("epochs")).unwrap();
    let secret = keys.join("epochs/1-1.key");
    fs::copy(net.dir().join("client/epochs/1-1.key"), &secret).unwrap();
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&secret, mode).unwrap();
    let keys = keys.to_str().unwrap();
    let (bundle, _) = net.bundle();
    let trust = net.path("trust.json");
    let verify = || {
        ukehi([
            "audit",
            "verify",
            &bundle,
            "--trust",
            &trust,
            "--allow-insecure-setup",
            "--keys",
            keys,
            "--output",
            "json",
        ])
        .json()
    };
    let before = verify();
    assert_eq!(before["readable"]["readable_entries"], before["batches"]);
    assert_eq!(
        before["readable"]["closed_epochs"]
            .as_array()
            .unwrap()
            .len(),
        0
    );

    let erase = ["keys", "erase-epoch", "--keys", keys, "--epoch", "1"];
    ukehi(erase).exits(2).says("--yes");
    assert!(secret.exists());
    let ran = ukehi(erase.into_iter().chain(["--yes"])).exits(0);
    assert!(!secret.exists());
    for limit in ["copies elsewhere", "file system", "subkeys", "proof"] {
        assert!(ran.stdout.contains(limit), "{ran}");
    }
    ukehi(erase.into_iter().chain(["--yes"])).exits(4);

    let after = verify();
    assert_eq!(after["root"], before["root"]);
    assert_eq!(after["readable"]["readable_entries"], 0);
    let closed = &after["readable"]["closed_epochs"][0];
    assert_eq!(closed["entries"], before["batches"]);
    assert_eq!(
        (&closed["keyspace"], &closed["epoch"]),
        (&1.into(), &1.into())
    );
    assert!(closed["ranges"][0][0].as_u64().unwrap() > 0, "{closed}");
}

/// One node is down since its leader's days ended: it gets what it missed when it is back.
pub fn repaired(net: &Net) {
    const LATE: &str = "scan/late";
    let status = net.json(&["status"]);
    let sleeper = status["unreachable"][0]["node"].as_u64().unwrap();
    let file = net.write("late.bin", value());
    let put = ["put", "--author", "lab", LATE, "--value-file", &file];
    net.ukehi(&put).exits(0).says("stored at 2 of 3 nodes");
    let repair = ["bulk", "repair", "--author", "clinic"];
    net.ukehi(&repair).exits(13).says("did not answer");

    net.ukehi(&["testnet", "up", "--detach"]).exits(0);
    let nodes = net.started["nodes"].as_array().unwrap();
    let at = nodes.iter().find(|n| n["node"] == sleeper).unwrap();
    let (trust, keys, out) = (
        net.path("trust.json"),
        net.path("client"),
        net.scratch("late"),
    );
    let from_sleeper = || {
        let get = ["get", LATE, "--out", out.to_str().unwrap()];
        let place = ["--node", at["clients"].as_str().unwrap()];
        let place = place
            .into_iter()
            .chain(["--trust", &trust, "--keys", &keys]);
        ukehi(get.into_iter().chain(place))
    };
    from_sleeper().exits(5).says("ukehi bulk repair");
    let repaired = net.json(&repair);
    let repairs = repaired["repairs"].as_array().unwrap();
    assert_eq!(repairs.len(), 1, "{repaired}");
    assert_eq!(repairs[0]["nodes"], serde_json::json!([sleeper]));
    assert!(repaired["values"].as_u64().unwrap() > 1, "{repaired}");
    from_sleeper().exits(0);
    assert!(fs::read(&out).unwrap() == value());
    let again = net.json(&repair);
    assert_eq!(again["repairs"].as_array().unwrap().len(), 0);
}

/// Flips a bit in every stored part at one node, as its owner could.
fn alter(net: &Net, id: u64) {
    let trust = TrustRoot::load(&net.dir().join("trust.json")).unwrap();
    let data = net.dir().join(format!("node{id}/data"));
    let store = RocksStore::open(&data, trust.genesis.cluster_id()).unwrap();
    let rows = store
        .range(Column::Bulk, &[], &[0xff; 64], usize::MAX)
        .unwrap();
    let mut batch = WriteBatch::new();
    // Behind the shard's four bytes, `c` marks a part.
    for (key, mut part) in rows.into_iter().filter(|(key, _)| key[4] == b'c') {
        part[0] ^= 1;
        batch.put(Column::Bulk, key, part);
    }
    assert!(!batch.is_empty(), "node {id} holds no part");
    store.commit(&batch, true).unwrap();
}

pub fn altered(net: &Net) {
    let restart = |nodes: &[u64]| {
        ukehi(["testnet", "down", "--dir", net.dir_str()]).exits(0);
        nodes.iter().for_each(|id| alter(net, *id));
        net.ukehi(&["testnet", "up", "--detach"]).exits(0);
    };
    let out = net.scratch("altered.out");
    restart(&[1]);
    get(net, &out).exits(0).says("node 1 gave an altered");
    assert!(fs::read(&out).unwrap() == value());
    fs::remove_file(&out).unwrap();

    restart(&[2, 3]);
    let before = fs::read_dir(out.parent().unwrap()).unwrap().count();
    get(net, &out).exits(10).says("digest differs");
    assert!(!out.exists());
    let after = fs::read_dir(out.parent().unwrap()).unwrap().count();
    assert_eq!(before, after, "nothing decrypted is left behind");
}
