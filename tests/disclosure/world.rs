//! A real trail: real seals, real proofs of both statements, the trust root as it is shipped.

use crate::audit_support::{self, SHARD, Trail, author, sign};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use ukehi::audit::disclosure::{
    CheckOptions, DiscloseError, Disclosed, Disclosure, DisclosureError, prepare,
};
use ukehi::batch::{
    Anchor, Groth16Verifier, Header, SealedBatch, open_name, shape_name, slot_list,
};
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::params::{OpenCircuit, epoch_scalar, load_open};
use ukehi::trust::TrustRoot;
use ukehi_circuits::matrices::{Matrices, assignment, circuit_matrices, matrix_digest};
use ukehi_circuits::policy::Opaque;
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{SealedCommands, SlotPlaintext, seal};
use ukehi_circuits::shape::{Form, Shape};
use ukehi_circuits::slot::{Body, Meta, Op, SlotKey};
use ukehi_circuits::{F, Point, Scalar, field, open};
use ukehi_keys::{CircuitParts, CircuitShape, EpochSecret, Manifest, Setup, params};
use ukehi_provers::R1cs;
use ukehi_provers::groth16::reference::prove;
use ukehi_provers::groth16::{ProvingKey, insecure_dev_setup};
use zeroize::Zeroizing;

/// The batch that is disclosed from: five commands, so that its last group has one slot.
pub const ENTRY: u64 = 2;
pub const COMMANDS: u8 = 5;
pub const AUDIENCE: &str = "court of Basel, case 17";

pub struct World {
    pub shape: Shape,
    pub r1cs: R1cs,
    pub key: ProvingKey,
    pub trust: TrustRoot,
    pub trail: Trail,
    pub params: tempfile::TempDir,
    pub open: OpenCircuit,
}

fn made(
    dir: &std::path::Path,
    shape: CircuitShape,
    matrices: Matrices,
) -> (Manifest, R1cs, ProvingKey) {
    let matrix_digest = matrix_digest(&matrices);
    let r1cs = R1cs::new(
        matrices.a,
        matrices.b,
        matrices.c,
        matrices.num_instance_variables,
        matrices.num_witness_variables,
    )
    .unwrap();
    let (key, verifying_key) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
    let parts = CircuitParts {
        shape,
        matrix_digest,
        verifying_key: verifying_key.to_bytes(),
        setup: Setup::insecure_dev(),
    };
    let manifest = params::write(dir, parts, &key.to_bytes()).unwrap();
    (manifest, r1cs, key)
}

pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut world = World::new(Shape::EIGHT);
        for (seq, valid_until) in [(1, 100), (2, 100), (3, 3)] {
            let values: Vec<Vec<u8>> = (0..COMMANDS).map(|j| value(seq, j)).collect();
            let batch = world.sealed(seq, valid_until, &values);
            world.trail.push(&batch);
        }
        world
    })
}

pub fn route_secret() -> RouteSecret {
    RouteSecret::from_bytes(&field::encode(&F::from(4242u64))).unwrap()
}

/// The epoch of `audit_support::genesis`.
pub fn secret() -> Scalar {
    let secret = EpochSecret::from_secret_bytes(&Zeroizing::new([5; 32])).unwrap();
    epoch_scalar(&secret)
}

pub fn value(seq: u64, j: u8) -> Vec<u8> {
    match j {
        // Not text, and text that looks as if it were not.
        3 => vec![0xff, 0xfe],
        4 => b"hex:00".to_vec(),
        _ => format!("chart opened, {seq}/{j}").into_bytes(),
    }
}

impl World {
    /// A cluster with one batch circuit and the disclosure circuit of its class.
    pub fn new(shape: Shape) -> Self {
        let params = tempfile::tempdir().unwrap();
        let (dir, class) = (params.path(), shape.class());
        let (sealing, r1cs, key) = made(dir, shape_name(shape), circuit_matrices(&Opaque, shape));
        let (opening, ..) = made(dir, open_name(class), open::circuit_matrices(class));
        let circuits = vec![sealing, opening];
        let mut genesis = audit_support::genesis(1);
        genesis.circuits = circuits.iter().map(Manifest::circuit_id).collect();
        genesis.keyspaces[0].epochs[0].route_commitment =
            field::encode(&route_secret().commitment());
        genesis.check().unwrap();
        let proofs = Groth16Verifier::new(&circuits).unwrap();
        let open = load_open(dir, class, Some(&genesis.circuits)).unwrap();
        Self {
            shape,
            r1cs,
            key,
            trail: Trail::judged_by(genesis.clone(), Arc::new(proofs)),
            trust: TrustRoot { genesis, circuits },
            params,
            open,
        }
    }

    pub fn sealed(&self, seq: u64, valid_until: u64, values: &[Vec<u8>]) -> SealedBatch {
        self.sealed_as(1, values, |header| {
            header.author_seq = seq;
            header.valid_until = valid_until;
        })
    }

    /// With another header than the log would take, sealed, proven and signed as if it were good.
    pub fn sealed_as(
        &self,
        by: u8,
        values: &[Vec<u8>],
        change: impl FnOnce(&mut Header),
    ) -> SealedBatch {
        self.sealed_on(&self.trail, by, values, change)
    }

