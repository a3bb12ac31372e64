//! Attacks on cells. Whoever attacks computes everything but the broken rule as the circuit would, so that x agrees and
//! only the rows that hold the rule can object.

use super::*;
use crate::cells;
use crate::cipher;
use crate::matrices::AssignmentError;
use crate::policy::PolicyViolation;
use crate::seal::cell::CellSecret;
use crate::seal::circuit;
use crate::seal::inputs::Inputs;
use crate::seal::make::public_slot;
use crate::seal::witness::SlotSecret;
use crate::shape::Form;
use crate::slot::{Meta, Op};

/// A slot of an attacker: any opening, any first body element.
fn slot(key: u64, op: Op, cell: CellSecret, first: F) -> SlotSecret {
    let mut body = vec![F::ZERO; 5];
    body[0] = first;
    SlotSecret {
        op: Some(op),
        key: [F::from(key), F::ZERO],
        body,
        cell,
    }
}

fn opening(value: F) -> CellSecret {
    CellSecret {
        created: false,
        value,
        version: F::from(4u8),
        blind: F::from(99u8),
    }
}

fn created() -> CellSecret {
    CellSecret {
        created: true,
        ..CellSecret::default()
    }
}

/// The statement that belongs to the slots, every check skipped.
fn forge(slots: Vec<SlotSecret>) -> (SealStatement, SealWitness) {
    let (e, reader) = (Scalar::random().unwrap(), Scalar::random().unwrap());
    let (k_route, shape) = (RouteSecret::random().unwrap(), Shape::EIGHT);
    let epoch_key = reader.public_point();
    let ctx = F::from(CTX);
    let key = cipher::content_key(&epoch_key.multiply(&e), ctx);
    let public = |(j, secret): (usize, &SlotSecret)| {
        let op = secret.op.unwrap();
        let stream = cipher::keystream(key, j / 2, shape.stream_len());
        let meta = Meta {
            op,
            body_len: 155,
            cell_count: op.has_cell().into(),
        };
        let (pad, blind) = (&stream[shape.pad(j % 2)], stream[shape.blind(j % 2)]);
        public_slot(&Ledger, secret, meta, &k_route, pad, blind)
    };
    let statement = SealStatement(StatementParts {
        form: Form {
            shape,
            cells: CellUse::Allowed,
        },
        ctx,
        ephemeral: e.public_point(),
        epoch_key,
        route_commitment: k_route.commitment(),
        policy_digest: F::ZERO,
        slots: slots.iter().enumerate().map(public).collect(),
    });
    let witness = SealWitness {
        e,
        k_route: k_route.0,
        slots,
    };
    (statement, witness)
}

/// Some row objects, and it is not the one about x.
fn rows_object(inputs: &Inputs) -> bool {
    let (values, violated) = circuit::assign(&Ledger, inputs);
    let matrices = matrices(&Ledger, Shape::EIGHT);
    let last = matrices.num_constraints - 1;
    assert!(matrices.row_holds(last, &values), "x agrees");
    let row = is_satisfied(matrices, &values);
    assert_eq!(
        row.is_some(),
        violated,
        "rows and their evaluation on the way agree"
    );
    row.is_some_and(|row| row < last)
}

fn refused(case: &str, slots: Vec<SlotSecret>, rule: WitnessError) {
    let (statement, witness) = forge(slots);
    assert_eq!(witness.check(&Ledger, &statement), Err(rule), "{case}");
    let inputs = Inputs::new(&Ledger, &statement, &witness).unwrap();
    assert!(rows_object(&inputs), "{case}");
    let assigned = assignment(&Ledger, &statement, &witness);
    assert_eq!(assigned.err(), Some(AssignmentError::Unsatisfied), "{case}");
}

fn cell(slot: usize, rule: CellRule) -> WitnessError {
    WitnessError::Cell { slot, rule }
}

const UNBALANCED: WitnessError = WitnessError::Policy(PolicyViolation {
    slot: None,
    rule: "the cells' new values do not sum to their old ones",
});

