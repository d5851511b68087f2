#!/usr/bin/env bash
# Private PostgreSQL and RabbitMQ for the demo, the tests and CI; see usage() below.
# They listen on loopback, on ports of their own, and keep everything in one folder, DIR:
#
#   DIR/env         to be sourced: the two URLs, pids and ports of what runs
#   DIR/ports       the ports, chosen once
#   DIR/postgres    data, log, pid   (when DIR is out of the server user's reach: a link to a folder in /var/tmp)
#   DIR/rabbitmq    data, log, pid, cookie
set -euo pipefail

usage() {
    cat <<'END'
usage: servers.sh install                  make sure that both servers are on this machine
       servers.sh start   DIR [KIND]...    start what is not running yet; its data and ports are kept in DIR
       servers.sh stop    DIR [KIND]...    stop cleanly
       servers.sh kill    DIR KIND...      crash it; a start recovers
       servers.sh destroy DIR              stop the servers of DIR and of folders below it, and remove their data
       servers.sh with    DIR COMMAND...   run COMMAND with servers, and stop them when it ends

KIND is postgres or rabbitmq; both, when it is left out. One whose URL is set (DATABASE_URL, AMQP_URL) is taken as
given by `install` and `with`. COMMAND also gets DEAD_LETTER_SERVERS=DIR: servers that it starts in folders below DIR
are stopped with the others.
END
}

misused() {
    usage >&2
    exit 2
}

readonly ready_within=120 stop_within=60 # seconds; RabbitMQ takes 5 to 15 when the machine is quiet
# Below the range from which the system takes ports for outgoing connections.
readonly first_port=20000 last_port=29999

say() { echo "servers: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# ---------------------------------------------------------------------------------------------- where the programs are

# The newest PostgreSQL of at least 15, or the very version that made the data: another can't read them.
postgres_bin() { # [DATA]
    local wanted='' bin version best='' best_version=14
    [[ -n ${1-} && -f $1/PG_VERSION ]] && wanted=$(<"$1/PG_VERSION")
    for bin in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        [[ -x $bin/initdb && -x $bin/postgres ]] || continue
        version=$("$bin/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
        if [[ -n $wanted ]]; then
            [[ $version != "$wanted" ]] || best=$bin
        elif ((version > best_version)); then
            best=$bin best_version=$version
        fi
    done
    [[ -n $best ]] && echo "$best"
}

# The script inside RabbitMQ's own folder: the one in /usr/sbin insists on root or the user rabbitmq.
rabbitmq_script() {
    local script
    command -v epmd >/dev/null || return 1
    while read -r script; do
        [[ -x $script ]] && echo "$script" && return
    done < <(printf '%s\n' /usr/lib/rabbitmq/{lib/rabbitmq_server-*/s,}bin/rabbitmq-server | sort -rV)
    return 1
}

native() { # KIND
    case $1 in
        postgres) postgres_bin >/dev/null ;;
        rabbitmq) rabbitmq_script >/dev/null ;;
    esac
}

# ---------------------------------------------------------------------------------------------------------- install

as_root() { if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi; }

