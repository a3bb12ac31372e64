//! `ukehi receipt`: fetch the receipt of a write, verify one offline.

use super::args::{ReceiptCommand, Target};
use super::connect::{Place, load_trust, runtime};
use super::output::Output;
use crate::error::Failure;
use crate::log::{MAX_RECEIPT_BYTES, Outcome, Receipt};
use crate::node::SHARD;
use serde::Serialize;
use std::path::Path;
use ukehi_keys::{AuthorId, keystore};

#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    verified: bool,
    author: AuthorId,
    seq: u64,
    index: u64,
    outcome: Outcome,
    checkpoint_size: u64,
    cosigners: usize,
}

pub fn run(command: ReceiptCommand, output: &Output) -> Result<(), Failure> {
    match command {
        ReceiptCommand::Get {
            target,
            author,
            seq,
            out,
        } => get(&target, &author, seq, out.as_deref()),
        ReceiptCommand::Verify { receipt, trust } => verify(&receipt, &trust, output),
    }
}

fn get(target: &Target, author: &str, seq: u64, out: Option<&Path>) -> Result<(), Failure> {
    let place = Place::find(target)?;
    let author = author_id(&place, author)?;
    let (receipt, _) = runtime()?.block_on(async {
        let mut cluster = place.cluster().await?;
        Ok::<_, Failure>(cluster.receipt(author, seq).await?)
    })?;
    let json = receipt.to_json();
    match out {
        Some(path) => std::fs::write(path, json)
            .map_err(|e| Failure::runtime(format!("{}: {e}", path.display()))),
        None => {
            println!("{}", json.trim_end());
            Ok(())
        }
    }
}

/// 64 hex digits, or the name of a key file; its public part needs no passphrase.
pub fn author_id(place: &Place, text: &str) -> Result<AuthorId, Failure> {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(text, &mut bytes).is_err() {
        let path = place
            .client_dir()?
            .join("authors")
            .join(format!("{text}.key"));
        let next = "give a key's name in authors/, or 64 hex digits";
        let info = keystore::inspect(&path).map_err(|e| Failure::configuration(e, next))?;
        hex::decode_to_slice(&info.public, &mut bytes).map_err(|_| {
            Failure::configuration(format!("{} is no author's key", path.display()), next)
        })?;
    }
    AuthorId::from_bytes(&bytes).map_err(|e| Failure::usage(e, "check the hex digits"))
}

fn verify(path: &Path, trust: &Path, output: &Output) -> Result<(), Failure> {
    let trust = load_trust(trust)?;
    let unreadable = |e: std::io::Error| {
        Failure::usage(
            format!("{}: {e}", path.display()),
            "name a receipt's JSON file",
        )
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_RECEIPT_BYTES as u64 {
        return Err(Failure::usage(
            format!("{} is {size} bytes long", path.display()),
            "name a receipt's JSON file",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let verified =
        Receipt::from_json(&text).and_then(|receipt| receipt.verify(&trust.genesis, SHARD))?;
    let verified = Verified {
        schema: "ukehi/receipt-verified/v1",
        verified: true,
        author: verified.author,
        seq: verified.author_seq,
        index: verified.record.index,
        outcome: verified.record.outcome,
        checkpoint_size: verified.checkpoint_size,
        cosigners: verified.cosigners,
    };
    output.show(&verified, |v| {
        format!(
            "VERIFIED: author {} seq {} is entry {}: {}\nunder the checkpoint at size {}, cosigned by {} nodes",
            v.author, v.seq, v.index, v.outcome, v.checkpoint_size, v.cosigners
        )
    });
    Ok(())
}
