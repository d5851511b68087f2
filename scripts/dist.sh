#!/usr/bin/env bash
# Puts what a release consists of, but for the image, into target/dist: the program, the sources, the bill of materials, checksums.
# With TAG (v0.1.0) it has to be the tag of the version in Cargo.toml.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
name=dead-letter-$version
[[ ${TAG:-v$version} == "v$version" ]] || {
    echo "dist: the tag is $TAG, and the version in Cargo.toml $version" >&2
    exit 1
}
rm -rf target/dist
mkdir -p "target/dist/$name"
cp target/release/dead-letter LICENSE README.md CHANGELOG.md target/dist/"$name"
tar -C target/dist -czf "target/dist/$name-$(uname -m)-linux.tar.gz" "$name"
rm -r "target/dist/$name"
git archive --prefix="$name/" --output="target/dist/$name-source.tar.gz" HEAD
cp target/sbom/dead-letter.cdx.json "target/dist/$name.cdx.json"
cd target/dist
sha256sum -- * >SHA256SUMS
cat SHA256SUMS
