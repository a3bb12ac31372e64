//! Looks for secrets in everything the binary printed and in the nodes' logs.

use crate::run::{Net, PRINTED};
use ark_ff::{BigInteger, PrimeField};
use std::fs;
use ukehi_keys::{EpochSecret, NodeKey, Passphrase, RouteKey, keystore};

pub fn nowhere(net: &Net) {
    let client = net.dir().join("client");
    let pass = Passphrase::from_file(&client.join("pass")).unwrap();
    let mut secrets = vec![("the passphrase".to_owned(), pass.expose().to_owned())];
    let mut key = |name: &str, bytes: Vec<u8>| {
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        secrets.push((name.to_owned(), hex::encode(bytes)));
        secrets.push((name.to_owned(), hex::encode(reversed)));
    };
    for id in 1..=3 {
        let path = net.dir().join(format!("node{id}/node.key"));
        let node: NodeKey = keystore::load(&path, &pass).unwrap();
        key("a node's key", node.secret_bytes().to_vec());
    }
    let epoch: EpochSecret = keystore::load(&client.join("epochs/1-1.key"), &pass).unwrap();
    key(
        "the epoch's secret",
        epoch.scalar().into_bigint().to_bytes_le(),
    );
    let route: RouteKey = keystore::load(&client.join("route.key"), &pass).unwrap();
    key("the route key", route.element().into_bigint().to_bytes_le());

    let mut places = vec![("printed".to_owned(), PRINTED.lock().unwrap().clone())];
    for id in 1..=3 {
        let log = net.dir().join(format!("node{id}/log"));
        places.push((format!("node {id}'s log"), fs::read_to_string(log).unwrap()));
        let config = net.dir().join(format!("node{id}/config.toml"));
        places.push((
            format!("node {id}'s config"),
            fs::read_to_string(config).unwrap(),
        ));
    }
    let trust = fs::read_to_string(net.dir().join("trust.json")).unwrap();
    places.push(("trust.json".to_owned(), trust));
    let cluster = net.started["cluster"].as_str().unwrap();
    assert!(
        places[0].1.contains(cluster),
        "what was printed was not kept"
    );
    for (place, text) in &places {
        let text = text.to_lowercase();
        for (name, secret) in &secrets {
            assert!(
                !text.contains(&secret.to_lowercase()),
                "{name} is in: {place}"
            );
        }
    }
}
