# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: the sub-command `with`.

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

