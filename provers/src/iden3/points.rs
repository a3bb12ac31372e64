//! Points as iden3's files hold them: affine x then y in Montgomery form, little-endian ("LEM"), and as its
//! transcripts hash them: plain, big-endian, the second coordinate of an Fq2 first ("U"). The identity is all zeros
//! in both.

use std::io::{Read, Seek, Write};

use ark_bn254::{Fq, Fq2, Fr};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::Field;
use rayon::prelude::*;

use super::error::FileError;
use super::scalars::{self, FIELD_BYTES};
use super::sections::{Cursor, SectionWriter};
use super::subgroup::Subgroup;

/// Points decoded or encoded at a time: 1 MiB of G1.
const CHUNK: usize = 1 << 14;

/// Whether points are checked to be on the curve and in the subgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    Every,
    /// For bytes known by their digest. Coordinates below the modulus are asked for all the same.
    None,
}

/// A group of BN254 in iden3's encodings.
pub trait Iden3Point: AffineRepr<ScalarField = Fr> {
    /// Bytes of either encoding.
    const BYTES: usize;
    /// The point with exactly this Montgomery encoding, on the curve and in the subgroup.
    fn from_montgomery(bytes: &[u8]) -> Option<Self> {
        Self::unchecked_from_montgomery(bytes).filter(Self::is_in_group)
    }
    /// What has this Montgomery encoding; a point of the group only if somebody has checked it.
    fn unchecked_from_montgomery(bytes: &[u8]) -> Option<Self>;
    fn is_in_group(&self) -> bool;
    fn put_montgomery(&self, out: &mut Vec<u8>);
    /// What the transcripts hash.
    fn put_uncompressed(&self, out: &mut Vec<u8>);
}

/// A coordinate: an element of Fq or Fq2.
pub trait Coordinate: Field {
    const BYTES: usize;
    fn from_montgomery(bytes: &[u8]) -> Option<Self>;
    fn put_montgomery(&self, out: &mut Vec<u8>);
    fn put_big_endian(&self, out: &mut Vec<u8>);
}

impl<P> Iden3Point for Affine<P>
where
    P: SWCurveConfig<ScalarField = Fr> + Subgroup,
    P::BaseField: Coordinate,
{
    const BYTES: usize = 2 * P::BaseField::BYTES;

    fn unchecked_from_montgomery(bytes: &[u8]) -> Option<Self> {
        if bytes.iter().all(|b| *b == 0) {
            return Some(Self::identity());
        }
        let (x, y) = bytes.split_at(P::BaseField::BYTES);
        Some(Self::new_unchecked(
            Coordinate::from_montgomery(x)?,
            Coordinate::from_montgomery(y)?,
        ))
    }

    fn is_in_group(&self) -> bool {
        self.is_on_curve() && P::contains(self)
    }

    fn put_montgomery(&self, out: &mut Vec<u8>) {
        match self.xy() {
            Some((x, y)) => [x, y].iter().for_each(|c| c.put_montgomery(out)),
            None => out.resize(out.len() + <Self as Iden3Point>::BYTES, 0),
        }
    }

    fn put_uncompressed(&self, out: &mut Vec<u8>) {
        match self.xy() {
            Some((x, y)) => [x, y].iter().for_each(|c| c.put_big_endian(out)),
            None => out.resize(out.len() + <Self as Iden3Point>::BYTES, 0),
        }
    }
}

impl Coordinate for Fq {
    const BYTES: usize = FIELD_BYTES;

    fn from_montgomery(bytes: &[u8]) -> Option<Self> {
        scalars::from_montgomery(bytes)
    }

    fn put_montgomery(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&scalars::montgomery(self));
    }

    fn put_big_endian(&self, out: &mut Vec<u8>) {
        out.extend(scalars::plain(self).iter().rev());
    }
}

impl Coordinate for Fq2 {
    const BYTES: usize = 2 * FIELD_BYTES;

    fn from_montgomery(bytes: &[u8]) -> Option<Self> {
        let (c0, c1) = bytes.split_at(FIELD_BYTES);
        Some(Self::new(
            scalars::from_montgomery(c0)?,
            scalars::from_montgomery(c1)?,
        ))
    }

    fn put_montgomery(&self, out: &mut Vec<u8>) {
        [self.c0, self.c1]
            .iter()
            .for_each(|c| c.put_montgomery(out));
    }

    fn put_big_endian(&self, out: &mut Vec<u8>) {
        [self.c1, self.c0]
            .iter()
            .for_each(|c| c.put_big_endian(out));
    }
}

impl<R: Read + Seek> Cursor<'_, R> {
    /// The next `count` points, each checked.
    pub(super) fn points<P: Iden3Point>(&mut self, count: u64) -> Result<Vec<P>, FileError> {
        self.points_with(count, Checks::Every)
    }

    /// The next `count` points; decoded on rayon's pool, `CHUNK` at a time.
    pub(super) fn points_with<P: Iden3Point>(
        &mut self,
        count: u64,
        checks: Checks,
    ) -> Result<Vec<P>, FileError> {
        let decode = match checks {
            Checks::Every => P::from_montgomery,
            Checks::None => P::unchecked_from_montgomery,
        };
        let id = self.id();
        if count.saturating_mul(P::BYTES as u64) > self.left() {
            return Err(FileError::Truncated { what: "a section" });
        }
        let mut points: Vec<P> = Vec::with_capacity(count as usize);
        let mut buffer = Vec::new();
        while (points.len() as u64) < count {
            let now = CHUNK.min(count as usize - points.len());
            buffer.resize(now * P::BYTES, 0);
            self.fill(&mut buffer)?;
            let first = points.len() as u64;
            let decoded: Result<Vec<P>, u64> = buffer
                .par_chunks_exact(P::BYTES)
                .enumerate()
                .map(|(index, bytes)| decode(bytes).ok_or(first + index as u64))
                .collect();
            points.extend(decoded.map_err(|index| FileError::NotInGroup { id, index })?);
        }
        Ok(points)
    }

    pub(super) fn point<P: Iden3Point>(&mut self) -> Result<P, FileError> {
        Ok(self.points(1)?[0])
    }
}

impl<W: Write + Seek> SectionWriter<W> {
    pub(super) fn put_points<P: Iden3Point>(&mut self, points: &[P]) -> Result<(), FileError> {
        let mut buffer = Vec::new();
        for chunk in points.chunks(CHUNK) {
            buffer.clear();
            for point in chunk {
                point.put_montgomery(&mut buffer);
            }
            self.put(&buffer)?;
        }
        Ok(())
    }
}
