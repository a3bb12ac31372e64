//! Field elements in AVX-512 IFMA. All `unsafe` is here for one of three reasons: entering a function that needs CPU
//! features ([`Ifma`] is the proof that they are there), vector loads and stores, and the layout of arkworks' field elements
//! (checked at compile time).
#![allow(unsafe_code)]
// Loops over limbs and columns index several arrays at once.
#![allow(clippy::needless_range_loop)]
// The condition is the same everywhere, the features, and [`Ifma`] says it.
#![allow(clippy::missing_safety_doc)]

pub mod constants;
pub mod field;
pub mod wide;
mod words;

/// Proof that this CPU has every feature used in this room. A function may enter one with
/// `#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]`, or a part of these, if it holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ifma(());

impl Ifma {
    pub fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vbmi2");
        has_all.then_some(Self(()))
    }
}

/// Runs a test on a CPU that has the features, or prints that it did not.
#[cfg(test)]
pub(crate) fn with_ifma(test: impl FnOnce(Ifma)) {
    match Ifma::detect() {
        Some(ifma) => test(ifma),
        None => println!("skipped: this CPU has no AVX-512 IFMA"),
    }
}
