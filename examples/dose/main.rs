//! A policy of one's own on a running cluster: set up its circuit, have the cluster accept it, write doses, read them,
//! audit the trail. The nodes run the shipped `ukehi` and know nothing of `policy.rs`: they have its verifying key.
//!
//!     ukehi testnet up --dir net --detach
//!     cargo run --release --example dose -- --dir net
//!
//! `--params DIR` takes parameters made elsewhere; without it they are made alone, which is INSECURE.

mod cluster;
pub mod policy;

use cluster::{Cluster, Written};
use policy::DoseRange;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ukehi::client::SealError;
use ukehi::error::ExitCode;
use ukehi::log::Outcome;
use ukehi::params::{Circuit, CircuitName, default_options, insecure_dev_params};
use ukehi::registry::Operation;
use ukehi_circuits::Shape;
use ukehi_circuits::policy::Policy;
use ukehi_circuits::seal::{self, WitnessError};

/// What this ward prescribes, in micrograms.
pub const PRESCRIBED: DoseRange = DoseRange {
    least: 10,
    most: 100,
    step: 25,
};

const AUTHOR: &str = "clinic";
const CELL: &str = "ward-3/bed-17/morphine";

/// What the program did, for a test to look at.
pub struct Done {
    /// The doses applied, as they were read back.
    pub doses: Vec<u64>,
    /// What was not sealed, and why.
    pub refused: Vec<(u64, String)>,
    pub audited: ExitCode,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (mut dir, mut params) = (None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--dir" => dir = words.next().map(PathBuf::from),
            "--params" => params = words.next().map(PathBuf::from),
            other => {
                return Err(format!("{other:?}: give --dir NET and perhaps --params DIR").into());
            }
        }
    }
    let dir = dir.ok_or("--dir is missing: name a directory that `ukehi testnet up` made")?;
    let done = run(&dir, params.as_deref())?;
    match done.audited {
        ExitCode::Ok => Ok(()),
        code => Err(format!("the audit failed with exit code {}", code as u8).into()),
    }
}

pub fn run(dir: &Path, params: Option<&Path>) -> Result<Done, Box<dyn Error>> {
    let own = dir.join("dose-params");
    let circuit = circuit(params.unwrap_or(&own))?;
    let mut cluster = Cluster::open(dir)?;
    accept(&mut cluster, &circuit)?;

    let writer = cluster.writer(AUTHOR, &PRESCRIBED, circuit.circuit)?;
    let mut done = Done {
        doses: Vec::new(),
        refused: Vec::new(),
        audited: ExitCode::Runtime,
    };
    // 130 is an overdose; 90 would be in range, but too far from 60.
    for dose in [40, 60, 130, 90, 80] {
        match cluster.write(&writer, CELL, dose) {
            Ok(Written {
                index,
                outcome: Outcome::Applied,
            }) => {
                let shown = cluster
                    .read(CELL)?
                    .ok_or("the cell just written is not there")?;
                println!("dose {dose}: entry {index}; read back: {shown}");
                done.doses.push(shown);
            }
            Ok(Written { index, outcome }) => {
                return Err(format!("dose {dose}: entry {index} is refused: {outcome}").into());
            }
            Err(error) => match error.downcast_ref::<SealError>() {
                Some(SealError::Seal(seal::SealError::Rule(WitnessError::Policy(reason)))) => {
                    println!("dose {dose}: not sealed: {reason}");
                    done.refused.push((dose, reason.to_string()));
                }
                _ => return Err(error),
            },
        }
    }
    done.audited = audit(dir);
    Ok(done)
}

struct Parameters {
    circuit: Arc<Circuit>,
    /// The manifest's bytes, as they go into the log.
    manifest: Vec<u8>,
}

/// The policy's circuit for one update a batch; made here if the directory has none.
fn circuit(params: &Path) -> Result<Parameters, Box<dyn Error>> {
    let name = CircuitName::seal(&PRESCRIBED, Shape::SINGLE);
    let path = params.join(format!("{name}.json"));
    if !path.exists() {
        println!("INSECURE set-up of {name}: for tests only");
        std::fs::create_dir_all(params)?;
        insecure_dev_params(params, &[name], |_, _, _| {})?;
    }
    let manifests = ukehi_keys::params::list(params)?;
    let manifest = manifests
        .iter()
        .find(|m| *m.shape() == name.manifest_shape());
    let manifest = manifest.ok_or("the manifest is another circuit's")?;
    let circuit = Circuit::of_policy(params, manifest, &PRESCRIBED, &default_options()?)?;
    println!(
        "circuit {} ({} rows)",
        circuit.id,
        circuit.r1cs().constraints()
    );
    Ok(Parameters {
        circuit: Arc::new(circuit),
        manifest: std::fs::read(path)?,
    })
}

/// Has the admins' key change the registry, as far as this was not done before: proofs of the circuit count, the
/// policy has cells, and an epoch demands it.
fn accept(cluster: &mut Cluster, parameters: &Parameters) -> Result<(), Box<dyn Error>> {
    let keyspace = cluster.keyspace;
    if cluster.registry().circuit(&parameters.circuit.id).is_none() {
        let manifest = parameters.manifest.clone();
        cluster.decide(Operation::ActivateCircuit { manifest })?;
    }
    if cluster
        .registry()
        .family(keyspace, PRESCRIBED.name())
        .is_none()
    {
        let authors = cluster.registry().authors(keyspace);
        let authors = authors.filter(|(_, standing)| standing.revoked_at.is_none());
        let mut authors: Vec<_> = authors.map(|(author, _)| *author).collect();
        authors.sort();
        cluster.decide(Operation::RegisterFamily {
            keyspace,
            policy: PRESCRIBED.name().into(),
            authors,
        })?;
    }
    if cluster.epoch(&PRESCRIBED).is_none() {
        let opening = cluster.new_epoch(&PRESCRIBED)?;
        cluster.decide(Operation::OpenEpoch { keyspace, opening })?;
    }
    Ok(())
}

/// The shipped commands, in this process: they need no policy's code either.
fn audit(dir: &Path) -> ExitCode {
    let path = |name: &str| dir.join(name).display().to_string();
    let (bundle, trust, dir) = (
        path("dose.ukehi"),
        path("trust.json"),
        dir.display().to_string(),
    );
    let export = ["ukehi", "audit", "export", "--dir", &dir, "--out", &bundle];
    match ukehi::cli::execute(export) {
        ExitCode::Ok => {}
        code => return code,
    }
    let verify = [
        "ukehi",
        "audit",
        "verify",
        &bundle,
        "--trust",
        &trust,
        "--allow-insecure-setup",
    ];
    ukehi::cli::execute(verify)
}
