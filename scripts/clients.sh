#!/usr/bin/env bash
# Installs the libraries whose failures are tried for real, and runs their tests on private servers.
set -euo pipefail
cd "$(dirname "$0")/.."

export CLIENTS="$PWD/target/clients"
mkdir -p "$CLIENTS"
for program in python3 npm; do
    command -v "$program" >/dev/null || { echo "$program is missing: install it to run these tests"; exit 1; }
done
python3 -m venv "$CLIENTS/venv"
"$CLIENTS/venv/bin/pip" install --quiet 'dramatiq[rabbitmq]==2.0.*' 'celery==5.5.*'
npm install --silent --no-fund --no-audit --prefix "$CLIENTS" rascal@20
exec scripts/servers.sh with target/servers/clients cargo test --locked --test it -- --ignored clients:: "$@"
