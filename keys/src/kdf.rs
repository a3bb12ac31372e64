//! From a passphrase to the key of a key file: Argon2id (RFC 9106), version 0x13.
//!
//! Invariant: whatever a file asks for is held against named bounds before any memory is taken.
//! Knows nothing of the file around it.

use crate::entropy::{EntropyError, random};
use crate::hex_serde;
use crate::key_file::KeyFault;
use crate::passphrase::Passphrase;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The most memory a key file may make us take: 256 MiB.
pub const MAX_KDF_MEMORY_KIB: u32 = 256 * 1024;
/// The most passes over that memory: some seconds at the full 256 MiB.
pub const MAX_KDF_PASSES: u32 = 16;
pub const MAX_KDF_LANES: u32 = 4;

/// How much a guess at the passphrase costs, and how long opening takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KdfCost {
    /// 64 MiB, 3 passes, 1 lane (RFC 9106's second recommendation, in one lane).
    #[default]
    Production,
    /// 19 MiB, 2 passes, 1 lane (OWASP's minimum): development, and keys opened often.
    Interactive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Function {
    #[serde(rename = "argon2id")]
    Argon2id,
}

/// As recorded in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KdfParams {
    function: Function,
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    #[serde(with = "hex_serde::fixed")]
    salt: [u8; 16],
}

impl KdfParams {
    pub(crate) fn new(cost: KdfCost) -> Result<Self, EntropyError> {
        match cost {
            KdfCost::Production => Self::with(64 * 1024, 3),
            KdfCost::Interactive => Self::with(19 * 1024, 2),
        }
    }

    fn with(memory_kib: u32, passes: u32) -> Result<Self, EntropyError> {
        Ok(Self {
            function: Function::Argon2id,
            memory_kib,
            passes,
            lanes: 1,
            salt: *random()?,
        })
    }

    #[cfg(test)]
    pub(crate) fn cheapest() -> Self {
        Self::with(8, 1).unwrap()
    }

    /// Every field in a fixed width, for the associated data.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.memory_kib, self.passes, self.lanes];
        let numbers = numbers.iter().flat_map(|n| n.to_le_bytes());
        numbers.chain(self.salt).collect()
    }

    pub(crate) fn derive(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        self.check_bounds()?;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .expect("check_bounds keeps to what Argon2 allows");
        // argon2's own buffer is not wiped when it is freed, and its last blocks give the key.
        let mut memory = Zeroizing::new(Vec::new());
        let refused = |_| KeyFault::OutOfMemory {
            kib: self.memory_kib,
        };
        memory
            .try_reserve_exact(params.block_count())
            .map_err(refused)?;
        memory.resize(params.block_count(), Block::new());
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose().as_bytes(),
                &self.salt,
                key.as_mut(),
                memory.as_mut_slice(),
            )
            .expect("lengths of passphrase, salt, key and memory are within Argon2's");
        Ok(key)
    }

    fn check_bounds(&self) -> Result<(), KeyFault> {
        let within = |what, found, least, limit| match found >= least && found <= limit {
            true => Ok(()),
            false => Err(KeyFault::KdfRefused {
                what,
                found,
                least,
                limit,
            }),
        };
        within("lanes", self.lanes, 1, MAX_KDF_LANES)?;
        within("passes", self.passes, 1, MAX_KDF_PASSES)?;
        // RFC 9106 §3.1: at least 8 blocks of 1 KiB a lane.
        within(
            "memory in KiB",
            self.memory_kib,
            8 * self.lanes,
            MAX_KDF_MEMORY_KIB,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned()).unwrap()
    }

    #[test]
    fn passphrase_salt_and_every_cost_determine_the_key() {
        let base = KdfParams::cheapest();
        let key = base.derive(&passphrase("a")).unwrap();
        assert_eq!(*key, *base.derive(&passphrase("a")).unwrap());
        assert_ne!(*key, *base.derive(&passphrase("b")).unwrap());
        let others: [fn(&mut KdfParams); 4] = [
            |p| p.salt[0] ^= 1,
            |p| p.memory_kib = 16,
            |p| p.passes = 2,
            |p| (p.memory_kib, p.lanes) = (16, 2),
        ];
        for change in others {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(*key, *other.derive(&passphrase("a")).unwrap(), "{other:?}");
            assert_ne!(base.to_bytes(), other.to_bytes());
        }
    }

    #[test]
    fn the_function_is_the_argon2_crates_argon2id() {
        let params = KdfParams::cheapest();
        let mut expected = [0; 32];
        let reference = Params::new(8, 1, 1, Some(32)).unwrap();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, reference)
            .hash_password_into(b"a", &params.salt, &mut expected)
            .unwrap();
        assert_eq!(*params.derive(&passphrase("a")).unwrap(), expected);
    }

    #[test]
    fn what_a_hostile_file_demands_is_refused_before_memory_is_taken() {
        for (expected, memory_kib, passes, lanes) in [
            ("memory in KiB", MAX_KDF_MEMORY_KIB + 1, 1, 1),
            ("memory in KiB", u32::MAX, 1, 1),
            ("memory in KiB", 7, 1, 1),
            ("memory in KiB", 15, 1, 2),
            ("passes", 8, MAX_KDF_PASSES + 1, 1),
            ("passes", 8, 0, 1),
            ("lanes", 1024, 1, MAX_KDF_LANES + 1),
            ("lanes", 8, 1, 0),
            ("lanes", 8, 1, u32::MAX),
        ] {
            let params = KdfParams {
                memory_kib,
                passes,
                lanes,
                ..KdfParams::cheapest()
            };
            match params.derive(&passphrase("a")) {
                Err(KeyFault::KdfRefused { what, .. }) => assert_eq!(what, expected),
                _ => panic!("{params:?} was accepted"),
            }
        }
    }

    #[test]
    fn both_costs_are_within_the_bounds_a_file_is_held_to() {
        for cost in [KdfCost::Production, KdfCost::Interactive] {
            assert!(KdfParams::new(cost).unwrap().check_bounds().is_ok());
        }
    }
}
