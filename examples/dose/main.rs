//! A policy of one's own on a running cluster: set up its circuit, have the cluster accept it, write doses, read them,
//! audit the trail. The nodes run the shipped `ukehi` and know nothing of `policy.rs`: they have its verifying key.
//!
//!     ukehi testnet up --dir net --detach
//!     cargo run --release --example dose -- --dir net
//!
//! `--params DIR` takes parameters made elsewhere; without it they are made alone, which is INSECURE. Those of a
//! ceremony are made in two steps, and the ceremony itself, `ukehi keys ceremony new --r1cs dose.r1cs` and so on, in between:
//!
//!     cargo run --release --example dose -- --r1cs dose.r1cs
//!     cargo run --release --example dose -- --ceremony DIR --params DIR

mod net;
pub mod policy;

use net::Net;
use policy::DoseRange;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ukehi::ceremony::Ceremony;
use ukehi::client::{Delivered, SealError};
use ukehi::error::ExitCode;
use ukehi::log::Outcome;
use ukehi::params::{Circuit, CircuitName, constraints, default_options, insecure_dev_params};
use ukehi::registry::Operation;
use ukehi_circuits::Shape;
use ukehi_circuits::policy::Policy;
use ukehi_circuits::seal::{self, WitnessError};
use ukehi_provers::iden3::write_r1cs;

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
    let mut paths: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut words = std::env::args().skip(1);
    while let (Some(word), path) = (words.next(), words.next()) {
        let known = ["--dir", "--params", "--r1cs", "--ceremony"].contains(&word.as_str());
        match path {
            Some(path) if known => paths.insert(word, path.into()),
            _ => return Err(format!("{word:?}: see the top of examples/dose/main.rs").into()),
        };
    }
    let path = |word: &str| paths.get(word).map(PathBuf::as_path);
    if let Some(file) = path("--r1cs") {
        return export_circuit(file);
    }
    if let Some(ceremony) = path("--ceremony") {
        let params = path("--params").ok_or("--params is missing: where the parameters go")?;
        return finish_ceremony(ceremony, params);
    }
    let dir = path("--dir").ok_or("--dir is missing: name what `ukehi testnet up` made")?;
    let done = run(dir, path("--params"))?;
    match done.audited {
        ExitCode::Ok => Ok(()),
        code => Err(format!("the audit failed with exit code {}", code as u8).into()),
    }
}

/// For one update a batch.
fn name() -> CircuitName {
    CircuitName::seal(&PRESCRIBED, Shape::SINGLE)
}

/// The constraints, for participants of a ceremony to look at and for `ukehi keys ceremony new --r1cs`.
pub fn export_circuit(file: &Path) -> Result<(), Box<dyn Error>> {
    let (circuit, _) = constraints(&name());
    write_r1cs(&circuit, File::create_new(file)?)?;
    println!("{} -> {}", name(), file.display());
    Ok(())
}

/// What `ukehi keys ceremony finish` does for the circuits it knows.
pub fn finish_ceremony(ceremony: &Path, params: &Path) -> Result<(), Box<dyn Error>> {
    let ceremony = Ceremony::open(ceremony)?;
    let manifest = ceremony.finish_for(&name(), params, false, &mut |_, _, _| {})?;
    println!("circuit {} -> {}", manifest.circuit_id(), params.display());
    Ok(())
}

pub fn run(dir: &Path, params: Option<&Path>) -> Result<Done, Box<dyn Error>> {
    let own = dir.join("dose-params");
    let circuit = circuit(params.unwrap_or(&own))?;
    let mut net = Net::open(dir)?;
    accept(&mut net, &circuit)?;

    let writer = net.writer(AUTHOR, &PRESCRIBED, circuit.circuit)?;
    let mut done = Done {
        doses: Vec::new(),
        refused: Vec::new(),
        audited: ExitCode::Runtime,
    };
    // 130 is an overdose; 90 would be in range, but too far from 60.
    for dose in [40, 60, 130, 90, 80] {
        match net.write(&writer, CELL, dose) {
            Ok(Delivered {
                index,
                outcome: Outcome::Applied,
                ..
            }) => {
                let shown = net
                    .read(CELL)?
                    .ok_or("the cell just written is not there")?;
                println!("dose {dose}: entry {index}; read back: {shown}");
                done.doses.push(shown);
            }
            Ok(Delivered { index, outcome, .. }) => {
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
    let name = name();
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
fn accept(net: &mut Net, parameters: &Parameters) -> Result<(), Box<dyn Error>> {
    let keyspace = net.keyspace;
    if net.registry().circuit(&parameters.circuit.id).is_none() {
        let manifest = parameters.manifest.clone();
        net.decide(Operation::ActivateCircuit { manifest })?;
    }
    if net.registry().family(keyspace, PRESCRIBED.name()).is_none() {
        let authors = net.registry().authors(keyspace);
        let authors = authors.filter(|(_, standing)| standing.revoked_at.is_none());
        let mut authors: Vec<_> = authors.map(|(author, _)| *author).collect();
        authors.sort();
        net.decide(Operation::RegisterFamily {
            keyspace,
            policy: PRESCRIBED.name().into(),
            authors,
        })?;
    }
    if net.epoch(&PRESCRIBED).is_none() {
        let opening = net.new_epoch(&PRESCRIBED)?;
        net.decide(Operation::OpenEpoch { keyspace, opening })?;
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
