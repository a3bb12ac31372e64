//! The directory's files: written under another name, made durable, then named; found by their numbers.

use super::Stage;
use super::announcement::is_name;
use super::error::CeremonyError;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use ukehi_provers::ceremony::insecure_dev_powers;
use ukehi_provers::iden3::{FileError, Ptau, Zkey, write_ptau};

pub(super) const ANNOUNCEMENT: &str = "ceremony.json";
pub(super) const CIRCUIT: &str = "circuit.r1cs";
pub(super) const POWERS: &str = "powers.ptau";
pub(super) const INITIAL: &str = "initial";
pub(super) const BEACON: &str = "beacon";
/// Of an announcement or an attestation.
const MAX_JSON_BYTES: u64 = 256 * 1024;

pub(super) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> CeremonyError + '_ {
    move |source| CeremonyError::Io {
        path: path.to_owned(),
        source,
    }
}

pub(super) fn file_at(path: &Path) -> impl FnOnce(FileError) -> CeremonyError + '_ {
    move |source| CeremonyError::File {
        path: path.to_owned(),
        source,
    }
}

/// A file that was not there before, whole or not at all.
pub(super) fn write_new(
    path: &Path,
    content: impl FnOnce(&mut File) -> Result<(), FileError>,
) -> Result<(), CeremonyError> {
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    give_name(temporary(path, content)?, path)
}

/// As [`write_new`], and no error if the file is there with this very content: an announcement that was interrupted
/// is made again.
pub(super) fn write_same(
    path: &Path,
    content: impl FnOnce(&mut File) -> Result<(), FileError>,
) -> Result<(), CeremonyError> {
    let written = temporary(path, content)?;
    if path.symlink_metadata().is_err() {
        return give_name(written, path);
    }
    match digest(path)? == digest(written.path())? {
        true => Ok(()),
        false => Err(exists(path)),
    }
}

fn exists(path: &Path) -> CeremonyError {
    CeremonyError::Exists {
        path: path.to_owned(),
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary(
    path: &Path,
    content: impl FnOnce(&mut File) -> Result<(), FileError>,
) -> Result<NamedTempFile, CeremonyError> {
    let mut temporary = tempfile::Builder::new()
        .prefix(".ukehi-")
        .suffix(".tmp")
        .tempfile_in(directory_of(path))
        .map_err(io_at(path))?;
    content(temporary.as_file_mut()).map_err(file_at(path))?;
    readable_by_all(temporary.as_file()).map_err(io_at(path))?;
    // A crash before the name is given leaves a stray temporary file and everything else as it was; the bytes
    // must be durable before the name is.
    temporary.as_file().sync_all().map_err(io_at(path))?;
    Ok(temporary)
}

fn give_name(temporary: NamedTempFile, path: &Path) -> Result<(), CeremonyError> {
    temporary
        .persist_noclobber(path)
        .map_err(|e| match e.error.kind() {
            ErrorKind::AlreadyExists => exists(path),
            _ => io_at(path)(e.error),
        })?;
    // Without this a power cut could take the name away again.
    File::open(directory_of(path))
        .and_then(|d| d.sync_all())
        .map_err(io_at(path))
}

fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

pub(super) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), CeremonyError> {
    write_new(path, |file| Ok(io::Write::write_all(file, bytes)?))
}

pub(super) fn read_json(path: &Path) -> Result<Vec<u8>, CeremonyError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io_at(path))?;
    file.take(MAX_JSON_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io_at(path))?;
    if bytes.len() as u64 > MAX_JSON_BYTES {
        let limit = FileError::Limit {
            what: "its length in bytes",
            found: bytes.len() as u64,
            limit: MAX_JSON_BYTES,
        };
        return Err(file_at(path)(limit));
    }
    Ok(bytes)
}

/// Plain BLAKE3, read in pieces.
pub(super) fn digest(path: &Path) -> Result<[u8; 32], CeremonyError> {
    let file = File::open(path).map_err(io_at(path))?;
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(BufReader::new(file))
        .map_err(io_at(path))?;
    Ok(hasher.finalize().into())
}

pub(super) fn read_zkey(path: &Path) -> Result<Zkey, CeremonyError> {
    Zkey::read(File::open(path).map_err(io_at(path))?).map_err(file_at(path))
}

pub(super) fn write_zkey(path: &Path, zkey: &Zkey) -> Result<(), CeremonyError> {
    write_new(path, |file| zkey.write(file).map(|_| ()))
}

/// Opens a file of powers of τ; only its shape is checked.
///
/// # Errors
/// [`CeremonyError::File`], [`CeremonyError::Io`].
pub fn read_powers(path: &Path) -> Result<Ptau<File>, CeremonyError> {
    Ptau::open(File::open(path).map_err(io_at(path))?).map_err(file_at(path))
}

/// Makes a new file of powers of τ for development. INSECURE: whoever runs it could know τ.
///
/// # Errors
/// [`CeremonyError`]; an existing file is left as it is.
pub fn write_powers(
    path: &Path,
    power: u32,
    report: super::Report<'_>,
) -> Result<(), CeremonyError> {
    if path.symlink_metadata().is_ok() {
        return Err(CeremonyError::Exists {
            path: path.to_owned(),
        });
    }
    let content =
        insecure_dev_powers(power, &mut |done, total| report(Stage::Powers, done, total))?;
    write_new(path, |file| write_ptau(&content, file).map(|_| ()))
}

/// One step's key file: `NNNN_name.zkey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepFile {
    pub index: usize,
    pub name: String,
}

impl StepFile {
    pub(super) fn zkey(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{:04}_{}.zkey", self.index, self.name))
    }

    pub(super) fn attestation(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{:04}_{}.json", self.index, self.name))
    }

    fn parse(file_name: &str) -> Option<Self> {
        let (index, name) = file_name.strip_suffix(".zkey")?.split_once('_')?;
        let digits = index.len() == 4 && index.bytes().all(|b| b.is_ascii_digit());
        (digits && is_name(name)).then(|| Self {
            index: index.parse().expect("four digits"),
            name: name.into(),
        })
    }
}

/// The steps so far, by their numbers from 0, which is the initial key.
pub(super) fn steps(directory: &Path) -> Result<Vec<StepFile>, CeremonyError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io_at(directory))? {
        let name = entry.map_err(io_at(directory))?.file_name();
        found.extend(name.to_str().and_then(StepFile::parse));
    }
    found.sort_by(|a, b| (a.index, &a.name).cmp(&(b.index, &b.name)));
    for pair in found.windows(2) {
        if pair[0].index == pair[1].index {
            return Err(CeremonyError::Forked {
                index: pair[0].index,
                first: pair[0].name.clone(),
                second: pair[1].name.clone(),
            });
        }
    }
    Ok(found)
}
