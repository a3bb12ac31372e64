//! What stands where in a testnet's directory, and how a new one is made.
//!
//! Invariant: trust.json is written last, so a directory that has one is complete.

use crate::cli::set_up::set_up;
use crate::client::remote::Endpoint;
use crate::error::Failure;
use crate::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisFamily, GenesisKeyspace, GenesisNode,
};
use crate::ids::{EpochId, KeyspaceId, NodeId, ShardId};
use crate::node::{CONFIG_SCHEMA, Forks, NodeConfig};
use crate::params::{self, CircuitName};
use crate::trust::TrustRoot;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use ukehi_circuits::field;
use ukehi_circuits::policy::{self, Policy};
use ukehi_circuits::shape::CellUse;
use ukehi_keys::keystore;
use ukehi_keys::{
    AdminKey, AuthorKey, EpochSecret, KdfCost, NodeKey, OperatorKey, Passphrase, RouteKey,
};

/// The keyspace a testnet starts with; its epochs are 1 for the first policy of its circuits, and
/// so on.
pub const KEYSPACE: KeyspaceId = KeyspaceId(1);

/// DIR/{trust.json, addresses.json, params/, node1../, client/}.
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn trust(&self) -> PathBuf {
        self.root.join("trust.json")
    }

    pub fn params(&self) -> PathBuf {
        self.root.join("params")
    }

    pub fn client(&self) -> PathBuf {
        self.root.join("client")
    }

    pub fn pass(&self) -> PathBuf {
        self.client().join("pass")
    }

    fn node_dir(&self, node: NodeId) -> PathBuf {
        self.root.join(format!("node{node}"))
    }

    pub fn config_path(&self, node: NodeId) -> PathBuf {
        self.node_dir(node).join("config.toml")
    }

    pub fn log(&self, node: NodeId) -> PathBuf {
        self.node_dir(node).join("log")
    }

    pub fn pid(&self, node: NodeId) -> PathBuf {
        self.node_dir(node).join("pid")
    }

    pub fn config(&self, node: NodeId) -> Result<NodeConfig, Failure> {
        NodeConfig::load(&self.config_path(node))
            .map_err(|e| Failure::configuration(e, "restore the file, or start in another --dir"))
    }

    /// Where clients reach each node.
    pub fn endpoints(&self, trust: &TrustRoot) -> Result<Vec<Endpoint>, Failure> {
        let nodes = trust.genesis.nodes.iter();
        nodes
            .map(|n| {
                Ok(Endpoint {
                    node: n.id,
                    key: n.key.to_bytes(),
                    address: self.config(n.id)?.client_listen,
                })
            })
            .collect()
    }
}

/// Who a new cluster consists of.
pub struct Members {
    pub nodes: u64,
    pub authors: Vec<String>,
    pub admins: u8,
    /// How many admins must sign a registry change.
    pub threshold: u8,
    /// Those it accepts; a policy without any has no epoch.
    pub circuits: Vec<CircuitName>,
    /// Whether they are set up here, alone. Else it starts without circuits, and takes none that were.
    pub dev: bool,
}

