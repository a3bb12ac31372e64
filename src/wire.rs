//! The one codec for disk, peers, clients and bundles: fixed-width little-endian integers and
//! length-prefixed bytes, decoded exactly and within named bounds.
//!
//! Invariants: 1. decoding never allocates more than the input holds; 2. a value has one encoding,
//! and trailing bytes are an error. Knows nothing of the messages written with it.

use thiserror::Error;

/// Why bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    #[error("the input ends {missing} bytes too early while reading {field}")]
    Truncated { field: &'static str, missing: usize },
    #[error("{field} is {found} long, at most {limit} allowed")]
    TooLong {
        field: &'static str,
        found: u64,
        limit: usize,
    },
    #[error("{field} has the value {found}, which means nothing here")]
    Unknown { field: &'static str, found: u64 },
    #[error("{field} is not in its one canonical form")]
    NonCanonical { field: &'static str },
    #[error("{count} bytes follow the end of the message")]
    Trailing { count: usize },
}

/// Writes a message. Infallible: bounds are checked where values are made.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn u8(&mut self, v: u8) -> &mut Self {
        self.bytes.push(v);
        self
    }

    pub fn u16(&mut self, v: u16) -> &mut Self {
        self.raw(&v.to_le_bytes())
    }

    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.raw(&v.to_le_bytes())
    }

    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.raw(&v.to_le_bytes())
    }

    pub fn bool(&mut self, v: bool) -> &mut Self {
        self.u8(u8::from(v))
    }

    /// Bytes whose length the reader knows.
    pub fn raw(&mut self, v: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(v);
        self
    }

    /// Bytes behind a u32 length.
    ///
    /// # Panics
    /// If `v` is longer than 4 GiB: every caller bounds what it writes far below.
    pub fn bytes(&mut self, v: &[u8]) -> &mut Self {
        let len = u32::try_from(v.len()).expect("bounded far below 4 GiB by every caller");
        self.u32(len).raw(v)
    }

    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a message; every method names the field for the error text.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// # Errors
    /// [`WireError::Truncated`].
    pub fn raw(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        if self.rest.len() < len {
            return Err(WireError::Truncated {
                field,
                missing: len - self.rest.len(),
            });
        }
        let (head, tail) = self.rest.split_at(len);
        self.rest = tail;
        Ok(head)
    }

    /// # Errors
    /// [`WireError::Truncated`].
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let bytes = self.raw(N, field)?;
        Ok(bytes.try_into().expect("raw returned N bytes"))
    }

    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(|b| b[0])
    }

    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// # Errors
    /// [`WireError::NonCanonical`] for anything but 0 and 1.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, WireError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::NonCanonical { field }),
        }
    }

    /// Bytes behind a u32 length of at most `limit`. The length is checked before anything is read.
    ///
    /// # Errors
    /// [`WireError::TooLong`], [`WireError::Truncated`].
    pub fn bytes(&mut self, limit: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        let len = self.count(limit, field)?;
        self.raw(len, field)
    }

    /// A u32 count of at most `limit` items.
    ///
    /// # Errors
    /// [`WireError::TooLong`], [`WireError::Truncated`].
    pub fn count(&mut self, limit: usize, field: &'static str) -> Result<usize, WireError> {
        let found = self.u32(field)?;
        let len = found as usize;
        if len > limit {
            return Err(WireError::TooLong {
                field,
                found: u64::from(found),
                limit,
            });
        }
        Ok(len)
    }

    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// # Errors
    /// [`WireError::Trailing`] if anything is left.
    pub fn end(&self) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(WireError::Trailing { count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_may_follow() {
        let mut w = Writer::new();
        w.u8(7)
            .u16(300)
            .u32(70_000)
            .u64(u64::MAX)
            .bool(true)
            .bytes(b"abc");
        let bytes = w.finish();
        let mut r = Reader::new(&bytes);
        assert_eq!(r.u8("a"), Ok(7));
        assert_eq!(r.u16("b"), Ok(300));
        assert_eq!(r.u32("c"), Ok(70_000));
        assert_eq!(r.u64("d"), Ok(u64::MAX));
        assert_eq!(r.bool("e"), Ok(true));
        assert_eq!(r.bytes(3, "f"), Ok(&b"abc"[..]));
        assert_eq!(r.end(), Ok(()));
        assert_eq!(
            Reader::new(&[0, 0]).end(),
            Err(WireError::Trailing { count: 2 })
        );
    }

    #[test]
    fn a_four_gibibyte_prefix_is_refused_before_anything_is_read() {
        let mut r = Reader::new(&[0xff, 0xff, 0xff, 0xff]);
        assert_eq!(
            r.bytes(1024, "frame"),
            Err(WireError::TooLong {
                field: "frame",
                found: u64::from(u32::MAX),
                limit: 1024
            })
        );
    }

    #[test]
    fn a_boolean_of_two_is_not_canonical() {
        assert_eq!(
            Reader::new(&[2]).bool("flag"),
            Err(WireError::NonCanonical { field: "flag" })
        );
    }
}
