"""Readers of docs/formats.md. Each takes bytes or text and returns what was read, or raises Refused."""

import base64
import hashlib
import json
from dataclasses import dataclass

from blake3 import blake3

from crypto import (R, Refused, b3, check, ed_key, ed_verify, frame, groth16_verify, jub_check, poseidon,
                    verifying_key)

INSECURE_CLUSTER = ("INSECURE: a circuit of this cluster comes from a one-party set-up; whoever ran it can forge "
                    "proofs")
INSECURE_SETUP = "INSECURE: whoever ran this set-up can forge proofs"


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check(self.at + count <= len(self.data), "it ends early")
        taken = self.data[self.at:self.at + count]
        self.at += count
        return taken

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def boolean(self):
        value = self.number(1)
        check(value < 2, "a boolean is 0 or 1")
        return value == 1

    def element(self):
        value = self.number(32)
        check(value < R, "a field element is p or more")
        return value

    def point(self):
        point = (self.element(), self.element())
        jub_check(point)
        return point

    def end(self):
        check(self.at == len(self.data), "bytes follow the last field")


# JSON ---------------------------------------------------------------------------------------------


def pairs(items):
    check(len({name for name, _ in items}) == len(items), "a JSON member is repeated")
    return dict(items)


def parse(text):
    """Of text, or of bytes that must be UTF-8."""
    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=lambda _: check(False, "not JSON"))
        # Half of a surrogate pair is no text; Python's reader takes it from an escape.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from None


def canonical(text):
    """JSON in its one spelling, white space between tokens apart."""
    value, dense, quoted, escaped = parse(text), [], False, False
    for char in text:
        if quoted:
            quoted, escaped = escaped or char != '"', not escaped and char == "\\"
        elif char in " \t\n\r":
            continue
        else:
            quoted = char == '"'
        dense.append(char)
    again = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    check("".join(dense) == again, "JSON in another spelling")
    return value


def members(value, *names, ordered=False):
    check(isinstance(value, dict), "a JSON object is missing")
    found = list(value) if ordered else sorted(value)
    check(found == (list(names) if ordered else sorted(names)), f"members {found}")
    return [value[name] for name in names]


def text_of(value, limit=None):
    check(isinstance(value, str) and (limit is None or len(value) <= limit), "a string is missing or too long")
    return value


def integer(value, bits=64):
    check(type(value) is int and 0 <= value < 2**bits, "a number is missing or out of range")
    return value


def unhex(value, length=None):
    check(isinstance(value, str) and value == value.lower() and value.isascii(), "not lower-case hex")
    try:
        data = bytes.fromhex(value)
    except ValueError:
        raise Refused("not hex") from None
    check(data.hex() == value and length in (None, len(data)), "hex of another length")
    return data


def a_list(value, low, high):
    check(isinstance(value, list) and low <= len(value) <= high, "a list is missing, too short or too long")
    return value


def distinct(items):
    check(len(set(items)) == len(items), "an id or key is listed twice")
    return items


# Trust root ---------------------------------------------------------------------------------------


@dataclass
class Epoch:
    key: tuple
    route_commitment: int
    policy: str
    policy_digest: int
    expires: int | None


@dataclass
class Circuit:
    statement: str
    slots: int
    policy: str
    size_class: str
    key: tuple
    insecure: bool


@dataclass
class Trust:
    cluster: bytes
    genesis: bytes
    dev: bool
    nodes: dict
    admins: list
    threshold: int
    keyspaces: dict
    circuits: dict

    @property
    def majority(self):
        return len(self.nodes) // 2 + 1


def u32(value):
    return value.to_bytes(4, "little")


def element_of(hexed):
    data = unhex(hexed, 32)
    return data, Reader(data).element()


NAME = set("abcdefghijklmnopqrstuvwxyz0123456789_")


