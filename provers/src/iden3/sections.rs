//! The container all of iden3's binary files share: four bytes of magic, version, number of sections, then each
//! section as its number (u32), its length (u64) and its bytes, all little-endian (@iden3/binfileutils 0.0.12).
//!
//! Invariants: 1. a section read lies wholly inside the file; 2. sections fill the file exactly; 3. a section
//! that is read has been read to its end ([`Cursor::finish`]).

use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};

use super::error::{FileError, FileKind};

/// The formats have at most 11 sections.
const MAX_SECTIONS: u32 = 64;
const BUFFER: usize = 1 << 18;

#[derive(Clone, Copy)]
struct Section {
    id: u32,
    start: u64,
    length: u64,
}

/// Finds sections by number, whatever their order.
pub(super) struct SectionFile<R> {
    input: BufReader<R>,
    sections: Vec<Section>,
}

impl<R: Read + Seek> SectionFile<R> {
    pub(super) fn open(input: R, kind: FileKind) -> Result<Self, FileError> {
        Self::open_buffered(input, kind, BUFFER)
    }

    /// Without a buffer of its own, which nobody would erase.
    pub(super) fn open_secret(input: R, kind: FileKind) -> Result<Self, FileError> {
        Self::open_buffered(input, kind, 0)
    }

    fn open_buffered(mut input: R, kind: FileKind, buffer: usize) -> Result<Self, FileError> {
        let end = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let mut input = BufReader::with_capacity(buffer, input);
        let mut header = [0; 12];
        read(&mut input, &mut header, "its first twelve bytes")?;
        if &header[..4] != kind.magic() {
            return Err(FileError::Kind { expected: kind });
        }
        let found = le_u32(&header[4..8]);
        if found != kind.version() {
            return Err(FileError::Version {
                kind,
                found,
                known: kind.version(),
            });
        }
        let count = le_u32(&header[8..]);
        if count > MAX_SECTIONS {
            return Err(FileError::Limit {
                what: "its number of sections",
                found: count.into(),
                limit: MAX_SECTIONS.into(),
            });
        }
        let mut sections = Vec::with_capacity(count as usize);
        let mut at = 12;
        for _ in 0..count {
            let mut head = [0; 12];
            read(&mut input, &mut head, "a section's header")?;
            let section = Section {
                id: le_u32(&head[..4]),
                start: at + 12,
                length: u64::from_le_bytes(head[4..].try_into().expect("eight bytes")),
            };
            if section.length > end.saturating_sub(section.start) {
                return Err(FileError::Truncated { what: "a section" });
            }
            if sections.iter().any(|s: &Section| s.id == section.id) {
                return Err(FileError::SectionTwice { id: section.id });
            }
            at = section.start + section.length;
            input.seek(SeekFrom::Start(at))?;
            sections.push(section);
        }
        if at != end {
            return Err(FileError::Trailing { excess: end - at });
        }
        Ok(Self { input, sections })
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.sections.iter().any(|s| s.id == id)
    }

    pub(super) fn length(&self, id: u32) -> Result<u64, FileError> {
        self.find(id).map(|s| s.length)
    }

    /// Refuses a section that is not exactly `expected` bytes long, before any of it is read.
    pub(super) fn expect_length(&self, id: u32, expected: u64) -> Result<(), FileError> {
        let found = self.length(id)?;
        if found == expected {
            return Ok(());
        }
        Err(FileError::SectionLength {
            id,
            expected,
            found,
        })
    }

    /// The whole section.
    pub(super) fn section(&mut self, id: u32) -> Result<Cursor<'_, R>, FileError> {
        let length = self.length(id)?;
        self.part(id, 0, length)
    }

    /// `length` bytes of the section, `offset` bytes into it.
    pub(super) fn part(
        &mut self,
        id: u32,
        offset: u64,
        length: u64,
    ) -> Result<Cursor<'_, R>, FileError> {
        let section = self.find(id)?;
        if offset
            .checked_add(length)
            .is_none_or(|end| end > section.length)
        {
            return Err(FileError::SectionLength {
                id,
                expected: offset.saturating_add(length),
                found: section.length,
            });
        }
        self.input.seek(SeekFrom::Start(section.start + offset))?;
        Ok(Cursor {
            input: &mut self.input,
            id,
            left: length,
        })
    }

    fn find(&self, id: u32) -> Result<Section, FileError> {
        let found = self.sections.iter().find(|s| s.id == id);
        found.copied().ok_or(FileError::SectionMissing { id })
    }
}

