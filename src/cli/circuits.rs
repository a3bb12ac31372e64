//! `ukehi circuits`: the circuits of this release, and their constraints for outside tools.

use super::output::{Output, table};
use crate::error::{ExitCode, Failure};
use crate::params::{self, CircuitName, UnknownCircuitName};
use clap::Subcommand;
use serde::Serialize;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use ukehi_provers::iden3::write_r1cs;

#[derive(Subcommand, Debug)]
pub enum CircuitsCommand {
    /// Name every circuit this release can prove.
    #[command(after_help = "Example:\n  ukehi circuits list")]
    List,
    /// Write a circuit's constraints in the iden3 format, which snarkjs and circuit analysers read.
    #[command(
        after_help = "Examples:\n  ukehi circuits export seal-1-short-opaque --r1cs seal.r1cs\n  snarkjs r1cs info seal.r1cs\n  ukehi circuits export CIRCUIT-ID --params demo/params --r1cs seal.r1cs"
    )]
    Export {
        /// A name of `circuits list`, or with --params a circuit id.
        circuit: String,
        /// Where to write it; replaced if there.
        #[arg(long)]
        r1cs: PathBuf,
        /// A directory of proving parameters, to look a circuit id up.
        #[arg(long)]
        params: Option<PathBuf>,
    },
}

#[derive(Serialize)]
struct Listed {
    schema: &'static str,
    circuits: Vec<CircuitRow>,
}

#[derive(Serialize)]
struct CircuitRow {
    name: String,
    statement: String,
    policy: String,
    slots: u32,
    class: String,
}

#[derive(Serialize)]
struct Exported {
    schema: &'static str,
    circuit: String,
    matrix_digest: String,
    constraints: usize,
    wires: usize,
    public_inputs: usize,
    file: String,
    bytes: u64,
}

pub fn run(command: CircuitsCommand, output: &Output) -> Result<(), Failure> {
    match command {
        CircuitsCommand::List => list(output),
        CircuitsCommand::Export {
            circuit,
            r1cs,
            params,
        } => export(&circuit, params.as_deref(), &r1cs, output),
    }
}

fn list(output: &Output) -> Result<(), Failure> {
    let row = |name: CircuitName| {
        let named = name.manifest_shape();
        CircuitRow {
            name: name.to_string(),
            statement: named.statement,
            policy: named.policy,
            slots: named.slots,
            class: named.class,
        }
    };
    let circuits = CircuitName::all().into_iter().map(row);
    let listed = Listed {
        schema: "ukehi/circuits/v1",
        circuits: circuits.collect(),
    };
    output.show(&listed, |listed| {
        let rows = listed.circuits.iter().map(|c| {
            let slots = c.slots.to_string();
            vec![
                c.name.clone(),
                c.statement.clone(),
                c.policy.clone(),
                slots,
                c.class.clone(),
            ]
        });
        table(&["name", "statement", "policy", "slots", "class"], rows)
    });
    Ok(())
}

/// Written under another name first: a broken-off export never looks like a circuit.
fn export(
    circuit: &str,
    params: Option<&Path>,
    out: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let name = name_of(circuit, params)?;
    let named: CircuitName = name.parse().map_err(unknown)?;
    let (r1cs, digest) = params::constraints(&named);
    let unwritten = |e: String| Failure::runtime(format!("{}: {e}", out.display()));
    let partial = out.with_extension("r1cs.partial");
    let file = File::create(&partial).map_err(|e| unwritten(e.to_string()))?;
    let written = write_r1cs(&r1cs, BufWriter::new(file)).map_err(|e| unwritten(e.to_string()))?;
    let file = written.into_inner().map_err(|e| unwritten(e.to_string()))?;
    file.sync_all().map_err(|e| unwritten(e.to_string()))?;
    std::fs::rename(&partial, out).map_err(|e| unwritten(e.to_string()))?;
    let exported = Exported {
        schema: "ukehi/circuit-export/v1",
        circuit: name,
        matrix_digest: hex::encode(digest),
        constraints: r1cs.constraints(),
        wires: r1cs.variables(),
        public_inputs: r1cs.public_inputs(),
        file: out.display().to_string(),
        bytes: file.metadata().map_err(|e| unwritten(e.to_string()))?.len(),
    };
    output.show(&exported, |e| {
        format!(
            "{}: {} constraints, {} wires, {} public input\n{} ({} bytes)\nmatrix digest {}",
            e.circuit, e.constraints, e.wires, e.public_inputs, e.file, e.bytes, e.matrix_digest
        )
    });
    Ok(())
}

/// A name stands for itself; a circuit id is looked up among the parameters' manifests.
fn name_of(circuit: &str, params: Option<&Path>) -> Result<String, Failure> {
    let Some(directory) = params else {
        return Ok(circuit.to_owned());
    };
    let manifests = ukehi_keys::params::list(directory).map_err(params::CircuitError::from)?;
    let named = manifests
        .iter()
        .find(|m| m.circuit_id().to_string() == circuit);
    match named {
        Some(manifest) => Ok(manifest
            .shape()
            .file_stem()
            .expect("a manifest that was read has plain names")),
        None => Ok(circuit.to_owned()),
    }
}

fn unknown(error: UnknownCircuitName) -> Failure {
    Failure::new(
        ExitCode::NotFound,
        error,
        "a circuit id needs --params DIR, the directory with its manifest",
    )
}
