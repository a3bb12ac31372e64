//! From values on a domain to values on its odd coset, eight elements at a time.
//!
//! The inverse transform splits x^m − c into x^(m/2) − √c and x^(m/2) + √c down to single points, so one twiddle
//! serves a whole block and its result lies in bit-reversed order; the shift is applied there, and the forward
//! transform is the mirror image. Blocks are taken to their end, down and up again, before the next begins, so that all
//! but the outermost layers run in the nearest caches. Two layers are done per pass over the data.
//!
//! The last three layers lie within vectors: the eight vectors of a block of 64 are transposed, and back after
//! the forward transform's first three.
//!
//! Bounds (see [`super::field`]): values enter with bound 1 and every layer down adds 2, so 27 layers stay below 56. The
//! shift brings them to 2; on the way up each pass takes and leaves bound 8, reducing where sums have grown. Twiddles
//! and shifts have R = 2^260 and bound 1, data has arkworks' R = 2^256 from beginning to end.

use core::arch::x86_64::*;

use ark_bn254::{Fr, FrConfig};
use zeroize::Zeroize;

use super::Ifma;
use super::field::{Fp8, LANES, splat};

type V = Fp8<FrConfig>;

/// Vectors in the smallest block.
const LEAF: usize = 8;

/// Elements of the smallest domain this room takes.
pub const SMALLEST: usize = LEAF * LANES;

/// One direction's twiddles: of block b, ρ to the power of b's bits reversed.
struct Twiddles {
    /// For blocks of more than eight elements, one for all lanes.
    wide: Vec<[u64; 5]>,
    /// For blocks of 8, 4 and 2 elements, by leaf: 1, 2 and 4 vectors, lane l belonging to the leaf's block l of 8.
    leaf: Vec<[V; 7]>,
}

/// A domain's twiddles and shifts.
pub struct Transform {
    ifma: Ifma,
    size: usize,
    down: Twiddles,
    up: Twiddles,
    /// By leaf, transposed.
    shifts: Vec<[V; LEAF]>,
}

impl Transform {
    /// `inverse_roots` and `roots` are ω^−i and ω^i for i below half the size, `shifts` the factors between the two
    /// transforms in bit-reversed order.
    ///
    /// # Panics
    /// If the lengths do not belong to one domain of at least [`SMALLEST`] elements.
    pub fn new(ifma: Ifma, inverse_roots: &[Fr], roots: &[Fr], shifts: &[Fr]) -> Self {
        let size = shifts.len();
        assert!(size.is_power_of_two() && size >= SMALLEST);
        assert!(2 * roots.len() == size && roots.len() == inverse_roots.len());
        // SAFETY: `ifma` proves that the CPU has the features.
        unsafe { Self::prepare(ifma, inverse_roots, roots, shifts) }
    }

    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    fn prepare(ifma: Ifma, inverse_roots: &[Fr], roots: &[Fr], shifts: &[Fr]) -> Self {
        let shifts = shifts
            .as_chunks::<SMALLEST>()
            .0
            .iter()
            .map(|leaf| core::array::from_fn(|k| factors(|l| leaf[LEAF * l + k])));
        Self {
            ifma,
            size: 2 * roots.len(),
            down: Twiddles::prepare(inverse_roots),
            up: Twiddles::prepare(roots),
            shifts: shifts.collect(),
        }
    }

    /// # Panics
    /// If `values` are not as many as the domain has points.
    pub fn to_odd_coset(&self, values: &mut [Fr]) {
        assert_eq!(values.len(), self.size, "one value per point of the domain");
        let _: Ifma = self.ifma;
        // SAFETY: `self.ifma` proves that the CPU has the features.
        unsafe { self.run(values) }
    }

    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    fn run(&self, values: &mut [Fr]) {
        let (vectors, _) = values.as_chunks_mut::<LANES>();
        let mut buffer = Buffer(vectors.iter().map(|v| V::from_ark_as_is(v)).collect());
        self.block(&mut buffer.0, 0);
        for (vector, out) in buffer.0.iter().zip(vectors) {
            vector.to_ark_as_is(out);
        }
    }

