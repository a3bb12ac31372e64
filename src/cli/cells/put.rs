//! `ukehi put --guard`: a value that is written only while cells hold what the writer saw.

use super::attempt::{Intent, guards, write};
use super::slot_key;
use crate::cli::args::PutArgs;
use crate::cli::connect::{Place, runtime};
use crate::cli::data::{WrittenBatch, author_or_only};
use crate::error::{ExitCode, Failure};
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::seal::SlotPlaintext;
use ukehi_circuits::shape::Class;
use ukehi_circuits::slot::{Body, SlotKey};

/// The value goes into the ledger's newest epoch, in one batch with the guards.
pub fn put_guarded(args: &PutArgs, key: &str, value: &str) -> Result<WrittenBatch, Failure> {
    let place = Place::find(&args.target)?;
    let author = author_or_only(&place, args.author.as_ref())?;
    let intent = Put {
        key: slot_key(key)?,
        value,
    };
    let guards = guards(&args.guards)?;
    let written = runtime()?.block_on(write(&place, &author, &intent, &guards))?;
    Ok(written.batch)
}

struct Put<'a> {
    key: SlotKey,
    value: &'a str,
}

impl Intent for Put<'_> {
    fn changes(&self) -> Vec<&SlotKey> {
        Vec::new()
    }

    fn commands(&self, _: Vec<Option<CellOpening>>) -> Result<Vec<SlotPlaintext>, Failure> {
        let body = Body::new(Class::Long, self.value.as_bytes());
        let body = body.map_err(|e| {
            Failure::new(
                ExitCode::Refused,
                e,
                "a value under guard stands in a slot: shorten it, or put it as a bulk value of its own",
            )
        })?;
        Ok(vec![SlotPlaintext::put(self.key.clone(), body)])
    }
}
