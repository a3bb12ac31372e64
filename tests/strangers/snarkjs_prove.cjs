// Makes, with snarkjs alone, a circuit (x * x = y, y public), its powers of tau, its set-up and one proof, and
// writes the three files into the directory given: node snarkjs_prove.cjs MODULES DIR
"use strict";
const fs = require("fs");
const path = require("path");
const [modules, dir] = process.argv.slice(2);
const { createRequire } = require("module");
const snarkjs = createRequire(path.join(modules, "snarkjs", "package.json"))("snarkjs");

const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const field = (n) => Buffer.from(n.toString(16).padStart(64, "0"), "hex").reverse();
const term = (wire, coefficient) => Buffer.concat([u32(1), u32(wire), field(coefficient)]);
const section = (kind, body) => Buffer.concat([u32(kind), u64(body.length), body]);
const file = (magic, version, ...sections) =>
    new Uint8Array(Buffer.concat([Buffer.from(magic), u32(version), u32(sections.length), ...sections]));

// Wires: 1, y, x.
const r1cs = file("r1cs", 1,
    section(1, Buffer.concat([u32(32), field(R), u32(3), u32(1), u32(0), u32(1), u64(3), u32(1)])),
    section(2, Buffer.concat([term(2, 1n), term(2, 1n), term(1, 1n)])),
    section(3, Buffer.concat([u64(0), u64(1), u64(2)])));
const wtns = file("wtns", 2,
    section(1, Buffer.concat([u32(32), field(R), u32(3)])),
    section(2, Buffer.concat([field(1n), field(81n), field(9n)])));

const mem = (data) => (data ? { type: "mem", data } : { type: "mem" });

(async () => {
    const curve = await snarkjs.curves.getCurveFromName("bn128");
    const [tau0, tau1, tau2, zkey0, zkey1] = [mem(), mem(), mem(), mem(), mem()];
    await snarkjs.powersOfTau.newAccumulator(curve, 4, tau0);
    await snarkjs.powersOfTau.contribute(tau0, tau1, "one", "entropy one");
    await snarkjs.powersOfTau.preparePhase2(tau1, tau2);
    await snarkjs.zKey.newZKey(mem(r1cs), tau2, zkey0);
    await snarkjs.zKey.contribute(zkey0, zkey1, "two", "entropy two");
    const key = await snarkjs.zKey.exportVerificationKey(zkey1);
    const { proof, publicSignals } = await snarkjs.groth16.prove(zkey1, mem(wtns));
    const put = (name, value) => fs.writeFileSync(path.join(dir, name), JSON.stringify(
        value, (_, v) => (typeof v === "bigint" ? v.toString() : v), 1));
    put("verification_key.json", key);
    put("proof.json", proof);
    put("public.json", publicSignals);
    process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
