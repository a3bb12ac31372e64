//! Bytes of keys: one encoding per key, lengths checked before anything is allocated.
//!
//! Verifying key: 16 bytes of magic, the number of instance variables n (u32, little-endian), then compressed
//! α (G1), β, γ, δ (G2) and n input elements (G1): 244 + 32·n bytes.
//!
//! Proving key: 16 bytes of magic, the circuit digest (32), instance variables n, witness variables w, log2 of
//! the domain d (u32 each), then uncompressed α, β, δ (G1), β, γ, δ (G2), n inputs, n+w of A (G1), n+w of B (G1),
//! n+w of B (G2), 2^d of H (G1), w of L (G1), then BLAKE3 of all before it. Uncompressed, because 2^16 square
//! roots per query cost seconds at every start. The checksum tells a damaged file at once; it proves nothing
//! about the set-up.

use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_serialize::{Compress, Validate};
use rayon::prelude::*;

use super::keys::{KeyError, KeyPart, ProvingKey, VerifyingKey};

const VERIFYING_MAGIC: &[u8; 16] = b"ukehi/bn254vk/v1";
const PROVING_MAGIC: &[u8; 16] = b"ukehi/bn254pk/v1";
const CHECKSUM: usize = 32;
const PROVING_HEADER: usize = 16 + 32 + 3 * 4;
/// Two-adicity of the scalar field, less one: see [`crate::R1cs`].
const MAX_DOMAIN_LOG2: u32 = 27;

/// Why bytes are not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyDecodeError {
    #[error("not a key of this kind and version")]
    Magic,
    #[error("the key has {actual} bytes, its header asks for {expected}")]
    Length { expected: u64, actual: usize },
    #[error("the key's domain of 2^{log2} is larger than 2^27")]
    Domain { log2: u32 },
    #[error("the key's checksum does not match: the file is damaged")]
    Checksum,
    #[error("key part {part:?}, element {index} is not a point of the prime-order subgroup")]
    NotInGroup { part: KeyPart, index: usize },
    #[error("key part {part:?}, element {index} is not in its canonical encoding")]
    NonCanonical { part: KeyPart, index: usize },
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl VerifyingKey {
    /// Decodes exactly the bytes of [`VerifyingKey::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyDecodeError> {
        let mut reader = Reader::new(bytes, VERIFYING_MAGIC, 16 + 4, Compress::Yes)?;
        let inputs = reader.count();
        let (g1, g2) = (32, 64);
        reader.expect_total(20 + g1 * (1 + inputs as u64) + 3 * g2)?;
        let points = ark_groth16::VerifyingKey {
            alpha_g1: reader.point(KeyPart::Alpha)?,
            beta_g2: reader.point(KeyPart::Beta)?,
            gamma_g2: reader.point(KeyPart::Gamma)?,
            delta_g2: reader.point(KeyPart::Delta)?,
            gamma_abc_g1: reader.points(KeyPart::Inputs, inputs)?,
        };
        Ok(VerifyingKey::new(points)?)
    }

    /// The one encoding: 244 + 32·(public inputs + 1) bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        verifying_key_bytes(self.points())
    }
}

impl ProvingKey {
    /// Decodes exactly the bytes of [`ProvingKey::to_bytes`]; every point is checked, on rayon's global pool.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyDecodeError> {
        let mut reader = Reader::new(bytes, PROVING_MAGIC, PROVING_HEADER, Compress::No)?;
        let circuit: [u8; 32] = reader.take(32).try_into().expect("32 bytes were taken");
        let (instance, witness) = (reader.count(), reader.count());
        let log2 = reader.count() as u32;
        if log2 > MAX_DOMAIN_LOG2 {
            return Err(KeyDecodeError::Domain { log2 });
        }
        let domain = 1usize << log2;
        reader.expect_total(proving_key_length(instance, witness, domain))?;
        reader.check_trailing_checksum(bytes)?;

        let variables = instance + witness;
        let alpha_g1 = reader.point(KeyPart::Alpha)?;
        let beta_g1 = reader.point(KeyPart::Beta)?;
        let delta_g1 = reader.point(KeyPart::Delta)?;
        let vk = ark_groth16::VerifyingKey {
            alpha_g1,
            beta_g2: reader.point(KeyPart::Beta)?,
            gamma_g2: reader.point(KeyPart::Gamma)?,
            delta_g2: reader.point(KeyPart::Delta)?,
            gamma_abc_g1: reader.points(KeyPart::Inputs, instance)?,
        };
        let points = ark_groth16::ProvingKey {
            vk,
            beta_g1,
            delta_g1,
            a_query: reader.points(KeyPart::AQuery, variables)?,
            b_g1_query: reader.points(KeyPart::BQueryG1, variables)?,
            b_g2_query: reader.points(KeyPart::BQueryG2, variables)?,
            h_query: reader.points(KeyPart::HQuery, domain)?,
            l_query: reader.points(KeyPart::LQuery, witness)?,
        };
        Ok(ProvingKey::bound_to(points, circuit)?)
    }

    /// The one encoding, as the module describes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let p = self.points();
        let (instance, witness) = (p.vk.gamma_abc_g1.len(), p.l_query.len());
        let length = proving_key_length(instance, witness, p.h_query.len());
        let mut bytes = Vec::with_capacity(length as usize);
        bytes.extend_from_slice(PROVING_MAGIC);
        bytes.extend_from_slice(self.circuit());
        put_count(&mut bytes, instance);
        put_count(&mut bytes, witness);
        put_count(&mut bytes, p.h_query.len().ilog2() as usize);
        put(
            &mut bytes,
            &[p.vk.alpha_g1, p.beta_g1, p.delta_g1],
            Compress::No,
        );
        put(
            &mut bytes,
            &[p.vk.beta_g2, p.vk.gamma_g2, p.vk.delta_g2],
            Compress::No,
        );
        for query in [&p.vk.gamma_abc_g1, &p.a_query, &p.b_g1_query] {
            put(&mut bytes, query, Compress::No);
        }
        put(&mut bytes, &p.b_g2_query, Compress::No);
        for query in [&p.h_query, &p.l_query] {
            put(&mut bytes, query, Compress::No);
        }
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }
}

