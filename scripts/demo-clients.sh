#!/usr/bin/env bash
# The demo's services in other languages, in loadtest/demo-clients: installs their libraries, which takes a while the
# first time, and runs them. For demo.sh, which gives AMQP_URL and CONTROL_URL, and ends all of it by its process group.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

here=target/demo
code=loadtest/demo-clients
# A list of nodes is no URL to these.
export AMQP_URL=${AMQP_URL%%,*} NODE_PATH=$PWD/$here/node_modules PYTHONDONTWRITEBYTECODE=1

say() { echo "demo: $*" >&2; }

install() { # python|node SERVICES
    scripts/libraries.sh "$1" $here >$here/libraries.log 2>&1 || {
        say "skipped: $2: $(tail -n 1 $here/libraries.log) (full log: $here/libraries.log)"
        return 1
    }
}

# Again and again, since a broker that goes away may end it.
run() { # SERVICE COMMAND...
    local log=$here/$1.log
    : >"$log"
    while :; do
        SERVICE=$1 "${@:2}" >>"$log" 2>&1 || true
        say "$1 stopped unexpectedly and restarts in ten seconds. See $log"
        sleep 10
    done
}

# One after the other, as there is one package manager.
if install python 'billing (Celery) and statements (Dramatiq)'; then
    run billing $here/venv/bin/python $code/billing.py &
    run statements $here/venv/bin/python $code/statements.py &
fi
if install node 'shipping (Rascal)'; then
    run shipping node $code/shipping.js &
fi
wait
