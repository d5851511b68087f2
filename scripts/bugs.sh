#!/usr/bin/env bash
# Plants bugs, one at a time, and says whether the tests find them: the test of the tests.
#
#   bugs.sh [NAME...]   plant these, or all; needs servers (scripts/servers.sh with DIR scripts/bugs.sh)
#   bugs.sh --check     each patch applies, and names what has to find it
#
# A bug is a patch, tests/chaos/bugs/NAME.patch. What stands above the diff says what it breaks and what has to find it:
#
#   Breaks R1: what the service does wrong.
#   Scenario: a test of tests/chaos/scenarios.rs that has to fail with the patched service
#   Finds: what it has to say then, as an extended regular expression
#   Model: another test that has to fail, built with the patched library (optional)
#
# The patch is applied to a copy of the sources, target/bugs/tree, never to the work tree. Cargo builds the copy with the
# dependencies that target/ has already. The copy is of a version of its own: to Cargo it is another package, so what is built of
# it is never taken for what is built of the work tree.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$root/target/bugs
tree=$folder/tree
# Whether two workers meet is a matter of luck.
tries=3
# The exit code of a test that fails, as against one that is not there or was killed.
test_failed=101

say() { echo "bugs: $*"; }
die() {
    say "$*" >&2
    exit 1
}

patch_of() { echo "$root/tests/chaos/bugs/$1.patch"; } # BUG

field() { sed -n "1,/^--- /s/^$2: //p" "$(patch_of "$1")"; } # BUG NAME

# Without a repository around it, Git applies a patch to the folder.
apply() { GIT_CEILING_DIRECTORIES=$(dirname "$PWD") git apply "$@"; } # ARG...

# Says what is wrong with a patch.
check() { # BUG
    local patch scenario
    patch=$(patch_of "$1")
    [[ -f $patch ]] || die "no such bug: $1. See tests/chaos/bugs/"
    scenario=$(field "$1" Scenario)
    grep -qE '^Breaks R[0-9]+: .' "$patch" || { say "$1: the patch has no line 'Breaks R…:'" && return 1; }
    [[ -n $(field "$1" Finds) ]] || { say "$1: the patch has no line 'Finds:'" && return 1; }
    grep -q "^async fn $scenario()" tests/chaos/scenarios.rs \
        || { say "$1: tests/chaos/scenarios.rs has no scenario '$scenario'" && return 1; }
    apply --check "$patch" || {
        say "$1: the patch no longer applies. Put the same bug into the current code, write 'git diff' to ${patch#"$root/"}" \
            "below its header lines, and revert the code."
        return 1
    }
}

# Lays the sources anew, with the bug in them.
plant() { # BUG
    rm -rf "$tree"
    mkdir -p "$tree"
    tar -c --exclude=./target --exclude=./.git --exclude=./backstage --exclude=./fuzz . | tar -x -C "$tree"
    (
        cd "$tree" || exit
        sed -i '/^\[package\]/,/^version = /s/^\(version = ".*\)"/\1-bug"/' Cargo.toml client/Cargo.toml
        sed -i 's/^\(dead-letter-client = .*version = "[^"]*\)"/\1-bug"/' Cargo.toml
        sed -i -E '/^name = "dead-letter(-client)?"$/{n;s/"$/-bug"/}' Cargo.lock
        apply "$(patch_of "$1")"
    )
}

# Programs go to a folder of their own, so that no program with a bug in it is where others look for one.
cargo_there() { (cd "$tree" && CARGO_TARGET_DIR=$folder CARGO_BUILD_BUILD_DIR=$root/target cargo "$@"); } # ARG...

# Whether the test fails, and says so in these words.
finds() { # TEST WORDS LOG COMMAND...
    local status=0
    "${@:4}" --exact "$1" --nocapture >"$3" 2>&1 || status=$?
    ((status == test_failed)) && grep -qE -- "$2" "$3"
}

found_by_scenario() { # BUG
    local try words log=$folder/$1.log
    words=$(field "$1" Finds)
    for ((try = 1; try <= tries; try++)); do
        if DEAD_LETTER_BINARY=$folder/debug/dead-letter finds "scenarios::$(field "$1" Scenario)" "$words" "$log" "$chaos"; then
            say "$1: found: $(grep -oEm1 -- ".*$words.*" "$log")"
            return
        fi
    done
    say "$1: NOT FOUND by scenarios::$(field "$1" Scenario): no \"$words\" in ${log#"$root/"}"
    return 1
}

found_by_model() { # BUG TEST
    local log=$folder/$1-model.log
    if cargo_there test --quiet --workspace --locked --test chaos --no-run >"$log" 2>&1 \
        && finds "$2" "$2 .*FAILED|$2' .*panicked" "$log" cargo_there test --quiet --workspace --locked --test chaos --; then
        say "$1: found by $2"
        return
    fi
    say "$1: NOT FOUND by $2: see ${log#"$root/"}"
    return 1
}

try() { # BUG
    local model failed=0 log=$folder/$1-build.log
    plant "$1" || return
    cargo_there build --quiet --locked --bin dead-letter >"$log" 2>&1 || {
        say "$1: the planted bug does not compile. See ${log#"$root/"}"
        return 1
    }
    found_by_scenario "$1" || failed=1
    for model in $(field "$1" Model); do found_by_model "$1" "$model" || failed=1; done
    return $failed
}

command -v git >/dev/null || die 'git is missing. It is needed to apply the patches'
checks_only=
[[ ${1-} == --check ]] && checks_only=yes && shift
bugs=("$@")
(($#)) || for patch in tests/chaos/bugs/*.patch; do bugs+=("$(basename "$patch" .patch)"); done

failed=0
for bug in "${bugs[@]}"; do check "$bug" || failed=1; done
[[ -z $checks_only ]] || exit $failed
((!failed)) || exit 1

# Short runs of what has a full one.
unset CHAOS CHAOS_TABLE
mkdir -p "$folder"
cargo test --quiet --workspace --locked --test chaos --no-run || exit
chaos=$(cargo test --workspace --locked --test chaos --no-run 2>&1 | sed -nE 's/.*\((.*)\)$/\1/p')
found=0
for bug in "${bugs[@]}"; do
    if try "$bug"; then found=$((found + 1)); fi
done
say "$found of ${#bugs[@]} found"
((found == ${#bugs[@]}))
