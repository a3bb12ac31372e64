//! A ledger that genesis does not know, brought into a running cluster: family, circuit, epoch.

use crate::run::{Net, ukehi};

const CIRCUIT: &str = "seal_cells-8-short-ledger";

pub fn brought_in_by_the_log(net: &Net) {
    let mint = ["cells", "mint", "bank", "--value", "1000"];
    net.ukehi(&mint).exits(6).says("no such family");
    net.ukehi(&["cells", "family", "opaque"])
        .exits(2)
        .says("no cells");
    net.ukehi(&["cells", "family", "No Name"])
        .exits(2)
        .says("policy's name");

    let family = [
        "cells", "family", "ledger", "--author", "clinic", "--author", "lab",
    ];
    assert_eq!(net.json(&family)["outcome"], "applied");
    net.ukehi(&family).exits(6).says("has the family already");
    let shown = net.json(&["keys", "registry", "show"]);
    let families = &shown["keyspaces"][0]["families"];
    assert_eq!(families[0]["policy"], "ledger");
    assert_eq!(families[0]["authors"].as_array().unwrap().len(), 2);

    let transfer = crate::cells::transfer("clinic", "bank", "lab", "1");
    let transfer: Vec<&str> = transfer.iter().map(String::as_str).collect();
    net.ukehi(&transfer).exits(6).says("keys epoch open");
    net.json(&["keys", "epoch", "open", "--policy", "ledger"]);
    net.ukehi(&transfer).exits(3).says("keys circuit activate");
    let params = net.path("params");
    let setup = [
        "keys",
        "setup",
        "--dev",
        "--dir",
        &params,
        "--circuits",
        CIRCUIT,
    ];
    ukehi(setup).exits(0);
    let manifest = format!("{params}/{CIRCUIT}.json");
    net.json(&["keys", "circuit", "activate", &manifest]);
    // Everything is there but the cell.
    net.ukehi(&transfer).exits(4).says("cells mint");
}
