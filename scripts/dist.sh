#!/usr/bin/env bash
# Puts what a release consists of, but for the image, into target/dist: the program, the sources, the bill of materials, checksums;
# and the section of the changelog into target/release-notes.md. The same program and commit give the same bytes. With TAG (v0.2.0) it has
# to be the tag of the version, with PROGRAM that is what the archive has.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${PROGRAM:-target/release/dead-letter}
version=$(scripts/version.sh)
name=dead-letter-$version
[[ $("$program" --version) == "dead-letter $version" ]] || {
    echo "dist: $program is not version $version" >&2
    exit 1
}
# Its page, uncompressed.
grep -aq 'The console of dead-letter needs JavaScript' "$program" || {
    echo 'dist: the program does not contain the console: run scripts/backstage.sh console, and build it again' >&2
    exit 1
}
libc=$(grep -aoE 'GLIBC_2\.[0-9]+' "$program" | sort -uV | tail -1)

folder=target/dist
rm -rf $folder
mkdir -p "$folder/$name"
install -m 755 "$program" "$folder/$name/dead-letter"
install -m 644 LICENSE README.md CHANGELOG.md "$folder/$name"
tar -C $folder --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -c "$name" \
    | gzip -9n >"$folder/$name-$(uname -m)-linux.tar.gz"
rm -r "${folder:?}/$name"
git archive --prefix="$name/" HEAD | gzip -9n >"$folder/$name-source.tar.gz"
install -m 644 target/sbom/dead-letter.cdx.json "$folder/$name.cdx.json"
(cd $folder && sha256sum -- * >SHA256SUMS)
{
    sed -n "/^## \[$version\]/,/^## \[/{/^## \[/d;p}" CHANGELOG.md
    echo "The program in the archive is for Linux on $(uname -m), with glibc ${libc#GLIBC_} or later."
} >target/release-notes.md
cat $folder/SHA256SUMS
