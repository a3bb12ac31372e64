//! The content of a key file, `ukehi/key/v1`: one secret of 32 bytes under XChaCha20-Poly1305,
//! its key from the passphrase.
//!
//! Invariants: 1. one encoding: bytes that are not exactly what [`KeyFile::to_bytes`] would write
//! are damaged; 2. schema, kind, public part and KDF parameters are associated data, so none of
//! them can be exchanged under the same ciphertext.
//! The checksum tells damage from a wrong passphrase; it is no authentication, that is the AEAD's.
//! Knows nothing of disks or of what the secret is for.

use crate::disk::FileFault;
use crate::entropy::{EntropyError, random};
use crate::frame::frame;
use crate::hex_serde;
use crate::kdf::KdfParams;
use crate::passphrase::Passphrase;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// A key file is under 1 KiB; nothing larger is read.
pub const MAX_KEY_FILE_BYTES: u64 = 4096;
const SCHEMA: &str = "ukehi/key/v1";

/// What a key file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    Author,
    Node,
    Operator,
    Participant,
    Admin,
    Epoch,
    Route,
    Reader,
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Node => "node",
            Self::Operator => "operator",
            Self::Participant => "participant",
            Self::Admin => "admin",
            Self::Epoch => "epoch",
            Self::Route => "route",
            Self::Reader => "reader",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a key file.
#[derive(Debug, Error)]
pub enum KeyFault {
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("key files are named `*.{}`", crate::keystore::EXTENSION)]
    Name,
    #[error("it is of schema {found:?}, this release reads {SCHEMA}")]
    UnknownSchema { found: String },
    /// Restore it from a copy.
    #[error("it is damaged: {reason}")]
    Damaged { reason: &'static str },
    #[error("it holds the key of kind `{found}`, wanted is `{expected}`")]
    WrongKind { expected: KeyKind, found: KeyKind },
    #[error("it asks the key derivation for {what} {found}, {least} to {limit} are allowed")]
    KdfRefused {
        what: &'static str,
        found: u32,
        least: u32,
        limit: u32,
    },
    #[error("the {kib} KiB its key derivation needs are not to be had")]
    OutOfMemory { kib: u32 },
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// Only somebody with the passphrase can make such a file.
    #[error("the secret inside does not belong to its public part")]
    Mismatch,
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

fn damaged<T>(reason: &'static str) -> Result<T, KeyFault> {
    Err(KeyFault::Damaged { reason })
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    schema: String,
    pub(crate) kind: KeyKind,
    #[serde(with = "hex_serde::open")]
    pub(crate) public: Vec<u8>,
    pub(crate) kdf: KdfParams,
    #[serde(with = "hex_serde::fixed")]
    nonce: [u8; 24],
    #[serde(with = "hex_serde::fixed")]
    ciphertext: [u8; 32],
    #[serde(with = "hex_serde::fixed")]
    tag: [u8; 16],
    #[serde(with = "hex_serde::fixed")]
    checksum: [u8; 32],
}

impl KeyFile {
    pub(crate) fn seal(
        kind: KeyKind,
        public: &[u8],
        secret: &Zeroizing<[u8; 32]>,
        passphrase: &Passphrase,
        kdf: KdfParams,
    ) -> Result<Self, KeyFault> {
        let key = kdf.derive(passphrase)?;
        let mut file = Self {
            schema: SCHEMA.into(),
            kind,
            public: public.to_vec(),
            kdf,
            nonce: *random()?,
            ciphertext: [0; 32],
            tag: [0; 16],
            checksum: [0; 32],
        };
        let mut buffer = secret.clone();
        file.tag = XChaCha20Poly1305::new((&*key).into())
            .encrypt_inout_detached(
                (&file.nonce).into(),
                &file.associated_data(),
                buffer.as_mut_slice().into(),
            )
            .expect("32 bytes are far below the cipher's limit")
            .into();
        file.ciphertext = *buffer;
        file.checksum = file.computed_checksum();
        Ok(file)
    }

    pub(crate) fn open(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        let key = self.kdf.derive(passphrase)?;
        let mut buffer = Zeroizing::new(self.ciphertext);
        XChaCha20Poly1305::new((&*key).into())
            .decrypt_inout_detached(
                (&self.nonce).into(),
                &self.associated_data(),
                buffer.as_mut_slice().into(),
                (&self.tag).into(),
            )
            .map_err(|_| KeyFault::WrongPassphrase)?;
        Ok(buffer)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("strings and numbers only");
        bytes.push(b'\n');
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, KeyFault> {
        #[derive(Deserialize)]
        struct AnySchema {
            schema: String,
        }
        // First, so that a later release's file is not called damaged.
        match serde_json::from_slice::<AnySchema>(bytes) {
            Ok(any) if any.schema != SCHEMA => {
                return Err(KeyFault::UnknownSchema { found: any.schema });
            }
            _ => {}
        }
        let Ok(file) = serde_json::from_slice::<Self>(bytes) else {
            return damaged("it does not read as a key file");
        };
        if file.to_bytes() != bytes {
            return damaged("it is not written as key files are");
        }
        if file.computed_checksum() != file.checksum {
            return damaged("its checksum does not match");
        }
        Ok(file)
    }

    fn associated_data(&self) -> Vec<u8> {
        frame(
            self.schema.as_bytes(),
            &[
                self.kind.name().as_bytes(),
                &self.public,
                &self.kdf.to_bytes(),
            ],
        )
    }

    fn computed_checksum(&self) -> [u8; 32] {
        let body = frame(
            &self.associated_data(),
            &[&self.nonce, &self.ciphertext, &self.tag],
        );
        blake3::derive_key("ukehi/key-file-checksum/v1", &body)
    }
}

#[cfg(test)]
#[path = "key_file_tests.rs"]
mod tests;
