#!/usr/bin/env bash
# Has Schemathesis ask the service everything that openapi/openapi.json allows and forbids, and check every answer against the document
# (tests/it/schemathesis.rs): without sign-in, signed in with all permissions and with some, without a token, with a wrong one, and over
# the limits. On the servers of DATABASE_URL and AMQP_URL.
#
#   schemathesis.sh test   a few questions for each route, with `make test`
#   schemathesis.sh full   many; EXAMPLES=200
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$PWD/target/schemathesis
locked=scripts/schemathesis/requirements.txt

say() { echo "schemathesis: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# shellcheck source=servers/install.sh
. scripts/servers/install.sh

install() {
    local venv=$out/python
    ! cmp -s "$out/installed" $locked || return 0
    if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
        say 'installing python3-venv with apt-get (this machine has none)'
        apt_install python3-venv || die 'needs Python 3.10 or later with venv: apt-get install python3-venv'
    fi
    mkdir -p "$out"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement $locked
    cp $locked "$out/installed"
}

run() { # EXAMPLES
    install
    SCHEMATHESIS=$out EXAMPLES=$1 cargo test --quiet --workspace --locked --test it -- --ignored schemathesis:: --test-threads 1
}

case ${1-} in
    test) run 2 ;;
    full) run "${EXAMPLES:-200}" ;;
    *) die 'usage: schemathesis.sh test|full' ;;
esac
