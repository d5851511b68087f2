# shellcheck shell=bash disable=SC2154,SC2030,SC2031
# Part of ../servers.sh: clusters of RabbitMQ. The node of DIR is the first; the others are in DIR/node-2, DIR/node-3
# and so on, folders like DIR, which the file `member` marks. All use the first one's lock, name server and cookie.

# Does something in another folder.
at() { # DIR COMMAND...
    (
        dir=$1
        shift
        load_ports
        "$@"
    )
}

is_member() { [[ -e $dir/member ]]; }

# The folder whose node is the first of the cluster; that of a single broker is DIR itself.
first_node() { if is_member; then dirname "$dir"; else echo "$dir"; fi; }

# The folders of the nodes that joined DIR's.
members() {
    local marker
    for marker in "$dir"/node-*/member; do
        [[ ! -e $marker ]] || dirname "$marker"
    done
}

# The folders of all nodes of the cluster that DIR is of.
nodes() {
    local first
    first=$(first_node)
    echo "$first"
    dir=$first members
}

add_member() { # FOLDER
    [[ ! -e $1/rabbitmq || -e $1/member ]] || die "$1 already has a broker"
    mkdir -p "$1"
    at "$1" true # which gives it ports
    touch "$1/member"
}

# A member without data joins as it starts. One with data knows its cluster, and disregards this.
configure_member() {
    local first
    first=$(first_node)
    [[ -e $dir/rabbitmq/complete ]] || at "$first" amqp_answers ||
        die "$dir cannot join the cluster: RabbitMQ of $first is not running"
    install -m 400 "$first/rabbitmq/.erlang.cookie" "$dir/rabbitmq/.erlang.cookie"
    cat >"$dir/rabbitmq/rabbitmq.conf" <<END
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = $(at "$first" node_name)
cluster_formation.classic_config.nodes.2 = $(node_name)
END
}

# A member that could not reach the first node may have started as a broker of its own.
joined() {
    local first known
    is_member || return 0
    first=$(at "$(first_node)" node_name)
    known=$(ctl --quiet cluster_status --formatter json)
    [[ $known == *"\"$first\""* ]] || die "$dir did not join the cluster of $first"
}

# Starts those of the further nodes that know the cluster already, or those that are still to join it.
start_members() { # known|new
    local node is
    while read -r node; do
        is=new
        [[ ! -e $node/rabbitmq/complete ]] || is=known
        [[ $is == "$1" ]] || continue
        # Not at(), so that it is this process that the signal reaches.
        (
            dir=$node
            load_ports
            start_one rabbitmq
        ) &
        starters+=($!)
    done < <(members)
}

# What `destroy` of a member means for the others.
forget_member() {
    local name node
    is_member || return 0
    name=$(at "$dir" node_name)
    while read -r node; do
        if at "$node" running rabbitmq >/dev/null; then
            at "$node" ctl --quiet forget_cluster_node "$name" </dev/null || say "could not remove $name from the cluster"
            return
        fi
    done < <(nodes)
}

cluster_env() {
    local node pid urls='' pids=''
    is_member || while read -r node; do
        urls+=,$(at "$node" amqp_url)
        ! pid=$(at "$node" running rabbitmq) || pids+=,$pid
    done < <(nodes)
    [[ $urls != *,*,* || -z $pids ]] || printf 'export %s\n' "AMQP_URLS=${urls#,}" "RABBITMQ_PIDS=${pids#,}"
}
