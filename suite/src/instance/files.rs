//! An instance's files, made once and kept: `circuit.r1cs`, `circuit.zkey`, `witness.wtns`, `verification_key.json`,
//! `public.json`, and `instance.json` with their digests.
//!
//! Invariants: 1. `instance.json` is written last, so files that it names are whole; 2. files that no longer have the
//! digests it gives are not used. Keys come from an insecure development set-up: whoever made them could forge.

use super::{Facts, Instance};
use crate::judge::Judge;
use crate::protocol::InstanceFiles;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use ukehi_provers::R1cs;
use ukehi_provers::ceremony::insecure_dev_zkey;
use ukehi_provers::groth16::{Assignment, insecure_dev_setup};
use ukehi_provers::iden3::{FileError, Zkey, json, read_r1cs, read_wtns, write_r1cs, write_wtns};

const SCHEMA: &str = "ukehi/bench-instance/v1";
const MARK: &str = "instance.json";
const R1CS: &str = "circuit.r1cs";
const ZKEY: &str = "circuit.zkey";
const WTNS: &str = "witness.wtns";
const KEY: &str = "verification_key.json";
const PUBLIC: &str = "public.json";

#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: FileError },
    #[error("{0} changed since it was made: remove its directory to have it made again")]
    Changed(PathBuf),
    #[error("{path}: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("the circuit cannot be made: {0}")]
    Circuit(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    schema: String,
    facts: Facts,
    /// BLAKE3 of each file, in hex.
    digests: Vec<(String, String)>,
}

/// An instance on disk.
pub struct OnDisk {
    pub name: String,
    pub facts: Facts,
    pub files: InstanceFiles,
    pub judge: Judge,
}

/// The instance's files in `directory`/`name`, made by `make` if they are not there.
///
/// # Errors
/// [`InstanceError`]; files that were changed are not made anew behind the user's back.
pub fn on_disk(
    directory: &Path,
    name: &str,
    make: impl FnOnce() -> Result<Instance, String>,
) -> Result<OnDisk, InstanceError> {
    let directory = directory.join(name);
    if !directory.join(MARK).exists() {
        let instance = make().map_err(InstanceError::Circuit)?;
        write(&directory, &instance)?;
    }
    read(&directory, name)
}

/// What is known of an instance that was made before; nothing of its files is read.
pub fn known_facts(directory: &Path, name: &str) -> Option<Facts> {
    let mark = fs::read(directory.join(name).join(MARK)).ok()?;
    serde_json::from_slice::<Mark>(&mark)
        .ok()
        .map(|mark| mark.facts)
}

/// What a prover takes.
pub struct Loaded {
    pub zkey: Zkey,
    pub r1cs: R1cs,
    pub assignment: Assignment,
}

/// Reads an instance whose key is known by its digest: its points are not checked.
pub fn load(files: &InstanceFiles) -> Result<Loaded, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let open = |path: &Path| match File::open(path) {
        Ok(file) => Ok(BufReader::new(file)),
        Err(e) => Err(format!("{}: {e}", path.display())),
    };
    let mut digest = [0; 32];
    hex::decode_to_slice(&files.zkey_digest, &mut digest).map_err(|e| text(&e))?;
    Ok(Loaded {
        r1cs: read_r1cs(open(&files.r1cs)?).map_err(|e| text(&e))?,
        zkey: Zkey::read_known(open(&files.zkey)?, &digest).map_err(|e| text(&e))?,
        assignment: read_wtns(open(&files.wtns)?).map_err(|e| text(&e))?,
    })
}

