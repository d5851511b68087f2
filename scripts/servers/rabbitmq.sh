# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: RabbitMQ, and the name server (epmd) by which its nodes and tools find each other.

# The script inside RabbitMQ's own folder: the one in /usr/sbin insists on root or the user rabbitmq.
rabbitmq_in() { # ROOT [VERSION]
    local script
    [[ -n $1 ]] || command -v epmd >/dev/null || return 1
    while read -r script; do
        [[ -z ${2-} || $script == *"/rabbitmq_server-$2."* ]] || continue
        [[ -x $script ]] && echo "${script#"$1"}" && return
    done < <(printf '%s\n' "$1"/usr/lib/rabbitmq/{lib/rabbitmq_server-*/s,}bin/rabbitmq-server | sort -rV)
    return 1
}

rabbitmq_script() { rabbitmq_in "$(root_of rabbitmq)" "$(version rabbitmq)"; }

# The name server is our own: the one that RabbitMQ would start outlives it, and would be shared with other brokers. It
# belongs to the first node of a cluster, whose nodes all use it.
name_server() { at "$(first_node)" running rabbitmq epmd; }

prepare_rabbitmq() {
    if ! native rabbitmq || in_container rabbitmq || name_server >/dev/null; then return; fi
    at "$(first_node)" start_name_server
}

start_name_server() {
    mkdir -p "$dir/rabbitmq"
    enter_suite rabbitmq
    launch rabbitmq "$dir/rabbitmq/epmd.pid" "$dir/rabbitmq/epmd.log" "${in_suite[@]}" epmd -address 127.0.0.1 -port "$EPMD_PORT"
}

# To be called when nodes have ended: with the last of them it has no use any more.
stop_name_server() {
    local pid node
    while read -r node; do
        ! at "$node" running rabbitmq >/dev/null || return 0
    done < <(nodes)
    ! pid=$(name_server) || end_process TERM "$pid"
}

node_name() { echo "dead-letter-$AMQP_PORT@localhost"; }

# The file of that name: an Erlang list.
enabled_plugins() {
    local plugins=${RABBITMQ_PLUGINS-}
    [[ $plugins =~ ^[a-z0-9_,]*$ ]] || die "RABBITMQ_PLUGINS: $plugins is not a list of names separated by commas"
    echo "[$plugins]."
}

# Sets what server and tools have in common: an empty environment, and a private place for all that defaults to
# /etc/rabbitmq. They find the cookie in their home.
in_private=()
be_private() {
    enter_suite rabbitmq
    in_private=("${in_suite[@]}" env -i PATH="$PATH" LANG=C.UTF-8 HOME="$dir/rabbitmq"
        RABBITMQ_NODENAME="$(node_name)" RABBITMQ_CONF_ENV_FILE="$dir/rabbitmq/rabbitmq-env.conf"
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$EPMD_PORT")
}

# The settings of the application rabbit, and where the management plugin listens if it is enabled.
advanced_config() {
    local -a settings=("{rabbit, [${RABBITMQ_SETTINGS-}]}")
    ! is_managed || settings+=(", {rabbitmq_management, [{tcp_config, [{port, $MANAGEMENT_PORT}, {ip, \"127.0.0.1\"}]}]}")
    printf '[%s].\n' "${settings[*]}"
}

start_rabbitmq() {
    local folder=$dir/rabbitmq script plugins log=$dir/rabbitmq/log
    script=$(rabbitmq_script)
    plugins=$(enabled_plugins)
    mkdir -p "$folder"
    # A broker that was ended in its very first start may leave what it can't start from again.
    [[ -e $folder/complete ]] || find "$folder" -mindepth 1 -maxdepth 1 ! -name 'epmd.*' -exec rm -rf {} +
    mkdir -p "$log"
    echo "$plugins" >"$folder/enabled_plugins"
    : >"$folder/rabbitmq.conf"
    ! is_member || configure_member
    advanced_config >"$folder/advanced.config"
    be_private
    # RUNNING_UNDER_SYSTEMD makes the script become the server, instead of waiting for it as a parent.
    launch rabbitmq "$folder/server.pid" "$log/console.log" "${in_private[@]}" RUNNING_UNDER_SYSTEMD=true \
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$AMQP_PORT" RABBITMQ_DIST_PORT="$DIST_PORT" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false' \
        RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$log" RABBITMQ_LOGS="$log/rabbitmq.log" \
        RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_CONFIG_FILES="$folder/conf.d" \
        RABBITMQ_ADVANCED_CONFIG_FILE="$folder/advanced.config" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$folder/enabled_plugins" \
        RABBITMQ_GENERATED_CONFIG_DIR="$folder/config" RABBITMQ_SCHEMA_DIR="$folder/schema" \
        "$script"
}

# RabbitMQ listens when all else has started. The handshake shows that it is AMQP that answers.
amqp_answers() {
    # shellcheck disable=SC2034
    (exec 3<>"/dev/tcp/127.0.0.1/$AMQP_PORT" && printf 'AMQP\0\0\11\1' >&3 &&
        IFS= read -r -n 1 -t 5 byte <&3) 2>/dev/null
}

stop_rabbitmq() {
    local pid
    if pid=$(running rabbitmq); then
        # While it starts it heeds no SIGTERM for a long time, and nobody's messages are in its hands.
        if amqp_answers; then end_process TERM "$pid"; else kill_tree "$pid"; fi
    fi
}

# The broker's own tool, on its node. Takes the place of this process.
ctl() { # ARG...
    local script
    if in_container rabbitmq; then exec "$(engine)" exec -i "$(container rabbitmq)" rabbitmqctl "$@"; fi
    # Without the name server it would start one.
    if ! running rabbitmq || ! name_server; then die "RabbitMQ of $dir is not running"; fi >/dev/null
    script=$(rabbitmq_script)
    be_private
    exec "${in_private[@]}" RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false' \
        "$(dirname "$script")/rabbitmqctl" "$@"
}
