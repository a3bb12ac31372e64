//! Fixtures for this crate's tests: a small circuit written with arkworks' gadgets, random circuits of any
//! size, and a set-up of each, made once per test process.

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use ark_bn254::Fr;
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::r1cs_to_qap::evaluate_constraint;
use ark_r1cs_std::{alloc::AllocVar, eq::EqGadget, fields::fp::FpVar};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use crate::R1cs;
use crate::arkworks;
use crate::ceremony::{ToxicShare, contribute, initial_zkey, insecure_dev_powers};
use crate::groth16::reference::prove;
use crate::groth16::{Groth16Proof, ProvingKey, insecure_dev_setup};
use crate::iden3::{Ptau, write_ptau};

/// A circuit with its keys and a satisfying assignment.
pub(crate) struct Circuit {
    pub r1cs: Arc<R1cs>,
    pub key: Arc<ProvingKey>,
    pub assignment: Vec<Fr>,
}

impl Circuit {
    fn new(r1cs: R1cs, assignment: Vec<Fr>) -> Self {
        let (key, _) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
        Self {
            r1cs: Arc::new(r1cs),
            key: Arc::new(key),
            assignment,
        }
    }
}

/// x³ + x + 5 = y and 7·x² = z, with y and z public.
pub(crate) struct Cubic {
    x: Option<Fr>,
}

impl Cubic {
    pub(crate) fn of(x: u64) -> Self {
        let x = Some(Fr::from(x));
        Self { x }
    }

    pub(crate) fn blank() -> Self {
        Self { x: None }
    }
}

impl ConstraintSynthesizer<Fr> for Cubic {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let value = || self.x.ok_or(SynthesisError::AssignmentMissing);
        let cube = |x: Fr| x * x * x + x + Fr::from(5u64);
        let y = FpVar::new_input(cs.clone(), || Ok(cube(value()?)))?;
        let z = FpVar::new_input(cs.clone(), || Ok(value()? * value()? * Fr::from(7u64)))?;
        let x = FpVar::new_witness(cs, value)?;
        let squared = &x * &x;
        (&squared * &x + &x + Fr::from(5u64)).enforce_equal(&y)?;
        (squared * Fr::from(7u64)).enforce_equal(&z)
    }
}

pub(crate) fn small_r1cs() -> R1cs {
    arkworks::r1cs(Cubic::blank()).unwrap()
}

/// The small circuit's full assignment for the secret `x`.
pub(crate) fn small_assignment(x: u64) -> Vec<Fr> {
    let assignment = arkworks::assignment(Cubic::of(x)).unwrap();
    assignment.as_slice().to_vec()
}

pub(crate) fn small() -> &'static Circuit {
    static SMALL: LazyLock<Circuit> =
        LazyLock::new(|| Circuit::new(small_r1cs(), small_assignment(3)));
    &SMALL
}

/// Takes as many public inputs as the small circuit.
pub(crate) fn random_circuit() -> &'static Circuit {
    static RANDOM: LazyLock<Circuit> = LazyLock::new(|| {
        let (r1cs, assignment) = random_r1cs(7, 100, 2, 5);
        Circuit::new(r1cs, assignment)
    });
    &RANDOM
}

/// The statement (y, z) of the small circuit for the secret `x`, proven.
pub(crate) fn proven(x: u64) -> (Vec<Fr>, Groth16Proof) {
    let assignment = small_assignment(x);
    let proof = prove(&small().key, &small().r1cs, &assignment).unwrap();
    (assignment[1..3].to_vec(), proof)
}

/// A random satisfiable circuit: each row multiplies two linear combinations of `terms` earlier variables; C is a
/// new witness variable and one earlier variable.
pub(crate) fn random_r1cs(
    seed: u64,
    constraints: usize,
    public_inputs: usize,
    terms: usize,
) -> (R1cs, Vec<Fr>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut z = vec![Fr::one()];
    z.extend((0..public_inputs).map(|_| Fr::rand(&mut rng)));
    let [mut a, mut b, mut c] = [const { Vec::new() }; 3];
    for _ in 0..constraints {
        let mut combination = |terms: usize| -> Vec<(Fr, usize)> {
            (0..terms)
                .map(|_| (Fr::rand(&mut rng), rng.gen_range(0..z.len())))
                .collect()
        };
        let (left, right, extra) = (combination(terms), combination(terms), combination(1));
        let value = evaluate_constraint(&left, &z) * evaluate_constraint(&right, &z)
            - evaluate_constraint(&extra, &z);
        c.push([extra, vec![(Fr::one(), z.len())]].concat());
        a.push(left);
        b.push(right);
        z.push(value);
    }
    let r1cs = R1cs::new(a, b, c, public_inputs + 1, constraints).unwrap();
    assert_eq!(r1cs.first_unsatisfied(&z), None);
    (r1cs, z)
}

/// A .zkey of a circuit with a domain up to 2^7 that one participant contributed to.
pub(crate) fn zkey(r1cs: &R1cs) -> Vec<u8> {
    static POWERS: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let content = insecure_dev_powers(7, &mut |_, _| {}).unwrap();
        let file = write_ptau(&content, Cursor::new(Vec::new()));
        file.unwrap().into_inner()
    });
    let mut powers = Ptau::open(Cursor::new(POWERS.as_slice())).unwrap();
    let initial = initial_zkey(r1cs, &mut powers, &mut |_, _| {}).unwrap();
    let share = ToxicShare::draw(b"").unwrap();
    let zkey = contribute(initial, share, None, &mut |_, _| {}).unwrap();
    zkey.write(Cursor::new(Vec::new())).unwrap().into_inner()
}

/// Replays matrices into an arkworks constraint system, to compare with ark-groth16's own generator.
pub(crate) struct Replay<'a>(pub &'a R1cs);

impl ConstraintSynthesizer<Fr> for Replay<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let instance = self.0.instance_variables();
        for _ in 1..instance {
            let _ = cs.new_input_variable(|| Ok(Fr::zero()))?;
        }
        for _ in 0..self.0.witness_variables() {
            let _ = cs.new_witness_variable(|| Ok(Fr::zero()))?;
        }
        let combination = |row: &[(Fr, usize)]| {
            LinearCombination(
                row.iter()
                    .map(|(coefficient, variable)| {
                        let variable = match variable {
                            0 => Variable::One,
                            v if *v < instance => Variable::instance(*v),
                            v => Variable::witness(v - instance),
                        };
                        (*coefficient, variable)
                    })
                    .collect(),
            )
        };
        let [a, b, c] = self.0.matrices();
        for ((a, b), c) in a.iter().zip(b).zip(c) {
            cs.enforce_r1cs_constraint(|| combination(a), || combination(b), || combination(c))?;
        }
        Ok(())
    }
}

/// How often a property test draws values: `usual`, or `UKEHI_TEST_ROUNDS` for a longer search.
pub(crate) fn rounds(usual: usize) -> usize {
    let named = std::env::var("UKEHI_TEST_ROUNDS").ok();
    named.map_or(usual, |count| count.parse().expect("a number of rounds"))
}
