//! What a disclosure shows, once checked: for scripts, and in plain words.
//!
//! Invariant: it names for whom the disclosure was made, and what it does not show.

use super::error::for_whom;
use crate::audit::show::op_name;
use crate::ids::{AuthorSeq, ClusterId, EpochId, KeyspaceId, LogIndex, ShardId, TreeSize};
use serde::Serialize;
use ukehi_circuits::slot::Op;
use ukehi_keys::{AuthorId, CircuitId};

/// The name and version of [`Disclosed`]'s JSON form.
pub const DISCLOSED_SCHEMA: &str = "ukehi/disclosure-checked/v1";

/// What a disclosure shows, once checked.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Disclosed {
    pub schema: &'static str,
    pub verified: bool,
    pub cluster: ClusterId,
    pub shard: ShardId,
    pub index: LogIndex,
    pub slot: u8,
    pub keyspace: KeyspaceId,
    pub epoch: EpochId,
    pub author: AuthorId,
    pub author_seq: AuthorSeq,
    pub op: String,
    /// `None`: the slot's key elements are no key's encoding.
    pub key: Option<String>,
    pub value: String,
    /// The slot holds nothing beside this key and value.
    pub exact: bool,
    /// Empty: anyone.
    pub audience: String,
    pub checkpoint_size: TreeSize,
    pub cosigners: usize,
    pub seal_circuit: CircuitId,
    pub open_circuit: CircuitId,
    /// Circuits whose set-up is INSECURE: whoever ran it could have forged the proofs.
    pub insecure_circuits: Vec<CircuitId>,
}

impl Disclosed {
    /// Plain words: what was shown, and to whom.
    #[must_use]
    pub fn in_words(&self) -> String {
        let key = match &self.key {
            Some(key) => format!("key {key:?}"),
            None => "a key that is no key's encoding".to_owned(),
        };
        let mut lines = vec![
            format!("VERIFIED, shown to {}", for_whom(&self.audience)),
            format!("key         {key}"),
            format!("value       {:?}", self.value),
            format!(
                "written by  author {} as its number {}",
                self.author, self.author_seq
            ),
            format!(
                "stands at   entry {}, slot {}, applied; keyspace {}, epoch {}",
                self.index, self.slot, self.keyspace, self.epoch
            ),
            format!(
                "cosigned    the checkpoint at size {}, by {} nodes",
                self.checkpoint_size, self.cosigners
            ),
            "proven      that the logged ciphertext decrypts, for its readers, to exactly this"
                .to_owned(),
        ];
        if self.op == op_name(Op::PutBulk) {
            lines.push(
                "bulk        the value is the reference to a bulk value and its content key; \
                 whoever has this file can open that value"
                    .to_owned(),
            );
        }
        if !self.exact {
            lines.push(
                "not exact   the slot holds bytes beyond this key and value, which readers ignore"
                    .to_owned(),
            );
        }
        if !self.insecure_circuits.is_empty() {
            lines.push(format!(
                "WARNING     {} circuits come from an INSECURE set-up: whoever ran it can forge proofs",
                self.insecure_circuits.len()
            ));
        }
        lines.push("not shown   the batch's other commands, nor that nothing newer exists".into());
        lines.join("\n")
    }
}
