//! Sealed, proven batches, each made once for all tests: they share one cluster id.

use super::template::template;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use ukehi::batch::{Anchor, SealedBatch, Verdict};
use ukehi::client::{Put, Sealer};
use ukehi::ids::ShardId;
use ukehi::log::genesis_root;
use ukehi::params;
use ukehi::registry::Registry;
use ukehi_circuits::field;
use ukehi_keys::{AuthorId, AuthorKey, keystore};
use ukehi_provers::pool::{Pool, PoolConfig};

/// One command under one proof.
pub struct Batch {
    pub author: AuthorId,
    pub seq: u64,
    pub x: [u8; 32],
    pub bytes: Vec<u8>,
}

type Made = BTreeMap<(String, u64, String, String), Arc<Batch>>;

struct Corpus {
    sealer: Sealer,
    made: Mutex<Made>,
}

/// Clinic's batch of that sequence; every fourth writes the same key.
pub fn batch(seq: u64) -> Arc<Batch> {
    batch_of(
        "clinic",
        seq,
        &format!("key/{}", seq % 4),
        &format!("value {seq}"),
    )
}

pub fn batch_of(author: &str, seq: u64, key: &str, value: &str) -> Arc<Batch> {
    let corpus = corpus();
    let name = (author.to_owned(), seq, key.to_owned(), value.to_owned());
    let mut made = corpus.made.lock().unwrap_or_else(|e| e.into_inner());
    made.entry(name)
        .or_insert_with(|| Arc::new(corpus.seal(author, seq, key, value)))
        .clone()
}

/// `batch` with the true proof of another: the author's signature, which covers header and x,
/// still verifies, and only the proof is wrong.
pub fn with_proof_of(batch: &Batch, other: &Batch) -> Vec<u8> {
    let mut poisoned = SealedBatch::from_bytes(&batch.bytes).expect("our own batch");
    poisoned.proof = SealedBatch::from_bytes(&other.bytes)
        .expect("our own batch")
        .proof;
    poisoned.to_bytes()
}

fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let template = template();
        let genesis = Arc::new(template.trust.genesis.clone());
        let route = keystore::load(&template.dir.join("client/route.key"), &template.pass)
            .expect("the route key");
        let single = &genesis.circuits[..1];
        let circuits = params::load_all(&template.dir.join("params"), single).expect("parameters");
        let pool = Pool::new(PoolConfig {
            threads: 1,
            queue_limit: 4,
            nice: 10,
        })
        .expect("a prover");
        let (keyspace, epoch) = template.trust.newest_epoch().expect("an epoch");
        let registry = Arc::new(Registry::from_genesis(&genesis, ShardId(0)));
        Corpus {
            sealer: Sealer::new(genesis, registry, keyspace, epoch, route, circuits, pool)
                .expect("a sealer"),
            made: Mutex::default(),
        }
    })
}

impl Corpus {
    fn seal(&self, author: &str, seq: u64, key: &str, value: &str) -> Batch {
        let template = template();
        let file = format!("client/authors/{author}.key");
        let signer: AuthorKey =
            keystore::load(&template.dir.join(Path::new(&file)), &template.pass)
                .expect("an author key");
        let anchor = Anchor {
            size: 1,
            root: genesis_root(template.trust.genesis.cluster_id()),
        };
        let put = Put::inline(key.as_bytes(), value.as_bytes());
        let ticket = self
            .sealer
            .seal(&signer, seq, anchor, &[put])
            .expect("sealed");
        let sealed = ticket.finish(&signer).expect("proven");
        let verifier = template
            .trust
            .batch_verifier(ShardId(0))
            .expect("a verifier");
        let verdict = verifier.verify(&[sealed.bytes.clone().into()]).remove(0);
        let Verdict::Valid(verified) = verdict else {
            panic!("our own batch is {verdict:?}");
        };
        Batch {
            author: signer.public(),
            seq,
            x: field::encode(verified.x()),
            bytes: sealed.bytes,
        }
    }
}
