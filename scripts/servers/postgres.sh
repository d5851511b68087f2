# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: PostgreSQL.

# The newest PostgreSQL of the machine, of at least 15, or the very version that is wanted; that of a suite.
postgres_in() { # ROOT [VERSION]
    local bin version best='' best_version=14
    if [[ -n $1 ]]; then
        bin=/usr/lib/postgresql/$2/bin
        [[ -x $1$bin/postgres ]] && echo "$bin"
        return
    fi
    for bin in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
        [[ -x $bin/initdb && -x $bin/postgres ]] || continue
        version=$("$bin/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
        if [[ -n ${2-} ]]; then
            [[ $version != "$2" ]] || best=$bin
        elif ((version > best_version)); then
            best=$bin best_version=$version
        fi
    done
    [[ -n $best ]] && echo "$best"
}

# The one of DIR: of the version that was chosen, or that made the data, since another can't read them.
postgres_bin() { # [DATA]
    local wanted
    wanted=$(version postgres)
    [[ -n $wanted || ! -f ${1-}/PG_VERSION ]] || wanted=$(<"$1/PG_VERSION")
    postgres_in "$(root_of postgres)" "$wanted"
}

# `-c` for each of POSTGRES_SETTINGS.
postgres_options() {
    local setting
    for setting in ${POSTGRES_SETTINGS-}; do
        [[ $setting == *?=* ]] || die "POSTGRES_SETTINGS: $setting is not NAME=VALUE"
        printf '%s\n' -c "$setting"
    done
}

start_postgres() {
    local folder user bin options
    local -a as=()
    options=$(postgres_options)
    [[ -d $dir/postgres ]] || { rm -f "$dir/postgres" && mkdir "$dir/postgres"; }
    folder=$(cd "$dir/postgres" && pwd -P)
    if ((EUID == 0)); then # as which PostgreSQL refuses to run
        user=$(stat -c %U "$folder")
        [[ $user != root ]] || user=$(id -un postgres 2>/dev/null || echo nobody)
        as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups)
        chown "$user" "$folder"
        if ! (cd / && "${as[@]}" test -w "$folder"); then
            rmdir "$folder" 2>/dev/null || die "the user $user cannot access $folder any more. Run servers.sh destroy"
            folder=$(mktemp -d /var/tmp/dead-letter-postgres.XXXXXX)
            chown "$user" "$folder"
            ln -s "$folder" "$dir/postgres"
            say "the user $user cannot access $dir. PostgreSQL's data are in $folder"
        fi
    fi
    enter_suite postgres
    bin=$(postgres_bin "$folder/data") || die "no installed PostgreSQL can read $folder/data. Run servers.sh destroy"
    if [[ ! -d $folder/data ]]; then
        rm -rf "$folder/data.new" # of a start that was interrupted
        (cd "$folder" && "${in_suite[@]}" "${as[@]}" "$bin/initdb" --pgdata=data.new --username=postgres --auth=trust --encoding=UTF8 \
            --locale=C.UTF-8 --no-sync) >"$folder/initdb.log" 2>&1 9>&- ||
            { cat "$folder/initdb.log" >&2 && return 1; }
        mv "$folder/data.new" "$folder/data"
    fi
    # A killed server that its parent has not collected yet looks alive to PostgreSQL.
    if is_zombie "$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)"; then
        rm -f "$folder"/{data/postmaster.pid,.s.PGSQL.*.lock}
    fi
    # The socket folder is relative to the data folder, so that no path is too long for a socket (107 bytes).
    # shellcheck disable=SC2086
    launch postgres "$folder/server.pid" "$folder/log" "${in_suite[@]}" "${as[@]}" "$bin/postgres" -D "$folder/data" \
        -c listen_addresses=127.0.0.1 -c port="$POSTGRES_PORT" -c unix_socket_directories=.. -c max_connections=300 \
        $options
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
