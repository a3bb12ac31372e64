//! `ukehi audit disclose` and `check-disclosure`: one command in clear, for somebody else's eyes.

use super::connect::load_trust;
use super::output::Output;
use super::passphrase;
use super::progress::Progress;
use crate::audit::disclosure::{CheckOptions, Disclosure, MAX_DISCLOSURE_BYTES, prepare};
use crate::batch::{CircuitKind, Header, kind_of};
use crate::error::{ExitCode, Failure};
use crate::params::{epoch_scalar, load_open};
use clap::Args;
use serde::Serialize;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use ukehi_circuits::shape::Form;
use ukehi_keys::{EpochSecret, keystore, params as files};

#[derive(Args, Debug)]
pub struct DiscloseArgs {
    /// An exported bundle that holds the entry.
    pub bundle: PathBuf,
    /// The entry's index in the log.
    #[arg(long)]
    pub entry: u64,
    /// Which of its commands, counted from 0.
    #[arg(long, default_value_t = 0)]
    pub slot: u8,
    /// A directory laid out like a testnet's `client/`, or the epoch's key file.
    #[arg(long)]
    pub keys: PathBuf,
    /// Proving parameters with the cluster's circuits.
    #[arg(long)]
    pub params: PathBuf,
    /// For whom; a proof made for one audience is none for another. Without it: for anyone.
    #[arg(long, default_value = "")]
    pub audience: String,
    /// Where to write it; must not exist.
    #[arg(long)]
    pub out: PathBuf,
    /// Check the result against this trust root before it is written.
    #[arg(long)]
    pub trust: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    pub disclosure: PathBuf,
    #[arg(long)]
    pub trust: PathBuf,
    /// Accept only a disclosure made for exactly this audience.
    #[arg(long)]
    pub audience: Option<String>,
    #[arg(long)]
    pub allow_insecure_setup: bool,
}

#[derive(Serialize)]
struct Made {
    schema: &'static str,
    disclosure: String,
    entry: u64,
    slot: u8,
    audience: String,
    bytes: usize,
    /// Whether it was checked against a trust root before it was written.
    checked: bool,
}

pub fn disclose(args: &DiscloseArgs, output: &Output) -> Result<(), Failure> {
    let trust = args.trust.as_deref().map(load_trust).transpose()?;
    // Refused before anything is proven: a disclosure in the wrong place cannot be taken back.
    if args.out.exists() {
        return Err(Failure::usage(
            format!("{} exists", args.out.display()),
            "name a new file with --out",
        ));
    }
    let mut progress = Progress::new("disclose", 4);
    let prepared = prepare(BufReader::new(open(&args.bundle)?), args.entry)?;
    progress.set(1);
    let header = prepared.batch().header.clone();
    let form = form(&args.params, &header)?;
    let secret = epoch_scalar(&secret(&args.keys, &header)?);
    let registered = match &trust {
        Some(trust) => Some(prepared.present_circuits(trust)?),
        None => None,
    };
    let circuit = load_open(&args.params, form.shape.class(), registered.as_deref())?;
    progress.set(2);
    let unproven = prepared.open(form, secret, args.slot, &args.audience)?;
    let (statement, witness) = unproven.parts();
    let proof = circuit
        .prove(statement, witness)
        .map_err(Failure::runtime)?;
    let disclosure = unproven.finish(circuit.id, &proof);
    progress.set(3);
    if let Some(trust) = &trust {
        // Whatever the checker would say, the reader hears before anybody else does.
        let options = CheckOptions {
            allow_insecure_setup: true,
            audience: Some(args.audience.clone()),
        };
        disclosure.check(trust, &options)?;
    }
    let json = disclosure.to_json();
    write(&args.out, &json)?;
    progress.set(4);
    progress.finish();
    let made = Made {
        schema: "ukehi/disclosed/v1",
        disclosure: args.out.display().to_string(),
        entry: args.entry,
        slot: args.slot,
        audience: args.audience.clone(),
        bytes: json.len(),
        checked: trust.is_some(),
    };
    output.show(&made, |m| {
        let whom = match &m.audience[..] {
            "" => "anyone".to_owned(),
            text => format!("{text:?}"),
        };
        format!(
            "entry {}, slot {} in clear, with its proof, for {whom} -> {}\nWhoever has this file can read that command. Check it: ukehi audit check-disclosure {} --trust TRUST.json",
            m.entry, m.slot, m.disclosure, m.disclosure
        )
    });
    Ok(())
}

pub fn check(args: &CheckArgs, output: &Output) -> Result<(), Failure> {
    let trust = load_trust(&args.trust)?;
    let options = CheckOptions {
        allow_insecure_setup: args.allow_insecure_setup,
        audience: args.audience.clone(),
    };
    let disclosed = Disclosure::from_json(&read(&args.disclosure)?)?.check(&trust, &options)?;
    output.show(&disclosed, |d| d.in_words());
    Ok(())
}

/// The form of the batch's circuit, from the manifests beside the proving parameters.
fn form(params: &Path, header: &Header) -> Result<Form, Failure> {
    let manifests = files::list(params)
        .map_err(|e| Failure::configuration(e, "name the cluster's parameters with --params"))?;
    let manifest = manifests.iter().find(|m| m.circuit_id() == header.circuit);
    match manifest.map(kind_of) {
        Some(Ok(CircuitKind::Seal(form))) => Ok(form),
        _ => Err(Failure::new(
            ExitCode::Untrusted,
            format!(
                "circuit {} of the batch is not in {}",
                header.circuit,
                params.display()
            ),
            "name the cluster's parameters with --params",
        )),
    }
}

/// The epoch's secret, out of a directory like a testnet's `client/` or a key file.
fn secret(keys: &Path, header: &Header) -> Result<EpochSecret, Failure> {
    let (file, directory): (PathBuf, &Path) = if keys.is_dir() {
        let name = format!("{}-{}.key", header.keyspace, header.epoch);
        (keys.join("epochs").join(name), keys)
    } else {
        (keys.to_owned(), keys.parent().unwrap_or(Path::new(".")))
    };
    let pass = passphrase::obtain(Some(&directory.join("pass")))?;
    Ok(keystore::load(&file, &pass)?)
}

/// Readable by its owner alone, and never over another file: it holds a plaintext.
fn write(path: &Path, json: &str) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(json.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|e| {
        Failure::new(
            ExitCode::Runtime,
            format!("{}: {e}", path.display()),
            "choose another --out or free disk space",
        )
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |e: std::io::Error| {
        Failure::usage(
            format!("{}: {e}", path.display()),
            "name a disclosure's JSON file",
        )
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_DISCLOSURE_BYTES as u64 {
        return Err(Failure::usage(
            format!("{} is {size} bytes long", path.display()),
            "name a disclosure's JSON file",
        ));
    }
    fs::read_to_string(path).map_err(unreadable)
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|e| {
        Failure::usage(
            format!("{}: {e}", path.display()),
            "name an exported bundle",
        )
    })
}
