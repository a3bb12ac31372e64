//! `ukehi put`: cut into batches, seal, prove, and post them in order.

use super::input::{Group, Line, Value, group, read_file};
use super::post::{Post, WrittenBatch, author_names, only_author, sealer};
use super::value::slots;
use crate::batch::Anchor;
use crate::cli::args::PutArgs;
use crate::cli::cells::put_guarded;
use crate::cli::connect::{Place, runtime};
use crate::cli::output::{Output, table};
use crate::cli::progress::Progress;
use crate::client::{Cluster, Put, SealError, Sealer, Ticket};
use crate::error::{ExitCode, Failure};
use crate::log::Outcome;
use serde::Serialize;
use std::collections::BTreeSet;
use ukehi_circuits::policy::{Opaque, Policy};

/// Batches being proven while earlier ones are sent: bounds the witnesses in memory.
const WINDOW: usize = 16;
const SCHEMA: &str = "ukehi/put/v1";

#[derive(Serialize)]
struct Written {
    schema: &'static str,
    commands: usize,
    batches: Vec<WrittenBatch>,
}

pub fn put(args: &PutArgs, output: &Output) -> Result<(), Failure> {
    let written = match (args.guards.is_empty(), &args.key, &args.value) {
        (false, Some(key), Some(value)) => Written {
            schema: SCHEMA,
            commands: 1,
            batches: vec![put_guarded(args, key, value)?],
        },
        _ => put_lines(args)?,
    };
    output.show(&written, |w| {
        let rows = w.batches.iter().map(|b| {
            vec![
                b.author.clone(),
                b.seq.to_string(),
                b.commands.to_string(),
                b.index.to_string(),
                b.outcome.to_string(),
            ]
        });
        let header = ["author", "seq", "commands", "entry", "outcome"];
        format!("{}\n{} commands written", table(&header, rows), w.commands)
    });
    let refused = written
        .batches
        .iter()
        .find(|b| b.outcome != Outcome::Applied);
    match refused {
        Some(b) => Err(Failure::new(
            ExitCode::Refused,
            format!(
                "entry {} ({} seq {}): {}",
                b.index, b.author, b.seq, b.outcome
            ),
            "the refusal is recorded in the log; mend the cause and put again",
        )),
        None => Ok(()),
    }
}

fn put_lines(args: &PutArgs) -> Result<Written, Failure> {
    let lines = lines(args)?;
    let place = Place::find(&args.target)?;
    let runtime = runtime()?;
    let cluster = runtime.block_on(place.cluster())?;
    let mut writer = Writer::open(&place, lines, cluster)?;
    if writer.groups.len() > 1 {
        eprintln!("{}", place.table_memory_in_words());
    }
    runtime.block_on(writer.run())
}

fn lines(args: &PutArgs) -> Result<Vec<Line>, Failure> {
    if let Some(file) = &args.file {
        return read_file(file);
    }
    let value = match (&args.value, &args.value_file) {
        (Some(text), _) => Some(Value::Text(text.clone())),
        (None, Some(path)) => Some(Value::File(path.clone())),
        (None, None) => None,
    };
    let (Some(key), Some(value)) = (&args.key, value) else {
        return Err(Failure::usage(
            "nothing to write",
            "give KEY VALUE, KEY --value-file PATH, or --file",
        ));
    };
    Ok(vec![Line {
        author: args.author.clone().unwrap_or_default(),
        key: key.clone(),
        value,
    }])
}

struct Writer {
    post: Post,
    sealer: Sealer,
    groups: Vec<Group>,
}

struct UnderWay {
    author: String,
    ticket: Ticket,
}

impl Writer {
    fn open(place: &Place, mut lines: Vec<Line>, cluster: Cluster) -> Result<Self, Failure> {
        let names = author_names(place)?;
        for line in &mut lines {
            if line.author.is_empty() {
                line.author = only_author(&names)?;
            }
        }
        let authors: BTreeSet<String> = lines.iter().map(|line| line.author.clone()).collect();
        let post = Post::open(place, cluster, authors)?;
        let known = post.cluster.known();
        let (keyspace, epoch) = place.newest_epoch(known, Opaque.name())?;
        let sealer = sealer(place, known, keyspace, epoch)?;
        let groups = group(lines, |line| sealer.max_batch(line.value.known_len()));
        Ok(Self {
            post,
            sealer,
            groups,
        })
    }

    async fn run(&mut self) -> Result<Written, Failure> {
        let mut written = self.post.resend().await?;
        let groups = std::mem::take(&mut self.groups);
        let commands = groups.iter().map(|g| g.lines.len()).sum();
        let mut progress = Progress::new("prove+write", commands as u64);
        let anchor = self.post.anchor().await?;
        let mut under_way = std::collections::VecDeque::new();
        let mut groups = groups.into_iter();
        loop {
            while under_way.len() < WINDOW {
                let Some(group) = groups.next() else { break };
                under_way.push_back(self.seal(&group, anchor).await?);
            }
            let Some(UnderWay { author, ticket }) = under_way.pop_front() else {
                break;
            };
            // The proof is waited for off the runtime's thread: the network lives there.
            let key = self.post.author(&author);
            let sealed = tokio::task::block_in_place(|| ticket.finish(key))?;
            let batch = self.post.deliver(&sealed).await?;
            progress.add(batch.commands as u64);
            written.push(batch);
        }
        progress.finish();
        Ok(Written {
            schema: SCHEMA,
            commands,
            batches: written,
        })
    }

    async fn seal(&mut self, group: &Group, anchor: Anchor) -> Result<UnderWay, Failure> {
        let longest = self.sealer.max_value(group.lines.len());
        let author = self.post.author(&group.author);
        let slots = slots(group, longest, author, &self.post.bulk, &self.post.network).await?;
        let seq = self.post.next_seq(&group.author).await?;
        let puts: Vec<Put<'_>> = group
            .lines
            .iter()
            .zip(&slots)
            .map(|(line, slot)| Put {
                key: line.key.as_bytes(),
                value: &slot.body,
                bulk: slot.bulk,
            })
            .collect();
        let author = self.post.author(&group.author);
        let ticket = tokio::task::block_in_place(|| self.sealer.seal(author, seq, anchor, &puts))
            .map_err(|e| name_command(e, group))?;
        Ok(UnderWay {
            author: group.author.clone(),
            ticket,
        })
    }
}

fn name_command(error: SealError, group: &Group) -> Failure {
    match error {
        SealError::Command { position, reason } => Failure::new(
            ExitCode::Refused,
            format!("key {:?}: {reason}", group.lines[position].key),
            "a key has at most 61 bytes",
        ),
        other => other.into(),
    }
}