    /// Block `b` of its layer, down to the points and up again.
    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    fn block(&self, data: &mut [V], b: usize) {
        let length = data.len();
        if length == LEAF {
            self.leaf(data.try_into().expect("a leaf has eight vectors"), b);
        } else if (length / LEAF).ilog2() % 2 == 1 {
            down_2(data, self.down.of(b));
            for (i, half) in data.chunks_exact_mut(length / 2).enumerate() {
                self.block(half, 2 * b + i);
            }
            up_2(data, self.up.of(b));
        } else {
            let twiddles = |t: &Twiddles| [t.of(b), t.of(2 * b), t.of(2 * b + 1)];
            down_4(data, twiddles(&self.down));
            for (i, quarter) in data.chunks_exact_mut(length / 4).enumerate() {
                self.block(quarter, 4 * b + i);
            }
            up_4(data, twiddles(&self.up));
        }
    }

    /// Six layers down, the shift, six layers up, on 64 elements.
    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    fn leaf(&self, data: &mut [V; LEAF], b: usize) {
        let across = |t: &Twiddles| {
            [
                t.of(b),
                t.of(2 * b),
                t.of(2 * b + 1),
                t.of(4 * b),
                t.of(4 * b + 1),
                t.of(4 * b + 2),
                t.of(4 * b + 3),
            ]
        };
        let mut x = *data;
        down_8(&mut x, &across(&self.down));
        x = transpose(x);
        down_8(&mut x, &self.down.leaf[b]);
        for (x, shift) in x.iter_mut().zip(&self.shifts[b]) {
            *x = x.mul(*shift);
        }
        // From bound 2: the sum of all eight has 16, nothing else more than 8.
        up_8::<2, 4, 8>(&mut x, &self.up.leaf[b]);
        x[0] = x[0].reduce();
        x = transpose(x);
        // From bound 8: the sum of all eight has 64, nothing else more than 8.
        up_8::<8, 16, 32>(&mut x, &across(&self.up));
        x[0] = x[0].reduce();
        *data = x;
    }
}

impl Twiddles {
    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    fn prepare(roots: &[Fr]) -> Self {
        let of = |block: usize| roots[reversed(block, roots.len())];
        let leaves = 2 * roots.len() / SMALLEST;
        let wide = (0..(4 * leaves).next_multiple_of(LANES)).step_by(LANES);
        let wide = wide.flat_map(|first| lanes(factors(|l| of(first + l))));
        let leaf = (0..leaves).map(|leaf| {
            let vector = |k: usize, i: usize| factors(|l| of(k * (LANES * leaf + l) + i));
            [
                vector(1, 0),
                vector(2, 0),
                vector(2, 1),
                vector(4, 0),
                vector(4, 1),
                vector(4, 2),
                vector(4, 3),
            ]
        });
        Self {
            wide: wide.collect(),
            leaf: leaf.collect(),
        }
    }

    /// Block `b`'s, in every lane.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn of(&self, b: usize) -> V {
        let [a, b, c, d, e] = self.wide[b];
        V::from_limbs([splat(a), splat(b), splat(c), splat(d), splat(e)])
    }
}

/// `index` with its bits below `size` in reverse order.
fn reversed(index: usize, size: usize) -> usize {
    match size.ilog2() {
        0 => 0,
        bits => index.reverse_bits() >> (usize::BITS - bits),
    }
}

/// Eight factors, R = 2^260, bound 1.
#[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
fn factors(of: impl Fn(usize) -> Fr) -> V {
    V::from_ark(&core::array::from_fn(of)).canonical()
}

/// The limbs of each lane.
#[target_feature(enable = "avx512f")]
fn lanes(vector: V) -> [[u64; 5]; LANES] {
    let limbs = vector.0.map(|limb| {
        let mut out = [0u64; LANES];
        // SAFETY: `out` has room for a vector.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), limb) };
        out
    });
    core::array::from_fn(|l| limbs.map(|limb| limb[l]))
}

/// (u, v) to (u + w·v, u − w·v): bound A to A + 2.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn down(u: V, v: V, w: V) -> (V, V) {
    let twisted = v.mul(w);
    (u.add(twisted), u.sub::<2>(twisted))
}

