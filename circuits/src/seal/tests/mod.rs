//! The seal as a whole, and what the tests below it share.

mod binding;
mod rows;

use super::*;
use crate::F;
use crate::curve::Scalar;
use crate::gadget::testing::element;
use crate::matrices::{Matrices, assignment, circuit_matrices, is_satisfied};
use crate::policy::PolicyViolation;
use crate::route::RouteSecret;
use crate::shape::{Class, Shape};
use crate::slot::{Body, DecodedKey, Op, SlotKey};
use ark_ff::{AdditiveGroup, Field};
use proptest::prelude::*;
use std::sync::OnceLock;

/// The matrices of a shape, made once for all tests.
fn matrices(shape: Shape) -> &'static Matrices {
    static MADE: [OnceLock<Matrices>; 6] = [const { OnceLock::new() }; 6];
    let at = Shape::ALL.iter().position(|known| *known == shape).unwrap();
    MADE[at].get_or_init(|| circuit_matrices(shape))
}

fn command(key: &[u8], body: &[u8]) -> SlotPlaintext {
    command_of(Class::Short, key, body)
}

fn command_of(class: Class, key: &[u8], body: &[u8]) -> SlotPlaintext {
    SlotPlaintext {
        op: Op::Put,
        key: SlotKey::new(key).unwrap(),
        body: Body::new(class, body).unwrap(),
    }
}

struct Sealed {
    secret: Scalar,
    statement: SealStatement,
    witness: SealWitness,
}

fn sealed(shape: Shape, active: usize) -> Sealed {
    let secret = Scalar::random().unwrap();
    let k_route = RouteSecret::random().unwrap();
    let commands: Vec<SlotPlaintext> = (0..active)
        .map(|j| {
            command_of(
                shape.class(),
                format!("key {j}").as_bytes(),
                format!("body {j}").repeat(j % 8 + 1).as_bytes(),
            )
        })
        .collect();
    let (statement, witness) = seal(
        shape,
        F::from(77u8),
        &secret.public_point(),
        &k_route,
        &commands,
        [9; 32],
    )
    .unwrap();
    Sealed {
        secret,
        statement,
        witness,
    }
}

#[test]
fn an_honest_seal_satisfies_the_native_check_and_the_rows() {
    for (shape, active) in [
        (Shape::SINGLE, 1),
        (Shape::EIGHT, 1),
        (Shape::EIGHT, 3),
        (Shape::EIGHT, 8),
        (Shape::SIXTY_FOUR, 37),
        (Shape::new(1, Class::Long).unwrap(), 1),
        (Shape::new(8, Class::Long).unwrap(), 5),
    ] {
        let Sealed {
            statement, witness, ..
        } = sealed(shape, active);
        assert_eq!(witness.check(&statement), Ok(()));
        let assignment = assignment(&statement, &witness).unwrap();
        assert_eq!(assignment.x(), statement.x());
        assert_eq!(is_satisfied(matrices(shape), assignment.as_slice()), None);
    }
}

#[test]
fn a_statement_of_the_wrong_form_is_not_built() {
    let Sealed { statement, .. } = sealed(Shape::EIGHT, 2);
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
    assert_eq!(
        refused(&|p| p.policy_digest = F::ONE),
        PolicyViolation::Digest.into()
    );
    assert_eq!(
        refused(&|p| p.slots[0].cell[1] = F::ONE),
        PolicyViolation::UnexpectedCell { slot: 0 }.into()
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
    let error = seal(Shape::EIGHT, F::ONE, &key, &k_route, &commands, [0; 32])
        .err()
        .unwrap();
    assert!(matches!(
        error,
        SealError::Statement(StatementError::DuplicateRoute {
            first: 0,
            second: 2
        })
    ));
    let error = seal(Shape::SINGLE, F::ONE, &key, &k_route, &commands, [0; 32])
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
            Shape::SINGLE,
            F::ONE,
            &key,
            &k_route,
            &[command(b"a", b"1")],
            [0; 32],
        )
        .unwrap()
        .0
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
    let Sealed { statement, .. } = sealed(Shape::SINGLE, 1);
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
        let (statement, witness) = seal(Shape::EIGHT, ctx, &secret.public_point(), &k_route, &plain, [1; 32]).unwrap();
        prop_assert_eq!(witness.check(&statement), Ok(()));
        let opened = open(&secret, &statement).unwrap();
        prop_assert_eq!(opened.len(), plain.len());
        for (j, (opened, plain)) in opened.iter().zip(&plain).enumerate() {
            prop_assert!(opened.key == DecodedKey::Canonical(plain.key.clone()));
            prop_assert!(opened.body == plain.body);
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
    } = sealed(Shape::SINGLE, 1);
    statement.0.slots[0].ct[0] += F::from(2u8).pow([250u64]);
    let opened = open(&secret, &statement).unwrap();
    assert!(opened[0].key == DecodedKey::NonCanonical);
    assert_eq!(opened[0].body.as_bytes(), b"body 0");
}
