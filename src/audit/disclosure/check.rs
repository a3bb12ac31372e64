//! Checks a disclosure against the trust root: from the shown key and value to the cosigned
//! checkpoint. Needs no decryption key, node, network or clock.
//!
//! Invariant: `check` answers `Ok` only if every element of both statements, `seal/v1` and
//! `open/v1`, was recomputed here from bytes that the trust root leads to.

use super::error::DisclosureError;
use super::registry::Known;
use super::report::{DISCLOSED_SCHEMA, Disclosed};
use super::{Disclosure, PublicWord, fixed, plain, proof, shown_key, shown_value};
use crate::audit::show::op_name;
use crate::batch::{Header, SIGNATURE_DOMAIN, slot_list};
use crate::genesis::Genesis;
use crate::ids::LogIndex;
use crate::log::{Outcome, Receipt, VerifiedReceipt};
use crate::trust::TrustRoot;
use ukehi_circuits::open::{self, OpenParts, OpenStatement};
use ukehi_circuits::seal::{PublicSlot, SealStatement, StatementParts};
use ukehi_circuits::shape::Form;
use ukehi_circuits::slot::Meta;
use ukehi_circuits::{F, Point, field, tree as batch_tree};
use ukehi_keys::{CircuitId, Manifest};

/// What the checker may choose.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Accept circuits whose set-up is INSECURE.
    pub allow_insecure_setup: bool,
    /// Only a disclosure made for exactly this audience.
    pub audience: Option<String>,
}

impl Disclosure {
    /// Everything that docs/disclosure.md lists, in its order.
    ///
    /// # Errors
    /// The first thing that does not hold, as [`DisclosureError`].
    pub fn check(
        &self,
        trust: &TrustRoot,
        options: &CheckOptions,
    ) -> Result<Disclosed, DisclosureError> {
        let mut insecure = trust.insecure_circuits();
        accept_set_ups(&insecure, options)?;
        let receipt = check_receipt(&self.receipt, &trust.genesis)?;
        let (header, index) = (&receipt.header, receipt.record.index);
        let checkpoint = &receipt.checkpoint.checkpoint;
        let known = Known::new(trust, header.shard, &self.registry, checkpoint)?;
        insecure.extend(known.insecure_circuits());
        accept_set_ups(&insecure, options)?;
        let (circuit, form) = known.vouch(index, header)?;
        let batch = BatchPart::new(self, &receipt, form)?;
        batch.check_slot_list(self)?;
        let statement = batch.statement()?;
        batch.check_batch(self, &statement, circuit)?;
        let opened = self.check_opening(&batch, &statement, &known)?;
        if let Some(expected) = &options.audience
            && *expected != self.audience
        {
            return Err(DisclosureError::OtherAudience {
                expected: expected.clone(),
                found: self.audience.clone(),
            });
        }
        Ok(Disclosed {
            schema: DISCLOSED_SCHEMA,
            verified: true,
            cluster: header.cluster,
            shard: header.shard,
            index,
            slot: self.slot,
            keyspace: header.keyspace,
            epoch: header.epoch,
            author: header.author,
            author_seq: header.author_seq,
            op: op_name(opened.meta.op),
            key: self.key.clone(),
            value: self.value.clone(),
            exact: opened.is_exact(),
            audience: self.audience.clone(),
            checkpoint_size: receipt.checkpoint_size,
            cosigners: receipt.cosigners,
            seal_circuit: header.circuit,
            open_circuit: self.open_circuit,
            insecure_circuits: insecure,
        })
    }

    /// The elements in clear say what is shown, and the proof says that the slot decrypts to them.
    fn check_opening(
        &self,
        batch: &BatchPart<'_>,
        sealed: &SealStatement,
        known: &Known<'_>,
    ) -> Result<OpenStatement, DisclosureError> {
        let class = batch.form.shape.class();
        let slot = &sealed.slots[batch.place];
        let opened = OpenStatement::new(OpenParts {
            class,
            ctx: sealed.ctx,
            ephemeral: sealed.ephemeral,
            epoch_key: sealed.epoch_key,
            slot: usize::from(self.slot),
            meta: slot.meta,
            ct: slot.ct.clone(),
            plaintext: plain(&self.plaintext),
            audience: open::audience(&self.audience),
        })
        .map_err(|e| DisclosureError::Undecodable {
            reason: e.to_string(),
        })?;
        if shown_key(&opened.key()) != self.key {
            return Err(DisclosureError::Shown { what: "key" });
        }
        if shown_value(&opened.body()) != self.value {
            return Err(DisclosureError::Shown { what: "value" });
        }
        let circuit = self.open_circuit;
        let manifest = known.open_circuit(circuit, class)?;
        if !proof::holds(
            manifest,
            opened.x(),
            &fixed("open_proof", &self.open_proof)?,
        ) {
            return Err(DisclosureError::OpenProof {
                slot: self.slot,
                circuit,
            });
        }
        Ok(opened)
    }
}

/// The record in the log, under a checkpoint that a majority cosigned, with the outcome "applied".
pub(super) fn check_receipt(
    receipt: &Receipt,
    genesis: &Genesis,
) -> Result<VerifiedReceipt, DisclosureError> {
    let header = receipt.read_header()?;
    let (expected, found) = (genesis.cluster_id(), header.cluster);
    if expected != found {
        return Err(DisclosureError::OtherCluster { expected, found });
    }
    let receipt = receipt.verify(genesis, header.shard)?;
    let (index, outcome) = (receipt.record.index, receipt.record.outcome);
    if outcome != Outcome::Applied {
        return Err(DisclosureError::NotApplied { index, outcome });
    }
    Ok(receipt)
}

