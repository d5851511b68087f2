#!/usr/bin/env bash
# Private PostgreSQL and RabbitMQ for the demo, the tests, load tests and CI; see usage() below. They listen on
# loopback, on ports of their own, and keep everything in one folder, DIR:
#
#   DIR/env         to be sourced: the URLs, pids and ports of what runs
#   DIR/ports       the ports, chosen once
#   DIR/postgres    data, log, pid   (when DIR is out of the server user's reach: a link to a folder in /var/tmp)
#   DIR/rabbitmq    data, log, pid, cookie
#   DIR/node-2 ...  further nodes of the RabbitMQ cluster, folders like DIR
#
# This file has the sub-commands; what they consist of is in servers/.
set -euo pipefail

usage() {
    cat <<'END'
usage: servers.sh install [PACKAGE]...     install both servers if they are missing, and these packages if apt-get can
       servers.sh start   DIR [KIND]...    start the servers that are not running; DIR keeps their data and ports
       servers.sh stop    DIR [KIND]...    stop cleanly
       servers.sh kill    DIR KIND...      crash a server; start recovers it
       servers.sh destroy DIR              stop the servers of DIR and of folders below it, and remove their data
       servers.sh with    DIR COMMAND...   start the servers, run COMMAND, and stop them
       servers.sh cluster DIR N            start RabbitMQ as a cluster of N nodes, 2 to 9
       servers.sh ctl     DIR ARG...       run rabbitmqctl for the node of DIR
       servers.sh as      KIND COMMAND...  run COMMAND with the programs of KIND's version

KIND is postgres or rabbitmq. Without KIND a command applies to both. `install` and `with` do not start a server whose
URL is set (DATABASE_URL, AMQP_URL). COMMAND also gets DEAD_LETTER_SERVERS=DIR. Servers that it starts in folders below
DIR are stopped with the others.

The first node of a cluster is in DIR, the others are in DIR/node-2 to DIR/node-N. `start` and `stop` of DIR apply to
all nodes, those of DIR/node-2 to that node. `kill` applies to one node. `destroy` of DIR/node-2 removes the node from
the cluster. After all nodes were stopped, start DIR, because the nodes wait for each other. DIR/env has AMQP_URLS of
all nodes and RABBITMQ_PIDS of the running ones, both separated by commas.

Variables for the servers that a command starts:
  RABBITMQ, POSTGRES   the versions: 3.10, 4.0 or 4.3, and 15, 17 or 18. Default: the installed ones. A version that is not
                       installed is taken from the Debian suite that has it, into target/suites (as root; see
                       servers/suite.sh), or from a container. DIR keeps its first version.
  RABBITMQ_PLUGINS     plugins to enable, such as rabbitmq_shovel,rabbitmq_prometheus. A plugin that listens uses its default
                       port on all interfaces, so only one node per machine can have it. rabbitmq_management is an exception:
                       it has a port of DIR on loopback, and DIR/env has MANAGEMENT_URL.
  RABBITMQ_SETTINGS    settings of the application rabbit, such as "{consumer_timeout, 60000}, {channel_tick_interval, 1000}"
  POSTGRES_SETTINGS    settings such as "shared_buffers=1GB max_wal_size=8GB"
END
}

misused() {
    usage >&2
    exit 2
}

say() { echo "servers: $*" >&2; }
die() {
    say "$*"
    exit 1
}

for part in folder processes suite postgres rabbitmq cluster container server install destroy with; do
    # shellcheck source=/dev/null
    . "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/servers/$part.sh"
done

