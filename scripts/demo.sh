#!/usr/bin/env bash
# The demo: private servers, a build, the service, and a small failing system that makes real dead letters; in the end
# also by clients in Python and Node (demo-clients.sh).
# Ctrl-C ends all of it. The data stay in target/servers/demo until `make demo FRESH=1`.
#
#   HTTP_ADDR, ADMIN_ADDR, CONTROL_ADDR   where the API, health and metrics, and the failing system's switch listen
#   DATABASE_URL, AMQP_URL                servers to use instead of private ones
#   BACKLOG                               messages to begin with (100)
#   BACKSTAGE, BACKSTAGE_ADDR             BACKSTAGE=1: a Backstage with the plugin too, at 127.0.0.1:7007; its catalog has the squads
#   AUTH, ISSUER_ADDR                     AUTH=1: callers sign in, with an OIDC provider at 127.0.0.1:8082
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=http.sh
. scripts/http.sh

export HTTP_ADDR=${HTTP_ADDR:-127.0.0.1:8080} ADMIN_ADDR=${ADMIN_ADDR:-127.0.0.1:9090}
export BACKSTAGE_ADDR=${BACKSTAGE_ADDR:-127.0.0.1:7007} ISSUER_ADDR=${ISSUER_ADDR:-127.0.0.1:8082}
control_addr=${CONTROL_ADDR:-127.0.0.1:8081}
api=http://${HTTP_ADDR/#0.0.0.0:/127.0.0.1:}
admin=http://${ADMIN_ADDR/#0.0.0.0:/127.0.0.1:}
bin=${CARGO_TARGET_DIR:-target}/debug
servers=target/servers/demo
log=target/demo/dead-letter.log

