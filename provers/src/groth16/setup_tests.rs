use super::*;
use crate::arkworks;
use crate::groth16::reference::prove;
use crate::groth16::verify;
use crate::testing::{self, Replay, small};
use ark_groth16::Groth16;
use ark_std::UniformRand;
use ark_std::rand::{SeedableRng, rngs::StdRng};

#[test]
fn replaying_the_matrices_gives_identical_matrices() {
    let (random, _) = testing::random_r1cs(5, 60, 3, 4);
    for r1cs in [&random, &*small().r1cs] {
        let replayed = arkworks::r1cs(Replay(r1cs)).unwrap();
        assert_eq!(replayed.matrices(), r1cs.matrices());
        assert_eq!(replayed.digest(), r1cs.digest());
    }
}

/// The generator of ark-groth16, given the same trapdoor, on the replayed matrices.
#[test]
fn the_keys_are_those_of_arks_generator() {
    let (random, _) = testing::random_r1cs(6, 60, 3, 4);
    for r1cs in [&random, &*small().r1cs] {
        let mut rng = StdRng::seed_from_u64(9);
        let [alpha, beta, gamma, delta] = [(); 4].map(|()| Fr::rand(&mut rng));
        let tau = domain(r1cs.domain_size()).sample_element_outside_domain(&mut rng.clone());
        let ark = Groth16::<Bn254, CircomReduction>::generate_parameters_with_qap(
            Replay(r1cs),
            alpha,
            beta,
            gamma,
            delta,
            G1Projective::generator(),
            G2Projective::generator(),
            &mut rng,
        )
        .unwrap();
        let trapdoor = Trapdoor {
            alpha,
            beta,
            gamma,
            delta,
            tau,
        };
        let ours = generate(r1cs, &trapdoor, |_| {});
        assert!(*ours.points() == ark, "the keys differ");
    }
}

#[test]
fn two_setups_of_one_circuit_share_nothing_and_gamma_is_not_delta() {
    let (one, _) = insecure_dev_setup(&small().r1cs, |_| {}).unwrap();
    let (two, vk) = insecure_dev_setup(&small().r1cs, |_| {}).unwrap();
    assert_eq!(two.verifying_key(), &vk);
    let (one, two) = (&one.points().vk, &two.points().vk);
    assert_ne!(one.alpha_g1, two.alpha_g1);
    assert_ne!(one.beta_g2, two.beta_g2);
    assert_ne!(one.gamma_g2, two.gamma_g2);
    assert_ne!(one.delta_g2, two.delta_g2);
    assert_ne!(two.gamma_g2, two.delta_g2);
}

#[test]
fn progress_runs_through_the_stages_to_the_total() {
    let (r1cs, _) = testing::random_r1cs(10, 9000, 1, 2);
    let mut reports: Vec<SetupProgress> = Vec::new();
    let (key, _) = insecure_dev_setup(&r1cs, |p| reports.push(p)).unwrap();
    assert!(reports.windows(2).all(|w| w[0].done < w[1].done));
    let last = reports.last().unwrap();
    assert_eq!((last.stage, last.done), (SetupStage::LQuery, last.total));
    let p = key.points();
    let made = p.vk.gamma_abc_g1.len()
        + p.a_query.len()
        + p.b_g1_query.len()
        + p.b_g2_query.len()
        + p.h_query.len()
        + p.l_query.len();
    assert_eq!(made, last.total);
    let mut stages: Vec<_> = reports.iter().map(|r| r.stage).collect();
    assert!(stages.len() > 6, "long stages report more than once");
    stages.dedup();
    assert_eq!(stages.len(), 6);
}

#[test]
fn the_smallest_circuit_can_be_set_up_and_proven() {
    // One constraint, no public input: 1 · 1 = w.
    let one = |v| vec![vec![(Fr::from(1u64), v)]];
    let r1cs = R1cs::new(one(0), one(0), one(1), 1, 1).unwrap();
    let (key, _) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
    let proof = prove(&key, &r1cs, &[Fr::from(1u64); 2]).unwrap();
    assert_eq!(verify(key.prepared_verifying_key(), &[], &proof), Ok(()));
}
