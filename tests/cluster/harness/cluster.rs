//! A copy of the template with ports and processes of its own.

use super::process::Process;
use super::template::{self, template};
use super::{Client, Trail, eventually};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use ukehi::api::{Reply, Request};
use ukehi::client::remote::Endpoint;
use ukehi::ids::{NodeId, ShardId};
use ukehi::log::{Checkpoint, SignedCheckpoint};
use ukehi::node::NodeConfig;
use ukehi_keys::{NodeKey, keystore};

/// The binary people run.
pub const SHIPPED: &str = env!("CARGO_BIN_EXE_ukehi");
/// Clusters at a time: six nodes are enough for two cores.
const CLUSTERS: usize = 2;

pub struct Cluster {
    nodes: BTreeMap<u64, Process>,
    dir: tempfile::TempDir,
    _permit: Permit,
}

impl Cluster {
    /// Keys, parameters and configurations; nothing runs yet.
    pub fn new() -> Self {
        template();
        let permit = Permit::wait();
        let base = env!("CARGO_TARGET_TMPDIR");
        let dir = tempfile::tempdir_in(base).expect("a directory");
        template::copy_to(dir.path());
        let cluster = Self {
            nodes: BTreeMap::new(),
            dir,
            _permit: permit,
        };
        for id in 1..=3 {
            cluster.edit_config(id, |config| {
                config.listen = free_address();
                config.client_listen = free_address();
            });
        }
        cluster
    }

