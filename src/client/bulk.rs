//! The body of a bulk put: what a reader needs to fetch and open the value kept elsewhere.
//!
//! Invariant: one encoding, [`BULK_BODY_BYTES`] long, which the seal encrypts like any body.
//! Not proven: that the bulk ciphertext decrypts. Knows nothing of nodes or files.

use crate::batch::BulkReference;
use thiserror::Error;
use ukehi_keys::stream::{ContentKey, SealedStream, ciphertext_bytes};
use zeroize::Zeroizing;

/// Content key 32 ‖ digest of the ciphertext 32 ‖ length of the plaintext u64 little-endian.
pub const BULK_BODY_BYTES: usize = 32 + 32 + 8;

/// A decrypted bulk reference.
pub struct BulkBody {
    pub key: ContentKey,
    /// BLAKE3 of the ciphertext.
    pub digest: [u8; 32],
    pub plaintext_bytes: u64,
}

/// A bulk put whose body its author did not make as this release does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BulkBodyError {
    #[error("its body has {found} bytes, a bulk put's has {BULK_BODY_BYTES}")]
    Length { found: usize },
    #[error("its body names another ciphertext than its public part")]
    OtherReference,
}

impl BulkBody {
    #[must_use]
    pub fn encode(&self) -> Zeroizing<[u8; BULK_BODY_BYTES]> {
        let mut bytes = Zeroizing::new([0; BULK_BODY_BYTES]);
        bytes[..32].copy_from_slice(self.key.secret_bytes().as_ref());
        bytes[32..64].copy_from_slice(&self.digest);
        bytes[64..].copy_from_slice(&self.plaintext_bytes.to_le_bytes());
        bytes
    }

    /// Reads a body and holds it against the reference the batch shows in clear.
    ///
    /// # Errors
    /// [`BulkBodyError`]: the author is at fault, no node is.
    pub fn decode(bytes: &[u8], reference: &BulkReference) -> Result<Self, BulkBodyError> {
        let whole: &[u8; BULK_BODY_BYTES] = bytes
            .try_into()
            .map_err(|_| BulkBodyError::Length { found: bytes.len() })?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&whole[..32]);
        let body = Self {
            key: ContentKey::from_secret_bytes(key),
            digest: whole[32..64].try_into().expect("64 - 32 = 32"),
            plaintext_bytes: u64::from_le_bytes(whole[64..].try_into().expect("72 - 64 = 8")),
        };
        // A plaintext length beyond the bound has a ciphertext length beyond the reference's.
        let fits = body.plaintext_bytes <= reference.length
            && ciphertext_bytes(body.plaintext_bytes) == reference.length;
        match fits && body.digest == reference.digest {
            true => Ok(body),
            false => Err(BulkBodyError::OtherReference),
        }
    }
}

impl BulkBody {
    /// The reference a batch shows in clear, and the body that goes under the seal.
    #[must_use]
    pub fn of(sealed: SealedStream) -> (BulkReference, Self) {
        let reference = BulkReference {
            digest: sealed.digest,
            length: sealed.ciphertext_bytes,
        };
        let body = BulkBody {
            key: sealed.key,
            digest: sealed.digest,
            plaintext_bytes: sealed.plaintext_bytes,
        };
        (reference, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ukehi_keys::stream::seal;

    fn made() -> (BulkReference, BulkBody) {
        let sealed = seal(&mut &b"a long value"[..], &mut std::io::sink()).unwrap();
        BulkBody::of(sealed)
    }

    #[test]
    fn a_body_comes_back_and_must_fit_what_the_batch_shows() {
        let (reference, body) = made();
        let bytes = body.encode();
        let back = BulkBody::decode(bytes.as_ref(), &reference).unwrap();
        assert_eq!(back.key.secret_bytes(), body.key.secret_bytes());
        assert_eq!((back.digest, back.plaintext_bytes), (body.digest, 12));

        let (other, _) = made();
        let longer = BulkReference {
            length: reference.length + 1,
            ..reference
        };
        for wrong in [other, longer] {
            let outcome = BulkBody::decode(bytes.as_ref(), &wrong).err();
            assert_eq!(outcome, Some(BulkBodyError::OtherReference));
        }
        for cut in [0, 71] {
            let outcome = BulkBody::decode(&bytes[..cut], &reference).err();
            assert_eq!(outcome, Some(BulkBodyError::Length { found: cut }));
        }
    }

    #[test]
    fn a_length_of_all_ones_does_not_overflow() {
        let (reference, body) = made();
        let mut bytes = body.encode();
        bytes[64..].fill(0xff);
        assert!(BulkBody::decode(bytes.as_ref(), &reference).is_err());
    }
}
