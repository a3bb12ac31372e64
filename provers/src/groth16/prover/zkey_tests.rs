use std::io::Cursor;
use std::sync::LazyLock;

use super::*;
use crate::arkworks;
use crate::groth16::{Cores, Groth16Proof, ProveError, verify};
use crate::kernel::Kernel;
use crate::testing::{self, Replay};
use ark_bn254::Fr;
use ark_ff::{One, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError,
};

/// A circuit with a key that one participant contributed to, as its file.
struct Made {
    r1cs: fn() -> R1cs,
    zkey: Vec<u8>,
    assignment: Vec<Fr>,
}

fn random(seed: u64) -> (R1cs, Vec<Fr>) {
    testing::random_r1cs(seed, 30, 2, 3)
}

static MADE: LazyLock<[Made; 2]> = LazyLock::new(|| {
    type Circuit = (fn() -> R1cs, Vec<Fr>);
    let circuits: [Circuit; 2] = [
        (testing::small_r1cs, testing::small_assignment(3)),
        (|| random(51).0, random(51).1),
    ];
    circuits.map(|(r1cs, assignment)| Made {
        r1cs,
        zkey: testing::zkey(&r1cs()),
        assignment,
    })
});

fn read(zkey: &[u8]) -> Zkey {
    Zkey::read(Cursor::new(zkey)).unwrap()
}

fn options() -> ProverOptions {
    ProverOptions::new(Kernel::detect().unwrap())
}

fn alone(zkey: Zkey) -> Prover {
    Prover::from_zkey(zkey, options()).unwrap()
}

fn with(zkey: Zkey, r1cs: R1cs) -> Result<Prover, ZkeyProverError> {
    Prover::from_zkey_and_r1cs(zkey, Arc::new(r1cs), options())
}

/// The provers of a key alone and with its circuit.
fn both(made: &Made, kernel: Kernel) -> [Prover; 2] {
    let options = || ProverOptions::new(kernel);
    let r1cs = Arc::new((made.r1cs)());
    let alone = Prover::from_zkey(read(&made.zkey), options());
    let with = Prover::from_zkey_and_r1cs(read(&made.zkey), r1cs, options());
    [alone.unwrap(), with.unwrap()]
}

/// Both of each key on every kernel.
fn every_kernel() -> impl Iterator<Item = (&'static Made, [Prover; 2])> {
    let pairs = MADE
        .iter()
        .flat_map(|made| Kernel::all().into_iter().map(move |kernel| (made, kernel)));
    pairs.map(|(made, kernel)| (made, both(made, kernel)))
}

fn prove(prover: &Prover, z: &[Fr]) -> Result<Groth16Proof, ProveError> {
    prover.prove(z, Cores::One)
}

#[test]
fn a_key_proves_alone_and_with_its_circuit_and_each_ones_key_verifies_the_others_proof() {
    for (made, [alone, with]) in every_kernel() {
        let z = &made.assignment;
        for prover in [&alone, &with] {
            let proof = prove(prover, z).unwrap();
            for judge in [&alone, &with] {
                let statement = judge.statement(z).unwrap();
                assert_eq!(statement, &z[1..3]);
                let key = judge.key().prepared_verifying_key();
                assert_eq!(verify(key, statement, &proof), Ok(()));
            }
        }
    }
}

#[test]
fn a_broken_assignment_is_named_by_its_row_with_the_circuit_and_rejected_without() {
    for (made, [alone, with]) in every_kernel() {
        let r1cs = (made.r1cs)();
        for variable in 1..made.assignment.len().min(20) {
            let mut z = made.assignment.clone();
            z[variable] += Fr::one();
            let constraint = r1cs.first_unsatisfied(&z).expect("z was broken");
            assert_eq!(
                prove(&with, &z),
                Err(ProveError::Unsatisfied { constraint })
            );
            assert_eq!(prove(&alone, &z), Err(ProveError::ProofRejected));
        }
    }
}

#[test]
fn an_assignment_of_another_circuit_or_without_its_one_is_refused() {
    let [small, random] = &*MADE;
    for prover in Kernel::all()
        .into_iter()
        .flat_map(|kernel| both(small, kernel))
    {
        let expected = small.assignment.len();
        for wrong in [&random.assignment[..], &[], &small.assignment[1..]] {
            let actual = wrong.len();
            let length = ProveError::AssignmentLength { expected, actual };
            assert_eq!(prove(&prover, wrong), Err(length.clone()));
            assert_eq!(prover.statement(wrong), Err(length));
        }
        let mut z = small.assignment.clone();
        z[0] = Fr::zero();
        assert_eq!(prove(&prover, &z), Err(ProveError::NoConstant));
    }
}

