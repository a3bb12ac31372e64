use super::*;
use crate::{INSECURE_DEV_WARNING, Setup};
use serde_json::{Value, json};

const PROVING_KEY: &[u8] = b"the proving key, which is bytes here";

fn shape(slots: u32) -> CircuitShape {
    CircuitShape {
        statement: "seal/v1".into(),
        policy: "opaque".into(),
        slots,
        class: "short".into(),
    }
}

fn parts(slots: u32) -> CircuitParts {
    CircuitParts {
        shape: shape(slots),
        matrix_digest: [1; 32],
        verifying_key: vec![2; 40],
        setup: Setup::insecure_dev(),
    }
}

fn ceremony() -> Setup {
    Setup::Ceremony(Box::new(crate::ceremony::tests::facts(&[2; 40])))
}

/// Its circuit id fits: whoever makes a ceremony up computes it as well.
#[test]
fn a_manifest_of_a_ceremony_that_does_not_stand_is_not_one() {
    let manifest = |key: &[u8]| {
        let parts = CircuitParts {
            setup: Setup::Ceremony(Box::new(crate::ceremony::tests::facts(key))),
            ..parts(1)
        };
        Manifest::new(parts, b"proving key")
    };
    assert!(manifest(&[2; 40]).is_ok());
    let fault = manifest(b"another").unwrap_err();
    assert!(matches!(fault, ParamsFault::Ceremony(_)), "{fault}");
}

fn written() -> (tempfile::TempDir, Manifest) {
    let dir = tempfile::tempdir().unwrap();
    let manifest = write(dir.path(), parts(1), PROVING_KEY).unwrap();
    (dir, manifest)
}

fn fault<T>(outcome: Result<T, ParamsError>) -> ParamsFault {
    match outcome {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.fault,
    }
}

#[test]
fn parameters_come_back_as_they_were_written() {
    let (dir, manifest) = written();
    assert!(dir.path().join("seal-1-short-opaque.json").is_file());
    assert!(dir.path().join("seal-1-short-opaque.pk").is_file());
    let (loaded, proving_key) = load(dir.path(), &shape(1)).unwrap();
    assert_eq!(loaded, manifest);
    assert_eq!(proving_key, PROVING_KEY);
    assert_eq!(load_manifest_only(dir.path(), &shape(1)).unwrap(), manifest);
    assert_eq!(loaded.verifying_key(), [2; 40]);
    assert_eq!(loaded.matrix_digest(), &[1; 32]);
    assert_eq!(loaded.setup(), &Setup::insecure_dev());
}

#[test]
fn several_circuits_share_a_directory() {
    let (dir, first) = written();
    let mut ledger = parts(1);
    ledger.shape.policy = "ledger".into();
    let second = write(dir.path(), ledger, PROVING_KEY).unwrap();
    let third = write(dir.path(), parts(64), b"another key").unwrap();
    let circuits = |all: &[&Manifest]| all.iter().map(|m| m.circuit_id()).collect::<Vec<_>>();
    let listed = list(dir.path()).unwrap();
    assert_eq!(
        circuits(&listed.iter().collect::<Vec<_>>()),
        circuits(&[&second, &first, &third])
    );
    assert_eq!(load(dir.path(), &shape(64)).unwrap().1, b"another key");
}

#[test]
fn a_set_up_for_development_says_so_and_is_refused_where_security_is_required() {
    let (dir, manifest) = written();
    let text = std::fs::read_to_string(dir.path().join("seal-1-short-opaque.json")).unwrap();
    assert!(text.contains(INSECURE_DEV_WARNING));
    match manifest.require_secure() {
        Err(ParamsFault::Insecure { circuit }) => assert_eq!(circuit, manifest.circuit_id()),
        other => panic!("{other:?}"),
    }
    let mut parts = parts(8);
    parts.setup = ceremony();
    let manifest = write(dir.path(), parts, PROVING_KEY).unwrap();
    assert!(manifest.require_secure().is_ok());
    assert_eq!(load(dir.path(), &shape(8)).unwrap().0.setup(), &ceremony());
}

