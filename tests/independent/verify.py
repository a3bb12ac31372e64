#!/usr/bin/env python3
"""A second verifier, in another language, written from docs/formats.md alone.

    verify.py bundle TRAIL.ukehi --trust trust.json [--allow-insecure-setup]
    verify.py receipt RECEIPT.json --trust trust.json [--shard N]
    verify.py evidence EVIDENCE.json --trust trust.json
    verify.py disclosure D.json --trust trust.json [--allow-insecure-setup]
    verify.py vectors DIRECTORY

Exit code: 0 if everything holds, 1 if something is refused, 2 for a wrong call.
"""

import argparse
import json
import sys
from pathlib import Path

from bundle import verify_bundle
from crypto import R, Refused, check, groth16_verify, poseidon, verifying_key
from disclosure import verify_disclosure
from formats import (read_batch, read_checkpoint, read_header, Reader, read_record, read_trust, verify_batch,
                     verify_evidence, verify_receipt)
from registry import Registry, read_change, verify_change


def insecure(circuits, allowed):
    bad = [circuit.hex() for circuit in circuits]
    check(allowed or not bad, f"circuits from an INSECURE set-up (--allow-insecure-setup takes them): {bad}")
    for circuit in bad:
        print(f"WARNING: whoever ran the set-up of circuit {circuit} can forge proofs")


def first_insecure(trust):
    return [circuit for circuit, facts in trust.circuits.items() if facts.insecure]


def bundle(args, trust):
    check(args.allow_insecure_setup or not first_insecure(trust), "circuits from an INSECURE set-up")
    report = verify_bundle(Path(args.file).read_bytes(), trust,
                           lambda index, text: print(f"entry {index}: {text}", file=sys.stderr))
    # Those that the log activated as well.
    insecure(report.insecure, args.allow_insecure_setup)
    print(f"VERIFIED entries {report.first}..{report.last} of {report.size}, cosigned by nodes {report.signers} "
          f"({trust.majority} needed)")
    print(f"batches: {report.batches} ({report.commands} commands applied), outcomes {report.outcomes}, "
          + ("decided again" if report.recomputed else "not decided again: the trail does not start at genesis"))


def receipt(args, trust):
    record = verify_receipt(Path(args.file).read_text("utf-8"), trust, args.shard)
    print(f"VERIFIED: entry {record.index}, {record.outcome}, x {record.x.hex()}")


def evidence(args, trust):
    print(f"VERIFIED: node {verify_evidence(Path(args.file).read_text('utf-8'), trust)} signed two histories")


def disclosure(args, trust):
    check(args.allow_insecure_setup or not first_insecure(trust), "circuits from an INSECURE set-up")
    found = verify_disclosure(Path(args.file).read_text("utf-8"), trust)
    # Those that the log activated as well.
    insecure(found.insecure, args.allow_insecure_setup)
    print(f"VERIFIED: entry {found.index}, slot {found.slot}, key {found.key!r}, value {found.value!r}, for "
          + (repr(found.audience) if found.audience else "anyone"))


def poseidon_vector(text):
    value = json.loads(text)
    inputs = [int(number) for number in value["inputs"]]
    check(all(number < R for number in inputs), "an input is p or more")
    check(poseidon(value["use"], *inputs) == int(value["output"]), "another hash")


def groth16_vector(text):
    value = json.loads(text)
    key = verifying_key(bytes.fromhex(value["verifying_key"]))
    inputs = [Reader(bytes.fromhex(element)) for element in value["inputs"]]
    groth16_verify(key, [r.element() for r in inputs], bytes.fromhex(value["proof"]))


def header_vector(data):
    r = Reader(data)
    read_header(r)
    r.end()


def vector_readers(trust):
    return {
        "poseidon": poseidon_vector,
        "groth16": groth16_vector,
        "trust": read_trust,
        "header": header_vector,
        "batch": lambda data: verify_batch(read_batch(data), trust, Registry(trust, 0), 1),
        "change": lambda data: verify_change(read_change(data), trust, 0),
        "record": read_record,
        "checkpoint": lambda text: read_checkpoint(text, trust),
        "evidence": lambda text: verify_evidence(text, trust),
        "disclosure": lambda text: verify_disclosure(text, trust),
        "receipt": lambda text: verify_receipt(text, trust),
        "bundle": lambda data: verify_bundle(data, trust),
    }


def content(case, known):
    if "text" in case:
        return case["text"]
    if "base" in case:
        data = bytearray(known[case["base"]])
        for offset, patch in case["patch"]:
            patch = bytes.fromhex(patch)
            data[offset:offset + len(patch)] = patch
        return bytes(data)
    return bytes.fromhex(case["bytes"])


def vectors(args, _):
    directory = Path(args.file)
    readers = vector_readers(read_trust((directory / "trust.json").read_text("utf-8")))
    wrong, total = 0, 0
    for path in sorted(directory.glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        if document["schema"] != "ukehi/vectors/v1":
            continue
        known = {}
        for case in document["cases"]:
            known[case["name"]] = data = content(case, known)
            total += 1
            try:
                readers[document["format"]](data)
                found = "accept"
            except Refused as refused:
                found, why = "refuse", refused
            if found != case["verdict"]:
                wrong += 1
                print(f"WRONG {document['format']}: {case['name']}: expected {case['verdict']}"
                      + (f", refused: {why}" if found == "refuse" else ""))
            elif args.verbose and found == "refuse":
                print(f"{document['format']}: {case['name']}: refused: {why} [{case['reason']}]")
    check(total > 0, "no vectors")
    check(wrong == 0, f"{wrong} of {total} vectors are judged otherwise")
    print(f"{total} vectors judged as they should be")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in [("bundle", bundle), ("receipt", receipt), ("evidence", evidence),
                      ("disclosure", disclosure), ("vectors", vectors)]:
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("file")
        if name == "vectors":
            command.add_argument("--verbose", action="store_true")
            continue
        command.add_argument("--trust", required=True)
        if name in ("bundle", "disclosure"):
            command.add_argument("--allow-insecure-setup", action="store_true")
        if name == "receipt":
            command.add_argument("--shard", type=int, default=0)
    args = parser.parse_args()
    try:
        trust = None if args.command == "vectors" else read_trust(Path(args.trust).read_text("utf-8"))
        args.run(args, trust)
    except (Refused, UnicodeDecodeError) as refused:
        print(f"REFUSED: {refused}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
