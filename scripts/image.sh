#!/usr/bin/env bash
# The container image.
#
#   image.sh check       the files that .dockerignore lets through are enough for Cargo
#   image.sh build TAG   build it, and start the program in it
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    echo "image: $*" >&2
    exit 1
}

check() {
    local context=target/image path
    rm -rf "$context"
    mkdir -p "$context"
    while read -r path; do cp -a "$path" "$context"; done < <(sed -n 's/^!//p' .dockerignore)
    (cd "$context" && cargo metadata --locked --format-version 1 >/dev/null) \
        || die 'the image cannot be built from what .dockerignore lets through (see above)'
}

build() { # TAG
    local engine
    engine=$(command -v docker || command -v podman) || die 'neither docker nor podman is here'
    "$engine" build --tag "$1" .
    "$engine" run --rm "$1" --version
}

case ${1-} in
    check) check ;;
    build) build "$2" ;;
    *) die 'usage: image.sh check | build TAG' ;;
esac
