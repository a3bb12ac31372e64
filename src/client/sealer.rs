//! Seals and proves batches: plaintext in, signed [`SealedBatch`] out, many proofs in parallel.
//!
//! Invariants: 1. the witness lives in the pool's job only and is zeroised there; 2. every proof
//! was verified before it leaves; 3. a changed batch has a new sequence, hence a new ephemeral key.
//! Knows nothing of nodes, outboxes or files.

use crate::batch::{Anchor, BulkReference, Header, SIGNATURE_DOMAIN, SealedBatch, slot_list};
use crate::genesis::Genesis;
use crate::ids::{AuthorSeq, EpochId, Hash, KeyspaceId, LogIndex};
use crate::params::{Circuit, route_secret};
use crate::registry::{EpochStanding, Registry};
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::seal::{self, Command, SlotPlaintext};
use ukehi_circuits::shape::Class;
use ukehi_circuits::slot::{Body, SlotKey};
use ukehi_circuits::{curve::Point, field, matrices};
use ukehi_keys::{AuthorKey, RouteKey};
use ukehi_provers::pool::{self, JobError, Pool, SubmitError};

/// For how many entries after its anchor a batch may still be applied.
pub const VALID_FOR: LogIndex = 100_000;

/// One command: the value to stand under a key.
pub struct Put<'a> {
    /// At most 61 bytes.
    pub key: &'a [u8],
    /// At most the class's body: 155 bytes in the short class.
    pub value: &'a [u8],
    /// Of a bulk put, whose `value` is a [`BulkBody`](super::BulkBody): where its ciphertext is.
    pub bulk: Option<BulkReference>,
}

impl<'a> Put<'a> {
    /// The value stands in the slot itself.
    #[must_use]
    pub fn inline(key: &'a [u8], value: &'a [u8]) -> Self {
        Self {
            key,
            value,
            bulk: None,
        }
    }
}

