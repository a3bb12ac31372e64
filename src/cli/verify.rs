//! `ukehi verify`: a proof in snarkjs's files, in place of `snarkjs groth16 verify`.

use super::output::Output;
use super::snarkjs::read;
use crate::error::{ExitCode, Failure};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use ukehi_provers::groth16::{PreparedVerifyingKey, VerifyError, verify};
use ukehi_provers::iden3::json::{self, JsonError};

const ORDER: &str = "give VK.json PUBLIC.json PROOF.json, in this order";

#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The verification key. Whoever made it alone can forge proofs that pass.
    #[arg(value_name = "VK.json")]
    pub key: PathBuf,
    /// The public inputs the proof is said to be of.
    #[arg(value_name = "PUBLIC.json")]
    pub public: PathBuf,
    #[arg(value_name = "PROOF.json")]
    pub proof: PathBuf,
}

#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    verified: bool,
    public_inputs: usize,
    /// BLAKE3 of the key in this crate's encoding: tells two keys apart, whatever their JSON looks like.
    key_digest: String,
}

pub fn run(args: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let key = decoded(&args.key, json::read_verifying_key)?;
    let inputs = decoded(&args.public, json::read_public)?;
    let proof = decoded(&args.proof, json::read_proof)?;
    verify(&PreparedVerifyingKey::new(&key), &inputs, &proof).map_err(|error| {
        let next = match &error {
            VerifyError::InputCount { .. } => "give the public inputs written beside this proof",
            VerifyError::Rejected => "do not rely on this proof; ask its maker for it again",
        };
        Failure::new(ExitCode::ProofInvalid, error, next)
    })?;
    let verified = Verified {
        schema: "ukehi/verify/v1",
        verified: true,
        public_inputs: inputs.len(),
        key_digest: hex::encode(key.digest()),
    };
    output.show(&verified, |v| {
        format!(
            "OK: the proof verifies for the {} public inputs under this key.\nWho made the key, and what the inputs mean, is yours to know.",
            v.public_inputs
        )
    });
    Ok(())
}

fn decoded<T>(path: &Path, decode: fn(&[u8]) -> Result<T, JsonError>) -> Result<T, Failure> {
    decode(&read(path, ORDER)?).map_err(|error| {
        let (code, next) = match &error {
            // Another of the three files is JSON, too, but not of these members.
            JsonError::Malformed { .. } => (ExitCode::Tampered, ORDER),
            JsonError::Key(_) => (
                ExitCode::Untrusted,
                "do not use this key: anyone could forge proofs under it",
            ),
            _ => (
                ExitCode::Tampered,
                "write the file again, with snarkjs or `ukehi prove`",
            ),
        };
        Failure::new(code, format!("{}: {error}", path.display()), next)
    })
}
