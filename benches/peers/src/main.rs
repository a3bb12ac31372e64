//! `ukehi-peers PROVER serve R1CS ZKEY DIGEST WTNS`: the prover answers requests, its instance loaded once.
//! `ukehi-peers PROVER once THREADS R1CS ZKEY DIGEST WTNS PROOF PUBLIC`: one proof, written as snarkjs writes it.
//! `ukehi-peers list`: what there is.
//!
//! DIGEST is the BLAKE3 of the zkey file, whose points are then not checked: nobody's reading is what is compared.

mod ark;
mod instance;
mod reduction;
mod taceo;
mod threads;

use ark_bn254::Fr;
use instance::Instance;
use std::path::Path;
use std::process::ExitCode;
use ukehi_provers::groth16::Groth16Proof;
use ukehi_provers::iden3::json;
use ukehi_suite::protocol::InstanceFiles;
use ukehi_suite::worker::{Warm, serve};

/// Names on the command line and in results.
const PROVERS: [&str; 3] = [ark::SHIPPED, ark::CACHED, taceo::NAME];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), String> {
    match words {
        [list] if list == "list" => {
            println!("{}", PROVERS.join("\n"));
            Ok(())
        }
        [prover, mode, rest @ ..] if mode == "serve" => match rest {
            [r1cs, zkey, digest, wtns] => {
                let files = files(r1cs, zkey, digest, wtns);
                serve(
                    || load(prover, &files),
                    std::io::stdin().lock(),
                    std::io::stdout().lock(),
                )
            }
            _ => Err("serve takes R1CS ZKEY DIGEST WTNS".into()),
        },
        [prover, mode, rest @ ..] if mode == "once" => match rest {
            [threads, r1cs, zkey, digest, wtns, proof, public] => {
                let threads = threads.parse().map_err(|_| "THREADS is a number")?;
                once(
                    prover,
                    threads,
                    &files(r1cs, zkey, digest, wtns),
                    proof.as_ref(),
                    public.as_ref(),
                )
            }
            _ => Err("once takes THREADS R1CS ZKEY DIGEST WTNS PROOF PUBLIC".into()),
        },
        _ => Err(format!(
            "usage: ukehi-peers list | PROVER serve|once ...; provers: {}",
            PROVERS.join(", ")
        )),
    }
}

fn files(r1cs: &str, zkey: &str, digest: &str, wtns: &str) -> InstanceFiles {
    InstanceFiles {
        r1cs: r1cs.into(),
        zkey: zkey.into(),
        zkey_digest: digest.to_owned(),
        wtns: wtns.into(),
    }
}

/// Chosen at run time.
type Boxed = Box<dyn Peer>;

/// A prover of this package.
pub trait Peer: Warm {
    /// The statement.
    fn inputs(&self) -> &[Fr];
}

fn load(prover: &str, files: &InstanceFiles) -> Result<Boxed, String> {
    let instance = Instance::load(files)?;
    match prover {
        ark::SHIPPED => Ok(Box::new(ark::Shipped::new(instance))),
        ark::CACHED => Ok(Box::new(ark::Cached::new(instance))),
        taceo::NAME => Ok(Box::new(taceo::Taceo::new(instance))),
        other => Err(format!(
            "no prover {other:?}; there are {}",
            PROVERS.join(", ")
        )),
    }
}

fn once(
    prover: &str,
    threads: usize,
    files: &InstanceFiles,
    proof: &Path,
    public: &Path,
) -> Result<(), String> {
    let prover = load(prover, files)?;
    let proven = prover.prove(threads)?;
    let made = Groth16Proof::from_bytes(&proven.proof).map_err(|e| e.to_string())?;
    for (path, bytes) in [
        (proof, json::write_proof(&made)),
        (public, json::write_public(prover.inputs())),
    ] {
        std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}
