//! A replica's key: its network identity, its proposals and its checkpoints.
//!
//! Invariant: one key per node, so a message's `from`, a proposal and a checkpoint of one node
//! are checked against the same 32 bytes.
//! Knows nothing of libp2p, Raft or checkpoints.

use crate::signer::{BadSignature, Role, SignerId, SignerKey, sealed};
use zeroize::Zeroizing;

/// Marks the keys of nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {}

impl sealed::Sealed for Node {}
impl Role for Node {
    const NAMES: (&'static str, &'static str) = ("NodeKey", "NodePublicKey");
}

/// A node's Ed25519 secret.
pub type NodeKey = SignerKey<Node>;
/// A node's Ed25519 public key.
pub type NodePublicKey = SignerId<Node>;

impl NodeKey {
    /// The 32-byte seed. Noise needs the secret itself: `net` builds its libp2p identity from it,
    /// so that a peer id proves possession of the key that genesis names. No other use.
    #[must_use]
    pub fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.seed()
    }

    /// Signs bytes that another standard fixes: a C2SP cosignature, which starts with
    /// "cosignature/v1". Every other message is a frame: it starts with its domain's length as a
    /// u64, whose upper bytes are zero as no byte of a text is, so none is both.
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.sign_message(message)
    }
}

impl NodePublicKey {
    /// Checks what [`NodeKey::sign_raw`] signed, by `verify_strict`.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify_raw(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        self.verify_message(message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_handed_to_the_network_is_the_same_key() {
        let key = NodeKey::generate().unwrap();
        let again = NodeKey::from_secret_bytes(&key.secret_bytes());
        assert_eq!(again.public(), key.public());
    }

    #[test]
    fn a_raw_signature_holds_for_its_bytes_and_for_no_framed_message() {
        let key = NodeKey::generate().unwrap();
        let text = b"cosignature/v1\ntime 1\n";
        let raw = key.sign_raw(text);
        assert_eq!(key.public().verify_raw(text, &raw), Ok(()));
        assert!(key.public().verify_raw(&text[1..], &raw).is_err());
        assert!(key.public().verify(text, &[], &raw).is_err());
        assert!(key.public().verify(b"", &[text], &raw).is_err());
        let framed = key.sign(text, &[]);
        assert!(key.public().verify_raw(text, &framed).is_err());
    }
}
