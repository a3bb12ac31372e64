//! One command in clear for somebody else's eyes, from the command line.

use crate::run::{Net, ukehi};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const ALLOW: &str = "--allow-insecure-setup";
const AUDIENCE: &str = "court of Basel, case 17";

/// Entry and slot of `patient/17`, written by the first put of this file's testnet.
fn place(net: &Net) -> String {
    net.json(&["get", "patient/17"])["index"].to_string()
}

pub fn shown_and_checked(net: &Net) {
    let (bundle, _) = net.bundle();
    let (keys, params) = (net.path("client"), net.path("params"));
    let (trust, entry) = (net.path("trust.json"), place(net));
    let out = net.scratch("disclosure.json");
    let out = out.to_str().unwrap();
    let disclose = |entry: &str, slot: &str, out: &str| {
        ukehi([
            "audit",
            "disclose",
            &bundle,
            "--entry",
            entry,
            "--slot",
            slot,
            "--keys",
            &keys,
            "--params",
            &params,
            "--audience",
            AUDIENCE,
            "--trust",
            &trust,
            "--out",
            out,
            "--output",
            "json",
        ])
    };
    let made = disclose(&entry, "0", out).json();
    assert_eq!(made["schema"], "ukehi/disclosed/v1");
    assert_eq!(made["checked"], true);
    let mode = fs::metadata(out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds a plaintext");
    // Never over another file, and only what is there to be shown.
    disclose(&entry, "0", out).exits(2).says("--out");
    let other = net.scratch("other.json");
    let other = other.to_str().unwrap();
    disclose(&entry, "7", other).exits(4).says("counted from 0");
    disclose("99999", "0", other).exits(4);
    disclose("1", "0", other).exits(6).says("audit show");
    assert!(!fs::exists(other).unwrap());

    let check = |file: &str, more: &[&str]| {
        let command = ["audit", "check-disclosure", file, "--trust", &trust];
        ukehi(command.iter().chain(more).copied())
    };
    check(out, &[]).exits(14).says(ALLOW);
    let checked = check(out, &[ALLOW, "--output", "json"]).json();
    assert_eq!(checked["schema"], "ukehi/disclosure-checked/v1");
    assert_eq!(checked["key"], "patient/17");
    assert_eq!(checked["value"], "chart opened by dr-osei");
    assert_eq!(checked["index"].to_string(), entry);
    let words = check(out, &[ALLOW, "--audience", AUDIENCE]).exits(0).stdout;
    for part in ["VERIFIED", AUDIENCE, "chart opened by dr-osei", "not shown"] {
        assert!(words.contains(part), "{words}");
    }
    check(out, &[ALLOW, "--audience", "me"]).exits(14);

    let text = fs::read_to_string(out).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        net.write("changed.json", text.replace(from, to))
    };
    check(&changed("dr-osei", "dr-vogt"), &[ALLOW]).exits(10);
    check(&changed("court of", "circus of"), &[ALLOW]).exits(11);
    check(&changed("\"slot\": 0", "\"slot\": 1"), &[ALLOW]).exits(10);
    check(&net.write("cut.json", &text[..text.len() / 2]), &[ALLOW]).exits(10);
    check("no-such-file", &[ALLOW]).exits(2);
    let other = net.other_trust();
    ukehi(["audit", "check-disclosure", out, "--trust", &other, ALLOW]).exits(14);
}
