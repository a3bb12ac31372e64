//! A log with cells, under a circuit that the log activated: every registry operation, transfers and what is refused.

use crate::audit_support::{Trail, author};
use crate::operations::{KEYSPACE, grant, opening, secret_of};
use crate::world::{Sealing, World, key, route_secret};
use ukehi::batch::SealedBatch;
use ukehi::ids::EpochId;
use ukehi::log::Outcome;
use ukehi::registry::Operation;
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::seal::{Command, SlotPlaintext};
use ukehi_circuits::shape::Shape;
use ukehi_circuits::{F, Point, field, policy};
use ukehi_keys::Manifest;

/// Where what stands in the log.
pub const ACTIVATION: u64 = 2;
pub const TRANSFER: u64 = 8;
pub const STALE: u64 = 9;
pub const VOID_MINT: u64 = 11;
pub const OWN_LIST: u64 = 13;
pub const GUARDED: u64 = 14;
pub const REVOCATION: u64 = 16;
pub const BY_REVOKED: u64 = 17;
pub const RETIRED_CIRCUIT: u64 = 19;

pub struct Ledger<'a> {
    pub world: &'a World,
    pub trail: Trail,
    /// Of each author, the next.
    seqs: [u64; 4],
}

/// What a mint's public opening is.
fn minted(value: u64) -> CellOpening {
    CellOpening::new(value, 1, F::from(5u64))
}

fn route_of(name: &[u8]) -> [u8; 32] {
    field::encode(&route_secret().route(&key(name)))
}

pub fn mint(name: &[u8], value: u64) -> Operation {
    Operation::Mint {
        keyspace: KEYSPACE,
        family: "ledger".to_owned(),
        route: route_of(name),
        value,
        blind: field::encode(&F::from(5u64)),
        authors: Vec::new(),
    }
}

fn update(name: &[u8], old: Option<CellOpening>, value: u64) -> SlotPlaintext {
    SlotPlaintext {
        key: key(name),
        command: Command::Update {
            old,
            value,
            memo: b"rent".to_vec().into(),
        },
    }
}

/// The same opening once more: openings are not copied by habit.
fn again(opening: &CellOpening) -> CellOpening {
    CellOpening::new(opening.value(), opening.version(), opening.blind())
}

impl<'a> Ledger<'a> {
    /// The log of the constants above; each outcome is asserted as it is made.
    pub fn new(world: &'a World) -> Self {
        let proofs = world.trail.proofs.clone();
        let mut ledger = Self {
            world,
            trail: Trail::judged_by(world.trust.genesis.clone(), proofs),
            seqs: [1; 4],
        };
        ledger.register();
        ledger.spend();
        ledger.end();
        ledger
    }

    fn register(&mut self) {
        let activation = self.activate(&self.world.ledger);
        self.change(activation, ACTIVATION, Outcome::Applied);
        let family = Operation::RegisterFamily {
            keyspace: KEYSPACE,
            policy: "ledger".to_owned(),
            authors: crate::operations::sorted(&[1, 2]),
        };
        self.change(family, 3, Outcome::Applied);
        let register = Operation::RegisterAuthor {
            keyspace: KEYSPACE,
            author: author(3).public(),
        };
        self.change(register, 4, Outcome::Applied);
        let rotate = Operation::RotateEpoch {
            keyspace: KEYSPACE,
            opening: opening(&self.trail, 2, "ledger", &route_secret()),
            old: EpochId(1),
            old_expires: 40,
        };
        self.change(rotate, 5, Outcome::Applied);
        let mut granted = self.trail.change(grant(2));
        granted.payload = b"wrapped".to_vec();
        assert_eq!(self.trail.push_change(&granted), Outcome::Applied);
        self.change(mint(b"alice", 100), 7, Outcome::Applied);
    }

