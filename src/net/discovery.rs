//! Where members are: an address file, and what mDNS says on a LAN.
//!
//! Invariants: 1. only members' addresses are kept; 2. a missing, half-written or foreign file
//! changes nothing; 3. [`publish_address`] replaces the file in one step, one writer at a time.
//! An address is a hint: the handshake decides who answers there.

use super::transport::multiaddr;
use crate::ids::NodeId;
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use thiserror::Error;

/// The address file's `schema` field.
pub const ADDRESS_SCHEMA: &str = "ukehi/addresses/v1";
/// A longer address file is not read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Addresses learnt from mDNS that are kept for one member.
const MAX_LEARNT: usize = 8;

/// Why an address was not published or a file not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressFileError {
    #[error("{path} is not an address file ({reason}); it was left as it is")]
    NotAnAddressFile { path: PathBuf, reason: String },
    #[error("{path}: {reason}")]
    Io { path: PathBuf, reason: String },
    #[error("{addr} cannot be dialled: publish a concrete address and port")]
    Undialable { addr: SocketAddr },
}

#[derive(Serialize, Deserialize)]
struct AddressFile {
    schema: String,
    nodes: BTreeMap<NodeId, SocketAddr>,
}

/// Sets `node`'s address in the address file at `path`, which is made if it is missing. Blocks
/// while another process does the same.
///
/// # Errors
/// [`AddressFileError`]; the file is then as it was.
pub fn publish_address(
    path: &Path,
    node: NodeId,
    addr: SocketAddr,
) -> Result<(), AddressFileError> {
    if addr.ip().is_unspecified() || addr.port() == 0 {
        return Err(AddressFileError::Undialable { addr });
    }
    let failed = |error: io::Error| AddressFileError::Io {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    // The lock is on a file of its own: the address file itself is replaced, and a lock on a
    // replaced file excludes nobody.
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, "lock"))
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut nodes = match read(path) {
        Ok(nodes) => nodes,
        Err(ReadError::Missing) => BTreeMap::new(),
        Err(ReadError::Io(error)) => return Err(failed(error)),
        Err(ReadError::Content(reason)) => {
            return Err(AddressFileError::NotAnAddressFile {
                path: path.to_owned(),
                reason,
            });
        }
    };
    nodes.insert(node, addr);
    replace(path, nodes).map_err(failed)
}

fn replace(path: &Path, nodes: BTreeMap<NodeId, SocketAddr>) -> io::Result<()> {
    let file = AddressFile {
        schema: ADDRESS_SCHEMA.to_owned(),
        nodes,
    };
    let text = serde_json::to_vec_pretty(&file).map_err(io::Error::other)?;
    // Under the lock there is one writer, so one name serves.
    let draft = beside(path, "new");
    let mut out = File::create(&draft)?;
    out.write_all(&text)?;
    out.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

enum ReadError {
    Missing,
    Io(io::Error),
    Content(String),
}

fn read(path: &Path) -> Result<BTreeMap<NodeId, SocketAddr>, ReadError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Io(error),
    })?;
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(ReadError::Io)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::Content(format!(
            "longer than {MAX_FILE_BYTES} bytes"
        )));
    }
    let file: AddressFile =
        serde_json::from_slice(&text).map_err(|error| ReadError::Content(error.to_string()))?;
    if file.schema != ADDRESS_SCHEMA {
        return Err(ReadError::Content(format!("schema {:?}", file.schema)));
    }
    Ok(file.nodes)
}

/// What is known of the members' addresses.
pub(super) struct AddressBook {
    members: BTreeSet<NodeId>,
    path: Option<PathBuf>,
    /// Modification time and length of the file when it was last read.
    stamp: Option<(SystemTime, u64)>,
    from_file: BTreeMap<NodeId, SocketAddr>,
    learnt: BTreeMap<NodeId, BTreeSet<Multiaddr>>,
}

impl AddressBook {
    pub(super) fn new(members: BTreeSet<NodeId>, path: Option<PathBuf>) -> Self {
        Self {
            members,
            path,
            stamp: None,
            from_file: BTreeMap::new(),
            learnt: BTreeMap::new(),
        }
    }

