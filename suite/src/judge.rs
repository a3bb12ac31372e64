//! Whether what a prover handed out is a proof of what it was asked for.
//!
//! Invariant: the statement is the instance's own, never the prover's word. A prover that gives the same proof twice
//! fails too: it did not randomise, so its time is not that of a zero-knowledge proof.

use crate::process::Fault;
use std::collections::HashSet;
use ukehi_provers::Fr;
use ukehi_provers::batch_verify::{BatchItem, verify_batch};
use ukehi_provers::groth16::{Groth16Proof, PreparedVerifyingKey, VerifyingKey, verify};
use ukehi_provers::iden3::json;

/// One instance's verifier.
pub struct Judge {
    key: PreparedVerifyingKey,
    inputs: Vec<Fr>,
}

impl Judge {
    #[must_use]
    pub fn new(key: &VerifyingKey, inputs: Vec<Fr>) -> Self {
        Self {
            key: PreparedVerifyingKey::new(key),
            inputs,
        }
    }

    /// Proofs as [`crate::protocol::Reply::Proofs`] carries them, `expected` of them.
    pub fn proofs(&self, hex: &[String], expected: usize) -> Result<(), Fault> {
        if hex.len() != expected {
            return Err(wrong(format!("{} proofs instead of {expected}", hex.len())));
        }
        if hex.iter().collect::<HashSet<_>>().len() != hex.len() {
            return Err(wrong("the same proof twice: it is not randomised".into()));
        }
        let proofs: Vec<Groth16Proof> = hex.iter().map(|h| decoded(h)).collect::<Result<_, _>>()?;
        let item = |proof| BatchItem {
            key: 0,
            inputs: &self.inputs,
            proof,
        };
        let items: Vec<BatchItem<'_>> = proofs.iter().map(item).collect();
        let verdict = verify_batch(&[&self.key], &items).map_err(|e| wrong(e.to_string()))?;
        match verdict.bad.first() {
            None => Ok(()),
            Some(_) => Err(wrong("it does not verify".into())),
        }
    }

    /// `proof.json` and `public.json` of another tool.
    pub fn files(&self, proof: &[u8], public: &[u8]) -> Result<(), Fault> {
        let proof = json::read_proof(proof).map_err(|e| wrong(format!("proof file: {e}")))?;
        let inputs = json::read_public(public).map_err(|e| wrong(format!("public file: {e}")))?;
        if inputs != self.inputs {
            return Err(wrong("the public file holds another statement".into()));
        }
        verify(&self.key, &self.inputs, &proof).map_err(|e| wrong(e.to_string()))
    }
}

fn decoded(text: &str) -> Result<Groth16Proof, Fault> {
    let bytes = hex::decode(text).map_err(|e| wrong(format!("not hex: {e}")))?;
    Groth16Proof::from_bytes(&bytes).map_err(|e| wrong(e.to_string()))
}

fn wrong(why: String) -> Fault {
    Fault::WrongProof(why)
}