    fn spend(&mut self) {
        let first = [
            update(b"alice", Some(minted(100)), 70),
            update(b"bob", None, 30),
        ];
        let openings = self.batch(1, &first, TRANSFER, Outcome::Applied);
        let [Some(alice), Some(bob)] = &openings[..] else {
            panic!("both updates leave a cell")
        };
        let stale = [
            update(b"alice", Some(minted(100)), 60),
            update(b"carol", None, 40),
        ];
        self.batch(2, &stale, STALE, Outcome::CellStale);
        let second = || {
            [
                update(b"alice", Some(again(alice)), 50),
                update(b"bob", Some(again(bob)), 50),
            ]
        };
        self.batch(3, &second(), 10, Outcome::CellAuthor);
        self.change(mint(b"bob", 7), VOID_MINT, Outcome::CellLive);
        let list = Operation::SetCellAuthors {
            keyspace: KEYSPACE,
            route: route_of(b"alice"),
            authors: vec![author(2).public()],
        };
        self.change(list, 12, Outcome::Applied);
        self.batch(1, &second(), OWN_LIST, Outcome::CellAuthor);
        let guarded = SlotPlaintext {
            key: key(b"bob"),
            command: Command::Guard {
                cell: again(bob),
                memo: b"seen".to_vec().into(),
            },
        };
        let guard = [
            update(b"alice", Some(again(alice)), 20),
            guarded,
            update(b"dora", None, 50),
        ];
        self.batch(2, &guard, GUARDED, Outcome::Applied);
    }

    fn end(&mut self) {
        let activation = self.activate(&self.world.open_later_manifest);
        self.change(activation, 15, Outcome::Applied);
        let revoke = Operation::RevokeAuthor {
            keyspace: KEYSPACE,
            author: author(2).public(),
        };
        self.change(revoke, REVOCATION, Outcome::Applied);
        let late = || [update(b"erin", None, 0), update(b"fred", None, 0)];
        self.batch(2, &late(), BY_REVOKED, Outcome::AuthorRevoked);
        let circuit = self.world.ledger.circuit_id();
        let retire = Operation::RetireCircuit { circuit };
        self.change(retire, 18, Outcome::Applied);
        self.batch(1, &late(), RETIRED_CIRCUIT, Outcome::CircuitRetired);
        let circuit = self.world.open_later_manifest.circuit_id();
        let retire = Operation::RetireCircuit { circuit };
        self.change(retire, 20, Outcome::Applied);
        let (keyspace, epoch) = (KEYSPACE, EpochId(2));
        let revoke = Operation::RevokeEpoch { keyspace, epoch };
        self.change(revoke, 21, Outcome::Applied);
        let epoch = EpochId(1);
        let erase = Operation::EraseEpoch { keyspace, epoch };
        self.change(erase, 22, Outcome::Applied);
    }

    fn activate(&self, manifest: &Manifest) -> Operation {
        let manifest = manifest.to_json();
        Operation::ActivateCircuit { manifest }
    }

    fn change(&mut self, operation: Operation, at: u64, expected: Outcome) {
        assert_eq!(self.trail.size(), at);
        let change = self.trail.change(operation);
        assert_eq!(self.trail.push_change(&change), expected, "entry {at}");
    }

    fn batch(
        &mut self,
        by: u8,
        commands: &[SlotPlaintext],
        at: u64,
        expected: Outcome,
    ) -> Vec<Option<CellOpening>> {
        assert_eq!(self.trail.size(), at);
        let (batch, openings) = self.sealed(by, commands);
        self.trail.push(&batch);
        let outcome = self.trail.entries[at as usize].record.outcome;
        assert_eq!(outcome, expected, "entry {at}");
        openings
    }

    fn sealed(
        &mut self,
        by: u8,
        commands: &[SlotPlaintext],
    ) -> (SealedBatch, Vec<Option<CellOpening>>) {
        let seq = &mut self.seqs[usize::from(by)];
        let author_seq = *seq;
        *seq += 1;
        let sealing = Sealing {
            trail: &self.trail,
            policy: &policy::Ledger,
            shape: Shape::EIGHT,
            author: by,
        };
        let epoch_key = secret_of(2).public().to_bytes();
        self.world.sealed_as(&sealing, commands, None, |header| {
            header.epoch = EpochId(2);
            header.epoch_key = Point::from_xy_bytes(&epoch_key).unwrap();
            header.author_seq = author_seq;
        })
    }
}
