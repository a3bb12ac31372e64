//! The curve arithmetic under the prover, on both kernels of [`ukehi_kernels`].
//!
//! Knows nothing of keys, proofs or witnesses.

pub(crate) mod adder;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ifma;
pub mod point;
pub(crate) mod portable;

pub use ukehi_kernels::{KERNEL_VARIABLE, Kernel, KernelError};
