//! Which circuit a proof is checked under, named by everything that decides what it proves.
//!
//! Invariant: two circuits that differ in any of these facts have different ids.
//! Knows nothing of how keys and matrices are encoded: they are bytes and digests here.

use crate::frame::frame;
use crate::hex_serde;
use serde::{Deserialize, Serialize};
use std::fmt;

/// H(statement version, matrix digest, verifying key, N, class, policy family, set-up digest),
/// BLAKE3 (statement.md, "Circuit id"); hex in text and JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CircuitId(#[serde(with = "hex_serde::fixed")] pub [u8; 32]);

/// What the id is taken over.
#[derive(Debug, Clone, Copy)]
pub struct CircuitFacts<'a> {
    /// Such as `seal/v1`.
    pub statement: &'a str,
    pub matrix_digest: &'a [u8; 32],
    /// Exactly the bytes the verifier decodes.
    pub verifying_key: &'a [u8],
    /// N: how many commands a batch has room for.
    pub slots: u32,
    /// Such as `short`.
    pub class: &'a str,
    /// Such as `opaque`.
    pub policy: &'a str,
    /// [`crate::Setup::digest`].
    pub setup_digest: &'a [u8; 32],
}

impl CircuitId {
    #[must_use]
    pub fn of(facts: &CircuitFacts<'_>) -> Self {
        let framed = frame(
            facts.statement.as_bytes(),
            &[
                facts.matrix_digest,
                facts.verifying_key,
                &facts.slots.to_le_bytes(),
                facts.class.as_bytes(),
                facts.policy.as_bytes(),
                facts.setup_digest,
            ],
        );
        Self(blake3::derive_key("ukehi/circuit-id/v1", &framed))
    }
}

impl fmt::Display for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CircuitId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: CircuitFacts<'_> = CircuitFacts {
        statement: "seal/v1",
        matrix_digest: &[1; 32],
        verifying_key: &[2; 40],
        slots: 8,
        class: "short",
        policy: "opaque",
        setup_digest: &[3; 32],
    };

    #[test]
    fn every_fact_changes_the_id() {
        let changes: [fn(&mut CircuitFacts<'_>); 8] = [
            |f| f.statement = "seal/v2",
            |f| f.matrix_digest = &[9; 32],
            |f| f.verifying_key = &[9; 40],
            |f| f.verifying_key = &[2; 39],
            |f| f.slots = 64,
            |f| f.class = "long",
            |f| f.policy = "ledger",
            |f| f.setup_digest = &[9; 32],
        ];
        let mut ids = vec![CircuitId::of(&FACTS)];
        for change in changes {
            let mut facts = FACTS;
            change(&mut facts);
            ids.push(CircuitId::of(&facts));
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 9);
    }

    #[test]
    fn the_id_of_known_facts_stays_what_it_is() {
        assert_eq!(
            CircuitId::of(&FACTS).to_string(),
            "81519732f0be284a1c4675a325daf50ace0c85338a0fee40a4e7dd19a791dada"
        );
    }

    #[test]
    fn an_id_is_hex_in_json() {
        let id = CircuitId::of(&FACTS);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<CircuitId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<CircuitId>("\"00\"").is_err());
    }
}