def read_epoch(value):
    names = ["id", "key", "route_commitment", "policy", "policy_digest"]
    expires = value.get("expires") if isinstance(value, dict) else None
    if expires is not None:
        names.append("expires")
        integer(expires)
    ident, key, commitment, policy, digest = members(value, *names)[:5]
    integer(ident, 32)
    key = unhex(key, 64)
    check(1 <= len(text_of(policy)) <= 32 and set(policy) <= NAME, "not a policy's name")
    (commitment, c), (digest, p) = element_of(commitment), element_of(digest)
    data = u32(ident) + key + commitment + u32(len(policy)) + policy.encode() + digest
    data += b"\0" if expires is None else b"\1" + expires.to_bytes(8, "little")
    return ident, Epoch(Reader(key).point(), c, policy, p, expires), data


def read_authors(value):
    authors = distinct([unhex(author, 32) for author in a_list(value, 1, 4096)])
    for author in authors:
        ed_key(author)
    return authors


def read_family(value):
    policy, authors = members(value, "policy", "authors")
    check(1 <= len(text_of(policy)) <= 32 and set(policy) <= NAME, "not a policy's name")
    return policy, read_authors(authors)


def read_keyspace(value):
    names = ["id", "shard", "authors", "epochs"]
    families = value.get("families", []) if isinstance(value, dict) else []
    if families:
        names.append("families")
    ident, shard, authors, epochs = members(value, *names)[:4]
    authors = read_authors(authors)
    families = [read_family(family) for family in a_list(families, 0, 16)]
    distinct([name for name, _ in families])
    epochs = [read_epoch(epoch) for epoch in a_list(epochs, 1, 256)]
    distinct([epoch[0] for epoch in epochs])
    data = u32(integer(ident, 32)) + u32(integer(shard, 32)) + u32(len(authors)) + b"".join(authors)
    data += u32(len(epochs)) + b"".join(epoch[2] for epoch in epochs)
    data += u32(len(families))
    for name, keys in families:
        data += u32(len(name)) + name.encode() + u32(len(keys)) + b"".join(keys)
    facts = {"shard": shard, "authors": set(authors), "epochs": {e[0]: e[1] for e in epochs},
             "families": dict(families)}
    return ident, facts, data


def read_genesis(value):
    name, nonce, gate, dev, nodes, operators, admins, circuits, keyspaces = members(
        value, "name", "nonce", "gate_version", "dev", "nodes", "operators", "admins", "circuits", "keyspaces")
    check(1 <= len(text_of(name)) <= 64 and all(" " <= char <= "~" for char in name), "a cluster's name")
    check(integer(gate, 16) == 1, "another gate version")
    check(isinstance(dev, bool), "dev is a boolean")
    known = {}
    for node in a_list(nodes, 1, 64):
        ident, key = members(node, "id", "key")
        check(integer(ident) != 0 and ident not in known, "a node id")
        known[ident] = unhex(key, 32)
        ed_key(known[ident])
    distinct(list(known.values()))
    operators = distinct([unhex(key, 32) for key in a_list(operators, 1, 64)])
    for key in operators:
        ed_key(key)
    admins, threshold = members(admins, "keys", "threshold")
    admins = distinct([unhex(key, 32) for key in a_list(admins, 1, 16)])
    for key in admins:
        ed_key(key)
    check(1 <= integer(threshold, 8) <= len(admins), "a threshold that nobody or everybody meets")
    circuits = distinct([unhex(ident, 32) for ident in a_list(circuits, 0, 64)])
    keyspaces = [read_keyspace(keyspace) for keyspace in a_list(keyspaces, 1, 256)]
    distinct([keyspace[0] for keyspace in keyspaces])
    data = b"ukehi/genesis/v1" + u32(len(name)) + name.encode() + unhex(nonce, 32)
    data += gate.to_bytes(2, "little") + bytes([dev])
    data += u32(len(known)) + b"".join(i.to_bytes(8, "little") + key for i, key in known.items())
    data += u32(len(operators)) + b"".join(operators)
    data += u32(len(admins)) + b"".join(admins) + bytes([threshold])
    data += u32(len(circuits)) + b"".join(circuits)
    data += u32(len(keyspaces)) + b"".join(keyspace[2] for keyspace in keyspaces)
    return known, dev, admins, threshold, circuits, {k[0]: k[1] for k in keyspaces}, data


