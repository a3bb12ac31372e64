#!/usr/bin/env bash
# The second verifier (tests/independent, Python) over the vectors. The command line's tests run it over a fresh trail.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${UKEHI_VENV:-$HOME/.cache/ukehi/venv}/bin/python"
"$python" tests/independent/verify.py vectors tests/vectors
