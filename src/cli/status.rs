//! `ukehi status`: asks every node, shows what each says.

use super::args::StatusArgs;
use super::connect::{load_trust, one_of_the_nodes, runtime};
use super::output::{Output, table};
use super::testnet::Layout;
use crate::api::{Reply, Request};
use crate::client::remote::{Endpoint, Remote};
use crate::error::{ExitCode, Failure};
use crate::ids::{ClusterId, NodeId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::time::Duration;

/// A node that does not answer within this is shown as unreachable.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a node says of itself; fields this release does not know are passed on.
#[derive(Serialize, Deserialize)]
pub struct Status {
    pub node: NodeId,
    pub role: String,
    pub term: u64,
    pub leader: Option<NodeId>,
    pub commit: u64,
    pub applied: u64,
    pub cosigned_size: u64,
    pub quarantined: Vec<Value>,
    /// Cases this node holds against others.
    #[serde(default)]
    pub evidence: u64,
    /// Nodes it has seen sign two logs.
    #[serde(default)]
    pub forked: Vec<NodeId>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

pub enum NodeStatus {
    Answered(Box<Status>),
    Silent { node: NodeId, reason: String },
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    cluster: String,
    /// The leader a majority of the cluster's nodes names.
    leader: Option<NodeId>,
    nodes: Vec<Status>,
    unreachable: Vec<Unreachable>,
}

#[derive(Serialize)]
struct Unreachable {
    node: NodeId,
    reason: String,
}

pub fn run(args: &StatusArgs, output: &Output) -> Result<(), Failure> {
    let (trust, endpoints) = match (&args.dir, args.node) {
        (Some(dir), _) => {
            let layout = Layout::new(dir);
            let trust = load_trust(args.trust.as_deref().unwrap_or(&layout.trust()))?;
            let endpoints = layout.endpoints(&trust)?;
            (trust, endpoints)
        }
        (None, Some(address)) => {
            let path = args.trust.as_deref();
            let path =
                path.ok_or_else(|| Failure::usage("--node needs --trust", "name trust.json"))?;
            let trust = load_trust(path)?;
            let endpoints = one_of_the_nodes(&trust, address);
            (trust, endpoints)
        }
        (None, None) => return Err(Failure::usage("no cluster named", "give --dir or --node")),
    };
    let cluster = trust.genesis.cluster_id();
    let answers = runtime()?.block_on(poll(cluster, &endpoints));
    let (mut nodes, mut unreachable) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            NodeStatus::Answered(status) => nodes.push(*status),
            NodeStatus::Silent { node, reason } => unreachable.push(Unreachable { node, reason }),
        }
    }
    if args.node.is_some() {
        // The keys that did not fit the one address are no nodes of their own.
        if !nodes.is_empty() {
            unreachable.clear();
        }
        unreachable.truncate(1);
    }
    let majority = trust.genesis.majority();
    let leader = nodes.iter().filter_map(|n| n.leader).find(|leader| {
        let named = nodes.iter().filter(|n| n.leader == Some(*leader)).count();
        named >= majority || args.node.is_some()
    });
    let report = Report {
        schema: "ukehi/status/v1",
        cluster: cluster.to_string(),
        leader,
        nodes,
        unreachable,
    };
    let nobody = report.nodes.is_empty();
    output.show(&report, render);
    if nobody {
        return Err(Failure::new(
            ExitCode::Unavailable,
            "no node answered",
            "start them: `ukehi testnet up --dir DIR`, or `ukehi node run --config FILE`",
        ));
    }
    Ok(())
}

fn render(report: &Report) -> String {
    let rows = report.nodes.iter().map(|n| {
        vec![
            n.node.to_string(),
            n.role.clone(),
            n.term.to_string(),
            n.commit.to_string(),
            n.applied.to_string(),
            n.cosigned_size.to_string(),
            n.quarantined.len().to_string(),
            (n.evidence + n.forked.len() as u64).to_string(),
        ]
    });
    let silent = report.unreachable.iter().map(|u| {
        let mut row = vec![u.node.to_string(), "unreachable".to_owned()];
        row.resize(8, "-".to_owned());
        row
    });
    let leader = report.leader.map_or("none".into(), |l| format!("node {l}"));
    let forked: BTreeSet<NodeId> = report.nodes.iter().flat_map(|n| n.forked.clone()).collect();
    let warnings: String = forked
        .iter()
        .map(|n| format!("\nFORK: node {n} has signed two logs; `ukehi evidence --dir DIR --out FILES` writes the proof"))
        .collect();
    format!(
        "cluster {}\nleader  {leader}\n{}{warnings}",
        report.cluster,
        table(
            &[
                "node",
                "role",
                "term",
                "commit",
                "applied",
                "cosigned",
                "quarantined",
                "evidence"
            ],
            rows.chain(silent)
        )
    )
}

/// Asks all nodes at once.
pub async fn poll(cluster: ClusterId, endpoints: &[Endpoint]) -> Vec<NodeStatus> {
    let asked: Vec<_> = endpoints
        .iter()
        .cloned()
        .map(|endpoint| tokio::spawn(ask(cluster, endpoint)))
        .collect();
    let mut answers = Vec::new();
    for (task, endpoint) in asked.into_iter().zip(endpoints) {
        let node = endpoint.node;
        answers.push(task.await.unwrap_or_else(|_| NodeStatus::Silent {
            node,
            reason: "the request was cancelled".into(),
        }));
    }
    answers
}

async fn ask(cluster: ClusterId, endpoint: Endpoint) -> NodeStatus {
    let node = endpoint.node;
    let mut remote = Remote::new(cluster, vec![endpoint], PATIENCE);
    let silent = |reason: String| NodeStatus::Silent { node, reason };
    match remote.ask(|_| Request::Status).await {
        Ok((_, Reply::Status { json })) => match serde_json::from_str(&json) {
            Ok(status) => NodeStatus::Answered(Box::new(status)),
            Err(error) => silent(error.to_string()),
        },
        Ok((_, other)) => silent(format!("answered {other:?}")),
        Err(error) => silent(error.to_string()),
    }
}
