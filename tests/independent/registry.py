"""The registry of docs/formats.md: changes, and what genesis and the applied ones say at an index."""

from dataclasses import dataclass, field

from blake3 import blake3

from crypto import JUB_A, JUB_B8, JUB_D, JUB_L, R, b3, check, ed_key, ed_verify, edwards_add, frame, jub_multiply, poseidon
from formats import GUARD, NAME, UPDATE, Reader, parse, read_manifest


def read_key(r):
    key = r.take(32)
    ed_key(key)
    return key


def read_keys(r, most, least=1):
    keys = [read_key(r) for _ in range(r.number(2))]
    check(least <= len(keys) <= most, "a list of keys is empty or too long")
    check(all(one < other for one, other in zip(keys, keys[1:])), "keys do not ascend")
    return keys


def read_name(r):
    name = r.take(r.number(1)).decode("ascii", "replace")
    check(1 <= len(name) <= 32 and set(name) <= NAME, "not a name")
    return name


def read_opening(r):
    opening = dict(id=r.number(4), key=r.point(), route_commitment=r.element(), policy=read_name(r),
                   policy_digest=r.element())
    opening["expires"] = r.number(8) if r.boolean() else None
    opening["possession"] = r.take(96)
    return opening


def read_operation(r):
    tag = r.number(1)
    if tag == 8:
        length = r.number(4)
        check(length <= 64 << 10, "a manifest beyond 64 KiB")
        return tag, {"manifest": r.take(length)}
    if tag == 9:
        return tag, {"circuit": r.take(32)}
    if tag == 10:
        threshold, keys = r.number(1), read_keys(r, 16)
        check(1 <= threshold <= len(keys), "a threshold that nobody or everybody meets")
        return tag, {"threshold": threshold, "keys": keys}
    fields = {"keyspace": r.number(4)}
    readers = {
        1: lambda: {"author": read_key(r)},
        2: lambda: {"author": read_key(r)},
        3: lambda: {"opening": read_opening(r)},
        4: lambda: {"opening": read_opening(r), "epoch": r.number(4), "last": r.number(8)},
        5: lambda: {"epoch": r.number(4), "last": r.number(8)},
        6: lambda: {"epoch": r.number(4)},
        7: lambda: {"epoch": r.number(4)},
        11: lambda: {"epoch": r.number(4), "reader": r.take(32), "digest": r.take(32)},
        12: lambda: {"family": read_name(r), "authors": read_keys(r, 256)},
        13: lambda: {"family": read_name(r), "route": r.element(), "value": r.number(8), "blind": r.element(),
                     "authors": read_keys(r, 256, 0)},
        14: lambda: {"route": r.element(), "authors": read_keys(r, 256, 0)},
    }
    check(tag in readers, "an unknown operation")
    return tag, fields | readers[tag]()


@dataclass
class Change:
    body: bytes
    cluster: bytes
    shard: int
    number: int
    tag: int
    fields: dict
    signatures: list
    payload: bytes

    @property
    def digest(self):
        return b3("ukehi/registry-change/v1", self.body)


def read_change(data):
    check(len(data) <= 72 << 10, "a change beyond 72 KiB")
    r = Reader(data)
    check(r.number(1) == 1, "another version of changes")
    cluster, shard, number = r.take(32), r.number(4), r.number(8)
    tag, fields = read_operation(r)
    body = data[:r.at]
    count = r.number(1)
    check(count <= 16, "more than 16 signatures")
    signatures = [(read_key(r), r.take(64)) for _ in range(count)]
    signers = [signer for signer, _ in signatures]
    check(all(one < other for one, other in zip(signers, signers[1:])), "signatures do not ascend")
    payload = b""
    if tag == 11:
        length = r.number(2)
        check(length <= 512, "a payload beyond 512 bytes")
        payload = r.take(length)
    r.end()
    return Change(body, cluster, shard, number, tag, fields, signatures, payload)


def check_possession(cluster, keyspace, opening):
    commitment, response = opening["possession"][:64], int.from_bytes(opening["possession"][64:], "little")
    check(response < JUB_L, "a proof of possession that is not reduced")
    x, y = opening["key"]
    key = x.to_bytes(32, "little") + y.to_bytes(32, "little")
    numbers = [keyspace.to_bytes(4, "little"), opening["id"].to_bytes(4, "little")]
    hashed = blake3(frame(cluster, *numbers, key, commitment), derive_key_context="ukehi/epoch-possession/v1")
    challenge = int.from_bytes(hashed.digest(length=64), "little") % JUB_L
    minus = jub_multiply((-x % R, y), challenge)
    point = edwards_add(jub_multiply(JUB_B8, response), minus, JUB_A, JUB_D, R)
    check(b"".join(part.to_bytes(32, "little") for part in point) == commitment, "no proof of possession")


