use super::*;
use std::io::Cursor as Memory;

/// A `.wtns` container of these sections, whatever they hold.
fn container(sections: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = b"wtns\x02\0\0\0".to_vec();
    bytes.extend((sections.len() as u32).to_le_bytes());
    for (id, content) in sections {
        bytes.extend(id.to_le_bytes());
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(*content);
    }
    bytes
}

fn open(bytes: &[u8]) -> Result<SectionFile<Memory<&[u8]>>, FileError> {
    SectionFile::open(Memory::new(bytes), FileKind::Wtns)
}

fn refusal(bytes: &[u8]) -> FileError {
    open(bytes).err().expect("the container is none")
}

#[test]
fn a_section_that_occurs_twice_is_refused_whatever_lies_between() {
    for ids in [&[1, 1][..], &[1, 2, 1], &[7, 1, 2, 3, 7]] {
        let sections: Vec<(u32, &[u8])> = ids.iter().map(|id| (*id, &b"x"[..])).collect();
        let error = refusal(&container(&sections));
        assert!(
            matches!(error, FileError::SectionTwice { id } if id == ids[0]),
            "{error}"
        );
    }
}

#[test]
fn a_section_longer_than_the_file_is_refused_even_where_lengths_would_wrap() {
    let bytes = container(&[(1, b"abc"), (2, b"de")]);
    // The length of the first section, and of the second.
    for at in [16, 12 + 12 + 3 + 4] {
        for length in [100, u64::MAX - 20, u64::MAX] {
            let mut changed = bytes.clone();
            changed[at..at + 8].copy_from_slice(&length.to_le_bytes());
            let error = refusal(&changed);
            let what = "a section";
            assert!(
                matches!(error, FileError::Truncated { what: found } if found == what),
                "{error}"
            );
        }
    }
}

#[test]
fn bytes_of_no_section_and_more_sections_than_any_format_has_are_refused() {
    let bytes = [&container(&[(1, b"abc")])[..], b"de"].concat();
    let error = refusal(&bytes);
    assert!(
        matches!(error, FileError::Trailing { excess: 2 }),
        "{error}"
    );
    let many: Vec<(u32, &[u8])> = (0..=MAX_SECTIONS).map(|id| (id, &b""[..])).collect();
    let error = refusal(&container(&many));
    assert!(
        matches!(
            error,
            FileError::Limit {
                found: 65,
                limit: 64,
                ..
            }
        ),
        "{error}"
    );
    assert!(open(&container(&many[1..])).is_ok());
}

#[test]
fn a_section_that_is_not_there_or_of_another_length_is_named() {
    let bytes = container(&[(2, b"de"), (1, b"abc")]);
    let mut file = open(&bytes).unwrap();
    assert!(file.has(1) && !file.has(3));
    let missing = file.section(3).err().unwrap();
    assert!(matches!(missing, FileError::SectionMissing { id: 3 }));
    file.expect_length(1, 3).unwrap();
    for expected in [2, 4] {
        let error = file.expect_length(1, expected).unwrap_err();
        let of_one = matches!(error, FileError::SectionLength { id: 1, expected: e, found: 3 } if e == expected);
        assert!(of_one, "{error}");
    }
    for (offset, length) in [(0, 4), (3, 1), (u64::MAX, 2)] {
        let error = file.part(1, offset, length).err().expect("it is not there");
        let of_one = matches!(
            error,
            FileError::SectionLength {
                id: 1,
                found: 3,
                ..
            }
        );
        assert!(of_one, "{error}");
    }
}

#[test]
fn a_section_is_read_in_any_order_to_its_end_and_never_beyond_it() {
    let bytes = container(&[(2, b"de"), (1, b"abc")]);
    let mut file = open(&bytes).unwrap();
    let mut first = file.section(1).unwrap();
    assert_eq!(&first.array::<3>().unwrap(), b"abc");
    first.finish().unwrap();
    // What follows in the file is another section's.
    let mut second = file.section(2).unwrap();
    let beyond = second.array::<3>().unwrap_err();
    assert!(matches!(beyond, FileError::Truncated { .. }), "{beyond}");
    let mut second = file.section(2).unwrap();
    assert!(second.bytes(3).is_err());
    assert_eq!(second.u8().unwrap(), b'd');
    let unread = second.finish().unwrap_err();
    assert!(matches!(unread, FileError::Malformed { .. }), "{unread}");
}