/// Makes keys, parameters, genesis and configurations of a new cluster.
pub fn create(layout: &Layout, members: &Members, base_port: Option<u16>) -> Result<(), Failure> {
    refuse_leftovers(layout)?;
    let ids: Vec<NodeId> = (1..=members.nodes).map(NodeId).collect();
    let ports = choose_ports(ids.len(), base_port)?;
    for id in &ids {
        make_dir(&layout.node_dir(*id))?;
    }
    make_dir(&layout.params())?;
    make_dir(&layout.client().join("authors"))?;
    make_dir(&layout.client().join("epochs"))?;
    make_dir(&layout.client().join("admins"))?;
    make_dir(&layout.client().join("outbox"))?;
    let pass = make_pass_file(&layout.pass())?;

    let manifests = match members.dev {
        true => set_up(&layout.params(), &members.circuits)?,
        false => Vec::new(),
    };

    let keys = Keys {
        layout,
        pass: &pass,
    };
    let authors = members
        .authors
        .iter()
        .map(|name| keys.author(name))
        .collect::<Result<Vec<_>, Failure>>()?;
    let policies = policies(&members.circuits);
    let families = policies.iter().filter(|p| p.cells() == CellUse::Allowed);
    let genesis = Genesis {
        name: "testnet".into(),
        nonce: random()?,
        gate_version: GATE_VERSION,
        dev: members.dev,
        nodes: ids
            .iter()
            .map(|id| keys.node(*id))
            .collect::<Result<_, Failure>>()?,
        operators: vec![keys.operator()?],
        admins: GenesisAdmins {
            keys: (1..=members.admins)
                .map(|number| keys.admin(number))
                .collect::<Result<_, Failure>>()?,
            threshold: members.threshold,
        },
        circuits: manifests.iter().map(|m| m.circuit_id()).collect(),
        keyspaces: vec![GenesisKeyspace {
            id: KEYSPACE,
            shard: ShardId(0),
            epochs: keys.epochs(&policies)?,
            families: families
                .map(|policy| GenesisFamily {
                    policy: policy.name().to_owned(),
                    authors: authors.clone(),
                })
                .collect(),
            authors,
        }],
    };
    genesis.check().map_err(|e| {
        Failure::usage(
            e,
            "give each --author once, at most 9 --nodes, and a --threshold of at most --admins",
        )
    })?;
    for (id, (peers, clients)) in ids.iter().zip(ports) {
        write_config(layout, *id, (peers, clients), members.dev)?;
    }
    let trust = TrustRoot {
        genesis,
        circuits: manifests,
    };
    trust
        .save(&layout.trust())
        .map_err(|e| Failure::runtime(format!("trust.json: {e}")))
}

struct Keys<'a> {
    layout: &'a Layout,
    pass: &'a Passphrase,
}

impl Keys<'_> {
    const COST: KdfCost = KdfCost::Interactive;

    fn node(&self, id: NodeId) -> Result<GenesisNode, Failure> {
        let key = NodeKey::generate().map_err(Failure::runtime)?;
        let path = self.layout.node_dir(id).join("node.key");
        keystore::save(&path, &key, self.pass, Self::COST).map_err(Failure::runtime)?;
        Ok(GenesisNode {
            id,
            key: key.public(),
        })
    }

    fn author(&self, name: &str) -> Result<ukehi_keys::AuthorId, Failure> {
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if name.is_empty() || !plain || name.starts_with('.') {
            return Err(Failure::usage(
                format!("{name:?} is no author name"),
                "use letters, digits, '-', '_' and '.'",
            ));
        }
        let key = AuthorKey::generate().map_err(Failure::runtime)?;
        let path = self
            .layout
            .client()
            .join("authors")
            .join(format!("{name}.key"));
        keystore::save(&path, &key, self.pass, Self::COST).map_err(Failure::runtime)?;
        Ok(key.public())
    }

    fn operator(&self) -> Result<ukehi_keys::OperatorId, Failure> {
        let key = OperatorKey::generate().map_err(Failure::runtime)?;
        let path = self.layout.client().join("operator.key");
        keystore::save(&path, &key, self.pass, Self::COST).map_err(Failure::runtime)?;
        Ok(key.public())
    }

    /// client/admins/admin1.key and so on.
    fn admin(&self, number: u8) -> Result<ukehi_keys::AdminId, Failure> {
        let key = AdminKey::generate().map_err(Failure::runtime)?;
        let path = self.layout.client().join("admins");
        let path = path.join(format!("admin{number}.key"));
        keystore::save(&path, &key, self.pass, Self::COST).map_err(Failure::runtime)?;
        Ok(key.public())
    }

    /// One for each policy, all under one route key.
    fn epochs(&self, policies: &[&'static dyn Policy]) -> Result<Vec<GenesisEpoch>, Failure> {
        let client = self.layout.client();
        let route = RouteKey::generate().map_err(Failure::runtime)?;
        keystore::save(&client.join("route.key"), &route, self.pass, Self::COST)
            .map_err(Failure::runtime)?;
        let epoch = |(id, policy): (u32, &&'static dyn Policy)| {
            let secret = EpochSecret::generate().map_err(Failure::runtime)?;
            let path = client.join("epochs").join(format!("{KEYSPACE}-{id}.key"));
            keystore::save(&path, &secret, self.pass, Self::COST).map_err(Failure::runtime)?;
            Ok(GenesisEpoch {
                id: EpochId(id),
                key: secret.public(),
                route_commitment: params::route_commitment(&route),
                policy: policy.name().to_owned(),
                policy_digest: field::encode(&policy::digest(*policy)),
                expires: None,
            })
        };
        (1..).zip(policies).map(epoch).collect()
    }
}

