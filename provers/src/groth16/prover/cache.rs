//! Derived keys on disk, so that they are derived once per key and not once per process.
//!
//! A file holds one [`super::fold::Fold`]: 16 bytes of magic, the circuit's digest and the verifying key's (32 each), the
//! number of points (u32, little-endian), the points (64 bytes each, uncompressed), then BLAKE3 of all before it.
//!
//! Invariants: 1. a file is written under another name, synced and renamed: it is whole or not there; 2. a damaged,
//! truncated or foreign file is as good as none; 3. the checksum only spares the work of checking damaged points.
//! A file from outside is no more trusted than a derivation gone wrong: its content is compared with the key by
//! the caller before it is used. Knows nothing of where the directory should be.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ark_bn254::G1Affine;
use rayon::prelude::*;

use crate::groth16::ProvingKey;
use crate::groth16::key_codec::decode_point;
use ark_serialize::{CanonicalSerialize, Compress};

const MAGIC: &[u8; 16] = b"ukehi/fold-l/v1\0";
const HEADER: usize = 16 + 32 + 32 + 4;
const POINT: usize = 64;
const CHECKSUM: usize = 32;

/// A directory of derived keys. It may be shared by processes, and deleted at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCache {
    directory: PathBuf,
}

impl TableCache {
    /// The directory is made when there is something to store.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The points stored for this key, if there are as many as `count` and the file is whole.
    pub(super) fn load(&self, key: &ProvingKey, count: usize) -> Option<Vec<G1Affine>> {
        let header = header(key, count);
        let length = HEADER + count * POINT + CHECKSUM;
        let mut file = File::open(self.path(&header)).ok()?;
        // Nothing is allocated for a file of another length.
        if file.metadata().ok()?.len() != length as u64 {
            return None;
        }
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).ok()?;
        let (body, checksum) = bytes.split_at(length - CHECKSUM);
        if !body.starts_with(&header) || blake3::hash(body).as_bytes() != checksum {
            return None;
        }
        body[HEADER..]
            .par_chunks_exact(POINT)
            .map(|bytes| decode_point(bytes, Compress::No).ok())
            .collect()
    }

    pub(super) fn store(&self, key: &ProvingKey, points: &[G1Affine]) -> io::Result<()> {
        let header = header(key, points.len());
        let mut bytes = Vec::with_capacity(HEADER + points.len() * POINT + CHECKSUM);
        bytes.extend_from_slice(&header);
        for point in points {
            point
                .serialize_uncompressed(&mut bytes)
                .expect("writing to memory cannot fail");
        }
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());

        fs::create_dir_all(&self.directory)?;
        let path = self.path(&header);
        // Two processes may derive the same key at once; each has its own unfinished file.
        let unfinished = path.with_extension(format!("{}.part", std::process::id()));
        let written = write(&unfinished, &bytes).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn path(&self, header: &[u8]) -> PathBuf {
        let name = blake3::derive_key("ukehi/provers/table-cache-name/v1", header);
        let name: String = name[..20].iter().map(|b| format!("{b:02x}")).collect();
        self.directory.join(name).with_extension("fold")
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn header(key: &ProvingKey, count: usize) -> Vec<u8> {
    let count = u32::try_from(count).expect("a circuit has under 2^32 variables");
    [
        &MAGIC[..],
        key.circuit(),
        key.verifying_key().digest(),
        &count.to_le_bytes(),
    ]
    .concat()
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
