//! Cells on a testnet of its own, which begins without a ledger: minted, moved, guarded, raced for, resealed, audited.

use crate::run::{Net, Ran, ukehi};
use crate::strangers::python;
use crate::{cells_ledger, cells_race};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::Path;

const SUPPLY: u64 = 1000;

pub fn keep_their_sum(net: &Net) {
    cells_ledger::brought_in_by_the_log(net);
    minted_and_moved(net);
    refused_before_sealing(net);
    guarded(net);
    let lost = raced(net) + cells_race::two_batches_over_one_opening(net);
    own_authors(net);
    resealed_before_erasure(net);
    audited(net, lost);
}

pub fn transfer(author: &str, from: &str, to: &str, amount: &str) -> Vec<String> {
    let words = [
        "cells", "transfer", "--author", author, "--from", from, "--to", to, amount,
    ];
    words.map(str::to_owned).to_vec()
}

fn moved(net: &Net, author: &str, from: &str, to: &str, amount: &str) -> Value {
    let words = transfer(author, from, to, amount);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let moved = net.json(&words);
    assert_eq!(moved["batch"]["outcome"], "applied");
    moved
}

fn value(net: &Net, key: &str) -> u64 {
    let got = net.json(&["cells", "get", key]);
    assert_eq!(got["schema"], "ukehi/cell/v1");
    got["value"].as_u64().unwrap()
}

fn sum(net: &Net) -> u64 {
    let listed = net.json(&["cells", "list"]);
    let cells = listed["cells"].as_array().unwrap();
    cells.iter().map(|c| c["value"].as_u64().unwrap()).sum()
}

fn minted_and_moved(net: &Net) {
    let minted = net.json(&["cells", "mint", "bank", "--value", "1000"]);
    assert_eq!(
        (&minted["what"], &minted["outcome"]),
        (&json!("mint"), &json!("applied"))
    );
    assert_eq!(value(net, "bank"), SUPPLY);
    // Once only, and a cell that is not there is not found.
    net.ukehi(&["cells", "mint", "bank", "--value", "5"])
        .exits(6)
        .says("minted before");
    net.ukehi(&["cells", "get", "nobody"]).exits(4);

    let first = moved(net, "clinic", "bank", "clinic/budget", "250");
    eprintln!("a transfer took {} ms end to end", first["milliseconds"]);
    moved(net, "lab", "bank", "lab/budget", "100");
    assert_eq!(value(net, "bank"), 650);
    assert_eq!(
        (value(net, "clinic/budget"), value(net, "lab/budget")),
        (250, 100)
    );
    // A cell a batch created is none that an admin could mint over.
    net.ukehi(&["cells", "mint", "lab/budget", "--value", "5"])
        .exits(6)
        .says("a batch created the cell before");
    assert_eq!(sum(net), SUPPLY);
}

