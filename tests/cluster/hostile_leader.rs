//! A leader that proposes a batch whose proof is wrong.

use crate::harness::*;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ukehi::batch::{Groth16Verifier, ProofItem, ProofVerifier};
use ukehi::log::Outcome;
use ukehi::node::{NodeConfig, run_with_verifier};
use ukehi::trust::TrustRoot;
use ukehi_circuits::shape::Form;
use ukehi_keys::{CircuitId, Manifest, NodeKey, Passphrase, keystore};

/// Knows the circuits, believes every proof.
struct Credulous(Groth16Verifier);

impl ProofVerifier for Credulous {
    fn form(&self, circuit: &CircuitId) -> Option<Form> {
        self.0.form(circuit)
    }

    fn policy(&self, circuit: &CircuitId) -> Option<&str> {
        self.0.policy(circuit)
    }

    fn with_circuit(&self, _: &Manifest) -> Option<Arc<dyn ProofVerifier>> {
        None
    }

    fn verify_many(&self, items: &[ProofItem<'_>]) -> Vec<bool> {
        vec![true; items.len()]
    }

    fn verify_one(&self, _: &ProofItem<'_>) -> bool {
        true
    }
}

/// No test, but the hostile node's `main`: `Process::hostile` runs this binary with a
/// configuration in the environment. Without one there is nothing to do.
#[test]
fn hostile_node_process() {
    let Some(path) = std::env::var_os(HOSTILE_CONFIG) else {
        return;
    };
    // Our parent holds the other end of standard input: when it is gone, so are we.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let config = NodeConfig::load(Path::new(&path)).expect("a configuration");
    let pass = config.passphrase_file.as_deref().expect("a pass file");
    let pass = Passphrase::from_file(pass).expect("a passphrase");
    let key: NodeKey = keystore::load(&config.key, &pass).expect("the node's key");
    let trust = TrustRoot::load(&config.trust).expect("the trust root");
    let proofs = Arc::new(Credulous(trust.proof_verifier().expect("circuits")));
    let node = run_with_verifier(&config, key, trust, proofs, |_| {}, std::future::pending());
    let ended = runtime().block_on(node);
    panic!("the hostile node ended: {ended:?}");
}

fn poison() -> Vec<u8> {
    with_proof_of(&batch_of("lab", 1, "dose/9", "500 mg"), &batch(1))
}

#[test]
fn followers_refuse_a_poisoned_proposal_quarantine_its_leader_and_elect_another() {
    const HOSTILE: u64 = 1;
    let mut cluster = Cluster::new();
    cluster.start_hostile(HOSTILE);
    cluster.start(2);
    cluster.start(3);
    cluster.leader_among(&[1, 2, 3]);
    let mut receipts = vec![cluster.client(&[1, 2, 3]).write(&batch(1))];
    // Node 3 misses a write and then is node 1's only possible voter: node 1, whose log is the
    // longer one, must win.
    cluster.kill(3);
    receipts.push(cluster.client(&[1, 2]).write(&batch(2)));
    cluster.applied(&[1], receipts[1].record.index);
    cluster.kill(2);
    cluster.start(3);
    assert_eq!(cluster.leader_among(&[1, 3]), HOSTILE);
    cluster.start(2);
    assert_eq!(cluster.leader_among(&[1, 2, 3]), HOSTILE);
    receipts.push(cluster.client(&[1, 2, 3]).write(&batch(3)));
    cluster.applied(&[1, 2, 3], receipts[2].record.index);

    let poison = poison();
    for honest in [2, 3] {
        let refused = cluster.client(&[honest]).submit(&poison).unwrap_err();
        assert!(
            refused.to_string().contains("proof"),
            "node {honest}: {refused}"
        );
    }
    let mut to_hostile = Client::new(cluster.endpoints(&[HOSTILE]), Duration::from_secs(5));
    let poison_sent = poison.clone();
    let submitted = std::thread::spawn(move || to_hostile.submit(&poison_sent));
    // Until an entry of the next leader is committed in the poison's place: an election's time.
    let mut refusing = BTreeSet::new();
    eventually(&format!("nodes 2 and 3 quarantine node {HOSTILE}"), || {
        for honest in [2, 3] {
            let status = cluster.status(honest)?;
            let cases = status["quarantined"].as_array()?;
            if cases.iter().any(|case| case["node"] == HOSTILE) {
                refusing.insert(honest);
            }
        }
        (refusing.len() == 2).then_some(())
    });
    let led = cluster.leader_among(&[2, 3]);
    println!("node {led} leads after node {HOSTILE}'s poison");
    receipts.push(cluster.client(&[2, 3]).write(&batch(4)));
    let submitted = submitted.join().expect("no panic");
    assert!(
        !matches!(submitted, Ok((_, Outcome::Applied))),
        "the hostile node could report {submitted:?}"
    );

    show_the_evidence(&cluster, HOSTILE);
    let last = receipts[3].record.index;
    let trail = cluster.trail(last);
    assert!(!trail.holds(&poison), "the poison stands in the trail");
    assert_eq!(trail.sums("hostile leader", &receipts), Sums::ZERO);
    // The refused node's own log is mended by the new leader.
    cluster.applied(&[1, 2, 3], last);
    let mut client = cluster.client(&[1]);
    for receipt in &receipts {
        let found = client.receipt(&receipt.author, receipt.author_seq);
        assert_eq!(found.map(|f| f.record), Some(receipt.record));
    }
}

/// What the honest nodes hold against the hostile one convinces somebody with the trust root alone;
/// altered, it convicts nobody.
fn show_the_evidence(cluster: &Cluster, hostile: u64) {
    let status = cluster.json(&["status"]);
    let held = status["nodes"].as_array().expect("nodes").iter();
    let held = held.filter(|n| n["node"] != hostile && n["evidence"].as_u64() > Some(0));
    assert_eq!(held.count(), 2, "{status:#}");

    let out = cluster.dir().join("evidence");
    let exported = cluster.json(&["evidence", "--out", out.to_str().expect("a path")]);
    let files = exported["files"].as_array().expect("files");
    let refused = files.iter().filter_map(|f| f.as_str());
    let mut refused = refused.filter(|f| f.contains("refused-entry"));
    let file = refused.next().expect("a refused entry").to_owned();
    let trust = cluster.trust();
    let check = |file: &str, trust: &Path| {
        let trust = trust.to_str().expect("a path");
        let args = [
            "audit", "evidence", file, "--trust", trust, "--output", "json",
        ];
        cluster.ukehi(&args)
    };
    let shown = check(&file, &trust);
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["shows"], "refused-entry");
    assert_eq!(shown["node"], hostile);
    let fault = shown["fault"].as_str().expect("a fault");
    assert!(fault.contains("proof"), "{fault}");

