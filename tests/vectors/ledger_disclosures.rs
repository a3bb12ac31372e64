//! Vectors of disclosures from a log with registry changes: circuits it activated, an author it revoked.

use crate::audit_support::Trail;
use crate::disclosures::{altered, proven};
use crate::file::Vectors;
use crate::ledger::{BY_REVOKED, GUARDED, Ledger, RETIRED_CIRCUIT, TRANSFER};
use crate::operations::secret_of;
use serde_json::{Value, json};
use ukehi::audit::disclosure::prepare;
use ukehi::log::Outcome;
use ukehi::params::{OpenCircuit, epoch_scalar};
use ukehi_circuits::shape::{CellUse, Form, Shape};

fn disclose(circuit: &OpenCircuit, bundle: &[u8], entry: u64, slot: u8) -> String {
    let form = Form {
        shape: Shape::EIGHT,
        cells: CellUse::Allowed,
    };
    let secret = epoch_scalar(&secret_of(2));
    let prepared = prepare(bundle, entry).unwrap();
    let unproven = prepared.open(form, secret, slot, "court of Basel, case 17");
    proven(circuit, unproven.unwrap())
}

/// The log as it stood before the entry at `size`.
fn prefix(trail: &Trail, size: u64) -> Trail {
    let mut shorter = trail.clone();
    shorter.entries.truncate(size as usize);
    shorter
}

pub fn write(ledger: &Ledger<'_>) {
    let mut vectors = Vectors::new("disclosure");
    let (world, trail) = (ledger.world, &ledger.trail);
    let whole = trail.bundle();
    let update = disclose(&world.open, &whole, TRANSFER, 0);
    vectors.accept(
        "an update under a circuit that the log activated and, later, retired",
        update.clone(),
    );
    let range = trail.range(GUARDED, GUARDED + 1);
    let guard = disclose(&world.open, &range, GUARDED, 1);
    vectors.accept("a guard of an author revoked later, from a range", guard);
    let earlier = prefix(trail, BY_REVOKED).bundle();
    let later = disclose(&world.open_later, &earlier, TRANSFER, 1);
    vectors.accept(
        "an opening under a circuit activated behind the batch",
        later,
    );

    vectors.refuse(
        "an opening under a retired circuit",
        "a change shown has retired it",
        disclose(&world.open_later, &whole, TRANSFER, 1),
    );
    for (name, reason, at) in [
        (
            "a batch of a revoked author",
            "the changes before it say so",
            BY_REVOKED,
        ),
        (
            "a batch under a retired circuit",
            "the changes before it say so",
            RETIRED_CIRCUIT,
        ),
    ] {
        let mut forged = trail.clone();
        forged.entries[at as usize].record.outcome = Outcome::Applied;
        let forged = disclose(&world.open, &forged.bundle(), at, 0);
        vectors.refuse(name, reason, forged);
    }
    let changes: Vec<Value> = {
        let value: Value = serde_json::from_str(&update).unwrap();
        value["registry"].as_array().unwrap().clone()
    };
    let mut refuse = |name: &str, reason: &str, change: &dyn Fn(&mut Vec<Value>)| {
        let mut changed = changes.clone();
        change(&mut changed);
        let text = altered(&update, |d| d["registry"] = json!(changed));
        vectors.refuse(name, reason, text);
    };
    refuse(
        "no registry change",
        "nothing activates the circuit",
        &Vec::clear,
    );
    refuse(
        "the activation left out",
        "the next has a number too high",
        &|c| {
            drop(c.remove(0));
        },
    );
    refuse(
        "the void mint left out",
        "the next has a number too high",
        &|c| {
            let void = c.iter().position(|c| c["record"]["outcome"] == "cell_live");
            c.remove(void.expect("it used up its number"));
        },
    );
    refuse("two changes exchanged", "indexes ascend", &|c| c.swap(0, 1));
    refuse("a change twice", "indexes ascend", &|c| {
        c.insert(1, c[0].clone())
    });
    refuse("an outcome changed", "it leads to another root", &|c| {
        c[0]["record"]["outcome"] = json!("cell_live");
    });
    refuse("another change's path", "it leads to another root", &|c| {
        c[1]["inclusion"]["path"] = c[0]["inclusion"]["path"].clone();
    });
    refuse(
        "another change under the record",
        "its digest is another",
        &|c| {
            c[1]["change"] = c[0]["change"].clone();
        },
    );
    refuse(
        "a record of a batch among the changes",
        "it is none",
        &|c| {
            c[0]["record"]["kind"] = json!("batch");
        },
    );
    // Nobody can show that the last was left out: it rests on those who cosigned.
    let last = changes.len() - 1;
    let text = altered(&update, |d| {
        drop(d["registry"].as_array_mut().unwrap().remove(last))
    });
    vectors.accept("the last change left out", text);
    vectors.save("disclosure-registry.json");
}
