"""The disclosure of docs/formats.md: one slot in clear, and that the log holds exactly it."""

from dataclasses import dataclass

from blake3 import blake3

from bundle import apply_change
from crypto import b3, check, groth16_verify, poseidon
from formats import (BULK_PUT, CLASSES, OPERATIONS, Reader, Slot, a_list, canonical, check_slots, group_size,
                     included_record, integer, leaf, members, receipt_of, statement_input, text_of, unhex, verify_seal)
from registry import Registry

MEMBERS = ["schema", "receipt", "registry", "ephemeral", "slot_list", "slot", "group", "path", "seal_proof", "signature",
           "audience", "plaintext", "key", "value", "open_circuit", "open_proof"]


@dataclass
class Disclosed:
    index: int
    slot: int
    key: str | None
    value: str
    audience: str
    insecure: list


def element(value):
    return Reader(unhex(value, 32)).element()


def elements(value, high):
    return [element(item) for item in a_list(value, 0, high)]


def public_word(value):
    meta, bulk = members(value, "meta", "bulk", ordered=True)
    check(integer(meta, 32) & 0xFF in OPERATIONS, "an unknown operation")
    check((bulk is not None) == (meta & 0xFF == BULK_PUT), "a bulk reference and an operation that do not fit")
    data = meta.to_bytes(4, "little")
    if bulk is None:
        return meta, data + b"\0"
    digest, length = members(bulk, "digest", "length", ordered=True)
    check(integer(length) <= (16 << 20) + 4128, "a bulk value beyond 16 MiB")
    return meta, data + b"\1" + unhex(digest, 32) + length.to_bytes(8, "little")


def group_slot(value, word):
    route, cell, ciphertext = members(value, "route", "cell", "ciphertext", ordered=True)
    cell = tuple(elements(cell, 2))
    check(len(cell) == 2, "a cell is two elements")
    meta, public = word
    return Slot(public, meta, public[4] == 1, element(route), cell, elements(ciphertext, 37))


def root_over_path(digest, at, leaves, path):
    for siblings in path:
        check(leaves > 1, "a path with too many levels")
        children = min(8, leaves - at // 8 * 8)
        siblings = elements(siblings, 7)
        check(len(siblings) == children - 1, "a path with another number of siblings")
        digest = poseidon("node", *siblings[:at % 8], digest, *siblings[at % 8:])
        at, leaves = at // 8, -(-leaves // 8)
    check(leaves == 1, "a path with too few levels")
    return digest


def shown(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "hex:"
    return "hex:" + data.hex() if text.startswith("hex:") else text


def key_text(first, second):
    if first >> 248 or second >> 248:
        return None
    data = first.to_bytes(31, "little") + second.to_bytes(31, "little")
    length = data[0]
    if length > 61 or any(data[1 + length:]):
        return None
    return shown(data[1:1 + length])


def value_text(body, length):
    data = b"".join((item & (1 << 248) - 1).to_bytes(31, "little") for item in body)
    return shown(data[:length])


def folded(changes, trust, checkpoint):
    """Genesis and the changes shown: applied ones, and mints that cells refused, which have numbers too."""
    registry, last, size = Registry(trust, checkpoint.shard), 0, 0
    for change in a_list(changes, 0, 1024):
        record, data, inclusion = members(change, "record", "change", "inclusion", ordered=True)
        record = included_record(record, inclusion, checkpoint)
        check(record.index > last, "registry changes out of order")
        data = unhex(data)
        last, size = record.index, size + len(data)
        check(size <= 1 << 20, "registry changes beyond 1 MiB")
        check(record.kind == "registry", "a record of something else than a registry change")
        check(record.outcome in ("applied", "cell_live"), "a registry change that was not applied")
        apply_change(record, data, trust, registry, True)
    return registry


def vouched(record, header, registry):
    """The batch's circuit, if the registry before it applies what the header names."""
    circuit = registry.circuit(record.index, header.circuit)
    check(circuit.statement in ("seal/v1", "seal_cells/v1"), "a circuit that is not for batches")
    refusal = registry.judge(record.index, header)
    check(refusal is None, f"by the registry before it, the batch is {refusal}")
    return circuit


def verify_disclosure(text, trust):
    check(len(text.encode()) <= 8 << 20, "a disclosure beyond 8 MiB")
    value = canonical(text)
    members(value, *MEMBERS, ordered=True)
    check(value["schema"] == "ukehi/disclosure/v1", "another schema")
    check(len(text_of(value["audience"]).encode()) <= 1024, "an audience beyond 1,024 bytes")
    record, header, checkpoint = receipt_of(value["receipt"], trust)
    check(record.outcome == "applied", "a batch that was refused")
    registry = folded(value["registry"], trust, checkpoint)
    circuit = vouched(record, header, registry)

    words = [public_word(word) for word in a_list(value["slot_list"], 1, 64)]
    check(len(words) == header.slots <= circuit.slots, "another number of public words")
    listed = b"".join(data for _, data in words)
    check(header.slot_list == b3("ukehi/slot-list/v1", listed), "the header vouches for another list of slots")
    j, size = integer(value["slot"], 8), group_size(circuit)
    check(j < header.slots, "a slot that is not active")
    group, place = j // size, j % size
    words = words[group * size:(group + 1) * size]
    check(len(a_list(value["group"], 1, 2)) == len(words), "another number of slots in the group")
    slots = [group_slot(slot, word) for slot, word in zip(value["group"], words)]
    check_slots(slots, circuit)
    r = Reader(unhex(value["ephemeral"], 64))
    ephemeral = r.point()
    root = root_over_path(leaf(slots, circuit), group, circuit.slots // size, a_list(value["path"], 0, 8))
    x = statement_input(header, ephemeral, root)
    check(record.x == x.to_bytes(32, "little"), "slots, path and header lead to another x than the record's")
    verify_seal(header, x, circuit, unhex(value["signature"], 64), unhex(value["seal_proof"], 128))

    plaintext = elements(value["plaintext"], 37)
    check(len(plaintext) == CLASSES[circuit.size_class][0], "a plaintext of another length than the class's")
    meta = slots[place].meta
    check(value["key"] == key_text(*plaintext[:2]), "another key than the plaintext encodes")
    check(value["value"] == value_text(plaintext[2:], meta >> 8 & 0xFFFF), "another value than the plaintext encodes")
    ident = unhex(value["open_circuit"], 32)
    opening = registry.circuit(checkpoint.size, ident)
    check(not registry.circuits[ident].has("retired", checkpoint.size), "a circuit of disclosures that was retired")
    kind = (opening.statement, opening.policy, opening.slots, opening.size_class)
    check(kind == ("open/v1", "none", 1, circuit.size_class), "a circuit that is not for disclosures of this class")
    audience = blake3(b"ukehi/audience/v1" + value["audience"].encode()).digest()[:31]
    x_open = poseidon("open", header.ctx, *ephemeral, *header.epoch_key, j, meta, *slots[place].ciphertext,
                      *plaintext, int.from_bytes(audience, "little"))
    groth16_verify(opening.key, [x_open], unhex(value["open_proof"], 128))
    insecure = [ident for ident, standing in registry.circuits.items() if standing.facts.insecure]
    return Disclosed(record.index, j, value["key"], value["value"], value["audience"], insecure)