fn accept_set_ups(insecure: &[CircuitId], options: &CheckOptions) -> Result<(), DisclosureError> {
    if options.allow_insecure_setup || insecure.is_empty() {
        return Ok(());
    }
    let circuits = insecure.to_vec();
    Err(DisclosureError::InsecureSetup { circuits })
}

/// The part of a batch that a disclosure shows: one group of slots.
struct BatchPart<'a> {
    index: LogIndex,
    x: &'a [u8; 32],
    header: &'a Header,
    form: Form,
    ephemeral: Point,
    /// Of the shown slot within its group, and of the group.
    place: usize,
    group: usize,
    slots: Vec<PublicSlot>,
    path: Vec<Vec<F>>,
}

impl<'a> BatchPart<'a> {
    fn new(
        disclosure: &Disclosure,
        receipt: &'a VerifiedReceipt,
        form: Form,
    ) -> Result<Self, DisclosureError> {
        let (header, index) = (&receipt.header, receipt.record.index);
        let shape = form.shape;
        let mismatch = |what, expected: usize, found: usize| DisclosureError::Mismatch {
            index,
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        };
        let (active, listed) = (usize::from(header.slots), disclosure.slot_list.len());
        if listed != active || active > shape.slots() {
            return Err(mismatch("the number of public words", active, listed));
        }
        let j = usize::from(disclosure.slot);
        if j >= active {
            return Err(DisclosureError::Mismatch {
                index,
                what: "the slot",
                expected: format!("below {active}"),
                found: j.to_string(),
            });
        }
        let (group, place) = (j / shape.group_slots(), j % shape.group_slots());
        let words = disclosure.slot_list.chunks(shape.group_slots()).nth(group);
        let words = words.expect("the slot is below the list's length");
        if disclosure.group.len() != words.len() {
            let found = disclosure.group.len();
            return Err(mismatch("the slots of the group", words.len(), found));
        }
        let slots = words.iter().zip(&disclosure.group).map(|(word, slot)| {
            Ok(PublicSlot {
                meta: word.meta()?,
                route: slot.route.0,
                cell: slot.cell.map(|element| element.0),
                ct: plain(&slot.ciphertext),
            })
        });
        Ok(Self {
            index,
            x: &receipt.record.x,
            header,
            form,
            ephemeral: disclosure.ephemeral()?,
            place,
            group,
            slots: slots.collect::<Result<_, DisclosureError>>()?,
            path: disclosure.path.iter().map(|level| plain(level)).collect(),
        })
    }

    /// Public words and bulk references are those the header vouches for.
    fn check_slot_list(&self, disclosure: &Disclosure) -> Result<(), DisclosureError> {
        let words: Vec<(Meta, _)> = disclosure
            .slot_list
            .iter()
            .map(PublicWord::parts)
            .collect::<Result<_, _>>()?;
        let found = slot_list(words);
        if found == self.header.slot_list {
            return Ok(());
        }
        Err(self.mismatch(
            "the digest of the public words",
            hex::encode(self.header.slot_list),
            hex::encode(found),
        ))
    }

    /// The group as if it were the whole batch: the statement checks its slots' form, and a leaf
    /// does not depend on where its group stands.
    fn statement(&self) -> Result<SealStatement, DisclosureError> {
        SealStatement::new(StatementParts {
            form: self.form,
            ctx: self.header.ctx(),
            ephemeral: self.ephemeral,
            epoch_key: self.header.epoch_key,
            route_commitment: self.header.route_commitment,
            policy_digest: self.header.policy_digest,
            slots: self.slots.clone(),
        })
        .map_err(|e| self.mismatch("the group", "slots of the circuit".into(), e.to_string()))
    }

    /// The group and its path lead to the x of the record; author and proof vouch for that x.
    fn check_batch(
        &self,
        disclosure: &Disclosure,
        statement: &SealStatement,
        manifest: &Manifest,
    ) -> Result<(), DisclosureError> {
        let groups = self.form.shape.groups();
        let leaf = statement.leaf(0);
        let root = batch_tree::root_from_path(leaf, self.group, groups, &self.path)
            .map_err(|e| self.mismatch("the path", "one of its batch".into(), e.to_string()))?;
        let x = statement.x_over(root);
        if field::encode(&x) != *self.x {
            let (expected, found) = (hex::encode(self.x), hex::encode(field::encode(&x)));
            return Err(self.mismatch(
                "the x that slots, path and header lead to",
                expected,
                found,
            ));
        }
        let (index, circuit) = (self.index, self.header.circuit);
        let signature = fixed("signature", &disclosure.signature)?;
        let signed = [&self.header.to_bytes()[..], &self.x[..]];
        (self.header.author)
            .verify(SIGNATURE_DOMAIN, &signed, &signature)
            .map_err(|_| DisclosureError::Signature { index })?;
        let proof = fixed("seal_proof", &disclosure.seal_proof)?;
        if proof::holds(manifest, x, &proof) {
            Ok(())
        } else {
            Err(DisclosureError::SealProof { index, circuit })
        }
    }

    fn mismatch(&self, what: &'static str, expected: String, found: String) -> DisclosureError {
        DisclosureError::Mismatch {
            index: self.index,
            what,
            expected,
            found,
        }
    }
}