def verify_change(change, trust, shard):
    """What makes a change valid, as far as no registry is needed."""
    check((change.cluster, change.shard) == (trust.cluster, shard), "a change for another log")
    check(change.signatures, "a change that nobody signed")
    for signer, signature in change.signatures:
        ed_verify(signer, frame(b"ukehi/registry/v1", change.body), signature)
    if change.tag in (3, 4):
        check_possession(trust.cluster, change.fields["keyspace"], change.fields["opening"])
    if change.tag == 8:
        ident, circuit = read_manifest(parse(change.fields["manifest"]))
        check(len(circuit.key[4]) == 2, "a circuit with other than one public input")
        check(trust.dev or not circuit.insecure, "a circuit from a set-up for development")
        change.fields.update(circuit=ident, facts=circuit)
    if change.payload:
        check(b3("ukehi/grant-payload/v1", change.payload) == change.fields["digest"], "another payload")


@dataclass
class Standing:
    """Since when, until when, and what else is known of it."""
    since: int
    facts: object = None
    expires: int | None = None
    ended: dict = field(default_factory=dict)

    def known(self, index):
        return self.since < index

    def has(self, what, index):
        return what in self.ended and self.ended[what] < index


class Keyspace:
    def __init__(self, genesis):
        self.authors = {author: Standing(0) for author in genesis["authors"]}
        self.epochs = {ident: Standing(0, epoch, epoch.expires) for ident, epoch in genesis["epochs"].items()}
        # By name: since when, and whose. By route: the lists set, in order; family and commitment.
        self.families = {name: (0, authors) for name, authors in genesis["families"].items()}
        self.minted, self.cell_authors, self.cells = set(), {}, {}
        # Keys in the lists of cells' authors.
        self.listed = 0

    def decide(self, index, tag, fields, live):
        """An outcome, or None after the change was made."""
        if tag == 1:
            if fields["author"] in self.authors:
                return "author_exists"
            if len(self.authors) >= 1 << 16:
                return "registry_full"
            self.authors[fields["author"]] = Standing(index)
        elif tag == 2:
            return end(self.authors.get(fields["author"]), "revoked", index, "unknown_author", "author_revoked")
        elif tag in (3, 4, 5):
            return self.opens_or_expires(index, tag, fields)
        elif tag in (6, 7):
            what = "revoked" if tag == 6 else "erased"
            return end(self.epochs.get(fields["epoch"]), what, index, "unknown_epoch", f"epoch_{what}")
        elif tag == 11:
            epoch = self.epochs.get(fields["epoch"])
            if epoch is None or "erased" in epoch.ended:
                return "unknown_epoch" if epoch is None else "epoch_erased"
        elif tag == 12:
            if fields["family"] in self.families:
                return "family_exists"
            self.families[fields["family"]] = (index, fields["authors"])
        elif tag == 13:
            if fields["family"] not in self.families:
                return "unknown_family"
            if fields["route"] in self.minted:
                return "cell_exists"
            if self.listed + len(fields["authors"]) > 1 << 20:
                return "registry_full"
            self.minted.add(fields["route"])
            if live or fields["route"] in self.cells:
                return "cell_live"
            self.set_authors(index, fields)
            family = family_of(fields["family"])
            self.cells[fields["route"]] = (family, poseidon("cell", family, fields["route"], fields["value"], 1,
                                                            fields["blind"]))
        elif tag == 14:
            if self.listed + len(fields["authors"]) > 1 << 20:
                return "registry_full"
            self.set_authors(index, fields)
        return None

    def set_authors(self, index, fields):
        self.listed += len(fields["authors"])
        self.cell_authors.setdefault(fields["route"], []).append((index, fields["authors"]))

    def opens_or_expires(self, index, tag, fields):
        opening, last = fields.get("opening"), fields.get("last")
        if opening:
            if opening["id"] != max(self.epochs, default=0) + 1:
                return "epoch_exists"
            if any(epoch.facts.key == opening["key"] for epoch in self.epochs.values()):
                return "epoch_key_reused"
            if opening["expires"] is not None and opening["expires"] <= index:
                return "expiry_in_past"
            if len(self.epochs) >= 1 << 12:
                return "registry_full"
        if tag != 3:
            old = self.epochs.get(fields["epoch"])
            if old is None:
                return "unknown_epoch"
            if last < index:
                return "expiry_in_past"
            if old.expires is not None and old.expires <= last:
                return "epoch_expired"
            old.expires = last
        if opening:
            self.epochs[opening["id"]] = Standing(index, OpenedEpoch(opening), opening["expires"])
        return None

    def judge_cells(self, index, batch, policy):
        """The first rule of cells that a batch breaks, or None and what it sets."""
        changes = {}
        for slot in batch.slots:
            if slot.meta & 0xFF not in (UPDATE, GUARD):
                continue
            since, authors = self.families.get(policy, (index, []))
            if since >= index:
                return "unknown_family", {}
            own = [keys for set_at, keys in self.cell_authors.get(slot.route, []) if set_at < index]
            if batch.header.author not in (own[-1] if own and own[-1] else authors):
                return "cell_author", {}
            (old, new), held, family = slot.cell, self.cells.get(slot.route), family_of(policy)
            for broken, outcome in [
                    (held is None and old != 0, "cell_missing"),
                    (held is not None and old == 0, "cell_not_new"),
                    (held is not None and held[0] != family, "cell_of_other_family"),
                    (held is not None and held[1] != old, "cell_stale")]:
                if broken:
                    return outcome, {}
            if old != new:
                changes[slot.route] = (family, new)
        return None, changes