#[test]
fn a_set_up_for_development_cannot_be_written_with_a_milder_warning() {
    let mut parts = parts(1);
    parts.setup = Setup::InsecureDev {
        warning: "not audited".into(),
    };
    assert!(matches!(
        Manifest::new(parts, PROVING_KEY),
        Err(ParamsFault::Damaged { .. })
    ));
}

#[test]
fn every_edit_of_a_manifest_is_detected() {
    let (dir, _) = written();
    let path = dir.path().join("seal-1-short-opaque.json");
    let original: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let zeros = "00".repeat(32);
    let ceremony = serde_json::to_value(ceremony()).unwrap();
    for (pointer, value) in [
        ("/schema", json!("ukehi/params/v2")),
        ("/circuit", json!(zeros)),
        ("/shape/statement", json!("seal/v2")),
        ("/shape/policy", json!("ledger")),
        ("/shape/slots", json!(8)),
        ("/shape/class", json!("long")),
        ("/matrix_digest", json!(zeros)),
        ("/verifying_key", json!("02".repeat(39))),
        ("/proving_key/file", json!("other.pk")),
        ("/proving_key/file", json!("../seal-1-short-opaque.pk")),
        ("/proving_key/blake3", json!(zeros)),
        ("/proving_key/length", json!(PROVING_KEY.len() + 1)),
        ("/proving_key/length", json!(u64::MAX)),
        ("/setup", ceremony),
        ("/setup/kind", json!("ceremony")),
        ("/setup/warning", json!("all is well")),
        ("/setup/warning", json!("")),
    ] {
        let mut edited = original.clone();
        *edited.pointer_mut(pointer).unwrap() = value;
        std::fs::write(&path, edited.to_string()).unwrap();
        assert!(load(dir.path(), &shape(1)).is_err(), "{pointer} was edited");
        // Only these two need the proving key's file to be found out.
        let unseen = ["/proving_key/blake3", "/proving_key/length"].contains(&pointer);
        let alone = load_manifest_only(dir.path(), &shape(1));
        assert_eq!(alone.is_ok(), unseen, "{pointer} was edited");
    }
    std::fs::write(&path, original.to_string()).unwrap();
    assert!(
        load(dir.path(), &shape(1)).is_ok(),
        "only the content counts"
    );
}

#[test]
fn a_manifest_inside_another_document_is_checked_as_well() {
    let manifest = Manifest::new(parts(1), PROVING_KEY).unwrap();
    let mut document = json!({ "circuits": [manifest] });
    let circuits =
        |document: &Value| serde_json::from_value::<Vec<Manifest>>(document["circuits"].clone());
    assert_eq!(circuits(&document).unwrap(), [manifest]);
    for (pointer, value) in [
        ("/circuits/0/verifying_key", json!("02".repeat(39))),
        ("/circuits/0/schema", json!("ukehi/params/v2")),
    ] {
        let before = document.pointer(pointer).unwrap().clone();
        *document.pointer_mut(pointer).unwrap() = value;
        assert!(circuits(&document).is_err(), "{pointer} was edited");
        *document.pointer_mut(pointer).unwrap() = before;
    }
}

#[test]
fn a_field_left_out_or_added_is_malformed() {
    let (dir, _) = written();
    let path = dir.path().join("seal-1-short-opaque.json");
    let original: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let fields: Vec<String> = original.as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        let mut edited = original.clone();
        edited.as_object_mut().unwrap().remove(field);
        std::fs::write(&path, edited.to_string()).unwrap();
        let outcome = fault(load(dir.path(), &shape(1)));
        assert!(matches!(outcome, ParamsFault::Malformed { .. }), "{field}");
    }
    for pointer in ["", "/shape", "/proving_key", "/setup"] {
        let mut edited = original.clone();
        let object = edited
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        object.insert("more".into(), json!(1));
        std::fs::write(&path, edited.to_string()).unwrap();
        let outcome = fault(load(dir.path(), &shape(1)));
        assert!(
            matches!(outcome, ParamsFault::Malformed { .. }),
            "{pointer}"
        );
    }
}

