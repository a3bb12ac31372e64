//! `ukehi get` and `ukehi scan`: fetch, verify against the trust root, decrypt.

use super::bulk::{Network, bulk_of};
use crate::cli::args::{GetArgs, ScanArgs};
use crate::cli::connect::{Place, runtime};
use crate::cli::output::{Output, table};
use crate::client::{Found, Opened, ReadError};
use crate::error::{ExitCode, Failure};
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;
use ukehi_circuits::slot::DecodedKey;
use ukehi_keys::AuthorId;

#[derive(Serialize)]
struct Got {
    schema: &'static str,
    #[serde(flatten)]
    row: Row,
    /// Where `--out` had the value written.
    file: Option<String>,
}

#[derive(Serialize)]
struct Scanned {
    schema: &'static str,
    order: &'static str,
    rows: Vec<Row>,
    /// Rows under epochs whose secret is not here: verified, but closed.
    closed: usize,
}

#[derive(Serialize)]
struct Row {
    key: String,
    /// Text, or "hex:" and digits where the bytes are not UTF-8; null for a bulk value.
    value: Option<String>,
    /// The length of a bulk value.
    bulk_bytes: Option<u64>,
    author: AuthorId,
    seq: u64,
    index: u64,
    slot: u8,
    /// The cosigned checkpoint the entry was shown to be under.
    checkpoint_size: u64,
}

pub fn get(args: &GetArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let runtime = runtime()?;
    let keys = place.keys()?;
    let mut cluster = runtime.block_on(place.cluster())?;
    let mut reader = keys.reader(cluster.known())?;
    let route = reader.route(args.key.as_bytes()).map_err(|e| {
        Failure::usage(
            format!("key {:?}: {e}", args.key),
            "a key has at most 61 bytes",
        )
    })?;
    let (entry, slot) = match runtime.block_on(cluster.get(route))? {
        Found::Entry { entry, slot } => (entry, slot),
        Found::Nothing { node, applied } => {
            return Err(Failure::new(
                ExitCode::NotFound,
                format!(
                    "node {node} has nothing under {:?} up to entry {applied}",
                    args.key
                ),
                "check the key; a node could also hide it, another may tell",
            ));
        }
    };
    keys.hold_epoch_of(&mut reader, &entry)?;
    let opened = reader.open(&entry, slot, Some(&route))?;
    if !matches!(&opened.key, DecodedKey::Canonical(key) if key.as_bytes() == args.key.as_bytes()) {
        return Err(Failure::new(
            ExitCode::Tampered,
            format!(
                "entry {}: the slot under this route holds another key",
                opened.index
            ),
            "do not trust this node; ask another",
        ));
    }
    let row = row(&opened)?;
    let file = match (&args.out, row.bulk_bytes) {
        (Some(out), Some(_)) => {
            runtime.block_on(Network::of(&place).fetch(&opened, out))?;
            Some(out)
        }
        (Some(out), None) => {
            write_out(out, opened.body.as_bytes())?;
            Some(out)
        }
        (None, Some(bytes)) => {
            return Err(Failure::usage(
                format!("{:?} holds a bulk value of {bytes} bytes", args.key),
                "say where to write it: --out FILE",
            ));
        }
        (None, None) => None,
    };
    let got = Got {
        schema: "ukehi/get/v1",
        file: file.map(|f| f.display().to_string()),
        row,
    };
    output.show(&got, |g| match (&g.file, &g.row.value) {
        (Some(file), _) => format!("written to {file}"),
        (None, value) => value.clone().unwrap_or_default(),
    });
    Ok(())
}

/// Readable by its owner alone, as a bulk value is, whatever stood under the name before: it is a plaintext.
fn write_out(out: &Path, value: &[u8]) -> Result<(), Failure> {
    let directory = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        // Mode 0600, and removed when dropped: only a whole value gets its name.
        let mut file = NamedTempFile::new_in(directory)?;
        file.write_all(value)?;
        file.as_file().sync_all()?;
        file.persist(out)?;
        Ok(())
    };
    write().map_err(|e| Failure::runtime(format!("{}: {e}", out.display())))
}

pub fn scan(args: &ScanArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let keys = place.keys()?;
    let (cluster, entries) = runtime()?.block_on(async {
        let mut cluster = place.cluster().await?;
        let entries = cluster.scan(args.limit.unwrap_or(usize::MAX)).await?;
        // After the rows: what they stand on is then known too.
        cluster.catch_up().await?;
        Ok::<_, Failure>((cluster, entries))
    })?;
    let mut reader = keys.reader(cluster.known())?;
    let mut rows = Vec::new();
    let mut closed = 0;
    for (entry, slot) in &entries {
        keys.hold_epoch_of(&mut reader, entry)?;
        match reader.open(entry, *slot, None) {
            Err(ReadError::OtherEpoch { .. }) => closed += 1,
            opened => rows.push(row(&opened?)?),
        }
    }
    let scanned = Scanned {
        schema: "ukehi/scan/v1",
        order: "tag",
        rows,
        closed,
    };
    output.show(&scanned, |s| {
        let rows = s.rows.iter().map(|r| {
            vec![
                r.key.clone(),
                match (&r.value, r.bulk_bytes) {
                    (Some(value), _) => value.clone(),
                    (None, bytes) => format!("(bulk, {} bytes)", bytes.unwrap_or_default()),
                },
                r.index.to_string(),
                r.author.to_string()[..12].to_owned(),
            ]
        });
        let mut text = format!(
            "{}\n{} keys, in tag order (not in the order of the keys)",
            table(&["key", "value", "entry", "author"], rows),
            s.rows.len()
        );
        if s.closed > 0 {
            text.push_str(&format!(
                "\n{} more are under epochs whose secret is not here",
                s.closed
            ));
        }
        text
    });
    Ok(())
}

fn row(opened: &Opened) -> Result<Row, Failure> {
    let bulk_bytes = match opened.bulk {
        Some(_) => Some(bulk_of(opened)?.1.plaintext_bytes),
        None => None,
    };
    Ok(Row {
        key: match &opened.key {
            DecodedKey::Canonical(key) => text(key.as_bytes()),
            DecodedKey::NonCanonical => "noncanonical-key".into(),
        },
        // The body of a bulk put holds its content key: never shown.
        value: match bulk_bytes {
            Some(_) => None,
            None => Some(text(opened.body.as_bytes())),
        },
        bulk_bytes,
        author: opened.author,
        seq: opened.author_seq,
        index: opened.index,
        slot: opened.slot,
        checkpoint_size: opened.checkpoint.checkpoint.size,
    })
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("hex:{}", hex::encode(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_value_is_written_for_its_owner_alone_even_over_a_file_that_all_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("value");
        std::fs::write(&out, "older and longer").unwrap();
        std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o644)).unwrap();
        for path in [&out, &dir.path().join("new")] {
            write_out(path, b"secret").unwrap();
            assert_eq!(std::fs::read(path).unwrap(), b"secret");
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let nowhere = dir.path().join("missing/value");
        assert!(write_out(&nowhere, b"secret").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
