//! The operating system's randomness: the only source secrets of this crate come from.

use thiserror::Error;
use zeroize::Zeroizing;

/// The operating system gave no randomness; nothing secret can be made until it does.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the operating system gives no randomness: {0}")]
pub struct EntropyError(#[from] getrandom::Error);

pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, EntropyError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut())?;
    Ok(bytes)
}
