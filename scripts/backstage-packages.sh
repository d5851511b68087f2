#!/usr/bin/env bash
# The packages of backstage/plugins, as others get them.
#
#   backstage-packages.sh pack     packs each into target/backstage/packs
#   backstage-packages.sh fresh    makes a Backstage with @backstage/create-app outside of the repository, brings it to the versions of the
#                                  registry, installs the packs by the lines of their READMEs, and walks through it in Chromium. FRESH: the
#                                  folder; what is there already is used again. By default a new one, which is removed
#   backstage-packages.sh dynamic  exports each as a dynamic plugin of Red Hat Developer Hub into target/backstage/dynamic
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

create_app=0.9.2
rhdh_cli=1.9.1
packs=$PWD/target/backstage/packs
tools=$PWD/target/backstage/tools
yarn=$(echo "$PWD"/backstage/.yarn/releases/yarn-*.cjs)

say() { echo "packages: $*" >&2; }

# What these tools need: a Node.js that they support, and a yarn on the PATH. Yarn 4.13 does not survive a request that it has to repeat on
# Node.js 24.22, so it runs on the one that was there.
prepare() {
    local node
    node=$(command -v node || true)
    NODE_WANTED=22 scripts/backstage.sh node
    [[ ! -x target/node/bin/node ]] || PATH=$PWD/target/node/bin:$PATH
    mkdir -p "$tools" "$packs"
    printf '#!/bin/sh\nexec %q %q "$@"\n' "${node:-node}" "$yarn" >"$tools/yarn"
    chmod +x "$tools/yarn"
    PATH=$tools:$PATH
}

pack() {
    local folder
    (cd backstage && yarn install --immutable >/dev/null && yarn tsc)
    for folder in backstage/plugins/*; do
        (cd "$folder" && yarn build && yarn pack --out "$packs/${folder##*/}.tgz") >"$packs/${folder##*/}.log" 2>&1 ||
            { tail -n 20 "$packs/${folder##*/}.log" >&2 && return 1; }
    done
    ls -l "$packs"/*.tgz
}

fresh() {
    local folder=${FRESH-}
    if [[ -z $folder ]]; then
        folder=$(mktemp -d)/fresh
        trap 'rm -rf "${folder%/fresh}"' EXIT
    fi
    [[ -e $folder/.installed ]] || make_fresh "$folder"
    say 'walking through it ...'
    scripts/issuer.sh install
    scripts/servers.sh install
    [[ -n ${DEAD_LETTER_BINARY-} ]] || cargo build --release --locked --workspace
    FRESH=$folder scripts/servers.sh with target/servers/e2e node --test --test-reporter spec backstage/e2e/fresh.test.mjs
}

make_fresh() { # FOLDER
    local plugin=@dead-letter/backstage-plugin config
    pack
    say "making $1 ..."
    BACKSTAGE_APP_NAME=fresh npx --yes "@backstage/create-app@$create_app" --path "$1" --skip-install
    cp backstage/e2e/support/fresh.app-config.yaml "$1/app-config.local.yaml"
    (
        cd "$1"
        # Native modules are not needed: the database is PostgreSQL.
        echo 'enableScripts: false' >>.yarnrc.yml
        # Until the packages are published, what they depend on is found here.
        node -e "
            const root = JSON.parse(fs.readFileSync('package.json'));
            for (const name of ['common', 'node']) root.resolutions['$plugin-dead-letter-' + name] = 'file:$packs/dead-letter-' + name + '.tgz';
            fs.writeFileSync('package.json', JSON.stringify(root, null, 2));"
        yarn up '@backstage/*'
        yarn --cwd packages/app add "$plugin-dead-letter@file:$packs/dead-letter.tgz"
        yarn --cwd packages/backend add "$plugin-dead-letter-backend@file:$packs/dead-letter-backend.tgz" \
            "$plugin-search-backend-module-dead-letter@file:$packs/search-backend-module-dead-letter.tgz"
        for each in dead-letter-backend search-backend-module-dead-letter; do
            sed -i "s|^backend.start();|backend.add(import('$plugin-$each'));\n&|" packages/backend/src/index.ts
        done
        yarn tsc
        config=(--config ../../app-config.yaml --config ../../app-config.local.yaml)
        DEAD_LETTER_URL=http://localhost BACKSTAGE_PORT=7007 yarn workspace app build "${config[@]}"
        touch .installed
    )
}

dynamic() {
    local folder log=target/backstage/dynamic.log
    [[ -x $tools/node_modules/.bin/rhdh-cli ]] ||
        npm install --loglevel=error --no-fund --no-audit --prefix "$tools" "@red-hat-developer-hub/cli@$rhdh_cli" >/dev/null
    (cd backstage && yarn install --immutable >/dev/null && yarn tsc)
    rm -rf target/backstage/dynamic
    mkdir -p target/backstage/dynamic
    for folder in backstage/plugins/{dead-letter,dead-letter-backend,*-module-*}; do
        say "exporting ${folder##*/} ..."
        (cd "$folder" && export_dynamic) >$log 2>&1 || { tail -n 20 $log >&2 && return 1; }
        mv "$folder/dist-dynamic" "target/backstage/dynamic/${folder##*/}"
    done
    ls target/backstage/dynamic
}

# Our own libraries become part of a backend plugin.
export_dynamic() {
    local embedded=()
    grep -q '"role": "frontend' package.json || embedded=(--no-install --embed-package @dead-letter/backstage-plugin-dead-letter-{common,node})
    node "$tools/node_modules/.bin/rhdh-cli" plugin export --clean "${embedded[@]}"
}

case ${1-} in
    pack | fresh | dynamic) prepare && "$1" ;;
    *) say 'usage: backstage-packages.sh pack|fresh|dynamic' && exit 1 ;;
esac
