//! What `put` is asked to write, cut into batches of one author.
//!
//! Invariants: 1. a batch holds one author's commands and no key twice; 2. commands on one key
//! keep their order.

use crate::error::Failure;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A line longer than this is refused unread: key and value have bounds far below.
const MAX_LINE_BYTES: u64 = 64 * 1024;

#[derive(Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub author: String,
    pub key: String,
    pub value: Value,
}

/// What shall stand under a key.
#[derive(Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(from = "String")]
pub enum Value {
    Text(String),
    File(PathBuf),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Commands of one author that go under one proof.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub author: String,
    pub lines: Vec<Line>,
}

/// Reads {"author", "key", "value"} lines; blank lines are passed over.
pub fn read_file(path: &Path) -> Result<Vec<Line>, Failure> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| {
        Failure::usage(
            format!("{shown}: {e}"),
            "name a file of JSON lines with --file",
        )
    })?;
    let mut reader = BufReader::new(file);
    let mut lines = Vec::new();
    for number in 1.. {
        let mut text = String::new();
        let read = reader
            .by_ref()
            .take(MAX_LINE_BYTES + 1)
            .read_line(&mut text)
            .map_err(|e| {
                Failure::usage(format!("{shown}, line {number}: {e}"), "use UTF-8 text")
            })?;
        if read == 0 {
            return Ok(lines);
        }
        if read as u64 > MAX_LINE_BYTES {
            return Err(Failure::usage(
                format!("{shown}, line {number} is longer than {MAX_LINE_BYTES} bytes"),
                "shorten it",
            ));
        }
        if text.trim().is_empty() {
            continue;
        }
        lines.push(serde_json::from_str(&text).map_err(|e| {
            Failure::usage(
                format!("{shown}, line {number}: {e}"),
                "write {\"author\": ..., \"key\": ..., \"value\": ...}",
            )
        })?);
    }
    unreachable!("the loop ends at the end of the file")
}

/// Cuts lines into groups of at most `max`, in order of appearance.
pub fn group(lines: Vec<Line>, max: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for line in lines {
        let fits = groups.last().is_some_and(|g| {
            g.author == line.author && g.lines.len() < max && !keys.contains(&line.key)
        });
        if !fits {
            keys.clear();
            groups.push(Group {
                author: line.author.clone(),
                lines: Vec::new(),
            });
        }
        keys.insert(line.key.clone());
        if let Some(group) = groups.last_mut() {
            group.lines.push(line);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(author: &str, key: &str) -> Line {
        Line {
            author: author.into(),
            key: key.into(),
            value: String::new().into(),
        }
    }

    #[test]
    fn a_group_has_one_author_no_key_twice_and_at_most_max() {
        let lines = vec![
            line("a", "1"),
            line("a", "2"),
            line("a", "1"),
            line("b", "3"),
            line("b", "4"),
            line("b", "5"),
        ];
        let sizes: Vec<_> = group(lines, 2)
            .iter()
            .map(|g| (g.author.clone(), g.lines.len()))
            .collect();
        let expected = [("a", 2), ("a", 1), ("b", 2), ("b", 1)];
        assert_eq!(sizes, expected.map(|(a, n)| (a.to_owned(), n)));
    }

    #[test]
    fn a_bad_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.jsonl");
        std::fs::write(
            &path,
            "{\"author\":\"a\",\"key\":\"k\",\"value\":\"v\"}\n{\"key\":1}\n",
        )
        .unwrap();
        let failure = read_file(&path).unwrap_err();
        assert!(failure.what.contains("line 2"), "{failure}");
    }
}
