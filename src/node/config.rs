//! A node's configuration file.
//!
//! Invariant: paths in it are relative to the file's own directory. Knows nothing of what a node
//! does with them.

use crate::ids::NodeId;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub const SCHEMA: &str = "ukehi/node-config/v1";
/// More than any sensible configuration needs.
const MAX_CONFIG_BYTES: u64 = 64 * 1024;

/// `config.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    pub schema: String,
    pub node: NodeId,
    /// trust.json: genesis and the circuits' verifying keys.
    pub trust: PathBuf,
    /// The RocksDB directory; made if missing.
    pub data: PathBuf,
    /// The node's encrypted key file.
    pub key: PathBuf,
    /// A file with the key's passphrase; without it the passphrase is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<PathBuf>,
    /// Where other nodes reach this one.
    pub listen: SocketAddr,
    /// Where clients reach it.
    pub client_listen: SocketAddr,
    /// The peers' addresses, shared by a local testnet's nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_file: Option<PathBuf>,
    /// Find peers on the local network; skips loopback.
    #[serde(default)]
    pub mdns: bool,
    /// What to do about a node that has signed two logs.
    #[serde(default)]
    pub forks: Forks,
    /// Nodes to follow although they have signed two logs: a person has looked into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released_forks: Vec<NodeId>,
    /// Accept circuits whose set-up is INSECURE; refused unless genesis says `dev` too.
    #[serde(default)]
    pub dev: bool,
}

/// See [`NodeConfig::forks`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forks {
    /// Say so, keep the evidence, go on.
    #[default]
    Alert,
    /// Follow it no more: no acknowledgement, no vote.
    Enforce,
}

#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("{path}: {source}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is larger than {MAX_CONFIG_BYTES} bytes")]
    TooLarge { path: PathBuf },
    #[error("{path}: {reason}")]
    Malformed { path: PathBuf, reason: String },
}

impl NodeConfig {
    /// Reads the file and makes its paths absolute.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file and the line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLarge {
                path: path.to_owned(),
            });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let malformed = |reason: String| ConfigError::Malformed {
            path: path.to_owned(),
            reason,
        };
        let mut config: NodeConfig = toml::from_str(&text).map_err(|e| malformed(e.to_string()))?;
        if config.schema != SCHEMA {
            return Err(malformed(format!(
                "schema is {:?}, this release reads {SCHEMA:?}",
                config.schema
            )));
        }
        let base = path.parent().unwrap_or(Path::new("."));
        for path in [&mut config.trust, &mut config.data, &mut config.key] {
            *path = base.join(&*path);
        }
        for path in [&mut config.passphrase_file, &mut config.address_file]
            .into_iter()
            .flatten()
        {
            *path = base.join(&*path);
        }
        Ok(config)
    }

    /// # Panics
    /// Never: the configuration holds only strings, numbers and booleans.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a flat table of strings, numbers and booleans")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_is_named_and_paths_follow_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let good = "schema = \"ukehi/node-config/v1\"\nnode = 1\ntrust = \"../trust.json\"\ndata = \"data\"\nkey = \"node.key\"\nlisten = \"127.0.0.1:1\"\nclient_listen = \"127.0.0.1:2\"\n";
        std::fs::write(&path, good).unwrap();
        let config = NodeConfig::load(&path).unwrap();
        assert_eq!(config.data, dir.path().join("data"));
        std::fs::write(&path, format!("{good}sync = false\n")).unwrap();
        let error = NodeConfig::load(&path).unwrap_err().to_string();
        assert!(error.contains("sync"), "{error}");
    }
}
