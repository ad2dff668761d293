#!/bin/sh
# browser.sh [VENV]: Chromium from Debian's packages and Playwright, for `make test-browser`.
#
# What is there already is left alone. Other systems: have chromium on the PATH.
set -eu
venv=${1:-.venv}
here=$(cd "$(dirname "$0")/.." && pwd)
"$venv/bin/python" -c 'import playwright' 2> /dev/null ||
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$here/constraints.txt" playwright
if ! command -v chromium > /dev/null && ! command -v chromium-browser > /dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "missing: chromium; install it, or run $0 as root on Debian" >&2
    exit 1
  fi
  echo "installing chromium"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=120 \
    chromium fonts-dejavu-core > /dev/null
fi
cd "$here/services/dashboard/web"
[ -e node_modules/axe-core/axe.min.js ] || npm ci --no-audit --no-fund --loglevel=error
