#!/usr/bin/env bash
# What the tests run beside our own code: snarkjs and solc (npm), the second verifier's packages (Python).
set -euo pipefail

# Debian's packages, where apt is there; elsewhere the messages below say what is missing.
wanted=()
command -v npm >/dev/null || wanted+=(nodejs npm)
python3 -c 'import venv, ensurepip' 2>/dev/null || wanted+=(python3 python3-venv)
if [ ${#wanted[@]} -gt 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${wanted[*]} through apt" >&2
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo"
    $as_root apt-get update -qq && $as_root apt-get install -y -qq "${wanted[@]}" >&2
fi

# snarkjs and solc, at the versions of scripts/npm/package-lock.json: the tests compare with them.
tools_dir="${UKEHI_NPM:-$HOME/.cache/ukehi/npm}"
lock="$(dirname "$0")/npm/package-lock.json"
if ! cmp -s "$lock" "$tools_dir/package-lock.json" || [ ! -d "$tools_dir/node_modules/snarkjs" ]; then
    command -v npm >/dev/null || { echo "npm is missing: the tests run snarkjs and solc; install nodejs and npm" >&2; exit 1; }
    mkdir -p "$tools_dir"
    cp "$(dirname "$0")/npm/package.json" "$lock" "$tools_dir/"
    (cd "$tools_dir" && npm ci --no-audit --no-fund --loglevel=error >&2)
fi

# The second verifier's packages, at the versions of tests/independent/requirements.txt.
venv="${UKEHI_VENV:-$HOME/.cache/ukehi/venv}"
requirements="$(dirname "$0")/../tests/independent/requirements.txt"
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    python3 -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null \
        || { echo "python3 of 3.11 or newer is missing: the tests run a second verifier in it" >&2; exit 1; }
    python3 -m venv --clear "$venv" || { echo "python3's venv module is missing: install python3-venv" >&2; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
    cp "$requirements" "$venv/requirements.txt"
fi
