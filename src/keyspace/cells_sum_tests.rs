//! Whatever is moved between cells: what they open to sums to what was minted.

use super::*;
use crate::batch::slot_list;
use crate::client::cells::transfer;
use crate::params::epoch_scalar;
use proptest::prelude::*;
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::policy::Ledger;
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{self, SlotPlaintext};
use ukehi_circuits::shape::Class;
use ukehi_circuits::slot::SlotKey;

const SUPPLY: u64 = 1000;
const CELLS: u8 = 4;

/// Seals for real and proves nothing: the statement and its openings are what is tested.
struct World {
    replica: Replica,
    route: RouteSecret,
    secret: EpochSecret,
    sealed: Vec<(LogIndex, SealedBatch)>,
}

fn key(cell: u8) -> SlotKey {
    SlotKey::new(&[cell]).unwrap()
}

impl World {
    fn new() -> Self {
        let route = RouteSecret::from_bytes(&tag(9)).unwrap();
        let mut genesis = genesis();
        genesis.keyspaces[0].epochs[0].route_commitment = field::encode(&route.commitment());
        let mut world = Self {
            replica: Replica::of(genesis),
            route,
            secret: EpochSecret::from_secret_bytes(&Zeroizing::new([1; 32])).unwrap(),
            sealed: Vec::new(),
        };
        let minted = world.replica.change(Operation::Mint {
            keyspace: KEYSPACE,
            family: "ledger".into(),
            route: world.tag(0),
            value: SUPPLY,
            blind: tag(5),
            authors: Vec::new(),
        });
        assert_eq!(minted, Outcome::Applied);
        world
    }

    fn tag(&self, cell: u8) -> [u8; 32] {
        field::encode(&self.route.route(&key(cell)))
    }

    /// The newest opening, found by the cell's row alone.
    fn read(&self, cell: u8) -> Option<CellOpening> {
        let route = self.tag(cell);
        let row = get(&self.replica.store, SHARD, KEYSPACE, &route).unwrap()?;
        let opening = match row.source {
            CellSource::Mint(_) => CellOpening::new(SUPPLY, FIRST_VERSION, f(5)),
            CellSource::Update(place) => {
                let (_, batch) = self.sealed.iter().find(|(i, _)| *i == place.index).unwrap();
                let statement = batch.statement(AcceptAll.form(&LEDGER).unwrap()).unwrap();
                let opened = seal::open(&epoch_scalar(&self.secret), &statement).unwrap();
                let cell = opened[usize::from(place.slot)].cell.as_ref().unwrap();
                cell.opening(row.version).unwrap()
            }
        };
        let element = field::decode(&route).unwrap();
        let commitment = opening.commitment(family("ledger"), element);
        assert_eq!(field::encode(&commitment), row.commitment);
        Some(opening)
    }

    fn seal(&mut self, slots: &[SlotPlaintext]) -> SealedBatch {
        let mut batch = self.replica.batch(&[(1, f(0), f(1))]);
        batch.header.route_commitment = self.route.commitment();
        batch.header.slots = slots.len() as u8;
        let metas = slots.iter().map(|s| (s.meta(Class::Short).unwrap(), None));
        batch.header.slot_list = slot_list(metas);
        let sealed = seal::seal(
            &Ledger,
            Shape::EIGHT,
            batch.header.ctx(),
            &batch.header.epoch_key,
            &self.route,
            slots,
            batch.header.digest(),
        );
        let statement = sealed.unwrap().statement;
        batch.ephemeral = statement.ephemeral;
        batch.slots = statement.slots.clone();
        batch.bulk = vec![None; slots.len()];
        let (header, x) = batch.signed_parts(&statement.x());
        batch.signature = author(1).sign(SIGNATURE_DOMAIN, &[&header, &x]);
        batch
    }

    /// `None` where the client would refuse.
    fn transfer(&mut self, from: u8, to: u8, amount: u64) -> Option<SealedBatch> {
        let source = self.read(from)?;
        let slots = transfer((key(from), source), (key(to), self.read(to)), amount).ok()?;
        Some(self.seal(&slots))
    }

    fn apply(&mut self, batch: SealedBatch) -> Outcome {
        let index = self.replica.next;
        let outcome = self.replica.apply(&batch);
        self.sealed.push((index, batch));
        outcome
    }

    fn sum(&self) -> u64 {
        let values = (0..CELLS).filter_map(|cell| self.read(cell));
        values.map(|opening| opening.value()).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn over_random_transfers_the_opened_values_sum_to_the_minted_supply(
        moves in prop::collection::vec((0..CELLS, 0..CELLS, 0..=SUPPLY, any::<bool>()), 1..10),
    ) {
        let mut world = World::new();
        let mut moved = 0;
        for (from, to, amount, race) in moves {
            let rival = if race { world.transfer(from, to, amount) } else { None };
            let Some(batch) = world.transfer(from, to, amount) else { continue };
            prop_assert_eq!(world.apply(batch), Outcome::Applied);
            moved += 1;
            if let Some(rival) = rival {
                let outcome = world.apply(rival);
                prop_assert!(matches!(outcome, Outcome::CellStale | Outcome::CellNotNew));
            }
            prop_assert_eq!(world.sum(), SUPPLY);
        }
        prop_assert_eq!(world.sum(), SUPPLY, "after {} transfers", moved);
    }
}
