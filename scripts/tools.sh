#!/usr/bin/env bash
# Checks for what a build needs beyond rustup, gcc, make and git: libclang, for RocksDB's bindings.
set -euo pipefail

have_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    # Not libclang-cpp.so, which other packages bring and the bindings cannot use.
    ldconfig -p 2>/dev/null | grep -Eq 'libclang(-[0-9.]+)?\.so' && return 0
    compgen -G '/usr/lib/llvm-*/lib/libclang.so*' >/dev/null || compgen -G '/usr/lib/llvm-*/lib/libclang-[0-9]*.so*' >/dev/null
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
