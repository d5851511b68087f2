#!/usr/bin/env bash
# Installs the libraries whose failures are tried for real, and runs their tests on private servers.
set -euo pipefail
cd "$(dirname "$0")/.."

export CLIENTS="$PWD/target/clients"
for language in python node; do
    scripts/libraries.sh $language "$CLIENTS"
done
exec scripts/servers.sh with "target/servers/clients${RABBITMQ:+-$RABBITMQ}${POSTGRES:+-$POSTGRES}" cargo test --workspace --locked --test it -- --ignored clients:: "$@"
