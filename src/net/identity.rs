//! A node's Ed25519 key as libp2p knows it.
//!
//! Invariant: a peer id is a function of the 32-byte public key alone, so a handshake that ends
//! in the expected peer id has proven possession of the node's key.

use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};
use thiserror::Error;
use zeroize::Zeroizing;

/// Not the encoding of a point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an Ed25519 public key")]
pub struct NotAPublicKey;

/// The key pair of a 32-byte Ed25519 secret (RFC 8032, section 5.1.5).
#[must_use]
pub fn keypair(secret: &Zeroizing<[u8; 32]>) -> Keypair {
    // ed25519_from_bytes zeroes what it is given.
    Keypair::ed25519_from_bytes(secret.clone()).expect("any 32 bytes are an Ed25519 secret")
}

/// The peer id of a 32-byte Ed25519 public key.
///
/// # Errors
/// [`NotAPublicKey`].
pub fn peer_id(public: &[u8; 32]) -> Result<PeerId, NotAPublicKey> {
    let key = ed25519::PublicKey::try_from_bytes(public).map_err(|_| NotAPublicKey)?;
    Ok(PublicKey::from(key).to_peer_id())
}

/// The 32 bytes of `keypair`'s public half.
#[must_use]
pub fn public_bytes(keypair: &Keypair) -> [u8; 32] {
    keypair
        .public()
        .try_into_ed25519()
        .expect("every key pair here is Ed25519")
        .to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_and_public_key_give_one_peer_id() {
        let secret = Zeroizing::new([5; 32]);
        let public = ed25519_dalek::SigningKey::from_bytes(&secret).verifying_key();
        let pair = keypair(&secret);
        assert_eq!(public_bytes(&pair), public.to_bytes());
        assert_eq!(peer_id(&public.to_bytes()), Ok(pair.public().to_peer_id()));
    }
}
