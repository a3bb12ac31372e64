//! `ukehi node run`.

use super::args::NodeCommand;
use super::passphrase;
use crate::error::{ExitCode, Failure};
use crate::net::NetError;
use crate::node::disk::DiskError;
use crate::node::{NodeConfig, NodeError, run as run_node};
use crate::store::OpenError;
use std::path::Path;

pub fn run(command: NodeCommand) -> Result<(), Failure> {
    let NodeCommand::Run { config } = command;
    let filter = tracing_subscriber::EnvFilter::try_from_env("UKEHI_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,ukehi=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    run_config(&config)
}

fn run_config(path: &Path) -> Result<(), Failure> {
    let config = NodeConfig::load(path)
        .map_err(|e| Failure::configuration(e, "correct the file; `testnet up` writes examples"))?;
    let pass = passphrase::obtain(config.passphrase_file.as_deref())?;
    let key: ukehi_keys::NodeKey = ukehi_keys::keystore::load(&config.key, &pass)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::runtime(format!("cannot start the runtime: {e}")))?;
    let node = config.node;
    let ended = runtime.block_on(run_node(
        &config,
        key,
        |at| {
            tracing::info!(%node, peers = %at.peers, clients = %at.clients, "listening");
        },
        shutdown(),
    ));
    if let Err(error) = ended {
        tracing::error!(%error, "the node ends");
        let failure = failure(&error);
        if matches!(error, NodeError::Stopped { .. }) {
            // A failed write may have left the store in doubt: no destructor may call into it.
            eprintln!("error: {failure}");
            std::process::exit(failure.code as i32);
        }
        return Err(failure);
    }
    Ok(())
}

fn failure(error: &NodeError) -> Failure {
    let (code, next) = match error {
        NodeError::Trust(_) => (
            ExitCode::Configuration,
            "restore trust.json from a source you trust",
        ),
        NodeError::InsecureSetup { .. } => (
            ExitCode::Untrusted,
            "use parameters from a ceremony, or set `dev = true` on a dev cluster",
        ),
        NodeError::UnknownNode { .. } | NodeError::WrongKey { .. } => (
            ExitCode::Configuration,
            "check `node` and `key` in the configuration",
        ),
        NodeError::Disk(DiskError::Store(OpenError::InUse { .. })) => (
            ExitCode::Configuration,
            "stop the other process, or give this node its own `data` directory",
        ),
        NodeError::Disk(DiskError::Regressed { .. } | DiskError::MarkMissing { .. }) => (
            ExitCode::Tampered,
            "keep a copy; `ukehi doctor` examines the disk. A node that forgot what it voted for and acknowledged must not run: put back what is missing, the cluster goes on with a majority",
        ),
        NodeError::Disk(_) => (
            ExitCode::Configuration,
            "check `data` in the configuration and run `ukehi doctor`; do not delete it before you know why",
        ),
        NodeError::Net(NetError::PortInUse { .. }) => (
            ExitCode::Configuration,
            "stop what listens there, or change `listen` / `client_listen`",
        ),
        NodeError::Net(_) | NodeError::AddressFile(_) | NodeError::Driver(_) => {
            (ExitCode::Runtime, "see the log above")
        }
        NodeError::Stopped { .. } => (
            ExitCode::Runtime,
            "after a failed write, see to the disk before you start the node again; after anything else, keep the data directory and compare this node with the others",
        ),
        NodeError::System(_) => (
            ExitCode::Runtime,
            "see to the reason, then start the node again",
        ),
    };
    Failure::new(code, error, next)
}

async fn shutdown() {
    let mut terminate =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be handled; use Ctrl-C");
                let _ = tokio::signal::ctrl_c().await;
                return;
            }
        };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
