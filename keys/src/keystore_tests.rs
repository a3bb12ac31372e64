use super::*;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).unwrap()
}

/// A directory with one key file in it, sealed at the least cost under "right".
fn stored<K: StoredKey>(key: &K, public: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    let file = KeyFile::seal(
        K::KIND,
        public,
        &key.secret_part(),
        &passphrase("right"),
        KdfParams::cheapest(),
    );
    let bytes = file.unwrap().to_bytes();
    disk::write(&path, &bytes, Audience::Owner, Existing::Keep).unwrap();
    (dir, path)
}

fn fault<T>(outcome: Result<T, KeystoreError>) -> KeyFault {
    match outcome {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.fault,
    }
}

type Save<K> = fn(&Path, &K, &Passphrase, KdfCost) -> Result<(), KeystoreError>;
type Load<K> = fn(&Path, &Passphrase) -> Result<K, KeystoreError>;

fn comes_back<K: StoredKey>(kind: KeyKind, key: &K, save: Save<K>, load: Load<K>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    save(&path, key, &passphrase("right"), KdfCost::Interactive).unwrap();
    let again = load(&path, &passphrase("right")).unwrap();
    assert_eq!(*again.secret_part(), *key.secret_part());
    let wrong = fault(load(&path, &passphrase("wrong")));
    assert!(matches!(wrong, KeyFault::WrongPassphrase));
    let info = inspect(&path).unwrap();
    assert_eq!(info.kind, kind);
    assert_eq!(info.public, hex::encode(key.public_part()));
}

#[test]
fn a_key_of_each_kind_comes_back_from_its_file() {
    let author = AuthorKey::generate().unwrap();
    comes_back(KeyKind::Author, &author, save_author, load_author);
    let node = NodeKey::generate().unwrap();
    comes_back(KeyKind::Node, &node, save_node, load_node);
    let operator = OperatorKey::generate().unwrap();
    comes_back(KeyKind::Operator, &operator, save_operator, load_operator);
    let epoch = EpochSecret::generate().unwrap();
    comes_back(KeyKind::Epoch, &epoch, save_epoch, load_epoch);
    let route = RouteKey::generate().unwrap();
    comes_back(KeyKind::Route, &route, save_route, load_route);
    let reader = ReaderKey::generate().unwrap();
    comes_back(KeyKind::Reader, &reader, save_reader, load_reader);
}

#[test]
fn a_destroyed_file_is_overwritten_and_gone_and_one_of_another_kind_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    let secret = EpochSecret::generate().unwrap();
    save_epoch(&path, &secret, &passphrase("p"), KdfCost::Interactive).unwrap();
    let kind = fault(destroy::<ReaderKey>(&path));
    assert!(matches!(kind, KeyFault::WrongKind { .. }));
    // A second name keeps the file's bytes in sight once the first is gone.
    let witness = dir.path().join("kept");
    std::fs::hard_link(&path, &witness).unwrap();
    destroy::<EpochSecret>(&path).unwrap();
    assert!(!path.exists());
    let left = std::fs::read(&witness).unwrap();
    assert!(!left.is_empty() && left.iter().all(|byte| *byte == 0));
    let again = fault(destroy::<EpochSecret>(&path));
    assert!(matches!(again, KeyFault::File(FileFault::Missing)));
}

#[test]
fn a_key_saved_at_the_production_cost_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    let key = AuthorKey::generate().unwrap();
    save(&path, &key, &passphrase("right"), KdfCost::Production).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for recorded in ["\"memory_kib\": 65536", "\"passes\": 3", "\"lanes\": 1"] {
        assert!(text.contains(recorded), "{recorded} in {text}");
    }
    let again: AuthorKey = load(&path, &passphrase("right")).unwrap();
    assert_eq!(again.public(), key.public());
}

#[test]
fn a_file_of_another_kind_is_refused_before_the_passphrase_is_tried() {
    let key = AuthorKey::generate().unwrap();
    let (_dir, path) = stored(&key, &key.public_part());
    assert!(matches!(
        fault(load::<NodeKey>(&path, &passphrase("wrong"))),
        KeyFault::WrongKind {
            expected: KeyKind::Node,
            found: KeyKind::Author
        }
    ));
}

