//! A client's directory of keys: `authors/NAME.key`, `admins/NAME.key`, `epochs/K-E.key`, `route.key`.
//!
//! Invariant: a file is opened when its key is needed, and what it holds belongs to the public part the
//! file shows. Knows nothing of terminals: the passphrase is brought along.

use super::KnownRegistry;
use super::reader::Reader;
use crate::api::ProvenEntry;
use crate::batch::SealedBatch;
use crate::ids::{EpochId, KeyspaceId};
use crate::params::route_commitment;
use crate::registry::EpochOpening;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use ukehi_keys::keystore::{self, KdfCost, KeystoreError};
use ukehi_keys::{
    AdminKey, AuthorKey, EntropyError, EpochScope, EpochSecret, Passphrase, RouteKey,
};

/// Key files under one passphrase.
pub struct KeyDirectory {
    root: PathBuf,
    pass: Passphrase,
}

/// Why the next epoch is not made.
#[derive(Debug, Error)]
pub enum NextEpochError {
    #[error("keyspace {keyspace} takes no further epoch")]
    NoneLeft { keyspace: KeyspaceId },
    #[error(transparent)]
    Key(#[from] KeystoreError),
    #[error(transparent)]
    Randomness(#[from] EntropyError),
}

impl KeyDirectory {
    #[must_use]
    pub fn new(root: &Path, pass: Passphrase) -> Self {
        Self {
            root: root.to_owned(),
            pass,
        }
    }

    /// # Errors
    /// [`KeystoreError`], as all that follow.
    pub fn author(&self, name: &str) -> Result<AuthorKey, KeystoreError> {
        keystore::load(&self.root.join(format!("authors/{name}.key")), &self.pass)
    }

    /// # Errors
    /// [`KeystoreError`].
    pub fn admin(&self, name: &str) -> Result<AdminKey, KeystoreError> {
        keystore::load(&self.root.join(format!("admins/{name}.key")), &self.pass)
    }

    /// # Errors
    /// [`KeystoreError`].
    pub fn route(&self) -> Result<RouteKey, KeystoreError> {
        keystore::load(&self.root.join("route.key"), &self.pass)
    }

    /// Where an epoch's secret is kept.
    #[must_use]
    pub fn epoch_file(&self, keyspace: KeyspaceId, epoch: EpochId) -> PathBuf {
        self.root.join(format!("epochs/{keyspace}-{epoch}.key"))
    }

    /// The secret of an epoch, where this directory was granted it.
    ///
    /// # Errors
    /// [`KeystoreError`]; a file that is not there is `None`.
    pub fn epoch(
        &self,
        keyspace: KeyspaceId,
        epoch: EpochId,
    ) -> Result<Option<EpochSecret>, KeystoreError> {
        let path = self.epoch_file(keyspace, epoch);
        match path.exists() {
            true => keystore::load(&path, &self.pass).map(Some),
            false => Ok(None),
        }
    }

    /// A reader that holds no secret yet.
    ///
    /// # Errors
    /// [`KeystoreError`] of the route key.
    pub fn reader(&self, known: &KnownRegistry) -> Result<Reader, KeystoreError> {
        let verifier = Arc::new(known.verifier().clone());
        let registry = Arc::new(known.registry().clone());
        Ok(Reader::new(self.route()?, verifier, registry))
    }

    /// Opens the key file of the epoch an entry says it was sealed to, once. Where the entry does not
    /// decode or the file is not here, the reader says so when it opens the entry.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn hold_epoch_of(
        &self,
        reader: &mut Reader,
        entry: &ProvenEntry,
    ) -> Result<(), KeystoreError> {
        let Ok(batch) = SealedBatch::from_bytes(&entry.payload) else {
            return Ok(());
        };
        let header = &batch.header;
        if !reader.holds(&header.epoch_key.to_bytes())
            && let Some(secret) = self.epoch(header.keyspace, header.epoch)?
        {
            reader.hold(secret);
        }
        Ok(())
    }

    /// Makes a keyspace's next epoch, to be opened by a registry change: its secret in this directory, and the
    /// proof of holding it. `policy` is a name and the digest of its parameters.
    ///
    /// # Errors
    /// [`NextEpochError`].
    pub fn next_epoch(
        &self,
        known: &KnownRegistry,
        keyspace: KeyspaceId,
        policy: (&str, [u8; 32]),
        expires: Option<u64>,
    ) -> Result<EpochOpening, NextEpochError> {
        let id = known.registry().next_epoch(keyspace);
        let id = id.ok_or(NextEpochError::NoneLeft { keyspace })?;
        // A file of this name is of an opening that was not decided: its secret has sealed nothing.
        let secret = match self.epoch(keyspace, id)? {
            Some(secret) => secret,
            None => {
                let secret = EpochSecret::generate()?;
                let path = self.epoch_file(keyspace, id);
                keystore::save(&path, &secret, &self.pass, KdfCost::Interactive)?;
                secret
            }
        };
        let scope = EpochScope {
            cluster: known.verifier().genesis().cluster_id().0,
            keyspace: keyspace.0,
            epoch: id.0,
        };
        Ok(EpochOpening {
            id,
            key: secret.public(),
            route_commitment: route_commitment(&self.route()?),
            policy: policy.0.to_owned(),
            policy_digest: policy.1,
            expires,
            possession: secret.prove_possession(&scope)?,
        })
    }
}
