//! Opening a store directory: whose it is, whether it is whole, and RocksDB's settings.
//!
//! Invariant: a directory is written to only after its cluster and format are known to be ours.

use super::checksum;
use crate::ids::{ClusterId, ShardId};
use crate::kv::{Column, shard_key};
use crate::wire::{Reader, WireError, Writer};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    ErrorKind, IteratorMode, LogLevel, Options, WriteOptions,
};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How keys and values are laid out. Raised when an older program could not read them.
pub const FORMAT_VERSION: u32 = 3;

/// Under [`Column::Meta`] and no shard (`u32::MAX`): cluster id and format version.
pub const IDENTITY_KEY_SUFFIX: &[u8] = b"store-identity";

// Sized for three nodes on one machine of 24 GiB, and values of a few hundred bytes to 256 KiB.
const BLOCK_CACHE_BYTES: usize = 64 << 20;
const WRITE_BUFFER_BYTES: usize = 16 << 20;
const ALL_WRITE_BUFFERS_BYTES: usize = 64 << 20;
/// A rarely written column pins the log files behind it; beyond this it is flushed.
const WAL_BYTES: u64 = 128 << 20;
const OPEN_FILES: i32 = 256;
const BACKGROUND_JOBS: i32 = 2;
const BLOOM_BITS_PER_KEY: f64 = 10.0;
/// RocksDB's own text logs.
const LOG_FILES: usize = 4;
const LOG_FILE_BYTES: usize = 4 << 20;

/// Why a store directory cannot be opened, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    #[error("{path} is in use by another process: stop it, or give this node its own directory")]
    InUse { path: PathBuf },
    #[error(
        "{path} belongs to cluster {found}, this node to {expected}: give it another directory"
    )]
    OtherCluster {
        path: PathBuf,
        expected: ClusterId,
        found: ClusterId,
    },
    #[error("{path} has format {found}, this program reads {expected}: use the matching release")]
    OtherFormat {
        path: PathBuf,
        expected: u32,
        found: u32,
    },
    #[error(
        "the write-ahead log in {path} stops within a record ({reason}), and more is missing than \
         a crash can take: keep a copy of the directory; the cluster goes on with a majority of \
         its nodes"
    )]
    Torn { path: PathBuf, reason: String },
    #[error(
        "{path} is damaged ({reason}): keep a copy and check the disk; the cluster goes on \
         with a majority of its nodes"
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("{path} holds no store: check the path; a node that never ran has none")]
    Empty { path: PathBuf },
    #[error("the disk of {path} is full ({reason}): free some space and start again")]
    Full { path: PathBuf, reason: String },
    #[error("{path} cannot be opened: {reason}")]
    Io { path: PathBuf, reason: String },
}

/// How much of the write-ahead log has to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// All of it, to the last byte.
    Whole,
    /// It ends before the first record that is not: for a caller who knows what must be there.
    ToFirstFault,
}