say() { echo "demo: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# ------------------------------------------------------------------------------------------------------------- the end

# The pids of what runs. The first seven have sessions of their own, so that Ctrl-C reaches only this script, which ends
# them in order. The failing system shares the terminal, whose keys it reads.
starting='' building='' preparing='' backstage='' issuer='' service='' clients='' failing=''
terminal=$(stty -g 2>/dev/null || true)

alive() { kill -0 -- "$1" 2>/dev/null; }

# SIGTERM to a process (-PID: to its whole session), and SIGKILL when that doesn't help within ten seconds.
end() { # [-]PID [SECONDS]
    local deadline=$((SECONDS + ${2:-10}))
    kill -TERM -- "$1" || return
    while alive "$1" && ((SECONDS < deadline)); do sleep 0.1; done
    kill -KILL -- "$1"
    wait "${1#-}"
} 2>/dev/null

clean_up() {
    set +e
    trap '' INT TERM HUP
    [[ -z $starting$service ]] || say 'stopping everything ...'
    [[ -z $building ]] || end "-$building"
    [[ -z $preparing ]] || end "-$preparing"
    [[ -z $backstage ]] || end "-$backstage"
    # It waits for the package manager, which is not to be cut off midway.
    [[ -z $clients ]] || end "-$clients" 300
    [[ -z $failing ]] || end "$failing"
    [[ -z $terminal ]] || stty "$terminal"
    [[ -z $service ]] || end "-$service"
    [[ -z $issuer ]] || end "-$issuer"
    [[ -z $starting ]] || {
        end "$starting" # if the start is still under way: it then stops what it started
        scripts/servers.sh stop $servers
    }
}

trap clean_up EXIT
trap 'exit 0' INT TERM
trap 'exec >/dev/null 2>&1; exit 0' HUP # the terminal is gone, and writing to it would fail

# ------------------------------------------------------------------------------------------------ is all there is needed

command -v cargo >/dev/null || die 'Rust is missing. Install it from https://rustup.rs'
command -v cc >/dev/null || die 'A C compiler is missing. Install one, for example: apt-get install build-essential'

check_free() { # NAME ADDRESS
    local port=${2##*:}
    if (exec 3<>"/dev/tcp/$(host "$2")/$port") 2>/dev/null; then
        die "$2 is in use by another program. Choose another address, for example: $1=127.0.0.1:$(((port + 10000) % 60000)) make demo"
    fi
}
check_free HTTP_ADDR "$HTTP_ADDR"
check_free ADMIN_ADDR "$ADMIN_ADDR"
check_free CONTROL_ADDR "$control_addr"
[[ -z ${BACKSTAGE-} ]] || check_free BACKSTAGE_ADDR "$BACKSTAGE_ADDR"
[[ -z ${AUTH-} ]] || check_free ISSUER_ADDR "$ISSUER_ADDR"

mkdir -p target/demo
exec 9>>target/demo/lock
! command -v flock >/dev/null || flock -n 9 || die 'A demo is already running in this checkout'

# ------------------------------------------------------------------------------------------------- servers, and a build

[[ -z ${FRESH-} ]] || scripts/servers.sh destroy $servers

given_database=${DATABASE_URL-} given_amqp=${AMQP_URL-}
kinds=()
[[ -n $given_database ]] || kinds+=(postgres)
[[ -n $given_amqp ]] || kinds+=(rabbitmq)
if ((${#kinds[@]})); then
    scripts/servers.sh install # in the foreground, where no signal cuts off the package manager midway
    setsid scripts/servers.sh start $servers "${kinds[@]}" 9>&- &
    starting=$!
fi

# Before the program, which contains it. The demo goes on without it.
console=''
if scripts/backstage.sh has-node || [[ -n ${AUTH-} ]]; then
    if scripts/backstage.sh console; then console=yes; else say 'the console could not be built: going on without it'; fi
else
    say 'without the console: Node.js 20 or later is missing'
fi

[[ -z ${AUTH-} ]] || scripts/issuer.sh install || die 'the OIDC provider could not be installed'

if [[ -n ${BACKSTAGE-} ]]; then
    setsid scripts/backstage.sh build 9>&- &
    preparing=$!
fi

say 'building (the first build takes minutes) ...'
# Not optimised: the tests use the same build, and nobody waits for a demo to be fast.
setsid cargo build --locked --workspace --bin dead-letter --bin demo 9>&- &
building=$!
# Whichever is done first: a failure of one need not wait for the other.
# shellcheck disable=SC2086
wait -n $building $starting || die 'stopping because of the error above'
wait $building || die 'the build failed'
building=''
if [[ -n $starting ]]; then
    wait "$starting" || die 'the servers did not start'
    # shellcheck source=/dev/null
    . $servers/env
fi
export DATABASE_URL=${given_database:-$DATABASE_URL} AMQP_URL=${given_amqp:-$AMQP_URL}

# --------------------------------------------------------------------------------------------------------- the service

# The issuer, a policy, and a profile of the command line for each user.
require_sign_in() {
    local log=target/demo/issuer.log user
    if [[ -n ${BACKSTAGE-} ]]; then
        BACKSTAGE_CLIENT_SECRET=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
        export BACKSTAGE_CLIENT_SECRET BACKSTAGE_URL=$DEAD_LETTER_BACKSTAGE_URL BACKSTAGE_SIGN_IN=oidc ISSUER_URL=http://$ISSUER_ADDR
        # What its permission policy allows counts, too (backstage/packages/backend/src/policy.ts).
        export DEAD_LETTER_BACKSTAGE_PERMISSIONS=require
    fi
    CONSOLE_URL=$api setsid scripts/issuer.sh serve </dev/null >$log 2>&1 9>&- &
    issuer=$!
    deadline=$((SECONDS + 60))
    until [[ $(get "$ISSUER_ADDR" /.well-known/openid-configuration) == HTTP/*' 200 '* ]]; do
        alive "$issuer" || die "the OIDC provider stopped unexpectedly. See $log"
        ((SECONDS < deadline)) || die "the OIDC provider is not ready after a minute. See $log"
        sleep 0.2
    done
    cat >target/demo/policy.yaml <<'END'
grants:
  - to: [everyone]
    on: own
    may: [read, read-payload, triage, redeliver]
  - to: ["group:platform"]
    on: everything
    may: [everything]
END
    export DEAD_LETTER_OIDC_ISSUER=http://$ISSUER_ADDR DEAD_LETTER_POLICY_FILE=target/demo/policy.yaml
    [[ -z ${BACKSTAGE-} ]] || token_for_backstage
    mkdir -p target/demo/config/dead-letter
    for user in ada ben cleo root; do
        printf '[profiles.%s]\nserver = "%s"\nissuer = "%s"\nclient_id = "dead-letter-cli"\n\n' \
            "$user" "$api" "$DEAD_LETTER_OIDC_ISSUER"
    done >target/demo/config/dead-letter/config.toml
}

# For what Backstage reads without a user: what can be searched, and facts.
token_for_backstage() {
    DEAD_LETTER_TOKEN=$($bin/dead-letter token new backstage 2>/dev/null)
    export DEAD_LETTER_TOKEN DEAD_LETTER_TOKENS_FILE=target/demo/tokens.yaml
    printf 'tokens: [{ name: backstage, sha256: %s }]\n' \
        "$(printf %s "$DEAD_LETTER_TOKEN" | sha256sum | cut -d ' ' -f 1)" >$DEAD_LETTER_TOKENS_FILE
    printf '  - {to: ["token:backstage"], on: everything, may: [read]}\n' >>$DEAD_LETTER_POLICY_FILE
}

# Backstage's catalog says the same, and Backstage has a token for it.
squads_from_catalog() {
    export DEAD_LETTER_CATALOG_URL=http://localhost:${BACKSTAGE_ADDR##*:} DEAD_LETTER_CATALOG_INTERVAL=5s
    BACKSTAGE_CATALOG_TOKEN=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')
    export BACKSTAGE_CATALOG_TOKEN DEAD_LETTER_CATALOG_TOKEN=$BACKSTAGE_CATALOG_TOKEN
}

squads_from_file() {
    cat >target/demo/ownership.yaml <<'END'
services:
  - service: webshop
    squad: checkout
  - service: notification
    squad: messaging
  - service: billing
    squad: finance
  - service: statements
    squad: finance
  - service: shipping
    squad: logistics
END
    export DEAD_LETTER_OWNERSHIP_FILE=target/demo/ownership.yaml
}
if [[ -n ${BACKSTAGE-} ]]; then squads_from_catalog; else squads_from_file; fi
# Squads are told of incidents: the failing system shows what it receives for them.
tell_squads() {
    local secret=target/demo/webhook-secret
    (umask 077 && echo "whsec_$(head -c 32 /dev/urandom | base64)" >$secret)
    cat >target/demo/notifications.yaml <<END
channels:
  demo:
    type: webhook
    url: http://${control_addr/#0.0.0.0:/127.0.0.1:}/notifications
    secret: {file: $PWD/$secret}
routes:
  - channels: [demo]
settle: 5s # whoever watches is not kept waiting
END
    export DEAD_LETTER_NOTIFICATIONS_FILE=target/demo/notifications.yaml DEAD_LETTER_PUBLIC_URL=$api
}
tell_squads
export DEAD_LETTER_CONSOLE_TITLE=Demo
# The demo keeps neither logs nor traces: the addresses show what such links are made of.
export DEAD_LETTER_LOG_LINK='https://logs.example.com/?q={messageId}&from={diedAt-5m}&to={diedAt+5m}'
export DEAD_LETTER_TRACE_LINK='https://traces.example.com/trace/{traceId}'
# Who acts in Backstage is written down by name.
[[ -z ${BACKSTAGE-} ]] || export DEAD_LETTER_BACKSTAGE_URL=http://localhost:${BACKSTAGE_ADDR##*:}
if [[ -n ${AUTH-} ]]; then
    require_sign_in
elif [[ -n ${BACKSTAGE-} ]]; then
    # The command line needs no token.
    export DEAD_LETTER_UNAUTHENTICATED=yes
fi
# Whoever presses Ctrl-C is not kept waiting.
export DEAD_LETTER_DRAIN_DELAY=0s

service_died() {
    say "dead-letter stopped unexpectedly. The end of $log:"
    tail -n 20 $log >&2
    exit 1
}

start_service() { # SUBCOMMAND
    setsid "$bin/dead-letter" "$1" >>$log 2>&1 9>&- &
    service=$!
}

: >$log
start_service migrate
wait "$service" || service_died
start_service serve
deadline=$((SECONDS + 60))
until [[ $(get "$ADMIN_ADDR" /health/ready) == HTTP/*' 200 '* ]]; do
    alive "$service" || service_died
    ((SECONDS < deadline)) || die "dead-letter is not ready after a minute. See $log"
    sleep 0.2
done

# --------------------------------------------------------------------------------------------------- the failing system

# In the background, for the sake of signals; with the terminal and the default meaning of Ctrl-C, which that takes away.
(
    trap - INT QUIT
    exec "$bin/demo" --control "$control_addr" --backlog "${BACKLOG:-100}" 9>&-
) <&0 &
failing=$!

has_dead_letters() {
    if [[ -n ${AUTH-} ]]; then
        [[ $(get "$ADMIN_ADDR" /metrics) =~ dead_letter_ingested_total\{[^}]*\}\ [1-9] ]]
    else
        [[ $(get "$HTTP_ADDR" '/dead-letters?limit=1') == *'"messages":[{'* ]]
    fi
}

deadline=$((SECONDS + 60))
until has_dead_letters; do
    alive "$service" || service_died
    alive "$failing" || break
    if ((SECONDS >= deadline)); then
        say "no dead letter arrived within a minute. See $log"
        break
    fi
    sleep 0.2
done

# What to try.
without_sign_in() {
    cat <<END
  See what died, fix the consumers, and redeliver the messages:

    curl -s '$api/dead-letters?service=webshop&limit=3'
    curl -s -X POST http://$control_addr/fix
    curl -s -X POST '$api/dead-letters/redeliver?wait=10' -H 'content-type: application/json' -d '{"filter":{"service":"webshop"},"note":"fixed"}'
END
}

with_sign_in() {
    cat <<END
  Callers sign in. There are ada and ben of checkout, cleo of finance, and root of platform. Sign in to the console with one of
  these names. In another terminal:

    export XDG_CONFIG_HOME=$PWD/target/demo/config
    $bin/dead-letter login --profile ada     # open the address, enter the code and the name: ada
    $bin/dead-letter overview --profile ada

  docs/security-walkthrough.md goes on from here.
END
}

if alive "$failing"; then
    cat <<END

  dead-letter is running, and dead letters are arriving.

$([[ -z $console ]] || echo "    the console     $api")
    try the API     $api/swagger
    squads          $api/dead-letters/squad-overview
    health          $admin/health/ready
    metrics         $admin/metrics
    notifications   http://$control_addr/notifications (what squads were told)
    logs            target/demo, $servers

$(if [[ -n ${AUTH-} ]]; then with_sign_in; else without_sign_in; fi)

  webshop and notification (Rust) are running. billing (Celery), statements (Dramatiq) and shipping (Rascal) start when
  their libraries are installed.

  Keys: f fixes the consumers, b breaks them again, q (or Ctrl-C) stops everything.

END
    CONTROL_URL=http://${control_addr/#0.0.0.0:/127.0.0.1:} setsid scripts/demo-clients.sh </dev/null 9>&- &
    clients=$!
fi

# ------------------------------------------------------------------------------------------------------------- Backstage

start_backstage() {
    local log=target/demo/backstage.log url
    wait "$preparing" || die 'Backstage could not be prepared'
    preparing=''
    DEAD_LETTER_URL=$api setsid scripts/backstage.sh serve </dev/null >$log 2>&1 9>&- &
    backstage=$!
    deadline=$((SECONDS + 120))
    until [[ $(get "$BACKSTAGE_ADDR" /.backstage/health/v1/readiness) == HTTP/*' 200 '* ]]; do
        alive "$backstage" || die "Backstage stopped unexpectedly. See $log"
        ((SECONDS < deadline)) || die "Backstage is not ready after two minutes. See $log"
        sleep 0.5
    done
    url=$DEAD_LETTER_BACKSTAGE_URL
    cat <<END

  Backstage is running.

    my squads       $url
    all squads      $url/dead-letter
    one service     $url/catalog/default/component/webshop/dead-letters
$([[ -z ${AUTH-} ]] || echo '
  Sign in there as ada, ben, cleo or root.')

END
}
[[ -z $preparing ]] || start_backstage

wait -n "$service" "$failing" && status=0 || status=$?
alive "$service" || service_died
((status == 0)) || die "the failing system stopped unexpectedly with status $status. Its last output is above"
