//! [`super::words`] in assembly, for two reasons. Products have two chains of carries side by side (ADCX, ADOX) over MULX,
//! which compilers do not write; a CPU without these instructions, found out at run time, takes the plain functions. And
//! sums and differences must not branch on the values: what compilers make of a mask is a branch that is mispredicted every
//! other time, and costs as much as a product. Operands are in memory, results in registers: so the compiler has no reason
//! to move values about in pieces of 16 bytes just after they were written in pieces of 8, for which a CPU must wait.
#![allow(unsafe_code)]

use core::arch::asm;
use core::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
use core::sync::atomic::{AtomicU8, Ordering};

use super::words::{self, Modulus};

static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const ABSENT: u8 = 1;
const PRESENT: u8 = 2;

/// Whether this CPU has the instructions. Asked before every multiplication, hence an answer of one byte.
#[inline(always)]
fn available() -> bool {
    match STATE.load(Ordering::Relaxed) {
        PRESENT => true,
        ABSENT => false,
        _ => detect(),
    }
}

#[cold]
#[inline(never)]
fn detect() -> bool {
    let present = is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("adx");
    STATE.store(if present { PRESENT } else { ABSENT }, Ordering::Relaxed);
    present
}

/// [`words::product`].
#[inline(always)]
pub(super) fn product(a: &[u64; 4], b: &[u64; 4]) -> [u64; 8] {
    match available() {
        // SAFETY: just asked.
        true => unsafe { product_adx(a, b) },
        false => words::product(a, b),
    }
}

/// [`words::reduce`].
#[inline(always)]
pub(super) fn reduce(t: &[u64; 8], modulus: &Modulus) -> [u64; 4] {
    match available() {
        // SAFETY: just asked.
        true => unsafe { reduce_adx(t, modulus) },
        false => words::reduce(t, modulus),
    }
}

/// [`words::mul_add`].
#[inline(always)]
pub(super) fn mul_add(
    [a, b]: [&[u64; 4]; 2],
    [c, d]: [&[u64; 4]; 2],
    modulus: &Modulus,
) -> [u64; 4] {
    match available() {
        // SAFETY: just asked.
        true => unsafe { mul_add_adx([a, b], [c, d], modulus) },
        false => words::mul_add([a, b], [c, d], modulus),
    }
}

/// [`words::mul`].
#[inline(always)]
pub(super) fn mul(a: &[u64; 4], b: &[u64; 4], modulus: &Modulus) -> [u64; 4] {
    match available() {
        // SAFETY: just asked.
        true => unsafe { mul_adx(a, b, modulus) },
        false => words::mul(a, b, modulus),
    }
}

/// `rdx`·a, for the first row: five words.
macro_rules! first_row {
    ($t0:literal, $t1:literal, $t2:literal, $t3:literal, $t4:literal) => {
        concat!(
            "mov rdx, [{b}]\n",
            "mulx ",
            $t1,
            ", ",
            $t0,
            ", [{a}]\n",
            "mulx ",
            $t2,
            ", {low}, [{a} + 8]\n",
            "add ",
            $t1,
            ", {low}\n",
            "mulx ",
            $t3,
            ", {low}, [{a} + 16]\n",
            "adc ",
            $t2,
            ", {low}\n",
            "mulx ",
            $t4,
            ", {low}, [{a} + 24]\n",
            "adc ",
            $t3,
            ", {low}\n",
            "adc ",
            $t4,
            ", 0\n",
        )
    };
}