def read_attestation(value, number, announcement):
    """A participant's signed contribution: its name, its key, and what the facts' digest takes of it."""
    name, participant, index, contribution, signature = members(
        value, "name", "participant", "index", "contribution", "signature")
    participant, contribution, signature = unhex(participant, 32), unhex(contribution, 64), unhex(signature, 64)
    check(integer(index, 32) == number, "a contribution out of order")
    signed = frame(b"ukehi/ceremony/attestation/v1", announcement, contribution, u32(index))
    ed_verify(participant, signed, signature)
    return name, participant, [text_of(name).encode(), participant, u32(index), contribution, signature]


def read_ceremony(setup, verifying_key):
    _, announcement, r1cs, ptau, start, contributions, beacon, key = members(
        setup, "kind", "announcement", "r1cs", "ptau", "circuit_hash", "contributions", "beacon", "verifying_key")
    announcement = unhex(announcement, 32)
    made = [read_attestation(one, number, announcement)
            for number, one in enumerate(a_list(contributions, 1, 256), 1)]
    distinct([name for name, _, _ in made])
    distinct([participant for _, participant, _ in made])
    check(unhex(key, 32) == blake3(verifying_key).digest(), "the ceremony ended with another verifying key")
    source, iterations, value, last = members(beacon, "source", "iterations_log2", "value", "contribution")
    parts = [announcement, unhex(r1cs, 32), unhex(ptau, 32), unhex(start, 64), len(made).to_bytes(8, "little")]
    parts += [part for _, _, taken in made for part in taken]
    parts += [text_of(source).encode(), integer(iterations, 8).to_bytes(1, "little"), unhex(value), unhex(last, 64)]
    return b3("ukehi/ceremony/facts/v1", frame(b"facts", *parts, unhex(key, 32)))


def read_manifest(value):
    schema, circuit, shape, matrices, key, proving, setup = members(
        value, "schema", "circuit", "shape", "matrix_digest", "verifying_key", "proving_key", "setup")
    check(schema == "ukehi/params/v1", "another manifest schema")
    statement, policy, slots, size_class = members(shape, "statement", "policy", "slots", "class")
    name, _, version = text_of(statement).partition("/v")
    for part in (name, version, policy, size_class):
        check(1 <= len(text_of(part)) <= 32 and set(part) <= NAME, "a name of a circuit's shape")
    file, digest, length = members(proving, "file", "blake3", "length")
    check(file == f"{name}-{integer(slots, 32)}-{size_class}-{policy}.pk", "a proving key's file of another name")
    unhex(digest, 32)
    integer(length)
    check(isinstance(setup, dict), "a set-up is missing")
    insecure = setup.get("kind") == "insecure-dev"
    if insecure:
        _, warning = members(setup, "kind", "warning")
        check(warning == INSECURE_SETUP, "another warning")
        framed = frame(b"insecure-dev", warning.encode())
    else:
        check(setup.get("kind") == "ceremony", "another kind of set-up")
        framed = frame(b"ceremony", read_ceremony(setup, unhex(key)))
    key = unhex(key)
    facts = frame(text_of(statement).encode(), unhex(matrices, 32), key, u32(integer(slots, 32)),
                  text_of(size_class).encode(), text_of(policy).encode(), b3("ukehi/setup/v1", framed))
    ident = b3("ukehi/circuit-id/v1", facts)
    check(unhex(circuit, 32) == ident, "a manifest's circuit id is not that of its content")
    return ident, Circuit(statement, slots, policy, size_class, verifying_key(key), insecure)


