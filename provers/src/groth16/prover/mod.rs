//! The prover: one object per circuit, shared by every thread that proves it.
//!
//! Invariants: 1. a proof is returned only after the strict verifier accepted it under the same key; 2. the blinding is
//! fresh, full width, from the operating system, and the map of [`blinding`]; 3. what is derived from the key to go
//! faster is checked against the key and never decides whether a proof is good; 4. one proof occupies one thread,
//! unless its caller asks for [`Cores::All`].
//!
//! Erased afterwards: values of A, B and C on witnesses, the scalars of H, the unblinded proof, the blinding. A
//! multiplication's time depends on the witness (how many scalars are zero or small), so someone who can time proofs
//! on the author's machine learns that much.

mod agree;
mod bases;
mod blinding;
mod budget;
mod cache;
mod fold;
mod group;
mod quotient;
mod rows;
mod stages;
mod tables;
mod work;
mod zkey;

pub use zkey::ZkeyProverError;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ff::One;
use zeroize::Zeroizing;

use super::{Groth16Proof, ProveError, ProvingKey, verify};
use crate::R1cs;
use crate::ntt::Domain;
use bases::{Bases, Points};
use blinding::Unblinded;
use quotient::quotient;
use rows::Rows;
use tables::Tables;

pub use budget::TableBudget;
pub use cache::TableCache;
pub use stages::ProofStage;
pub use tables::{CacheUse, ProverOptions, TableFacts, TableState};

/// How many cores one proof may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// The calling thread: with one proof per core, the most proofs a second.
    One,
    /// Three threads, for the least time to one proof while other cores are idle.
    All,
}

/// Proves one circuit under one key. Dropping it gives up what is under way behind its proofs, without waiting.
pub struct Prover {
    inner: Arc<Inner>,
}

struct Inner {
    key: Arc<ProvingKey>,
    r1cs: Option<Arc<R1cs>>,
    rows: Rows,
    domain: Domain,
    /// The best there are yet; replaced as a whole.
    bases: RwLock<Arc<Bases>>,
    tables: Tables,
}

impl Prover {
    /// Usable at once.
    ///
    /// # Errors
    /// [`ProveError::KeyOfAnotherCircuit`].
    pub fn new(
        key: Arc<ProvingKey>,
        r1cs: Arc<R1cs>,
        options: ProverOptions,
    ) -> Result<Self, ProveError> {
        if !key.belongs_to(&r1cs) {
            return Err(ProveError::KeyOfAnotherCircuit {
                key: *key.circuit(),
                circuit: *r1cs.digest(),
            });
        }
        let rows = Rows::of(options.kernel, &r1cs);
        Ok(Self::with(key, Some(r1cs), rows, options))
    }

    fn with(
        key: Arc<ProvingKey>,
        r1cs: Option<Arc<R1cs>>,
        rows: Rows,
        options: ProverOptions,
    ) -> Self {
        let points = Points::of(&key, None);
        let bases = points.build(options.kernel, &points.plain(), 1);
        Self {
            inner: Arc::new(Inner {
                domain: Domain::new(options.kernel, key.points().h_query.len()),
                bases: RwLock::new(Arc::new(bases)),
                tables: Tables::new(options),
                rows,
                r1cs,
                key,
            }),
        }
    }

    /// Proves that `assignment` (1, the public inputs, the witness) satisfies the circuit, and verifies the proof.
    ///
    /// # Errors
    /// [`ProveError`]. With its R1CS at hand, the row that an assignment breaks is named; without,
    /// [`ProveError::ProofRejected`] stands for that and for a wrong key.
    pub fn prove(&self, assignment: &[Fr], cores: Cores) -> Result<Groth16Proof, ProveError> {
        self.prove_while(assignment, cores, &|| Ok(()))
    }

    /// The same, asking `go_on` before each stage: the longest, a multiplication, is about a third of a proof.
    ///
    /// # Errors
    /// [`ProveError`], or what `go_on` answered.
    pub fn prove_while<E: From<ProveError> + Send>(
        &self,
        assignment: &[Fr],
        cores: Cores,
        go_on: &(dyn Fn() -> Result<(), E> + Sync),
    ) -> Result<Groth16Proof, E> {
        self.inner.check_form(assignment)?;
        let bases = self.inner.bases();
        let unblinded = self.inner.combine(&bases, assignment, cores, go_on)?;
        go_on()?;
        let proof = unblinded.blind(&self.inner.key.points().vk.delta_g2)?;
        let proof = self.inner.check(assignment, proof)?;
        self.inner.tables.count_proof(&self.inner);
        Ok(proof)
    }