/// Adds a·b[offset/8] to the four words t0 … t3, with a fifth word t4.
macro_rules! row {
    ($offset:literal, $t0:literal, $t1:literal, $t2:literal, $t3:literal, $t4:literal) => {
        concat!(
            "mov rdx, [{b} + ",
            $offset,
            "]\n",
            "xor {low:e}, {low:e}\n",
            "mulx ",
            $t4,
            ", {low}, [{a}]\n",
            "adox ",
            $t0,
            ", {low}\n",
            "adcx ",
            $t1,
            ", ",
            $t4,
            "\n",
            "mulx ",
            $t4,
            ", {low}, [{a} + 8]\n",
            "adox ",
            $t1,
            ", {low}\n",
            "adcx ",
            $t2,
            ", ",
            $t4,
            "\n",
            "mulx ",
            $t4,
            ", {low}, [{a} + 16]\n",
            "adox ",
            $t2,
            ", {low}\n",
            "adcx ",
            $t3,
            ", ",
            $t4,
            "\n",
            "mulx ",
            $t4,
            ", {low}, [{a} + 24]\n",
            "adox ",
            $t3,
            ", {low}\n",
            "mov {low:e}, 0\n",
            "adcx ",
            $t4,
            ", {low}\n",
            "adox ",
            $t4,
            ", {low}\n",
        )
    };
}

/// Adds c·d[offset/8] to the five words t0 … t4, whose sum fits.
macro_rules! second_row {
    ($offset:literal) => {
        concat!(
            "mov rdx, [{d} + ",
            $offset,
            "]\n",
            "xor {low:e}, {low:e}\n",
            "mulx {high}, {low}, [{c}]\n adox {t0}, {low}\n adcx {t1}, {high}\n",
            "mulx {high}, {low}, [{c} + 8]\n adox {t1}, {low}\n adcx {t2}, {high}\n",
            "mulx {high}, {low}, [{c} + 16]\n adox {t2}, {low}\n adcx {t3}, {high}\n",
            "mulx {high}, {low}, [{c} + 24]\n adox {t3}, {low}\n adcx {t4}, {high}\n",
            "mov {low:e}, 0\n adox {t4}, {low}\n",
        )
    };
}

/// Adds the multiple of p that makes t0 zero, shifts down a word, and adds `$above` to the top one.
macro_rules! reduction {
    ($above:literal) => {
        concat!(
            "mov rdx, {t0}\n",
            "imul rdx, [{modulus} + 32]\n",
            "xor {high:e}, {high:e}\n",
            "mulx {high}, {low}, [{modulus}]\n",
            "adcx {low}, {t0}\n",
            "mov {t0}, {high}\n",
            "adcx {t0}, {t1}\n",
            "mulx {t1}, {low}, [{modulus} + 8]\n",
            "adox {t0}, {low}\n",
            "adcx {t1}, {t2}\n",
            "mulx {t2}, {low}, [{modulus} + 16]\n",
            "adox {t1}, {low}\n",
            "adcx {t2}, {t3}\n",
            "mulx {t3}, {low}, [{modulus} + 24]\n",
            "adox {t2}, {low}\n",
            "mov {low:e}, 0\n",
            "adcx {t3}, {low}\n",
            "adox {t3}, ",
            $above,
            "\n",
        )
    };
}

