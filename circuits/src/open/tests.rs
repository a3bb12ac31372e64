//! `open/v1`: what a reader can show, what it cannot, and the rows as an object.

use super::circuit::{Inputs, capacity, constrain};
use super::*;
use crate::F;
use crate::curve::{Fr, Point, Scalar};
use crate::gadget::Builder;
use crate::matrices::{AssignmentError, Matrices, is_satisfied, matrix_digest};
use crate::policy::Opaque;
use crate::route::RouteSecret;
use crate::seal::{self, SealStatement, SealedCommands, SlotPlaintext, seal};
use crate::shape::{Class, Shape};
use crate::slot::{Body, DecodedKey, SlotKey};
use crate::tangent::{NOTHING, Recording};
use ark_ff::{AdditiveGroup, Field};
use std::sync::LazyLock;

static SHORT: LazyLock<Matrices> = LazyLock::new(|| circuit_matrices(Class::Short));
static LONG: LazyLock<Matrices> = LazyLock::new(|| circuit_matrices(Class::Long));

fn matrices(class: Class) -> &'static Matrices {
    match class {
        Class::Short => &SHORT,
        Class::Long => &LONG,
    }
}

struct Sealed {
    secret: [u8; 32],
    statement: SealStatement,
}

impl Sealed {
    fn secret(&self) -> Scalar {
        Scalar::from_bytes(&self.secret).unwrap()
    }

    fn disclose(&self, slot: usize, text: &str) -> (OpenStatement, OpenWitness) {
        disclose(self.secret(), &self.statement, slot, audience(text)).unwrap()
    }
}

fn sealed(shape: Shape, active: usize) -> Sealed {
    let secret = Scalar::random().unwrap();
    let full = shape.class().body_bytes();
    let commands: Vec<SlotPlaintext> = (0..active)
        .map(|j| {
            SlotPlaintext::put(
                SlotKey::new(format!("key {j}").repeat(9).as_bytes()).unwrap(),
                Body::new(shape.class(), &vec![b'a' + j as u8; full - j]).unwrap(),
            )
        })
        .collect();
    let SealedCommands { statement, .. } = seal(
        &Opaque,
        shape,
        F::from(77u8),
        &secret.public_point(),
        &RouteSecret::random().unwrap(),
        &commands,
        [9; 32],
    )
    .unwrap();
    Sealed {
        secret: *secret.to_bytes(),
        statement,
    }
}

/// The row that these break, whatever the checks before it say.
fn violated(statement: &OpenStatement, witness: &OpenWitness) -> Option<usize> {
    let mut builder = Builder::assigning(capacity(statement.class));
    constrain(&mut builder, &Inputs::new(statement, witness));
    is_satisfied(matrices(statement.class), &builder.finish().0)
}

#[test]
fn every_slot_of_every_shape_can_be_shown_and_says_what_its_reader_reads() {
    for (shape, active) in [
        (Shape::SINGLE, 1),
        (Shape::EIGHT, 8),
        (Shape::EIGHT, 3),
        (Shape::new(1, Class::Long).unwrap(), 1),
        (Shape::new(8, Class::Long).unwrap(), 4),
    ] {
        let sealed = sealed(shape, active);
        let read = seal::open(&sealed.secret(), &sealed.statement).unwrap();
        for (slot, read) in read.iter().enumerate() {
            let (statement, witness) = sealed.disclose(slot, "an auditor");
            assert!(statement.key() == read.key && statement.body() == read.body);
            assert!(statement.is_exact());
            assert_eq!(witness.check(&statement), Ok(()));
            let assignment = assignment(&statement, &witness).unwrap();
            assert_eq!(assignment.x(), statement.x());
            let rows = matrices(shape.class());
            assert_eq!(
                is_satisfied(rows, assignment.as_slice()),
                None,
                "slot {slot}"
            );
        }
    }
}

#[test]
fn the_last_slot_of_sixty_four_can_be_shown() {
    let sealed = sealed(Shape::new(64, Class::Short).unwrap(), 64);
    for slot in [0, 62, 63] {
        let (statement, witness) = sealed.disclose(slot, "");
        let assignment = assignment(&statement, &witness).unwrap();
        assert_eq!(is_satisfied(&SHORT, assignment.as_slice()), None);
        let DecodedKey::Canonical(key) = statement.key() else {
            panic!("an honest key is canonical")
        };
        assert!(key.as_bytes().starts_with(format!("key {slot}").as_bytes()));
    }
}

fn other_point() -> Point {
    Scalar::random().unwrap().public_point()
}

