#!/usr/bin/env bash
# The OIDC provider of the tests and the demo (scripts/issuer): a published one with a few users and no passwords, on a loopback
# address only.
#
#   issuer.sh install            its packages, if they are missing or others
#   issuer.sh serve              at ISSUER_ADDR (127.0.0.1:8082), until it is ended
#   issuer.sh approve CODE USER  does what USER does in the browser after `dead-letter login`
#   issuer.sh test               tests the sign-in (tests/it/login.rs), on the servers of DATABASE_URL and AMQP_URL
#
# Node.js is the one that scripts/backstage.sh uses. `install` gets one if there is none; the tests are then left out.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

issuer=http://${ISSUER_ADDR:-127.0.0.1:8082}

say() { echo "issuer: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# Where scripts/backstage.sh has put one.
[[ ! -x target/node/bin/node ]] || PATH=$PWD/target/node/bin:$PATH

install() {
    local stamp=scripts/issuer/node_modules/.installed
    ! cmp -s $stamp scripts/issuer/package-lock.json || return 0
    say 'installing the OIDC provider'
    npm ci --prefix scripts/issuer --ignore-scripts --loglevel=error --prefer-offline --no-fund --no-audit >/dev/null
    cp scripts/issuer/package-lock.json $stamp
}

# Fills in the forms: the code, the confirmation, the name.
approve() { # CODE USER
    local page form where
    jar=$(mktemp)
    trap 'rm -f "$jar"' EXIT
    browse() { curl -sS --fail --location --cookie "$jar" --cookie-jar "$jar" "$@"; }
    form=$(browse "$issuer/device" | grep -o 'name="xsrf" value="[^"]*"' | cut -d'"' -f4)
    where=$(browse --output /dev/null --write-out '%{url_effective}' --data-urlencode "user_code=$1" --data "xsrf=$form&confirm=yes" \
        "$issuer/device") || die "the code $1 is not known, has expired, or was used already"
    page=$(browse --data-urlencode "user=$2" "$where")
    [[ $page == *'You are signed in'* ]] || die "$2 cannot sign in"
    say "$2 has signed in"
}

case ${1-} in
    install)
        scripts/backstage.sh node
        PATH=$PWD/target/node/bin:$PATH
        install
        ;;
    serve) exec node scripts/issuer/issuer.mjs ;;
    approve)
        [[ $# == 3 ]] || die 'usage: issuer.sh approve CODE USER'
        approve "$2" "$3"
        ;;
    test)
        if scripts/backstage.sh has-node; then
            install
            cargo test --quiet --workspace --locked --test it -- --ignored login::
        else
            echo 'skipped: signing in with an OIDC issuer, because Node.js 20 or later is missing'
        fi
        ;;
    *) die 'usage: issuer.sh install|serve|approve|test' ;;
esac
