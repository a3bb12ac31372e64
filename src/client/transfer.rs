//! Bulk ciphertexts on their way: to every node that can be reached, and back from the first that
//! has the right bytes.
//!
//! Invariants: 1. an upload counts for a node only once the node says it is on its disk; 2. a
//! download that returns `Ok` has the digest that was asked for. Knows nothing of content keys.

use super::remote::{Endpoint, Remote, RemoteError};
use crate::api::{BULK_UPLOAD_DOMAIN, MAX_BULK_PART_BYTES, Reply, Request};
use crate::batch::BulkReference;
use crate::ids::{ClusterId, NodeId};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use ukehi_keys::{AuthorId, AuthorKey};

/// For a node's first answer: one that is down must not hold up the others.
const FIRST_ANSWER: Duration = Duration::from_secs(4);
/// For each answer after it.
const NEXT_ANSWER: Duration = Duration::from_secs(20);
/// What slower nodes get once enough have the ciphertext.
const GRACE: Duration = Duration::from_secs(5);

/// Why a ciphertext is not where it should be.
#[derive(Debug, Error)]
pub enum TransferError {
    #[error("{stored} nodes have stored the bulk value, {needed} must: {reasons}")]
    TooFew {
        stored: usize,
        needed: usize,
        reasons: String,
    },
    /// No node gave the right bytes, and these gave wrong ones.
    #[error(
        "the bulk value that node {nodes} gave is not the one the entry names: its digest differs"
    )]
    Altered { nodes: String },
    #[error("no node has the bulk value: {reasons}")]
    Absent { reasons: String },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// What came of an upload.
pub struct Uploaded {
    pub nodes: Vec<NodeId>,
    /// Who does not have it, and why.
    pub without: Vec<String>,
}

/// Sends the ciphertext in `path` to all nodes at once. `progress` gets the bytes that some node
/// took since the last call.
///
/// # Errors
/// [`TransferError::TooFew`] unless `needed` nodes have it on disk.
pub async fn upload(
    cluster: ClusterId,
    endpoints: &[Endpoint],
    needed: usize,
    author: &AuthorKey,
    reference: BulkReference,
    path: &Path,
    mut progress: impl FnMut(u64),
) -> Result<Uploaded, TransferError> {
    let (took, mut taken) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for endpoint in endpoints {
        let upload = Upload {
            remote: Remote::new(cluster, vec![endpoint.clone()], FIRST_ANSWER),
            author: author.public(),
            signature: sign(author, cluster, endpoint.node, &reference),
            reference,
            path: path.to_owned(),
            took: took.clone(),
        };
        let node = endpoint.node;
        tasks.spawn(async move { (node, upload.run().await) });
    }
    drop(took);
    let mut uploaded = Uploaded {
        nodes: Vec::new(),
        without: Vec::new(),
    };
    let mut until = Instant::now() + Duration::from_secs(24 * 3600);
    loop {
        tokio::select! {
            biased;
            Some(bytes) = taken.recv() => progress(bytes),
            () = tokio::time::sleep_until(until) => break,
            ended = tasks.join_next() => match ended {
                Some(Ok((node, Ok(())))) => {
                    uploaded.nodes.push(node);
                    if uploaded.nodes.len() == needed {
                        until = Instant::now() + GRACE;
                    }
                }
                Some(Ok((node, Err(reason)))) => uploaded.without.push(format!("node {node}: {reason}")),
                Some(Err(panicked)) => uploaded.without.push(panicked.to_string()),
                None => break,
            },
        }
    }
    match uploaded.nodes.len() >= needed {
        true => Ok(uploaded),
        false => Err(TransferError::TooFew {
            stored: uploaded.nodes.len(),
            needed,
            reasons: uploaded.without.join("; "),
        }),
    }
}

fn sign(
    author: &AuthorKey,
    cluster: ClusterId,
    node: NodeId,
    reference: &BulkReference,
) -> [u8; 64] {
    let parts: [&[u8]; 4] = [
        &cluster.0,
        &node.0.to_le_bytes(),
        &reference.digest,
        &reference.length.to_le_bytes(),
    ];
    author.sign(BULK_UPLOAD_DOMAIN, &parts)
}

/// One node's upload.
struct Upload {
    remote: Remote,
    author: AuthorId,
    signature: [u8; 64],
    reference: BulkReference,
    path: PathBuf,
    took: mpsc::UnboundedSender<u64>,
}