/// What each element of x_o is, and how to change it.
type Change = (&'static str, fn(&mut OpenParts));

/// Elements that the rows tie to the secret: nobody can prove a statement with one of them changed.
const TIED: [Change; 9] = [
    ("ctx", |p| p.ctx += F::ONE),
    ("E", |p| p.ephemeral = other_point()),
    ("E negated", |p| {
        p.ephemeral = Point::from_xy(-p.ephemeral.x(), p.ephemeral.y()).unwrap();
    }),
    ("PK", |p| p.epoch_key = other_point()),
    ("PK negated", |p| {
        p.epoch_key = Point::from_xy(-p.epoch_key.x(), p.epoch_key.y()).unwrap();
    }),
    ("the other slot of the group", |p| p.slot ^= 1),
    ("the slot of another group", |p| p.slot ^= 2),
    ("ciphertext", |p| {
        let at = p.ct.len() - 1;
        p.ct[at] += F::ONE;
    }),
    ("plaintext", |p| p.plaintext[0] += F::ONE),
];

/// Elements that x_o only carries: the checker knows them, and a proof made for one value is none for another.
const CARRIED: [Change; 2] = [
    ("meta", |p| p.meta.body_len -= 1),
    ("audience", |p| p.audience = audience("somebody else")),
];

#[test]
fn a_changed_element_cannot_be_proven_by_an_honest_prover() {
    for class in Class::ALL {
        let sealed = sealed(Shape::new(8, class).unwrap(), 8);
        for (case, change) in TIED {
            let (mut statement, witness) = sealed.disclose(3, "an auditor");
            let x = statement.x();
            change(&mut statement.0);
            assert_ne!(statement.x(), x, "{case}");
            let expected = if case.starts_with("PK") {
                OpenWitnessError::EpochKey
            } else {
                OpenWitnessError::Plaintext
            };
            assert_eq!(witness.check(&statement), Err(expected), "{case}");
            let error = assignment(&statement, &witness).err();
            assert_eq!(error, Some(AssignmentError::Unsatisfied), "{case}");
            assert!(violated(&statement, &witness).is_some(), "{case}");
        }
    }
}

#[test]
fn every_ciphertext_and_plaintext_element_is_bound() {
    for class in Class::ALL {
        let sealed = sealed(Shape::new(8, class).unwrap(), 8);
        for at in 0..class.ct_elements() {
            for plaintext in [false, true] {
                let (mut statement, witness) = sealed.disclose(4, "");
                let parts = &mut statement.0;
                let list = if plaintext {
                    &mut parts.plaintext
                } else {
                    &mut parts.ct
                };
                list[at] += F::ONE;
                let error = witness.check(&statement);
                assert_eq!(error, Err(OpenWitnessError::Plaintext), "element {at}");
                let error = assignment(&statement, &witness).err();
                assert_eq!(error, Some(AssignmentError::Unsatisfied), "element {at}");
            }
        }
    }
}

#[test]
fn a_valid_assignment_shown_with_a_changed_statement_breaks_the_rows() {
    for class in Class::ALL {
        let sealed = sealed(Shape::new(8, class).unwrap(), 8);
        let (honest, witness) = sealed.disclose(3, "an auditor");
        let valid = assignment(&honest, &witness).unwrap();
        for (case, change) in TIED.into_iter().chain(CARRIED) {
            let (mut changed, _) = sealed.disclose(3, "an auditor");
            change(&mut changed.0);
            let mut shown = valid.as_slice().to_vec();
            shown[1] = changed.x();
            assert!(is_satisfied(matrices(class), &shown).is_some(), "{case}");
        }
    }
}

#[test]
fn another_secret_shows_nothing() {
    let sealed = sealed(Shape::EIGHT, 2);
    let refused = disclose(Scalar::random().unwrap(), &sealed.statement, 0, F::ZERO);
    assert_eq!(refused.err(), Some(DiscloseError::WrongSecret));
    let refused = disclose(sealed.secret(), &sealed.statement, 2, F::ZERO);
    let error = DiscloseError::NoSlot { slot: 2, active: 2 };
    assert_eq!(refused.err(), Some(error));

    let (statement, mut witness) = sealed.disclose(0, "");
    for other in [witness.secret.0 + Fr::ONE, -witness.secret.0] {
        witness.secret.0 = other;
        let error = witness.check(&statement);
        assert_eq!(error, Err(OpenWitnessError::EpochKey));
        assert!(violated(&statement, &witness).is_some());
    }
}

#[test]
fn a_slot_number_of_two_spellings_does_not_exist() {
    // Each bit alone, set to something else than 0 or 1 or flipped: the rows object every time.
    let sealed = sealed(Shape::EIGHT, 8);
    let (statement, witness) = sealed.disclose(5, "");
    let honest = assignment(&statement, &witness).unwrap();
    let bits: Vec<usize> = (2..honest.as_slice().len())
        .filter(|at| is_boolean(&SHORT, *at))
        .collect();
    // Two per digit of the secret, six of the slot number.
    assert_eq!(bits.len(), 2 * 126 + 6);
    for at in &bits[bits.len() - 6..] {
        for value in [F::ONE - honest.as_slice()[*at], F::from(2u8)] {
            let mut shown = honest.as_slice().to_vec();
            shown[*at] = value;
            assert!(is_satisfied(&SHORT, &shown).is_some());
        }
    }
}

/// Whether a row says `z·(1 − z) = 0`.
fn is_boolean(matrices: &Matrices, at: usize) -> bool {
    (0..matrices.num_constraints).any(|row| {
        matrices.a[row] == [(F::ONE, at)]
            && matrices.b[row] == [(F::ONE, 0), (-F::ONE, at)]
            && matrices.c[row].is_empty()
    })
}

#[test]
fn parts_of_the_wrong_form_are_no_statement() {
    let sealed = sealed(Shape::EIGHT, 2);
    let refused = |change: &dyn Fn(&mut OpenParts)| {
        let (statement, _) = sealed.disclose(0, "");
        let mut parts = OpenParts {
            class: statement.class,
            ctx: statement.ctx,
            ephemeral: statement.ephemeral,
            epoch_key: statement.epoch_key,
            slot: statement.slot,
            meta: statement.meta,
            ct: statement.ct.clone(),
            plaintext: statement.plaintext.clone(),
            audience: statement.audience,
        };
        change(&mut parts);
        OpenStatement::new(parts).err()
    };
    assert_eq!(refused(&|_| {}), None);
    assert_eq!(
        refused(&|p| p.slot = 64),
        Some(OpenStatementError::Slot { slot: 64 })
    );
    let length = |what, elements| OpenStatementError::Length {
        what,
        elements,
        expected: 7,
    };
    assert_eq!(
        refused(&|p| p.ct.push(F::ZERO)),
        Some(length("ciphertext", 8))
    );
    assert_eq!(
        refused(&|p| p.plaintext.truncate(6)),
        Some(length("plaintext", 6))
    );
    assert_eq!(
        refused(&|p| p.meta.body_len = 156),
        Some(OpenStatementError::BodyLength {
            body_len: 156,
            capacity: 155
        })
    );
}

#[test]
fn bytes_beyond_the_shown_value_do_not_pass_for_an_exact_slot() {
    let sealed = sealed(Shape::EIGHT, 8);
    // Slot 7's body is 148 bytes of 155: a byte behind it, and a bit above 248 in the body and in the key.
    for (at, exponent) in [(6, 247u64), (2, 250), (0, 250)] {
        let (mut statement, _) = sealed.disclose(7, "");
        assert!(statement.is_exact());
        statement.0.plaintext[at] += F::from(2u8).pow([exponent]);
        assert!(!statement.is_exact(), "element {at}");
    }
}

#[test]
fn audiences_differ_and_the_empty_one_is_a_value_like_any() {
    assert_ne!(audience(""), audience("a"));
    assert_ne!(audience(""), F::ZERO);
    assert_eq!(audience("court 7"), audience("court 7"));
}

#[test]
fn nothing_moves_to_first_order() {
    for class in Class::ALL {
        let sealed = sealed(Shape::new(8, class).unwrap(), 8);
        for slot in [2, 5] {
            let (statement, witness) = sealed.disclose(slot, "an auditor");
            let record = || {
                let mut builder = Builder::recording();
                constrain(&mut builder, &Inputs::new(&statement, &witness));
                Recording::of(builder)
            };
            let recording = record();
            // ctx, E, meta, plaintext, audience.
            assert_eq!(recording.inputs().len(), 5 + class.ct_elements());
            assert_eq!(recording.free_given_inputs(), NOTHING, "{class:?} {slot}");
            assert_eq!(
                recording.free_given_statement(),
                NOTHING,
                "{class:?} {slot}"
            );
            assert_eq!(recording.inputs_that_miss_x(), NOTHING, "{class:?} {slot}");
            let rows = recording.matrices().num_constraints;
            for row in (0..rows).rev().step_by(rows / 3) {
                let loose = record().without_row(row).free_given_inputs();
                assert!(!loose.is_empty(), "{class:?}: row {row} of {rows}");
            }
        }
    }
}

/// Changing these is changing the circuit: every key and circuit id made before is void.
#[test]
fn golden_shapes() {
    for (class, constraints, digest) in [
        (
            Class::Short,
            5_580,
            "048495d5407c0dd517e14021b294bc64beca384a5dc0b9c353a205ae374c7a4a",
        ),
        (
            Class::Long,
            10_326,
            "ec0a901bededdda543afa03e20dbcdebe9c0e21b38e34921d5990925bcdaefba",
        ),
    ] {
        let matrices = matrices(class);
        assert_eq!(
            (
                matrices.num_constraints,
                hex::encode(matrix_digest(matrices)).as_str()
            ),
            (constraints, digest),
            "{class:?}"
        );
        let variables = 2 + matrices.num_witness_variables;
        assert!(variables <= capacity(class), "{variables}");
    }
    assert!(SHORT.num_constraints + 2 <= 1 << 13);
    assert!(LONG.num_constraints + 2 <= 1 << 14);
}