install_servers() {
    local kind
    local -a packages=()
    for kind in $(kinds_without_url); do
        native "$kind" || packages+=("$(package "$kind")")
    done
    ((${#packages[@]})) || return 0
    if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
        say "installing ${packages[*]} with apt-get (this machine has none); their services are not started"
        apt_install "${packages[@]}"
    elif engine >/dev/null; then
        say "will run ${packages[*]} in containers ($(engine)): no packages could be installed"
    else
        die "needs PostgreSQL 15+ and RabbitMQ. As root: apt-get install ${packages[*]}. Or set DATABASE_URL and AMQP_URL."
    fi
}

package() { if [[ $1 == postgres ]]; then echo postgresql; else echo rabbitmq-server; fi; }

apt_install() {
    local policy=/usr/sbin/policy-rc.d
    local -a quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    # Debian's packages start their daemons, unless this file says no.
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin $policy
    fi
    as_root "${quiet[@]}" update >&2
    as_root "${quiet[@]}" install --yes --no-install-recommends "$@" >&2
    # Nor at the next boot.
    if command -v systemctl >/dev/null; then
        as_root systemctl --quiet disable "${@/%/.service}" >/dev/null 2>&1 || true
    fi
}

# --------------------------------------------------------------------------------------------- the state folder, ports

absolute() { mkdir -p "$1" && (CDPATH='' cd "$1" && pwd -P); }

# One start, stop or kill of a DIR at a time. (macOS has no flock; there only containers are used.)
lock() {
    ! command -v flock >/dev/null && return
    exec 9>>"$dir/lock"
    flock -w $((ready_within + stop_within)) 9 || die "another servers.sh has been busy with $dir for too long"
}
unlock() { exec 9>&-; }

port_of() { if [[ $1 == postgres ]]; then echo "$POSTGRES_PORT"; else echo "$AMQP_PORT"; fi; } # KIND

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port stays with its DIR as long as that exists: DIRs that are not running now keep theirs too. Links in a folder
# of the user's say which are taken; one whose DIR is gone dangles, so it counts for nothing.
load_ports() {
    local registry=/tmp/dead-letter-ports-$EUID name port
    if [[ ! -s $dir/ports ]]; then
        mkdir -m 700 "$registry" 2>/dev/null || [[ -O $registry ]] || die "$registry belongs to another user"
        exec 7>>"$registry/lock"
        ! command -v flock >/dev/null || flock 7
        find -L "$registry" -type l -delete # what dangles
        for name in POSTGRES_PORT AMQP_PORT DIST_PORT EPMD_PORT; do
            while :; do
                port=$((first_port + RANDOM % (last_port - first_port + 1)))
                [[ -e $registry/$port ]] || listening $port || break
            done
            ln -sfn "$dir" "$registry/$port"
            echo "$name=$port"
        done >"$dir/ports.new"
        mv "$dir/ports.new" "$dir/ports"
        exec 7>&-
    fi
    # shellcheck source=/dev/null
    . "$dir/ports"
}

write_env() {
    local pid
    {
        echo "# What of $dir runs; written by scripts/servers.sh"
        if is_up postgres; then
            echo "export DATABASE_URL=postgres://postgres@127.0.0.1:$POSTGRES_PORT/postgres"
            echo "export POSTGRES_PORT=$POSTGRES_PORT"
            pid=$(running postgres) && echo "export POSTGRES_PID=$pid"
        fi
        if is_up rabbitmq; then
            echo "export AMQP_URL=amqp://guest:guest@127.0.0.1:$AMQP_PORT/%2f"
            echo "export AMQP_PORT=$AMQP_PORT"
            pid=$(running rabbitmq) && echo "export RABBITMQ_PID=$pid"
            pid=$(running rabbitmq epmd) && echo "export EPMD_PID=$pid"
        fi
        true
    } >"$dir/env.new"
    mv "$dir/env.new" "$dir/env"
}

# ----------------------------------------------------------------------------------------------------------- processes

# Runs a server detached: in a session of its own, so that a terminal's Ctrl-C doesn't reach it, and without our locks.
launched=
launch() { # KIND PIDFILE LOG COMMAND...
    local folder=$dir/$1 pidfile=$2 log=$3
    shift 3
    cd "$folder"
    setsid "$@" </dev/null >>"$log" 2>&1 7>&- 8>&- 9>&- &
    launched=$!
    echo "$launched" >"$pidfile"
}

# The pid of a server, if it lives and is ours: its working folder tells, where a pid alone may have been reused.
running() { # KIND [epmd]
    local folder=$dir/$1 pid cwd
    pid=$(cat "$folder/${2:-server}.pid" 2>/dev/null) || return 1
    cwd=$(readlink "/proc/$pid/cwd") || return 1
    [[ $cwd/ == "$(cd "$folder" && pwd -P)"/* ]] && echo "$pid"
}

is_up() { # KIND
    running "$1" >/dev/null || in_container "$1"
}

# A process and all that descend from it.
tree() { # PID
    local status
    echo "$1"
    while read -r status; do
        tree "$(basename "${status%/status}")"
    done < <(grep -lsx "PPid:[[:space:]]$1" /proc/[0-9]*/status)
}

is_zombie() { grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }

# Waits until none of the processes lives. A zombie has no working folder any more.
await_end() { # SECONDS PID...
    local deadline=$((SECONDS + $1)) pid
    shift
    for pid in "$@"; do
        while readlink "/proc/$pid/cwd" >/dev/null; do
            ((SECONDS < deadline)) || return 1
            sleep 0.1
        done
    done
}

kill_tree() { # PID
    local -a pids
    kill -STOP "$1" 2>/dev/null || return 0 # so that it doesn't fork meanwhile
    mapfile -t pids < <(tree "$1")
    kill -KILL "${pids[@]}" 2>/dev/null || true
    await_end 10 "${pids[@]}"
}

end_process() { # SIGNAL PID
    local deadline=$((SECONDS + stop_within))
    # Again and again, since one that has only just started ignores it.
    while kill -"$1" "$2" 2>/dev/null && ! await_end 2 "$2"; do
        ((SECONDS < deadline)) || kill_tree "$2"
    done
}

is_ready() { # KIND
    case $1 in
        rabbitmq) amqp_answers ;;
        postgres) postgres_is_ready || container_is_ready ;;
    esac
}

log_of() { # KIND
    local -a logs=("$dir/$1.log" "$dir/$1/log/rabbitmq.log" "$dir/$1/log/console.log" "$dir/$1/log")
    local log
    for log in "${logs[@]}"; do [[ -f $log ]] && echo "$log" && return; done
}

# Polls until a server is ready. `abandoned` is set by a signal, see start_one().
await_ready() { # KIND
    local deadline=$((SECONDS + ready_within)) why=''
    until is_ready "$1"; do
        ((!abandoned)) || return 1
        if [[ -z $launched ]]; then
            is_up "$1" || why='ended'
        elif ! kill -0 "$launched" 2>/dev/null; then
            wait "$launched" && why='ended' || why="ended with status $?"
        fi
        ((SECONDS < deadline)) || why="was not ready after $ready_within seconds"
        if [[ -n $why ]]; then
            say "$1 $why; the end of $(log_of "$1"):"
            tail -n 20 "$(log_of "$1")" >&2
            return 1
        fi
        sleep 0.1
    done
    say "$1 is ready on 127.0.0.1:$(port_of "$1")"
}

# ---------------------------------------------------------------------------------------------------------- PostgreSQL

start_postgres() {
    local folder user bin
    local -a as=()
    [[ -d $dir/postgres ]] || { rm -f "$dir/postgres" && mkdir "$dir/postgres"; }
    folder=$(cd "$dir/postgres" && pwd -P)
    if ((EUID == 0)); then # as which PostgreSQL refuses to run
        user=$(stat -c %U "$folder")
        [[ $user != root ]] || user=$(id -un postgres 2>/dev/null || echo nobody)
        as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups)
        chown "$user" "$folder"
        if ! (cd / && "${as[@]}" test -w "$folder"); then
            rmdir "$folder" 2>/dev/null || die "the user $user can't reach $folder any more; run servers.sh destroy"
            folder=$(mktemp -d /var/tmp/dead-letter-postgres.XXXXXX)
            chown "$user" "$folder"
            ln -s "$folder" "$dir/postgres"
            say "the user $user can't reach $dir, so PostgreSQL's data are in $folder"
        fi
    fi
    bin=$(postgres_bin "$folder/data") || die "no PostgreSQL can read $folder/data; run servers.sh destroy"
    if [[ ! -d $folder/data ]]; then
        rm -rf "$folder/data.new" # of a start that was interrupted
        (cd "$folder" && "${as[@]}" "$bin/initdb" --pgdata=data.new --username=postgres --auth=trust --encoding=UTF8 \
            --locale=C.UTF-8 --no-sync) >"$folder/initdb.log" 2>&1 9>&- ||
            { cat "$folder/initdb.log" >&2 && return 1; }
        mv "$folder/data.new" "$folder/data"
    fi
    # A killed server that its parent has not collected yet looks alive to PostgreSQL.
    if is_zombie "$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)"; then
        rm -f "$folder"/{data/postmaster.pid,.s.PGSQL.*.lock}
    fi
    # The socket folder is relative to the data folder, so that no path is too long for a socket (107 bytes).
    launch postgres "$folder/server.pid" "$folder/log" "${as[@]}" "$bin/postgres" -D "$folder/data" \
        -c listen_addresses=127.0.0.1 -c port="$POSTGRES_PORT" -c unix_socket_directories=.. -c max_connections=300
}

# The server writes its state into the eighth line of its own pid file.
postgres_is_ready() {
    local -a lines
    mapfile -t lines <"$dir/postgres/data/postmaster.pid" &&
        [[ ${lines[0]-} == "$(<"$dir/postgres/server.pid")" && ${lines[7]-} == ready* ]]
} 2>/dev/null

stop_postgres() {
    local pid
    pid=$(running postgres) || return 0
    end_process INT "$pid" # "fast": doesn't wait for clients
}

# ------------------------------------------------------------------------------------------------------------ RabbitMQ

start_rabbitmq() {
    local folder=$dir/rabbitmq script log=$dir/rabbitmq/log
    script=$(rabbitmq_script)
    # A broker that was ended in its very first start may leave what it can't start from again.
    [[ -e $folder/complete ]] || { stop_rabbitmq && rm -rf "$folder"; }
    mkdir -p "$folder" "$log"
    echo '[].' >"$folder/enabled_plugins"
    : >"$folder/rabbitmq.conf"
    # A name server of its own: the one that RabbitMQ would start outlives it, and would be shared with other brokers.
    running rabbitmq epmd >/dev/null ||
        launch rabbitmq "$folder/epmd.pid" "$log/epmd.log" epmd -address 127.0.0.1 -port "$EPMD_PORT"
    # An empty environment, and a private place for all that defaults to /etc/rabbitmq and /var/lib/rabbitmq.
    # RUNNING_UNDER_SYSTEMD makes the script become the server, instead of waiting for it as a parent.
    launch rabbitmq "$folder/server.pid" "$log/console.log" env -i PATH="$PATH" LANG=C.UTF-8 HOME="$folder" \
        RUNNING_UNDER_SYSTEMD=true \
        RABBITMQ_NODENAME="dead-letter-$AMQP_PORT@localhost" \
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$AMQP_PORT" RABBITMQ_DIST_PORT="$DIST_PORT" \
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$EPMD_PORT" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false' \
        RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$log" RABBITMQ_LOGS="$log/rabbitmq.log" \
        RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_CONFIG_FILES="$folder/conf.d" \
        RABBITMQ_ADVANCED_CONFIG_FILE="$folder/advanced.config" RABBITMQ_CONF_ENV_FILE="$folder/rabbitmq-env.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$folder/enabled_plugins" \
        RABBITMQ_GENERATED_CONFIG_DIR="$folder/config" RABBITMQ_SCHEMA_DIR="$folder/schema" \
        "$script"
}

# RabbitMQ listens when all else has started. The handshake shows that it is AMQP that answers.
amqp_answers() {
    # shellcheck disable=SC2034
    (exec 3<>"/dev/tcp/127.0.0.1/$AMQP_PORT" && printf 'AMQP\0\0\11\1' >&3 && IFS= read -r -n 1 -t 5 byte <&3) 2>/dev/null
}

stop_rabbitmq() {
    local pid
    if pid=$(running rabbitmq); then
        # While it starts it heeds no SIGTERM for a long time, and nobody's messages are in its hands.
        if amqp_answers; then end_process TERM "$pid"; else kill_tree "$pid"; fi
    fi
    pid=$(running rabbitmq epmd) || return 0
    end_process TERM "$pid"
}

# ---------------------------------------------------------------------- containers, where there is no package manager

engine() {
    local program
    for program in docker podman; do
        if command -v $program >/dev/null && $program info >/dev/null 2>&1; then
            echo $program
            return
        fi
    done
    return 1
}

container() { echo "dead-letter-$(basename "$dir")-$(cksum <<<"$dir" | cut -d ' ' -f 1)-$1"; }

in_container() { # KIND
    [[ -e $dir/$1.container ]] && [[ $($(engine) inspect -f '{{.State.Running}}' "$(container "$1")" 2>&1) == true ]]
}

start_container() { # KIND
    local name engine
    name=$(container "$1")
    engine=$(engine) || die "$1 is not on this machine; run servers.sh install, or set DATABASE_URL and AMQP_URL"
    touch "$dir/$1.container"
    $engine rm -f "$name" >/dev/null 2>&1 || true # of a crash
    # The data are in a volume of the container's name, which survives it.
    if [[ $1 == postgres ]]; then
        $engine run -d --name "$name" -v "$name:/var/lib/postgresql/data" -e POSTGRES_HOST_AUTH_METHOD=trust \
            -p "127.0.0.1:$POSTGRES_PORT:5432" docker.io/library/postgres:17 -c max_connections=300 >"$dir/$1.log"
    else
        $engine run -d --name "$name" -v "$name:/var/lib/rabbitmq" --hostname rabbitmq \
            -p "127.0.0.1:$AMQP_PORT:5672" docker.io/library/rabbitmq:4 >"$dir/$1.log"
    fi
}

# The image's first start brings up a server that is not for us, on its socket only.
container_is_ready() {
    in_container postgres && $(engine) exec "$(container postgres)" pg_isready -q -h 127.0.0.1
}

stop_container() { # KIND
    $(engine) stop "$(container "$1")" >/dev/null
    $(engine) rm "$(container "$1")" >/dev/null
}

# -------------------------------------------------------------------------------------------------------- sub-commands

kinds_without_url() {
    [[ -n ${DATABASE_URL-} ]] || echo postgres
    [[ -n ${AMQP_URL-} ]] || echo rabbitmq
}

# Runs beside the other one's start, and is told by SIGTERM to give up. It does so between two steps only, where the
# pid of what it has started is known. Whatever fails, nothing half-started stays.
start_one() { # KIND
    if is_up "$1" && is_ready "$1"; then return; fi
    abandoned=0
    trap 'abandoned=1' TERM
    # shellcheck disable=SC2064
    trap "exec 2>/dev/null; stop_one $1" EXIT
    if ! is_up "$1"; then
        ! listening "$(port_of "$1")" ||
            die "port $(port_of "$1"), which $1 had in $dir, is taken by another program; run servers.sh destroy"
        if native "$1"; then "start_$1"; else start_container "$1"; fi
    fi
    await_ready "$1"
    [[ ! -d $dir/$1 ]] || touch "$dir/$1/complete"
    trap - EXIT
}

stop_one() { # KIND
    if in_container "$1"; then stop_container "$1"; else "stop_$1"; fi
}

# Starters that are under way, for the signal handler.
starters=()
abandon_start() {
    ((${#starters[@]})) || return 0
    kill -TERM "${starters[@]}" 2>/dev/null || true
    wait "${starters[@]}" || true
}

start() { # KIND...
    local kind pid failed=0
    lock
    load_ports
    for kind in "$@"; do
        start_one "$kind" &
        starters+=($!)
    done
    for pid in "${starters[@]}"; do
        wait "$pid" || failed=1
    done
    starters=()
    write_env
    unlock
    ((!failed))
}

stop() { # KIND...
    local kind
    [[ -s $dir/ports ]] || return 0
    lock
    load_ports
    for kind in "$@"; do stop_one "$kind" & done
    wait
    write_env
    unlock
}

crash() { # KIND
    local pid
    lock
    load_ports
    if in_container "$1"; then $(engine) kill "$(container "$1")" >/dev/null; fi
    if pid=$(running "$1"); then kill_tree "$pid"; fi
    if pid=$(running "$1" epmd); then kill_tree "$pid"; fi
    write_env
    unlock
}

# State folders at and below a folder, the lowest first.
folders() { # DIR
    find "$1" -maxdepth 4 -depth -name ports -type f -exec dirname {} \; 2>/dev/null || true
}

stop_below() { # DIR
    local folder
    unlock # in case that a start has been interrupted
    while read -r folder; do
        (dir=$folder && stop postgres rabbitmq) &
    done < <(folders "$1")
    wait
}

destroy() { # DIR
    local dir volumes
    stop_below "$1"
    while read -r dir; do
        for volumes in "$dir"/*.container; do
            [[ ! -e $volumes ]] || $(engine) volume rm "$(container "$(basename "$volumes" .container)")" >/dev/null
        done
        # A start must not take for whole what is half removed, when this is interrupted.
        rm -f "$dir/rabbitmq/complete"
        [[ ! -d $dir/postgres/data ]] || mv "$dir/postgres/data" "$dir/postgres/data.new"
        if [[ -L $dir/postgres ]]; then rm -rf "$(readlink "$dir/postgres")"; fi
        # Only what we made: DIR may be anyone's. By its ports we know it, so they go last.
        rm -rf "$dir"/{env,lock,postgres,rabbitmq,{postgres,rabbitmq}.{container,log}}
        rm -f "$dir/ports"
        rmdir "$dir" 2>/dev/null || true
    done < <(folders "$1")
    rmdir "$1" 2>/dev/null || true
}

# The command runs in the background, since a shell that waits for one in the foreground hears no signals.
command_pid=
run_with() { # COMMAND...
    local kinds given_database=${DATABASE_URL-} given_amqp=${AMQP_URL-}
    mapfile -t kinds < <(kinds_without_url)
    if command -v flock >/dev/null; then # whoever is the last to leave stops the servers
        exec 8<"$dir"
        flock -s 8
    fi
    trap end_with EXIT
    trap 'interrupt INT 130' INT
    trap 'interrupt TERM 143' TERM
    trap 'interrupt HUP 129' HUP
    if ((${#kinds[@]})); then
        start "${kinds[@]}"
        # shellcheck source=/dev/null
        . "$dir/env"
    fi
    export DATABASE_URL=${given_database:-$DATABASE_URL} AMQP_URL=${given_amqp:-$AMQP_URL} DEAD_LETTER_SERVERS=$dir
    # It keeps the terminal as its input, and Ctrl-C's default meaning, both of which the background takes away.
    (
        trap - INT QUIT
        exec "$@" 8>&-
    ) <&0 &
    command_pid=$!
    wait "$command_pid"
}

interrupt() { # SIGNAL STATUS
    local -a pids
    trap '' INT TERM HUP
    abandon_start
    if [[ -n $command_pid ]]; then
        mapfile -t pids < <(tree "$command_pid")
        kill -"$1" "${pids[@]}" || true
        await_end 10 "${pids[@]}" || kill -KILL "${pids[@]}" || true
        wait "$command_pid" || true
    fi 2>/dev/null
    exit "$2"
}

end_with() {
    set +e
    trap '' INT TERM HUP
    if ! command -v flock >/dev/null || { flock -u 8 && flock -n -x 8; }; then stop_below "$dir"; fi
    rmdir "$dir" 2>/dev/null # where nothing was started
}

main() {
    local what=${1-} given=${2-} kind
    local -a kinds
    case $what,$given in
        install,*)
            install_servers
            return
            ;;
        -h,* | --help,* | help,*)
            usage
            return
            ;;
        start,?* | stop,?* | kill,?* | destroy,?* | with,?*) shift 2 ;;
        *) misused ;;
    esac
    case $what in stop | kill | destroy) [[ -d $given ]] || return 0 ;; esac
    dir=$(absolute "$given")
    [[ -O $dir ]] || ((EUID == 0)) || die "$dir belongs to another user"
    if [[ $what == with ]]; then
        (($#)) || misused
        run_with "$@"
        return
    fi
    kinds=("$@")
    (($#)) || case $what in
        kill) misused ;;
        *) kinds=(postgres rabbitmq) ;;
    esac
    for kind in "${kinds[@]}"; do
        [[ $kind == postgres || $kind == rabbitmq ]] || misused
    done
    case $what in
        start)
            trap 'abandon_start; stop "${kinds[@]}"; exit 130' INT TERM HUP
            start "${kinds[@]}"
            ;;
        stop) stop "${kinds[@]}" ;;
        kill) for kind in "${kinds[@]}"; do crash "$kind"; done ;;
        destroy) destroy "$dir" ;;
    esac
}

main "$@"
