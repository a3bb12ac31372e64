//! Inverses modulo an odd number of at most 256 bits, by division steps in batches of 62.
//!
//! Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (TCHES 2019/3), in the variant that takes
//! all trailing zeros at once: its time depends on the input. With f = p and g = x at first, a step makes g smaller keeping
//! gcd(f, g), and whatever it does to f and g it does modulo p to d and e, where d·x ≡ f and e·x ≡ g at all times; when g is
//! zero, f is ±1 and ±d is the inverse. A batch looks at the lowest 62 bits alone, which gives a matrix of small numbers, by
//! which f, g, d, e are multiplied and divided by 2^62.

const BITS: u32 = 62;
const MASK: i64 = (1 << BITS) - 1;

/// A signed number, least limb first: four limbs of 62 bits, and a top limb with the sign.
#[derive(Clone, Copy)]
struct Signed([i64; 5]);

/// What a batch does, times 2^62.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 1/x modulo p, below p. `None` of zero. p is odd and below 2^254, x below 2p; `inverse_of_p` is 1/p modulo 2^64.
pub(super) fn inverse(x: &[u64; 4], p: &[u64; 4], inverse_of_p: u64) -> Option<[u64; 4]> {
    let modulus = Signed::from_words(p);
    let inverse_of_p = inverse_of_p as i64 & MASK;
    let (mut f, mut g) = (modulus, Signed::from_words(x));
    let (mut d, mut e) = (Signed([0; 5]), Signed([1, 0, 0, 0, 0]));
    let mut eta = -1;
    while g.0 != [0; 5] {
        let matrix = batch(&mut eta, f.low(), g.low());
        apply_modulo(&matrix, &mut d, &mut e, &modulus, inverse_of_p);
        apply(&matrix, &mut f, &mut g);
    }
    // Now f = ±gcd(p, x): p itself only if x was zero modulo p.
    match f.0 {
        [1, 0, 0, 0, 0] => Some(d.modulo(&modulus)),
        [MASK, MASK, MASK, MASK, -1] => Some(d.negated().modulo(&modulus)),
        _ => None,
    }
}

/// Sixty-two division steps on the lowest words of f, which is odd, and g.
fn batch(eta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = BITS;
    loop {
        // Zeros at the end of g, of those steps that are left.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // A multiple of f that clears the next zeros: no more than the steps left, nor than eta + 1, after which f and g
        // would change places.
        let limit = u32::min(left, u32::try_from(*eta + 1).unwrap_or(left)).min(6);
        let mask = (1 << limit) - 1;
        // −g/f modulo 64: f·(f² − 2) is −1/f there.
        let w = f
            .wrapping_mul(g)
            .wrapping_mul(f.wrapping_mul(f).wrapping_sub(2))
            & mask;
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w));
        r = r.wrapping_add(v.wrapping_mul(w));
    }
    let [u, v, q, r] = [u, v, q, r].map(|entry| entry as i64);
    Matrix { u, v, q, r }
}

/// (f, g) times the matrix, over 2^62: exactly.
fn apply(m: &Matrix, f: &mut Signed, g: &mut Signed) {
    let (mut cf, mut cg) = (0i128, 0i128);
    for i in 0..5 {
        let (fi, gi) = (i128::from(f.0[i]), i128::from(g.0[i]));
        cf += i128::from(m.u) * fi + i128::from(m.v) * gi;
        cg += i128::from(m.q) * fi + i128::from(m.r) * gi;
        if i > 0 {
            f.0[i - 1] = cf as i64 & MASK;
            g.0[i - 1] = cg as i64 & MASK;
        }
        cf >>= BITS;
        cg >>= BITS;
    }
    f.0[4] = cf as i64;
    g.0[4] = cg as i64;
}

/// (d, e) times the matrix, over 2^62 modulo p. Both stay between −2p and p.
fn apply_modulo(m: &Matrix, d: &mut Signed, e: &mut Signed, modulus: &Signed, inverse_of_p: i64) {
    // One matrix row's worth of p for each that is negative.
    let (sd, se) = (d.0[4] >> 63, e.0[4] >> 63);
    let mut md = (m.u & sd) + (m.v & se);
    let mut me = (m.q & sd) + (m.r & se);
    let (mut cd, mut ce) = (0i128, 0i128);
    for i in 0..5 {
        let (di, ei) = (i128::from(d.0[i]), i128::from(e.0[i]));
        cd += i128::from(m.u) * di + i128::from(m.v) * ei;
        ce += i128::from(m.q) * di + i128::from(m.r) * ei;
        if i == 0 {
            // And as much more of it as makes the lowest 62 bits zero.
            md -= inverse_of_p.wrapping_mul(cd as i64).wrapping_add(md) & MASK;
            me -= inverse_of_p.wrapping_mul(ce as i64).wrapping_add(me) & MASK;
        }
        cd += i128::from(modulus.0[i]) * i128::from(md);
        ce += i128::from(modulus.0[i]) * i128::from(me);
        if i > 0 {
            d.0[i - 1] = cd as i64 & MASK;
            e.0[i - 1] = ce as i64 & MASK;
        }
        cd >>= BITS;
        ce >>= BITS;
    }
    d.0[4] = cd as i64;
    e.0[4] = ce as i64;
}

impl Signed {
    fn from_words([a, b, c, d]: &[u64; 4]) -> Self {
        Self(
            [
                *a,
                a >> 62 | b << 2,
                b >> 60 | c << 4,
                c >> 58 | d << 6,
                d >> 56,
            ]
            .map(|limb| limb as i64 & MASK),
        )
    }

    /// The lowest 62 bits at least.
    fn low(&self) -> u64 {
        self.0[0] as u64 | (self.0[1] as u64) << BITS
    }

    fn negated(self) -> Self {
        Self(self.0.map(|limb| -limb)).carried()
    }

    fn plus(self, other: &Self) -> Self {
        let mut sum = self.0;
        for (limb, other) in sum.iter_mut().zip(other.0) {
            *limb += other;
        }
        Self(sum).carried()
    }

    /// The lower limbs in 0..2^62 again.
    fn carried(mut self) -> Self {
        for i in 0..4 {
            self.0[i + 1] += self.0[i] >> BITS;
            self.0[i] &= MASK;
        }
        self
    }

    /// Words of the representative in 0..p of a number between −2p and 2p.
    fn modulo(self, modulus: &Self) -> [u64; 4] {
        let mut value = self;
        while value.0[4] < 0 {
            value = value.plus(modulus);
        }
        let less = value.plus(&modulus.negated());
        let [a, b, c, d, e] = if less.0[4] < 0 { value } else { less }
            .0
            .map(|limb| limb as u64);
        [
            a | b << 62,
            b >> 2 | c << 60,
            c >> 4 | d << 58,
            d >> 6 | e << 56,
        ]
    }
}
