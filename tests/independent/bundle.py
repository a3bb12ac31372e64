"""The bundle of docs/formats.md, and the rules by which an entry's outcome is decided."""

from dataclasses import dataclass, field

from crypto import b3, check
from formats import (Reader, Record, Tree, counted, leaf_hash, read_batch, read_record, root_of_path, tiles,
                     verify_batch)
from registry import Registry, read_change, verify_change

MIB = 1 << 20
LIMITS = {1: MIB + 256, 2: 128 * 32, 3: 128 * 32, 4: 75 + (128 << 10), 5: 75 + (128 << 10), 6: 16 << 10, 7: 40}


@dataclass
class Report:
    first: int
    last: int
    size: int
    signers: list
    batches: int = 0
    commands: int = 0
    outcomes: dict = field(default_factory=dict)
    recomputed: bool = False
    insecure: list = field(default_factory=list)


class Frames:
    def __init__(self, data):
        self.r, self.count = Reader(data), 0
        head = self.r.take(10)
        check(head[:8] == b"UKEHIBDL", "not a bundle")
        check(head[8:] == b"\1\0", "another format version")
        check(self.r.take(16) == b3("ukehi/bundle-header/v1", head)[:16], "the file header is damaged")

    def is_next(self, kind):
        return self.r.data[self.r.at:self.r.at + 1] == bytes([kind])

    def next(self, kind, index=0):
        fields = self.r.take(13)
        check(self.r.take(16) == b3("ukehi/bundle-frame-head/v1", fields)[:16], "a frame's head is damaged")
        found = (fields[0], int.from_bytes(fields[1:9], "little"))
        wanted = (kind, found[1] if index is None else index)
        check(found == wanted, f"frame {found} where {wanted} belongs")
        length = int.from_bytes(fields[9:], "little")
        check(length <= LIMITS[kind], "a frame is too long")
        payload = self.r.take(length)
        check(self.r.take(32) == b3("ukehi/bundle-frame/v1", fields + payload), "a frame is damaged")
        self.count += 1
        return payload if index is not None else (found[1], payload)


class Sessions:
    """Which sequences an author has used, and with which x."""

    WINDOW = 1024

    def __init__(self):
        self.used, self.highest = {}, {}

    def earlier(self, header, x):
        used = self.used.setdefault(header.author, {})
        if header.author_seq in used:
            return "duplicate" if used[header.author_seq] == x else "sequence_conflict"
        highest = self.highest.get(header.author)
        below = highest is not None and header.author_seq < highest - (self.WINDOW - 1)
        return "outcome_unknown" if below else None

    def remember(self, header, x):
        used = self.used[header.author]
        used[header.author_seq] = x
        highest = max(header.author_seq, self.highest.get(header.author, 0))
        self.highest[header.author] = highest
        for seq in [seq for seq in used if seq < highest - (self.WINDOW - 1)]:
            del used[seq]


class Log:
    """What a replica knows of a trail from genesis on, as far as outcomes depend on it."""

    def __init__(self, registry):
        self.registry, self.sessions, self.roots = registry, Sessions(), [None]

    def outcome(self, index, batch, x):
        header = batch.header
        outcome = self.sessions.earlier(header, x)
        if outcome is None:
            outcome = self.decide(index, header)
            if outcome == "applied":
                keyspace = self.registry.keyspaces[header.keyspace]
                policy = self.registry.circuits[header.circuit].facts.policy
                broken, changes = keyspace.judge_cells(index, batch, policy)
                outcome = broken or outcome
                keyspace.cells.update(changes)
            self.sessions.remember(header, x)
        return outcome

    def decide(self, index, header):
        size = header.anchor_size
        registered = self.registry.judge(index, header)
        if registered:
            return registered
        for broken, outcome in [
                (index > header.valid_until, "expired"),
                (size == 0 or size > index, "anchor_unknown"),
                (size < index - (1 << 20), "anchor_too_old")]:
            if broken:
                return outcome
        return "applied" if self.roots[size] == header.anchor_root else "anchor_mismatch"


def read_hashes(payload, start, end):
    heights = list(tiles(start, end))
    check(len(payload) == 32 * len(heights), "another number of hashes than the range calls for")
    return [(height, payload[32 * at:32 * at + 32]) for at, height in enumerate(heights)]


