#!/usr/bin/env bash
# Runs the integration tests and the short chaos rows on each pair of versions that is supported, or on those given
# (matrix.sh 4.3:18), says what was skipped and why, and ends with a table.
set -uo pipefail
cd "$(dirname "$0")/.."

pairs=(3.10:15 4.0:17 4.3:18)
(($#)) && pairs=("$@")
folder=$PWD/target/matrix
rm -rf "$folder"
mkdir -p "$folder"
unset DATABASE_URL AMQP_URL

# Adds up the lines `test result: ok. 12 passed; 0 failed; …`.
total() { # passed|failed LOG...
    sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p" "${@:2}" | awk '{ sum += $1 } END { print sum + 0 }'
}

# What tests say of themselves, and what is ignored; but not the one that has a run of its own below.
skipped() { # LOG...
    sed -nE -e '/^skipped: /p' -e '/clients::amqp_1_0/d' -e 's/^test (.*) \.\.\. ignored, (.*)$/skipped: \1: \2/p' "$@" | sort -u
}

# The consumer that speaks AMQP 1.0 needs a library, and RabbitMQ 4.
client_tests() { # LOG
    if [[ $RABBITMQ == 3.* ]]; then
        echo 'skipped: AMQP 1.0 consumer: RabbitMQ 3 supports AMQP 1.0 only with a plugin' >"$1"
    elif ! scripts/libraries.sh python "$PWD/target/clients"; then
        echo 'skipped: AMQP 1.0 consumer: its library could not be installed' >"$1"
    else
        CLIENTS=$PWD/target/clients scripts/servers.sh with "$servers" \
            cargo test --workspace --locked --test it -- --ignored --show-output clients::amqp_1_0 >"$1" 2>&1
    fi
}

run_pair() {
    local log=$folder/$RABBITMQ-$POSTGRES servers=$PWD/target/servers/matrix-$RABBITMQ-$POSTGRES begun=$SECONDS
    local failed status=0
    local -a logs=("$log.log" "$log-clients.log")
    echo "matrix: RabbitMQ $RABBITMQ with PostgreSQL $POSTGRES; test output: $log.log"
    scripts/servers.sh install pgbouncer haproxy || return
    scripts/servers.sh destroy "$servers" # of an earlier run
    scripts/servers.sh with "$servers" cargo test --workspace --locked --no-fail-fast --test it --test chaos -- --show-output \
        >"${logs[0]}" 2>&1 || status=$?
    client_tests "${logs[1]}" || status=$?
    scripts/servers.sh destroy "$servers"
    grep -hE '^test .* FAILED$' "${logs[@]}"
    skipped "${logs[@]}"
    failed=$(total failed "${logs[@]}")
    ((status == 0 || failed > 0)) || failed='aborted'
    echo "| $RABBITMQ | $POSTGRES | $(total passed "${logs[@]}") | $failed | $(skipped "${logs[@]}" | wc -l) |" \
        "$((SECONDS - begun)) |" >>"$folder/table.md"
    return "$status"
}

cargo test --workspace --locked --no-run --test it --test chaos || exit
failed=0
for pair in "${pairs[@]}"; do
    export RABBITMQ=${pair%%:*} POSTGRES=${pair##*:}
    run_pair || failed=1
done
echo
echo '| RabbitMQ | PostgreSQL | passed | failed | skipped | seconds |'
echo '|---|---|---:|---:|---:|---:|'
cat "$folder/table.md"
exit $failed
