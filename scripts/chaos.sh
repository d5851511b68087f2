#!/usr/bin/env bash
# Runs the whole chaos table, or the tests whose names contain one of the words given, and prints it.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/chaos
mkdir -p "$folder"
rm -f "$folder/table.md"
export CHAOS=full CHAOS_TABLE=$folder/table.md

# Tests that mostly wait for what they broke go on beside each other; the others need the processors, or measure them.
waiting='^(cluster|cuts|database|resend|sources|startup)::'
beside=3

is_wanted() { # TEST WORD...
    local test=$1 word
    shift
    (($#)) || return 0
    for word in "$@"; do [[ $test != *"$word"* ]] || return 0; done
    return 1
}

# It is the release that is broken, as it is what users have; the short form in `make test` breaks a debug build.
build_and_test() { cargo test --release --locked "$@"; } # ARG...

run_tests() { # THREADS TEST...
    (($# > 1)) || return 0
    build_and_test --test chaos -- --nocapture --test-threads "$1" --exact "${@:2}"
}

run() { # WORD...
    local failed=0 begun passed test upgrades=''
    local model=operations::worker::model::operations_keep_their_rules
    local -a patient=() others=()
    while read -r test; do
        is_wanted "$test" "$@" || continue
        [[ $test != upgrade::* ]] || upgrades=yes
        if [[ $test =~ $waiting ]]; then patient+=("$test"); else others+=("$test"); fi
    done < <(build_and_test --test chaos -- --list --format terse | sed -n 's/: test$//p')
    # What is upgraded from.
    [[ -z $upgrades ]] || scripts/former.sh || failed=1
    run_tests $beside "${patient[@]}" || failed=1
    run_tests 1 "${others[@]}" || failed=1
    # The test of the tests: the service once more, with bugs in it, as debug builds.
    if is_wanted bugs "$@"; then
        begun=$SECONDS passed=yes
        scripts/bugs.sh | tee "$folder/bugs" || { failed=1 passed=NO; }
        echo "| planted bugs, each of which breaks a rule | | $(tail -n 1 "$folder/bugs") | $passed | $((SECONDS - begun)) s |" \
            >>"$CHAOS_TABLE"
    fi
    if is_wanted "$model" "$@"; then
        begun=$SECONDS passed=yes
        build_and_test --lib -- --exact "$model" || { failed=1 passed=NO; }
        echo "| schedules of workers that fail, against a model | 100000 | | $passed | $((SECONDS - begun)) s |" \
            >>"$CHAOS_TABLE"
    fi
    return $failed
}

# Again, as a command that the servers are for.
if [[ ${1-} == --run ]]; then
    shift
    run "$@"
    exit
fi
scripts/servers.sh with "target/servers/chaos${RABBITMQ:+-$RABBITMQ}${POSTGRES:+-$POSTGRES}" scripts/chaos.sh --run "$@" | tee "$folder/log"
status=${PIPESTATUS[0]}
echo
echo '| fault | times | found | passed | took |'
echo '|---|---:|---|---|---:|'
cat "$folder/table.md" 2>/dev/null
exit "$status"
