//! The seal as a whole, and what the tests below it share.

mod attacks;
mod binding;
mod cells;
mod rows;

use super::*;
use crate::F;
use crate::cells::CellOpening;
use crate::curve::Scalar;
use crate::gadget::testing::element;
use crate::matrices::{Matrices, assignment, circuit_matrices, is_satisfied};
use crate::policy::{Ledger, Opaque, Policy};
use crate::route::RouteSecret;
use crate::shape::{CellUse, Class, Shape};
use crate::slot::{Body, DecodedKey, SlotKey};
use ark_ff::{AdditiveGroup, Field};
use proptest::prelude::*;
use std::sync::OnceLock;

/// The matrices of a shipped policy and a shape, made once for all tests.
fn matrices(policy: &dyn Policy, shape: Shape) -> &'static Matrices {
    static MADE: [[OnceLock<Matrices>; 6]; 2] = [const { [const { OnceLock::new() }; 6] }; 2];
    let at = Shape::ALL.iter().position(|known| *known == shape).unwrap();
    MADE[usize::from(policy.name() == "ledger")][at].get_or_init(|| circuit_matrices(policy, shape))
}

fn command(key: &[u8], body: &[u8]) -> SlotPlaintext {
    command_of(Class::Short, key, body)
}

fn command_of(class: Class, key: &[u8], body: &[u8]) -> SlotPlaintext {
    SlotPlaintext::put(SlotKey::new(key).unwrap(), Body::new(class, body).unwrap())
}

struct Sealed {
    secret: Scalar,
    statement: SealStatement,
    witness: SealWitness,
    openings: Vec<Option<CellOpening>>,
}

const POLICIES: [&dyn Policy; 2] = [&Opaque, &Ledger];
const CTX: u64 = 77;

fn sealed_from(
    policy: &dyn Policy,
    shape: Shape,
    commands: &[SlotPlaintext],
) -> Result<Sealed, SealError> {
    let secret = Scalar::random().unwrap();
    let k_route = RouteSecret::random().unwrap();
    let sealed = seal(
        policy,
        shape,
        F::from(CTX),
        &secret.public_point(),
        &k_route,
        commands,
        [9; 32],
    )?;
    Ok(Sealed {
        secret,
        statement: sealed.statement,
        witness: sealed.witness,
        openings: sealed.openings,
    })
}

/// `active` commands; under `ledger` a transfer into a new cell, a guard, a put and a bulk put, repeated.
fn sealed(policy: &dyn Policy, shape: Shape, active: usize) -> Sealed {
    let body = |j: usize| format!("body {j}").repeat(j % 8 + 1);
    let command = |j: usize| {
        let key = format!("key {j}");
        let put = command_of(shape.class(), key.as_bytes(), body(j).as_bytes());
        let command = match (policy.cells(), j % 5) {
            (CellUse::None, _) | (_, 3) => return put,
            (_, 0) => update(Some(minted(100)), if j + 1 == active { 100 } else { 70 }),
            (_, 1) => update(None, 30),
            (_, 2) => Command::Guard {
                cell: minted(55),
                memo: b"seen".to_vec().into(),
            },
            _ => Command::PutBulk(Body::new(shape.class(), b"a reference").unwrap()),
        };
        SlotPlaintext { command, ..put }
    };
    let commands: Vec<SlotPlaintext> = (0..active).map(command).collect();
    sealed_from(policy, shape, &commands).unwrap()
}

fn update(old: Option<CellOpening>, value: u64) -> Command {
    Command::Update {
        old,
        value,
        memo: b"memo".to_vec().into(),
    }
}

fn minted(value: u64) -> CellOpening {
    CellOpening::new(value, 6, F::from(12_345u64))
}

#[test]
fn an_honest_seal_satisfies_the_native_check_and_the_rows() {
    let cases = [
        (Shape::SINGLE, 1),
        (Shape::EIGHT, 1),
        (Shape::EIGHT, 3),
        (Shape::EIGHT, 8),
        (Shape::SIXTY_FOUR, 37),
        (Shape::new(1, Class::Long).unwrap(), 1),
        (Shape::new(8, Class::Long).unwrap(), 5),
    ];
    for policy in POLICIES {
        for (shape, active) in cases {
            let Sealed {
                statement, witness, ..
            } = sealed(policy, shape, active);
            assert_eq!(witness.check(policy, &statement), Ok(()));
            let assignment = assignment(policy, &statement, &witness).unwrap();
            assert_eq!(assignment.x(), statement.x());
            let matrices = matrices(policy, shape);
            assert_eq!(is_satisfied(matrices, assignment.as_slice()), None);
        }
    }
}

