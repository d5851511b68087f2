#!/usr/bin/env bash
# Prints the version, and fails if a file has another one. With TAG (v0.2.0) the tag must match, and the changelog must have a
# section for it.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
failed=0

agrees() { # FILE EXPRESSION: what the expression has to match is the version
    local found
    while read -r found; do
        [[ $found == "$version" ]] && continue
        echo "version: Cargo.toml has $version, but $1 has $found" >&2
        failed=1
    done < <(sed -nE "s/$2/\1/p" "$1" | grep . || echo none)
}

agrees Cargo.toml '^dead-letter-client = .*version = "(.*)".*$'
agrees client/Cargo.toml '^version = "(.*)"$'
agrees openapi/openapi.json '^    "version": "(.*)",?$'
for file in k8s/base/kustomization.yaml k8s/overlays/prod/kustomization.yaml; do agrees "$file" '^ *newTag: "?([^"]*)"?$'; done
for key in version appVersion; do agrees k8s/chart/Chart.yaml "^$key: \"?([^\"]*)\"?\$"; done
agrees SECURITY.md '^cosign .* ghcr\.io\/dead-letter\/dead-letter:([^ ]*).*$'
for package in backstage/package.json backstage/plugins/*/package.json; do agrees "$package" '^  "version": "(.*)",$'; done
if [[ -n ${TAG-} ]]; then
    [[ $TAG == "v$version" ]] || { echo "version: Cargo.toml has $version, but the tag is $TAG" >&2 && failed=1; }
    grep -q "^## \[$version\] - 20" CHANGELOG.md || { echo "version: CHANGELOG.md has no section for $version" >&2 && failed=1; }
fi
((!failed)) || exit 1
echo "$version"