#[test]
fn a_key_of_another_circuit_is_refused_beside_an_r1cs_of_the_same_shape() {
    // Same shape, other coefficients.
    let [small, _] = &*MADE;
    let twin = random(52).0;
    let refused = |zkey, r1cs| with(read(zkey), r1cs).unwrap_err();
    let error = refused(&MADE[1].zkey, twin);
    assert!(
        matches!(
            error,
            ZkeyProverError::OtherCircuit {
                matrix: MatrixName::A,
                row: 0
            }
        ),
        "{error}"
    );
    let error = refused(&small.zkey, random(51).0);
    assert!(matches!(error, ZkeyProverError::Key(_)), "{error}");
    // The last instance row in B instead of A.
    let mut longer = read(&MADE[1].zkey);
    let entry = longer.coefficients.len() - 44;
    longer.coefficients[entry] = 1;
    let error = with(longer, (MADE[1].r1cs)()).unwrap_err();
    assert!(
        matches!(
            error,
            ZkeyProverError::OtherCircuit {
                matrix: MatrixName::A,
                row: 32
            }
        ),
        "{error}"
    );
}

#[test]
fn a_row_written_in_another_order_with_parts_and_zeros_is_the_same_row() {
    let made = &MADE[1];
    let r1cs = (made.r1cs)();
    let [mut a, b, c] = r1cs.matrices().clone();
    let (coefficient, variable) = a[3][0];
    a[3].reverse();
    a[3].last_mut().unwrap().0 = coefficient - Fr::from(5u64);
    a[3].insert(0, (Fr::from(5u64), variable));
    a[3].push((Fr::zero(), 9));
    let spelled = R1cs::new(a, b, c, 3, 30).unwrap();
    let prover = with(read(&made.zkey), spelled).unwrap();
    assert!(prove(&prover, &made.assignment).is_ok());
}

#[test]
fn a_damaged_key_never_yields_a_proof() {
    let made = &MADE[1];
    type Damage = fn(&mut Zkey);
    let damages: [Damage; 5] = [
        |k| k.l.swap(3, 4),
        |k| k.h.swap(0, 1),
        |k| k.a.swap(5, 6),
        |k| k.b_g2.swap(8, 9),
        |k| k.inputs.swap(1, 2),
    ];
    for damage in damages {
        let damaged = || {
            let mut zkey = read(&made.zkey);
            damage(&mut zkey);
            zkey
        };
        let (alone, with) = (alone(damaged()), with(damaged(), (made.r1cs)()).unwrap());
        let z = &made.assignment;
        assert_eq!(prove(&alone, z), Err(ProveError::ProofRejected));
        assert_eq!(prove(&with, z), Err(ProveError::SelfCheckFailed));
    }
}

#[test]
fn a_key_nobody_contributed_to_is_refused() {
    let made = &MADE[0];
    let mut zkey = read(&made.zkey);
    zkey.header.delta_g2 = zkey.header.gamma_g2;
    let error = Prover::from_zkey(zkey, options()).unwrap_err();
    assert!(
        matches!(error, ZkeyProverError::Key(KeyError::GammaIsDelta)),
        "{error}"
    );
}

#[test]
fn an_arkworks_circuit_gives_the_matrices_and_assignments_of_its_synthesis() {
    for circuit in [testing::small(), testing::random_circuit()] {
        let replayed = arkworks::r1cs(Replay(&circuit.r1cs)).unwrap();
        assert_eq!(replayed.variables(), circuit.r1cs.variables());
        assert_eq!(replayed.first_unsatisfied(&circuit.assignment), None);
    }
    let r1cs = arkworks::r1cs(testing::Cubic::blank()).unwrap();
    let prover = with(read(&testing::zkey(&r1cs)), r1cs).unwrap();
    for x in [0, 3, 5] {
        let assignment = arkworks::assignment(testing::Cubic::of(x)).unwrap();
        assert_eq!(assignment.as_slice(), testing::small_assignment(x));
        let proof = prove(&prover, assignment.as_slice()).unwrap();
        let statement = prover.statement(assignment.as_slice()).unwrap();
        let key = prover.key().prepared_verifying_key();
        assert_eq!(verify(key, statement, &proof), Ok(()));
    }
}

/// Two of its variables are equal, said in a predicate that is not R1CS's.
struct Equal(Option<Fr>);

impl ConstraintSynthesizer<Fr> for Equal {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        use ark_relations::gr1cs::predicate::PredicateConstraintSystem;
        let value = || self.0.ok_or(SynthesisError::AssignmentMissing);
        let [x, y] = [
            cs.new_witness_variable(value)?,
            cs.new_witness_variable(value)?,
        ];
        let equal = PredicateConstraintSystem::new_polynomial_predicate_cs(
            2,
            vec![(Fr::one(), vec![(0, 1)]), (-Fr::one(), vec![(1, 1)])],
        );
        cs.register_predicate("equal", equal)?;
        let of = LinearCombination::from;
        cs.enforce_constraint_arity_2("equal", || of(x), || of(y))
    }
}

#[test]
fn other_predicates_and_missing_values_are_typed_errors() {
    let error = arkworks::r1cs(Equal(None)).unwrap_err();
    assert!(
        matches!(&error, arkworks::ArkworksError::NotR1cs { label } if label == "equal"),
        "{error}"
    );
    let Err(error) = arkworks::assignment(Equal(None)) else {
        panic!("there is no value to assign");
    };
    assert!(
        matches!(
            error,
            arkworks::ArkworksError::Synthesis(SynthesisError::AssignmentMissing)
        ),
        "{error}"
    );
}