fn refused_before_sealing(net: &Net) {
    let entries = |net: &Net| net.json(&["status"])["nodes"][0]["applied"].clone();
    let before = entries(net);
    let refused = |from, to, amount| {
        let words = transfer("clinic", from, to, amount);
        net.ukehi(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    refused("clinic/budget", "bank", "251")
        .exits(6)
        .says("holds 250, less than 251");
    refused("bank", "bank", "1").exits(6).says("the same cell");
    refused("nobody", "bank", "1").exits(4).says("nobody");
    assert_eq!(entries(net), before, "nothing of it went into the log");
}

/// A guard is what a user saw: the batch counts only while it is so.
fn guarded(net: &Net) {
    let guarded_transfer = |guard: &str| {
        let mut words = transfer("clinic", "bank", "clinic/budget", "10");
        words.extend(["--guard", guard, "--output", "json"].map(String::from));
        net.ukehi(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // The guard is a command of the batch: it holds when the batch is applied, not only now.
    let commands = |ran: Ran| ran.json()["batch"]["commands"].clone();
    assert_eq!(commands(guarded_transfer("lab/budget=100")), 3);
    assert_eq!((value(net, "bank"), value(net, "lab/budget")), (640, 100));
    // What is moved may be guarded too: the batch is bound to it already.
    assert_eq!(commands(guarded_transfer("bank=640")), 2);
    guarded_transfer("lab/budget=99")
        .exits(6)
        .says("holds 100, not 99");
    guarded_transfer("bank=640")
        .exits(6)
        .says("holds 630, not 640");
    guarded_transfer("nobody=1").exits(4).says("nobody");
    guarded_transfer("bank").exits(2).says("KEY=VALUE");
    assert_eq!(value(net, "bank"), 630);

    let put = |guard: &str| {
        let words = [
            "put", "--author", "lab", "order/7", "approved", "--guard", guard,
        ];
        net.ukehi(&words)
    };
    put("bank=1").exits(6).says("holds 630, not 1");
    net.ukehi(&["get", "order/7"]).exits(4);
    let written = net.json(&[
        "put", "--author", "lab", "order/7", "approved", "--guard", "bank=630",
    ]);
    assert_eq!(written["batches"][0]["commands"], 2);
    assert_eq!(net.json(&["get", "order/7"])["value"], "approved");
    assert_eq!(sum(net), SUPPLY);
}

/// Two authors at one cell, with keys, outbox and anchor each: both get through, and whoever was
/// slower had a recorded refusal. Returns how many there were.
fn raced(net: &Net) -> u64 {
    let clients: Vec<_> = ["clinic", "lab"]
        .map(|author| {
            let keys = net.scratch(author);
            copy(&net.dir().join("client"), &keys);
            (author, keys)
        })
        .into();
    let mut lost = 0;
    for _ in 0..4 {
        let ran: Vec<Ran> = std::thread::scope(|scope| {
            let threads: Vec<_> = clients
                .iter()
                .map(|(author, keys)| {
                    let mut words = transfer(author, "bank", &format!("{author}/budget"), "10");
                    words.extend(
                        ["--dir", net.dir_str(), "--output", "json", "--keys"].map(String::from),
                    );
                    scope.spawn(move || {
                        let words = words.iter().map(OsStr::new).chain([keys.as_os_str()]);
                        ukehi(words)
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        for ran in ran {
            let moved = ran.json();
            assert_eq!(moved["batch"]["outcome"], "applied");
            lost += moved["attempts"].as_u64().unwrap() - 1;
        }
        if lost > 0 {
            break;
        }
    }
    assert!(lost > 0, "four rounds, and nobody was ever slower");
    assert_eq!(sum(net), SUPPLY);
    lost
}

fn own_authors(net: &Net) {
    // An author of the keyspace, but none of the ledger's.
    let words = transfer("pharmacy", "bank", "pharmacy/budget", "1");
    net.ukehi(&words.iter().map(String::as_str).collect::<Vec<_>>())
        .exits(6)
        .says("may not write to a cell");
    net.json(&["cells", "authors", "clinic/budget", "lab"]);
    let words = transfer("clinic", "clinic/budget", "bank", "1");
    net.ukehi(&words.iter().map(String::as_str).collect::<Vec<_>>())
        .exits(6)
        .says("may not write to a cell");
    moved(net, "lab", "clinic/budget", "bank", "1");
    net.json(&["cells", "authors", "clinic/budget", "all"]);
    moved(net, "clinic", "clinic/budget", "bank", "1");
}

fn resealed_before_erasure(net: &Net) {
    net.json(&["keys", "epoch", "rotate", "--old", "2", "--grace", "1000"]);
    net.ukehi(&["keys", "epoch", "erase", "2"])
        .exits(6)
        .says("clinic/budget");
    let reseal = [
        "cells",
        "reseal",
        "--author",
        "clinic",
        "--from-epoch",
        "2",
        "--to-epoch",
        "3",
    ];
    let before = sum(net);
    let resealed = net.json(&reseal);
    assert_eq!(
        (&resealed["resealed"], &resealed["left"]),
        (&json!(3), &json!([]))
    );
    net.json(&["keys", "epoch", "erase", "2"]);
    std::fs::remove_file(net.dir().join("client/epochs/1-2.key")).unwrap();
    assert_eq!(sum(net), before);
    moved(net, "clinic", "bank", "pharmacy/budget", "5");
    assert_eq!((value(net, "pharmacy/budget"), sum(net)), (5, SUPPLY));
}

fn audited(net: &Net, lost: u64) {
    let (bundle, _) = net.bundle();
    let trust = net.path("trust.json");
    let words = [
        "audit",
        "verify",
        &bundle,
        "--trust",
        &trust,
        "--allow-insecure-setup",
        "--output",
        "json",
    ];
    let report = ukehi(words).json();
    let supply = json!([{"keyspace": 1, "family": "ledger", "mints": 1, "value": "1000"}]);
    assert_eq!(report["supply"], supply);
    let outcomes = report["outcomes"].as_array().unwrap();
    let of = |name: &str| {
        let found = outcomes.iter().find(|o| o["outcome"] == name);
        found.map_or(0, |o| o["batches"].as_u64().unwrap())
    };
    // One who is none of the ledger's authors, one who is none of a cell's.
    assert_eq!(
        (of("cell_stale"), of("cell_author")),
        (lost, 2),
        "{outcomes:?}"
    );
    assert_eq!(report["outcomes_recomputed"], true);
    // Written from docs/formats.md alone: it decides every cell's outcome again.
    let words = [
        "bundle",
        &bundle,
        "--trust",
        &trust,
        "--allow-insecure-setup",
    ];
    let second = python(&words);
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(second.status.success(), "{said}");
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}
