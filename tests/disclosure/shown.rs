//! What can be shown, and that it is shown as it is and nothing beside it.

use crate::audit_support::author;
use crate::world::{AUDIENCE, COMMANDS, ENTRY, World, options, secret, value, world};
use std::path::PathBuf;
use ukehi::audit::disclosure::{
    DiscloseError, Disclosure, DisclosureError, MAX_DISCLOSURE_BYTES, prepare,
};
use ukehi::error::ExitCode;
use ukehi::log::{EntryKind, Outcome};
use ukehi::params::{CircuitError, load_open};
use ukehi_circuits::shape::{Class, Form, Shape};
use ukehi_circuits::slot::SlotKey;
use ukehi_circuits::{Scalar, field, open};

#[test]
fn every_command_of_a_batch_can_be_shown_and_is_shown_as_it_is() {
    for slot in 0..COMMANDS {
        let disclosure = world().disclose(slot, AUDIENCE);
        let read = Disclosure::from_json(&disclosure.to_json()).unwrap();
        assert!(read == disclosure);
        let shown = world().check(&read).unwrap();
        assert_eq!(shown.key, Some(format!("patient/{slot}")));
        let expected = match slot {
            3 => "hex:fffe".to_owned(),
            4 => "hex:6865783a3030".to_owned(),
            _ => String::from_utf8(value(1, slot)).unwrap(),
        };
        assert_eq!(shown.value, expected);
        assert_eq!((shown.index, shown.slot), (ENTRY, slot));
        assert_eq!(shown.author, author(1).public());
        assert!(shown.exact);
        let words = shown.in_words();
        assert!(words.contains(AUDIENCE), "{words}");
        assert!(words.contains("INSECURE"), "{words}");
    }
}

#[test]
fn a_ranged_bundle_serves_as_well() {
    let world = world();
    for (from, to) in [(2, 3), (1, 4), (2, 5)] {
        let bundle = world.trail.range(from, to);
        let disclosure = world.disclose_from(&bundle, ENTRY, 0, "").unwrap();
        assert!(world.check(&disclosure).is_ok(), "{from}..{to}");
    }
}

#[test]
fn an_audience_of_nobody_in_particular_is_said_to_be_anyone() {
    let disclosure = world().disclose(0, "");
    let words = world().check(&disclosure).unwrap().in_words();
    assert!(words.starts_with("VERIFIED, shown to anyone"), "{words}");
    let error = disclosure
        .check(&world().trust, &options(Some(AUDIENCE)))
        .err()
        .unwrap();
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
    assert!(matches!(error, DisclosureError::OtherAudience { .. }));
}

#[test]
fn neither_the_other_commands_nor_the_key_of_the_batch_are_in_the_file() {
    let world = world();
    let text = world.disclose(2, AUDIENCE).to_json();
    for other in [0, 1, 3, 4] {
        assert!(!text.contains(&format!("patient/{other}")));
        let plain = SlotKey::new(format!("patient/{other}").as_bytes()).unwrap();
        let mut element = [0u8; 32];
        element[0] = plain.as_bytes().len() as u8;
        element[1..=plain.as_bytes().len()].copy_from_slice(plain.as_bytes());
        assert!(!text.contains(&hex::encode(element)));
    }
    let batch = world.trail.entries[ENTRY as usize].batch();
    let shared = batch.ephemeral.multiply(&secret());
    for secret in [
        field::encode(&shared.x()),
        field::encode(&shared.y()),
        *secret().to_bytes(),
    ] {
        assert!(!text.contains(&hex::encode(secret)));
    }
}

#[test]
fn only_an_applied_batch_and_one_of_its_commands_can_be_disclosed() {
    let world = world();
    let bundle = world.trail.bundle();
    let refused = |entry, slot| world.disclose_from(&bundle, entry, slot, "").err().unwrap();
    assert!(matches!(
        refused(1, 0),
        DiscloseError::NotABatch {
            index: 1,
            kind: EntryKind::NoOp
        }
    ));
    assert!(matches!(
        refused(4, 0),
        DiscloseError::NotApplied {
            index: 4,
            outcome: Outcome::Expired
        }
    ));
    assert!(matches!(refused(9, 0), DiscloseError::Bundle(_)));
    let no_slot = open::DiscloseError::NoSlot { slot: 5, active: 5 };
    let error = refused(ENTRY, COMMANDS);
    assert!(matches!(error, DiscloseError::Slot { source, .. } if source == no_slot));
    let other = prepare(&bundle[..], ENTRY).unwrap().open(
        Form::without_cells(Shape::EIGHT),
        Scalar::random().unwrap(),
        0,
        "",
    );
    let wrong = open::DiscloseError::WrongSecret;
    assert!(matches!(other.err().unwrap(), DiscloseError::Slot { source, .. } if source == wrong));
}

#[test]
fn a_parameters_directory_without_the_circuit_is_told_so() {
    let world = world();
    let dir: PathBuf = world.params.path().to_owned();
    let sealing = [world.trust.genesis.circuits[0]];
    for (class, registered) in [(Class::Long, None), (Class::Short, Some(&sealing[..]))] {
        let error = load_open(&dir, class, registered).err().unwrap();
        assert!(
            matches!(error, CircuitError::NoOpenCircuit { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_long_command_alone_in_its_batch_can_be_shown() {
    let mut world = World::new(Shape::new(1, Class::Long).unwrap());
    let text = "x".repeat(1_085);
    let batch = world.sealed(1, 100, &[text.clone().into_bytes()]);
    world.trail.push(&batch);
    let start = std::time::Instant::now();
    let disclosure = world.disclose(0, AUDIENCE);
    let took = start.elapsed();
    let json = disclosure.to_json();
    println!("long: made in {took:?}, {} bytes", json.len());
    assert!(json.len() < MAX_DISCLOSURE_BYTES / 4);
    let shown = world.check(&Disclosure::from_json(&json).unwrap()).unwrap();
    assert_eq!((shown.value, shown.exact), (text, true));
    let error = world
        .check(&Disclosure::from_json(&json.replace(AUDIENCE, "me")).unwrap())
        .err()
        .unwrap();
    assert!(
        matches!(error, DisclosureError::OpenProof { .. }),
        "{error}"
    );
}

#[test]
#[ignore = "a measurement, not a check"]
fn time_and_size_of_a_disclosure() {
    let world = world();
    let bundle = world.trail.bundle();
    for slot in 0..3 {
        let unproven = prepare(&bundle[..], ENTRY)
            .unwrap()
            .open(Form::without_cells(Shape::EIGHT), secret(), slot, AUDIENCE)
            .unwrap();
        let start = std::time::Instant::now();
        let (statement, witness) = unproven.parts();
        let proof = world.open.prove(statement, witness).unwrap();
        let proving = start.elapsed();
        let disclosure = unproven.finish(world.open.id, &proof);
        let start = std::time::Instant::now();
        world.check(&disclosure).unwrap();
        println!(
            "proving {proving:?}, checking {:?}, {} bytes",
            start.elapsed(),
            disclosure.to_json().len()
        );
    }
}
