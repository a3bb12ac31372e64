//! `ukehi cells transfer`: read both cells, seal, send; again where somebody was faster.

use super::args::TransferArgs;
use super::find::{Finder, slot_key};
use super::show::{no_cell, unreadable};
use crate::cli::connect::{Place, runtime};
use crate::cli::data::{Post, WrittenBatch, author_names, only_author, sealer};
use crate::cli::output::Output;
use crate::client::cells::{TransferRefused, transfer as commands};
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId};
use crate::log::Outcome;
use serde::Serialize;
use std::time::{Duration, Instant};
use ukehi_circuits::policy::{Ledger, Policy};
use ukehi_circuits::seal::SlotPlaintext;
use ukehi_circuits::slot::SlotKey;

/// How often a batch that lost a race is made anew. Whoever loses five in a row writes to a cell
/// that others write to all the time: people should know.
const ATTEMPTS: u32 = 5;
/// The first wait after a lost race; it doubles. Two losers must not meet again at once.
const PAUSE: Duration = Duration::from_millis(50);

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
    let author = match &args.author {
        Some(author) => author.clone(),
        None => only_author(&author_names(&place)?)?,
    };
    let (from, to) = (slot_key(&args.from)?, slot_key(&args.to)?);
    let transferred = runtime()?.block_on(async {
        let mut work = Work::open(&place, &author).await?;
        work.transfer(args, &from, &to).await
    })?;
    output.show(&transferred, |t| {
        format!(
            "{} moved from {} to {}: entry {}, {} ms",
            t.amount, t.from, t.to, t.batch.index, t.milliseconds
        )
    });
    Ok(())
}

struct Work<'a> {
    place: &'a Place,
    author: &'a str,
    finder: Finder,
    writer: CellWriter,
}

impl<'a> Work<'a> {
    async fn open(place: &'a Place, author: &'a str) -> Result<Self, Failure> {
        let mut remote = place.remote();
        let finder = Finder::open(place, &mut remote).await?;
        let (keyspace, epoch) = place.newest_epoch(&finder.known, Ledger.name())?;
        let writer = CellWriter::open(place, &finder, keyspace, epoch, author).await?;
        Ok(Self {
            place,
            author,
            finder,
            writer,
        })
    }

    async fn transfer(
        &mut self,
        args: &TransferArgs,
        from: &SlotKey,
        to: &SlotKey,
    ) -> Result<Transferred, Failure> {
        let mut pause = PAUSE;
        for attempts in 1.. {
            let started = Instant::now();
            let slots = self.read(args, from, to).await?;
            let batch = self.writer.write(self.author, &slots).await?;
            match batch.outcome {
                Outcome::Applied => {
                    return Ok(Transferred {
                        schema: "ukehi/cell-transfer/v1",
                        from: args.from.clone(),
                        to: args.to.clone(),
                        amount: args.amount,
                        attempts,
                        milliseconds: started.elapsed().as_millis() as u64,
                        batch,
                    });
                }
                Outcome::CellStale | Outcome::CellNotNew if attempts < ATTEMPTS => {
                    eprintln!("entry {}: another batch was faster; again", batch.index);
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return Err(refused(&batch, outcome)),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Both cells as they are now, and what moves the amount between them.
    async fn read(
        &mut self,
        args: &TransferArgs,
        from: &SlotKey,
        to: &SlotKey,
    ) -> Result<[SlotPlaintext; 2], Failure> {
        let (place, remote) = (self.place, &mut self.writer.post.remote);
        let source = self.finder.find(place, remote, from).await?;
        let source = source.ok_or_else(|| no_cell(&args.from))?;
        let Some(held) = source.opening else {
            return Err(unreadable(&args.from, &source));
        };
        let target = match self.finder.find(place, remote, to).await? {
            None => None,
            Some(mut found) => match found.opening.take() {
                None => return Err(unreadable(&args.to, &found)),
                opening => opening,
            },
        };
        commands((from.clone(), held), (to.clone(), target), args.amount).map_err(|e| {
            let (cell, next) = match e {
                TransferRefused::Overdraft { held, .. } => {
                    (&args.from, format!("move at most {held}"))
                }
                TransferRefused::Overflow { .. } => (&args.to, "use another cell".into()),
                TransferRefused::SameCell => (&args.from, "name two different cells".into()),
            };
            Failure::new(ExitCode::Refused, format!("{cell:?}: {e}"), next)
        })
    }
}

/// Seals batches of cell commands of one author to one epoch, and posts them.
pub struct CellWriter {
    pub post: Post,
    sealer: crate::client::Sealer,
}

impl CellWriter {
    pub async fn open(
        place: &Place,
        finder: &Finder,
        keyspace: KeyspaceId,
        epoch: EpochId,
        author: &str,
    ) -> Result<Self, Failure> {
        let sealer = sealer(place, &finder.known, keyspace, epoch)?;
        let authors = [author.to_owned()];
        let mut post = Post::open(place, place.remote(), &finder.known, authors)?;
        // What lies in the outbox may be about the very cells that are read next.
        post.resend().await?;
        Ok(Self { post, sealer })
    }

    /// The most commands a batch takes.
    pub fn room(&self) -> usize {
        self.sealer.max_batch(Some(0))
    }

    /// One batch with a sequence of its own.
    pub async fn write(
        &mut self,
        author: &str,
        slots: &[SlotPlaintext],
    ) -> Result<WrittenBatch, Failure> {
        let anchor = self.post.anchor().await?;
        let seq = self.post.next_seq(author).await?;
        let key = self.post.author(author);
        // Off the runtime's thread: the network lives there.
        let sealed = tokio::task::block_in_place(|| {
            let ticket = self.sealer.seal_commands(key, seq, anchor, slots)?;
            ticket.finish(key)
        })?;
        self.post.deliver(&sealed).await
    }
}

/// A recorded refusal in words, with what to do.
pub fn refused(batch: &WrittenBatch, outcome: Outcome) -> Failure {
    let next = match outcome {
        Outcome::CellAuthor => {
            "write as one of the cell's authors, or let an admin change them: `ukehi cells authors`"
        }
        Outcome::UnknownFamily => "the keyspace has no ledger: an admin registers its family",
        Outcome::CellStale | Outcome::CellNotNew => {
            "others write to the same cell all the time: try later"
        }
        _ => "the refusal is recorded in the log and changes nothing; mend the cause and try again",
    };
    let what = format!(
        "entry {} ({} seq {}): {outcome}",
        batch.index, batch.author, batch.seq
    );
    Failure::new(ExitCode::Refused, what, next)
}
