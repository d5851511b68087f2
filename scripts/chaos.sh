#!/usr/bin/env bash
# Runs the whole chaos table, or the tests whose names contain one of the words given, and prints it.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/chaos
mkdir -p "$folder"
rm -f "$folder/table.md"
export CHAOS=full CHAOS_TABLE=$folder/table.md
scripts/servers.sh with target/servers/chaos \
    cargo test --locked --test chaos -- --nocapture --test-threads 1 "$@" | tee "$folder/log"
status=${PIPESTATUS[0]}
echo
echo '| fault | times | found | passed | took |'
echo '|---|---:|---|---|---:|'
cat "$folder/table.md" 2>/dev/null
exit "$status"
