//! The exit codes scripts rely on, and what a failed command tells its user.
//!
//! Invariant: a code means one thing a caller can do about it; the table is part of the interface.

use std::fmt;

/// The process exit codes of `ukehi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    Ok = 0,
    Runtime = 1,
    Usage = 2,
    Configuration = 3,
    NotFound = 4,
    /// Unavailable, or the outcome of a write is unknown.
    Unavailable = 5,
    Refused = 6,
    Tampered = 10,
    ProofInvalid = 11,
    Fork = 12,
    Incomplete = 13,
    /// A key or circuit the trust root does not vouch for.
    Untrusted = 14,
}

/// A failed command: what happened, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: ExitCode,
    pub what: String,
    pub next: String,
}

impl Failure {
    #[must_use]
    pub fn new(code: ExitCode, what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self {
            code,
            what: what.to_string(),
            next: next.to_string(),
        }
    }

    #[must_use]
    pub fn configuration(what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self::new(ExitCode::Configuration, what, next)
    }

    #[must_use]
    pub fn usage(what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self::new(ExitCode::Usage, what, next)
    }

    #[must_use]
    pub fn runtime(what: impl fmt::Display) -> Self {
        Self::new(ExitCode::Runtime, what, "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if !self.next.is_empty() {
            write!(f, "\n  next: {}", self.next)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
