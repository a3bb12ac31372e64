//! Serde as lower-case hex, for byte strings of a fixed or an open length.
//!
//! Invariant: one spelling. Upper-case digits are refused: what strangers read elsewhere (docs/formats.md) must not be
//! judged otherwise here.

use serde::de::{Deserialize, Deserializer, Error};

pub(crate) mod fixed {
    use super::{Deserialize, Deserializer, Error};
    use serde::Serializer;

    pub(crate) fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        d: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(d)?;
        let mut out = [0; N];
        hex::decode_to_slice(&text, &mut out)
            .ok()
            .filter(|()| super::is_lower_case(&text))
            .ok_or_else(|| {
                D::Error::custom(format_args!("expected {} lower-case hex digits", 2 * N))
            })?;
        Ok(out)
    }
}

pub(crate) mod open {
    use super::{Deserialize, Deserializer, Error};
    use serde::Serializer;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = hex::decode(&text).ok();
        let bytes = bytes.filter(|_| super::is_lower_case(&text));
        bytes.ok_or_else(|| D::Error::custom("expected lower-case hex digits"))
    }
}

fn is_lower_case(digits: &str) -> bool {
    !digits.bytes().any(|digit| digit.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Text {
        #[serde(with = "super::fixed")]
        fixed: [u8; 2],
        #[serde(with = "super::open")]
        open: Vec<u8>,
    }

    #[test]
    fn digits_are_read_in_lower_case_only() {
        let read = |fixed: &str, open: &str| {
            let json = format!("{{\"fixed\":\"{fixed}\",\"open\":\"{open}\"}}");
            serde_json::from_str::<Text>(&json)
        };
        let text = read("0abc", "de").unwrap();
        assert_eq!((text.fixed, &text.open[..]), ([0x0a, 0xbc], &[0xde][..]));
        for (fixed, open) in [("0aBc", "de"), ("0abc", "dE"), ("0ab", "de"), ("0abc", "d")] {
            assert!(read(fixed, open).is_err(), "{fixed} {open}");
        }
    }
}