def read_trust(text):
    check(len(text.encode()) <= 4 << 20, "a trust root beyond 4 MiB")
    value = parse(text)
    names = ["schema", "cluster", "genesis", "circuits"]
    if isinstance(value, dict) and "warning" in value:
        names.append("warning")
    schema, cluster, genesis, manifests = members(value, *names)[:4]
    check(schema == "ukehi/trust/v1", "another schema")
    nodes, dev, admins, threshold, circuits, keyspaces, data = read_genesis(genesis)
    check(unhex(cluster, 32) == b3("ukehi/cluster-id/v1", data), "another cluster id")
    manifests = dict(read_manifest(manifest) for manifest in a_list(manifests, 0, 4096))
    for circuit in circuits:
        check(circuit in manifests, "a circuit of genesis has no manifest")
    known = {circuit: manifests[circuit] for circuit in circuits}
    insecure = any(circuit.insecure for circuit in known.values())
    check(value.get("warning") == (INSECURE_CLUSTER if insecure else None), "a warning that does not fit")
    return Trust(unhex(cluster), data, dev, nodes, admins, threshold, keyspaces, known)


# Batch --------------------------------------------------------------------------------------------


@dataclass
class Header:
    data: bytes
    cluster: bytes
    shard: int
    keyspace: int
    circuit: bytes
    epoch: int
    epoch_key: tuple
    route_commitment: int
    policy_digest: int
    author: bytes
    author_seq: int
    valid_until: int
    anchor_size: int
    anchor_root: bytes
    slots: int
    slot_list: bytes

    @property
    def digest(self):
        return b3("ukehi/header/v1", self.data)

    @property
    def ctx(self):
        return int.from_bytes(blake3(b"ukehi/ctx/v1" + self.data).digest()[:31], "little")


@dataclass
class Slot:
    public: bytes
    meta: int
    bulk: bool
    route: int
    cell: tuple
    ciphertext: list


@dataclass
class Batch:
    header: Header
    ephemeral: tuple
    slots: list
    proof: bytes
    signature: bytes


PUT, UPDATE, GUARD, BULK_PUT = OPERATIONS = (1, 2, 3, 4)


def read_header(r):
    start = r.at
    check(r.number(1) == 1, "another header version")
    fields = dict(cluster=r.take(32), shard=r.number(4), keyspace=r.number(4), circuit=r.take(32), epoch=r.number(4),
                  epoch_key=r.point(), route_commitment=r.element(), policy_digest=r.element(), author=r.take(32),
                  author_seq=r.number(8), valid_until=r.number(8), anchor_size=r.number(8), anchor_root=r.take(32),
                  slots=r.number(1), slot_list=r.take(32))
    ed_key(fields["author"])
    return Header(r.data[start:r.at], **fields)


def read_slot(r):
    start = r.at
    meta = r.number(4)
    check(meta & 0xFF in OPERATIONS, "an unknown operation")
    bulk = r.boolean()
    if bulk:
        r.take(32)
        check(r.number(8) <= (16 << 20) + 4128, "a bulk value beyond 16 MiB")
    public = r.data[start:r.at]
    route = r.element()
    cell = (r.element(), r.element()) if meta >> 24 else (0, 0)
    count = r.number(2)
    check(count <= 37, "a ciphertext of more than 37 elements")
    return Slot(public, meta, bulk, route, cell, [r.element() for _ in range(count)])


def read_batch(data):
    check(len(data) <= 128 << 10, "a batch beyond 128 KiB")
    r = Reader(data)
    header = read_header(r)
    ephemeral = r.point()
    check(1 <= header.slots <= 64, "the number of active slots")
    slots = [read_slot(r) for _ in range(header.slots)]
    batch = Batch(header, ephemeral, slots, r.take(128), r.take(64))
    r.end()
    return batch


# Elements of a ciphertext, bytes of a body.
CLASSES = {"short": (7, 155), "long": (37, 1085)}


def group_size(circuit):
    return 1 if circuit.slots == 1 else 2