pub(super) fn open(path: &Path, cluster: ClusterId, replay: Replay) -> Result<DB, OpenError> {
    std::fs::create_dir_all(path).map_err(|error| OpenError::Io {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let db = DB::open_cf_descriptors(&db_options(replay), path, families())
        .map_err(|error| classify(path, error))?;
    claim(&db, path, cluster)?;
    Ok(db)
}

/// Opens a store that exists, and writes nothing; the write-ahead log is replayed in memory.
pub(super) fn open_read_only(
    path: &Path,
    cluster: ClusterId,
    replay: Replay,
) -> Result<DB, OpenError> {
    let mut options = db_options(replay);
    options.create_if_missing(false);
    options.create_missing_column_families(false);
    let db = DB::open_cf_descriptors_read_only(&options, path, families(), false)
        .map_err(|error| classify(path, error))?;
    match check_identity(&db, path, cluster)? {
        true => Ok(db),
        false => Err(OpenError::Empty {
            path: path.to_owned(),
        }),
    }
}

fn families() -> [ColumnFamilyDescriptor; Column::ALL.len()] {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    Column::ALL
        .map(|column| ColumnFamilyDescriptor::new(column.name(), column_family_options(&cache)))
}

/// Compares the directory's identity with ours; writes ours into an empty one.
fn claim(db: &DB, path: &Path, cluster: ClusterId) -> Result<(), OpenError> {
    if check_identity(db, path, cluster)? {
        return Ok(());
    }
    let key = identity_key();
    let meta = db
        .cf_handle(Column::Meta.name())
        .expect("open created every column family");
    let value = checksum::seal(Column::Meta, &key, &encode_identity(cluster));
    let mut options = WriteOptions::default();
    options.set_sync(true);
    db.put_cf_opt(meta, &key, value, &options)
        .map_err(|e| classify(path, e))
}

/// Whether the store is ours (`true`) or empty; anything else is an error.
fn check_identity(db: &DB, path: &Path, cluster: ClusterId) -> Result<bool, OpenError> {
    let key = identity_key();
    let meta = db
        .cf_handle(Column::Meta.name())
        .expect("open created every column family");
    let stored = db.get_cf(meta, &key).map_err(|e| classify(path, e))?;
    let damaged = |reason: String| OpenError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let Some(stored) = stored else {
        // A crash between making the files and writing the identity leaves an empty store. One
        // with rows and no identity is something else.
        return match is_empty(db, path)? {
            true => Ok(false),
            false => Err(damaged("its identity is missing".to_owned())),
        };
    };
    let identity =
        checksum::open(Column::Meta, &key, stored).map_err(|error| damaged(error.to_string()))?;
    let (format, found) = decode_identity(&identity).map_err(|error| damaged(error.to_string()))?;
    if format != FORMAT_VERSION {
        return Err(OpenError::OtherFormat {
            path: path.to_owned(),
            expected: FORMAT_VERSION,
            found: format,
        });
    }
    if found != cluster {
        return Err(OpenError::OtherCluster {
            path: path.to_owned(),
            expected: cluster,
            found,
        });
    }
    Ok(true)
}

fn identity_key() -> Vec<u8> {
    shard_key(ShardId(u32::MAX), IDENTITY_KEY_SUFFIX)
}

fn is_empty(db: &DB, path: &Path) -> Result<bool, OpenError> {
    for column in Column::ALL {
        let family = db
            .cf_handle(column.name())
            .expect("open created every column family");
        if let Some(row) = db.iterator_cf(family, IteratorMode::Start).next() {
            row.map_err(|e| classify(path, e))?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn encode_identity(cluster: ClusterId) -> Vec<u8> {
    let mut w = Writer::new();
    w.u32(FORMAT_VERSION).raw(&cluster.0);
    w.finish()
}

fn decode_identity(bytes: &[u8]) -> Result<(u32, ClusterId), WireError> {
    let mut r = Reader::new(bytes);
    let format = r.u32("format")?;
    let cluster = ClusterId(r.array("cluster")?);
    r.end()?;
    Ok((format, cluster))
}

/// RocksDB tells its errors apart by text only; these texts are held by tests/store_rocks.rs.
fn classify(path: &Path, error: rocksdb::Error) -> OpenError {
    let kind = error.kind();
    let reason = error.into_string();
    let path = path.to_owned();
    let says = |text: &str| reason.contains(text);
    match kind {
        ErrorKind::IOError if says("lock hold by current process") || says("While lock file") => {
            OpenError::InUse { path }
        }
        ErrorKind::IOError if says("No space left on device") => OpenError::Full { path, reason },
        ErrorKind::Corruption if says("truncated") || says("trailing data") => {
            OpenError::Torn { path, reason }
        }
        ErrorKind::Corruption => OpenError::Damaged { path, reason },
        _ => OpenError::Io { path, reason },
    }
}

/// The settings of the whole database.
fn db_options(replay: Replay) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // RocksDB's default drops whatever follows a bad record, acknowledged or not, without a word.
    options.set_wal_recovery_mode(match replay {
        Replay::Whole => DBRecoveryMode::AbsoluteConsistency,
        Replay::ToFirstFault => DBRecoveryMode::PointInTime,
    });
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_paranoid_checks(true);
    options.set_db_write_buffer_size(ALL_WRITE_BUFFERS_BYTES);
    options.set_max_total_wal_size(WAL_BYTES);
    options.set_max_open_files(OPEN_FILES);
    options.set_max_background_jobs(BACKGROUND_JOBS);
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(LOG_FILES);
    options.set_max_log_file_size(LOG_FILE_BYTES);
    options.set_log_level(LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    options
}

/// The settings of each column family; `cache` is shared by all of them.
fn column_family_options(cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    // Ciphertexts and hashes do not compress.
    options.set_compression_type(DBCompressionType::None);
    options
}
