#!/usr/bin/env bash
# The gates of proving, verifying, hashing and sealing in one run, as a page of Markdown. Usage: gates.sh UKEHI PAGE
# Nothing else should run meanwhile. GATES_SIZES, GATES_ROUNDS and GATES_SHAPE make a smaller run; GATES_DIR names the
# directory of one that was interrupted, which then goes on.
set -euo pipefail

ukehi=$1
page=$2
dir="${GATES_DIR:-$HOME/.cache/ukehi/gates/$(date +%Y%m%d-%H%M%S)}"
# Circuits, keys and what is derived from them: made once.
instances="${GATES_INSTANCES:-$HOME/.cache/ukehi/bench-instances}"

run() {
    local out="$dir/$1"
    shift
    if [ -e "$out/run.json" ]; then
        set -- --resume
    else
        set -- "$@" --threads "$(nproc)" --rounds "${GATES_ROUNDS:-7}"
    fi
    "$ukehi" bench run --out "$out" --instances "$instances" "$@" >&2
}

mkdir -p "$dir"
echo "results are kept in $dir" >&2
run provers --suite prover --families poseidon,sha --sizes "${GATES_SIZES:-14,16}" --shapes none \
    --without snarkjs,ark-groth16-cached
run rest --suite verify,hash,seal,pool --shapes "${GATES_SHAPE:-seal-64-short-opaque}"
"$ukehi" bench gates "$dir/provers/results.json" "$dir/rest/results.json" >"$dir/gates.md"
cp "$dir/gates.md" "$page"
echo "the page is $page" >&2
