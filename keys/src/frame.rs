//! One injective encoding of a domain and a list of byte strings.
//!
//! Invariant: two different (domain, parts) never give the same bytes, so what is signed or hashed
//! under one meaning cannot be read under another.

/// The domain, then each part, each behind its length in bytes (u64, little-endian).
pub(crate) fn frame(domain: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(domain.len() + content + 8 * (parts.len() + 1));
    // The domain is framed as well: without it "x/v1" would be a prefix of "x/v12".
    for part in std::iter::once(&domain).chain(parts) {
        out.extend_from_slice(&(part.len() as u64).to_le_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::frame;

    #[test]
    fn bytes_that_slide_between_parts_change_the_frame() {
        let whole = frame(b"d", &[b"ab", b"c"]);
        assert_ne!(whole, frame(b"d", &[b"a", b"bc"]));
        assert_ne!(whole, frame(b"d", &[b"abc"]));
        assert_ne!(whole, frame(b"d", &[b"ab", b"c", b""]));
        assert_ne!(whole, frame(b"da", &[b"b", b"c"]));
    }

    #[test]
    fn a_part_that_imitates_a_frame_stays_one_part() {
        let inner = frame(b"a", &[b"b"]);
        assert_ne!(frame(b"", &[&inner]), frame(b"", &[b"a", b"b"]));
        assert_eq!(
            frame(b"d", &[b"xy"]),
            b"\x01\0\0\0\0\0\0\0d\x02\0\0\0\0\0\0\0xy"
        );
    }
}
