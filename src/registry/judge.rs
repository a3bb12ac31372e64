//! What the registry says of a batch at its index: whether its author and circuit may enter the
//! log at all, and whether it may be applied.

use super::fold::Registry;
use super::verify::{ChangeFault, VerifiedChange};
use crate::batch::{Fault, Header};
use crate::ids::LogIndex;
use crate::log::Outcome;
use ukehi_keys::{AuthorId, CircuitId};

impl Registry {
    /// Stage (b) of the gate for the batch at `index`: its circuit was activated and its author
    /// registered in some keyspace of the shard by an entry before it; whether either was ended
    /// since is apply's to say, as a recorded refusal.
    ///
    /// # Errors
    /// [`Fault::UnknownCircuit`], [`Fault::UnknownAuthor`]: whoever proposed it is at fault.
    pub fn admit(&self, index: LogIndex, header: &Header) -> Result<(), Fault> {
        self.admit_circuit(index, &header.circuit)?;
        match self.knows_author(index, &header.author) {
            true => Ok(()),
            false => Err(Fault::UnknownAuthor {
                author: header.author,
            }),
        }
    }

    /// The part of [`Registry::admit`] that is known of a batch under a circuit without a
    /// verifying key here.
    ///
    /// # Errors
    /// [`Fault::UnknownCircuit`].
    pub fn admit_circuit(&self, index: LogIndex, circuit: &CircuitId) -> Result<(), Fault> {
        let standing = self.circuit(circuit);
        match standing.is_some_and(|c| c.is_known_at(index)) {
            true => Ok(()),
            false => Err(Fault::UnknownCircuit { circuit: *circuit }),
        }
    }

    fn knows_author(&self, index: LogIndex, author: &AuthorId) -> bool {
        self.keyspaces()
            .filter_map(|keyspace| self.author(keyspace, author))
            .any(|standing| standing.is_known_at(index))
    }

    /// Stage (b) of the gate for the change at `index`: all who signed it were admins at some time
    /// before it. Whether they are now, and enough of them, is the fold's to say.
    ///
    /// # Errors
    /// [`ChangeFault::UnknownAdmin`].
    pub fn admit_change(
        &self,
        index: LogIndex,
        change: &VerifiedChange,
    ) -> Result<(), ChangeFault> {
        let mut signers = change.change().signatures.iter().map(|(id, _)| id);
        match signers.find(|id| !self.was_admin_before(id, index)) {
            Some(admin) => Err(ChangeFault::UnknownAdmin { admin: *admin }),
            None => Ok(()),
        }
    }

    /// Everything apply asks of the registry for the batch at `index`, proven under a circuit of
    /// this policy family: the first rule it breaks, or `Applied`.
    #[must_use]
    pub fn judge(&self, index: LogIndex, header: &Header, policy: &str) -> Outcome {
        self.check(index, header, policy)
            .err()
            .unwrap_or(Outcome::Applied)
    }

    fn check(&self, index: LogIndex, header: &Header, policy: &str) -> Result<(), Outcome> {
        if !self.has_keyspace(header.keyspace) {
            return Err(Outcome::UnknownKeyspace);
        }
        self.check_epoch(index, header, policy)?;
        let circuit = self.circuit(&header.circuit);
        let circuit = circuit.filter(|c| c.is_known_at(index));
        if circuit
            .ok_or(Outcome::CircuitUnknownAtIndex)?
            .is_retired_at(index)
        {
            return Err(Outcome::CircuitRetired);
        }
        let author = self.author(header.keyspace, &header.author);
        let author = author.filter(|a| a.is_known_at(index));
        let author = author.ok_or(Outcome::ForeignAuthor)?;
        if author.is_revoked_at(index) {
            return Err(Outcome::AuthorRevoked);
        }
        // An anchor of size s holds the entries before s: the author's registration among them.
        // (Size 0 anchors to nothing and is refused as such.)
        if header.anchor.size > 0 && author.registered_at >= header.anchor.size {
            return Err(Outcome::AuthorAfterAnchor);
        }
        Ok(())
    }

    fn check_epoch(&self, index: LogIndex, header: &Header, policy: &str) -> Result<(), Outcome> {
        let epoch = self.epoch(header.keyspace, header.epoch);
        let epoch = epoch.filter(|e| e.is_known_at(index));
        let epoch = epoch.ok_or(Outcome::UnknownEpoch)?;
        if header.epoch_key.to_bytes() != epoch.key.to_bytes() {
            return Err(Outcome::WrongEpochKey);
        }
        if ukehi_circuits::field::encode(&header.route_commitment) != epoch.route_commitment {
            return Err(Outcome::WrongRouteCommitment);
        }
        if ukehi_circuits::field::encode(&header.policy_digest) != epoch.policy_digest {
            return Err(Outcome::WrongPolicy);
        }
        if policy != epoch.policy {
            return Err(Outcome::WrongPolicyFamily);
        }
        if epoch.is_erased_at(index) {
            return Err(Outcome::EpochErased);
        }
        if epoch.is_revoked_at(index) {
            return Err(Outcome::EpochRevoked);
        }
        if epoch.is_expired_at(index) {
            return Err(Outcome::EpochExpired);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
