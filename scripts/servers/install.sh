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
        if native "$kind"; then
            :
        elif [[ -n $(version "$kind") ]]; then
            install_version "$kind"
        else
            packages+=("$(package "$kind")")
        fi
    done
    ((${#packages[@]})) || return 0
    if may_apt_install; then
        say "installing ${packages[*]} with apt-get, without starting their services"
        apt_install "${packages[@]}"
    elif engine >/dev/null; then
        say "using containers ($(engine)) for ${packages[*]}, because packages cannot be installed here"
    else
        die "PostgreSQL 15 or later or RabbitMQ is missing. As root: apt-get install ${packages[*]}." \
            'Or set DATABASE_URL and AMQP_URL.'
    fi
}

# A version that was chosen, and that the machine hasn't. As packages, where that can be: those can be killed, stopped and
# clustered like any program.
install_version() { # KIND
    if may_install_suite; then
        install_from_suite "$1"
    elif engine >/dev/null; then
        say "using a container ($(engine)) for $1 $(version "$1"), because its packages need root and the right to mount"
    else
        die "$1 $(version "$1") is missing and cannot be installed. That needs root on Debian, or a" \
            'container engine.'
    fi
}

# What only some tests need: without it they say that they are skipped.
install_extras() { # PACKAGE...
    local package
    local -a missing=()
    for package in "$@"; do
        [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if may_apt_install; then
        say "installing ${missing[*]} with apt-get, without starting their services"
        apt_install "${missing[@]}" || say "${missing[*]} could not be installed. Tests that need them are skipped"
    else
        say "this user cannot install ${missing[*]} with apt-get. Tests that need missing packages are skipped"
    fi
}

may_apt_install() { command -v apt-get >/dev/null && as_root true 2>/dev/null; }

package() { if [[ $1 == postgres ]]; then echo postgresql; else echo rabbitmq-server; fi; }

apt_install() {
    local package policy=/usr/sbin/policy-rc.d
    # In a session of its own, where no signal cuts it off midway.
    local -a quiet=(setsid --wait env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    # Debian's packages start their daemons, unless this file says no.
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin $policy
    fi
    as_root "${quiet[@]}" update >&2 || return
    as_root "${quiet[@]}" install --yes --no-install-recommends "$@" >&2 || return
    # Nor at the next boot.
    if command -v systemctl >/dev/null; then
        for package in "$@"; do as_root systemctl --quiet disable "$package.service" >/dev/null 2>&1 || true; done
    fi
}