def check_slots(slots, circuit):
    """What every slot owes to the circuit's class and statement."""
    check(circuit.statement in ("seal/v1", "seal_cells/v1"), "a circuit that is not for batches")
    check(circuit.slots in (1, 8, 64), "a circuit this verifier does not know")
    check(circuit.size_class in CLASSES, "a circuit this verifier does not know")
    elements, body_bytes = CLASSES[circuit.size_class]
    for slot in slots:
        length = slot.meta >> 8 & 0xFFFF
        check(len(slot.ciphertext) == elements, "a ciphertext of another length than the class's")
        check(length <= body_bytes, "a body longer than the class's")
        check(slot.route != 0, "a route of 0")
        check_cell(slot.meta & 0xFF, slot.meta >> 24, slot.cell, length, circuit)
    check(len({slot.route for slot in slots}) == len(slots), "a route occurs twice")


def check_cell(operation, count, cell, length, circuit):
    old, new = cell
    if operation in (PUT, BULK_PUT):
        check(count == 0 and cell == (0, 0), "a cell where the operation has none")
        return
    check(circuit.statement == "seal_cells/v1", "a cell under a circuit without cells")
    check(count == 1, "an update or a guard has one cell")
    check(length >= 31, "a body that cannot hold a cell's value")
    check(new != 0, "a new commitment of 0")
    check(operation == UPDATE or old == new, "a guard that changes its cell")


def leaf(slots, circuit):
    """Of one group; inactive slots are 0."""
    inputs = [value for slot in slots for value in (slot.route, *slot.ciphertext)]
    elements, _ = CLASSES[circuit.size_class]
    plain = poseidon("leaf", *inputs, *[0] * (group_size(circuit) * (1 + elements) - len(inputs)))
    if circuit.statement == "seal/v1":
        return plain
    cells = [value for slot in slots for value in (slot.meta & 0xFF, *slot.cell)]
    return poseidon("cell leaf", plain, *cells, *[0] * (3 * group_size(circuit) - len(cells)))


def public_input(batch, circuit):
    header = batch.header
    check(len(batch.slots) <= circuit.slots, "more slots than the circuit has")
    check_slots(batch.slots, circuit)
    group = group_size(circuit)
    starts = range(0, circuit.slots, group)
    level = [leaf(batch.slots[at:at + group], circuit) for at in starts]
    while len(level) > 1:
        level = [poseidon("node", *level[at:at + 8]) for at in range(0, len(level), 8)]
    return statement_input(header, batch.ephemeral, level[0])


def statement_input(header, ephemeral, root):
    return poseidon("statement", header.ctx, *ephemeral, *header.epoch_key, header.route_commitment,
                    header.policy_digest, root)


def verify_batch(batch, trust, registry, index):
    """What makes a batch valid at an index; returns x."""
    shard = registry.shard
    header = batch.header
    check(header.cluster == trust.cluster, "a batch for another cluster")
    check(header.shard == shard, "a batch for another shard")
    circuit = registry.circuit(index, header.circuit)
    for slot in batch.slots:
        check(slot.bulk == (slot.meta & 0xFF == BULK_PUT), "a bulk reference and an operation that do not fit")
    listed = b"".join(slot.public for slot in batch.slots)
    check(header.slot_list == b3("ukehi/slot-list/v1", listed), "the header vouches for another list of slots")
    check(registry.knows_author(index, header.author), "an author who is not registered")
    x = public_input(batch, circuit)
    verify_seal(header, x, circuit, batch.signature, batch.proof)
    return x


def verify_seal(header, x, circuit, signature, proof):
    message = frame(b"ukehi/batch-signature/v1", header.data, x.to_bytes(32, "little"))
    ed_verify(header.author, message, signature)
    groth16_verify(circuit.key, [x], proof)


# Record, tree, checkpoint -------------------------------------------------------------------------

