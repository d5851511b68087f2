# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: servers in containers, where there is no package manager.

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
    local name engine options plugins version
    local -a command=()
    name=$(container "$1")
    version=$(version "$1")
    options=$(postgres_options)
    plugins=$(enabled_plugins)
    engine=$(engine) || die "$1 is not installed. Run servers.sh install, or set DATABASE_URL and AMQP_URL"
    touch "$dir/$1.container"
    $engine rm -f "$name" >/dev/null 2>&1 || true # of a crash
    # The data are in a volume of the container's name, which survives it.
    if [[ $1 == postgres ]]; then
        # shellcheck disable=SC2086
        $engine run -d --name "$name" -v "$name:/var/lib/postgresql/data" -e PGDATA=/var/lib/postgresql/data \
            -e POSTGRES_HOST_AUTH_METHOD=trust -p "127.0.0.1:$POSTGRES_PORT:5432" \
            "docker.io/library/postgres:${version:-17}" -c max_connections=300 \
            $options >"$dir/$1.log"
    else
        rm -f "$dir/rabbitmq.managed"
        [[ ,${RABBITMQ_PLUGINS-}, != *,rabbitmq_management,* ]] || touch "$dir/rabbitmq.managed"
        # What the image enables stays, unless others are wanted.
        [[ -z ${RABBITMQ_PLUGINS-} ]] || command=(sh -c "echo '$plugins' >/etc/rabbitmq/enabled_plugins &&
            exec docker-entrypoint.sh rabbitmq-server")
        $engine run -d --name "$name" -v "$name:/var/lib/rabbitmq" --hostname rabbitmq \
            -p "127.0.0.1:$AMQP_PORT:5672" -p "127.0.0.1:$MANAGEMENT_PORT:15672" "docker.io/library/rabbitmq:${version:-4}" ${command[@]+"${command[@]}"} >"$dir/$1.log"
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
