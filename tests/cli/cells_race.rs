//! Batches over one opening, each sealed before the other is sent: the log applies one, and every node says so.

use crate::cells::copy;
use crate::run::{Net, ukehi};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ukehi::audit::{BundleReader, RawEntry};
use ukehi::client::cells::{guard, transfer};
use ukehi::client::remote::{Endpoint, Remote};
use ukehi::client::{CellFinder, Cluster, Delivered, KeyDirectory, Post, Sealed, Sealer};
use ukehi::ids::ShardId;
use ukehi::log::Outcome;
use ukehi::node::NodeConfig;
use ukehi::params::load_all;
use ukehi::trust::TrustRoot;
use ukehi_circuits::slot::{Body, SlotKey};
use ukehi_circuits::{seal::SlotPlaintext, shape::Class};
use ukehi_keys::{Passphrase, params};
use ukehi_provers::pool::{Pool, PoolConfig};

/// An author with keys, outbox and anchor of its own, at one node.
struct Client {
    name: &'static str,
    cluster: Cluster,
    keys: PathBuf,
    post: Post,
}

/// Returns how many batches were refused as stale.
pub fn two_batches_over_one_opening(net: &Net) -> u64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = runtime.block_on(async {
        let mut first = Client::at(net, "clinic", 1).await;
        let mut second = Client::at(net, "lab", 2).await;
        let moves = [
            first.sealed(net, Intent::Move).await,
            second.sealed(net, Intent::Move).await,
        ];
        let put = second.sealed(net, Intent::PutUnderGuard).await;
        let raced = tokio::join!(first.deliver(&moves[0]), second.deliver(&moves[1]));
        let mut outcomes = [raced.0.outcome, raced.1.outcome];
        outcomes.sort_by_key(|outcome| outcome.code());
        assert_eq!(outcomes, [Outcome::Applied, Outcome::CellStale]);
        // Its own slot would be free to take, but the cell it was made under has changed.
        let late = second.deliver(&put).await;
        assert_eq!(late.outcome, Outcome::CellStale);
        late.index
    });
    net.ukehi(&["get", "under/guard"]).exits(4);
    every_node_says_the_same(net, refused);
    2
}

enum Intent {
    Move,
    PutUnderGuard,
}

impl Client {
    async fn at(net: &Net, name: &'static str, node: u64) -> Self {
        let keys = net.scratch(&format!("{name}-racing"));
        copy(&net.dir().join("client"), &keys);
        let trust = TrustRoot::load(&net.dir().join("trust.json")).unwrap();
        let member = trust.genesis.nodes.iter().find(|n| n.id.0 == node).unwrap();
        let config = net.dir().join(format!("node{node}/config.toml"));
        let endpoint = Endpoint {
            node: member.id,
            key: member.key.to_bytes(),
            address: NodeConfig::load(&config).unwrap().client_listen,
        };
        let id = trust.genesis.cluster_id();
        let remote = Remote::new(id, vec![endpoint], Duration::from_secs(60));
        let verifier = trust.batch_verifier(ShardId(0)).unwrap();
        let mut cluster = Cluster::open(verifier, remote, Some(&keys)).unwrap();
        cluster.catch_up().await.unwrap();
        Self {
            name,
            cluster,
            post: Post::open(&keys).unwrap(),
            keys,
        }
    }

    fn directory(&self) -> KeyDirectory {
        let pass = Passphrase::from_file(&self.keys.join("pass")).unwrap();
        KeyDirectory::new(&self.keys, pass)
    }

    /// Over the cells as they are now.
    async fn sealed(&mut self, net: &Net, intent: Intent) -> Sealed {
        let key = |name: &str| SlotKey::new(name.as_bytes()).unwrap();
        let keyspace = self.cluster.genesis().keyspaces[0].id;
        let mut finder = CellFinder::new(&self.cluster, self.directory(), keyspace).unwrap();
        let mut open = async |name: &str| {
            let found = finder.find(&mut self.cluster, &key(name)).await.unwrap();
            found.expect("the cell").opening.expect("readable here")
        };
        let slots: Vec<SlotPlaintext> = match intent {
            Intent::Move => {
                let target = format!("{}/budget", self.name);
                let from = (key("bank"), open("bank").await);
                let to = (key(&target), Some(open(&target).await));
                transfer(from, to, 1).unwrap().into()
            }
            Intent::PutUnderGuard => {
                let body = Body::new(Class::Short, b"never applied").unwrap();
                let put = SlotPlaintext::put(key("under/guard"), body);
                vec![put, guard(key("bank"), open("bank").await)]
            }
        };
        let sealer = self.sealer(net);
        let author = self.directory().author(self.name).unwrap();
        let anchor = self.cluster.anchor().await.unwrap();
        let seq = self.post.next_seq(&mut self.cluster, author.public());
        let seq = seq.await.unwrap();
        let ticket = sealer.seal_commands(&author, seq, anchor, &slots).unwrap();
        ticket.finish(&author).unwrap()
    }

    fn sealer(&self, net: &Net) -> Sealer {
        let registry = self.cluster.known().registry().clone();
        let genesis = self.cluster.genesis().clone();
        let keyspace = genesis.keyspaces[0].id;
        let next = self.cluster.known().last() + 1;
        let epoch = registry.newest_epoch(keyspace, "ledger", next).unwrap().id;
        let directory = net.dir().join("params");
        let at_hand = params::list(&directory).unwrap();
        let ledger = at_hand.iter().find(|m| m.shape().policy == "ledger");
        let circuits = load_all(&directory, &[ledger.unwrap().circuit_id()]).unwrap();
        let pool = Pool::new(PoolConfig {
            threads: 2,
            queue_limit: 1,
            nice: 10,
        });
        Sealer::new(
            genesis.into(),
            registry.into(),
            keyspace,
            epoch,
            self.directory().route().unwrap(),
            circuits,
            pool.unwrap(),
        )
        .unwrap()
    }

    async fn deliver(&mut self, sealed: &Sealed) -> Delivered {
        let sent = self.post.deliver(&mut self.cluster, sealed);
        sent.await.unwrap()
    }
}

fn every_node_says_the_same(net: &Net, last: u64) {
    let trust = net.path("trust.json");
    let to = (last + 1).to_string();
    let trails: Vec<Vec<RawEntry>> = net.started["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let out = net.scratch(&format!("trail-of-{}.ukehi", node["node"]));
            let out = out.to_str().unwrap();
            let at = node["clients"].as_str().unwrap();
            let range = ["audit", "export", "--from", "0", "--to", &to, "--out", out];
            let place = ["--node", at, "--trust", &trust];
            // A node may be a checkpoint behind those that were asked before.
            let until = Instant::now() + Duration::from_secs(60);
            while ukehi(range.into_iter().chain(place)).code != 0 {
                assert!(Instant::now() < until, "{at} never covers entry {last}");
            }
            entries(Path::new(out))
        })
        .collect();
    assert_eq!(trails.len(), 3);
    for trail in &trails {
        assert_eq!(trail.len() as u64, last + 1);
        assert_eq!(trail, &trails[0], "two nodes, two histories");
    }
}

fn entries(bundle: &Path) -> Vec<RawEntry> {
    let mut reader = BundleReader::open(File::open(bundle).unwrap()).unwrap();
    std::iter::from_fn(|| reader.entry().unwrap()).collect()
}
