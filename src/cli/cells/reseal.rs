//! `ukehi cells reseal`, and which cells an epoch's end would freeze.

use super::args::ResealArgs;
use super::attempt::{CellWriter, refused};
use super::finder;
use super::show::name;
use crate::cli::args::Target;
use crate::cli::connect::{Place, runtime};
use crate::cli::data::author_or_only;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::client::Cluster;
use crate::client::cells::{FoundCell, Origin, reseal as command};
use crate::error::{ExitCode, Failure};
use crate::ids::EpochId;
use crate::log::Outcome;
use serde::Serialize;
use ukehi_circuits::seal::SlotPlaintext;

/// Cells named in one error text; there may be thousands.
const NAMED: usize = 20;

#[derive(Serialize)]
struct Resealed {
    schema: &'static str,
    from_epoch: EpochId,
    to_epoch: EpochId,
    resealed: usize,
    batches: usize,
    /// Cells that stay in the old epoch, and why.
    left: Vec<Left>,
}

#[derive(Serialize)]
struct Left {
    cell: String,
    why: String,
}

pub fn reseal(args: &ResealArgs, output: &Output) -> Result<(), Failure> {
    let place = Place::find(&args.target)?;
    let author = author_or_only(&place, args.author.as_ref())?;
    let resealed = runtime()?.block_on(run(args, &place, &author))?;
    output.show(&resealed, |r| {
        let left = r
            .left
            .iter()
            .map(|l| format!("\nleft  {}: {}", l.cell, l.why));
        format!(
            "{} cells moved from epoch {} to epoch {} in {} batches{}",
            r.resealed,
            r.from_epoch,
            r.to_epoch,
            r.batches,
            left.collect::<String>()
        )
    });
    match resealed.left.len() {
        0 => Ok(()),
        left => Err(Failure::new(
            ExitCode::Incomplete,
            format!(
                "{left} cells are still sealed to epoch {}",
                resealed.from_epoch
            ),
            "run it again, or as an author who may write to them",
        )),
    }
}

async fn run(args: &ResealArgs, place: &Place, author: &str) -> Result<Resealed, Failure> {
    let (from, to) = (EpochId(args.from_epoch), EpochId(args.to_epoch));
    let mut cluster = place.cluster().await?;
    let cells = live_in(place, &mut cluster, from).await?;
    let keyspace = place.keyspace()?;
    let mut writer = CellWriter::open(place, cluster, keyspace, to, author).await?;
    let id = writer.post.author(author).public();
    let mut progress = Progress::new("reseal", cells.len() as u64);
    let mut left = Vec::new();
    let mut commands: Vec<(String, SlotPlaintext)> = Vec::new();
    for cell in cells {
        let label = label(&cell);
        let registry = writer.post.cluster.known().registry();
        let own = registry.cell_authors(keyspace, &cell.route, u64::MAX);
        let may = own.is_none_or(|list| list.is_empty() || list.contains(&id));
        match (cell.key, cell.opening) {
            (Some(key), Some(opening)) if may => commands.push((label, command(key, opening))),
            (Some(_), Some(_)) => left.push(Left {
                cell: label,
                why: format!("{author} is none of its authors"),
            }),
            _ => left.push(Left {
                cell: label,
                why: format!("the secret of epoch {from} is not here"),
            }),
        }
    }
    let (mut resealed, mut batches) = (0, 0);
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let (labels, slots): (Vec<_>, Vec<_>) = commands.by_ref().take(writer.room()).unzip();
        let batch = writer.write(author, &slots).await?;
        batches += 1;
        progress.add(slots.len() as u64);
        match batch.outcome {
            Outcome::Applied => resealed += slots.len(),
            // One changed cell refuses the whole batch; the next run finds it where it is then.
            Outcome::CellStale => left.extend(labels.into_iter().map(|cell| Left {
                cell,
                why: "a cell of its batch was written to meanwhile".into(),
            })),
            outcome => return Err(refused(&batch, outcome)),
        }
    }
    progress.finish();
    Ok(Resealed {
        schema: "ukehi/cells-reseal/v1",
        from_epoch: from,
        to_epoch: to,
        resealed,
        batches,
        left,
    })
}

/// Refuses to let an epoch end while cells can only be opened with its secret.
pub fn refuse_to_freeze(target: &Target, epoch: u32) -> Result<(), Failure> {
    let place = Place::find(target)?;
    let epoch = EpochId(epoch);
    let cells = runtime()?.block_on(async {
        let mut cluster = place.cluster().await?;
        live_in(&place, &mut cluster, epoch).await
    })?;
    if cells.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = cells.iter().take(NAMED).map(label).collect();
    if cells.len() > NAMED {
        names.push(format!("and {} more", cells.len() - NAMED));
    }
    Err(Failure::new(
        ExitCode::Refused,
        format!(
            "{} cells are sealed to epoch {epoch} and would be frozen for ever: {}",
            cells.len(),
            names.join(", ")
        ),
        format!(
            "move them first: `ukehi cells reseal --from-epoch {epoch} --to-epoch N`; or give --freeze-cells"
        ),
    ))
}

async fn live_in(
    place: &Place,
    cluster: &mut Cluster,
    epoch: EpochId,
) -> Result<Vec<FoundCell>, Failure> {
    let mut cells = finder(place, cluster)?.all(cluster).await?;
    cells.retain(|cell| cell.origin == Origin::Sealed(epoch));
    Ok(cells)
}

fn label(cell: &FoundCell) -> String {
    match &cell.key {
        Some(key) => name(key.as_bytes()),
        None => format!("tag {}…", &hex::encode(cell.route)[..16]),
    }
}
