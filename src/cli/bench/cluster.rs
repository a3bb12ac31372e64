//! What three real node processes do on loopback, with fsync: ready-made sealed batches in,
//! decided entries out; and how fast their trail is audited.

use super::{Figure, percentile, tempdir};
use crate::audit::{self, Options};
use crate::batch::Anchor;
use crate::cli::progress::Progress;
use crate::cli::testnet::BenchNet;
use crate::client::remote::Remote;
use crate::client::{Put, Sealer};
use crate::error::Failure;
use crate::log;
use crate::params;
use crate::registry::Registry;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ukehi_keys::AuthorKey;
use ukehi_provers::pool::{Pool, PoolConfig};
use ukehi_suite::cell::{Cell, Metric, Suite};
use ukehi_suite::journal::Measurement;
use ukehi_suite::machine;
use ukehi_suite::ours::SUBJECT;
use ukehi_suite::process::Fault;
use ukehi_suite::turn::Subject;

/// Single-command batches: the costliest mix for verification.
const ENTRIES: usize = 128;
/// Clients that each have one batch under way.
const CLIENTS: usize = 16;

/// What one run of a cluster shows.
struct Shown {
    entries_per_second: f64,
    /// Milliseconds.
    latency_median: f64,
    latency_slowest: f64,
    audited: usize,
    audited_per_second: f64,
}

pub fn measure(directory: &Path) -> Result<Vec<Figure>, Failure> {
    let shown = show(directory)?;
    Ok(vec![
        Figure::new(
            "replicate, three nodes, fsync",
            shown.entries_per_second,
            "entries/s",
            ENTRIES,
        ),
        Figure::new("  latency p50", shown.latency_median, "ms", ENTRIES),
        Figure::new("  latency p99", shown.latency_slowest, "ms", ENTRIES),
        Figure::new(
            "audit",
            shown.audited_per_second,
            "entries/s",
            shown.audited,
        ),
    ])
}

/// The replicate and audit suites: one run of a fresh cluster gives a sample of every cell.
pub struct Cluster {
    /// Of the last run, not asked for yet.
    left: Vec<(Cell, f64)>,
}

impl Cluster {
    const INSTANCE: &str = "three nodes, fsync";

    pub fn new() -> Self {
        Self { left: Vec::new() }
    }

    pub fn cells(suite: Suite) -> Vec<Cell> {
        let metrics: &[Metric] = match suite {
            Suite::Replicate => &[
                Metric::Entries,
                Metric::DecisionMedian,
                Metric::DecisionSlowest,
            ],
            Suite::Audit => &[Metric::Entries],
            _ => &[],
        };
        let threads = machine::cores();
        let cell = |metric: &Metric| Cell::new(suite, Self::INSTANCE, SUBJECT, *metric, threads);
        metrics.iter().map(cell).collect()
    }

    fn run(&mut self) -> Result<(), Failure> {
        let directory = tempdir()?;
        let shown = show(directory.path())?;
        let values = [
            shown.entries_per_second,
            shown.latency_median,
            shown.latency_slowest,
            shown.audited_per_second,
        ];
        let cells = [Suite::Replicate, Suite::Audit]
            .into_iter()
            .flat_map(Self::cells);
        self.left = cells.zip(values).collect();
        Ok(())
    }
}

impl Subject for Cluster {
    fn name(&self) -> &str {
        SUBJECT
    }

    fn measure(&mut self, cell: &Cell) -> Result<Measurement, Fault> {
        if !self.left.iter().any(|(of, _)| of == cell) {
            self.run().map_err(|e| Fault::Failed(e.to_string()))?;
        }
        let at = self.left.iter().position(|(of, _)| of == cell);
        let at = at.ok_or_else(|| Fault::Failed("nobody measures this".into()))?;
        let (_, value) = self.left.swap_remove(at);
        Ok(Measurement {
            value,
            repeats: 1,
            ..Measurement::default()
        })
    }
}

fn show(directory: &Path) -> Result<Shown, Failure> {
    let net = BenchNet::start(&directory.join("net"))?;
    let sealed = seal_all(&net)?;
    let runtime = crate::cli::connect::runtime()?;
    let started = Instant::now();
    let mut latencies = runtime.block_on(submit_all(&net, sealed))?;
    let seconds = started.elapsed().as_secs_f64();
    let bundle = directory.join("trail.ukehi");
    net.export(&bundle)?;
    net.stop()?;

    let file = std::fs::File::open(&bundle).map_err(Failure::runtime)?;
    let options = Options {
        allow_insecure_setup: true,
        checkpoint: None,
    };
    let audited = Instant::now();
    let reader = std::io::BufReader::new(file);
    let report = audit::verify(reader, &net.trust, &options, &mut |_| {})?;
    let audit_seconds = audited.elapsed().as_secs_f64();
    let audited = report.tally.entries as usize;
    Ok(Shown {
        entries_per_second: ENTRIES as f64 / seconds,
        latency_median: percentile(&mut latencies, 0.5),
        latency_slowest: percentile(&mut latencies, 0.99),
        audited,
        audited_per_second: audited as f64 / audit_seconds,
    })
}

fn seal_all(net: &BenchNet) -> Result<Vec<Vec<u8>>, Failure> {
    let genesis = Arc::new(net.trust.genesis.clone());
    let circuits = params::load_all(&net.params(), &genesis.circuits)?;
    let pool = Pool::new(PoolConfig {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        queue_limit: ENTRIES,
        nice: 10,
    })
    .map_err(Failure::runtime)?;
    let anchor = Anchor {
        size: 1,
        root: log::genesis_root(genesis.cluster_id()),
    };
    let (keyspace, epoch) = net.epoch()?;
    let registry = Arc::new(Registry::from_genesis(&genesis, crate::node::SHARD));
    let sealer = Sealer::new(
        genesis,
        registry,
        keyspace,
        epoch,
        net.route_key()?,
        circuits,
        pool,
    )?;
    let author: AuthorKey = net.author_key()?;
    let mut progress = Progress::new("seal", ENTRIES as u64);
    let tickets = (1..=ENTRIES as u64)
        .map(|seq| {
            let key = format!("bench/{seq}");
            let put = Put::inline(key.as_bytes(), b"a ready-made sealed batch");
            Ok(sealer.seal(&author, seq, anchor, &[put])?)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    tickets
        .into_iter()
        .map(|ticket| {
            let sealed = ticket.finish(&author)?;
            progress.add(1);
            Ok(sealed.bytes)
        })
        .collect()
}

/// Milliseconds from a batch's submission to its decision, for each.
async fn submit_all(net: &BenchNet, sealed: Vec<Vec<u8>>) -> Result<Vec<f64>, Failure> {
    let cluster = net.trust.genesis.cluster_id();
    let shares: Vec<Vec<Vec<u8>>> = (0..CLIENTS)
        .map(|client| {
            sealed
                .iter()
                .skip(client)
                .step_by(CLIENTS)
                .cloned()
                .collect()
        })
        .collect();
    let clients: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let endpoints = net.endpoints.clone();
            tokio::spawn(async move {
                let mut remote = Remote::new(cluster, endpoints, Duration::from_secs(30));
                let mut latencies = Vec::new();
                for batch in share {
                    let started = Instant::now();
                    remote.submit(&batch).await?;
                    latencies.push(started.elapsed().as_secs_f64() * 1e3);
                }
                Ok::<_, Failure>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await.map_err(Failure::runtime)??);
    }
    Ok(latencies)
}
