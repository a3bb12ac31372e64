//! `ukehi evidence` and `ukehi audit evidence`: what nodes hold against each other, as files, and
//! what a file shows.

use super::args::EvidenceArgs;
use super::connect::{Place, load_trust, runtime};
use super::output::Output;
use super::snarkjs::write_new;
use crate::api::{Reply, Request};
use crate::audit::evidence::{self, EvidenceError, Finding, MAX_FILE_BYTES};
use crate::client::remote::{Endpoint, Remote, RemoteError};
use crate::error::{ExitCode, Failure};
use crate::ids::{ClusterId, NodeId};
use crate::node::SHARD;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A node that does not answer within this is passed over.
const PATIENCE: Duration = Duration::from_secs(5);
/// Cases taken from one node: what it may store of entries, and one fork of every node.
const MAX_CASES: usize = 1024 + 64;

#[derive(Serialize)]
struct Exported {
    schema: &'static str,
    files: Vec<PathBuf>,
    /// Cases that rest on a node's word alone: they show nothing to others.
    claims: usize,
    silent: Vec<NodeId>,
}

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    #[serde(flatten)]
    finding: Finding,
}

pub fn export(args: &EvidenceArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let cluster = place.trust.genesis.cluster_id();
    // Nodes share cases: each is written once, under a name made of what it is.
    let mut cases: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut silent = Vec::new();
    runtime()?.block_on(async {
        for endpoint in &place.endpoints {
            match of_node(cluster, endpoint.clone()).await {
                Ok(found) => cases.extend(found),
                Err(_) => silent.push(endpoint.node),
            }
        }
    });
    if silent.len() == place.endpoints.len() {
        return Err(Failure::new(
            ExitCode::Unavailable,
            "no node answered",
            "start them: `ukehi testnet up --dir DIR`",
        ));
    }
    std::fs::create_dir_all(&args.out)
        .map_err(|e| Failure::runtime(format!("{}: {e}", args.out.display())))?;
    let (mut files, mut claims) = (Vec::new(), 0);
    for (key, bytes) in &cases {
        match evidence::to_file(cluster, SHARD, key, bytes)? {
            Some(text) => {
                let path = args
                    .out
                    .join(format!("{}.json", evidence::name(key, bytes)?));
                write_new(&path, text.as_bytes())?;
                files.push(path);
            }
            None => claims += 1,
        }
    }
    let exported = Exported {
        schema: "ukehi/evidence-exported/v1",
        files,
        claims,
        silent,
    };
    output.show(&exported, words);
    Ok(())
}

async fn of_node(
    cluster: ClusterId,
    endpoint: Endpoint,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, RemoteError> {
    let mut remote = Remote::new(cluster, vec![endpoint], PATIENCE);
    let mut cases = BTreeMap::new();
    let mut after = Vec::new();
    while cases.len() < MAX_CASES {
        let asked = after.clone();
        let ask = move |_| Request::Evidence {
            after: asked.clone(),
        };
        match remote.ask(ask).await? {
            // Keys ascend, whatever the node says: it cannot keep us here.
            (_, Reply::Evidence { key, bytes }) if key > after => {
                after.clone_from(&key);
                cases.insert(key, bytes);
            }
            (_, Reply::End) => break,
            (node, other) => {
                return Err(RemoteError::Protocol {
                    node,
                    what: format!("{other:?}"),
                });
            }
        }
    }
    Ok(cases)
}

fn words(exported: &Exported) -> String {
    let mut lines: Vec<String> = exported
        .files
        .iter()
        .map(|path| format!("wrote {}", path.display()))
        .collect();
    if exported.files.is_empty() {
        lines.push("no node holds evidence that others could check".to_owned());
    }
    if exported.claims > 0 {
        lines.push(format!(
            "{} more cases rest on a node's word alone: not written",
            exported.claims
        ));
    }
    let silent = exported.silent.iter();
    lines.extend(silent.map(|node| format!("node {node} did not answer")));
    lines.join("\n")
}

pub fn verify(file: &Path, trust: &Path, output: &Output) -> Result<(), Failure> {
    let trust = load_trust(trust)?;
    let unreadable = |e: std::io::Error| {
        Failure::usage(
            format!("{}: {e}", file.display()),
            "name a file of evidence",
        )
    };
    if std::fs::metadata(file).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(Failure::usage(
            format!("{} is longer than evidence can be", file.display()),
            "name a file of evidence",
        ));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let finding = evidence::verify(&text, &trust)?;
    let checked = Checked {
        schema: "ukehi/evidence-verified/v1",
        finding,
    };
    output.show(&checked, |c| match &c.finding {
        Finding::RefusedEntry {
            node,
            term,
            index,
            fault,
        } => format!(
            "SHOWN: node {node} signed entry {index} of term {term}, and it is invalid: {fault}"
        ),
        Finding::Equivocation { node, term, index } => {
            format!("SHOWN: node {node} signed two entries for index {index} of term {term}")
        }
        Finding::Fork { node, size } => {
            format!("SHOWN: node {node} signed two logs of {size} entries")
        }
    });
    Ok(())
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        let (code, next) = match &error {
            EvidenceError::OtherCluster { .. } => (
                ExitCode::Untrusted,
                "use the trust root of the cluster the evidence is from",
            ),
            EvidenceError::Trust(_) => (
                ExitCode::Configuration,
                "get trust.json from a source you trust, not from a node",
            ),
            EvidenceError::NeedsLog { .. } => (
                ExitCode::Incomplete,
                "audit the trail instead: `ukehi audit verify`",
            ),
            _ => (
                ExitCode::Tampered,
                "it accuses nobody: ask whoever gave it to you for the original",
            ),
        };
        Failure::new(code, error, next)
    }
}
