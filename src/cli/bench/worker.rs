//! Our prover as a process that the suite starts and asks, like every peer.

use crate::error::Failure;
use std::io;
use std::path::Path;
use ukehi_provers::iden3::json;
use ukehi_suite::ours::Ours;
use ukehi_suite::protocol::InstanceFiles;
use ukehi_suite::worker::serve;

const USAGE: &str = "serve R1CS ZKEY DIGEST WTNS, or once THREADS R1CS ZKEY DIGEST WTNS PROOF PUBLIC";

pub fn run(words: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", r1cs, zkey, digest, wtns] => {
            let files = files(r1cs, zkey, digest, wtns);
            serve(|| Ours::load(&files), io::stdin().lock(), io::stdout().lock()).map_err(Failure::runtime)
        }
        ["once", threads, r1cs, zkey, digest, wtns, proof, public] => {
            let threads = threads.parse().map_err(|e| Failure::usage(format!("THREADS: {e}"), USAGE))?;
            once(threads, &files(r1cs, zkey, digest, wtns), proof.as_ref(), public.as_ref())
        }
        _ => Err(Failure::usage("not what the suite says to a worker", USAGE)),
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

fn once(threads: usize, files: &InstanceFiles, proof: &Path, public: &Path) -> Result<(), Failure> {
    let ours = Ours::load_cold(files).map_err(Failure::runtime)?;
    let proven = ours.proof(threads).map_err(Failure::runtime)?;
    for (path, bytes) in [
        (proof, json::write_proof(&proven)),
        (public, json::write_public(ours.inputs())),
    ] {
        let written = std::fs::write(path, bytes);
        written.map_err(|e| Failure::runtime(format!("{}: {e}", path.display())))?;
    }
    Ok(())
}
