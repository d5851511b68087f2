#!/usr/bin/env bash
# Generates clients from openapi/openapi.json, in Python and in TypeScript, compiles them, and uses them against the service
# (tests/generated, tests/it/generated.rs). Nothing of it is committed.
#
#   generated.sh check   generates and compiles
#   generated.sh test    and redelivers with them, on the servers of DATABASE_URL and AMQP_URL
#
# TypeScript is left out where there is no Node.js for it.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$PWD/target/generated
openapi=$PWD/openapi/openapi.json

say() { echo "generated: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# shellcheck source=servers/install.sh
. scripts/servers/install.sh

# Runs a command, and shows what it wrote only if it failed.
quietly() { # NAME COMMAND...
    local log=$out/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        die "failed: $*"
    }
}

python() {
    local venv=$out/python
    if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
        say 'installing python3-venv with apt-get (this machine has none)'
        apt_install python3-venv || die 'needs Python 3.10 or later with venv: apt-get install python3-venv'
    fi
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$venv"
    quietly pip "$venv/bin/pip" install --disable-pip-version-check openapi-python-client==0.29.1
    # The program formats what it has written by what is on the PATH.
    PATH=$venv/bin:$PATH quietly openapi-python-client "$venv/bin/openapi-python-client" generate \
        --path "$openapi" --output-path "$out/dead_letter_client" --overwrite --meta none --fail-on-warning
    quietly compileall "$venv/bin/python" -m compileall -q "$out/dead_letter_client"
    say "the Python client compiles"
}

typescript() {
    local npm=$out/typescript
    if ! scripts/backstage.sh has-node; then
        say 'TypeScript is left out: no Node.js 20 or later here'
        return 0
    fi
    mkdir -p "$npm"
    quietly npm npm install --loglevel=error --prefer-offline --no-fund --no-audit --prefix "$npm" \
        openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.8.3
    cp tests/generated/follow.mts "$npm"
    quietly openapi-typescript "$npm/node_modules/.bin/openapi-typescript" "$openapi" --output "$npm/schema.ts"
    quietly tsc "$npm/node_modules/.bin/tsc" --strict --noUncheckedIndexedAccess --target es2022 --module nodenext \
        --moduleResolution nodenext --skipLibCheck --outDir "$npm/built" "$npm/follow.mts" "$npm/schema.ts"
    say 'the TypeScript client compiles'
}

check() {
    mkdir -p "$out"
    python
    typescript
}

case ${1-} in
    check) check ;;
    test)
        check
        GENERATED=$out cargo test --quiet --workspace --locked --test it -- --ignored generated::
        ;;
    *) die 'usage: generated.sh check|test' ;;
esac
