//! `ukehi audit snarkjs` and `check-snarkjs`: proofs across to snarkjs and back.

use super::connect::load_trust;
use super::output::Output;
use crate::audit::snarkjs::{self, Files, PROOF_FILE, PUBLIC_FILE, VERIFICATION_KEY_FILE};
use crate::error::{ExitCode, Failure};
use crate::ids::LogIndex;
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::Path;
use ukehi_keys::CircuitId;
use ukehi_provers::iden3::json::MAX_FILE_BYTES;

#[derive(Serialize)]
struct Exported {
    schema: &'static str,
    entry: LogIndex,
    circuit: CircuitId,
    dir: String,
    files: [&'static str; 3],
}

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    dir: String,
    verified: bool,
    public_inputs: usize,
    circuit: Option<CircuitId>,
}

pub fn export(
    bundle: File,
    entry: LogIndex,
    dir: &Path,
    trust: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let trust = load_trust(trust)?;
    let (circuit, files) = snarkjs::export(BufReader::new(bundle), &trust, entry)?;
    fs::create_dir_all(dir).map_err(|e| cannot_write(dir, &e))?;
    let named = [
        (VERIFICATION_KEY_FILE, files.verification_key),
        (PROOF_FILE, files.proof),
        (PUBLIC_FILE, files.public),
    ];
    for (name, bytes) in &named {
        write_new(&dir.join(name), bytes)?;
    }
    let exported = Exported {
        schema: "ukehi/snarkjs-export/v1",
        entry,
        circuit,
        dir: dir.display().to_string(),
        files: named.map(|(name, _)| name),
    };
    output.show(&exported, |e| {
        let d = &e.dir;
        format!(
            "entry {} under circuit {} -> {d}\nVerify it with snarkjs: snarkjs groth16 verify \
             {d}/{VERIFICATION_KEY_FILE} {d}/{PUBLIC_FILE} {d}/{PROOF_FILE}",
            e.entry, e.circuit
        )
    });
    Ok(())
}

pub fn check(dir: &Path, trust: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let trust = trust.map(load_trust).transpose()?;
    let read = |name| {
        let next = "name a directory with verification_key.json, proof.json and public.json";
        read(&dir.join(name), next)
    };
    let files = Files {
        verification_key: read(VERIFICATION_KEY_FILE)?,
        proof: read(PROOF_FILE)?,
        public: read(PUBLIC_FILE)?,
    };
    let verified = snarkjs::check(&files, trust.as_ref())?;
    if trust.is_some() && verified.circuit.is_none() {
        return Err(Failure::new(
            ExitCode::Untrusted,
            "the proof verifies, but under a key that is no circuit's of the trust root",
            "get the trust root of the cluster the proof comes from, or leave out --trust: a circuit that the log \
             activated later is not in it",
        ));
    }
    let checked = Checked {
        schema: "ukehi/snarkjs-check/v1",
        dir: dir.display().to_string(),
        verified: true,
        public_inputs: verified.public_inputs,
        circuit: verified.circuit,
    };
    output.show(&checked, |c| match &c.circuit {
        Some(circuit) => format!("VERIFIED under the key of circuit {circuit}"),
        None => {
            "the proof verifies under the key beside it; give --trust to learn whose key that is"
                .to_owned()
        }
    });
    Ok(())
}

/// A file of snarkjs's; `next` is said if there is none. One byte beyond the bound is enough for the decoder to refuse it.
pub fn read(path: &Path, next: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| {
        let bound = MAX_FILE_BYTES as u64 + 1;
        file.take(bound).read_to_end(&mut bytes)
    });
    file.map_err(|e| Failure::usage(format!("{}: {e}", path.display()), next))?;
    Ok(bytes)
}

/// Writes a file that was not there.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })
    .map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::configuration(
        format!("{}: {error}", path.display()),
        "choose another --out; existing files are kept",
    )
}
