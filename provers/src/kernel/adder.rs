//! What the algorithms ask of a kernel: many independent affine additions at once, over a workspace of slots.
//!
//! A slot holds one point a lane. Additions of a batch touch each slot at most once and share one field inversion
//! (Montgomery's trick). Knows nothing of scalars and buckets.

/// An entry names a point of a table by its index; this bit says that its negative is meant.
pub const NEGATIVE: u32 = 1 << 31;

/// A run of entries whose points are to be summed, in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub first: u32,
    pub len: u32,
    /// Where the sum goes.
    pub to: u32,
}

/// Adds slot `b` to slot `a`, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub a: u32,
    pub b: u32,
}

/// A kernel's workspace for points in table form `P`.
pub trait Adder<P> {
    fn lanes(&self) -> usize;

    /// Slots there are.
    fn slots(&self) -> usize;

    /// Fills the slots from `slot` on: the j-th takes the j-th entry of each run, a run to a lane. Lanes without one
    /// (the run is shorter, or there is no run) take the identity. At most [`Self::lanes`] runs.
    fn load(&mut self, slot: usize, points: &[P], entries: &[u32], runs: &[Run]);

    /// Asks the memory for the points of these entries.
    fn prefetch(&self, points: &[P], entries: &[u32]);

    /// Adds the pairs, all independent. `plain` pairs hold no identity; `careful` ones may hold any points. Equal
    /// points, opposites and identities are always added rightly. True if a sum of the plain pairs may be the
    /// identity: then all later additions of these slots must be careful.
    fn add(&mut self, plain: &[Pair], careful: &[Pair]) -> bool;

    /// Doubles the points of these slots; none may be the identity.
    fn double(&mut self, slots: core::ops::Range<usize>);

    /// Writes the lanes of a slot to the runs' places.
    fn store(&mut self, slot: usize, runs: &[Run], out: &mut [P]);

    /// Overwrites the workspace: it holds sums that depend on a witness.
    fn erase(&mut self);
}
