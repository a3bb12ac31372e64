//! Key files on disk: [`AuthorKey`], [`NodeKey`], [`OperatorKey`], [`EpochSecret`], [`RouteKey`]
//! and [`ReaderKey`], each in a file `*.key` of its own, mode 0600, encrypted.
//!
//! Invariants: 1. a key file is never overwritten by [`save`]; 2. a file that others can open is
//! not used; 3. a loaded secret belongs to the public part its file shows.
//! Knows nothing of terminals, of time, or of which key is used for what.

use crate::disk::{self, Audience, Existing, FileFault};
use crate::kdf::KdfParams;
use crate::key_file::{KeyFault, KeyFile, KeyKind, MAX_KEY_FILE_BYTES};
use crate::passphrase::Passphrase;
use crate::stored::StoredKey;
use crate::{AuthorKey, EpochSecret, NodeKey, OperatorKey, ReaderKey, RouteKey};
use std::path::{Path, PathBuf};
use thiserror::Error;

pub use crate::kdf::KdfCost;

/// Key files end in `.key`: that is how [`list`] finds them.
pub const EXTENSION: &str = "key";

/// A key file, or the directory of them, cannot be used.
#[derive(Debug, Error)]
#[error("{}: {fault}", path.display())]
pub struct KeystoreError {
    pub path: PathBuf,
    pub fault: KeyFault,
}

/// What a key file shows without a passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFileInfo {
    pub kind: KeyKind,
    /// Hex of the public key; of a route key, its [fingerprint](crate::RouteKey::fingerprint).
    pub public: String,
    pub path: PathBuf,
}

/// The key files of a directory, sorted by path.
#[derive(Debug, Default)]
pub struct Listing {
    pub keys: Vec<KeyFileInfo>,
    /// Files named `*.key` that cannot be used, and why.
    pub refused: Vec<KeystoreError>,
}

/// Encrypts a key into a new file; the directory must exist.
///
/// # Errors
/// [`FileFault::Exists`] if there is a file of that name, which is then left as it is;
/// [`KeyFault::Name`] if it does not end in `.key`; else what writing it met.
pub fn save<K: StoredKey>(
    path: &Path,
    key: &K,
    passphrase: &Passphrase,
    cost: KdfCost,
) -> Result<(), KeystoreError> {
    at(path, write(path, key, passphrase, cost, Existing::Keep))
}

/// As [`save`], and whatever key the file held before is gone: a new passphrase or cost for the
/// same key, or a deliberate loss.
///
/// # Errors
/// As [`save`], except that an existing file is no error.
pub fn replace<K: StoredKey>(
    path: &Path,
    key: &K,
    passphrase: &Passphrase,
    cost: KdfCost,
) -> Result<(), KeystoreError> {
    at(path, write(path, key, passphrase, cost, Existing::Replace))
}

/// Opens a key file: `load::<AuthorKey>(path, &passphrase)`.
///
/// # Errors
/// [`KeyFault`]: of note [`KeyFault::WrongPassphrase`], [`KeyFault::Damaged`],
/// [`KeyFault::WrongKind`] and [`FileFault::TooOpen`].
pub fn load<K: StoredKey>(path: &Path, passphrase: &Passphrase) -> Result<K, KeystoreError> {
    at(path, read(path).and_then(|file| open(&file, passphrase)))
}

macro_rules! by_name {
    ($($save:ident, $load:ident: $key:ty;)*) => {$(
        /// [`save`] for this kind of key.
        ///
        /// # Errors
        /// As [`save`].
        pub fn $save(
            path: &Path,
            key: &$key,
            passphrase: &Passphrase,
            cost: KdfCost,
        ) -> Result<(), KeystoreError> {
            save(path, key, passphrase, cost)
        }

        /// [`load`] for this kind of key.
        ///
        /// # Errors
        /// As [`load`].
        pub fn $load(path: &Path, passphrase: &Passphrase) -> Result<$key, KeystoreError> {
            load(path, passphrase)
        }
    )*};
}

by_name! {
    save_author, load_author: AuthorKey;
    save_node, load_node: NodeKey;
    save_operator, load_operator: OperatorKey;
    save_epoch, load_epoch: EpochSecret;
    save_route, load_route: RouteKey;
    save_reader, load_reader: ReaderKey;
}

/// What one key file shows without its passphrase.
///
/// # Errors
/// As [`load`], except what takes a passphrase to find out.
pub fn inspect(path: &Path) -> Result<KeyFileInfo, KeystoreError> {
    let file = at(path, read(path))?;
    Ok(KeyFileInfo {
        kind: file.kind,
        public: hex::encode(&file.public),
        path: path.to_owned(),
    })
}

/// Destroys a key file: overwritten, then removed. Copies elsewhere, and what a journal, a
/// snapshot or the disk itself kept of it, are out of this function's reach.
///
/// # Errors
/// [`FileFault`]; a file that is no key file of kind `K` is left as it is.
pub fn destroy<K: StoredKey>(path: &Path) -> Result<(), KeystoreError> {
    at(path, destroy_file::<K>(path))
}

/// [`inspect`] for each file named `*.key`; one bad file does not hide the others.
///
/// # Errors
/// If the directory itself cannot be read.
pub fn list(directory: &Path) -> Result<Listing, KeystoreError> {
    let mut listing = Listing::default();
    let paths = disk::files_named(directory, EXTENSION).map_err(KeyFault::from);
    for path in at(directory, paths)? {
        match inspect(&path) {
            Ok(info) => listing.keys.push(info),
            Err(error) => listing.refused.push(error),
        }
    }
    Ok(listing)
}

fn at<T>(path: &Path, outcome: Result<T, KeyFault>) -> Result<T, KeystoreError> {
    outcome.map_err(|fault| KeystoreError {
        path: path.to_owned(),
        fault,
    })
}

fn write<K: StoredKey>(
    path: &Path,
    key: &K,
    passphrase: &Passphrase,
    cost: KdfCost,
    existing: Existing,
) -> Result<(), KeyFault> {
    if path.extension().is_none_or(|found| found != EXTENSION) {
        return Err(KeyFault::Name);
    }
    // Before the derivation's second of work; the write itself decides (another may be faster).
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(FileFault::Exists.into());
    }
    let file = KeyFile::seal(
        K::KIND,
        &key.public_part(),
        &key.secret_part(),
        passphrase,
        KdfParams::new(cost)?,
    )?;
    disk::write(path, &file.to_bytes(), Audience::Owner, existing)?;
    Ok(())
}

fn destroy_file<K: StoredKey>(path: &Path) -> Result<(), KeyFault> {
    let found = read(path)?.kind;
    if found != K::KIND {
        return Err(KeyFault::WrongKind {
            expected: K::KIND,
            found,
        });
    }
    Ok(disk::destroy(path)?)
}

fn read(path: &Path) -> Result<KeyFile, KeyFault> {
    KeyFile::from_bytes(&disk::read(path, MAX_KEY_FILE_BYTES, Audience::Owner)?)
}

fn open<K: StoredKey>(file: &KeyFile, passphrase: &Passphrase) -> Result<K, KeyFault> {
    if file.kind != K::KIND {
        return Err(KeyFault::WrongKind {
            expected: K::KIND,
            found: file.kind,
        });
    }
    let secret = file.open(passphrase)?;
    K::from_secret_part(&secret)
        .filter(|key| key.public_part() == file.public)
        .ok_or(KeyFault::Mismatch)
}

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
