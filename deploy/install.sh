#!/bin/sh
# install.sh VENV: a virtual environment with Rootward and its tools, torch as the CPU build.
#
# constraints.txt pins torch on Linux x86-64 to the CPU build, which is never a CUDA one by
# mistake. pip finds it where its configuration points; set TORCH_INDEX_URL to the CPU index of
# the torch project where it does not.
set -eu
venv=${1:-.venv}
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")/.." && pwd)

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Rootward needs Python 3.11 or newer; name one with PYTHON=" >&2
  exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "installing into $venv (first time: a minute or two)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} \
  --constraint "$here/constraints.txt" --editable "$here[dev]" 2> "$venv/install.log" || {
  cat "$venv/install.log" >&2
  echo "The installation failed. If pip found no torch==...+cpu: set TORCH_INDEX_URL to the" >&2
  echo "CPU index of the torch project (pytorch.org, Get Started, pip, CPU) and try again." >&2
  exit 1
}