/// Why a batch was not sealed.
#[derive(Debug, Error)]
pub enum SealError {
    #[error("keyspace {keyspace} has no epoch {epoch} in the registry")]
    UnknownEpoch {
        keyspace: KeyspaceId,
        epoch: EpochId,
    },
    #[error("the author's key is not registered in keyspace {keyspace}, or was revoked there")]
    UnknownAuthor { keyspace: KeyspaceId },
    #[error("the route key is not the one epoch {epoch} commits to")]
    WrongRouteKey { epoch: EpochId },
    #[error("no circuit at hand takes a batch of {commands} commands")]
    NoCircuit { commands: usize },
    #[error("command {position}: {reason}")]
    Command { position: usize, reason: String },
    #[error("the batch cannot be sealed: {0}")]
    Seal(#[from] seal::SealError),
    #[error("the witness does not fit the circuit: {reason}")]
    Witness { reason: String },
    #[error("the prover takes no more work: {0}")]
    Queue(#[from] SubmitError),
    #[error("the prover: {0}")]
    Prover(#[from] JobError),
}

/// A proven, signed batch and its bytes.
pub struct Sealed {
    pub batch: SealedBatch,
    pub bytes: Vec<u8>,
}

/// A batch whose proof is under way.
pub struct Ticket {
    proof: pool::Ticket,
    unsigned: SealedBatch,
    x: ukehi_circuits::F,
}

/// Seals for one keyspace and epoch.
pub struct Sealer {
    genesis: Arc<Genesis>,
    keyspace: KeyspaceId,
    epoch: EpochStanding,
    registry: Arc<Registry>,
    route: RouteKey,
    /// By slots, then by length of body, ascending.
    circuits: Vec<Arc<Circuit>>,
    pool: Pool,
}

impl Sealer {
    /// Seals by what `registry` says last. `circuits` in any order; `route` must be the key the
    /// epoch commits to.
    ///
    /// # Errors
    /// [`SealError::UnknownEpoch`], [`SealError::WrongRouteKey`].
    pub fn new(
        genesis: Arc<Genesis>,
        registry: Arc<Registry>,
        keyspace: KeyspaceId,
        epoch: EpochId,
        route: RouteKey,
        mut circuits: Vec<Arc<Circuit>>,
        pool: Pool,
    ) -> Result<Self, SealError> {
        let registered = registry
            .epoch(keyspace, epoch)
            .cloned()
            .ok_or(SealError::UnknownEpoch { keyspace, epoch })?;
        if crate::params::route_commitment(&route) != registered.route_commitment {
            return Err(SealError::WrongRouteKey { epoch });
        }
        circuits.sort_by_key(|c| (c.shape.slots(), c.shape.class().body_bytes()));
        Ok(Self {
            genesis,
            keyspace,
            epoch: registered,
            registry,
            route,
            circuits,
            pool,
        })
    }

    /// The most commands one batch takes.
    #[must_use]
    pub fn max_batch(&self) -> usize {
        self.circuits.last().map_or(0, |c| c.shape.slots())
    }

    /// The longest value, in bytes, in a batch of so many commands.
    #[must_use]
    pub fn max_value(&self, commands: usize) -> usize {
        let enough = self.circuits.iter().filter(|c| c.shape.slots() >= commands);
        let classes = enough.map(|c| c.shape.class().body_bytes());
        classes.max().unwrap_or(0)
    }

    /// Encrypts a batch and queues its proof; waits while the prover's queue is full.
    ///
    /// # Errors
    /// [`SealError`], naming the command at fault.
    pub fn seal(
        &self,
        author: &AuthorKey,
        seq: AuthorSeq,
        anchor: Anchor,
        puts: &[Put<'_>],
    ) -> Result<Ticket, SealError> {
        let standing = self.registry.author(self.keyspace, &author.public());
        if standing.is_none_or(|author| author.revoked_at.is_some()) {
            return Err(SealError::UnknownAuthor {
                keyspace: self.keyspace,
            });
        }
        let longest = puts.iter().map(|put| put.value.len()).max().unwrap_or(0);
        let mut enough = self
            .circuits
            .iter()
            .filter(|c| c.shape.slots() >= puts.len() && !puts.is_empty())
            .peekable();
        // Where no class is long enough, the first one's error names the command.
        let first = enough.peek().copied();
        let circuit = enough
            .find(|c| c.shape.class().body_bytes() >= longest)
            .or(first)
            .ok_or(SealError::NoCircuit {
                commands: puts.len(),
            })?;
        let class = circuit.shape.class();
        let slots = plaintexts(class, puts)?;
        let metas = slots.iter().map(|slot| slot.meta(class));
        let metas = metas
            .collect::<Result<Vec<_>, _>>()
            .expect("plaintexts() found every body in its class");
        let list = slot_list(metas.into_iter().zip(puts.iter().map(|put| put.bulk)));
        let header = self.header(circuit, author, seq, anchor, puts.len(), list)?;
        let seal::SealedCommands {
            statement, witness, ..
        } = seal::seal(
            circuit.policy,
            circuit.shape,
            header.ctx(),
            &header.epoch_key,
            &route_secret(&self.route),
            &slots,
            header.digest(),
        )?;
        let assignment =
            matrices::assignment(circuit.policy, &statement, &witness).map_err(|e| {
                SealError::Witness {
                    reason: e.to_string(),
                }
            })?;
        let proof = self.pool.submit_blocking(circuit.job(&assignment))?;
        Ok(Ticket {
            proof,
            x: statement.x(),
            unsigned: SealedBatch {
                header,
                ephemeral: statement.ephemeral,
                slots: statement.slots.clone(),
                bulk: puts.iter().map(|put| put.bulk).collect(),
                proof: [0; 128],
                signature: [0; 64],
            },
        })
    }

    fn header(
        &self,
        circuit: &Circuit,
        author: &AuthorKey,
        author_seq: AuthorSeq,
        anchor: Anchor,
        commands: usize,
        slot_list: Hash,
    ) -> Result<Header, SealError> {
        let decode = |bytes: &[u8; 32]| {
            field::decode(bytes).expect("the registry holds canonical field elements only")
        };
        let Ok(epoch_key) = Point::from_xy_bytes(&self.epoch.key.to_bytes()) else {
            return Err(SealError::UnknownEpoch {
                keyspace: self.keyspace,
                epoch: self.epoch.id,
            });
        };
        Ok(Header {
            cluster: self.genesis.cluster_id(),
            shard: self.registry.shard(),
            keyspace: self.keyspace,
            circuit: circuit.id,
            epoch: self.epoch.id,
            epoch_key,
            route_commitment: decode(&self.epoch.route_commitment),
            policy_digest: decode(&self.epoch.policy_digest),
            author: author.public(),
            author_seq,
            valid_until: anchor.size.saturating_add(VALID_FOR),
            anchor,
            slots: u8::try_from(commands).expect("a shape has at most 64 slots"),
            slot_list,
        })
    }
}

impl Ticket {
    /// Waits for the proof and signs.
    ///
    /// # Errors
    /// [`SealError::Prover`].
    pub fn finish(self, author: &AuthorKey) -> Result<Sealed, SealError> {
        let proof = self.proof.wait()?;
        let mut batch = self.unsigned;
        batch.proof = proof.to_bytes();
        let (header, x) = batch.signed_parts(&self.x);
        batch.signature = author.sign(SIGNATURE_DOMAIN, &[&header, &x]);
        let bytes = batch.to_bytes();
        Ok(Sealed { batch, bytes })
    }
}

fn plaintexts(class: Class, puts: &[Put<'_>]) -> Result<Vec<SlotPlaintext>, SealError> {
    puts.iter()
        .enumerate()
        .map(|(position, put)| {
            let at_fault = |reason: String| SealError::Command { position, reason };
            let key = SlotKey::new(put.key).map_err(|e| at_fault(e.to_string()))?;
            let body = Body::new(class, put.value).map_err(|e| at_fault(e.to_string()))?;
            let command = match put.bulk {
                Some(_) => Command::PutBulk(body),
                None => Command::Put(body),
            };
            Ok(SlotPlaintext { key, command })
        })
        .collect()
}