#[test]
fn a_secret_that_is_not_its_public_parts_is_refused() {
    let key = AuthorKey::generate().unwrap();
    let other = AuthorKey::generate().unwrap();
    let (_dir, path) = stored(&key, &other.public_part());
    let outcome = load::<AuthorKey>(&path, &passphrase("right"));
    assert!(matches!(fault(outcome), KeyFault::Mismatch));
}

#[test]
fn a_damaged_file_is_not_taken_for_a_wrong_passphrase() {
    let key = AuthorKey::generate().unwrap();
    let (_dir, path) = stored(&key, &key.public_part());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let outcome = load::<AuthorKey>(&path, &passphrase("right"));
    assert!(matches!(fault(outcome), KeyFault::Damaged { .. }));
    std::fs::write(&path, &bytes[..middle]).unwrap();
    let outcome = load::<AuthorKey>(&path, &passphrase("right"));
    assert!(matches!(fault(outcome), KeyFault::Damaged { .. }));
}

#[test]
fn a_file_beyond_the_bound_is_not_read() {
    let key = AuthorKey::generate().unwrap();
    let (_dir, path) = stored(&key, &key.public_part());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.resize(MAX_KEY_FILE_BYTES as usize + 1, b' ');
    std::fs::write(&path, &bytes).unwrap();
    let outcome = load::<AuthorKey>(&path, &passphrase("right"));
    assert!(matches!(
        fault(outcome),
        KeyFault::File(FileFault::TooLarge {
            found: 4097,
            limit: 4096
        })
    ));
}

#[cfg(unix)]
#[test]
fn a_file_others_can_read_is_refused_and_the_error_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    let key = AuthorKey::generate().unwrap();
    save(&path, &key, &passphrase("right"), KdfCost::Interactive).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = load::<AuthorKey>(&path, &passphrase("right"))
        .err()
        .unwrap();
    assert!(matches!(
        error.fault,
        KeyFault::File(FileFault::TooOpen { mode: 0o644 })
    ));
    assert_eq!(
        error.to_string(),
        format!(
            "{}: its mode 644 lets others open it: run `chmod 600` on it",
            path.display()
        )
    );
}

#[test]
fn saving_leaves_an_existing_file_as_it_is_replacing_does_not() {
    let first = AuthorKey::generate().unwrap();
    let second = AuthorKey::generate().unwrap();
    let (_dir, path) = stored(&first, &first.public_part());
    let before = std::fs::read(&path).unwrap();
    let refused = save(&path, &second, &passphrase("right"), KdfCost::Interactive);
    assert!(matches!(fault(refused), KeyFault::File(FileFault::Exists)));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    replace(&path, &second, &passphrase("new"), KdfCost::Interactive).unwrap();
    let loaded: AuthorKey = load(&path, &passphrase("new")).unwrap();
    assert_eq!(loaded.public(), second.public());
}

#[test]
fn a_file_that_listing_would_not_find_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let key = AuthorKey::generate().unwrap();
    for name in ["author", "author.json", ".key"] {
        let path = dir.path().join(name);
        let refused = save(&path, &key, &passphrase("right"), KdfCost::Interactive);
        assert!(matches!(fault(refused), KeyFault::Name), "{name}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_listing_shows_each_key_and_each_bad_file_without_a_passphrase() {
    let key = AuthorKey::generate().unwrap();
    let (dir, good) = stored(&key, &key.public_part());
    let bad = dir.path().join("b.key");
    disk::write(&bad, b"{}", Audience::Owner, Existing::Keep).unwrap();
    std::fs::write(dir.path().join("notes.txt"), "not a key").unwrap();
    let listing = list(dir.path()).unwrap();
    assert_eq!(
        listing.keys,
        [KeyFileInfo {
            kind: KeyKind::Author,
            public: key.public().to_string(),
            path: good,
        }]
    );
    assert_eq!(listing.refused.len(), 1);
    assert_eq!(listing.refused[0].path, bad);
    assert!(matches!(listing.refused[0].fault, KeyFault::Damaged { .. }));
    let missing = list(&dir.path().join("none"));
    assert!(matches!(fault(missing), KeyFault::File(FileFault::Missing)));
}
