use super::*;

const PART: usize = MAX_BULK_PART_BYTES;

fn token(number: u64) -> UploadToken {
    let mut token = [0; 16];
    token[..8].copy_from_slice(&number.to_le_bytes());
    token
}

fn reference(bytes: &[u8]) -> BulkReference {
    BulkReference {
        digest: *blake3::hash(bytes).as_bytes(),
        length: bytes.len() as u64,
    }
}

fn of_length(number: u8, length: u64) -> BulkReference {
    BulkReference {
        digest: [number; 32],
        length,
    }
}

fn names(gone: &[(UploadToken, Upload)]) -> Vec<UploadToken> {
    gone.iter().map(|(token, _)| *token).collect()
}

#[test]
fn an_upload_is_whole_after_all_its_parts_in_order() {
    let bytes = vec![7; 2 * PART + 5];
    let mut staging = Staging::default();
    staging.begin(token(1), [1; 32], reference(&bytes));
    let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
    assert_eq!(
        staging.take(&token(1), PART as u64, parts[1]),
        Err(UploadFault::OutOfOrder {
            expected: 0,
            found: PART as u64
        })
    );
    for (part, bytes) in (0u32..).zip(&parts) {
        let offset = u64::from(part) * PART as u64;
        let received = offset + bytes.len() as u64;
        let taken = staging.take(&token(1), offset, bytes);
        assert_eq!(taken, Ok(Taken::Part { part, received }));
        // The answer was lost: the client says it once more.
        let again = staging.take(&token(1), offset, bytes);
        assert_eq!(again, Ok(Taken::Again { received }));
    }
    assert!(staging.whole().is_empty());
    let (upload, now) = staging.end(&token(1)).unwrap();
    assert!(now && upload.is_whole() && upload.parts() == 3);
    assert!(!staging.end(&token(1)).unwrap().1);
    assert_eq!(staging.whole(), [(token(1), reference(&bytes).digest)]);
}

#[test]
fn parts_of_another_length_and_an_early_end_are_refused() {
    let bytes = vec![7; PART + 5];
    let mut staging = Staging::default();
    staging.begin(token(1), [1; 32], reference(&bytes));
    for wrong in [0, 1, PART - 1, PART + 1] {
        let outcome = staging.take(&token(1), 0, &vec![7; wrong]);
        assert!(matches!(outcome, Err(UploadFault::PartLength { .. })));
    }
    staging.take(&token(1), 0, &bytes[..PART]).unwrap();
    let early = staging.end(&token(1)).err();
    assert!(matches!(early, Some(UploadFault::Incomplete { .. })));
    let outcome = staging.take(&token(1), PART as u64, &[7; 6]);
    assert!(matches!(
        outcome,
        Err(UploadFault::PartLength { expected: 5, .. })
    ));
    assert_eq!(staging.take(&token(9), 0, b"x"), Err(UploadFault::Unknown));
}

#[test]
fn other_bytes_than_announced_never_become_whole() {
    let mut staging = Staging::default();
    staging.begin(token(1), [1; 32], reference(b"announced"));
    staging.take(&token(1), 0, b"delivered").unwrap();
    assert_eq!(staging.end(&token(1)).err(), Some(UploadFault::Digest));
    assert!(staging.whole().is_empty());
}

#[test]
fn an_author_over_the_share_gives_up_the_oldest_and_others_keep_theirs() {
    let mut staging = Staging::default();
    let quarter = MAX_STAGED_BYTES_PER_AUTHOR / 4;
    staging.begin(token(1), [2; 32], of_length(1, quarter));
    for number in 2..=5 {
        let gone = staging.begin(token(number), [1; 32], of_length(number as u8, quarter));
        assert!(gone.is_empty());
    }
    let gone = staging.begin(token(6), [1; 32], of_length(6, 2 * quarter));
    assert_eq!(names(&gone), [token(2), token(3)]);
    let mut staging = Staging::default();
    for number in 0..MAX_STAGED_PER_AUTHOR as u64 {
        assert!(
            staging
                .begin(token(number), [1; 32], of_length(number as u8, 48))
                .is_empty()
        );
    }
    let gone = staging.begin(token(99), [1; 32], of_length(99, 48));
    assert_eq!(names(&gone), [token(0)]);
}

#[test]
fn all_authors_together_stay_within_the_bounds() {
    let mut staging = Staging::default();
    let large = 16 << 20;
    let mut held: u64 = 0;
    for number in 0..100u64 {
        let gone = staging.begin(
            token(number),
            [(number % 50) as u8; 32],
            of_length(number as u8, large),
        );
        held = held + 1 - gone.len() as u64;
        assert!(held * large <= MAX_STAGED_BYTES);
    }
    assert_eq!(held, MAX_STAGED_BYTES / large);
    let mut staging = Staging::default();
    for number in 0..2 * MAX_STAGED as u64 {
        staging.begin(
            token(number),
            [(number % 64) as u8; 32],
            of_length(1, 48 + number),
        );
    }
    assert_eq!(staging.uploads.len(), MAX_STAGED);
}

#[test]
fn an_author_who_begins_again_gives_up_the_attempt_before() {
    let mut staging = Staging::default();
    staging.begin(token(1), [1; 32], reference(b"value"));
    staging.begin(token(2), [2; 32], reference(b"value"));
    let gone = staging.begin(token(3), [1; 32], reference(b"value"));
    assert_eq!(names(&gone), [token(1)]);
}

#[test]
fn one_asked_for_again_makes_room_last() {
    let mut staging = Staging::default();
    let half = MAX_STAGED_BYTES_PER_AUTHOR / 2;
    for number in 1..=2 {
        let upload = Upload::whole([1; 32], of_length(number as u8, half), number);
        staging.restore(token(number), upload);
    }
    staging.refresh(&[1; 32]);
    let gone = staging.begin(token(3), [1; 32], of_length(3, half));
    assert_eq!(names(&gone), [token(2)]);
}
