//! An external prover as a command template: `rapidsnark={zkey} {wtns} {proof} {public}`.
//!
//! The name is the program, unless the template begins with another one after `!`: `mine=!/opt/prover {zkey} ...`.
//! Words are split at spaces; there is no quoting and no shell, so a complicated command is a script's business.

use crate::protocol::InstanceFiles;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

const PLACES: [&str; 7] = [
    "{r1cs}",
    "{zkey}",
    "{digest}",
    "{wtns}",
    "{proof}",
    "{public}",
    "{threads}",
];
const MAX_NAME: usize = 40;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    /// As it was given, after the name.
    pub text: String,
    program: OsString,
    words: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("a peer is NAME=ARGUMENTS, such as rapidsnark={{zkey}} {{wtns}} {{proof}} {{public}}")]
    Form,
    #[error("a peer's name is 1 to {MAX_NAME} of a-z, A-Z, 0-9, '.', '-' and '_'")]
    Name,
    #[error("{0} is missing: its proof could not be verified")]
    Missing(&'static str),
    #[error("there is no {0}; there are {places}", places = PLACES.join(" "))]
    Unknown(String),
}

impl Template {
    /// A program by its path, which may have spaces, and words with places.
    #[must_use]
    pub fn of(name: &str, program: &Path, words: &[&str]) -> Self {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        Self {
            name: name.to_owned(),
            text: format!("!{} {}", program.display(), words.join(" ")),
            program: program.into(),
            words,
        }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (name, rest) = text.split_once('=').ok_or(TemplateError::Form)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        // The name is a directory's, too.
        if name.is_empty()
            || name.len() > MAX_NAME
            || !name.chars().all(plain)
            || name.starts_with('.')
        {
            return Err(TemplateError::Name);
        }
        let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        let program = match words.first().and_then(|first| first.strip_prefix('!')) {
            Some(program) if !program.is_empty() => {
                let program = program.to_owned();
                words.remove(0);
                program
            }
            Some(_) => return Err(TemplateError::Form),
            None => name.to_owned(),
        };
        for word in &words {
            for place in places(word) {
                if !PLACES.contains(&place) {
                    return Err(TemplateError::Unknown(place.to_owned()));
                }
            }
        }
        for needed in ["{proof}", "{public}"] {
            if !words.iter().any(|w| w.contains(needed)) {
                return Err(TemplateError::Missing(needed));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            text: rest.to_owned(),
            program: program.into(),
            words,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.text)
    }
}

/// The `{...}` of a word.
fn places(word: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = word;
    while let Some(start) = rest.find('{')
        && let Some(length) = rest[start..].find('}')
    {
        found.push(&rest[start..=start + length]);
        rest = &rest[start + length + 1..];
    }
    found
}

impl Template {
    #[must_use]
    pub fn command(
        &self,
        files: &InstanceFiles,
        proof: &Path,
        public: &Path,
        threads: usize,
    ) -> Command {
        let threads = threads.to_string();
        let values = [
            files.r1cs.as_os_str(),
            files.zkey.as_os_str(),
            files.zkey_digest.as_ref(),
            files.wtns.as_os_str(),
            proof.as_os_str(),
            public.as_os_str(),
            threads.as_ref(),
        ];
        let filled = |word: &String| -> OsString {
            match PLACES.iter().position(|place| word == place) {
                Some(at) => values[at].to_owned(),
                None => {
                    let replace = |word: String, (place, value): (&&str, &&std::ffi::OsStr)| {
                        word.replace(*place, &value.to_string_lossy())
                    };
                    PLACES
                        .iter()
                        .zip(&values)
                        .fold(word.clone(), replace)
                        .into()
                }
            }
        };
        let mut command = Command::new(&self.program);
        command.args(self.words.iter().map(filled));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(template: &str) -> Vec<String> {
        let template: Template = template.parse().unwrap();
        let files = InstanceFiles {
            r1cs: "r".into(),
            zkey: "z y".into(),
            zkey_digest: String::new(),
            wtns: "w".into(),
        };
        let command = template.command(&files, Path::new("p"), Path::new("x"), 2);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|w| w.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn places_are_filled_and_a_path_with_a_space_stays_one_word() {
        assert_eq!(
            words("rapidsnark={zkey} {wtns} {proof} {public}"),
            ["rapidsnark", "z y", "w", "p", "x"]
        );
        assert_eq!(
            words("mine=!/opt/prover --r1cs={r1cs} -j {threads} {proof} {public}"),
            ["/opt/prover", "--r1cs=r", "-j", "2", "p", "x"]
        );
    }

    #[test]
    fn a_template_that_cannot_be_judged_is_refused_with_what_is_wrong() {
        let error = |text: &str| text.parse::<Template>().unwrap_err();
        assert_eq!(error("rapidsnark"), TemplateError::Form);
        assert_eq!(error("a/b={proof} {public}"), TemplateError::Name);
        assert_eq!(error("..={proof} {public}"), TemplateError::Name);
        assert_eq!(
            error("p={zkey} {public}"),
            TemplateError::Missing("{proof}")
        );
        assert_eq!(error("p={proof}"), TemplateError::Missing("{public}"));
        assert_eq!(
            error("p={witness} {proof} {public}"),
            TemplateError::Unknown("{witness}".into())
        );
    }
}