    /// For another log with these circuits.
    pub fn sealed_on(
        &self,
        trail: &Trail,
        by: u8,
        values: &[Vec<u8>],
        change: impl FnOnce(&mut Header),
    ) -> SealedBatch {
        let epoch = &trail.genesis.keyspaces[0].epochs[0];
        let epoch_key = Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap();
        let size = trail.size();
        let metas = values.iter().map(|value| Meta {
            op: Op::Put,
            body_len: value.len() as u16,
            cell_count: 0,
        });
        let mut header = Header {
            cluster: trail.genesis.cluster_id(),
            shard: SHARD,
            keyspace: KeyspaceId(1),
            circuit: self.trust.genesis.circuits[0],
            epoch: EpochId(1),
            epoch_key,
            route_commitment: route_secret().commitment(),
            policy_digest: F::from(0u64),
            author: author(by).public(),
            author_seq: 1,
            valid_until: 100,
            anchor: Anchor {
                size,
                root: trail.root(size),
            },
            slots: values.len() as u8,
            slot_list: slot_list(metas.map(|meta| (meta, None))),
        };
        change(&mut header);
        let slots: Vec<SlotPlaintext> = (0u8..)
            .zip(values)
            .map(|(j, value)| {
                SlotPlaintext::put(
                    SlotKey::new(format!("patient/{j}").as_bytes()).unwrap(),
                    Body::new(self.shape.class(), value).unwrap(),
                )
            })
            .collect();
        let SealedCommands {
            statement, witness, ..
        } = seal(
            &Opaque,
            self.shape,
            header.ctx(),
            &header.epoch_key,
            &route_secret(),
            &slots,
            header.digest(),
        )
        .unwrap();
        let assignment = assignment(&Opaque, &statement, &witness).unwrap();
        let proof = prove(&self.key, &self.r1cs, assignment.as_slice()).unwrap();
        let mut batch = SealedBatch {
            header,
            ephemeral: statement.ephemeral,
            slots: statement.slots.clone(),
            bulk: vec![None; values.len()],
            proof: proof.to_bytes(),
            signature: [0; 64],
        };
        sign(&mut batch, by);
        batch
    }

    pub fn disclose_from(
        &self,
        bundle: &[u8],
        entry: u64,
        slot: u8,
        audience: &str,
    ) -> Result<Disclosure, DiscloseError> {
        self.disclose_by(secret(), bundle, entry, slot, audience)
    }

    /// With the secret of another epoch.
    pub fn disclose_by(
        &self,
        secret: Scalar,
        bundle: &[u8],
        entry: u64,
        slot: u8,
        audience: &str,
    ) -> Result<Disclosure, DiscloseError> {
        let unproven = prepare(bundle, entry)?.open(
            Form::without_cells(self.shape),
            secret,
            slot,
            audience,
        )?;
        let (statement, witness) = unproven.parts();
        let proof = self.open.prove(statement, witness).unwrap();
        Ok(unproven.finish(self.open.id, &proof))
    }

    pub fn disclose(&self, slot: u8, audience: &str) -> Disclosure {
        let bundle = self.trail.bundle();
        self.disclose_from(&bundle, ENTRY, slot, audience).unwrap()
    }

    pub fn check(&self, disclosure: &Disclosure) -> Result<Disclosed, DisclosureError> {
        disclosure.check(&self.trust, &options(None))
    }

    /// What the checker says of a disclosure's JSON.
    pub fn read(&self, json: &Value) -> Result<Disclosed, DisclosureError> {
        self.check(&Disclosure::from_json(&spelled(json))?)
    }
}

pub fn options(audience: Option<&str>) -> CheckOptions {
    CheckOptions {
        allow_insecure_setup: true,
        audience: audience.map(str::to_owned),
    }
}

/// In the order in which a disclosure is written, which `Value` does not keep.
pub fn spelled(json: &Value) -> String {
    const ORDER: [&str; 16] = [
        "schema",
        "receipt",
        "registry",
        "ephemeral",
        "slot_list",
        "slot",
        "group",
        "path",
        "seal_proof",
        "signature",
        "audience",
        "plaintext",
        "key",
        "value",
        "open_circuit",
        "open_proof",
    ];
    const RECEIPT: [&str; 7] = [
        "schema",
        "author",
        "seq",
        "record",
        "header",
        "inclusion",
        "note",
    ];
    const CHANGE: [&str; 3] = ["record", "change", "inclusion"];
    const INNER: [(&str, &[&str]); 2] = [
        (
            "record",
            &["index", "kind", "header_digest", "x", "outcome"],
        ),
        ("inclusion", &["index", "size", "path"]),
    ];
    let object = |value: &Value, order: &[&str], inner: &dyn Fn(&str, &Value) -> String| {
        assert_eq!(value.as_object().unwrap().len(), order.len());
        let fields: Vec<String> = order
            .iter()
            .map(|name| format!("{:?}:{}", name, inner(name, &value[*name])))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    let plain = |_: &str, value: &Value| value.to_string();
    let list = |value: &Value, order: &[&str]| {
        let items: Vec<String> = value
            .as_array()
            .unwrap()
            .iter()
            .map(|item| object(item, order, &plain))
            .collect();
        format!("[{}]", items.join(","))
    };
    let receipt = |name: &str, value: &Value| match INNER.iter().find(|(n, _)| *n == name) {
        Some((_, order)) => object(value, order, &plain),
        None => value.to_string(),
    };
    let changes = |value: &Value| {
        let items = value.as_array().unwrap().iter();
        let items: Vec<String> = items.map(|c| object(c, &CHANGE, &receipt)).collect();
        format!("[{}]", items.join(","))
    };
    object(json, &ORDER, &|name, value| match name {
        "receipt" => object(value, &RECEIPT, &receipt),
        "registry" => changes(value),
        "slot_list" => list(value, &["meta", "bulk"]),
        "group" => list(value, &["route", "cell", "ciphertext"]),
        _ => value.to_string(),
    })
}