    /// How far the work behind the proofs has come, and what it gained.
    pub fn table_state(&self) -> TableState {
        self.inner.tables.state()
    }

    /// Does that work now, if it has not begun, and waits for its end.
    pub fn finish_tables(&self) -> TableFacts {
        self.inner.tables.finish(&self.inner)
    }

    /// The public inputs of an assignment, in the statement's order.
    ///
    /// # Errors
    /// [`ProveError`] if it cannot be an assignment of this circuit.
    pub fn statement<'a>(&self, assignment: &'a [Fr]) -> Result<&'a [Fr], ProveError> {
        self.inner.check_form(assignment)?;
        Ok(&assignment[1..self.inner.instance_variables()])
    }

    pub fn key(&self) -> &Arc<ProvingKey> {
        &self.inner.key
    }

    /// The circuit's constraints, if the prover was given them.
    pub fn r1cs(&self) -> Option<&Arc<R1cs>> {
        self.inner.r1cs.as_ref()
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        self.inner.tables.cancel();
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prover")
            .field("key", &self.inner.key)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn bases(&self) -> Arc<Bases> {
        let bases = self.bases.read().unwrap_or_else(PoisonError::into_inner);
        bases.clone()
    }

    fn replace_bases(&self, better: Bases) {
        let mut bases = self.bases.write().unwrap_or_else(PoisonError::into_inner);
        *bases = Arc::new(better);
    }

    fn instance_variables(&self) -> usize {
        self.key.points().vk.gamma_abc_g1.len()
    }

    fn check_form(&self, assignment: &[Fr]) -> Result<(), ProveError> {
        let expected = self.key.points().a_query.len();
        if assignment.len() != expected {
            return Err(ProveError::AssignmentLength {
                expected,
                actual: assignment.len(),
            });
        }
        match assignment[0].is_one() {
            true => Ok(()),
            false => Err(ProveError::NoConstant),
        }
    }

    /// The proof with r = s = 0.
    fn combine<E: Send>(
        &self,
        bases: &Bases,
        z: &[Fr],
        cores: Cores,
        go_on: &(dyn Fn() -> Result<(), E> + Sync),
    ) -> Result<Unblinded, E> {
        let vk = &self.key.points().vk;
        let a = || -> Result<G1Projective, E> { go_on().map(|()| bases.a(z) + vk.alpha_g1) };
        let b = || -> Result<G2Projective, E> { go_on().map(|()| bases.b(z) + vk.beta_g2) };
        let c = || -> Result<G1Projective, E> {
            go_on()?;
            let h = quotient(&self.domain, &self.rows, z, bases.folded);
            go_on()?;
            Ok(bases.c(&Zeroizing::new([&z[bases.first..], &h].concat())))
        };
        match cores {
            Cores::One => Ok(Unblinded {
                a: a()?,
                b: b()?,
                c: c()?,
            }),
            // B in G2 and C take about as long; A, half as long, runs behind B's.
            Cores::All => thread::scope(|scope| {
                let c = scope.spawn(c);
                let b = scope.spawn(b);
                let a = a();
                let joined = "a kernel's panic is a defect, and this proof's";
                let (b, c) = (b.join().expect(joined), c.join().expect(joined));
                Ok(Unblinded {
                    a: a?,
                    b: b?,
                    c: c?,
                })
            }),
        }
    }

    /// A wrong witness and a wrong key both show here and nowhere before.
    fn check(&self, z: &[Fr], proof: Groth16Proof) -> Result<Groth16Proof, ProveError> {
        let inputs = &z[1..self.instance_variables()];
        if verify(self.key.prepared_verifying_key(), inputs, &proof).is_ok() {
            return Ok(proof);
        }
        Err(match &self.r1cs {
            None => ProveError::ProofRejected,
            Some(r1cs) => match r1cs.first_unsatisfied(z) {
                Some(constraint) => ProveError::Unsatisfied { constraint },
                None => ProveError::SelfCheckFailed,
            },
        })
    }
}

#[cfg(test)]
mod tests;
#[cfg(all(test, target_os = "linux"))]
mod timings;