#[test]
fn a_manifest_with_any_bit_flipped_is_the_same_manifest_or_an_error() {
    let manifest = Manifest::new(parts(1), PROVING_KEY).unwrap();
    let json = manifest.to_json();
    let mut unseen = Vec::new();
    for position in 0..json.len() {
        for bit in 0..8 {
            let mut other = json.clone();
            other[position] ^= 1 << bit;
            if let Ok(read) = Manifest::from_json(&other) {
                // Spaces, the case of hex digits, and what only the proving key's file can show.
                if read != manifest {
                    unseen.push(read);
                }
            }
        }
    }
    assert!(!unseen.is_empty());
    for read in unseen {
        assert_eq!(read.circuit_id(), manifest.circuit_id());
        assert_ne!(read.proving_key(), manifest.proving_key());
    }
}

#[test]
fn a_changed_cut_or_missing_proving_key_is_named() {
    let (dir, _) = written();
    let path = dir.path().join("seal-1-short-opaque.pk");
    let mut changed = PROVING_KEY.to_vec();
    changed[5] ^= 1;
    for (content, expected) in [
        (&changed[..], "the BLAKE3 digest"),
        (&PROVING_KEY[1..], "the length in bytes"),
        (&[PROVING_KEY, b"x"].concat(), "the length in bytes"),
    ] {
        std::fs::write(&path, content).unwrap();
        match fault(load(dir.path(), &shape(1))) {
            ParamsFault::Damaged { what, .. } => assert_eq!(what, expected),
            other => panic!("{other}"),
        }
        assert!(load_manifest_only(dir.path(), &shape(1)).is_ok());
    }
    std::fs::remove_file(&path).unwrap();
    let error = load(dir.path(), &shape(1)).unwrap_err();
    assert_eq!(error.path, path);
    assert!(matches!(error.fault, ParamsFault::File(FileFault::Missing)));
}

#[test]
fn a_manifest_under_another_circuits_name_is_refused() {
    let (dir, _) = written();
    let from = dir.path().join("seal-1-short-opaque.json");
    std::fs::copy(&from, dir.path().join("seal-8-short-opaque.json")).unwrap();
    let outcome = fault(load_manifest_only(dir.path(), &shape(8)));
    assert!(matches!(
        outcome,
        ParamsFault::Damaged {
            what: "the shape",
            ..
        }
    ));
    let outcome = fault(list(dir.path()));
    assert!(matches!(
        outcome,
        ParamsFault::Damaged {
            what: "the file's name",
            ..
        }
    ));
}

#[test]
fn existing_parameters_are_replaced_only_when_asked() {
    let (dir, first) = written();
    let refused = fault(write(dir.path(), parts(1), b"another key"));
    assert!(matches!(refused, ParamsFault::File(FileFault::Exists)));
    assert_eq!(
        load(dir.path(), &shape(1)).unwrap(),
        (first, PROVING_KEY.to_vec())
    );
    let second = replace(dir.path(), parts(1), b"another key").unwrap();
    assert_eq!(
        load(dir.path(), &shape(1)).unwrap(),
        (second, b"another key".to_vec())
    );
}

#[test]
fn a_proving_key_left_without_a_manifest_by_a_crash_does_not_stand_in_the_way() {
    let (dir, _) = written();
    std::fs::remove_file(dir.path().join("seal-1-short-opaque.json")).unwrap();
    let missing = fault(load(dir.path(), &shape(1)));
    assert!(matches!(missing, ParamsFault::File(FileFault::Missing)));
    write(dir.path(), parts(1), b"another key").unwrap();
    assert_eq!(load(dir.path(), &shape(1)).unwrap().1, b"another key");
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["", "..", "a/b", "A", "a-b", "é", "a b", &"a".repeat(33)] {
        let changes: [fn(&mut CircuitShape, &str); 4] = [
            |s, name| s.policy = name.into(),
            |s, name| s.class = name.into(),
            |s, name| s.statement = format!("{name}/v1"),
            |s, name| s.statement = format!("seal/v{name}"),
        ];
        for change in changes {
            let mut parts = parts(1);
            change(&mut parts.shape, name);
            let outcome = fault(write(dir.path(), parts, PROVING_KEY));
            assert!(matches!(outcome, ParamsFault::Name { .. }), "{name:?}");
        }
    }
    let mut parts = parts(1);
    parts.shape.statement = "seal".into();
    assert!(matches!(
        fault(write(dir.path(), parts, PROVING_KEY)),
        ParamsFault::Name { .. }
    ));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