    /// Three nodes that agree on a leader.
    pub fn running() -> Self {
        let mut cluster = Self::new();
        for id in 1..=3 {
            cluster.start(id);
        }
        cluster.leader_among(&[1, 2, 3]);
        cluster
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn trust(&self) -> PathBuf {
        self.dir().join("trust.json")
    }

    pub fn config_path(&self, id: u64) -> PathBuf {
        self.dir().join(format!("node{id}/config.toml"))
    }

    pub fn log(&self, id: u64) -> PathBuf {
        self.dir().join(format!("node{id}/log"))
    }

    pub fn log_text(&self, id: u64) -> String {
        std::fs::read_to_string(self.log(id)).unwrap_or_default()
    }

    /// With the paths as they stand in the file.
    pub fn config(&self, id: u64) -> NodeConfig {
        let text = std::fs::read_to_string(self.config_path(id)).expect("the configuration");
        toml::from_str(&text).expect("a configuration")
    }

    pub fn edit_config(&self, id: u64, edit: impl FnOnce(&mut NodeConfig)) {
        let mut config = self.config(id);
        edit(&mut config);
        std::fs::write(self.config_path(id), config.to_toml()).expect("written");
    }

    pub fn start(&mut self, id: u64) {
        let process = Process::node(Path::new(SHIPPED), &self.config_path(id), &self.log(id));
        self.nodes.insert(id, process);
    }

    pub fn start_hostile(&mut self, id: u64) {
        let process = Process::hostile(&self.config_path(id), &self.log(id));
        self.nodes.insert(id, process);
    }

    /// SIGKILL.
    pub fn kill(&mut self, id: u64) {
        let process = self.nodes.remove(&id).expect("the node runs");
        process.signal(Signal::KILL);
    }

    /// SIGKILL to all before any is waited for.
    pub fn kill_all(&mut self) {
        for process in self.nodes.values() {
            process.signal(Signal::KILL);
        }
        self.nodes.clear();
    }

    pub fn signal(&self, id: u64, signal: Signal) {
        self.nodes[&id].signal(signal);
    }

    pub fn pid(&self, id: u64) -> i32 {
        self.nodes[&id].pid().as_raw_nonzero().get()
    }

    pub fn is_running(&mut self, id: u64) -> bool {
        self.nodes.get_mut(&id).is_some_and(Process::is_running)
    }

    pub fn endpoints(&self, ids: &[u64]) -> Vec<Endpoint> {
        let nodes = &template().trust.genesis.nodes;
        ids.iter()
            .map(|id| {
                let node = nodes.iter().find(|n| n.id.0 == *id).expect("a member");
                Endpoint {
                    node: node.id,
                    key: node.key.to_bytes(),
                    address: self.config(*id).client_listen,
                }
            })
            .collect()
    }

    pub fn client(&self, ids: &[u64]) -> Client {
        Client::patient(self.endpoints(ids))
    }

    /// What the node says of itself, if it answers.
    pub fn status(&self, id: u64) -> Option<Value> {
        let mut client = Client::new(self.endpoints(&[id]), Duration::from_millis(500));
        match client.ask(|_| Request::Status).ok()? {
            Reply::Status { json } => serde_json::from_str(&json).ok(),
            _ => None,
        }
    }

    /// A node's own key, for who plays it.
    pub fn node_key(&self, id: u64) -> NodeKey {
        let template = template();
        let path = template.dir.join(format!("node{id}/node.key"));
        keystore::load(&path, &template.pass).expect("the node's key")
    }

    /// A checkpoint note of any root, signed by these nodes.
    pub fn cosigned(&self, size: u64, root: [u8; 32], nodes: &[u64]) -> String {
        let template = template();
        let checkpoint = Checkpoint {
            cluster: template.trust.genesis.cluster_id(),
            shard: ShardId(0),
            size,
            root,
        };
        let mut signed = SignedCheckpoint::new(checkpoint);
        for id in nodes {
            signed.add(checkpoint.sign(NodeId(*id), &self.node_key(*id), 1_700_000_000));
        }
        signed.to_note()
    }

    /// Waits until these nodes name one of them as their leader.
    pub fn leader_among(&self, ids: &[u64]) -> u64 {
        eventually(&format!("a leader among {ids:?}"), || {
            let mut named = ids.iter().map(|id| self.status(*id)?["leader"].as_u64());
            let first = named.next()??;
            (ids.contains(&first) && named.all(|leader| leader == Some(first))).then_some(first)
        })
    }

    /// Waits until the nodes have applied the entry.
    pub fn applied(&self, ids: &[u64], index: u64) {
        for id in ids {
            eventually(&format!("node {id} applies entry {index}"), || {
                (self.status(*id)?["applied"].as_u64()? >= index).then_some(())
            });
        }
    }

    /// Runs `ukehi` with these arguments.
    pub fn ukehi(&self, args: &[&str]) -> Output {
        Command::new(SHIPPED)
            .args(args)
            .env_remove("UKEHI_PASSPHRASE_FILE")
            .output()
            .expect("the binary runs")
    }

    /// A command that takes `--dir`, with JSON output; panics unless it succeeds.
    pub fn json(&self, args: &[&str]) -> Value {
        let done = self.ukehi(&[args, &["--dir", self.path(), "--output", "json"]].concat());
        assert!(
            done.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        serde_json::from_slice(&done.stdout).expect("JSON")
    }

    pub fn path(&self) -> &str {
        self.dir().to_str().expect("a readable path")
    }

    /// Exports the whole trail, once it covers `index`.
    pub fn export(&self, index: u64) -> PathBuf {
        let out = self.dir().join("trail.ukehi");
        eventually(&format!("a trail over entry {index}"), || {
            let exported = self.json(&["audit", "export", "--out", out.to_str().expect("a path")]);
            (exported["to"].as_u64()? > index).then_some(())
        });
        out
    }

    /// Exports, audits offline, and reads the trail.
    pub fn trail(&self, index: u64) -> Trail {
        let bundle = self.export(index);
        Trail::audit(&bundle).expect("the audit passes");
        Trail::read(&bundle)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.clear();
        if std::thread::panicking() {
            for id in 1..=3 {
                let text = self.log_text(id);
                let lines: Vec<&str> = text.lines().collect();
                let tail = &lines[lines.len().saturating_sub(15)..];
                eprintln!("--- node {id}'s log ends:\n{}", tail.join("\n"));
            }
        }
    }
}

/// Below the range the system gives to outgoing connections: nobody takes a port while its node
/// is down.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = (std::process::id() % 100) as u16 * 100;
    eventually("a free port", || {
        let port = 20_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpListener::bind(address).ok().map(|_| address)
    })
}

struct Permit;

static FREE: (Mutex<usize>, Condvar) = (Mutex::new(CLUSTERS), Condvar::new());

impl Permit {
    fn wait() -> Self {
        let free = FREE.0.lock().unwrap_or_else(|e| e.into_inner());
        let mut free = FREE
            .1
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(|e| e.into_inner());
        *free -= 1;
        Permit
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *FREE.0.lock().unwrap_or_else(|e| e.into_inner()) += 1;
        FREE.1.notify_one();
    }
}
