//! What the keystore needs to know of a key: its kind, its 32 secret bytes, its public part.
//!
//! Invariant: the public part is a function of the secret, so a loaded key is checked against it.
//! The trait is public but cannot be named outside: secrets leave this crate only encrypted.

use crate::key_file::KeyKind;
use crate::{
    AdminKey, AuthorKey, EpochSecret, NodeKey, OperatorKey, ParticipantKey, ReaderKey, RouteKey,
};
use zeroize::Zeroizing;

pub trait StoredKey: Sized {
    const KIND: KeyKind;
    fn secret_part(&self) -> Zeroizing<[u8; 32]>;
    fn public_part(&self) -> Vec<u8>;
    fn from_secret_part(secret: &Zeroizing<[u8; 32]>) -> Option<Self>;
}

macro_rules! stored_signer {
    ($key:ty, $kind:ident) => {
        impl StoredKey for $key {
            const KIND: KeyKind = KeyKind::$kind;

            fn secret_part(&self) -> Zeroizing<[u8; 32]> {
                self.seed()
            }

            fn public_part(&self) -> Vec<u8> {
                self.public().to_bytes().to_vec()
            }

            fn from_secret_part(secret: &Zeroizing<[u8; 32]>) -> Option<Self> {
                Some(Self::from_secret_bytes(secret))
            }
        }
    };
}

stored_signer!(AuthorKey, Author);
stored_signer!(NodeKey, Node);
stored_signer!(OperatorKey, Operator);
stored_signer!(ParticipantKey, Participant);
stored_signer!(AdminKey, Admin);

impl StoredKey for EpochSecret {
    const KIND: KeyKind = KeyKind::Epoch;

    fn secret_part(&self) -> Zeroizing<[u8; 32]> {
        self.secret_bytes()
    }

    fn public_part(&self) -> Vec<u8> {
        self.public().to_bytes().to_vec()
    }

    fn from_secret_part(secret: &Zeroizing<[u8; 32]>) -> Option<Self> {
        Self::from_secret_bytes(secret).ok()
    }
}

impl StoredKey for RouteKey {
    const KIND: KeyKind = KeyKind::Route;

    fn secret_part(&self) -> Zeroizing<[u8; 32]> {
        self.secret_bytes()
    }

    fn public_part(&self) -> Vec<u8> {
        self.fingerprint().to_vec()
    }

    fn from_secret_part(secret: &Zeroizing<[u8; 32]>) -> Option<Self> {
        Self::from_secret_bytes(secret).ok()
    }
}

impl StoredKey for ReaderKey {
    const KIND: KeyKind = KeyKind::Reader;

    fn secret_part(&self) -> Zeroizing<[u8; 32]> {
        self.secret_bytes()
    }

    fn public_part(&self) -> Vec<u8> {
        self.public().to_bytes().to_vec()
    }

    fn from_secret_part(secret: &Zeroizing<[u8; 32]>) -> Option<Self> {
        Some(Self::from_secret_bytes(secret))
    }
}