pub(super) fn verifying_key_digest(points: &ark_groth16::VerifyingKey<Bn254>) -> [u8; 32] {
    blake3::derive_key(
        "ukehi/provers/verifying-key/v1",
        &verifying_key_bytes(points),
    )
}

fn verifying_key_bytes(points: &ark_groth16::VerifyingKey<Bn254>) -> Vec<u8> {
    let mut bytes = VERIFYING_MAGIC.to_vec();
    put_count(&mut bytes, points.gamma_abc_g1.len());
    put(&mut bytes, &[points.alpha_g1], Compress::Yes);
    put(
        &mut bytes,
        &[points.beta_g2, points.gamma_g2, points.delta_g2],
        Compress::Yes,
    );
    put(&mut bytes, &points.gamma_abc_g1, Compress::Yes);
    bytes
}

/// In u64, where counts of 32 bits cannot overflow.
fn proving_key_length(instance: usize, witness: usize, domain: usize) -> u64 {
    let (instance, witness, domain) = (instance as u64, witness as u64, domain as u64);
    let g1 = 3 + instance + 2 * (instance + witness) + domain + witness;
    let g2 = 3 + instance + witness;
    (PROVING_HEADER + CHECKSUM) as u64 + 64 * g1 + 128 * g2
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("a circuit has fewer than 2^32 variables");
    bytes.extend_from_slice(&count.to_le_bytes());
}

fn put<G: AffineRepr>(bytes: &mut Vec<u8>, points: &[G], compress: Compress) {
    for point in points {
        point
            .serialize_with_mode(&mut *bytes, compress)
            .expect("writing to memory cannot fail");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PointError {
    NotInGroup,
    NonCanonical,
}

/// Decodes one point from exactly its bytes: on the curve, in the subgroup, and re-encoding to the same bytes
/// (arkworks ignores the sign flag of an uncompressed point and the coordinates of a flagged identity).
pub(super) fn decode_point<G: AffineRepr>(
    bytes: &[u8],
    compress: Compress,
) -> Result<G, PointError> {
    let point = G::deserialize_with_mode(bytes, compress, Validate::Yes)
        .map_err(|_| PointError::NotInGroup)?;
    let mut again = Vec::with_capacity(bytes.len());
    put(&mut again, &[point], compress);
    if again != bytes {
        return Err(PointError::NonCanonical);
    }
    Ok(point)
}

/// Walks a key whose total length has been checked against its header.
struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
    compress: Compress,
}

impl<'a> Reader<'a> {
    fn new(
        bytes: &'a [u8],
        magic: &[u8; 16],
        header: usize,
        compress: Compress,
    ) -> Result<Self, KeyDecodeError> {
        if bytes.len() < header {
            return Err(KeyDecodeError::Length {
                expected: header as u64,
                actual: bytes.len(),
            });
        }
        let rest = bytes.strip_prefix(magic).ok_or(KeyDecodeError::Magic)?;
        Ok(Self {
            rest,
            total: bytes.len(),
            compress,
        })
    }

    fn expect_total(&self, expected: u64) -> Result<(), KeyDecodeError> {
        if self.total as u64 != expected {
            return Err(KeyDecodeError::Length {
                expected,
                actual: self.total,
            });
        }
        Ok(())
    }

    fn check_trailing_checksum(&mut self, bytes: &[u8]) -> Result<(), KeyDecodeError> {
        let (body, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        if blake3::hash(body).as_bytes() != checksum {
            return Err(KeyDecodeError::Checksum);
        }
        self.rest = &self.rest[..self.rest.len() - CHECKSUM];
        Ok(())
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn count(&mut self) -> usize {
        let bytes: [u8; 4] = self.take(4).try_into().expect("four bytes were taken");
        u32::from_le_bytes(bytes) as usize
    }

    fn point<G: AffineRepr>(&mut self, part: KeyPart) -> Result<G, KeyDecodeError> {
        Ok(self.points(part, 1)?[0])
    }

    fn points<G: AffineRepr>(
        &mut self,
        part: KeyPart,
        count: usize,
    ) -> Result<Vec<G>, KeyDecodeError> {
        let size = G::generator().serialized_size(self.compress);
        let compress = self.compress;
        self.take(size * count)
            .par_chunks_exact(size)
            .enumerate()
            .map(|(index, bytes)| {
                decode_point(bytes, compress).map_err(|error| match error {
                    PointError::NotInGroup => KeyDecodeError::NotInGroup { part, index },
                    PointError::NonCanonical => KeyDecodeError::NonCanonical { part, index },
                })
            })
            .collect()
    }
}
