#!/usr/bin/env bash
# Runs the whole chaos table, or the tests whose names contain one of the words given, and prints it.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/target/chaos
mkdir -p "$folder"
rm -f "$folder/table.md"
export CHAOS=full CHAOS_TABLE=$folder/table.md

is_wanted() { # TEST WORD...
    local test=$1 word
    shift
    (($#)) || return 0
    for word in "$@"; do [[ $test != *"$word"* ]] || return 0; done
    return 1
}

run() { # WORD...
    local failed=0 begun=$SECONDS passed=yes
    local model=operations::worker::model::operations_keep_their_rules planted=planted::planted_bugs_are_caught
    cargo test --locked --test chaos -- --nocapture --test-threads 1 --skip "$planted" "$@" || failed=1
    # The test of the tests: the service once more, with bugs in it.
    if is_wanted "$planted" "$@"; then
        cargo test --locked --features planted-bugs --test chaos -- --nocapture --exact "$planted" || failed=1
    fi
    if is_wanted "$model" "$@"; then
        begun=$SECONDS
        cargo test --locked --lib -- --exact "$model" || { failed=1 passed=NO; }
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
scripts/servers.sh with target/servers/chaos scripts/chaos.sh --run "$@" | tee "$folder/log"
status=${PIPESTATUS[0]}
echo
echo '| fault | times | found | passed | took |'
echo '|---|---:|---|---|---:|'
cat "$folder/table.md" 2>/dev/null
exit "$status"
