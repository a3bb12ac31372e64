//! What the ceremony's commands print.

use super::super::output::{Output, table};
use crate::ceremony::{Ceremony, CheckedKey, StepMade, Verified};
use serde_json::json;
use std::path::Path;
use ukehi_keys::Manifest;

pub fn announced(ceremony: &Ceremony, output: &Output) {
    let announcement = ceremony.announcement();
    let shown = json!({
        "schema": "ukehi/ceremony-announced/v1",
        "digest": hex::encode(ceremony.digest()),
        "dir": ceremony.directory().display().to_string(),
        "announcement": announcement,
    });
    output.show(&shown, |_| {
        format!(
            "announced in {}\ndigest of ceremony.json (b3sum): {}\n{} participants; beacon: {}\nSend every participant the directory and, some other way, the digest.",
            ceremony.directory().display(),
            hex::encode(ceremony.digest()),
            announcement.participants.len(),
            announcement.beacon.source,
        )
    });
}

pub fn step(step: &StepMade, name: Option<&str>, output: &Output) {
    let shown = json!({
        "schema": "ukehi/ceremony-step/v1",
        "index": step.index,
        "name": name,
        "file": step.file,
        "contribution": hex::encode(step.contribution),
    });
    output.show(&shown, |_| {
        let what = name.map_or("beacon".into(), |n| format!("contribution of {n}"));
        format!(
            "step {}: {what}\nhash {}\nin {}\nPublish the hash where the other participants see it.",
            step.index,
            groups(&step.contribution),
            step.file
        )
    });
}

pub fn verified(ceremony: &Ceremony, verified: &Verified, output: &Output) {
    let announcement = ceremony.announcement();
    let mut shown = checked_json(&verified.key);
    shown["schema"] = json!("ukehi/ceremony-verified/v1");
    shown["announcement"] = json!(announcement);
    shown["announcement_digest"] = json!(hex::encode(ceremony.digest()));
    shown["attestations"] = json!(verified.attestations);
    shown["beacon"] = json!(hex::encode(&verified.beacon_value));
    output.show(&shown, |_| {
        format!(
            "{}\nall announced participants signed; announcement {}\nbeacon {}\ncompare it with what was announced: {}",
            checked_text(&verified.key),
            hex::encode(ceremony.digest()),
            hex::encode(&verified.beacon_value),
            announcement.beacon.source
        )
    });
}

pub fn checked(key: &CheckedKey, output: &Output) {
    let mut shown = checked_json(key);
    shown["schema"] = json!("ukehi/ceremony-key-verified/v1");
    output.show(&shown, |_| {
        format!(
            "{}\nWho contributed is not known here: compare the hashes with what they published.",
            checked_text(key)
        )
    });
}

pub fn finished(manifest: &Manifest, params: &Path, output: &Output) {
    let shown = json!({
        "schema": "ukehi/ceremony-finished/v1",
        "circuit": manifest.circuit_id(),
        "params": params.display().to_string(),
        "manifest": serde_json::from_slice::<serde_json::Value>(&manifest.to_json())
            .expect("a manifest is JSON"),
    });
    output.show(&shown, |_| {
        format!(
            "circuit {}\nparameters in {}",
            manifest.circuit_id(),
            params.display()
        )
    });
}

pub fn powers(power: u32, out: &Path, output: &Output) {
    let warning = "INSECURE: whoever made these powers of tau alone could forge proofs";
    let shown = json!({
        "schema": "ukehi/ptau-made/v1",
        "warning": warning,
        "power": power,
        "file": out.display().to_string(),
    });
    output.show(&shown, |_| format!("{warning}\nin {}", out.display()));
}

fn checked_json(key: &CheckedKey) -> serde_json::Value {
    let powers: Vec<_> = key
        .powers
        .steps
        .iter()
        .map(|s| {
            json!({
                "name": s.name,
                "beacon": s.beacon,
                "response": hex::encode(s.response_hash),
            })
        })
        .collect();
    let contributions: Vec<_> = key
        .names
        .iter()
        .zip(&key.report.contributions)
        .map(|(name, hash)| json!({ "name": name, "hash": hex::encode(hash) }))
        .collect();
    json!({
        "circuit_hash": hex::encode(key.report.circuit_hash),
        "contributions": contributions,
        "powers_of_tau": {
            "power": key.powers.power,
            "ceremony_power": key.powers.ceremony_power,
            "last_challenge_checked": key.powers.last_challenge_checked,
            "contributions": powers,
        },
    })
}

fn checked_text(key: &CheckedKey) -> String {
    let rows = (1..)
        .zip(key.names.iter().zip(&key.report.contributions))
        .map(|(index, (name, hash)): (usize, _)| {
            let name = name.clone().unwrap_or_default();
            vec![index.to_string(), name, groups(hash)]
        });
    let cut = match key.powers.last_challenge_checked {
        true => "",
        false => " (cut from a larger file: its last challenge could not be recomputed)",
    };
    format!(
        "the key stands\n{}\ncircuit hash {}\npowers of tau: 2^{}, {} contributions{cut}",
        table(&["step", "name", "hash"], rows),
        groups(&key.report.circuit_hash),
        key.powers.power,
        key.powers.steps.len(),
    )
}

/// As snarkjs prints it: groups of eight digits.
fn groups(hash: &[u8; 64]) -> String {
    let words: Vec<String> = hash.chunks(4).map(hex::encode).collect();
    words.join(" ")
}
