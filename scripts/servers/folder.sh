# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: the state folder, DIR, with its lock, its ports, and its env.

# Below the range from which the system takes ports for outgoing connections.
readonly first_port=20000 last_port=29999
readonly ready_within=120 stop_within=60 # seconds; RabbitMQ takes 5 to 15 when the machine is quiet

absolute() { mkdir -p "$1" && (CDPATH='' cd "$1" && pwd -P); }

# One start, stop or kill of a DIR, or of a cluster, at a time. (macOS has no flock; there only containers are used.)
lock() {
    ! command -v flock >/dev/null && return
    exec 9>>"$(first_node)/lock"
    flock -w $((ready_within + stop_within)) 9 || die "timed out: another servers.sh is using $dir"
}
unlock() { exec 9>&-; }

port_of() { if [[ $1 == postgres ]]; then echo "$POSTGRES_PORT"; else echo "$AMQP_PORT"; fi; } # KIND

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody has. Links in a folder of the user's say which are taken by a DIR.
readonly registry=/tmp/dead-letter-ports-$EUID
free_port() {
    local port
    while :; do
        port=$((first_port + RANDOM % (last_port - first_port + 1)))
        [[ -e $registry/$port ]] || listening $port || break
    done
    echo $port
}

# The ports that DIR does not have yet: all of a new one.
missing_ports() {
    local name
    for name in POSTGRES_PORT AMQP_PORT DIST_PORT EPMD_PORT MANAGEMENT_PORT; do
        grep -qs "^$name=" "$dir/ports" || echo "$name"
    done
}

# A port stays with its DIR as long as that exists: DIRs that are not running now keep theirs too. A link whose
# DIR is gone dangles, so it counts for nothing.
load_ports() {
    local name port
    local -a missing
    mapfile -t missing < <(missing_ports)
    if ((${#missing[@]})); then
        mkdir -m 700 "$registry" 2>/dev/null || [[ -O $registry ]] || die "$registry belongs to another user"
        exec 7>>"$registry/lock"
        ! command -v flock >/dev/null || flock 7
        find -L "$registry" -type l -delete # what dangles
        {
            cat "$dir/ports" 2>/dev/null || true
            for name in "${missing[@]}"; do
                port=$(free_port)
                ln -sfn "$dir" "$registry/$port"
                echo "$name=$port"
            done
        } >"$dir/ports.new"
        mv "$dir/ports.new" "$dir/ports"
        exec 7>&-
    fi
    # shellcheck source=/dev/null
    . "$dir/ports"
    # shellcheck source=/dev/null
    ! is_member || EPMD_PORT=$(. "$(first_node)/ports" && echo "$EPMD_PORT")
}

# Whether the management plugin is among the plugins that the broker was started with.
is_managed() { grep -qsE '[[,]rabbitmq_management[],]' "$dir/rabbitmq/enabled_plugins" || [[ -e $dir/rabbitmq.managed ]]; }

amqp_url() { echo "amqp://guest:guest@127.0.0.1:$AMQP_PORT/%2f"; }

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
            echo "export AMQP_URL=$(amqp_url)"
            echo "export AMQP_PORT=$AMQP_PORT"
            ! is_managed || echo "export MANAGEMENT_URL=http://guest:guest@127.0.0.1:$MANAGEMENT_PORT"
            pid=$(running rabbitmq) && echo "export RABBITMQ_PID=$pid"
            pid=$(name_server) && echo "export EPMD_PID=$pid"
        fi
        cluster_env
    } >"$dir/env.new"
    mv "$dir/env.new" "$dir/env"
    ! is_member || at "$(first_node)" write_env # which is about all nodes
}
