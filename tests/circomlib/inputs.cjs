// What goes into each circuit, and the public inputs that must come out, computed without circom (circomlibjs, and
// node's own SHA-256): node inputs.cjs MODULES DIR writes DIR/NAME.input.json and DIR/NAME.expected.json.
"use strict";
const fs = require("fs");
const path = require("path");
const { createHash } = require("crypto");
const [modules, dir] = process.argv.slice(2);
const { createRequire } = require("module");
const { buildPoseidon, buildEddsa } = createRequire(
    path.join(modules, "circomlibjs", "package.json"))("circomlibjs");

const put = (name, input, expected) => {
    const text = (value) => JSON.stringify(value, (_, v) => (typeof v === "bigint" ? v.toString() : v));
    fs.writeFileSync(path.join(dir, `${name}.input.json`), text(input));
    fs.writeFileSync(path.join(dir, `${name}.expected.json`), text(expected.map(String)));
};
const bits = (bytes) => [...bytes].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((i) => (byte >> i) & 1));

(async () => {
    const poseidon = await buildPoseidon();
    const hash = (left, right) => poseidon.F.toObject(poseidon([left, right]));
    put("poseidon", { inputs: [17n, 42n] }, [hash(17n, 42n)]);

    const eddsa = await buildEddsa();
    const number = (element) => eddsa.F.toObject(element);
    const secret = Buffer.alloc(32, 7);
    const message = 1234567890123456789n;
    const signature = eddsa.signPoseidon(secret, eddsa.F.e(message));
    const [Ax, Ay] = eddsa.prv2pub(secret).map(number);
    const [R8x, R8y] = signature.R8.map(number);
    put("eddsa", { enabled: 1n, Ax, Ay, S: signature.S, R8x, R8y, M: message }, [1n, Ax, Ay, message]);

    const preimage = Buffer.from("thirty-two bytes nobody can know");
    put("sha256", { in: bits(preimage) }, bits(createHash("sha256").update(preimage).digest()));

    const depth = 20;
    const leaf = 99n;
    const sibling = Array.from({ length: depth }, (_, level) => BigInt(1000 + level));
    const right = sibling.map((_, level) => (0b10110011100011110000 >> level) & 1);
    const root = sibling.reduce(
        (node, other, level) => (right[level] ? hash(other, node) : hash(node, other)), leaf);
    put("merkle", { root, leaf, sibling, right }, [root]);
    process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