KINDS = ["genesis", "no_op", "batch", "registry", "membership"]
OUTCOMES = dict(enumerate(["applied", "unknown_keyspace", "unknown_epoch", "wrong_epoch_key", "wrong_route_commitment",
            "wrong_policy", "foreign_author", "expired", "anchor_unknown", "anchor_too_old", "anchor_mismatch",
            "outcome_unknown", "sequence_conflict", "duplicate"]))
OUTCOMES |= dict(enumerate(["author_revoked", "author_after_anchor", "epoch_expired", "epoch_revoked", "epoch_erased",
                            "circuit_unknown_at_index", "circuit_retired", "wrong_policy_family"], 15))
OUTCOMES |= dict(enumerate(["cell_author", "cell_missing", "cell_stale", "cell_not_new", "cell_of_other_family"], 24))
OUTCOMES |= dict(enumerate(["wrong_number", "unknown_admin", "too_few_signatures", "author_exists", "unknown_author",
                            "epoch_exists", "epoch_key_reused", "expiry_in_past", "circuit_exists", "registry_full",
                            "family_exists", "unknown_family", "cell_exists", "cell_live"], 32))
CODES = {name: code for code, name in OUTCOMES.items()}


@dataclass
class Record:
    index: int
    kind: str
    header_digest: bytes
    x: bytes
    outcome: str

    @property
    def data(self):
        kind, outcome = KINDS.index(self.kind), CODES[self.outcome]
        head = self.index.to_bytes(8, "little") + bytes([kind])
        return head + self.header_digest + self.x + outcome.to_bytes(2, "little")


def read_record(data):
    check(len(data) == 75, "a record of another length")
    r = Reader(data)
    index, kind, digest, x, outcome = r.number(8), r.number(1), r.take(32), r.take(32), r.number(2)
    check(kind < len(KINDS), "an unknown kind of entry")
    check(outcome in OUTCOMES, "an unknown outcome")
    return Record(index, KINDS[kind], digest, x, OUTCOMES[outcome])


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(record):
    return sha256(b"\0", record.data)


def node_hash(left, right):
    return sha256(b"\1", left, right)


class Tree:
    """Complete subtrees, largest first, as they tile what was appended."""

    def __init__(self):
        self.peaks, self.size = [], 0

    def add(self, height, digest):
        check(self.size % (1 << height) == 0, "a subtree out of place")
        self.size += 1 << height
        while self.peaks and self.peaks[-1][0] == height:
            digest, height = node_hash(self.peaks.pop()[1], digest), height + 1
        self.peaks.append((height, digest))

    def root(self):
        if not self.peaks:
            return sha256()
        digest = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            digest = node_hash(left, digest)
        return digest


def tiles(start, end):
    """Heights of the complete subtrees that tile [start, end)."""
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        yield height
        start += 1 << height


def root_of_path(index, size, path, leaf):
    """RFC 9162, 2.1.3.2."""
    check(index < size, "an index outside the tree")
    fn, sn, digest = index, size - 1, leaf
    for sibling in path:
        check(sn != 0, "a path that is too long")
        if fn & 1 or fn == sn:
            digest = node_hash(sibling, digest)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            digest = node_hash(digest, sibling)
        fn, sn = fn >> 1, sn >> 1
    check(sn == 0, "a path that is too short")
    return digest


@dataclass
class Checkpoint:
    cluster: bytes
    shard: int
    size: int
    root: bytes
    signers: list


def decimal(text, bits):
    check(text.isascii() and text.isdigit() and (text == "0" or text[0] != "0"), "not a plain decimal")
    value = int(text)
    check(value < 2**bits, "a number out of range")
    return value


def unbase64(text, length):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("not base64") from None
    check(len(data) == length and base64.b64encode(data).decode() == text, "base64 in another spelling")
    return data


