//! `ukehi prove`: a proof of any circom circuit from its key and a witness, in place of rapidsnark's prover.

use super::output::Output;
use super::progress::Progress;
use crate::error::{ExitCode, Failure};
use crate::params;
use clap::Args;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ukehi_provers::groth16::{Cores, KeyError, ProveError, Prover, ZkeyProverError};
use ukehi_provers::iden3::{FileError, Zkey, file_digest, json, read_r1cs, read_wtns};

/// Keys from this many bytes on take long enough to be watched.
const WATCHED_FROM: u64 = 16 << 20;

#[derive(Args, Debug)]
pub struct ProveArgs {
    /// The proving key. Whoever made it alone can forge proofs under it.
    #[arg(value_name = "CIRCUIT.zkey")]
    pub zkey: PathBuf,
    /// The witness. Keep it as secret as what it holds.
    #[arg(value_name = "WITNESS.wtns")]
    pub witness: PathBuf,
    /// Where the proof goes; replaced if there.
    #[arg(value_name = "PROOF.json")]
    pub proof: PathBuf,
    /// Where the public inputs go; replaced if there.
    #[arg(value_name = "PUBLIC.json")]
    pub public: PathBuf,
    /// The circuit's constraints: the key is compared with them, and a witness that breaks one is told which.
    #[arg(long, value_name = "FILE")]
    pub r1cs: Option<PathBuf>,
    /// Do not check the points of a key with this BLAKE3 digest: you checked it before, or know who did.
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub trusted_digest: Option<[u8; 32]>,
}

#[derive(Serialize)]
struct Proven {
    schema: &'static str,
    proof: String,
    public: String,
    public_inputs: usize,
    variables: usize,
    domain: u32,
    zkey_digest: String,
    points_checked: bool,
    reading_ms: u64,
    proving_ms: u64,
}

pub fn run(args: &ProveArgs, output: &Output) -> Result<(), Failure> {
    // The work behind the proofs begins with a second one: this process makes one.
    let options = params::default_options()?;
    let start = Instant::now();
    let (zkey, digest) = read_key(&args.zkey, args.trusted_digest.as_ref())?;
    let domain = zkey.header.domain_size;
    let prover = match &args.r1cs {
        None => Prover::from_zkey(zkey, options),
        Some(path) => {
            let r1cs = read_r1cs(open(path)?).map_err(|e| unreadable(path, e))?;
            Prover::from_zkey_and_r1cs(zkey, Arc::new(r1cs), options)
        }
    };
    let prover = prover.map_err(|e| unusable(&args.zkey, e))?;
    let assignment = read_wtns(open(&args.witness)?).map_err(|e| unreadable(&args.witness, e))?;
    let reading = start.elapsed();

    let start = Instant::now();
    let assignment = assignment.as_slice();
    let proof = prover.prove(assignment, Cores::All)?;
    let proving = start.elapsed();
    let statement = prover.statement(assignment)?;
    write(&args.proof, &json::write_proof(&proof))?;
    write(&args.public, &json::write_public(statement))?;

    let proven = Proven {
        schema: "ukehi/prove/v1",
        proof: args.proof.display().to_string(),
        public: args.public.display().to_string(),
        public_inputs: statement.len(),
        variables: assignment.len(),
        domain,
        zkey_digest: hex::encode(digest),
        points_checked: args.trusted_digest.is_none(),
        reading_ms: milliseconds(reading),
        proving_ms: milliseconds(proving),
    };
    output.show(&proven, |p| {
        let again = match p.points_checked {
            true => format!(
                "Every point of the key was checked; next time skip that with --trusted-digest {}",
                p.zkey_digest
            ),
            false => "The key's points were not checked: its digest is the given one.".to_owned(),
        };
        format!(
            "proof {} of the {} public inputs {}, verified: {} ms to read, {} ms to prove\n{again}",
            p.proof, p.public_inputs, p.public, p.reading_ms, p.proving_ms
        )
    });
    Ok(())
}

