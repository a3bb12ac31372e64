//! `ukehi keys solidity`: a circuit's verifier as a contract.

use super::connect::load_trust;
use super::keys::args::SolidityArgs;
use super::output::Output;
use super::snarkjs::write_new;
use crate::error::{ExitCode, Failure};
use crate::params::CircuitError;
use serde::Serialize;
use std::path::Path;
use ukehi_keys::{CircuitId, INSECURE_DEV_WARNING, Manifest};
use ukehi_provers::groth16::VerifyingKey;
use ukehi_provers::iden3::solidity::{CONTRACT, verifier_contract};

/// Fewer digits of a circuit id name it by accident.
const MIN_PREFIX: usize = 8;

#[derive(Serialize)]
struct Written {
    schema: &'static str,
    circuit: CircuitId,
    contract: &'static str,
    file: Option<String>,
    /// Without a file.
    source: Option<String>,
}

pub fn run(args: &SolidityArgs, output: &Output) -> Result<(), Failure> {
    let manifests = match (&args.params, &args.trust) {
        (Some(directory), _) => ukehi_keys::params::list(directory).map_err(CircuitError::from)?,
        (None, trust) => load_trust(trust.as_deref().unwrap_or(Path::new("trust.json")))?.circuits,
    };
    let manifest = circuit_named(&manifests.iter().collect::<Vec<_>>(), &args.circuit)?;
    let circuit = manifest.circuit_id();
    let key = VerifyingKey::from_bytes(manifest.verifying_key()).map_err(|e| {
        let next = "restore the parameters from their source";
        Failure::new(ExitCode::Untrusted, format!("circuit {circuit}: {e}"), next)
    })?;
    let source = verifier_contract(&key, &title(manifest));
    if let Some(path) = &args.out {
        write_new(path, source.as_bytes())?;
    }
    let written = Written {
        schema: "ukehi/solidity/v1",
        circuit,
        contract: CONTRACT,
        file: args.out.as_ref().map(|path| path.display().to_string()),
        source: args.out.is_none().then_some(source),
    };
    output.show(&written, |w| match (&w.file, &w.source) {
        (Some(file), _) => format!(
            "contract {} for circuit {} -> {file}",
            w.contract, w.circuit
        ),
        (None, source) => source.clone().unwrap_or_default().trim_end().to_owned(),
    });
    Ok(())
}

fn title(manifest: &Manifest) -> String {
    let shape = manifest.shape();
    let warning = match manifest.require_secure() {
        Ok(()) => String::new(),
        Err(_) => format!(" {INSECURE_DEV_WARNING}."),
    };
    format!(
        "Circuit {}: {}, {} commands, {}, {}.{warning}",
        manifest.circuit_id(),
        shape.statement,
        shape.slots,
        shape.class,
        shape.policy
    )
}

/// The circuit of this id, of an id that begins so, or of this file name.
pub fn circuit_named<'a>(manifests: &[&'a Manifest], name: &str) -> Result<&'a Manifest, Failure> {
    let prefix = name.to_ascii_lowercase();
    let is_prefix = prefix.len() >= MIN_PREFIX && prefix.bytes().all(|b| b.is_ascii_hexdigit());
    let mut found = manifests.iter().filter(|m| {
        let by_id = is_prefix && m.circuit_id().to_string().starts_with(&prefix);
        by_id || m.shape().file_stem().is_ok_and(|stem| stem == name)
    });
    let known = || {
        let lines = manifests.iter().map(|m| {
            let stem = m.shape().file_stem().unwrap_or_default();
            format!("{} ({stem})", m.circuit_id())
        });
        format!("name one of: {}", lines.collect::<Vec<_>>().join(", "))
    };
    match (found.next(), found.next()) {
        (Some(manifest), None) => Ok(*manifest),
        (None, _) => Err(Failure::new(
            ExitCode::NotFound,
            format!("no circuit {name:?} here"),
            known(),
        )),
        (Some(_), Some(_)) => Err(Failure::usage(
            format!("{name:?} names several circuits"),
            known(),
        )),
    }
}
