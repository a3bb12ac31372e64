//! `ukehi cells transfer`: an amount from one cell to another.

use super::args::TransferArgs;
use super::attempt::{Intent, guards, write};
use super::show::no_cell;
use super::slot_key;
use crate::cli::connect::{Place, runtime};
use crate::cli::data::{WrittenBatch, author_or_only};
use crate::cli::output::Output;
use crate::client::cells::{TransferRefused, transfer as commands};
use crate::error::{ExitCode, Failure};
use serde::Serialize;
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::seal::SlotPlaintext;
use ukehi_circuits::slot::SlotKey;

#[derive(Serialize)]
struct Transferred {
    schema: &'static str,
    from: String,
    to: String,
    amount: u64,
    attempts: u32,
    /// Reading, sealing, proving, agreement and receipt of the last attempt, in milliseconds.
    milliseconds: u64,
    batch: WrittenBatch,
}

pub fn transfer(args: &TransferArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let author = author_or_only(&place, args.author.as_ref())?;
    let intent = Transfer {
        args,
        from: slot_key(&args.from)?,
        to: slot_key(&args.to)?,
    };
    let guards = guards(&args.guards)?;
    let written = runtime()?.block_on(write(&place, &author, &intent, &guards))?;
    let transferred = Transferred {
        schema: "ukehi/cell-transfer/v1",
        from: args.from.clone(),
        to: args.to.clone(),
        amount: args.amount,
        attempts: written.attempts,
        milliseconds: written.milliseconds,
        batch: written.batch,
    };
    output.show(&transferred, |t| {
        format!(
            "{} moved from {} to {}: entry {}, {} ms",
            t.amount, t.from, t.to, t.batch.index, t.milliseconds
        )
    });
    Ok(())
}

struct Transfer<'a> {
    args: &'a TransferArgs,
    from: SlotKey,
    to: SlotKey,
}

impl Intent for Transfer<'_> {
    fn changes(&self) -> Vec<&SlotKey> {
        vec![&self.from, &self.to]
    }

    fn commands(&self, mut cells: Vec<Option<CellOpening>>) -> Result<Vec<SlotPlaintext>, Failure> {
        let (to, from) = (cells.pop().flatten(), cells.pop().flatten());
        let from = from.ok_or_else(|| no_cell(&self.args.from))?;
        let moved = commands(
            (self.from.clone(), from),
            (self.to.clone(), to),
            self.args.amount,
        );
        moved.map(Vec::from).map_err(|e| {
            let (cell, next) = match e {
                TransferRefused::Overdraft { held, .. } => {
                    (&self.args.from, format!("move at most {held}"))
                }
                TransferRefused::Overflow { .. } => (&self.args.to, "use another cell".into()),
                TransferRefused::SameCell => (&self.args.from, "name two different cells".into()),
            };
            Failure::new(ExitCode::Refused, format!("{cell:?}: {e}"), next)
        })
    }
}