impl Upload {
    async fn run(mut self) -> Result<(), RemoteError> {
        let (author, reference, signature) = (self.author, self.reference, self.signature);
        let begin = self.remote.ask(|_| Request::BulkBegin {
            author,
            reference,
            signature,
        });
        let token = match begin.await? {
            (_, Reply::BulkStored) => {
                let _ = self.took.send(reference.length);
                return Ok(());
            }
            (_, Reply::BulkReady { token }) => token,
            (node, other) => return Err(unexpected(node, &other)),
        };
        self.remote.set_timeout(NEXT_ANSWER);
        let unreadable = |e: io::Error| RemoteError::Refused {
            reason: format!("the ciphertext cannot be read here: {e}"),
        };
        let mut file = File::open(&self.path).map_err(unreadable)?;
        let mut offset = 0;
        while offset < reference.length {
            let left = (reference.length - offset).min(MAX_BULK_PART_BYTES as u64);
            let mut bytes = vec![0; left as usize];
            file.read_exact(&mut bytes).map_err(unreadable)?;
            let part = self.remote.ask(|_| Request::BulkPart {
                token,
                offset,
                bytes: bytes.clone(),
            });
            match part.await? {
                (_, Reply::BulkTaken { received }) if received == offset + left => {}
                (node, other) => return Err(unexpected(node, &other)),
            }
            offset += left;
            let _ = self.took.send(left);
        }
        match self.remote.ask(|_| Request::BulkEnd { token }).await? {
            (_, Reply::BulkStored) => Ok(()),
            (node, other) => Err(unexpected(node, &other)),
        }
    }
}

/// Fetches a ciphertext into `file`, from one node after the other until the digest is right.
/// Returns who gave something else. `progress` gets how many bytes of the current attempt came.
///
/// # Errors
/// [`TransferError::Altered`], [`TransferError::Absent`], [`TransferError::Io`].
pub async fn download(
    cluster: ClusterId,
    endpoints: &[Endpoint],
    reference: BulkReference,
    file: &mut File,
    mut progress: impl FnMut(u64),
) -> Result<Vec<NodeId>, TransferError> {
    let (mut altered, mut reasons) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        let rewind = file.seek(SeekFrom::Start(0)).and_then(|_| file.set_len(0));
        rewind.map_err(local)?;
        let mut remote = Remote::new(cluster, vec![endpoint.clone()], FIRST_ANSWER);
        match fetch(&mut remote, reference, file, &mut progress).await? {
            Fetched::Right => return Ok(altered),
            Fetched::Wrong => altered.push(endpoint.node),
            Fetched::Nothing(reason) => reasons.push(format!("node {}: {reason}", endpoint.node)),
        }
    }
    let names: Vec<String> = altered.iter().map(ToString::to_string).collect();
    match altered.is_empty() {
        false => Err(TransferError::Altered {
            nodes: names.join(" and node "),
        }),
        true => Err(TransferError::Absent {
            reasons: reasons.join("; "),
        }),
    }
}

/// Whether a node has the ciphertext that an applied entry names. Its word: what it holds is checked by whoever
/// fetches it.
///
/// # Errors
/// [`RemoteError`].
pub async fn has(
    cluster: ClusterId,
    endpoint: &Endpoint,
    reference: BulkReference,
) -> Result<bool, RemoteError> {
    let mut remote = Remote::new(cluster, vec![endpoint.clone()], FIRST_ANSWER);
    let (digest, offset) = (reference.digest, 0);
    let mut found = false;
    // The first part says it; the rest is not waited for.
    let asked = remote.stream(
        |_| Request::BulkRead { digest, offset },
        |reply| {
            found = matches!(reply, Reply::BulkPart { .. });
            Ok(true)
        },
    );
    asked.await?;
    Ok(found)
}

enum Fetched {
    Right,
    Wrong,
    Nothing(String),
}

async fn fetch(
    remote: &mut Remote,
    reference: BulkReference,
    file: &mut File,
    progress: &mut impl FnMut(u64),
) -> Result<Fetched, TransferError> {
    let BulkReference { digest, length } = reference;
    let mut hasher = blake3::Hasher::new();
    let mut received = 0;
    while received < length {
        let offset = received;
        let (mut absent, mut wrong, mut written) = (false, false, Ok(()));
        let asked = remote.stream(
            |_| Request::BulkRead { digest, offset },
            |reply| {
                match reply {
                    Reply::BulkPart { bytes } if received + bytes.len() as u64 <= length => {
                        hasher.update(&bytes);
                        received += bytes.len() as u64;
                        progress(received);
                        written = file.write_all(&bytes);
                        return Ok(written.is_err());
                    }
                    Reply::BulkAbsent => absent = true,
                    Reply::End => {}
                    // Too long, or no answer to what was asked.
                    _ => wrong = true,
                }
                Ok(true)
            },
        );
        let outcome = asked.await;
        written.map_err(local)?;
        match outcome {
            _ if wrong => return Ok(Fetched::Wrong),
            _ if absent => return Ok(Fetched::Nothing("it does not have it".into())),
            Err(error) => return Ok(Fetched::Nothing(error.to_string())),
            // An end without any part would be asked for again for ever.
            Ok(_) if received == offset => return Ok(Fetched::Wrong),
            Ok(_) => remote.set_timeout(NEXT_ANSWER),
        }
    }
    match hasher.finalize() == blake3::Hash::from_bytes(digest) {
        true => Ok(Fetched::Right),
        false => Ok(Fetched::Wrong),
    }
}

fn local(source: io::Error) -> TransferError {
    TransferError::Io {
        path: PathBuf::from("the file for the ciphertext"),
        source,
    }
}

fn unexpected(node: NodeId, reply: &Reply) -> RemoteError {
    RemoteError::Protocol {
        node,
        what: format!("{reply:?}"),
    }
}
