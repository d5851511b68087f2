# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: ends all servers at and below a folder, and removes their data.

# State folders at and below a folder, the lowest first.
folders() { # DIR
    find "$1" -maxdepth 4 -depth -name ports -type f -exec dirname {} \; 2>/dev/null || true
}

stop_below() { # DIR
    local folder
    unlock # in case that a start has been interrupted
    while read -r folder; do
        # Members are stopped with the first node of their cluster.
        [[ $folder != "$1" && -e $folder/member ]] || (dir=$folder && stop postgres rabbitmq) &
    done < <(folders "$1")
    wait
}

destroy() { # DIR
    local dir volumes first=''
    [[ ! -e $1/member ]] || first=$(dirname "$1")
    stop_below "$1"
    while read -r dir; do
        forget_member
        for volumes in "$dir"/*.container; do
            [[ ! -e $volumes ]] || $(engine) volume rm "$(container "$(basename "$volumes" .container)")" >/dev/null
        done
        # A start must not take for whole what is half removed, when this is interrupted.
        rm -f "$dir/rabbitmq/complete"
        [[ ! -d $dir/postgres/data ]] || mv "$dir/postgres/data" "$dir/postgres/data.new"
        if [[ -L $dir/postgres ]]; then rm -rf "$(readlink "$dir/postgres")"; fi
        # Only what we made: DIR may be anyone's. By its ports we know it, so they go last.
        rm -rf "$dir"/{env,lock,member,postgres,rabbitmq,rabbitmq.managed,{postgres,rabbitmq}.{container,log,version}}
        rm -f "$dir/ports"
        rmdir "$dir" 2>/dev/null || true
    done < <(folders "$1")
    rmdir "$1" 2>/dev/null || true
    [[ -z $first ]] || at "$first" write_env
}
