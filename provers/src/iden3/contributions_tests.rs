use super::super::error::FileKind;
use super::super::sections::SectionFile;
use super::*;
use std::io::Cursor as Memory;

/// What the bytes of a contribution's kind and parameters say; nothing may follow them.
fn read(bytes: &[u8]) -> Result<(ContributionKind, Option<String>), FileError> {
    let mut file = b"zkey\x01\0\0\0\x01\0\0\0\x0a\0\0\0".to_vec();
    file.extend((bytes.len() as u64).to_le_bytes());
    file.extend(bytes);
    let mut file = SectionFile::open(Memory::new(file), FileKind::Zkey)?;
    let mut section = file.section(10)?;
    let found = read_kind(&mut section)?;
    section.finish()?;
    Ok(found)
}

/// A kind's number before its parameters, of the length they have.
fn with(kind: u32, parameters: &[u8]) -> Vec<u8> {
    let length = parameters.len() as u32;
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), parameters].concat()
}

fn malformed(bytes: &[u8]) -> &'static str {
    match read(bytes) {
        Err(FileError::Malformed { what }) => what,
        other => panic!("{other:?}"),
    }
}

const ITERATED: [u8; 2] = [ITERATIONS, 10];
const VALUED: [u8; 4] = [VALUE, 2, 0xab, 0xcd];
const NAMED: [u8; 4] = [NAME, 2, b'h', b'i'];

#[test]
fn a_participants_and_a_beacons_parameters_are_read_as_they_were_written() {
    let beacon = ContributionKind::Beacon {
        iterations_log2: 10,
        value: vec![0xab, 0xcd],
    };
    for kind in [ContributionKind::Participant, beacon] {
        for name in [None, Some("hi")] {
            let found = read(&kind_bytes(&kind, name)).unwrap();
            assert_eq!(found, (kind.clone(), name.map(String::from)));
        }
    }
    let bytes = with(1, &[&NAMED[..], &ITERATED, &VALUED].concat());
    assert_eq!(bytes.len(), 8 + 10);
    assert!(read(&bytes).is_ok());
}

#[test]
fn parameters_have_one_order_and_occur_once() {
    let order = "a contribution's parameters are not ascending";
    for parts in [
        [&ITERATED[..], &NAMED, &VALUED],
        [&NAMED, &VALUED, &ITERATED],
        [&VALUED, &ITERATED, &NAMED],
    ] {
        assert_eq!(malformed(&with(1, &parts.concat())), order);
    }
    let twice = [&NAMED[..], &NAMED].concat();
    assert_eq!(malformed(&with(0, &twice)), order);
    assert_eq!(malformed(&with(0, &[0, 0])), order);
}

#[test]
fn an_unknown_parameter_kind_or_name_that_is_no_text_is_refused() {
    let unknown = "a contribution has an unknown parameter";
    assert_eq!(malformed(&with(0, &[4, 0])), unknown);
    let text = "a contribution's name is not UTF-8";
    assert_eq!(malformed(&with(0, &[NAME, 1, 0xff])), text);
    let kind = "a contribution is of no known kind";
    let beacons = [&ITERATED[..], &VALUED].concat();
    assert_eq!(malformed(&with(2, &beacons)), kind);
    // A beacon without its value or its iterations, and a participant who has them.
    assert_eq!(malformed(&with(1, &ITERATED)), kind);
    assert_eq!(malformed(&with(1, &VALUED)), kind);
    assert_eq!(malformed(&with(0, &beacons)), kind);
}

#[test]
fn parameters_end_exactly_where_their_length_says() {
    let shorter = |length: u8| {
        let mut bytes = with(0, &NAMED);
        bytes[4] = length;
        read(&bytes).unwrap_err()
    };
    // Inside the name; behind its number: what overruns the length is refused, not taken from what follows.
    for length in [1, 2, 3] {
        let overrun = shorter(length);
        let what = "a contribution's parameters overrun their length";
        assert!(
            matches!(overrun, FileError::Malformed { what: found } if found == what),
            "{overrun}"
        );
    }
    for length in [5, 200] {
        let error = shorter(length);
        assert!(matches!(error, FileError::Truncated { .. }), "{error}");
    }
    // With nothing in it, the four bytes belong to nobody.
    assert!(matches!(shorter(0), FileError::Malformed { .. }));
}

#[test]
fn more_contributions_than_any_ceremony_has_are_refused_before_they_are_read() {
    let mut file = b"zkey\x01\0\0\0\x01\0\0\0\x0a\0\0\0\x04\0\0\0\0\0\0\0".to_vec();
    file.extend((MAX_CONTRIBUTIONS + 1).to_le_bytes());
    let mut file = SectionFile::open(Memory::new(file), FileKind::Zkey).unwrap();
    let mut section = file.section(10).unwrap();
    let error = read_all(&mut section, |_| -> Result<(), _> { panic!("it is read") });
    let error = error.unwrap_err();
    assert!(
        matches!(
            error,
            FileError::Limit {
                found: 1025,
                limit: 1024,
                ..
            }
        ),
        "{error}"
    );
}
