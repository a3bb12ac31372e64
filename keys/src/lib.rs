//! Keys of everyone who takes part: authors, nodes, operators, admins, readers; the files that hold them
//! and the directory of Groth16 parameters.
//!
//! Invariants: 1. a public key that exists as a value has been checked; 2. a secret is zeroised on
//! drop, shows nothing in `Debug` and reaches a disk only encrypted.
//! Knows nothing of circuits, provers, logs or consensus: circuits are bytes and digests here.

mod admin;
mod author;
mod ceremony;
mod circuit_id;
mod disk;
mod entropy;
mod epoch;
mod field_bytes;
mod frame;
pub mod grant;
mod hex_serde;
mod kdf;
mod key_file;
pub mod keystore;
mod manifest;
mod node;
mod operator;
pub mod params;
mod participant;
mod passphrase;
mod possession;
mod reader;
mod route;
mod signer;
mod stored;
pub mod stream;

pub use admin::{AdminId, AdminKey};
pub use author::{AuthorId, AuthorKey};
pub use ceremony::{Attestation, BeaconFacts, CeremonyFacts, CeremonyFault, MAX_PARTICIPANTS};
pub use circuit_id::{CircuitFacts, CircuitId};
pub use disk::FileFault;
pub use entropy::EntropyError;
pub use epoch::{EpochKeyError, EpochPublicKey, EpochSecret};
pub use kdf::{KdfCost, MAX_KDF_LANES, MAX_KDF_MEMORY_KIB, MAX_KDF_PASSES};
pub use key_file::{KeyFault, KeyKind, MAX_KEY_FILE_BYTES};
pub use manifest::{
    CircuitParts, CircuitShape, INSECURE_DEV_WARNING, Manifest, ParamsFault, ProvingKeyFile, Setup,
};
pub use node::{NodeKey, NodePublicKey};
pub use operator::{OperatorId, OperatorKey};
pub use participant::{ParticipantId, ParticipantKey};
pub use passphrase::{MAX_PASSPHRASE_BYTES, Passphrase, PassphraseError};
pub use possession::{EpochScope, PossessionProof, PossessionRefused};
pub use reader::{ReaderId, ReaderKey};
pub use route::{RouteKey, RouteKeyError};
pub use signer::{BadSignature, PublicKeyError, Role, SignerId, SignerKey};

#[cfg(test)]
mod tests {
    #[test]
    fn the_bottom_layer_imports_no_other_crate_of_the_house() {
        let manifest = include_str!("../Cargo.toml");
        let upward: Vec<_> = manifest
            .lines()
            .filter(|line| line.trim_start().starts_with("ukehi"))
            .collect();
        assert!(upward.is_empty(), "upward imports: {upward:?}");
    }
}
