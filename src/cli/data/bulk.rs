//! Values too long for a slot: encrypted into a file here, sent to the nodes, fetched back.
//!
//! Crash points: a ciphertext stays in `client/bulk` until the receipt of the batch that names it
//! verified, so that the next `put` can send it again; what no batch under way names goes at the
//! next start. Plaintext is only ever written under its final name, whole and checked.

use crate::api::MAX_BULK_PART_BYTES;
use crate::batch::{BulkReference, SealedBatch};
use crate::cli::connect::Place;
use crate::cli::progress::Progress;
use crate::client::remote::Endpoint;
use crate::client::transfer::{self, TransferError};
use crate::client::{BulkBody, Opened};
use crate::error::{ExitCode, Failure};
use crate::ids::NodeId;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use ukehi_keys::AuthorKey;
use ukehi_keys::stream::{self, MAX_PLAINTEXT_BYTES, StreamError};

const EXTENSION: &str = "bulk";

/// Ciphertexts on their way to the nodes.
pub struct BulkOutbox {
    dir: PathBuf,
}

impl BulkOutbox {
    /// Opens the directory; what no batch of `pending` names was left by a crash and goes.
    pub fn open(dir: &Path, pending: &[(SealedBatch, Vec<u8>)]) -> Result<Self, Failure> {
        let outbox = Self {
            dir: dir.to_owned(),
        };
        let named: BTreeSet<PathBuf> = pending
            .iter()
            .flat_map(|(batch, _)| batch.bulk.iter().flatten())
            .map(|reference| outbox.path(reference))
            .collect();
        let clean = || {
            fs::create_dir_all(dir)?;
            for entry in fs::read_dir(dir)? {
                let path = entry?.path();
                if path.is_file() && !named.contains(&path) {
                    fs::remove_file(path)?;
                }
            }
            Ok(())
        };
        clean().map_err(|e| unusable(dir, &e))?;
        Ok(outbox)
    }

    fn path(&self, reference: &BulkReference) -> PathBuf {
        let name = hex::encode(reference.digest);
        self.dir.join(format!("{name}.{EXTENSION}"))
    }

    /// Encrypts a value under a fresh key; the ciphertext is on disk when this returns.
    pub fn seal(
        &self,
        key: &str,
        value: &mut dyn Read,
    ) -> Result<(BulkReference, BulkBody), Failure> {
        let mut file = NamedTempFile::new_in(&self.dir).map_err(|e| unusable(&self.dir, &e))?;
        let mut output = BufWriter::with_capacity(MAX_BULK_PART_BYTES, file.as_file_mut());
        let sealed = stream::seal(value, &mut output).map_err(|e| not_sealed(key, &e))?;
        let flushed = output.flush();
        drop(output);
        let (reference, body) = BulkBody::of(sealed);
        let path = self.path(&reference);
        flushed
            .and_then(|()| file.as_file().sync_all())
            .and_then(|()| file.persist(&path).map(drop).map_err(|e| e.error))
            .map_err(|e| unusable(&path, &e))?;
        Ok((reference, body))
    }

    /// Sends a ciphertext to the nodes until a majority of the voters has it on disk. `Ok` as well
    /// if it is not here any more: then it was sent before.
    pub async fn send(
        &self,
        place: &Network,
        author: &AuthorKey,
        reference: BulkReference,
    ) -> Result<(), Failure> {
        let path = self.path(&reference);
        if !path.exists() {
            return Ok(());
        }
        let nodes = place.endpoints.len() as u64;
        let mut progress = Progress::bytes("upload", reference.length * nodes);
        let uploaded = transfer::upload(
            place.cluster,
            &place.endpoints,
            place.majority,
            author,
            reference,
            &path,
            |bytes| progress.add(bytes),
        )
        .await?;
        progress.finish();
        if !uploaded.without.is_empty() {
            eprintln!(
                "stored at {} of {nodes} nodes; without it: {}",
                uploaded.nodes.len(),
                uploaded.without.join("; ")
            );
        }
        Ok(())
    }

