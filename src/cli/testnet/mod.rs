//! `ukehi testnet`: a local cluster of real node processes.

mod layout;
mod process;

pub use layout::Layout;
use layout::Members;

use super::args::TestnetCommand;
use super::output::Output;
use super::set_up;
use super::status::{NodeStatus, poll};
use crate::client::remote::Endpoint;
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId, NodeId};
use crate::params::CircuitName;
use crate::trust::TrustRoot;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};
use ukehi_keys::{AuthorKey, Passphrase, RouteKey, keystore};

/// How long a started cluster may take to elect a leader.
const ELECTION_DEADLINE: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Started {
    schema: &'static str,
    dir: String,
    cluster: String,
    leader: NodeId,
    nodes: Vec<StartedNode>,
    /// How many genesis accepts; the log may have activated others.
    circuits: usize,
}

#[derive(Serialize)]
struct StartedNode {
    node: NodeId,
    pid: i32,
    clients: String,
}

pub fn run(command: TestnetCommand, output: &Output) -> Result<(), Failure> {
    match command {
        TestnetCommand::Up {
            dir,
            nodes,
            detach,
            base_port,
            authors,
            admins,
            threshold,
            circuits,
            production,
        } => {
            let members = Members {
                dev: !production,
                nodes,
                authors,
                admins,
                threshold,
                circuits: set_up::circuits(&circuits)?,
            };
            up(&dir, &members, detach, base_port, output)
        }
        TestnetCommand::Down { dir } => down(&dir, output),
    }
}

fn up(
    dir: &Path,
    members: &Members,
    detach: bool,
    base_port: Option<u16>,
    output: &Output,
) -> Result<(), Failure> {
    let layout = Layout::new(dir);
    if !layout.trust().exists() {
        layout::create(&layout, members, base_port)?;
    }
    let trust = TrustRoot::load(&layout.trust())
        .map_err(|e| Failure::configuration(e, "restore trust.json, or start in another --dir"))?;
    let ids: Vec<NodeId> = trust.genesis.nodes.iter().map(|n| n.id).collect();
    let mut pids = Vec::new();
    for id in &ids {
        pids.push(process::start(&layout, *id)?);
    }
    let runtime = super::connect::runtime()?;
    let leader = match runtime.block_on(wait_for_leader(&layout, &trust, &ids)) {
        Ok(leader) => leader,
        Err(failure) => {
            // A cluster that did not come up is not left half running.
            for id in &ids {
                let _ = process::stop(&layout, *id);
            }
            return Err(failure);
        }
    };
    let started = Started {
        schema: "ukehi/testnet/v1",
        dir: dir.display().to_string(),
        cluster: trust.genesis.cluster_id().to_string(),
        leader,
        circuits: trust.circuits.len(),
        nodes: ids
            .iter()
            .zip(pids)
            .map(|(node, pid)| {
                let clients = layout.config(*node).map(|c| c.client_listen.to_string());
                Ok(StartedNode {
                    node: *node,
                    pid,
                    clients: clients?,
                })
            })
            .collect::<Result<_, Failure>>()?,
    };
    output.show(&started, table);
    if detach {
        return Ok(());
    }
    eprintln!(
        "Ctrl-C stops the nodes; their data stays in {}",
        dir.display()
    );
    let _ = runtime.block_on(tokio::signal::ctrl_c());
    ids.iter()
        .try_for_each(|id| process::stop(&layout, *id).map(drop))
}

fn table(started: &Started) -> String {
    let rows = started.nodes.iter().map(|n| {
        let leads = if n.node == started.leader {
            "leader"
        } else {
            ""
        };
        vec![
            n.node.to_string(),
            n.pid.to_string(),
            n.clients.clone(),
            leads.to_owned(),
        ]
    });
    let dir = &started.dir;
    let next = match started.circuits {
        0 => format!(
            "It began without circuits: ukehi keys circuit activate --dir {dir} MANIFEST of a ceremony,\n\
             then write with --params, the directory that ceremony finished into."
        ),
        _ => format!(
            "Try: ukehi put --dir {dir} --author clinic patient/17 'chart opened'\n     ukehi get --dir {dir} patient/17"
        ),
    };
    format!(
        "cluster {}\n{}\n\n{next}",
        started.cluster,
        super::output::table(&["node", "pid", "clients", ""], rows),
    )
}

