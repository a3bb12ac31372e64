//! Files read within a bound and written whole.
//!
//! Invariants: 1. no read takes more memory than its bound; 2. after a crash a path holds its old
//! content, or the new one, never a part of it.
//! Knows nothing of what the files hold.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;
use thiserror::Error;

/// What can be wrong with a file before its content is looked at.
#[derive(Debug, Error)]
pub enum FileFault {
    #[error("there is no such file")]
    Missing,
    #[error("there is such a file already; it was left as it is")]
    Exists,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it has {found} bytes, at most {limit} allowed")]
    TooLarge { found: u64, limit: u64 },
    #[error("its mode {mode:03o} lets others open it: run `chmod 600` on it")]
    TooOpen { mode: u32 },
    #[error("cannot {doing} it: {source}")]
    Io {
        doing: &'static str,
        source: io::Error,
    },
}

impl FileFault {
    fn reading(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io {
                doing: "read",
                source,
            },
        }
    }
}

/// Whom a file's mode may admit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Owner,
    Everybody,
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// The whole file, if it has at most `limit` bytes and admits no more than `audience`.
pub(crate) fn read(path: &Path, limit: u64, audience: Audience) -> Result<Vec<u8>, FileFault> {
    // Before opening: opening a FIFO waits for a writer.
    regular(&std::fs::metadata(path).map_err(FileFault::reading)?)?;
    let file = File::open(path).map_err(FileFault::reading)?;
    // Again, on the handle: between the two calls the path may have come to mean another file.
    let metadata = file.metadata().map_err(FileFault::reading)?;
    regular(&metadata)?;
    if audience == Audience::Owner {
        owner_only(&metadata)?;
    }
    read_within(file, metadata.len(), limit)
}

fn regular(metadata: &Metadata) -> Result<(), FileFault> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(FileFault::NotAFile)
    }
}

#[cfg(unix)]
fn owner_only(metadata: &Metadata) -> Result<(), FileFault> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(FileFault::TooOpen { mode })
    }
}

#[cfg(not(unix))]
fn owner_only(_: &Metadata) -> Result<(), FileFault> {
    Ok(())
}

/// Reads to the end; `announced` is the length the file claims, which may grow meanwhile.
fn read_within(file: File, announced: u64, limit: u64) -> Result<Vec<u8>, FileFault> {
    let check = |found: u64| match found > limit {
        true => Err(FileFault::TooLarge { found, limit }),
        false => Ok(()),
    };
    check(announced)?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(FileFault::reading)?;
    check(bytes.len() as u64)?;
    Ok(bytes)
}

/// Writes the file whole; its mode admits no more than `audience`.
pub(crate) fn write(
    path: &Path,
    bytes: &[u8],
    audience: Audience,
    existing: Existing,
) -> Result<(), FileFault> {
    let failed = |source| FileFault::Io {
        doing: "write",
        source,
    };
    let directory = directory_of(path);
    let mut temporary = new_temporary(directory, audience).map_err(failed)?;
    temporary.write_all(bytes).map_err(failed)?;
    // A crash before the rename leaves a stray temporary file; the data must be durable before
    // the name is, or a crash after the rename could leave an empty file under it.
    temporary.as_file().sync_all().map_err(failed)?;
    let persisted = match existing {
        Existing::Keep => temporary.persist_noclobber(path),
        Existing::Replace => temporary.persist(path),
    };
    persisted.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => FileFault::Exists,
        _ => failed(error.error),
    })?;
    // Without this a power cut could take the name away again.
    sync_directory(directory).map_err(failed)
}

/// Overwrites the file with zeros, then removes it. Where the file system or the disk writes to
/// new places, what stood there before may remain.
pub(crate) fn destroy(path: &Path) -> Result<(), FileFault> {
    let failed = |source| FileFault::Io {
        doing: "overwrite",
        source,
    };
    let metadata = std::fs::symlink_metadata(path).map_err(FileFault::reading)?;
    regular(&metadata)?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(failed)?;
    io::copy(&mut io::repeat(0).take(metadata.len()), &mut file).map_err(failed)?;
    // Durable before the name goes: else the zeros may never reach the disk.
    file.sync_all().map_err(failed)?;
    std::fs::remove_file(path).map_err(failed)?;
    sync_directory(directory_of(path)).map_err(failed)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn new_temporary(directory: &Path, audience: Audience) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match audience {
        Audience::Owner => 0o600,
        Audience::Everybody => 0o644,
    };
    tempfile::Builder::new()
        .prefix(".ukehi-")
        .suffix(".tmp")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(directory)
}

#[cfg(not(unix))]
fn new_temporary(directory: &Path, _: Audience) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".ukehi-")
        .suffix(".tmp")
        .tempfile_in(directory)
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The files of a directory whose name ends in `.extension`, sorted; hidden ones left out.
pub(crate) fn files_named(
    directory: &Path,
    extension: &str,
) -> Result<Vec<std::path::PathBuf>, FileFault> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(FileFault::reading)? {
        let path = entry.map_err(FileFault::reading)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn what_was_written_is_read_back_up_to_the_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, b"12345", Audience::Owner, Existing::Keep).unwrap();
        assert_eq!(read(&path, 5, Audience::Owner).unwrap(), b"12345");
        assert!(matches!(
            read(&path, 3, Audience::Owner),
            Err(FileFault::TooLarge { found: 5, limit: 3 })
        ));
        assert_eq!(names(dir.path()), ["f"], "no temporary file stays behind");
    }

    #[test]
    fn a_file_that_grows_after_its_length_was_read_stays_within_the_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, &[0; 100], Audience::Owner, Existing::Keep).unwrap();
        let outcome = read_within(File::open(&path).unwrap(), 1, 10);
        assert!(matches!(
            outcome,
            Err(FileFault::TooLarge { found: 11, .. })
        ));
    }

    #[test]
    fn a_file_is_replaced_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, b"old", Audience::Owner, Existing::Keep).unwrap();
        let refused = write(&path, b"new", Audience::Owner, Existing::Keep);
        assert!(matches!(refused, Err(FileFault::Exists)));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        write(&path, b"new", Audience::Owner, Existing::Replace).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["f"], "no temporary file stays behind");
    }

    #[test]
    fn a_missing_file_and_a_directory_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let missing = read(&dir.path().join("f"), 9, Audience::Owner);
        assert!(matches!(missing, Err(FileFault::Missing)));
        let directory = read(dir.path(), 9, Audience::Owner);
        assert!(matches!(directory, Err(FileFault::NotAFile)));
    }

    #[cfg(unix)]
    #[test]
    fn an_owners_file_is_created_with_mode_600_and_refused_with_any_wider_one() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, b"x", Audience::Owner, Existing::Keep).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            let wide = 0o600 | bit;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wide)).unwrap();
            match read(&path, 9, Audience::Owner) {
                Err(FileFault::TooOpen { mode }) => assert_eq!(mode, wide),
                _ => panic!("mode {wide:o} was accepted"),
            }
            assert!(read(&path, 9, Audience::Everybody).is_ok());
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path, 9, Audience::Owner).is_ok());
    }
}