/// # Safety
/// [`available`] is true.
#[inline(always)]
#[rustfmt::skip]
unsafe fn product_adx(a: &[u64; 4], b: &[u64; 4]) -> [u64; 8] {
    let (t0, t1, t2, t3, t4, t5, t6, t7);
    // SAFETY: reads a and b, four words each, and writes registers that are declared; the CPU has the instructions.
    unsafe {
        asm!(
            first_row!("{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            row!(8, "{t1}", "{t2}", "{t3}", "{t4}", "{t5}"),
            row!(16, "{t2}", "{t3}", "{t4}", "{t5}", "{t6}"),
            row!(24, "{t3}", "{t4}", "{t5}", "{t6}", "{t7}"),
            a = in(reg) a, b = in(reg) b, low = out(reg) _, out("rdx") _,
            t0 = out(reg) t0, t1 = out(reg) t1, t2 = out(reg) t2, t3 = out(reg) t3,
            t4 = out(reg) t4, t5 = out(reg) t5, t6 = out(reg) t6, t7 = out(reg) t7,
            options(pure, readonly, nostack),
        );
    }
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// # Safety
/// [`available`] is true.
#[inline(always)]
#[rustfmt::skip]
unsafe fn reduce_adx(t: &[u64; 8], modulus: &Modulus) -> [u64; 4] {
    let [mut r0, mut r1, mut r2, mut r3] = [t[0], t[1], t[2], t[3]];
    // SAFETY: reads t, eight words, and the modulus, five (its layout is C's), and writes registers that are declared; the
    // CPU has the instructions.
    unsafe {
        asm!(
            reduction!("{low}"), reduction!("{low}"), reduction!("{low}"), reduction!("{low}"),
            "add {t0}, [{t} + 32]",
            "adc {t1}, [{t} + 40]",
            "adc {t2}, [{t} + 48]",
            "adc {t3}, [{t} + 56]",
            t = in(reg) t, modulus = in(reg) modulus, low = out(reg) _, high = out(reg) _, out("rdx") _,
            t0 = inout(reg) r0, t1 = inout(reg) r1, t2 = inout(reg) r2, t3 = inout(reg) r3,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// # Safety
/// [`available`] is true.
#[inline(always)]
#[rustfmt::skip]
unsafe fn mul_add_adx([a, b]: [&[u64; 4]; 2], [c, d]: [&[u64; 4]; 2], modulus: &Modulus) -> [u64; 4] {
    let (r0, r1, r2, r3);
    // SAFETY: reads a, b, c and d, four words each, and the modulus, five (its layout is C's), and writes registers that
    // are declared; the CPU has the instructions.
    unsafe {
        asm!(
            first_row!("{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            second_row!(0),
            reduction!("{t4}"),
            row!(8, "{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            second_row!(8),
            reduction!("{t4}"),
            row!(16, "{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            second_row!(16),
            reduction!("{t4}"),
            row!(24, "{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            second_row!(24),
            reduction!("{t4}"),
            a = in(reg) a, b = in(reg) b, c = in(reg) c, d = in(reg) d, modulus = in(reg) modulus,
            low = out(reg) _, high = out(reg) _, out("rdx") _,
            t0 = out(reg) r0, t1 = out(reg) r1, t2 = out(reg) r2, t3 = out(reg) r3, t4 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// # Safety
/// [`available`] is true.
#[inline(always)]
#[rustfmt::skip]
unsafe fn mul_adx(a: &[u64; 4], b: &[u64; 4], modulus: &Modulus) -> [u64; 4] {
    let (r0, r1, r2, r3);
    // SAFETY: reads a and b, four words each, and the modulus, five (its layout is C's), and writes registers that are
    // declared; the CPU has the instructions.
    unsafe {
        asm!(
            first_row!("{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            reduction!("{t4}"),
            row!(8, "{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            reduction!("{t4}"),
            row!(16, "{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            reduction!("{t4}"),
            row!(24, "{t0}", "{t1}", "{t2}", "{t3}", "{t4}"),
            reduction!("{t4}"),
            a = in(reg) a, b = in(reg) b, modulus = in(reg) modulus,
            low = out(reg) _, high = out(reg) _, out("rdx") _,
            t0 = out(reg) r0, t1 = out(reg) r1, t2 = out(reg) r2, t3 = out(reg) r3, t4 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// [`words::sum`].
#[inline(always)]
#[rustfmt::skip]
pub(super) fn sum(a: &[u64; 4], b: &[u64; 4], bound: &[u64; 4]) -> [u64; 4] {
    let (s0, s1, s2, s3);
    // SAFETY: reads a, b and the bound, four words each, and writes registers that are declared.
    unsafe {
        asm!(
            "mov {s0}, [{a}]", "mov {s1}, [{a} + 8]", "mov {s2}, [{a} + 16]", "mov {s3}, [{a} + 24]",
            "add {s0}, [{b}]", "adc {s1}, [{b} + 8]", "adc {s2}, [{b} + 16]", "adc {s3}, [{b} + 24]",
            "mov {t0}, {s0}", "mov {t1}, {s1}", "mov {t2}, {s2}", "mov {t3}, {s3}",
            "sub {s0}, [{p}]", "sbb {s1}, [{p} + 8]", "sbb {s2}, [{p} + 16]", "sbb {s3}, [{p} + 24]",
            "cmovc {s0}, {t0}", "cmovc {s1}, {t1}", "cmovc {s2}, {t2}", "cmovc {s3}, {t3}",
            a = in(reg) a, b = in(reg) b, p = in(reg) bound,
            s0 = out(reg) s0, s1 = out(reg) s1, s2 = out(reg) s2, s3 = out(reg) s3,
            t0 = out(reg) _, t1 = out(reg) _, t2 = out(reg) _, t3 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [s0, s1, s2, s3]
}

/// [`words::difference`].
#[inline(always)]
#[rustfmt::skip]
pub(super) fn difference(a: &[u64; 4], b: &[u64; 4], bound: &[u64; 4]) -> [u64; 4] {
    let (d0, d1, d2, d3);
    // SAFETY: reads a, b and the bound, four words each, and writes registers that are declared.
    unsafe {
        asm!(
            "mov {d0}, [{a}]", "mov {d1}, [{a} + 8]", "mov {d2}, [{a} + 16]", "mov {d3}, [{a} + 24]",
            "sub {d0}, [{b}]", "sbb {d1}, [{b} + 8]", "sbb {d2}, [{b} + 16]", "sbb {d3}, [{b} + 24]",
            "sbb {t0}, {t0}", "mov {t1}, {t0}", "mov {t2}, {t0}", "mov {t3}, {t0}",
            "and {t0}, [{p}]", "and {t1}, [{p} + 8]", "and {t2}, [{p} + 16]", "and {t3}, [{p} + 24]",
            "add {d0}, {t0}", "adc {d1}, {t1}", "adc {d2}, {t2}", "adc {d3}, {t3}",
            a = in(reg) a, b = in(reg) b, p = in(reg) bound,
            d0 = out(reg) d0, d1 = out(reg) d1, d2 = out(reg) d2, d3 = out(reg) d3,
            t0 = out(reg) _, t1 = out(reg) _, t2 = out(reg) _, t3 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [d0, d1, d2, d3]
}

/// [`words::wide_sum`].
#[inline(always)]
#[rustfmt::skip]
pub(super) fn wide_sum(a: &[u64; 8], b: &[u64; 8]) -> [u64; 8] {
    let (s0, s1, s2, s3, s4, s5, s6, s7);
    // SAFETY: reads a and b, eight words each, and writes registers that are declared.
    unsafe {
        asm!(
            "mov {s0}, [{a}]", "mov {s1}, [{a} + 8]", "mov {s2}, [{a} + 16]", "mov {s3}, [{a} + 24]",
            "mov {s4}, [{a} + 32]", "mov {s5}, [{a} + 40]", "mov {s6}, [{a} + 48]", "mov {s7}, [{a} + 56]",
            "add {s0}, [{b}]", "adc {s1}, [{b} + 8]", "adc {s2}, [{b} + 16]", "adc {s3}, [{b} + 24]",
            "adc {s4}, [{b} + 32]", "adc {s5}, [{b} + 40]", "adc {s6}, [{b} + 48]", "adc {s7}, [{b} + 56]",
            a = in(reg) a, b = in(reg) b,
            s0 = out(reg) s0, s1 = out(reg) s1, s2 = out(reg) s2, s3 = out(reg) s3,
            s4 = out(reg) s4, s5 = out(reg) s5, s6 = out(reg) s6, s7 = out(reg) s7,
            options(pure, readonly, nostack),
        );
    }
    [s0, s1, s2, s3, s4, s5, s6, s7]
}

/// [`super::prefetch`].
#[inline(always)]
pub(super) fn prefetch<T>(value: &T) {
    let first = core::ptr::from_ref(value).cast::<i8>();
    for line in 0..size_of::<T>().div_ceil(64) {
        // SAFETY: a hint; it never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(first.wrapping_add(64 * line)) };
    }
}

#[cfg(test)]
#[path = "x86_tests.rs"]
mod tests;