fn read(directory: &Path, name: &str) -> Result<OnDisk, InstanceError> {
    let mark = directory.join(MARK);
    let damaged = |path: &Path, reason: String| InstanceError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let read: Mark = serde_json::from_slice(&fs::read(&mark).map_err(at(&mark))?)
        .map_err(|e| damaged(&mark, e.to_string()))?;
    if read.schema != SCHEMA {
        return Err(damaged(&mark, format!("schema {:?}", read.schema)));
    }
    for (file, digest) in &read.digests {
        let path = directory.join(file);
        if digest_of(&path)? != *digest {
            return Err(InstanceError::Changed(path));
        }
    }
    let bytes = |file: &str| {
        let path = directory.join(file);
        fs::read(&path).map_err(at(&path))
    };
    let key = json::read_verifying_key(&bytes(KEY)?);
    let key = key.map_err(|e| damaged(&directory.join(KEY), e.to_string()))?;
    let inputs = json::read_public(&bytes(PUBLIC)?);
    let inputs = inputs.map_err(|e| damaged(&directory.join(PUBLIC), e.to_string()))?;
    let zkey_digest = read.digests.iter().find(|(file, _)| file == ZKEY);
    let zkey_digest = zkey_digest
        .map(|(_, digest)| digest.clone())
        .unwrap_or_default();
    Ok(OnDisk {
        name: name.to_owned(),
        facts: read.facts,
        files: InstanceFiles {
            r1cs: directory.join(R1CS),
            zkey: directory.join(ZKEY),
            zkey_digest,
            wtns: directory.join(WTNS),
        },
        judge: Judge::new(&key, inputs),
    })
}

fn write(directory: &Path, instance: &Instance) -> Result<(), InstanceError> {
    if let Some(row) = instance
        .r1cs
        .first_unsatisfied(instance.assignment.as_slice())
    {
        return Err(InstanceError::Circuit(format!(
            "its assignment breaks row {row}"
        )));
    }
    fs::create_dir_all(directory).map_err(at(directory))?;
    let set_up = insecure_dev_setup(&instance.r1cs, |_| {});
    let (key, verifying_key) = set_up.map_err(|e| InstanceError::Circuit(e.to_string()))?;
    let zkey = insecure_dev_zkey(&key, &instance.r1cs).expect("the key was made for it");
    drop(key);
    let values = instance.assignment.as_slice();
    put(directory, R1CS, |out| write_r1cs(&instance.r1cs, out))?;
    put(directory, ZKEY, |out| zkey.write(out))?;
    put(directory, WTNS, |out| write_wtns(values, out))?;
    for (file, bytes) in [
        (KEY, json::write_verifying_key(&verifying_key)),
        (PUBLIC, json::write_public(instance.inputs())),
    ] {
        let path = directory.join(file);
        fs::write(&path, bytes).map_err(at(&path))?;
    }
    let digest = |file: &&str| Ok(((*file).to_owned(), digest_of(&directory.join(file))?));
    let mark = Mark {
        schema: SCHEMA.to_owned(),
        facts: instance.facts(),
        digests: [R1CS, ZKEY, WTNS, KEY, PUBLIC]
            .iter()
            .map(digest)
            .collect::<Result<_, _>>()?,
    };
    let (draft, path) = (directory.join("instance.json.draft"), directory.join(MARK));
    let json = serde_json::to_vec_pretty(&mark).expect("plain data");
    fs::write(&draft, json).map_err(at(&draft))?;
    fs::rename(&draft, &path).map_err(at(&path))
}

type Sink = BufWriter<File>;

fn put(
    directory: &Path,
    file: &str,
    write: impl FnOnce(Sink) -> Result<Sink, FileError>,
) -> Result<(), InstanceError> {
    let path = directory.join(file);
    let sink = BufWriter::new(File::create(&path).map_err(at(&path))?);
    let written = write(sink).map_err(|source| InstanceError::File {
        path: path.clone(),
        source,
    })?;
    let mut file = written
        .into_inner()
        .map_err(|e| at(&path)(e.into_error()))?;
    file.flush().and_then(|()| file.rewind()).map_err(at(&path))
}

fn digest_of(path: &Path) -> Result<String, InstanceError> {
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(at(path))?;
    hasher
        .update_reader(BufReader::new(file))
        .map_err(at(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> InstanceError {
    let path = path.to_owned();
    move |source| InstanceError::Io { path, source }
}
