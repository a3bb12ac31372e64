//! `ukehi keys solidity`'s contract, compiled by solc and run by an EVM, accepts and refuses what it should.
//!
//! Needs node and the packages of scripts/npm (`make tools`).

use revm::context::TxEnv;
use revm::context_interface::result::{ExecutionResult, Output};
use revm::database::InMemoryDB;
use revm::primitives::{Address, Bytes, TxKind, U256};
use revm::{Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use ukehi_provers::groth16::reference::prove;
use ukehi_provers::groth16::{Assignment, insecure_dev_setup};
use ukehi_provers::iden3::{json as files, solidity};
use ukehi_provers::{Fr, R1cs};

const GAS: u64 = 10_000_000;
const COMPILE: &str = r#"
const { createRequire } = require("module");
const solc = createRequire(process.argv[1] + "/solc/package.json")("solc");
const input = require("fs").readFileSync(0, "utf8");
process.stdout.write(solc.compile(input));
"#;

/// solc's standard JSON in and out; panics on its warnings too.
fn compiled(source: &str) -> (Bytes, Vec<u8>) {
    let tools = std::env::var("UKEHI_NPM")
        .unwrap_or_else(|_| format!("{}/.cache/ukehi/npm", std::env::var("HOME").unwrap()));
    let input = json!({
        "language": "Solidity",
        "sources": { "V.sol": { "content": source } },
        "settings": { "optimizer": { "enabled": true, "runs": 200 },
            "outputSelection": { "*": { "*": ["evm.bytecode.object", "evm.methodIdentifiers"] } } }
    });
    let mut node = Command::new("node")
        .args(["-e", COMPILE, &format!("{tools}/node_modules")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs solc: make tools");
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    let ran = node.wait_with_output().unwrap();
    assert!(ran.status.success(), "solc could not be run: make tools");
    let out: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(out["errors"].is_null(), "{}", out["errors"]);
    let evm = &out["contracts"]["V.sol"][solidity::CONTRACT]["evm"];
    let selectors = evm["methodIdentifiers"].as_object().unwrap();
    let signature = "verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[1])";
    assert_eq!(selectors.len(), 1, "{selectors:?}");
    (
        hex::decode(evm["bytecode"]["object"].as_str().unwrap())
            .unwrap()
            .into(),
        hex::decode(selectors[signature].as_str().unwrap()).unwrap(),
    )
}

struct Contract {
    db: InMemoryDB,
    address: Address,
    selector: Vec<u8>,
}

fn tx(kind: TxKind, nonce: u64, data: Bytes) -> TxEnv {
    TxEnv::builder()
        .kind(kind)
        .nonce(nonce)
        .data(data)
        .gas_limit(GAS)
        .build()
        .unwrap()
}

impl Contract {
    fn deployed(source: &str) -> Self {
        let (code, selector) = compiled(source);
        let mut evm = Context::mainnet()
            .with_db(InMemoryDB::default())
            .build_mainnet();
        let made = evm.transact_commit(tx(TxKind::Create, 0, code)).unwrap();
        let ExecutionResult::Success {
            output: Output::Create(_, Some(address)),
            gas,
            ..
        } = made
        else {
            panic!("not deployed: {made:?}");
        };
        eprintln!("deployed for {} gas", gas.tx_gas_used());
        let db = evm.ctx.journaled_state.database;
        Self {
            db,
            address,
            selector,
        }
    }

    /// What the contract returns, and the gas it took; `None` for a revert or a halt.
    fn call(&self, words: &[U256; 9]) -> (Option<bool>, u64) {
        let mut data = self.selector.clone();
        words
            .iter()
            .for_each(|w| data.extend(w.to_be_bytes::<32>()));
        let mut evm = Context::mainnet().with_db(self.db.clone()).build_mainnet();
        let result = evm
            .transact(tx(TxKind::Call(self.address), 1, data.into()))
            .unwrap()
            .result;
        let answer = match &result {
            ExecutionResult::Success { output, .. } => {
                Some(U256::from_be_slice(output.data()) == U256::ONE)
            }
            _ => None,
        };
        (answer, result.tx_gas_used())
    }
}

/// x · x = y, y public: a proof of 81 as the contract's words a, b, c, input.
fn squared(x: u64) -> (String, [U256; 9]) {
    let row = |variable| vec![vec![(Fr::from(1u64), variable)]];
    let r1cs = R1cs::new(row(2), row(2), row(1), 2, 1).unwrap();
    let (key, verifying_key) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
    let assignment = Assignment::new([1, x * x, x].map(Fr::from).to_vec());
    let proof = prove(&key, &r1cs, assignment.as_slice()).unwrap();
    let proof: Value = serde_json::from_slice(&files::write_proof(&proof)).unwrap();
    let at = |pointer| word(proof.pointer(pointer).unwrap().as_str().unwrap());
    let words = [
        at("/pi_a/0"),
        at("/pi_a/1"),
        at("/pi_b/0/1"),
        at("/pi_b/0/0"),
        at("/pi_b/1/1"),
        at("/pi_b/1/0"),
        at("/pi_c/0"),
        at("/pi_c/1"),
        U256::from(x * x),
    ];
    (
        solidity::verifier_contract(&verifying_key, "a circuit of this test"),
        words,
    )
}

fn word(decimal: &str) -> U256 {
    U256::from_str_radix(decimal, 10).unwrap()
}

#[test]
fn the_contract_takes_a_good_proof_and_nothing_that_was_altered() {
    let (source, good) = squared(9);
    let contract = Contract::deployed(&source);
    let (answer, gas) = contract.call(&good);
    assert_eq!(answer, Some(true));
    eprintln!("a good proof takes {gas} gas");
    assert!(gas < 260_000, "{gas}");

    let q = word("21888242871839275222246405745257275088696311157297823662689037894645226208583");
    let r = word("21888242871839275222246405745257275088548364400416034343698204186575808495617");
    let with = |edits: &[(usize, U256)]| {
        let mut words = good;
        edits.iter().for_each(|(at, value)| words[*at] = *value);
        words
    };
    let zero = U256::ZERO;
    let negated = |at: usize| (at, q - good[at]);
    let cases = [
        ("another input", with(&[(8, U256::from(82))])),
        ("input + r", with(&[(8, good[8] + r)])),
        ("input r", with(&[(8, r)])),
        ("-A", with(&[negated(1)])),
        ("-B", with(&[negated(4), negated(5)])),
        ("-C", with(&[negated(7)])),
        ("A with y + q", with(&[(1, good[1] + q)])),
        ("A with x + q", with(&[(0, good[0] + q)])),
        ("B with x1 + q", with(&[(2, good[2] + q)])),
        ("C with y + q", with(&[(7, good[7] + q)])),
        ("A off the curve", with(&[(0, good[0] + U256::ONE)])),
        ("B off the curve", with(&[(3, good[3] + U256::ONE)])),
        ("C off the curve", with(&[(6, good[6] + U256::ONE)])),
        (
            "B with its halves swapped",
            with(&[(2, good[3]), (3, good[2])]),
        ),
        (
            "A and C swapped",
            with(&[(0, good[6]), (1, good[7]), (6, good[0]), (7, good[1])]),
        ),
        ("A the identity", with(&[(0, zero), (1, zero)])),
        (
            "B the identity",
            with(&[(2, zero), (3, zero), (4, zero), (5, zero)]),
        ),
        ("C the identity", with(&[(6, zero), (7, zero)])),
        ("nothing", [zero; 9]),
        ("all ones", [U256::MAX; 9]),
    ];
    for (what, words) in cases {
        let (answer, _) = contract.call(&words);
        assert_eq!(answer, Some(false), "{what}");
    }
    // The same words still verify: no case above was refused for a reason of its own.
    assert_eq!(contract.call(&good).0, Some(true));
    // A proof under another set-up of the same circuit.
    let (_, other) = squared(9);
    assert_eq!(contract.call(&other).0, Some(false));
}
