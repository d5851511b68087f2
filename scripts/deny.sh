#!/usr/bin/env bash
# Checks the dependencies against deny.toml: licences, sources, bans, advisories. Says what it leaves out, and why, where
# something cannot be fetched.
set -uo pipefail
cd "$(dirname "$0")/.."
say() { echo "deny: $*"; }

if ! command -v cargo-deny >/dev/null && ! cargo install --quiet --debug --locked cargo-deny; then
    say 'SKIPPED: cargo-deny is missing and could not be installed (see above)'
    exit
fi
cargo deny --log-level error --locked check --hide-inclusion-graph bans licenses sources || exit
if cargo deny --log-level error --locked fetch db; then
    cargo deny --log-level error --locked check --disable-fetch advisories
else
    say 'SKIPPED: advisories, because their database could not be downloaded (see above)'
fi
