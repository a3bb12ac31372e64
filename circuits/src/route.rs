//! Routes: `route = H(key, k_route)`, the tag a command is placed by, and the commitment to `k_route`.
//!
//! Invariant: equal keys have equal routes under one secret, and nothing else about a key shows. A holder of the
//! secret can test guesses. Knows nothing of shards.

use crate::field::{self, F, NonCanonical};
use crate::gadget::{Builder, Num};
use crate::poseidon::{self, Domain, gadget::Lane};
use crate::slot::SlotKey;
use ark_ff::PrimeField;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A keyspace's routing secret, `k_route`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RouteSecret(pub(crate) F);

impl RouteSecret {
    /// A uniform secret from the operating system's randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut wide = Zeroizing::new([0u8; 64]);
        getrandom::fill(wide.as_mut())?;
        Ok(RouteSecret(F::from_le_bytes_mod_order(wide.as_ref())))
    }

    /// Decodes 32 little-endian bytes below the modulus.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, NonCanonical> {
        field::decode(bytes).map(RouteSecret)
    }

    /// 32 little-endian bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(field::encode(&self.0))
    }

    /// C_route, which a keyspace registers.
    pub fn commitment(&self) -> F {
        commitment(self.0)
    }

    /// The route of a key.
    pub fn route(&self, key: &SlotKey) -> F {
        route(&key.elements(), self.0)
    }
}

/// `H(k_route)`.
pub(crate) fn commitment(secret: F) -> F {
    poseidon::hash(Domain::RouteCommitment, &[secret])
}

/// `H(key₀, key₁, k_route)`.
pub(crate) fn route(key: &[F; 2], secret: F) -> F {
    poseidon::hash(Domain::Route, &[key[0], key[1], secret])
}

/// Twin of [`commitment`].
pub(crate) fn constrain_commitment(builder: &mut Builder, secret: &Num) -> Num {
    poseidon::gadget::hash(builder, Domain::RouteCommitment, &[Lane::from(secret)])
}

/// Twin of [`route`].
pub(crate) fn constrain_route(builder: &mut Builder, key: &[Num; 2], secret: &Num) -> Num {
    poseidon::gadget::hash(
        builder,
        Domain::Route,
        &[Lane::from(&key[0]), Lane::from(&key[1]), Lane::from(secret)],
    )
}