def verify_bundle(data, trust, progress=lambda index, text: None):
    frames = Frames(data)
    r = Reader(frames.next(1))
    cluster, shard, first, last, size = r.take(32), r.number(4), r.number(8), r.number(8), r.number(8)
    genesis = r.take(r.number(4))
    r.end()
    check(first < last <= size, "a range that is none")
    check((cluster, genesis) == (trust.cluster, trust.genesis), "a bundle of another cluster")
    check(any(k["shard"] == shard for k in trust.keyspaces.values()), "a shard without a keyspace")
    left = read_hashes(frames.next(2), 0, first) if first else []
    right = read_hashes(frames.next(3), last, size) if last < size else []
    tree = Tree()
    for height, digest in left:
        tree.add(height, digest)
    registry = Registry(trust, shard)
    earlier = read_changes_before(frames, first, trust, registry) if first else []
    log = Log(registry) if first == 0 else None
    report = Report(first, last, size, [], recomputed=log is not None)
    for index in range(first, last):
        payload = frames.next(5, index)
        record = read_record(payload[:75])
        check(record.index == index, f"entry {index}: its record has another index")
        verify_entry(record, payload[75:], trust, registry, log, report)
        tree.add(0, leaf_hash(record))
        if log:
            log.roots.append(tree.root())
        progress(index, f"{record.kind} {record.outcome}")
    for height, digest in right:
        tree.add(height, digest)
    checkpoint = counted(frames.next(6).decode("utf-8", "replace"), trust)
    check((checkpoint.shard, checkpoint.size) == (shard, size), "a checkpoint of another log or size")
    check(checkpoint.root == tree.root(), "the entries do not lead to the root that was signed")
    for record, at, path_size, path in earlier:
        check((at, path_size) == (record.index, size), "a registry change's path of another leaf or tree")
        check(root_of_path(at, size, path, leaf_hash(record)) == checkpoint.root, "a registry change that is not in the tree")
    before, count = frames.r.at, frames.count
    trailer = frames.next(7)
    frames.r.end()
    digest = b3("ukehi/bundle-digest/v1", data[:before])
    check(trailer == count.to_bytes(8, "little") + digest, "the trailer does not fit the file")
    report.signers = checkpoint.signers
    report.insecure = [ident for ident, standing in registry.circuits.items() if standing.facts.insecure]
    return report


def read_changes_before(frames, first, trust, registry):
    """Judged in order; their paths are checked against the checkpoint later."""
    earlier, last = [], 0
    while frames.is_next(4):
        index, payload = frames.next(4, None)
        r = Reader(payload)
        record = read_record(r.take(75))
        data = r.take(r.number(4))
        length = r.number(4)
        check(length <= 2080, "an inclusion proof beyond 2,080 bytes")
        path = Reader(r.take(length))
        r.end()
        check(record.index == index and last < index < first, "a registry change out of order")
        apply_change(record, data, trust, registry, True)
        at, size, count = path.number(8), path.number(8), path.number(1)
        check(count <= 64, "a path of more than 64 hashes")
        hashes = [path.take(32) for _ in range(count)]
        path.end()
        earlier.append((record, at, size, hashes))
        last = index
    return earlier


def apply_change(record, data, trust, registry, partial):
    index, change = record.index, read_change(data)
    verify_change(change, trust, registry.shard)
    registry.admit_change(index, change)
    check(record == Record(index, "registry", change.digest, bytes(32), record.outcome), f"entry {index}: its record")
    # What batches made of cells before a range is not known: such a refusal is taken as recorded.
    outcome = registry.apply(index, change, partial and record.outcome == "cell_live")
    check(record.outcome == outcome, f"entry {index}: its outcome is {record.outcome}, should be {outcome}")


def verify_entry(record, payload, trust, registry, log, report):
    index = record.index
    check((index == 0) == (record.kind == "genesis"), f"entry {index}: its kind")
    if record.kind == "registry":
        apply_change(record, payload, trust, registry, log is None)
        return
    if record.kind != "batch":
        check(record.kind != "membership", f"entry {index}: a kind that is reserved")
        digest = trust.cluster if record.kind == "genesis" else bytes(32)
        check(record == Record(index, record.kind, digest, bytes(32), "applied"), f"entry {index}: its record")
        check(payload == b"", f"entry {index}: a payload where none belongs")
        return
    batch = read_batch(payload)
    check(record.header_digest == batch.header.digest, f"entry {index}: another header than the record's")
    x = verify_batch(batch, trust, registry, index)
    check(record.x == x.to_bytes(32, "little"), f"entry {index}: another x than the record's")
    if log:
        outcome = log.outcome(index, batch, record.x)
        check(record.outcome == outcome, f"entry {index}: its outcome is {record.outcome}, should be {outcome}")
    elif record.outcome == "applied":
        check(registry.judge(index, batch.header) is None, f"entry {index}: applied against the registry")
    report.batches += 1
    report.commands += len(batch.slots) if record.outcome == "applied" else 0
    report.outcomes[record.outcome] = report.outcomes.get(record.outcome, 0) + 1
