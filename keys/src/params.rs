//! The directory of Groth16 parameters: per circuit a manifest (`seal-1-short-opaque.json`) and
//! beside it the proving key (`.pk`).
//!
//! Invariants: 1. the manifest is written last, so one that is there names a whole proving key;
//! 2. nothing is returned that does not match its digest, its length and its circuit id.
//! Knows nothing of Groth16, and not whether a circuit counts: genesis says so.

use crate::disk::{self, Audience, Existing, FileFault};
use crate::manifest::{CircuitParts, CircuitShape, Manifest, ParamsFault, expect};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A manifest is a few KiB, most of it the verifying key.
pub const MAX_MANIFEST_BYTES: u64 = 256 * 1024;
/// The proving key of the largest shape is far below this (1 GiB).
pub const MAX_PROVING_KEY_BYTES: u64 = 1 << 30;

/// A file of the parameters directory cannot be used.
#[derive(Debug, Error)]
#[error("{}: {fault}", path.display())]
pub struct ParamsError {
    pub path: PathBuf,
    pub fault: ParamsFault,
}

/// Writes a new circuit's parameters; the directory must exist.
///
/// # Errors
/// [`FileFault::Exists`] if the directory holds this circuit's manifest already; nothing is
/// changed then. Else [`ParamsFault::Name`] or what writing met.
pub fn write(
    directory: &Path,
    parts: CircuitParts,
    proving_key: &[u8],
) -> Result<Manifest, ParamsError> {
    put(directory, parts, proving_key, Existing::Keep)
}

/// As [`write()`], in place of the parameters of the same shape.
///
/// # Errors
/// As [`write()`], except that existing files are no error.
pub fn replace(
    directory: &Path,
    parts: CircuitParts,
    proving_key: &[u8],
) -> Result<Manifest, ParamsError> {
    put(directory, parts, proving_key, Existing::Replace)
}

/// Manifest and proving key, both verified.
///
/// # Errors
/// [`FileFault::Missing`], [`ParamsFault::Damaged`] and the rest of [`ParamsFault`].
pub fn load(directory: &Path, shape: &CircuitShape) -> Result<(Manifest, Vec<u8>), ParamsError> {
    let manifest = load_manifest_only(directory, shape)?;
    let proving_key = load_proving_key(directory, &manifest)?;
    Ok((manifest, proving_key))
}

/// For whoever only verifies: the manifest, its circuit id recomputed.
///
/// # Errors
/// As [`load`].
pub fn load_manifest_only(directory: &Path, shape: &CircuitShape) -> Result<Manifest, ParamsError> {
    let path = manifest_path(directory, shape)?;
    let manifest = read_manifest(&path)?;
    if manifest.shape() != shape {
        let differs = ParamsFault::Damaged {
            what: "the shape",
            expected: format!("{shape:?}"),
            found: format!("{:?}", manifest.shape()),
        };
        return at(&path, Err(differs));
    }
    Ok(manifest)
}

/// The proving key a manifest names, its length and digest verified.
///
/// # Errors
/// As [`load`].
pub fn load_proving_key(directory: &Path, manifest: &Manifest) -> Result<Vec<u8>, ParamsError> {
    let named = manifest.proving_key();
    let path = directory.join(&named.file);
    let bytes = disk::read(&path, MAX_PROVING_KEY_BYTES, Audience::Everybody);
    let checked = bytes.map_err(ParamsFault::from).and_then(|bytes| {
        expect("the length in bytes", named.length, bytes.len())?;
        let digest = blake3::hash(&bytes).to_hex();
        expect("the BLAKE3 digest", hex::encode(named.blake3), digest)?;
        Ok(bytes)
    });
    at(&path, checked)
}

/// The manifests of all circuits in the directory (`*.json`), sorted by path.
///
/// # Errors
/// The first one that is not sound: a node must not start with fewer circuits than it was given.
pub fn list(directory: &Path) -> Result<Vec<Manifest>, ParamsError> {
    let paths = disk::files_named(directory, "json").map_err(ParamsFault::from);
    at(directory, paths)?
        .iter()
        .map(|path| {
            let manifest = read_manifest(path)?;
            let stem = at(path, manifest.shape().file_stem())?;
            let found = path.file_stem().unwrap_or_default().to_string_lossy();
            at(path, expect("the file's name", stem, found))?;
            Ok(manifest)
        })
        .collect()
}

fn at<T>(path: &Path, outcome: Result<T, ParamsFault>) -> Result<T, ParamsError> {
    outcome.map_err(|fault| ParamsError {
        path: path.to_owned(),
        fault,
    })
}

fn manifest_path(directory: &Path, shape: &CircuitShape) -> Result<PathBuf, ParamsError> {
    let stem = at(directory, shape.file_stem())?;
    Ok(directory.join(format!("{stem}.json")))
}

fn read_manifest(path: &Path) -> Result<Manifest, ParamsError> {
    let bytes = disk::read(path, MAX_MANIFEST_BYTES, Audience::Everybody);
    at(
        path,
        bytes
            .map_err(ParamsFault::from)
            .and_then(|bytes| Manifest::from_json(&bytes)),
    )
}

fn put(
    directory: &Path,
    parts: CircuitParts,
    proving_key: &[u8],
    existing: Existing,
) -> Result<Manifest, ParamsError> {
    let manifest_path = manifest_path(directory, &parts.shape)?;
    let manifest = at(&manifest_path, Manifest::new(parts, proving_key))?;
    let too_large = |what: u64, limit| match what > limit {
        true => Err(FileFault::TooLarge { found: what, limit }.into()),
        false => Ok(()),
    };
    let json = manifest.to_json();
    let key_path = directory.join(&manifest.proving_key().file);
    let key_length = proving_key.len() as u64;
    at(&key_path, too_large(key_length, MAX_PROVING_KEY_BYTES))?;
    at(
        &manifest_path,
        too_large(json.len() as u64, MAX_MANIFEST_BYTES),
    )?;
    if existing == Existing::Keep && manifest_path.symlink_metadata().is_ok() {
        return at(&manifest_path, Err(FileFault::Exists.into()));
    }
    // A crash after this leaves a proving key without a manifest, which the next `write` replaces;
    // when replacing, a key that the old manifest does not match, which `load` calls damaged.
    let key_written = disk::write(
        &key_path,
        proving_key,
        Audience::Everybody,
        Existing::Replace,
    );
    at(&key_path, key_written.map_err(ParamsFault::from))?;
    let manifest_written = disk::write(&manifest_path, &json, Audience::Everybody, existing);
    at(&manifest_path, manifest_written.map_err(ParamsFault::from))?;
    Ok(manifest)
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
