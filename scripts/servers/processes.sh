# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: runs processes, detached, and ends them with all that descends from them.

# Runs a server detached: in a session of its own, so that a terminal's Ctrl-C doesn't reach it, and without our locks.
launched=
launch() { # KIND PIDFILE LOG COMMAND...
    local folder=$dir/$1 pidfile=$2 log=$3
    shift 3
    cd "$folder" || return
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
