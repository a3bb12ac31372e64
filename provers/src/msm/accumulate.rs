//! Sums of lists of points: runs of equal length side by side in the lanes, each a tree of independent pairs, many trees
//! to a batch so that they share inversions.
//!
//! A long list is cut into several runs whose sums are a list again. Runs are taken longest first, so the lanes of a
//! group have equal lengths but where one length ends and the next begins; such a group has gaps, and is added with care.
//! Work goes chunk by chunk, a chunk filling the workspace, which stays in the second-level cache.

use std::ops::Range;

use zeroize::Zeroize;

use crate::kernel::adder::{Adder, Pair, Run};
use crate::kernel::point::TablePoint;

/// Points of a workspace: half a megabyte of them. With what the kernels keep beside them they take twice that. More points
/// would share an inversion among more additions, but leave the second-level cache.
pub(super) const fn workspace<P: TablePoint>() -> usize {
    (512 << 10) / P::BYTES
}

/// The longest run: the slots of a few groups must fit a chunk.
const LONGEST_RUN: usize = 128;

/// How many runs ahead of their loading points are asked for: about a hundred points.
const PREFETCHED_RUNS: usize = 8;

/// Lists of entries, one after the other: list i is `entries[offsets[i]..offsets[i + 1]]`. Erased on drop.
pub(super) struct Lists {
    pub entries: Vec<u32>,
    pub offsets: Vec<u32>,
}

impl Lists {
    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn range(&self, list: usize) -> Range<u32> {
        self.offsets[list]..self.offsets[list + 1]
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        self.entries.zeroize();
        self.offsets.zeroize();
    }
}

/// Runs that fill the lanes of some slots together.
struct Group {
    runs: Range<usize>,
    slot: usize,
    len: usize,
    careful: bool,
}

/// The sum of each list; the identity of an empty one.
pub(super) fn sum_lists<P: TablePoint>(
    adder: &mut dyn Adder<P>,
    points: &[P],
    lists: &Lists,
) -> Vec<P> {
    // Enough runs for the lanes and for a batch, even if there is one list only.
    let spread = 16 * adder.lanes();
    let longest = (lists.entries.len() / spread).clamp(4, LONGEST_RUN);
    let (mut runs, mut cut) = (Vec::new(), Vec::new());
    let mut places = lists.len() as u32;
    for list in 0..lists.len() {
        let range = lists.range(list);
        let pieces = range.len().div_ceil(longest);
        match pieces {
            0 => {}
            1 => runs.push(Run {
                first: range.start,
                len: range.len() as u32,
                to: list as u32,
            }),
            _ => {
                cut.push((list, places..places + pieces as u32));
                let at = |piece| range.start + (range.len() * piece / pieces) as u32;
                runs.extend((0..pieces).map(|piece| Run {
                    first: at(piece),
                    len: at(piece + 1) - at(piece),
                    to: places + piece as u32,
                }));
                places += pieces as u32;
            }
        }
    }
    let runs = longest_first(runs, longest);
    let mut sums = vec![P::IDENTITY; places as usize];
    sum_runs(adder, points, &lists.entries, &runs, &mut sums);

    if !cut.is_empty() {
        let mut partial = sums.split_off(lists.len());
        let mut rest = Lists {
            entries: Vec::new(),
            offsets: vec![0],
        };
        for (_, pieces) in &cut {
            let pieces = pieces.clone().map(|place| place - lists.len() as u32);
            rest.entries
                .extend(pieces.filter(|piece| !partial[*piece as usize].is_identity()));
            rest.offsets.push(rest.entries.len() as u32);
        }
        for ((list, _), sum) in cut.iter().zip(sum_lists(adder, &partial, &rest)) {
            sums[*list] = sum;
        }
        P::erase(&mut partial);
    }
    sums
}

/// A counting sort.
fn longest_first(runs: Vec<Run>, longest: usize) -> Vec<Run> {
    let mut next = vec![0; longest + 2];
    for run in &runs {
        next[longest - run.len as usize + 1] += 1;
    }
    for i in 1..next.len() {
        next[i] += next[i - 1];
    }
    let mut sorted = runs.clone();
    for run in &runs {
        let place = &mut next[longest - run.len as usize];
        sorted[*place] = *run;
        *place += 1;
    }
    sorted
}

fn sum_runs<P: TablePoint>(
    adder: &mut dyn Adder<P>,
    points: &[P],
    entries: &[u32],
    runs: &[Run],
    sums: &mut [P],
) {
    let lanes = adder.lanes();
    let mut groups: Vec<Group> = Vec::new();
    let mut slots = 0;
    for first in (0..runs.len()).step_by(lanes) {
        let range = first..(first + lanes).min(runs.len());
        let len = runs[first].len as usize;
        if slots + len > adder.slots() {
            sum_chunk(adder, &mut groups, runs, sums);
            slots = 0;
        }
        let ahead = |run: usize| (run + PREFETCHED_RUNS).min(runs.len());
        for run in &runs[ahead(range.start)..ahead(range.end)] {
            adder.prefetch(points, &entries[run.first as usize..][..run.len as usize]);
        }
        adder.load(slots, points, entries, &runs[range.clone()]);
        let full = range.len() == lanes && runs[range.end - 1].len as usize == len;
        groups.push(Group {
            runs: range,
            slot: slots,
            len,
            careful: !full,
        });
        slots += len;
    }
    sum_chunk(adder, &mut groups, runs, sums);
}

/// Adds the loaded groups up, layer by layer, and writes their sums.
fn sum_chunk<P: TablePoint>(
    adder: &mut dyn Adder<P>,
    groups: &mut Vec<Group>,
    runs: &[Run],
    sums: &mut [P],
) {
    let (mut plain, mut careful) = (Vec::new(), Vec::new());
    loop {
        plain.clear();
        careful.clear();
        for group in groups.iter_mut().filter(|group| group.len > 1) {
            let half = group.len.div_ceil(2);
            let pairs = if group.careful {
                &mut careful
            } else {
                &mut plain
            };
            pairs.extend(
                (group.slot..group.slot + group.len - half).map(|slot| Pair {
                    a: slot as u32,
                    b: (slot + half) as u32,
                }),
            );
            group.len = half;
        }
        if plain.is_empty() && careful.is_empty() {
            break;
        }
        if adder.add(&plain, &careful) {
            groups.iter_mut().for_each(|group| group.careful = true);
        }
    }
    for group in groups.drain(..) {
        adder.store(group.slot, &runs[group.runs], sums);
    }
}