/// The circuits' policies, each once, in their order.
fn policies(circuits: &[CircuitName]) -> Vec<&'static dyn Policy> {
    let mut policies: Vec<&'static dyn Policy> = Vec::new();
    for policy in circuits.iter().filter_map(CircuitName::policy) {
        if policies.iter().all(|p| p.name() != policy.name()) {
            policies.push(policy);
        }
    }
    policies
}

fn write_config(
    layout: &Layout,
    node: NodeId,
    (listen, client_listen): (SocketAddr, SocketAddr),
    dev: bool,
) -> Result<(), Failure> {
    let config = NodeConfig {
        schema: CONFIG_SCHEMA.into(),
        node,
        trust: "../trust.json".into(),
        data: "data".into(),
        key: "node.key".into(),
        passphrase_file: Some("../client/pass".into()),
        listen,
        client_listen,
        address_file: Some("../addresses.json".into()),
        mdns: false,
        forks: Forks::default(),
        released_forks: Vec::new(),
        dev,
    };
    let path = layout.config_path(node);
    fs::write(&path, config.to_toml())
        .map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))
}

/// A new cluster is only made where nothing can be overwritten.
fn refuse_leftovers(layout: &Layout) -> Result<(), Failure> {
    let occupied = fs::read_dir(layout.root()).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(Failure::configuration(
            format!(
                "{} is not empty and holds no complete testnet",
                layout.root().display()
            ),
            "name an empty or new directory with --dir",
        ));
    }
    Ok(())
}

/// (peers, clients) per node. Free ports are all bound at once before any is released, so that
/// they differ; the configuration keeps them across restarts.
fn choose_ports(
    nodes: usize,
    base_port: Option<u16>,
) -> Result<Vec<(SocketAddr, SocketAddr)>, Failure> {
    let wanted = |i: usize| -> Result<u16, Failure> {
        let Some(base) = base_port else { return Ok(0) };
        u16::try_from(i)
            .ok()
            .and_then(|i| base.checked_add(i))
            .ok_or_else(|| {
                Failure::usage(
                    format!("--base-port {base} leaves too few ports"),
                    "lower it",
                )
            })
    };
    let listeners: Vec<TcpListener> = (0..2 * nodes)
        .map(|i| {
            let port = wanted(i)?;
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|e| {
                Failure::configuration(
                    format!("port {port} cannot be used: {e}"),
                    "give another --base-port, or leave it out",
                )
            })
        })
        .collect::<Result<_, Failure>>()?;
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .map(|l| l.local_addr().map_err(Failure::runtime))
        .collect::<Result<_, Failure>>()?;
    Ok(addresses.chunks(2).map(|pair| (pair[0], pair[1])).collect())
}

fn make_pass_file(path: &Path) -> Result<Passphrase, Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let text = zeroize::Zeroizing::new(hex::encode(random()?));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| writeln!(file, "{}", text.as_str()));
    written.map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))?;
    Passphrase::from_file(path).map_err(Failure::runtime)
}

fn make_dir(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Failure::runtime(format!("no randomness: {e}")))?;
    Ok(bytes)
}