/// The key, and the digest it has.
fn read_key(path: &Path, trusted: Option<&[u8; 32]>) -> Result<(Zkey, [u8; 32]), Failure> {
    let failed = |e| unreadable(path, e);
    let mut file = open(path)?;
    let (zkey, digest) = match trusted {
        Some(digest) => (Zkey::read_known(file, digest), *digest),
        None => {
            let digest = file_digest(&mut file).map_err(failed)?;
            let length = file.seek(SeekFrom::End(0)).map_err(|e| failed(e.into()))?;
            let mut watched = Watched::new(file, length);
            let zkey = Zkey::read(&mut watched);
            watched.finish(zkey.is_ok());
            (zkey, digest)
        }
    };
    Ok((zkey.map_err(failed)?, digest))
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|e| {
        let next = "give CIRCUIT.zkey WITNESS.wtns PROOF.json PUBLIC.json, in this order";
        Failure::usage(format!("{}: {e}", path.display()), next)
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|e| {
        let next = "give a path in a directory that exists and that you may write to";
        Failure::configuration(format!("{}: {e}", path.display()), next)
    })
}

fn digest(text: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest)
        .map_err(|_| "a BLAKE3 digest is 64 hex digits".to_owned())?;
    Ok(digest)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn unreadable(path: &Path, error: FileError) -> Failure {
    use FileError as E;
    let (code, next) = match &error {
        E::Io(_) => (ExitCode::Runtime, "check the file and the disk"),
        E::Kind { .. } => (
            ExitCode::Usage,
            "give CIRCUIT.zkey WITNESS.wtns PROOF.json PUBLIC.json, in this order",
        ),
        E::Curve | E::ProofSystem { .. } | E::Version { .. } => (
            ExitCode::Refused,
            "compile for bn128, circom's default, and set up for Groth16: nothing else is proven here",
        ),
        E::Digest { .. } => (
            ExitCode::Untrusted,
            "leave out --trusted-digest to have every point checked, or fetch the file you meant",
        ),
        _ => (
            ExitCode::Tampered,
            "the file is damaged or cut short: copy it again, or make it again",
        ),
    };
    Failure::new(code, format!("{}: {error}", path.display()), next)
}

fn unusable(zkey: &Path, error: ZkeyProverError) -> Failure {
    let (code, next) = match error {
        ZkeyProverError::File(error) => return unreadable(zkey, error),
        ZkeyProverError::Key(KeyError::Shape { .. }) | ZkeyProverError::OtherCircuit { .. } => (
            ExitCode::Configuration,
            "give the --r1cs that this key was made from, of the same compilation",
        ),
        ZkeyProverError::Key(KeyError::GammaIsDelta) => (
            ExitCode::Untrusted,
            "nobody has contributed to this key: `snarkjs zkey contribute OLD.zkey NEW.zkey`, then export its verification key",
        ),
        ZkeyProverError::Key(_) => (ExitCode::Untrusted, "do not use this key"),
    };
    Failure::new(code, format!("{}: {error}", zkey.display()), next)
}

impl From<ProveError> for Failure {
    fn from(error: ProveError) -> Self {
        use ProveError as E;
        let (code, next) = match &error {
            E::AssignmentLength { .. } => (
                ExitCode::Configuration,
                "compute the witness with the circuit this key was made for",
            ),
            E::KeyOfAnotherCircuit { .. } => {
                (ExitCode::Configuration, "use the key made for this circuit")
            }
            E::NoConstant => (ExitCode::Tampered, "compute the witness again"),
            E::Unsatisfied { .. } => (
                ExitCode::ProofInvalid,
                "compute the witness again; constraints are counted from 0, `snarkjs r1cs print` lists them",
            ),
            E::ProofRejected => (
                ExitCode::ProofInvalid,
                "give --r1cs FILE to learn whether the witness or the key is wrong",
            ),
            E::SelfCheckFailed => (
                ExitCode::Tampered,
                "do not use this key: `ukehi keys ceremony verify --zkey K --r1cs C --ptau P` says what is wrong with it",
            ),
            E::Unblindable => (
                ExitCode::Refused,
                "this witness cannot be proven without showing it; change an input",
            ),
            E::Randomness(_) => (ExitCode::Runtime, "try again"),
        };
        Failure::new(code, error, next)
    }
}

/// A large file whose reading is shown.
struct Watched {
    file: File,
    at: u64,
    bar: Option<Progress>,
}

impl Watched {
    fn new(file: File, length: u64) -> Self {
        let watched = length >= WATCHED_FROM;
        Self {
            file,
            at: 0,
            bar: watched.then(|| Progress::bytes("checking key", length)),
        }
    }

    /// After a failure the bar stays where it was, above the error.
    fn finish(self, done: bool) {
        if let (Some(bar), true) = (self.bar, done) {
            bar.finish();
        }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.at += length as u64;
        if let Some(bar) = &mut self.bar {
            bar.set(self.at);
        }
        Ok(length)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}