#[test]
fn the_attackers_tools_make_honest_statements() {
    let n = |value: u64| F::from(value);
    let (statement, witness) = forge(vec![
        slot(1, Op::Update, opening(n(9)), n(4)),
        slot(2, Op::Update, created(), n(5)),
        slot(3, Op::Guard, opening(n(7)), n(7)),
        slot(4, Op::Put, CellSecret::default(), n(1 << 40)),
    ]);
    assert_eq!(witness.check(&Ledger, &statement), Ok(()));
    assert!(SealStatement::new(statement.0.clone()).is_ok());
    assert!(assignment(&Ledger, &statement, &witness).is_ok());
}

#[test]
fn value_does_not_appear_or_vanish() {
    let n = |value: u64| F::from(value);
    let update = |old, new| vec![slot(1, Op::Update, opening(n(old)), n(new))];
    refused("mint", update(1, 2), UNBALANCED);
    refused("burn", update(2, 1), UNBALANCED);
    refused(
        "created",
        vec![slot(1, Op::Update, created(), n(1))],
        UNBALANCED,
    );
}

#[test]
fn values_do_not_wrap_around() {
    let power = F::from(2u8).pow([64u64]);
    let pair = |old: [F; 2], new: [F; 2]| {
        let slot = |j: usize| slot(j as u64, Op::Update, opening(old[j]), new[j]);
        vec![slot(0), slot(1)]
    };
    let (five, ten) = (F::from(5u8), F::from(10u8));
    refused(
        "p - 5",
        pair([five, F::ZERO], [ten, -five]),
        cell(1, CellRule::Range),
    );
    refused(
        "2^64",
        pair([power - five, five], [power, F::ZERO]),
        cell(0, CellRule::Range),
    );
    refused(
        "an old p - 5",
        pair([-five, ten], [F::ZERO, five]),
        cell(0, CellRule::Range),
    );
}

#[test]
fn a_created_cell_was_nothing_before() {
    let with = |change: fn(&mut CellSecret)| {
        let mut cell = created();
        change(&mut cell);
        cell
    };
    let ten = F::from(10u8);
    // The other slot pays for what the creation claims to have held, so that the sum is even.
    let pay = || slot(2, Op::Update, opening(F::from(5u8)), F::from(5u8));
    let value = slot(1, Op::Update, with(|c| c.value = F::from(10u8)), ten);
    refused("value", vec![value, pay()], cell(0, CellRule::Absent));
    let version = slot(1, Op::Update, with(|c| c.version = F::ONE), F::ZERO);
    refused("version", vec![version, pay()], cell(0, CellRule::Absent));
    let blind = slot(1, Op::Update, with(|c| c.blind = F::ONE), F::ZERO);
    refused("blind", vec![blind], cell(0, CellRule::Absent));
    let guarded = slot(1, Op::Guard, created(), F::ZERO);
    refused("guard", vec![guarded], cell(0, CellRule::Created));
    for op in [Op::Put, Op::PutBulk] {
        // Without an operation that has a cell the rows show another old commitment: x differs as well.
        let (statement, witness) = forge(vec![slot(1, op, created(), F::ZERO)]);
        let rule = cell(0, CellRule::Created);
        assert_eq!(witness.check(&Ledger, &statement), Err(rule));
        assert!(assignment(&Ledger, &statement, &witness).is_err());
    }
}

#[test]
fn a_slot_without_a_cell_holds_no_value() {
    let pay = |old: u64, new: u64| slot(2, Op::Update, opening(F::from(old)), F::from(new));
    for op in [Op::Put, Op::PutBulk] {
        let hidden = slot(1, op, opening(F::from(10u8)), F::ZERO);
        refused(
            "hidden",
            vec![hidden, pay(1, 11)],
            cell(0, CellRule::Absent),
        );
        // A put's first element is no value: it cannot take what a cell loses.
        let sink = slot(1, op, CellSecret::default(), F::from(10u8));
        refused("sink", vec![sink, pay(11, 1)], UNBALANCED);
    }
}

