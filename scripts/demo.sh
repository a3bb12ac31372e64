#!/usr/bin/env bash
# The whole story on one machine, with real processes. Usage: demo.sh PATH-TO-UKEHI
set -euo pipefail
ukehi=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/ukehi-demo.XXXXXX")
net="$dir/net"
trail="$dir/trail.ukehi"
examples="$(cd "$(dirname "$0")/.." && pwd)/examples"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
finish() {
    status=$?
    "$ukehi" testnet down --dir "$net" >/dev/null 2>&1 || true
    if [ $status -ne 0 ]; then
        echo "The demo failed (exit $status). Its data and logs are in $dir" >&2
    fi
}
trap finish EXIT

field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

say "1. Three node processes on loopback (keys, a dev set-up, an election)"
"$ukehi" testnet up --dir "$net" --nodes 3 --detach
"$ukehi" status --dir "$net"

say "2. 64 sealed commands, in batches of 8: accesses to medical records, four authors"
head -n 3 "$examples/medical-access.jsonl"
echo "..."
"$ukehi" put --dir "$net" --file "$examples/medical-access.jsonl"

say "3. The leader is killed with SIGKILL"
leader=$("$ukehi" status --dir "$net" --output json | field leader)
pid=$(cut -d' ' -f1 "$net/node$leader/pid")
echo "node $leader leads, process $pid"
kill -KILL "$pid"

say "4. Eight more commands: the two nodes left elect another leader"
"$ukehi" put --dir "$net" --file "$examples/medical-access-after-failover.jsonl"
"$ukehi" status --dir "$net"

say "5. Everything back, decrypted by the reader"
"$ukehi" scan --dir "$net" --limit 5
rows=$("$ukehi" scan --dir "$net" --output json | grep -c '"key":')
echo "$rows values read in all"
[ "$rows" -eq 72 ]

say "6. The trail in one file, and the nodes stopped"
"$ukehi" audit export --dir "$net" --out "$trail"
"$ukehi" testnet down --dir "$net"

say "7. An auditor with the file and the trust root: no node, no decryption key"
"$ukehi" audit verify "$trail" --trust "$net/trust.json" --allow-insecure-setup

say "8. One random byte flipped"
size=$(wc -c <"$trail")
at=$(((RANDOM * 32768 + RANDOM) % size))
cp "$trail" "$trail.damaged"
byte=$(od -An -tu1 -j "$at" -N 1 "$trail" | tr -d ' ')
printf "$(printf '\\%03o' $((byte ^ 1)))" | dd of="$trail.damaged" bs=1 seek="$at" conv=notrunc status=none
echo "byte $at of $size: $byte -> $((byte ^ 1))"
code=0
"$ukehi" audit verify "$trail.damaged" --trust "$net/trust.json" --allow-insecure-setup || code=$?
if [ "$code" -lt 10 ]; then
    echo "the audit did not notice the damage (exit $code)" >&2
    exit 1
fi
echo "(exit $code)"

say "Done. The cluster and the trail are in $dir"
