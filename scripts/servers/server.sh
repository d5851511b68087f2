# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: one server of DIR, of either kind, as a process or in a container.

is_up() { # KIND
    running "$1" >/dev/null || in_container "$1"
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

# Runs beside the other one's start, and is told by SIGTERM to give up. It does so between two steps only, where the
# pid of what it has started is known. Whatever fails, nothing half-started stays.
start_one() { # KIND
    if is_up "$1" && is_ready "$1"; then return; fi
    abandoned=0 launched=''
    trap 'abandoned=1' TERM
    # shellcheck disable=SC2064
    trap "exec 2>/dev/null; stop_one $1" EXIT
    if ! is_up "$1"; then
        ! listening "$(port_of "$1")" ||
            die "port $(port_of "$1") of $1 in $dir is in use by another program. Run servers.sh destroy"
        if native "$1"; then "start_$1"; else start_container "$1"; fi
    fi
    await_ready "$1"
    [[ $1 == postgres ]] || joined
    [[ ! -d $dir/$1 ]] || touch "$dir/$1/complete"
    trap - EXIT
}

stop_one() { # KIND
    if in_container "$1"; then stop_container "$1"; else "stop_$1"; fi
}
