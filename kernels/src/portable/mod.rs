//! Field elements in four words of 64 bits, for any CPU: what the portable kernels compute with.
//!
//! Nothing is reduced further than it must be, and on x86-64 the arithmetic is in assembly: all `unsafe` is in that room,
//! `x86`. Elsewhere, and under Miri, it is plain Rust.

pub mod field;
mod inverse;
mod words;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86;

/// Asks the memory for a value that will be read soon, where the CPU has a way to ask.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    x86::prefetch(value);
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = value;
}
