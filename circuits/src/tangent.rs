//! The tangent check: at a valid assignment, which variables can move to first order without breaking a row?
//!
//! The rows are `F(z) = A·z ∘ B·z − C·z = 0`. A direction `v` keeps them to first order if, in every row,
//! `(A·z)(B·v) + (B·z)(A·v) = C·v`. Where such a `v` is not zero, a prover may be able to move the variables it touches.
//!
//! **What is held.** "x fixed, nothing else moves" cannot be asked literally: x is one equation over dozens of inputs,
//! so hyperplanes of them keep it. That they cannot be used is Poseidon's collision resistance, not linear algebra. The
//! question is therefore asked in three parts, each of which a correct circuit answers with an empty list:
//!
//! 1. [`Recording::free_given_inputs`]: hold what is *given* ([`Builder::input`]) and ask what else moves, x included.
//!    Empty means that the rows compute, to first order, a function of the given values: no hint is left loose.
//! 2. [`Recording::free_given_statement`]: hold what is *published* (every element hashed into x, and every element of
//!    the leaves below it) and ask what moves, x included. Empty means that what the world sees pins the witness: the
//!    plaintexts, the routing secret, the digits. x is not held, or one equation could hide one loose variable of the
//!    last hash. The plaintext of an inactive slot legitimately moves here, since its flag erases it.
//! 3. [`Recording::inputs_that_miss_x`]: hold nothing, and ask which given values x does not depend on. A value that
//!    rows ignore is not bound by them.
//!
//! The first two are independent. A loose hint in `E = e·B8` is pinned by holding E (2 is blind), and moves with e held
//! (1 sees it). A plaintext element that no ciphertext uses is given (1 is blind), and moves with the statement held.
//!
//! **Booleans** move nowhere: `b(1 − b) = 0` has the derivative `1 − 2b ≠ 0`. Digits of a scalar are therefore not
//! listed as given; that several digit strings mean one scalar is invisible here and argued in `gadget::edwards`.
//!
//! **Restrictions** that fix no variable (a sum that must be kept, an equality between given values) do not show when
//! they are missing: at a valid assignment nothing moves for want of them. Tests of attacks are for those.
//!
//! **Necessary, not sufficient.** Isolated second solutions (a wrong root of a square, another digit string, a
//! non-unique quotient) have no tangent. Every hint has a written uniqueness argument beside it for that reason. The
//! rank is taken at one assignment; a rank can only be smaller at special points than at general ones, so tests use
//! random inputs.
//!
//! **How.** Rows are eliminated in order, each variable being known, free, or a combination of free ones. A row whose
//! only unknown is one variable fixes it at once, which is nearly all of them; what remains open at a time is the
//! inside of one permutation, about 85 variables. Memory and time grow with the rows, not with their square.
//! Knows nothing of statements or proofs.

use crate::F;
use crate::gadget::{Builder, Row};
use crate::matrices::Matrices;
use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroizing;

/// The public input's variable.
const X: usize = 1;

/// A circuit's rows at one assignment, and what the circuit noted about its variables.
pub struct Recording {
    matrices: Matrices,
    values: Zeroizing<Vec<F>>,
    inputs: Vec<usize>,
    published: Vec<Row>,
}

impl Recording {
    /// Panics if the builder does not record rows.
    pub fn of(builder: Builder) -> Self {
        let (values, rows, notes) = builder.finish_recording();
        Recording {
            matrices: Matrices::from_rows(rows, values.len()),
            values,
            inputs: notes.inputs,
            published: notes.published,
        }
    }

    /// Rows and variables.
    pub fn matrices(&self) -> &Matrices {
        &self.matrices
    }

    /// The assignment: one, x, private variables.
    pub fn values(&self) -> &[F] {
        &self.values
    }

    /// The variables that are given, in the order they were made.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Without row `row`: what a forgotten constraint would be.
    pub fn without_row(mut self, row: usize) -> Self {
        for matrix in [
            &mut self.matrices.a,
            &mut self.matrices.b,
            &mut self.matrices.c,
        ] {
            matrix.remove(row);
        }
        self.matrices.num_constraints -= 1;
        self
    }

    /// Variables that can move while every given value is held: hints the rows leave loose. Empty in a sound circuit.
    pub fn free_given_inputs(&self) -> Vec<usize> {
        let mut elimination = Elimination::new(self.values.len());
        self.inputs.iter().for_each(|at| elimination.hold(*at));
        elimination.rows(self);
        elimination.movable()
    }

    /// Variables that can move while every published element is held: secrets the statement does not pin.
    pub fn free_given_statement(&self) -> Vec<usize> {
        let mut elimination = Elimination::new(self.values.len());
        for published in &self.published {
            elimination.add(published);
        }
        elimination.rows(self);
        elimination.movable()
    }

    /// Given variables that x does not depend on to first order.
    pub fn inputs_that_miss_x(&self) -> Vec<usize> {
        let mut elimination = Elimination::new(self.values.len());
        self.inputs
            .iter()
            .for_each(|at| elimination.prefer_free(*at));
        elimination.rows(self);
        let Some(x) = &elimination.solved[X] else {
            return self.inputs.clone();
        };
        let reaches = |at: &usize| x.iter().any(|(_, variable)| variable == at);
        self.inputs
            .iter()
            .copied()
            .filter(|at| !reaches(at))
            .collect()
    }