    /// Reads the file again if it changed, or anyway if `force`. Returns the members whose
    /// address is a new one. A stat and a read of a small file: not worth a thread.
    pub(super) fn refresh(&mut self, force: bool) -> Vec<NodeId> {
        let Some(path) = &self.path else {
            return Vec::new();
        };
        let stamp = fs::metadata(path)
            .ok()
            .and_then(|meta| Some((meta.modified().ok()?, meta.len())));
        if stamp.is_none() || (stamp == self.stamp && !force) {
            return Vec::new();
        }
        let nodes = match read(path) {
            Ok(nodes) => nodes,
            Err(ReadError::Missing) => return Vec::new(),
            Err(ReadError::Io(error)) => {
                tracing::warn!(path = %path.display(), %error, "cannot read the address file");
                return Vec::new();
            }
            Err(ReadError::Content(reason)) => {
                tracing::warn!(path = %path.display(), reason, "keeping the addresses known so far");
                return Vec::new();
            }
        };
        self.stamp = stamp;
        let mut changed = Vec::new();
        for (node, addr) in nodes {
            if self.members.contains(&node) && self.from_file.insert(node, addr) != Some(addr) {
                changed.push(node);
            }
        }
        changed
    }

    /// Remembers an address that mDNS reported; the caller has looked up the member.
    pub(super) fn learn(&mut self, node: NodeId, address: Multiaddr) {
        let known = self.learnt.entry(node).or_default();
        if self.members.contains(&node) && known.len() < MAX_LEARNT {
            known.insert(address);
        }
    }

    pub(super) fn forget(&mut self, node: NodeId, address: &Multiaddr) {
        if let Some(known) = self.learnt.get_mut(&node) {
            known.remove(address);
        }
    }

    /// Where to dial `node`: the file's address first.
    pub(super) fn of(&self, node: NodeId) -> Vec<Multiaddr> {
        let from_file = self.from_file.get(&node).map(|addr| multiaddr(*addr));
        let learnt = self.learnt.get(&node).into_iter().flatten().cloned();
        from_file.into_iter().chain(learnt).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn many_writers_at_once_lose_no_address() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("addresses.json");
        std::thread::scope(|scope| {
            for n in 1..=16 {
                let path = &path;
                scope.spawn(move || publish_address(path, NodeId(n.into()), addr(4000 + n)));
            }
        });
        let mut book = AddressBook::new((1..=16).map(NodeId).collect(), Some(path));
        assert_eq!(book.refresh(false).len(), 16);
        assert_eq!(book.of(NodeId(7)), [multiaddr(addr(4007))]);
    }

    #[test]
    fn the_file_reads_as_the_documented_format() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("addresses.json");
        let text = r#"{"schema":"ukehi/addresses/v1","nodes":{"1":"127.0.0.1:4001","9":"127.0.0.1:4009"}}"#;
        fs::write(&path, text).unwrap();
        let mut book = AddressBook::new([NodeId(1)].into(), Some(path));
        assert_eq!(book.refresh(false), [NodeId(1)]);
        assert!(book.of(NodeId(9)).is_empty(), "not a member");
        assert_eq!(book.refresh(true), [], "nothing new");
    }

    #[test]
    fn a_half_written_or_missing_file_keeps_what_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("addresses.json");
        publish_address(&path, NodeId(1), addr(4001)).unwrap();
        let mut book = AddressBook::new([NodeId(1)].into(), Some(path.clone()));
        book.refresh(false);
        for text in [
            &b"{\"schema\":\"ukehi/addr"[..],
            b"",
            b"{\"schema\":\"other\",\"nodes\":{}}",
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(book.refresh(true), []);
            assert_eq!(book.of(NodeId(1)), [multiaddr(addr(4001))]);
        }
        assert!(matches!(
            publish_address(&path, NodeId(1), addr(4002)),
            Err(AddressFileError::NotAnAddressFile { .. })
        ));
        fs::remove_file(&path).unwrap();
        assert_eq!(book.refresh(true), []);
        assert_eq!(book.of(NodeId(1)), [multiaddr(addr(4001))]);
    }

    #[test]
    fn an_address_nobody_can_dial_is_not_published() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("addresses.json");
        let wildcard = SocketAddr::from(([0, 0, 0, 0], 4001));
        assert_eq!(
            publish_address(&path, NodeId(1), wildcard),
            Err(AddressFileError::Undialable { addr: wildcard })
        );
        assert!(!path.exists());
    }
}