# Starters that are under way, for the signal handler.
starters=()
abandon_start() {
    ((${#starters[@]})) || return 0
    kill -TERM "${starters[@]}" 2>/dev/null || true
    wait "${starters[@]}" || true
}

await_starters() {
    local pid failed=0
    ((${#starters[@]})) || return 0
    for pid in "${starters[@]}"; do
        wait "$pid" || failed=1
    done
    starters=()
    return $failed
}

start() { # KIND...
    local kind failed=0
    lock
    load_ports
    for kind in "$@"; do
        keep_version "$kind"
        [[ -z $(version "$kind") ]] || native "$kind" || in_container "$kind" || install_version "$kind"
    done
    ! wants_rabbitmq "$@" || prepare_rabbitmq
    for kind in "$@"; do
        start_one "$kind" &
        starters+=($!)
    done
    # Nodes that were stopped together may wait for each other, so they start together.
    ! wants_rabbitmq "$@" || start_members known
    await_starters || failed=1
    # One that is to join needs the first one.
    if ((!failed)) && wants_rabbitmq "$@"; then
        start_members new
        await_starters || failed=1
    fi
    tidy_up
    ((!failed))
}

stop() { # KIND...
    local kind node
    [[ -s $dir/ports ]] || return 0
    lock
    load_ports
    for kind in "$@"; do stop_one "$kind" & done
    ! wants_rabbitmq "$@" || while read -r node; do at "$node" stop_one rabbitmq & done < <(members)
    wait
    tidy_up
}

crash() { # KIND
    local pid
    lock
    load_ports
    if in_container "$1"; then $(engine) kill "$(container "$1")" >/dev/null; fi
    if pid=$(running "$1"); then kill_tree "$pid"; fi
    tidy_up
}

wants_rabbitmq() { [[ " $* " == *' rabbitmq '* ]]; } # KIND...

# After servers have been started or ended.
tidy_up() {
    local node
    stop_name_server
    while read -r node; do at "$node" write_env; done < <(members)
    write_env
    unlock
}

cluster() { # NODES
    local number
    native rabbitmq || die 'a cluster needs RabbitMQ installed on this machine. Containers run single nodes only'
    ! is_member || die "$dir is already a node of a cluster"
    lock
    load_ports
    for ((number = 2; number <= $1; number++)); do add_member "$dir/node-$number"; done
    start rabbitmq
}

main() {
    local what=${1-} given=${2-} kind
    local -a kinds
    case $what,$given in
        install,*)
            install_servers
            install_extras "${@:2}"
            return
            ;;
        as,postgres | as,rabbitmq)
            enter_suite "$given"
            exec "${in_suite[@]}" "${@:3}"
            ;;
        -h,* | --help,* | help,*)
            usage
            return
            ;;
        start,?* | stop,?* | kill,?* | destroy,?* | with,?* | cluster,?* | ctl,?*) shift 2 ;;
        *) misused ;;
    esac
    case $what in
        stop | kill | destroy) [[ -d $given ]] || return 0 ;;
        ctl) [[ -s $given/ports ]] || die "$given has no servers" ;;
    esac
    dir=$(absolute "$given")
    [[ -O $dir ]] || ((EUID == 0)) || die "$dir belongs to another user"
    case $what in
        with | ctl) (($#)) || misused ;;
        cluster) [[ $# == 1 && $1 == [2-9] ]] || misused ;;
        *)
            kinds=("$@")
            (($#)) || case $what in
                kill) misused ;;
                *) if is_member; then kinds=(rabbitmq); else kinds=(postgres rabbitmq); fi ;;
            esac
            for kind in "${kinds[@]}"; do
                [[ $kind == postgres || $kind == rabbitmq ]] || misused
            done
            ;;
    esac
    case $what in
        start)
            trap 'abandon_start; stop "${kinds[@]}"; exit 130' INT TERM HUP
            start "${kinds[@]}"
            ;;
        stop) stop "${kinds[@]}" ;;
        kill) for kind in "${kinds[@]}"; do crash "$kind"; done ;;
        destroy) destroy "$dir" ;;
        with) run_with "$@" ;;
        cluster)
            trap 'abandon_start; stop rabbitmq; exit 130' INT TERM HUP
            cluster "$1"
            ;;
        ctl)
            load_ports
            ctl "$@"
            ;;
    esac
}

main "$@"