    /// One row of the Jacobian, `(A·z)·B + (B·z)·A − C`; a variable may come several times.
    fn jacobian(&self, row: usize) -> Row {
        let evaluate =
            |row: &[(F, usize)]| -> F { row.iter().map(|(c, at)| *c * self.values[*at]).sum() };
        let (a, b, c) = (
            &self.matrices.a[row],
            &self.matrices.b[row],
            &self.matrices.c[row],
        );
        let scaled = |row: &[(F, usize)], factor: F| -> Row {
            row.iter().map(|(c, at)| (*c * factor, *at)).collect()
        };
        let (at_a, at_b) = (evaluate(a), evaluate(b));
        [scaled(b, at_a), scaled(a, at_b), scaled(c, -F::ONE)].concat()
    }
}

/// Gauss-Jordan elimination over sparse rows that mostly fix one variable each.
///
/// Invariant: a solved variable is a combination of unsolved ones; a held or fixed one is the empty combination.
struct Elimination {
    solved: Vec<Option<Row>>,
    /// For each unsolved variable, the solved ones that may be written in it.
    users: Vec<Vec<usize>>,
    preferably_free: Vec<bool>,
    /// Coefficients of the row at hand, by variable; zero outside `touched`.
    sum: Vec<F>,
    touched: Vec<usize>,
}

impl Elimination {
    fn new(variables: usize) -> Self {
        let mut elimination = Elimination {
            solved: vec![None; variables],
            users: vec![Vec::new(); variables],
            preferably_free: vec![false; variables],
            sum: vec![F::ZERO; variables],
            touched: Vec::new(),
        };
        // The constant one.
        elimination.hold(0);
        elimination
    }

    fn hold(&mut self, variable: usize) {
        self.solved[variable] = Some(Row::new());
    }

    /// Solve other variables before this one.
    fn prefer_free(&mut self, variable: usize) {
        self.preferably_free[variable] = true;
    }

    fn rows(&mut self, recording: &Recording) {
        for row in 0..recording.matrices.num_constraints {
            self.add(&recording.jacobian(row));
        }
    }

    /// Takes the equation `terms = 0`.
    fn add(&mut self, terms: &[(F, usize)]) {
        let row = self.reduce(terms);
        let candidates = row.iter().filter(|(_, at)| !self.preferably_free[*at]);
        let chosen = candidates
            .min_by_key(|(_, at)| (self.users[*at].len(), usize::MAX - at))
            .or(row.last());
        // No term left: the row says nothing new.
        let Some(&(coefficient, pivot)) = chosen else {
            return;
        };
        let scale = -coefficient.inverse().expect("terms of zero are dropped");
        let combination: Row = row
            .iter()
            .filter(|(_, at)| *at != pivot)
            .map(|(c, at)| (*c * scale, *at))
            .collect();
        for user in std::mem::take(&mut self.users[pivot]) {
            self.substitute(user, pivot, &combination);
        }
        for (_, at) in &combination {
            self.users[*at].push(pivot);
        }
        self.solved[pivot] = Some(combination);
    }

    /// The terms in unsolved variables alone, by increasing variable.
    fn reduce(&mut self, terms: &[(F, usize)]) -> Row {
        for (coefficient, at) in terms {
            match &self.solved[*at] {
                None => accumulate(&mut self.sum, &mut self.touched, *at, *coefficient),
                Some(combination) => {
                    for (c, inner) in combination {
                        accumulate(&mut self.sum, &mut self.touched, *inner, *c * coefficient);
                    }
                }
            }
        }
        self.touched.sort_unstable();
        self.touched.dedup();
        let mut row = Row::with_capacity(self.touched.len());
        for at in self.touched.drain(..) {
            let coefficient = std::mem::replace(&mut self.sum[at], F::ZERO);
            if coefficient != F::ZERO {
                row.push((coefficient, at));
            }
        }
        row
    }

    /// Rewrites a solved variable that is written in `pivot`, now that `pivot` is solved.
    fn substitute(&mut self, user: usize, pivot: usize, combination: &[(F, usize)]) {
        let Some(mut old) = self.solved[user].take() else {
            unreachable!("only solved variables are written in others");
        };
        if let Ok(position) = old.binary_search_by_key(&pivot, |(_, at)| *at) {
            let (factor, _) = old.remove(position);
            old.extend(combination.iter().map(|(c, at)| (*c * factor, *at)));
            old = self.reduce(&old);
            for (_, at) in combination {
                self.users[*at].push(user);
            }
        }
        self.solved[user] = Some(old);
    }

    /// Variables that are not fixed: unsolved, or written in unsolved ones.
    fn movable(&self) -> Vec<usize> {
        let moves = |at: &usize| self.solved[*at].as_ref().is_none_or(|row| !row.is_empty());
        (0..self.solved.len()).filter(moves).collect()
    }
}

fn accumulate(sum: &mut [F], touched: &mut Vec<usize>, at: usize, coefficient: F) {
    touched.push(at);
    sum[at] += coefficient;
}

#[cfg(test)]
mod seal_tests;
/// What a correct circuit answers: no variable.
#[cfg(test)]
pub(crate) const NOTHING: [usize; 0] = [];

#[cfg(test)]
mod tests;