/// (u, v) to (u + v, (u − v)·w): bound `K` to 2`K` and 2.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn up<const K: u64>(u: V, v: V, w: V) -> (V, V) {
    (u.add(v), u.sub::<K>(v).mul(w))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn down_2(data: &mut [V], w: V) {
    let (low, high) = data.split_at_mut(data.len() / 2);
    for (u, v) in low.iter_mut().zip(high) {
        (*u, *v) = down(*u, *v, w);
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn up_2(data: &mut [V], w: V) {
    let (low, high) = data.split_at_mut(data.len() / 2);
    for (u, v) in low.iter_mut().zip(high) {
        let (sum, difference) = up::<8>(*u, *v, w);
        (*u, *v) = (sum.reduce(), difference);
    }
}

#[inline]
fn quarters(data: &mut [V]) -> impl Iterator<Item = [&mut V; 4]> {
    let (low, high) = data.split_at_mut(data.len() / 2);
    let (a, b) = low.split_at_mut(low.len() / 2);
    let (c, d) = high.split_at_mut(high.len() / 2);
    let (front, back) = (a.iter_mut().zip(b), c.iter_mut().zip(d));
    front.zip(back).map(|((a, b), (c, d))| [a, b, c, d])
}

/// Two layers: the block's twiddle, then its halves'.
#[target_feature(enable = "avx512f,avx512ifma")]
fn down_4(data: &mut [V], [w, w0, w1]: [V; 3]) {
    for [a, b, c, d] in quarters(data) {
        let (a0, c0) = down(*a, *c, w);
        let (b0, d0) = down(*b, *d, w);
        (*a, *b) = down(a0, b0, w0);
        (*c, *d) = down(c0, d0, w1);
    }
}

/// The mirror image, from bound 8 to bound 8: only the sum of all four grows, to 32.
#[target_feature(enable = "avx512f,avx512ifma")]
fn up_4(data: &mut [V], [w, w0, w1]: [V; 3]) {
    for [a, b, c, d] in quarters(data) {
        let (a0, b0) = up::<8>(*a, *b, w0);
        let (c0, d0) = up::<8>(*c, *d, w1);
        let (sum, c1) = up::<16>(a0, c0, w);
        (*a, *c) = (sum.reduce(), c1);
        (*b, *d) = up::<2>(b0, d0, w);
    }
}

/// Three layers on eight vectors; twiddles by layer, then by block.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn down_8(x: &mut [V; LEAF], w: &[V; 7]) {
    for i in 0..4 {
        (x[i], x[i + 4]) = down(x[i], x[i + 4], w[0]);
    }
    for i in [0, 1, 4, 5] {
        (x[i], x[i + 2]) = down(x[i], x[i + 2], w[1 + i / 4]);
    }
    for i in [0, 2, 4, 6] {
        (x[i], x[i + 1]) = down(x[i], x[i + 1], w[3 + i / 2]);
    }
}

/// The mirror image, with the largest bound before each layer.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn up_8<const A: u64, const B: u64, const C: u64>(x: &mut [V; LEAF], w: &[V; 7]) {
    for i in [0, 2, 4, 6] {
        (x[i], x[i + 1]) = up::<A>(x[i], x[i + 1], w[3 + i / 2]);
    }
    for i in [0, 1, 4, 5] {
        (x[i], x[i + 2]) = up::<B>(x[i], x[i + 2], w[1 + i / 4]);
    }
    for i in 0..4 {
        (x[i], x[i + 4]) = up::<C>(x[i], x[i + 4], w[0]);
    }
}

/// Lane l of vector k becomes lane k of vector l.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(x: [V; LEAF]) -> [V; LEAF] {
    let mut out = x;
    for limb in 0..5 {
        let columns = transpose_words(x.map(|v| v.0[limb]));
        for (vector, column) in out.iter_mut().zip(columns) {
            vector.0[limb] = column;
        }
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_words(r: [__m512i; 8]) -> [__m512i; 8] {
    let mut pairs = r;
    for i in [0, 2, 4, 6] {
        pairs[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
    }
    // Two words of each of four rows: halves of the pairs, then halves of those.
    let mut fours = pairs;
    for i in [0, 1, 4, 5] {
        fours[i] = _mm512_shuffle_i64x2::<0b10_00_10_00>(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm512_shuffle_i64x2::<0b11_01_11_01>(pairs[i], pairs[i + 2]);
    }
    let mut out = fours;
    for i in 0..4 {
        out[i] = _mm512_shuffle_i64x2::<0b10_00_10_00>(fours[i], fours[i + 4]);
        out[i + 4] = _mm512_shuffle_i64x2::<0b11_01_11_01>(fours[i], fours[i + 4]);
    }
    out
}

/// Values that depend on a witness; zeroised on drop.
struct Buffer(Vec<V>);

impl Drop for Buffer {
    fn drop(&mut self) {
        let words = self.0.len() * size_of::<V>() / size_of::<u64>();
        // SAFETY: the vectors are limbs and nothing else, any bits are limbs, and nobody else holds the buffer.
        let words =
            unsafe { core::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<u64>(), words) };
        words.zeroize();
    }
}
