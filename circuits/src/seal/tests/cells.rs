//! Cells as their readers and writers use them, and the form of their statements.

use super::*;
use crate::cells;
use crate::policy::PolicyViolation;
use crate::slot::Op;

fn named(key: &str, command: Command) -> SlotPlaintext {
    SlotPlaintext {
        key: SlotKey::new(key.as_bytes()).unwrap(),
        command,
    }
}

#[test]
fn a_reader_opens_each_cell_and_the_next_author_goes_on_from_there() {
    let family = cells::family("ledger");
    let from = minted(100);
    let commands = [
        named("from", update(Some(minted(100)), 70)),
        named("to", update(None, 30)),
        named(
            "seen",
            Command::Guard {
                cell: minted(5),
                memo: b"why".to_vec().into(),
            },
        ),
        command(b"note", b"a plain put"),
    ];
    let sealed = sealed_from(&Ledger, Shape::EIGHT, &commands).unwrap();
    let slots = &sealed.statement.slots;
    assert_eq!(slots[0].cell[0], from.commitment(family, slots[0].route));
    assert_eq!(slots[1].cell[0], F::ZERO);
    assert_eq!(slots[2].cell[0], slots[2].cell[1]);
    assert_eq!(slots[3].cell, [F::ZERO; 2]);

    let opened = open(&sealed.secret, &sealed.statement).unwrap();
    let versions = [7, 1];
    for (j, value) in [(0, 70), (1, 30)] {
        let by_author = sealed.openings[j].as_ref().unwrap();
        assert_eq!(
            (by_author.value(), by_author.version()),
            (value, versions[j])
        );
        let cell = opened[j].cell.as_ref().unwrap();
        assert_eq!(cell.value(), value);
        let opening = cell.opening(versions[j]).unwrap();
        for opening in [&opening, by_author] {
            assert_eq!(opening.commitment(family, slots[j].route), slots[j].cell[1]);
        }
        assert_eq!(
            cells::decode_body(&opened[j].body),
            Some((value, b"memo".as_slice()))
        );
    }
    let guarded = opened[2].cell.as_ref().unwrap();
    assert_eq!(guarded.value(), 5);
    assert!(guarded.opening(6).is_none() && sealed.openings[2].is_none());
    assert!(opened[3].cell.is_none());

    // The next batch moves everything back, with what the reader found.
    let next = |j: usize| opened[j].cell.as_ref().unwrap().opening(versions[j]);
    let back = [
        named("from", update(next(0), 100)),
        named("to", update(next(1), 0)),
    ];
    let back = sealed_from(&Ledger, Shape::EIGHT, &back).unwrap();
    assert_eq!(back.witness.check(&Ledger, &back.statement), Ok(()));
}

#[test]
fn a_batch_that_mints_or_burns_is_not_sealed() {
    for value in [0, 99, 101, u64::MAX] {
        let error = sealed_from(
            &Ledger,
            Shape::SINGLE,
            &[named("a", update(Some(minted(100)), value))],
        );
        let violation = PolicyViolation {
            slot: None,
            rule: "the cells' new values do not sum to their old ones",
        };
        assert!(matches!(
            error.err(),
            Some(SealError::Rule(WitnessError::Policy(found))) if found == violation
        ));
    }
}

#[test]
fn a_sum_of_the_largest_values_does_not_wrap() {
    let largest = |key: usize| named(&format!("{key}"), update(Some(minted(u64::MAX)), u64::MAX));
    let commands: Vec<SlotPlaintext> = (0..64).map(largest).collect();
    let sealed = sealed_from(&Ledger, Shape::SIXTY_FOUR, &commands).unwrap();
    assert!(assignment(&Ledger, &sealed.statement, &sealed.witness).is_ok());
}

#[test]
fn a_cell_of_the_wrong_form_makes_no_statement() {
    let good = sealed(&Ledger, Shape::EIGHT, 5).statement;
    let fault = |slot: usize, change: &dyn Fn(&mut PublicSlot)| {
        let mut parts = good.0.clone();
        change(&mut parts.slots[slot]);
        match SealStatement::new(parts).unwrap_err() {
            StatementError::Cell { slot: at, fault } if at == slot => fault,
            other => panic!("{other}"),
        }
    };
    let count = |expected, found| CellFault::Count { expected, found };
    assert_eq!(
        fault(0, &|s| s.meta.cell_count = 2),
        count(1, 2),
        "two cells in one slot"
    );
    assert_eq!(fault(0, &|s| s.meta.cell_count = 0), count(1, 0));
    assert_eq!(fault(3, &|s| s.meta.cell_count = 1), count(0, 1));
    assert_eq!(fault(0, &|s| s.meta.op = Op::Put), count(0, 1));
    assert_eq!(fault(3, &|s| s.cell[1] = F::ONE), CellFault::NotAbsent);
    assert_eq!(fault(4, &|s| s.cell[0] = F::ONE), CellFault::NotAbsent);
    assert_eq!(fault(0, &|s| s.cell[1] = F::ZERO), CellFault::ZeroNew);
    assert_eq!(fault(2, &|s| s.cell = [F::ZERO; 2]), CellFault::ZeroGuard);
    assert_eq!(fault(2, &|s| s.cell[1] += F::ONE), CellFault::GuardChanges);
    let short = CellFault::BodyLength { body_len: 30 };
    assert_eq!(fault(0, &|s| s.meta.body_len = 30), short);
    let mut opaque = good.0.clone();
    opaque.form = crate::shape::Form::without_cells(Shape::EIGHT);
    let refused = SealStatement::new(opaque).unwrap_err();
    let fault = CellFault::NotAllowed;
    assert_eq!(refused, StatementError::Cell { slot: 0, fault });
}

#[test]
fn a_policy_without_cells_seals_no_cell() {
    let error = sealed_from(&Opaque, Shape::SINGLE, &[named("a", update(None, 0))]);
    let fault = CellFault::NotAllowed;
    assert!(matches!(
        error.err(),
        Some(SealError::Statement(StatementError::Cell { slot: 0, fault: found })) if found == fault
    ));
}
