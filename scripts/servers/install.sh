# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: makes sure that the servers' programs are on this machine, as packages or as containers.

native() { # KIND
    case $1 in
        postgres) postgres_bin >/dev/null ;;
        rabbitmq) rabbitmq_script >/dev/null ;;
    esac
}

kinds_without_url() {
    [[ -n ${DATABASE_URL-} ]] || echo postgres
    [[ -n ${AMQP_URL-} ]] || echo rabbitmq
}

as_root() { if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi; }

install_servers() {
    local kind
    local -a packages=()
    for kind in $(kinds_without_url); do
        native "$kind" || packages+=("$(package "$kind")")
    done
    ((${#packages[@]})) || return 0
    if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
        say "installing ${packages[*]} with apt-get (this machine has none); their services are not started"
        apt_install "${packages[@]}"
    elif engine >/dev/null; then
        say "will run ${packages[*]} in containers ($(engine)): no packages could be installed"
    else
        die "needs PostgreSQL 15+ and RabbitMQ. As root: apt-get install ${packages[*]}." \
            'Or set DATABASE_URL and AMQP_URL.'
    fi
}

package() { if [[ $1 == postgres ]]; then echo postgresql; else echo rabbitmq-server; fi; }

apt_install() {
    local policy=/usr/sbin/policy-rc.d
    # In a session of its own, where no signal cuts it off midway.
    local -a quiet=(setsid --wait env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    # Debian's packages start their daemons, unless this file says no.
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin $policy
    fi
    as_root "${quiet[@]}" update >&2
    as_root "${quiet[@]}" install --yes --no-install-recommends "$@" >&2
    # Nor at the next boot.
    if command -v systemctl >/dev/null; then
        as_root systemctl --quiet disable "${@/%/.service}" >/dev/null 2>&1 || true
    fi
}