#[test]
fn a_statement_of_the_wrong_form_is_not_built() {
    let Sealed { statement, .. } = sealed(&Opaque, Shape::EIGHT, 2);
    let refused = |change: &dyn Fn(&mut StatementParts)| {
        let mut parts = statement.0.clone();
        change(&mut parts);
        SealStatement::new(parts).unwrap_err()
    };
    assert_eq!(
        refused(&|p| p.slots.clear()),
        StatementError::SlotCount {
            active: 0,
            slots: 8
        }
    );
    assert_eq!(
        refused(&|p| p.slots = vec![p.slots[0].clone(); 9]),
        StatementError::SlotCount {
            active: 9,
            slots: 8
        }
    );
    assert_eq!(
        refused(&|p| p.slots[1].ct.push(F::ZERO)),
        StatementError::CiphertextLength {
            slot: 1,
            elements: 8,
            expected: 7
        }
    );
    assert_eq!(
        refused(&|p| p.slots[1].meta.body_len = 156),
        StatementError::BodyLength {
            slot: 1,
            body_len: 156,
            capacity: 155
        }
    );
    assert_eq!(
        refused(&|p| p.slots[1].route = p.slots[0].route),
        StatementError::DuplicateRoute {
            first: 0,
            second: 1
        }
    );
    assert_eq!(
        refused(&|p| p.slots[1].route = F::ZERO),
        StatementError::ZeroRoute { slot: 1 }
    );
    assert!(SealStatement::new(statement.0.clone()).is_ok());
}

#[test]
fn two_commands_on_one_key_are_not_sealed_together() {
    let key = Scalar::random().unwrap().public_point();
    let k_route = RouteSecret::random().unwrap();
    let commands = [
        command(b"a", b"1"),
        command(b"b", b"2"),
        command(b"a", b"3"),
    ];
    let error = seal(
        &Opaque,
        Shape::EIGHT,
        F::ONE,
        &key,
        &k_route,
        &commands,
        [0; 32],
    )
    .err()
    .unwrap();
    assert!(matches!(
        error,
        SealError::Statement(StatementError::DuplicateRoute {
            first: 0,
            second: 2
        })
    ));
    let error = seal(
        &Opaque,
        Shape::SINGLE,
        F::ONE,
        &key,
        &k_route,
        &commands,
        [0; 32],
    )
    .err()
    .unwrap();
    assert!(matches!(
        error,
        SealError::Statement(StatementError::SlotCount {
            active: 3,
            slots: 1
        })
    ));
}

#[test]
fn the_same_content_sealed_twice_shares_nothing() {
    let key = Scalar::random().unwrap().public_point();
    let k_route = RouteSecret::random().unwrap();
    let make = || {
        seal(
            &Opaque,
            Shape::SINGLE,
            F::ONE,
            &key,
            &k_route,
            &[command(b"a", b"1")],
            [0; 32],
        )
        .unwrap()
        .statement
    };
    let (first, second) = (make(), make());
    assert_ne!(first.ephemeral, second.ephemeral);
    assert!(
        first.slots[0]
            .ct
            .iter()
            .zip(&second.slots[0].ct)
            .all(|(a, b)| a != b)
    );
    assert_eq!(first.slots[0].route, second.slots[0].route);
}

#[test]
fn another_epochs_secret_does_not_open() {
    let Sealed { statement, .. } = sealed(&Opaque, Shape::SINGLE, 1);
    assert_eq!(
        open(&Scalar::random().unwrap(), &statement).err(),
        Some(OpenError::WrongSecret)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn readers_get_back_what_was_sealed(
        commands in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 0..=61), prop::collection::vec(any::<u8>(), 0..=155), 1..=8,
        ),
        ctx in element(),
    ) {
        let secret = Scalar::random().unwrap();
        let k_route = RouteSecret::random().unwrap();
        let plain: Vec<SlotPlaintext> = commands.iter().map(|(key, body)| command(key, body)).collect();
        let SealedCommands { statement, witness, .. } = seal(&Opaque, Shape::EIGHT, ctx, &secret.public_point(), &k_route, &plain, [1; 32]).unwrap();
        prop_assert_eq!(witness.check(&Opaque, &statement), Ok(()));
        let opened = open(&secret, &statement).unwrap();
        prop_assert_eq!(opened.len(), plain.len());
        for (j, (opened, plain)) in opened.iter().zip(&plain).enumerate() {
            prop_assert!(opened.key == DecodedKey::Canonical(plain.key.clone()));
            prop_assert!(matches!(&plain.command, Command::Put(body) if *body == opened.body));
            prop_assert_eq!(statement.slots[j].route, k_route.route(&plain.key));
        }
    }
}

#[test]
fn a_key_that_is_no_keys_encoding_is_shown_as_such() {
    let Sealed {
        secret,
        mut statement,
        ..
    } = sealed(&Opaque, Shape::SINGLE, 1);
    statement.0.slots[0].ct[0] += F::from(2u8).pow([250u64]);
    let opened = open(&secret, &statement).unwrap();
    assert!(opened[0].key == DecodedKey::NonCanonical);
    assert_eq!(opened[0].body.as_bytes(), b"body 0");
}
