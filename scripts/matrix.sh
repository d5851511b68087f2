#!/usr/bin/env bash
# Runs the integration tests and the short chaos rows on each pair of versions that is supported, or on those given
# (matrix.sh 4.3:18), says what was skipped, and ends with a table.
set -uo pipefail
cd "$(dirname "$0")/.."

pairs=(3.10:15 4.0:17 4.3:18)
(($#)) && pairs=("$@")
folder=$PWD/target/matrix
rm -rf "$folder"
mkdir -p "$folder"

total() { # WORD LOG...: of the lines `test result: ok. 12 passed; 0 failed; …`
    local word=$1
    shift
    { sed -nE "s/^test result: .* ([0-9]+) $word;.*/\1/p" "$@" 2>/dev/null && echo 0; } | paste -sd + | bc_
}
bc_() {
    local sum
    read -r sum
    echo $((sum))
}

# What needs libraries of its own: the consumer that speaks AMQP 1.0, which RabbitMQ does from 4.0 on.
client_tests() { # LOG
    if [[ $RABBITMQ == 3.* ]]; then
        echo 'skipped: clients::amqp_1_0: RabbitMQ 3 has AMQP 1.0 in a plugin only' >"$1"
    elif ! scripts/libraries.sh python "$PWD/target/clients"; then
        echo 'skipped: clients::amqp_1_0: its library could not be installed' >"$1"
    else
        CLIENTS=$PWD/target/clients scripts/servers.sh with "$servers" \
            cargo test --locked --test it -- --ignored --show-output clients::amqp_1_0 >"$1" 2>&1
    fi
}

run_pair() {
    local log=$folder/$RABBITMQ-$POSTGRES servers=$PWD/target/servers/matrix-$RABBITMQ-$POSTGRES begun=$SECONDS
    local passed failed skipped status=0
    echo "matrix: RabbitMQ $RABBITMQ with PostgreSQL $POSTGRES; its log is $log.log"
    scripts/servers.sh install pgbouncer || return
    # The data of an earlier run are of no use.
    scripts/servers.sh destroy "$servers"
    scripts/servers.sh with "$servers" cargo test --locked --no-fail-fast --test it --test chaos -- --show-output \
        >"$log.log" 2>&1 || status=$?
    client_tests "$log-clients.log" || status=$?
    scripts/servers.sh destroy "$servers"
    passed=$(total passed "$log.log" "$log-clients.log")
    failed=$(total failed "$log.log" "$log-clients.log")
    grep -hE '^(test .* FAILED|error(\[|:)|warning: build failed)' "$log.log" "$log-clients.log"
    skipped=$({ grep -h '^skipped: ' "$log.log" "$log-clients.log" && :; sed -nE 's/^test (.*) \.\.\. ignored(, (.*))?$/skipped: \1: \3/p' "$log.log"; } |
        grep -v "clients::amqp_1_0: needs" | sort -u | tee /dev/stderr | wc -l)
    ((status == 0 || failed > 0)) || failed='did not run'
    echo "| $RABBITMQ | $POSTGRES | $passed | $failed | $skipped | $((SECONDS - begun)) |" >>"$folder/table.md"
    return "$status"
}

cargo test --locked --no-run --test it --test chaos || exit
failed=0
for pair in "${pairs[@]}"; do
    RABBITMQ=${pair%%:*} POSTGRES=${pair##*:}
    export RABBITMQ POSTGRES
    run_pair || failed=1
done
echo
echo '| RabbitMQ | PostgreSQL | passed | failed | skipped | seconds |'
echo '|---|---|---:|---:|---:|---:|'
cat "$folder/table.md"
exit $failed
