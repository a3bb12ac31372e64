#!/usr/bin/env bash
# Checks for what a build needs beyond rustup, gcc, make and git: libclang, for RocksDB's bindings.
set -euo pipefail

have_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    ldconfig -p 2>/dev/null | grep -q 'libclang[-.]' && return 0
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null
}

missing=()
command -v cargo >/dev/null || missing+=("cargo: install it from https://rustup.rs")
command -v g++ >/dev/null || missing+=("g++: install your distribution's C++ compiler")
if ! have_libclang; then
    if command -v apt-get >/dev/null; then
        echo "libclang is missing; installing libclang-dev through apt" >&2
        as_root=""
        [ "$(id -u)" = 0 ] || as_root="sudo"
        $as_root apt-get update -qq && $as_root apt-get install -y -qq libclang-dev >&2
    else
        missing+=("libclang: install it (clang-devel, llvm-dev ...) or set LIBCLANG_PATH to its folder")
    fi
fi
if [ ${#missing[@]} -gt 0 ]; then
    echo "Ukehi cannot be built here yet. Missing:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
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
