#!/usr/bin/env bash
# Builds the former versions that the tests of upgrades begin with, each once: target/former/VERSION/dead-letter. They are debug builds
# of commits of this repository; a shallow clone fetches these commits.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/former

versions=(
    # The last commit of 0.2.0: the next one has the first migration that 0.2.0 cannot run beside.
    0.2.0=b1482d3d2293bf34031eeda8841ff16c6aef451e
    # The last commit before migration 14: all migrations since then are for a rolling upgrade.
    schema-13=98bd19f59a8ded4c3448b56cf5d56290e561b9d4
)

build() { # VERSION COMMIT
    local source=$folder/$1/source
    [[ ! -x $folder/$1/dead-letter ]] || return 0
    git cat-file -e "$2^{commit}" 2>/dev/null || git fetch --quiet --depth 1 origin "$2" ||
        { echo "former: the commit $2 of $1 is not in this repository" >&2 && return 1; }
    echo "former: building $1 (commit ${2:0:7}), once"
    rm -rf "$source"
    mkdir -p "$source"
    git archive "$2" | tar --extract --directory "$source"
    # They share what they depend on.
    (cd "$source" && CARGO_TARGET_DIR=$folder/build nice cargo build --quiet --locked --bin dead-letter)
    mv "$folder/build/debug/dead-letter" "$folder/$1/dead-letter"
    rm -rf "$source"
}

for version in "${versions[@]}"; do build "${version%%=*}" "${version#*=}"; done
