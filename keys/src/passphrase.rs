//! What a person, or a deployment's secret store, opens a key file with.
//!
//! Invariant: never empty; zeroised on drop, without `Debug`, `Clone` or `Serialize`.
//! Knows nothing of terminals: the prompt lives in the command line.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest passphrase a file may hold, in bytes.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;

/// Why there is no passphrase.
#[derive(Debug, Error)]
pub enum PassphraseError {
    #[error("the passphrase is empty")]
    Empty,
    #[error("the passphrase is longer than {MAX_PASSPHRASE_BYTES} bytes")]
    TooLong,
    #[error("the passphrase is not UTF-8 text")]
    NotText,
    #[error("cannot read the passphrase file {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// # Errors
    /// [`PassphraseError::Empty`] or [`PassphraseError::TooLong`].
    pub fn new(text: impl Into<Zeroizing<String>>) -> Result<Self, PassphraseError> {
        let text = text.into();
        if text.is_empty() {
            return Err(PassphraseError::Empty);
        }
        if text.len() > MAX_PASSPHRASE_BYTES {
            return Err(PassphraseError::TooLong);
        }
        Ok(Self(text))
    }

    /// The file's content without one trailing newline (`\n` or `\r\n`). A pipe will do. Its mode
    /// is not looked at: container platforms mount secrets readable by all.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let failed = |source| PassphraseError::Io {
            path: path.to_owned(),
            source,
        };
        // Allocated once: a vector that grows would leave copies behind. Room for `\r\n` and for
        // the one byte that tells a file of exactly the limit from a longer one.
        let mut bytes = Zeroizing::new([0; MAX_PASSPHRASE_BYTES + 3]);
        let mut length = 0;
        let mut file = File::open(path).map_err(failed)?;
        while length < bytes.len() {
            match file.read(&mut bytes[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if length == bytes.len() {
            return Err(PassphraseError::TooLong);
        }
        let text = std::str::from_utf8(&bytes[..length]).map_err(|_| PassphraseError::NotText)?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = match line.len() < text.len() {
            true => line.strip_suffix('\r').unwrap_or(line),
            false => line,
        };
        Self::new(line.to_owned())
    }

    /// The text itself: to compare one typed twice. Never to show or to store.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_content(content: &[u8]) -> Result<String, PassphraseError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        std::fs::write(&path, content).unwrap();
        Passphrase::from_file(&path).map(|p| p.expose().to_owned())
    }

    #[test]
    fn one_trailing_newline_is_not_part_of_it() {
        for (content, passphrase) in [
            ("open sesame", "open sesame"),
            ("open sesame\n", "open sesame"),
            ("open sesame\r\n", "open sesame"),
            ("open sesame\n\n", "open sesame\n"),
            ("open sesame\r", "open sesame\r"),
            (" \n", " "),
        ] {
            assert_eq!(from_content(content.as_bytes()).unwrap(), passphrase);
        }
    }

    #[test]
    fn an_empty_one_is_refused() {
        for content in ["", "\n", "\r\n"] {
            let outcome = from_content(content.as_bytes());
            assert!(
                matches!(outcome, Err(PassphraseError::Empty)),
                "{content:?}"
            );
        }
    }

    #[test]
    fn one_beyond_the_bound_is_refused() {
        let longest = "x".repeat(MAX_PASSPHRASE_BYTES);
        assert!(from_content(longest.as_bytes()).is_ok());
        assert!(from_content(format!("{longest}\r\n").as_bytes()).is_ok());
        for content in [
            format!("{longest}x"),
            format!("{longest}x\r\n"),
            longest.repeat(3),
            "é".repeat(MAX_PASSPHRASE_BYTES),
        ] {
            let outcome = from_content(content.as_bytes());
            assert!(matches!(outcome, Err(PassphraseError::TooLong)));
        }
    }

    #[test]
    fn a_missing_file_and_bytes_that_are_no_text_are_refused() {
        assert!(matches!(
            from_content(&[0xff]),
            Err(PassphraseError::NotText)
        ));
        let missing = Passphrase::from_file(Path::new("/nonexistent/passphrase"));
        assert!(matches!(missing, Err(PassphraseError::Io { .. })));
    }
}
