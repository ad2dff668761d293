#!/bin/sh
# servers.sh: install the servers that `make test-services` runs against, from Debian packages.
#
# What is there already is left alone, and nothing is started: the tests start each server
# themselves, on a free port of the loopback interface with a folder of its own. Other systems:
# have these programs on the PATH.
set -eu
missing=
for pair in prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager redis-server:redis-server \
  rabbitmq-server:rabbitmq-server; do
  command -v "${pair%%:*}" > /dev/null || missing="$missing ${pair##*:}"
done
command -v postgres > /dev/null || ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || missing="$missing postgresql"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "missing:$missing; install them, or run $0 as root on Debian" >&2
  exit 1
fi
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then # which tells Debian's packages not to start what they bring
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # one word a package
apt-get install -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=120 $missing > /dev/null