    let text = std::fs::read_to_string(&file).expect("the file");
    let altered = cluster.dir().join("altered.json");
    let altered = altered.to_str().expect("a path");
    let index = shown["index"].as_u64().expect("an index");
    let node = format!("\"node\": {hostile}");
    let last_digit = text.trim_end().rfind('"').expect("a string") - 1;
    let mut flipped = text.clone();
    let other = if &text[last_digit..=last_digit] == "0" {
        "1"
    } else {
        "0"
    };
    flipped.replace_range(last_digit..=last_digit, other);
    for (what, alteration) in [
        ("another node", text.replace(&node, "\"node\": 2")),
        (
            "another index",
            text.replace(&format!("\"index\": {index}"), "\"index\": 1"),
        ),
        ("another content", flipped),
        ("cut", text[..text.len() / 2].to_owned()),
    ] {
        assert_ne!(alteration, text, "{what}");
        std::fs::write(altered, alteration).expect("written");
        let refused = check(altered, &trust);
        assert_eq!(refused.status.code(), Some(10), "{what}: {refused:?}");
    }
    // The cluster of another genesis does not know it.
    let mut elsewhere = TrustRoot::load(&trust).expect("the trust root");
    elsewhere.genesis.name = "elsewhere".into();
    let path = cluster.dir().join("elsewhere.json");
    elsewhere.save(&path).expect("saved");
    assert_eq!(check(&file, &path).status.code(), Some(14));
}

/// The sabotaged build of reliability.md: where every node believes every proof, the sum of
/// unproven entries must show it, and so must the audit.
#[test]
fn a_cluster_without_a_gate_makes_the_sum_of_unproven_entries_non_zero() {
    let mut cluster = Cluster::new();
    for id in 1..=3 {
        cluster.start_hostile(id);
    }
    cluster.leader_among(&[1, 2, 3]);
    let (index, outcome) = cluster
        .client(&[1, 2, 3])
        .submit(&poison())
        .expect("decided");
    assert_eq!(outcome, Outcome::Applied);
    let bundle = cluster.export(index);
    let refused = Trail::audit(&bundle).expect_err("the audit passes an unproven entry");
    assert!(
        refused.to_string().contains(&index.to_string()),
        "{refused}"
    );
    let sums = Trail::read(&bundle).sums("no gate anywhere", &[]);
    assert_eq!(sums.unproven_applied, 1);
}
