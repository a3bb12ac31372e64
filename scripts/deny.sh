#!/usr/bin/env bash
# Licences, sources and bans are always checked. Advisories need the RustSec database, which is
# fetched over the network: where it cannot be had, that is said, and not passed over in silence.
set -euo pipefail
command -v cargo-deny >/dev/null || cargo install cargo-deny --version 0.20.2 --locked
cargo deny check bans licenses sources

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if timeout 120 cargo deny check advisories >"$log" 2>&1; then
    cat "$log"
elif grep -qiE 'failed to (fetch|clone|open|load).*(advisor|database|repository)|unable to (fetch|clone)|failed to acquire|could not (connect|resolve)|git.*(timed out|connect)' "$log"; then
    echo "NOT CHECKED: advisories. The RustSec database cannot be fetched from this machine:"
    tail -n 5 "$log"
else
    cat "$log"
    exit 1
fi
