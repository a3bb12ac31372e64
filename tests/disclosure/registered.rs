//! Logs that register authors, epochs and circuits while they run.

use crate::audit_support::{Trail, author};
use crate::world::{AUDIENCE, options, route_secret, world};
use std::sync::{Arc, OnceLock};
use ukehi::audit::disclosure::{Disclosed, Disclosure, DisclosureError};
use ukehi::batch::Groth16Verifier;
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::log::Outcome;
use ukehi::params::epoch_scalar;
use ukehi::registry::{EpochOpening, Operation, grant_payload_digest};
use ukehi::trust::TrustRoot;
use ukehi_circuits::{Point, field};
use ukehi_keys::{EpochScope, EpochSecret, Manifest};
use zeroize::Zeroizing;

pub const KEYSPACE: KeyspaceId = KeyspaceId(1);
/// Registered by the log, as epoch 2 is.
pub const AUTHOR: u8 = 3;

/// A log beside the shared one, with other circuits in genesis.
pub struct Live {
    pub trust: TrustRoot,
    pub trail: Trail,
}

impl Live {
    pub fn new(circuits: Vec<Manifest>) -> Self {
        let mut genesis = world().trust.genesis.clone();
        genesis.circuits = circuits.iter().map(Manifest::circuit_id).collect();
        let proofs = Groth16Verifier::new(&world().trust.circuits).unwrap();
        Self {
            trail: Trail::judged_by(genesis.clone(), Arc::new(proofs)),
            trust: TrustRoot { genesis, circuits },
        }
    }

    pub fn change(&mut self, operation: Operation) -> u64 {
        let change = self.trail.change(operation);
        assert_eq!(self.trail.push_change(&change), Outcome::Applied);
        self.trail.size() - 1
    }

    pub fn activate(&mut self, manifest: &Manifest) -> u64 {
        let manifest = manifest.to_json();
        self.change(Operation::ActivateCircuit { manifest })
    }

    /// A batch of two, by `by` to `epoch`; with the outcome that apply decides.
    pub fn put(&mut self, by: u8, epoch: u32, seq: u64) -> u64 {
        let key = Point::from_xy_bytes(&secret_of(epoch).public().to_bytes()).unwrap();
        let values = [b"chart opened".to_vec(), b"chart closed".to_vec()];
        let batch = world().sealed_on(&self.trail, by, &values, |header| {
            header.epoch = EpochId(epoch);
            header.epoch_key = key;
            header.author_seq = seq;
        });
        self.trail.push(&batch);
        self.trail.size() - 1
    }

    /// The same, recorded as applied by nodes that collude.
    pub fn put_in_collusion(&mut self, by: u8, epoch: u32, seq: u64) -> u64 {
        let index = self.put(by, epoch, seq);
        self.trail.entries[index as usize].record.outcome = Outcome::Applied;
        index
    }

    pub fn disclose_from(&self, bundle: &[u8], entry: u64, epoch: u32) -> Disclosure {
        let secret = epoch_scalar(&secret_of(epoch));
        let disclosed = world().disclose_by(secret, bundle, entry, 1, AUDIENCE);
        disclosed.unwrap()
    }

    pub fn disclose(&self, entry: u64, epoch: u32) -> Disclosure {
        self.disclose_from(&self.trail.bundle(), entry, epoch)
    }

    pub fn check(&self, disclosure: &Disclosure) -> Result<Disclosed, DisclosureError> {
        disclosure.check(&self.trust, &options(None))
    }

    pub fn refuses(&self, disclosure: &Disclosure) -> DisclosureError {
        self.check(disclosure).err().expect("it goes unnoticed")
    }
}

/// Epoch 1 is genesis's.
pub fn secret_of(epoch: u32) -> EpochSecret {
    let seed = 4 + epoch as u8;
    EpochSecret::from_secret_bytes(&Zeroizing::new([seed; 32])).unwrap()
}

pub fn open_epoch(trail: &Trail) -> Operation {
    let scope = EpochScope {
        cluster: trail.genesis.cluster_id().0,
        keyspace: KEYSPACE.0,
        epoch: 2,
    };
    Operation::OpenEpoch {
        keyspace: KEYSPACE,
        opening: EpochOpening {
            id: EpochId(2),
            key: secret_of(2).public(),
            route_commitment: field::encode(&route_secret().commitment()),
            policy: "opaque".to_owned(),
            policy_digest: [0; 32],
            expires: None,
            possession: secret_of(2).prove_possession(&scope).unwrap(),
        },
    }
}

pub fn register() -> Operation {
    Operation::RegisterAuthor {
        keyspace: KEYSPACE,
        author: author(AUTHOR).public(),
    }
}

pub fn revoke() -> Operation {
    Operation::RevokeAuthor {
        keyspace: KEYSPACE,
        author: author(AUTHOR).public(),
    }
}

pub const ENTRY: u64 = 5;

/// Epoch 2 opened, a grant, the author registered (2, 3, 4), its batch (5), the author revoked (6).
pub fn registered() -> &'static Live {
    static LIVE: OnceLock<Live> = OnceLock::new();
    LIVE.get_or_init(|| {
        let mut live = Live::new(world().trust.circuits.clone());
        let opening = open_epoch(&live.trail);
        live.change(opening);
        let mut grant = live.trail.change(Operation::Grant {
            keyspace: KEYSPACE,
            epoch: EpochId(2),
            reader: [4; 32],
            payload_digest: grant_payload_digest(b"wrapped"),
        });
        grant.payload = b"wrapped".to_vec();
        assert_eq!(live.trail.push_change(&grant), Outcome::Applied);
        live.change(register());
        assert_eq!(live.put(AUTHOR, 2, 1), ENTRY);
        let record = live.trail.entries[ENTRY as usize].record;
        assert_eq!(record.outcome, Outcome::Applied);
        live.change(revoke());
        live
    })
}