async fn wait_for_leader(
    layout: &Layout,
    trust: &TrustRoot,
    ids: &[NodeId],
) -> Result<NodeId, Failure> {
    let endpoints = layout.endpoints(trust)?;
    let deadline = Instant::now() + ELECTION_DEADLINE;
    loop {
        let mut leaders = Vec::new();
        for status in poll(trust.genesis.cluster_id(), &endpoints).await {
            if let NodeStatus::Answered(status) = status {
                leaders.push(status.leader);
            }
        }
        if let Some(Some(leader)) = leaders.first()
            && leaders.len() == ids.len()
            && leaders.iter().all(|l| *l == Some(*leader))
        {
            return Ok(*leader);
        }
        for id in ids {
            if process::running(layout, *id).is_none() {
                return Err(Failure::new(
                    ExitCode::Runtime,
                    format!("node {id} ended:\n{}", process::log_tail(layout, *id)),
                    format!("see {}", layout.log(*id).display()),
                ));
            }
        }
        if Instant::now() >= deadline {
            return Err(Failure::new(
                ExitCode::Unavailable,
                format!("no leader within {} s", ELECTION_DEADLINE.as_secs()),
                format!("see the logs in {}", layout.root().display()),
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn down(dir: &Path, output: &Output) -> Result<(), Failure> {
    let layout = Layout::new(dir);
    let trust = TrustRoot::load(&layout.trust())
        .map_err(|e| Failure::configuration(e, "name a directory that `testnet up` made"))?;
    let mut stopped = Vec::new();
    for node in &trust.genesis.nodes {
        if process::stop(&layout, node.id)? {
            stopped.push(node.id);
        }
    }
    let result = serde_json::json!({ "schema": "ukehi/testnet-down/v1", "stopped": stopped });
    output.show(&result, |_| {
        format!(
            "{} nodes stopped; their data stays in {}",
            stopped.len(),
            dir.display()
        )
    });
    Ok(())
}

/// A testnet for measurements: one author, stopped at the end.
pub struct BenchNet {
    layout: Layout,
    pub trust: TrustRoot,
    pub endpoints: Vec<Endpoint>,
}

impl BenchNet {
    const AUTHOR: &str = "bench";

    pub fn start(dir: &Path) -> Result<Self, Failure> {
        let layout = Layout::new(dir);
        let members = Members {
            dev: true,
            nodes: 3,
            authors: vec![Self::AUTHOR.to_owned()],
            admins: 1,
            threshold: 1,
            circuits: CircuitName::opaque_short(),
        };
        layout::create(&layout, &members, None)?;
        let trust = TrustRoot::load(&layout.trust()).map_err(Failure::runtime)?;
        let endpoints = layout.endpoints(&trust)?;
        let net = Self {
            layout,
            trust,
            endpoints,
        };
        let ids: Vec<NodeId> = net.trust.genesis.nodes.iter().map(|n| n.id).collect();
        for id in &ids {
            process::start(&net.layout, *id)?;
        }
        super::connect::runtime()?.block_on(wait_for_leader(&net.layout, &net.trust, &ids))?;
        Ok(net)
    }

    pub fn params(&self) -> std::path::PathBuf {
        self.layout.params()
    }

    pub fn epoch(&self) -> Result<(KeyspaceId, EpochId), Failure> {
        let epoch = self.trust.newest_epoch();
        epoch.ok_or_else(|| Failure::runtime("the bench cluster has no epoch"))
    }

    pub fn author_key(&self) -> Result<AuthorKey, Failure> {
        let name = format!("{}.key", Self::AUTHOR);
        let path = self.layout.client().join("authors").join(name);
        keystore::load(&path, &self.pass()?).map_err(Failure::runtime)
    }

    pub fn route_key(&self) -> Result<RouteKey, Failure> {
        let path = self.layout.client().join("route.key");
        keystore::load(&path, &self.pass()?).map_err(Failure::runtime)
    }

    fn pass(&self) -> Result<Passphrase, Failure> {
        Passphrase::from_file(&self.layout.pass()).map_err(Failure::runtime)
    }

    /// Exports the whole trail.
    pub fn export(&self, bundle: &Path) -> Result<(), Failure> {
        super::audit::export_all(self.layout.root(), bundle)
    }

    pub fn stop(&self) -> Result<(), Failure> {
        for node in &self.trust.genesis.nodes {
            process::stop(&self.layout, node.id)?;
        }
        Ok(())
    }
}

impl Drop for BenchNet {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
