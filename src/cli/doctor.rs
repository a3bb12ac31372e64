//! `ukehi doctor`: examines stopped nodes' disks and says what to do.

use super::args::DoctorArgs;
use super::connect::load_trust;
use super::output::{Output, table};
use super::progress::Progress;
use crate::doctor::{Check, Diagnosis, examine};
use crate::error::{ExitCode, Failure};
use crate::node::disk::Place;
use crate::node::{NodeConfig, SHARD};
use crate::store::OpenError;
use std::path::{Path, PathBuf};

const SOUND: &str = "the disk is sound: start the node";
const DAMAGED: &str = "keep a copy of the directory and do not start this node on it; check the disk. The cluster goes on \
                       with a majority of its nodes. Never start a node with an emptied directory under its old identity: \
                       it would have forgotten what it voted for and acknowledged";

pub fn run(args: &DoctorArgs, output: &Output) -> Result<(), Failure> {
    let mut diagnoses = Vec::new();
    for config in configurations(&args.dir)? {
        diagnoses.push(diagnose(&config)?);
    }
    output.show(&diagnoses, |all| {
        let texts: Vec<String> = all.iter().map(words).collect();
        texts.join("\n\n")
    });
    let damaged: Vec<String> = diagnoses
        .iter()
        .filter(|d| !d.sound)
        .map(|d| format!("node {}", d.node))
        .collect();
    match damaged.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(
            ExitCode::Tampered,
            format!("the disk of {} is damaged", damaged.join(", ")),
            DAMAGED,
        )),
    }
}

/// The node's, or those of a testnet's nodes in order.
fn configurations(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let own = dir.join("config.toml");
    if own.is_file() {
        return Ok(vec![own]);
    }
    let nodes: Vec<PathBuf> = (1u64..)
        .map(|n| dir.join(format!("node{n}")).join("config.toml"))
        .take_while(|path| path.is_file())
        .collect();
    if nodes.is_empty() {
        return Err(Failure::configuration(
            format!(
                "{} has neither a config.toml nor a node1/config.toml",
                dir.display()
            ),
            "name a node's directory or a testnet's",
        ));
    }
    Ok(nodes)
}

fn diagnose(config: &Path) -> Result<Diagnosis, Failure> {
    let config = NodeConfig::load(config)
        .map_err(|e| Failure::configuration(e, "correct the file; `testnet up` writes examples"))?;
    let trust = load_trust(&config.trust)?;
    let verifier = trust
        .batch_verifier(SHARD)
        .map_err(|e| Failure::configuration(e, "restore trust.json from a source you trust"))?;
    let place = Place {
        cluster: trust.genesis.cluster_id(),
        node: config.node,
        shard: SHARD,
        data: &config.data,
    };
    let mut progress = Progress::new("examined", 1);
    let diagnosis = examine(&place, &verifier, &mut |done, total| {
        progress.set_total(total);
        progress.set(done);
    })
    .map_err(|error| Failure::configuration(&error, next(&error)))?;
    progress.finish();
    Ok(diagnosis)
}

fn next(error: &OpenError) -> &'static str {
    match error {
        OpenError::InUse { .. } => {
            "stop the node first: `ukehi testnet down --dir DIR`, or SIGTERM"
        }
        OpenError::OtherCluster { .. } => "check `data` and `trust` in the configuration",
        OpenError::OtherFormat { .. } => "use the release that wrote it",
        _ => "check `data` in the configuration and its permissions",
    }
}

fn words(diagnosis: &Diagnosis) -> String {
    let rows = diagnosis.checks.iter().map(|check| {
        vec![
            check.name.to_owned(),
            check.examined.to_string(),
            check.unit.to_owned(),
            verdict(check),
        ]
    });
    let head = format!(
        "node {}: term {}, last entry {}, applied {}, cosigned size {}",
        diagnosis.node,
        diagnosis.term,
        diagnosis.last_index,
        diagnosis.applied,
        diagnosis.cosigned_size
    );
    let faults = diagnosis.checks.iter().flat_map(|check| {
        let further = (check.further_faults > 0)
            .then(|| format!("{}: {} more faults", check.name, check.further_faults));
        let named = check.faults.iter();
        let named = named.map(|fault| format!("{}: {fault}", check.name));
        named.chain(further).collect::<Vec<_>>()
    });
    let faults: Vec<String> = faults.collect();
    let end = match diagnosis.sound {
        true => SOUND.to_owned(),
        false => faults.join("\n"),
    };
    let table = table(&["check", "examined", "", "verdict"], rows);
    format!("{head}\n{table}\n{end}")
}

fn verdict(check: &Check) -> String {
    match (&check.not_judged, check.faults.is_empty()) {
        (_, false) => "DAMAGED".to_owned(),
        (Some(why), true) => format!("not judged: {why}"),
        (None, true) => "sound".to_owned(),
    }
}
