use super::*;
use crate::api::MAX_BULK_PART_BYTES;
use crate::keyspace::bulk::refer;
use crate::kv::{Overlay, Read};
use crate::node::runtime::start_store_thread;
use crate::store::MarkFile;
use crate::store::MemoryStore;
use tokio::sync::mpsc;
use ukehi_keys::AuthorKey;
use zeroize::Zeroizing;

const SHARD: ShardId = ShardId(0);
const CLUSTER: ClusterId = ClusterId([3; 32]);

fn author(number: u8) -> AuthorKey {
    AuthorKey::from_secret_bytes(&Zeroizing::new([number; 32]))
}

fn value(number: u8) -> (Vec<u8>, BulkReference) {
    let bytes = vec![number; MAX_BULK_PART_BYTES + 100];
    let reference = BulkReference {
        digest: *blake3::hash(&bytes).as_bytes(),
        length: bytes.len() as u64,
    };
    (bytes, reference)
}

fn signed(by: u8, node: u64, reference: &BulkReference) -> [u8; 64] {
    let parts: [&[u8]; 4] = [
        &CLUSTER.0,
        &node.to_le_bytes(),
        &reference.digest,
        &reference.length.to_le_bytes(),
    ];
    author(by).sign(BULK_UPLOAD_DOMAIN, &parts)
}

/// Node 1, where author 1 is registered, over a store that may have seen an earlier life.
fn area(store: &Arc<MemoryStore>) -> BulkArea {
    let staging = recover(&**store, SHARD).unwrap();
    let (inputs, _events) = mpsc::channel(16);
    let dir = tempfile::tempdir().unwrap();
    let (marks, _) = MarkFile::open(&dir.path().join("mark"), [0; 32]).unwrap();
    let jobs = start_store_thread((store.clone(), marks), inputs);
    let scope = BulkScope {
        cluster: CLUSTER,
        node: NodeId(1),
        shard: SHARD,
        may_upload: Box::new(|found| Ok(*found == author(1).public())),
    };
    BulkArea::new(scope, store.clone(), StoreTasks::new(jobs), staging)
}

async fn begin(area: &BulkArea, reference: BulkReference) -> Begun {
    let signature = signed(1, 1, &reference);
    area.begin(author(1).public(), reference, &signature)
        .await
        .unwrap()
}

async fn upload(area: &BulkArea, bytes: &[u8], reference: BulkReference) -> UploadToken {
    let Begun::Upload(token) = begin(area, reference).await else {
        panic!("it is stored already");
    };
    let mut offset = 0;
    for part in bytes.chunks(MAX_BULK_PART_BYTES) {
        offset = area.part(token, offset, part.to_vec()).await.unwrap();
    }
    token
}

/// As apply does when an entry names the ciphertext.
fn name(store: &MemoryStore, reference: &BulkReference) {
    let mut batch = WriteBatch::new();
    let mut overlay = Overlay::new(store, &mut batch);
    refer(&mut overlay, SHARD, &reference.digest, 9).unwrap();
    store.commit(&batch, true).unwrap();
}

fn rows(store: &MemoryStore) -> usize {
    let all = store.range(Column::Bulk, &[], &[0xff; 64], usize::MAX);
    all.unwrap().len()
}

#[tokio::test]
async fn strangers_and_uploads_signed_for_another_node_or_value_are_refused() {
    let store = Arc::new(MemoryStore::new());
    let area = area(&store);
    let (_, reference) = value(1);
    let (_, other) = value(2);
    let stranger = area
        .begin(author(2).public(), reference, &signed(2, 1, &reference))
        .await;
    assert!(matches!(stranger, Err(BulkError::UnknownAuthor(_))));
    for signature in [
        signed(2, 1, &reference),
        signed(1, 2, &reference),
        signed(1, 1, &other),
    ] {
        let refused = area.begin(author(1).public(), reference, &signature).await;
        assert!(matches!(refused, Err(BulkError::Signature)));
    }
    assert_eq!(rows(&store), 0);
}

#[tokio::test]
async fn a_whole_upload_is_shown_once_an_entry_names_it_and_not_before() {
    let store = Arc::new(MemoryStore::new());
    let area = area(&store);
    let (bytes, reference) = value(1);
    let token = upload(&area, &bytes, reference).await;
    name(&store, &reference);
    assert_eq!(area.find(&reference.digest).unwrap(), None, "not ended yet");
    area.end(token).await.unwrap();
    let found = area.find(&reference.digest).unwrap();
    assert_eq!(found, Some((token, reference.length)));
    let parts = [area.read(&token, 0).unwrap(), area.read(&token, 1).unwrap()];
    assert!(parts.concat() == bytes);
    assert_eq!(begin(&area, reference).await, Begun::Stored);

    let (bytes, unnamed) = value(2);
    let token = upload(&area, &bytes, unnamed).await;
    area.end(token).await.unwrap();
    assert_eq!(area.find(&unnamed.digest).unwrap(), None);
}

#[tokio::test]
async fn a_start_keeps_what_is_whole_or_named_and_removes_what_was_never_finished() {
    let store = Arc::new(MemoryStore::new());
    let first = area(&store);
    let (named, named_reference) = value(1);
    let (whole, whole_reference) = value(2);
    let (cut, cut_reference) = value(3);
    for (bytes, reference) in [(&named, named_reference), (&whole, whole_reference)] {
        let token = upload(&first, bytes, reference).await;
        first.end(token).await.unwrap();
    }
    name(&store, &named_reference);
    let before = rows(&store);
    upload(&first, &cut, cut_reference).await;
    // Its row and two parts; the named one needs no row among the uploads any more.
    assert_eq!(rows(&store), before + 3 - 1);
    drop(first);

    let again = area(&store);
    assert_eq!(rows(&store), before - 1);
    assert_eq!(begin(&again, whole_reference).await, Begun::Stored);
    assert!(again.find(&named_reference.digest).unwrap().is_some());
    assert!(matches!(
        begin(&again, cut_reference).await,
        Begun::Upload(_)
    ));
}

#[tokio::test]
async fn what_an_entry_names_never_makes_room_for_what_none_does() {
    let store = Arc::new(MemoryStore::new());
    let area = area(&store);
    let (bytes, kept) = value(1);
    let token = upload(&area, &bytes, kept).await;
    area.end(token).await.unwrap();
    name(&store, &kept);
    let (bytes, oldest) = value(2);
    let token = upload(&area, &bytes, oldest).await;
    area.end(token).await.unwrap();
    for number in 0..staging::MAX_STAGED_PER_AUTHOR as u8 {
        let (_, reference) = value(100 + number);
        begin(&area, reference).await;
    }
    assert!(area.find(&kept.digest).unwrap().is_some());
    name(&store, &oldest);
    assert_eq!(area.find(&oldest.digest).unwrap(), None, "it made room");
    let late = area.part(token, 0, bytes).await;
    assert!(matches!(late, Err(BulkError::Upload(UploadFault::Unknown))));
}