    /// The batch's outcome is known: its ciphertexts are not needed here any more.
    pub fn forget(&self, batch: &SealedBatch) -> Result<(), Failure> {
        for reference in batch.bulk.iter().flatten() {
            let path = self.path(reference);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(unusable(&path, &e));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whom to send to and ask.
pub struct Network {
    cluster: crate::ids::ClusterId,
    endpoints: Vec<Endpoint>,
    majority: usize,
}

impl Network {
    pub fn of(place: &Place) -> Self {
        Self {
            cluster: place.trust.genesis.cluster_id(),
            endpoints: place.endpoints.clone(),
            majority: place.trust.genesis.majority(),
        }
    }

    /// Fetches, checks and decrypts a bulk value into `out`, which appears whole or not at all.
    /// Returns its length in bytes.
    pub async fn fetch(&self, opened: &Opened, out: &Path) -> Result<u64, Failure> {
        let (reference, body) = bulk_of(opened)?;
        let directory = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let cannot = |e: std::io::Error| unusable(out, &e);
        let mut ciphertext = tempfile::tempfile_in(directory).map_err(cannot)?;
        self.download(reference, &mut ciphertext).await?;
        ciphertext.seek(SeekFrom::Start(0)).map_err(cannot)?;
        // Mode 0600, and removed when dropped: only a checked value gets its name.
        let mut plain = NamedTempFile::new_in(directory).map_err(cannot)?;
        decrypt(&body, &mut ciphertext, plain.as_file_mut()).map_err(|e| match e {
            StreamError::Write(e) | StreamError::Read(e) => cannot(e),
            other => Failure::new(
                ExitCode::Tampered,
                format!(
                    "entry {}: its bulk value does not open: {other}",
                    opened.index
                ),
                "its author made it so, no node did: ask the author for the value",
            ),
        })?;
        let saved = plain.as_file().sync_all();
        saved.map_err(cannot)?;
        plain.persist(out).map_err(|e| cannot(e.error))?;
        Ok(body.plaintext_bytes)
    }

    /// The nodes that say they do not have a ciphertext; who does not answer joins `unreachable`.
    pub async fn lacking(
        &self,
        reference: BulkReference,
        unreachable: &mut Vec<NodeId>,
    ) -> Vec<Endpoint> {
        let mut lacking = Vec::new();
        for endpoint in &self.endpoints {
            // Asked once: each question to a silent node takes its time.
            if unreachable.contains(&endpoint.node) {
                continue;
            }
            match transfer::has(self.cluster, endpoint, reference).await {
                Ok(true) => {}
                Ok(false) => lacking.push(endpoint.clone()),
                Err(_) => unreachable.push(endpoint.node),
            }
        }
        lacking
    }

    /// Fetches a ciphertext from whoever has it, and sends it to these nodes.
    pub async fn give(
        &self,
        author: &AuthorKey,
        reference: BulkReference,
        to: &[Endpoint],
    ) -> Result<(), Failure> {
        let cannot = |e: std::io::Error| unusable(&std::env::temp_dir(), &e);
        let mut file = NamedTempFile::new().map_err(cannot)?;
        self.download(reference, file.as_file_mut()).await?;
        let sent = transfer::upload(
            self.cluster,
            to,
            to.len(),
            author,
            reference,
            file.path(),
            |_| {},
        );
        sent.await?;
        Ok(())
    }

    async fn download(&self, reference: BulkReference, file: &mut File) -> Result<(), Failure> {
        let mut progress = Progress::bytes("download", reference.length);
        let altered =
            transfer::download(self.cluster, &self.endpoints, reference, file, |received| {
                progress.set(received)
            })
            .await?;
        progress.finish();
        for node in altered {
            eprintln!("warning: node {node} gave an altered bulk value; another had the right one");
        }
        Ok(())
    }
}

fn decrypt(body: &BulkBody, input: &mut File, output: &mut File) -> Result<(), StreamError> {
    stream::open(&body.key, &body.digest, body.plaintext_bytes, input, output)
}

/// What a slot says of its bulk value.
pub fn bulk_of(opened: &Opened) -> Result<(BulkReference, BulkBody), Failure> {
    let reference = opened.bulk.ok_or_else(|| {
        Failure::runtime(format!(
            "entry {}: the value is not a bulk value",
            opened.index
        ))
    })?;
    let body = BulkBody::decode(opened.body.as_bytes(), &reference).map_err(|e| {
        Failure::new(
            ExitCode::Tampered,
            format!("entry {}: {e}", opened.index),
            "its author made it so, no node did: ask the author for the value",
        )
    })?;
    Ok((reference, body))
}

fn not_sealed(key: &str, error: &StreamError) -> Failure {
    match error {
        StreamError::TooLong { .. } => Failure::new(
            ExitCode::Refused,
            format!("key {key:?}: {error}"),
            format!("a bulk value has at most {MAX_PLAINTEXT_BYTES} bytes (16 MiB): split it"),
        ),
        _ => Failure::runtime(format!("key {key:?}: {error}")),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::runtime(format!("{}: {error}", path.display()))
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let (code, next) = match &error {
            TransferError::TooFew { .. } => (
                ExitCode::Unavailable,
                "name the testnet with --dir, so that all nodes are asked; check `ukehi status` \
                 and put again: nothing was written to the log",
            ),
            TransferError::Altered { .. } => (
                ExitCode::Tampered,
                "do not trust these nodes; ask the others once they answer",
            ),
            TransferError::Absent { .. } => (
                ExitCode::Unavailable,
                "a node that was down during the upload lacks the value: try again when all are up, then `ukehi bulk repair`",
            ),
            TransferError::Io { .. } => (ExitCode::Runtime, "check the disk"),
        };
        Failure::new(code, error, next)
    }
}