def family_of(name):
    return int.from_bytes(blake3(b"ukehi/family/v1" + name.encode()).digest()[:31], "little")


class OpenedEpoch:
    def __init__(self, opening):
        self.key, self.policy = opening["key"], opening["policy"]
        self.route_commitment, self.policy_digest = opening["route_commitment"], opening["policy_digest"]


def end(standing, what, index, unknown, already):
    if standing is None or what in standing.ended:
        return unknown if standing is None else already
    standing.ended[what] = index
    return None


class Registry:
    def __init__(self, trust, shard):
        self.shard = shard
        self.keyspaces = {i: Keyspace(k) for i, k in trust.keyspaces.items() if k["shard"] == shard}
        self.circuits = {ident: Standing(0, facts) for ident, facts in trust.circuits.items()}
        self.admins, self.threshold = set(trust.admins), trust.threshold
        self.once_admins = {0: set(trust.admins)}
        self.number, self.applied = 0, 0

    def admit_change(self, index, change):
        once = set().union(*(keys for since, keys in self.once_admins.items() if since < index))
        check(all(signer in once for signer, _ in change.signatures), "a signer who never was an admin")

    def apply(self, index, change, live=False):
        outcome = self.authorise(change) or self.operate(index, change, live) or "applied"
        if outcome in ("applied", "cell_live"):
            self.number, self.applied = change.number, self.applied + 1
        return outcome

    def authorise(self, change):
        signers = [signer for signer, _ in change.signatures]
        for broken, outcome in [
                (any(signer not in self.admins for signer in signers), "unknown_admin"),
                (len(signers) < self.threshold, "too_few_signatures"),
                (change.number != self.number + 1, "wrong_number"),
                (self.applied >= 1 << 20, "registry_full")]:
            if broken:
                return outcome
        return None

    def operate(self, index, change, live):
        fields = change.fields
        if change.tag == 8:
            if fields["circuit"] in self.circuits:
                return "circuit_exists"
            if len(self.circuits) >= 256:
                return "registry_full"
            self.circuits[fields["circuit"]] = Standing(index, fields["facts"])
            return None
        if change.tag == 9:
            return end(self.circuits.get(fields["circuit"]), "retired", index, "circuit_unknown_at_index",
                       "circuit_retired")
        if change.tag == 10:
            self.admins, self.threshold = set(fields["keys"]), fields["threshold"]
            self.once_admins[index] = set(fields["keys"])
            return None
        keyspace = self.keyspaces.get(fields["keyspace"])
        return "unknown_keyspace" if keyspace is None else keyspace.decide(index, change.tag, fields, live)

    # Of batches.

    def circuit(self, index, ident):
        standing = self.circuits.get(ident)
        check(standing is not None and standing.known(index), "a circuit that is not activated")
        return standing.facts

    def knows_author(self, index, author):
        standings = [keyspace.authors.get(author) for keyspace in self.keyspaces.values()]
        return any(standing is not None and standing.known(index) for standing in standings)

    def judge(self, index, header):
        """The first rule of the registry that a batch breaks, or None."""
        keyspace = self.keyspaces.get(header.keyspace)
        if keyspace is None:
            return "unknown_keyspace"
        epoch = keyspace.epochs.get(header.epoch)
        if epoch is None or not epoch.known(index):
            return "unknown_epoch"
        circuit, author = self.circuits[header.circuit], keyspace.authors.get(header.author)
        facts, anchor = epoch.facts, header.anchor_size
        for broken, outcome in [
                (header.epoch_key != facts.key, "wrong_epoch_key"),
                (header.route_commitment != facts.route_commitment, "wrong_route_commitment"),
                (header.policy_digest != facts.policy_digest, "wrong_policy"),
                (circuit.facts.policy != facts.policy, "wrong_policy_family"),
                (epoch.has("erased", index), "epoch_erased"),
                (epoch.has("revoked", index), "epoch_revoked"),
                (epoch.expires is not None and index > epoch.expires, "epoch_expired"),
                (not circuit.known(index), "circuit_unknown_at_index"),
                (circuit.has("retired", index), "circuit_retired"),
                (author is None or not author.known(index), "foreign_author")]:
            if broken:
                return outcome
        if author.has("revoked", index):
            return "author_revoked"
        if anchor > 0 and author.since >= anchor:
            return "author_after_anchor"
        return None
