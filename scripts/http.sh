# shellcheck shell=bash
# Part of demo.sh and image.sh: asks over HTTP; curl may not be here.

host() { # ADDRESS: where a client finds it
    local host=${1%:*}
    host=${host#[}
    host=${host%]}
    [[ -n $host && $host != 0.0.0.0 ]] || host=127.0.0.1
    echo "$host"
}

get() { # ADDRESS PATH: the response, headers and all
    (
        exec 3<>"/dev/tcp/$(host "$1")/${1##*:}"
        printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&3
        timeout 5 cat <&3
    ) 2>/dev/null || true
}