#[test]
fn a_padding_slot_neither_holds_nor_takes_value() {
    let mint = || vec![slot(1, Op::Update, opening(F::ONE), F::from(11u8))];
    let padded = |change: &dyn Fn(&mut SlotSecret)| {
        let (statement, witness) = forge(mint());
        let mut inputs = Inputs::new(&Ledger, &statement, &witness).unwrap();
        change(&mut inputs.slots[5]);
        inputs
    };
    assert!(rows_object(&padded(&|s| s.cell.value = F::from(10u8))));
    assert!(rows_object(&padded(&|s| s.body[0] = -F::from(10u8))));
    // With a creation or an operation the padding slot shows in the leaf, so x differs as well.
    assert!(circuit::assign(&Ledger, &padded(&|s| s.cell.created = true)).1);
    for op in Op::ALL {
        let inputs = padded(&|s| {
            s.op = Some(op);
            s.cell = opening(F::from(10u8));
        });
        assert!(circuit::assign(&Ledger, &inputs).1, "{op:?}");
    }
    // An active slot more than the statement has: another root.
    let (statement, witness) = forge(mint());
    let mut inputs = Inputs::new(&Ledger, &statement, &witness).unwrap();
    inputs.active = 2;
    inputs.slots[1].op = Some(Op::Update);
    inputs.slots[1].cell = opening(F::from(10u8));
    let (values, violated) = circuit::assign(&Ledger, &inputs);
    let matrices = matrices(&Ledger, Shape::EIGHT);
    assert!(violated && is_satisfied(matrices, &values) == Some(matrices.num_constraints - 1));
}

#[test]
fn a_guard_shows_the_value_it_guards() {
    let five = F::from(5u8);
    let claims = slot(1, Op::Guard, opening(five), F::from(6u8));
    // The other slot keeps the sum even, so that only the guard's own row can object.
    let even = slot(2, Op::Update, opening(F::from(6u8)), five);
    refused(
        "another value",
        vec![claims, even],
        cell(0, CellRule::Guard),
    );
}

#[test]
fn one_route_stands_once_in_a_batch() {
    // Both spend the same cell: each alone would be fine.
    let spend = |key, new: u64| slot(key, Op::Update, opening(F::from(5u8)), F::from(new));
    let (statement, witness) = forge(vec![spend(1, 2), spend(1, 8)]);
    assert_eq!(witness.check(&Ledger, &statement), Ok(()));
    let (first, second) = (0, 1);
    let refused = SealStatement::new(statement.0.clone()).err();
    assert_eq!(
        refused,
        Some(StatementError::DuplicateRoute { first, second })
    );
}

#[test]
fn another_commitment_than_the_openings_is_refused() {
    let honest = || forge(vec![slot(1, Op::Update, opening(F::ONE), F::ONE)]);
    let route = honest().0.slots[0].route;
    let ledger = cells::family("ledger");
    let blind = F::from(99u8);
    let shown = |case: &str, at: usize, commitment: F, rule: CellRule| {
        let (mut statement, witness) = honest();
        statement.0.slots[0].cell[at] = commitment;
        assert_eq!(
            witness.check(&Ledger, &statement),
            Err(cell(0, rule)),
            "{case}"
        );
        assert!(assignment(&Ledger, &statement, &witness).is_err(), "{case}");
    };
    let old = |family, version| cells::commitment(family, route, 1, version, blind);
    shown("stale opening", 0, old(ledger, 5), CellRule::Old);
    shown(
        "another family",
        0,
        old(cells::family("dose"), 4),
        CellRule::Old,
    );
    shown(
        "another cell",
        0,
        cells::commitment(ledger, F::ONE, 1, 4, blind),
        CellRule::Old,
    );
    shown("creation of a cell that exists", 0, F::ZERO, CellRule::Old);
    let new = |value, version| cells::commitment(ledger, route, value, version, blind);
    shown(
        "a value not in the ciphertext",
        1,
        new(1_000_000, 5),
        CellRule::New,
    );
    shown("a blinding no reader finds", 1, new(1, 5), CellRule::New);
    shown("the version kept", 1, new(1, 4), CellRule::New);
}

#[test]
fn an_operation_is_not_shown_as_another() {
    for op in Op::ALL {
        let secret = if op.has_cell() {
            opening(F::ONE)
        } else {
            CellSecret::default()
        };
        let (mut statement, witness) = forge(vec![slot(1, op, secret, F::ONE)]);
        for other in Op::ALL.into_iter().filter(|other| *other != op) {
            statement.0.slots[0].meta.op = other;
            let rule = WitnessError::Operation { slot: 0 };
            assert_eq!(witness.check(&Ledger, &statement), Err(rule));
            assert!(assignment(&Ledger, &statement, &witness).is_err());
        }
    }
}
