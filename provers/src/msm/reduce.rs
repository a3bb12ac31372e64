//! From bucket sums to the result: Σ d·B_d, again as sums of lists.
//!
//! A bucket's number is cut into a low and a high half, d = 2^h·k + l. The sums of the buckets with the same l, and those
//! with the same k, are two sets of about the square root of as many buckets, with the same total. Repeated until every
//! set is a single point with a power of two. A bucket costs two additions, as with running sums, but these are
//! independent of each other, so they are batches of affine additions too.

use ark_ec::AffineRepr;
use ark_ff::AdditiveGroup;

use super::accumulate::{Lists, sum_lists};
use crate::kernel::adder::Adder;
use crate::kernel::point::TablePoint;

/// The weights 1..=max, each times 2^shift, of the points from `first` on.
#[derive(Clone, Copy)]
struct Axis {
    first: usize,
    max: usize,
    shift: usize,
}

/// Σ over sets q and digits d of 2^(window·q)·d·sums[q·buckets + d − 1].
pub(super) fn weighted_sum<P: TablePoint>(
    adder: &mut dyn Adder<P>,
    mut sums: Vec<P>,
    sets: usize,
    window: usize,
) -> <P::Affine as AffineRepr>::Group {
    let buckets = sums.len() / sets;
    let mut axes: Vec<Axis> = (0..sets)
        .map(|q| Axis {
            first: q * buckets,
            max: buckets,
            shift: q * window,
        })
        .collect();
    while axes.iter().any(|axis| axis.max > 1) {
        let (next, lists) = halve(&sums, &axes);
        let halved = sum_lists(adder, &sums, &lists);
        P::erase(&mut sums);
        (axes, sums) = (next, halved);
    }
    axes.sort_unstable_by_key(|axis| core::cmp::Reverse(axis.shift));
    let mut total = <P::Affine as AffineRepr>::Group::ZERO;
    let mut shift = axes.first().map_or(0, |axis| axis.shift);
    for axis in axes {
        for _ in axis.shift..shift {
            total.double_in_place();
        }
        shift = axis.shift;
        total += sums[axis.first].to_affine();
    }
    for _ in 0..shift {
        total.double_in_place();
    }
    P::erase(&mut sums);
    total
}

/// The axes for the halves of each number, and the lists whose sums are their points.
fn halve<P: TablePoint>(points: &[P], axes: &[Axis]) -> (Vec<Axis>, Lists) {
    let mut next = Vec::new();
    let mut lists = Lists {
        entries: Vec::new(),
        offsets: vec![0],
    };
    for axis in axes {
        let bits = axis.max.ilog2() as usize + 1;
        let low = bits / 2;
        let high_max = axis.max >> low;
        let mut push = |max: usize, shift: usize, weights: &dyn Fn(usize) -> (usize, usize)| {
            next.push(Axis {
                first: lists.offsets.len() - 1,
                max,
                shift,
            });
            for number in 1..=max {
                let (start, step) = weights(number);
                let end = if step == 1 {
                    (start + (1 << low)).min(axis.max + 1)
                } else {
                    axis.max + 1
                };
                let at = (start.max(1)..end).step_by(step);
                lists.entries.extend(
                    at.map(|weight| axis.first + weight - 1)
                        .filter(|index| !points[*index].is_identity())
                        .map(|index| index as u32),
                );
                lists.offsets.push(lists.entries.len() as u32);
            }
        };
        if low > 0 {
            push((1 << low) - 1, axis.shift, &|l| (l, 1 << low));
        }
        push(high_max, axis.shift + low, &|k| (k << low, 1));
    }
    (next, lists)
}