def read_checkpoint(note, trust):
    check(len(note.encode()) <= 16 << 10, "a note beyond 16 KiB")
    head, blank, tail = note.partition("\n\n")
    lines = head.split("\n")
    check(blank and len(lines) == 3 and tail.endswith("\n"), "not a note of three lines and cosignatures")
    origin, size, root = lines
    cluster = trust.cluster.hex()
    prefix = f"ukehi/{cluster}/"
    check(origin.startswith(prefix), "a checkpoint of another cluster")
    checkpoint = Checkpoint(trust.cluster, decimal(origin[len(prefix):], 32), decimal(size, 64), unbase64(root, 32), [])
    for line in tail[:-1].split("\n"):
        start = f"— {prefix}node-"
        check(line.startswith(start), "not a cosignature line")
        node, _, blob = line[len(start):].partition(" ")
        ident = decimal(node, 64)
        check(not checkpoint.signers or checkpoint.signers[-1] < ident, "cosignatures out of order")
        check(ident in trust.nodes, "a cosignature of a node that genesis does not name")
        key, data = trust.nodes[ident], unbase64(blob, 76)
        key_id = sha256(f"{prefix}node-{ident}".encode(), b"\n\x04", key)[:4]
        check(data[:4] == key_id, "a wrong key id")
        time = int.from_bytes(data[4:12], "big")
        check(time < 2**63, "a time beyond any clock")
        ed_verify(key, f"cosignature/v1\ntime {time}\n{head}\n".encode(), data[12:])
        checkpoint.signers.append(ident)
    return checkpoint


def counted(note, trust):
    checkpoint = read_checkpoint(note, trust)
    check(len(checkpoint.signers) >= trust.majority, "no majority has cosigned the checkpoint")
    return checkpoint


# Evidence, receipt --------------------------------------------------------------------------------


def verify_evidence(text, trust):
    check(len(text.encode()) <= 4 << 10, "evidence beyond 4 KiB")
    schema, node, first, second = members(canonical(text), "schema", "node", "first", "second", ordered=True)
    check(schema == "ukehi/fork-evidence/v1", "another schema")
    first, second = read_checkpoint(text_of(first), trust), read_checkpoint(text_of(second), trust)
    check(first.signers == second.signers == [integer(node)], "they are not signed by that node, and it alone")
    check((first.shard, first.size) == (second.shard, second.size), "they are not of one log and size")
    check(first.root < second.root, "the roots are the same, or not in ascending order")
    return node


def verify_receipt(text, trust, shard=0):
    check(len(text.encode()) <= 64 << 10, "a receipt beyond 64 KiB")
    record, header, _ = receipt_of(canonical(text), trust)
    check(header.shard == shard, "a receipt of another shard")
    return record


def receipt_of(value, trust):
    """Of the shard its header names."""
    schema, author, seq, record, header, inclusion, note = members(
        value, "schema", "author", "seq", "record", "header", "inclusion", "note", ordered=True)
    check(schema == "ukehi/receipt/v1", "another schema")
    checkpoint = counted(text_of(note), trust)
    record = included_record(record, inclusion, checkpoint)
    check(record.kind == "batch", "a receipt of something else than a batch")
    r = Reader(unhex(header, 326))
    header = read_header(r)
    r.end()
    check(header.digest == record.header_digest, "another header than the record's")
    check((header.cluster, header.shard) == (trust.cluster, checkpoint.shard), "a header for another log")
    check((header.author, header.author_seq) == (unhex(author, 32), integer(seq)), "another author or sequence")
    return record, header, checkpoint


def included_record(record, inclusion, checkpoint):
    index, kind, digest, x, outcome = members(record, "index", "kind", "header_digest", "x", "outcome", ordered=True)
    check(kind in KINDS and outcome in CODES, "an unknown kind or outcome")
    record = Record(integer(index), kind, unhex(digest, 32), unhex(x, 32), outcome)
    at, size, path = members(inclusion, "index", "size", "path", ordered=True)
    check((integer(at), integer(size)) == (record.index, checkpoint.size), "a path of another leaf or tree")
    path = [unhex(digest, 32) for digest in a_list(path, 0, 64)]
    root = root_of_path(record.index, checkpoint.size, path, leaf_hash(record))
    check(root == checkpoint.root, "the record is not in the tree")
    return record
