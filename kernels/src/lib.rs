//! Which arithmetic this CPU is given, and field arithmetic in vectors: shared by whoever hashes and whoever proves.
//!
//! There are two kinds, chosen at run time: scalar code for any CPU, and AVX-512 IFMA. Both give the same results, bit for
//! bit once reduced. Knows nothing of hashes, curves or proofs.
// Allowed in two rooms, `ifma` and `portable::x86`.
#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
pub mod ifma;
pub mod portable;

/// Names the kernel to use, `portable` or `ifma`, in place of the best this CPU has.
pub const KERNEL_VARIABLE: &str = "UKEHI_KERNEL";

/// Which arithmetic to use. One that the CPU cannot run cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Ifma(ifma::Ifma),
}

/// Why the kernel asked for is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    #[error("{KERNEL_VARIABLE}: there is no kernel of this name; the names are portable and ifma")]
    Unknown,
    #[error("{KERNEL_VARIABLE}: this CPU has no AVX-512 IFMA")]
    NotOnThisCpu,
}

impl Kernel {
    /// The best this CPU has, or the one named by [`KERNEL_VARIABLE`].
    pub fn detect() -> Result<Self, KernelError> {
        match std::env::var_os(KERNEL_VARIABLE) {
            None => Ok(Self::ifma().unwrap_or(Self::Portable)),
            Some(name) => Self::named(name.to_str().ok_or(KernelError::Unknown)?),
        }
    }

    /// The kernel of this name, `portable` or `ifma`.
    pub fn named(name: &str) -> Result<Self, KernelError> {
        match name {
            "portable" => Ok(Self::Portable),
            "ifma" => Self::ifma().ok_or(KernelError::NotOnThisCpu),
            _ => Err(KernelError::Unknown),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma(_) => "ifma",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn ifma() -> Option<Self> {
        ifma::Ifma::detect().map(Self::Ifma)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn ifma() -> Option<Self> {
        None
    }

    /// Every kernel this CPU can run: what tests compare.
    pub fn all() -> Vec<Self> {
        [Some(Self::Portable), Self::ifma()]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// How often a property test draws values: `usual`, or `UKEHI_TEST_ROUNDS` for a longer search.
#[cfg(test)]
pub(crate) fn rounds(usual: usize) -> usize {
    let named = std::env::var("UKEHI_TEST_ROUNDS").ok();
    named.map_or(usual, |count| count.parse().expect("a number of rounds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_found_by_its_name_alone() {
        assert_eq!(Kernel::named("portable"), Ok(Kernel::Portable));
        for name in ["", "Portable", "avx2", "ifma "] {
            assert_eq!(Kernel::named(name), Err(KernelError::Unknown));
        }
        match Kernel::named("ifma") {
            Ok(kernel) => assert_eq!(kernel.name(), "ifma"),
            Err(error) => assert_eq!(error, KernelError::NotOnThisCpu),
        }
    }
}
