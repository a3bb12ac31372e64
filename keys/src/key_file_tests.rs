use super::*;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).unwrap()
}

const SECRET: [u8; 32] = [0x5a; 32];

fn sealed() -> KeyFile {
    KeyFile::seal(
        KeyKind::Author,
        &[1, 2, 3],
        &Zeroizing::new(SECRET),
        &passphrase("right"),
        KdfParams::cheapest(),
    )
    .unwrap()
}

/// What an attacker without the passphrase can do: change a field, make the checksum match.
fn rewritten(change: impl FnOnce(&mut KeyFile)) -> Vec<u8> {
    let mut file = sealed();
    change(&mut file);
    file.checksum = file.computed_checksum();
    file.to_bytes()
}

fn open(bytes: &[u8], text: &str) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
    KeyFile::from_bytes(bytes)?.open(&passphrase(text))
}

#[test]
fn a_secret_comes_back_with_the_right_passphrase_only() {
    let bytes = sealed().to_bytes();
    assert!(bytes.len() as u64 <= MAX_KEY_FILE_BYTES / 4);
    assert_eq!(*open(&bytes, "right").unwrap(), SECRET);
    for wrong in ["Right", "right ", "x"] {
        assert!(matches!(
            open(&bytes, wrong),
            Err(KeyFault::WrongPassphrase)
        ));
    }
}

#[test]
fn the_file_does_not_hold_the_secret_and_two_files_share_nothing() {
    let [a, b] = [sealed(), sealed()];
    let text = String::from_utf8(a.to_bytes()).unwrap();
    assert!(!text.contains(&hex::encode(SECRET)));
    assert_ne!(a.ciphertext, SECRET);
    assert_ne!(a.nonce, b.nonce);
    assert_ne!(a.kdf.to_bytes(), b.kdf.to_bytes());
    assert_ne!(a.ciphertext, b.ciphertext);
}

#[test]
fn a_change_of_any_byte_to_any_other_is_an_error() {
    let bytes = sealed().to_bytes();
    for position in 0..bytes.len() {
        for value in 0..=u8::MAX {
            if value == bytes[position] {
                continue;
            }
            let mut other = bytes.clone();
            other[position] = value;
            match KeyFile::from_bytes(&other) {
                Err(KeyFault::Damaged { .. } | KeyFault::UnknownSchema { .. }) => {}
                Err(fault) => panic!("byte {position} = {value}: {fault}"),
                Ok(_) => panic!("byte {position} = {value} passed"),
            }
        }
    }
}

#[test]
fn a_file_cut_short_or_continued_is_damaged() {
    let bytes = sealed().to_bytes();
    for length in 0..bytes.len() {
        let cut = KeyFile::from_bytes(&bytes[..length]);
        assert!(
            matches!(cut, Err(KeyFault::Damaged { .. })),
            "{length} bytes"
        );
    }
    for more in [&b"\n"[..], b" ", b"x", b"{}", &[0]] {
        let longer = KeyFile::from_bytes(&[&bytes, more].concat());
        assert!(
            matches!(longer, Err(KeyFault::Damaged { .. })),
            "{more:?} appended"
        );
    }
}

#[test]
fn the_same_json_written_otherwise_is_damaged() {
    let text = String::from_utf8(sealed().to_bytes()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let extra = text.replacen('{', "{\n  \"more\": 1,", 1);
    let doubled = text.replacen(
        "\"kind\": \"author\"",
        "\"kind\": \"author\", \"kind\": \"author\"",
        1,
    );
    for other in [value.to_string(), text.to_uppercase(), extra, doubled] {
        let outcome = KeyFile::from_bytes(other.as_bytes());
        assert!(matches!(outcome, Err(KeyFault::Damaged { .. })), "{other}");
    }
}

#[test]
fn a_later_schema_is_named_not_called_damaged() {
    let later = br#"{"schema": "ukehi/key/v2", "envelope": []}"#;
    match KeyFile::from_bytes(later) {
        Err(KeyFault::UnknownSchema { found }) => assert_eq!(found, "ukehi/key/v2"),
        _ => panic!("the schema was not looked at"),
    }
}

#[test]
fn no_field_can_be_exchanged_even_with_a_matching_checksum() {
    let changes: [fn(&mut KeyFile); 8] = [
        |f| f.kind = KeyKind::Node,
        |f| f.public[0] ^= 1,
        |f| f.public.clear(),
        |f| f.nonce[0] ^= 1,
        |f| f.ciphertext[0] ^= 1,
        |f| f.tag[0] ^= 1,
        |f| f.kdf.passes += 1,
        |f| f.kdf = KdfParams::cheapest(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let outcome = open(&rewritten(change), "right");
        assert!(
            matches!(outcome, Err(KeyFault::WrongPassphrase)),
            "change {number}"
        );
    }
}

#[test]
fn the_cost_of_the_derivation_is_authenticated_not_only_used() {
    let file = sealed();
    let mut dearer = file.clone();
    dearer.kdf.passes += 1;
    assert_ne!(file.associated_data(), dearer.associated_data());
}

#[test]
fn a_hostile_file_cannot_make_us_take_gigabytes() {
    let bytes = rewritten(|f| f.kdf.memory_kib = 4 * 1024 * 1024);
    match open(&bytes, "right") {
        Err(KeyFault::KdfRefused { found, limit, .. }) => {
            assert_eq!((found, limit), (4 * 1024 * 1024, crate::MAX_KDF_MEMORY_KIB));
        }
        _ => panic!("the demand was not refused"),
    }
}
