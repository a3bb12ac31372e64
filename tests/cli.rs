//! The command line as scripts see it: exit codes, what goes to which stream, what is in JSON, and
//! that no secret is printed. One three-node testnet of the shipped binary serves the whole file.
#![cfg(feature = "node")]

#[path = "cli/bulk.rs"]
mod bulk;
#[path = "cli/cells.rs"]
mod cells;
#[path = "cli/cells_ledger.rs"]
mod cells_ledger;
#[path = "cli/cells_race.rs"]
mod cells_race;
#[path = "cli/disclose.rs"]
mod disclose;
#[path = "audit_support/frames.rs"]
mod frames;
#[path = "cli/grants.rs"]
mod grants;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/offline.rs"]
mod offline;
#[path = "cli/online.rs"]
mod online;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/strangers.rs"]
mod strangers;

use run::{Net, ukehi};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Check = (&'static str, fn(&Net));

/// In order: the later ones read what the earlier ones wrote.
const WITH_A_TESTNET: &[Check] = &[
    (
        "the nodes are three processes of the shipped binary",
        online::three_processes,
    ),
    ("what was put is read back", online::put_get_scan),
    (
        "a file of several authors is written in batches",
        online::put_file,
    ),
    ("a bad line is named", online::bad_lines),
    ("what does not fit is refused", online::oversized),
    ("a bulk value comes back whole", bulk::there_and_back),
    ("a bulk value over 16 MiB is refused", bulk::too_long),
    ("an absent key is not found", online::absent),
    (
        "where nobody listens the cluster is unavailable",
        online::no_listener,
    ),
    ("status is one document", online::status),
    ("a bad trust root stops every command", offline::trust_root),
    ("a wrong passphrase opens nothing", offline::passphrase),
    ("a damaged key file opens nothing", offline::key_file),
    (
        "a receipt verifies, an edited one does not",
        offline::receipts,
    ),
    (
        "a trail verifies with the trust root alone",
        offline::audit_good,
    ),
    (
        "a flip in any frame names the entry",
        offline::audit_flipped,
    ),
    ("a shortened trail is incomplete", offline::audit_truncated),
    ("a bundle is shown without judging it", offline::audit_show),
    (
        "one command is shown to somebody else, and no other",
        disclose::shown_and_checked,
    ),
    (
        "snarkjs verifies an entry's proof, and no altered one",
        strangers::snarkjs_verifies_ours,
    ),
    (
        "a second verifier, in Python, says the same of trails and receipts",
        strangers::python_agrees,
    ),
    (
        "a contract is written for each circuit",
        strangers::contracts,
    ),
    ("the leader's death loses nothing", online::leader_killed),
    (
        "a leaked node directory shows no plaintext",
        bulk::leaked_nodes,
    ),
    (
        "an erased epoch leaves a trail that verifies and stays closed",
        bulk::erased,
    ),
    (
        "readers come and go through the log",
        grants::readers_come_and_go,
    ),
    (
        "a node that slept through an upload is given it",
        bulk::repaired,
    ),
    (
        "an altered bulk value is caught and another node's is taken",
        bulk::altered,
    ),
    ("no secret was printed or logged", secrets::nowhere),
];

#[test]
fn a_testnet_answers_as_documented() {
    let net = Net::up();
    let failed: Vec<&str> = WITH_A_TESTNET
        .iter()
        .filter(|(name, check)| {
            let failed = catch_unwind(AssertUnwindSafe(|| check(&net))).is_err();
            eprintln!("{} {name}", if failed { "FAILED" } else { "ok    " });
            failed
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let down = ukehi([
        "testnet",
        "down",
        "--dir",
        net.dir_str(),
        "--output",
        "json",
    ]);
    assert_eq!(down.json()["schema"], "ukehi/testnet-down/v1");
}

#[test]
fn a_ledger_of_cells_keeps_its_sum_on_three_nodes() {
    cells::keep_their_sum(&Net::with_circuits("seal-1-short-opaque"));
}