/// Reads within one section.
pub(super) struct Cursor<'a, R> {
    input: &'a mut BufReader<R>,
    id: u32,
    left: u64,
}

impl<R: Read> Cursor<'_, R> {
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Bytes not read yet: the bound on any allocation made for them.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<(), FileError> {
        let length = buffer.len() as u64;
        self.left = self
            .left
            .checked_sub(length)
            .ok_or(FileError::Truncated { what: "a section" })?;
        read(self.input, buffer, "a section")
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// `length` bytes; refused before they are allocated if the section has fewer.
    pub(super) fn bytes(&mut self, length: u64) -> Result<Vec<u8>, FileError> {
        if length > self.left {
            return Err(FileError::Truncated { what: "a section" });
        }
        let length = usize::try_from(length).map_err(|_| FileError::Limit {
            what: "a section's length",
            found: length,
            limit: usize::MAX as u64,
        })?;
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, FileError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32, FileError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, FileError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Everything that was asked for has been read.
    pub(super) fn finish(self) -> Result<(), FileError> {
        if self.left == 0 {
            return Ok(());
        }
        Err(FileError::Malformed {
            what: "a section is longer than its counts ask for",
        })
    }
}

fn read(input: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<(), FileError> {
    input
        .read_exact(buffer)
        .map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => FileError::Truncated { what },
            _ => FileError::Io(error),
        })
}

fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

/// Writes sections one after another; lengths are filled in when a section ends.
pub(super) struct SectionWriter<W: Write + Seek> {
    output: BufWriter<W>,
    promised: u32,
    begun: u32,
    section: Option<(u64, u64)>,
}

impl<W: Write + Seek> SectionWriter<W> {
    pub(super) fn new(output: W, kind: FileKind, sections: u32) -> Result<Self, FileError> {
        Self::new_buffered(output, kind, sections, BUFFER)
    }

    /// Without a buffer of its own, which nobody would erase.
    pub(super) fn new_secret(output: W, kind: FileKind, sections: u32) -> Result<Self, FileError> {
        Self::new_buffered(output, kind, sections, 0)
    }

    fn new_buffered(
        output: W,
        kind: FileKind,
        sections: u32,
        buffer: usize,
    ) -> Result<Self, FileError> {
        let mut output = BufWriter::with_capacity(buffer, output);
        output.write_all(kind.magic())?;
        output.write_all(&kind.version().to_le_bytes())?;
        output.write_all(&sections.to_le_bytes())?;
        Ok(Self {
            output,
            promised: sections,
            begun: 0,
            section: None,
        })
    }

    pub(super) fn begin(&mut self, id: u32) -> Result<(), FileError> {
        self.end()?;
        self.output.write_all(&id.to_le_bytes())?;
        let length_at = self.output.stream_position()?;
        self.output.write_all(&[0; 8])?;
        self.section = Some((length_at, 0));
        self.begun += 1;
        Ok(())
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let (_, length) = self.section.as_mut().expect("a section has begun");
        *length += bytes.len() as u64;
        self.output.write_all(bytes)?;
        Ok(())
    }

    /// Ends the last section and flushes; durability is the caller's.
    pub(super) fn finish(mut self) -> Result<W, FileError> {
        assert_eq!(self.begun, self.promised, "as many sections as promised");
        self.end()?;
        self.output.flush()?;
        Ok(self
            .output
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?)
    }

    fn end(&mut self) -> Result<(), FileError> {
        let Some((length_at, length)) = self.section.take() else {
            return Ok(());
        };
        let end = self.output.stream_position()?;
        self.output.seek(SeekFrom::Start(length_at))?;
        self.output.write_all(&length.to_le_bytes())?;
        self.output.seek(SeekFrom::Start(end))?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "sections_tests.rs"]
mod tests;
