//! Reads cells, seals what depends on them, sends; again where somebody was faster.
//!
//! Invariant: what is written was made from the cells as the log then had them, or it is a recorded refusal.

use super::show::unreadable;
use super::{finder, slot_key};
use crate::cli::connect::Place;
use crate::cli::data::{Post, WrittenBatch, sealer};
use crate::client::cells::guard as guard_command;
use crate::client::{CellFinder, Cluster, Sealer};
use crate::error::{ExitCode, Failure};
use crate::ids::{EpochId, KeyspaceId};
use crate::log::Outcome;
use std::time::{Duration, Instant};
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::policy::{Ledger, Policy};
use ukehi_circuits::seal::SlotPlaintext;
use ukehi_circuits::slot::SlotKey;

/// How often a batch that lost a race is made anew. Whoever loses five in a row writes to a cell
/// that others write to all the time: people should know.
const ATTEMPTS: u32 = 5;
/// The first wait after a lost race; it doubles. Two losers must not meet again at once.
const PAUSE: Duration = Duration::from_millis(50);

/// What a batch is made of, once the cells were read.
pub trait Intent {
    /// The keys of the cells it changes.
    fn changes(&self) -> Vec<&SlotKey>;

    /// Its commands; `cells` are those of [`Intent::changes`], in that order.
    fn commands(&self, cells: Vec<Option<CellOpening>>) -> Result<Vec<SlotPlaintext>, Failure>;
}

/// A cell that must hold a value for a batch to be applied.
pub struct Guard {
    key: SlotKey,
    text: String,
    value: u64,
}

/// What became of the last attempt.
pub struct Written {
    pub batch: WrittenBatch,
    pub attempts: u32,
    /// Reading, sealing, proving, agreement and receipt of the last attempt.
    pub milliseconds: u64,
}

/// Parses KEY=VALUE; a key may hold `=` itself.
pub fn guards(texts: &[String]) -> Result<Vec<Guard>, Failure> {
    let mut guards: Vec<Guard> = Vec::new();
    for text in texts {
        let parts = text.rsplit_once('=');
        let parts = parts.and_then(|(key, value)| Some((key, value.parse().ok()?)));
        let Some((key, value)) = parts else {
            return Err(Failure::usage(
                format!("--guard {text:?} is not KEY=VALUE"),
                "name a cell and the number it must hold: --guard bank/reserve=1000",
            ));
        };
        let guard = Guard {
            key: slot_key(key)?,
            text: key.to_owned(),
            value,
        };
        if guards.iter().any(|g| g.key == guard.key) {
            return Err(Failure::usage(
                format!("--guard names {key:?} twice"),
                "name each cell once",
            ));
        }
        guards.push(guard);
    }
    Ok(guards)
}

/// Writes what is intended, while each guarded cell holds its value.
pub async fn write(
    place: &Place,
    author: &str,
    intent: &impl Intent,
    guards: &[Guard],
) -> Result<Written, Failure> {
    let cluster = place.cluster().await?;
    let mut finder = finder(place, &cluster)?;
    let (keyspace, epoch) = place.newest_epoch(cluster.known(), Ledger.name())?;
    let mut writer = CellWriter::open(place, cluster, keyspace, epoch, author).await?;
    let mut pause = PAUSE;
    for attempts in 1.. {
        let started = Instant::now();
        let cluster = &mut writer.post.cluster;
        let slots = read(&mut finder, cluster, intent, guards).await?;
        let batch = writer.write(author, &slots).await?;
        match batch.outcome {
            Outcome::Applied => {
                return Ok(Written {
                    batch,
                    attempts,
                    milliseconds: started.elapsed().as_millis() as u64,
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

/// The cells as they are now, and the commands they make.
async fn read(
    finder: &mut CellFinder,
    cluster: &mut Cluster,
    intent: &impl Intent,
    guards: &[Guard],
) -> Result<Vec<SlotPlaintext>, Failure> {
    let changes = intent.changes();
    let mut cells = Vec::new();
    for key in &changes {
        let cell = open(finder, cluster, key).await?;
        if let Some(guard) = guards.iter().find(|guard| guard.key == **key) {
            guard.check(cell.as_ref())?;
        }
        cells.push(cell);
    }
    let mut slots = intent.commands(cells)?;
    // What the batch changes it is bound to already: a guard of its own would be the same cell twice.
    let others = guards.iter().filter(|guard| !changes.contains(&&guard.key));
    for guard in others {
        let cell = open(finder, cluster, &guard.key).await?;
        slots.push(guard_command(guard.key.clone(), guard.check(cell)?));
    }
    Ok(slots)
}

async fn open(
    finder: &mut CellFinder,
    cluster: &mut Cluster,
    key: &SlotKey,
) -> Result<Option<CellOpening>, Failure> {
    match finder.find(cluster, key).await? {
        None => Ok(None),
        Some(mut found) => match found.opening.take() {
            None => Err(unreadable(&super::show::name(key.as_bytes()), &found)),
            opening => Ok(opening),
        },
    }
}

impl Guard {
    /// Passes the cell on if it holds the value.
    fn check<C: std::borrow::Borrow<CellOpening>>(&self, cell: Option<C>) -> Result<C, Failure> {
        let cell = cell.ok_or_else(|| super::show::no_cell(&self.text))?;
        let held = cell.borrow().value();
        match held == self.value {
            true => Ok(cell),
            false => Err(Failure::new(
                ExitCode::Refused,
                format!("the cell {:?} holds {held}, not {}", self.text, self.value),
                "nothing was written; see `ukehi cells get` and decide anew",
            )),
        }
    }
}

/// Seals batches of cell commands of one author to one epoch, and posts them.
pub struct CellWriter {
    pub post: Post,
    sealer: Sealer,
}

impl CellWriter {
    pub async fn open(
        place: &Place,
        cluster: Cluster,
        keyspace: KeyspaceId,
        epoch: EpochId,
        author: &str,
    ) -> Result<Self, Failure> {
        let sealer = sealer(place, cluster.known(), keyspace, epoch)?;
        let mut post = Post::open(place, cluster, [author.to_owned()])?;
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
        Outcome::UnknownFamily => {
            "the keyspace has no ledger: an admin registers its family, `ukehi cells family`"
        }
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
