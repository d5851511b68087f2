# shellcheck shell=bash disable=SC2154
# Part of ../servers.sh: servers of a chosen version, out of the Debian suite that has it. The suite is installed once for
# a checkout, in target/suites/SUITE, by debootstrap. A server sees the suite's /usr in place of the machine's, by a mount that
# only it and its children see: so all paths, pids and folders are those that everybody else sees too, and nothing
# stays mounted.

suites=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")/../target/suites
suites=$(realpath --canonicalize-missing "$suites")
readonly suites

chosen() { if [[ $1 == postgres ]]; then echo "${POSTGRES-}"; else echo "${RABBITMQ-}"; fi; } # KIND

suite_with() { # KIND VERSION
    case $1,$2 in
        rabbitmq,3.10 | postgres,15) echo bookworm ;;
        rabbitmq,4.0 | postgres,17) echo trixie ;;
        rabbitmq,4.3 | postgres,18) echo sid ;;
        *) die "unsupported version: $1 $2. Use RABBITMQ=3.10, 4.0 or 4.3, and POSTGRES=15, 17 or 18" ;;
    esac
}

# The version that DIR was begun with, or is to begin with; nothing, where any will do.
version() { # KIND
    local file
    file=${dir:+$(first_node)/$1.version}
    if [[ -n $file && -e $file ]]; then cat "$file"; else chosen "$1"; fi
}

# DIR keeps its version, since another one cannot read the data.
keep_version() { # KIND
    local wanted kept file
    wanted=$(chosen "$1") file=$(first_node)/$1.version
    if [[ -e $file ]]; then
        kept=$(<"$file")
        [[ -z $wanted || $wanted == "$kept" ]] || die "$dir has $1 $kept, not $wanted. Run servers.sh destroy"
    elif [[ -n $wanted ]]; then
        suite_with "$1" "$wanted" >/dev/null
        [[ ! -e $dir/$1/complete ]] || is_on_machine "$1" || die "$dir has a $1 of another version than $wanted. Run servers.sh destroy"
        echo "$wanted" >"$file"
    fi
}

# Whether the machine has it, in the chosen version if there is one.
is_on_machine() { # KIND
    local version
    version=$(version "$1")
    case $1 in
        postgres) postgres_in '' "$version" >/dev/null ;;
        rabbitmq) rabbitmq_in '' "$version" >/dev/null ;;
    esac
}

# The folder of the suite that a server is taken from; nothing for the machine itself.
root_of() { # KIND
    local version
    version=$(version "$1")
    [[ -z $version ]] || is_on_machine "$1" || echo "$suites/$(suite_with "$1" "$version")"
}

# Sets the prefix of commands that are to see the programs of a server's suite.
in_suite=()
enter_suite() { # KIND
    local root
    root=$(root_of "$1")
    in_suite=()
    # shellcheck disable=SC2016
    [[ -z $root ]] || in_suite=(unshare --mount sh -c 'mount --bind "$0/usr" /usr && exec "$@"' "$root")
}

# What a suite needs. Neither an unprivileged user nor most containers may mount.
may_install_suite() {
    may_apt_install && ((EUID == 0)) && [[ -L /bin ]] && unshare --mount mount --bind /usr /usr 2>/dev/null
}

is_installed() { # KIND: in its suite
    case $1 in
        postgres) postgres_in "$(root_of postgres)" "$(version postgres)" >/dev/null ;;
        rabbitmq) rabbitmq_in "$(root_of rabbitmq)" "$(version rabbitmq)" >/dev/null ;;
    esac
}

install_from_suite() { # KIND
    local suite package=rabbitmq-server
    ! is_installed "$1" || return 0
    suite=$(suite_with "$1" "$(version "$1")")
    [[ $1 == rabbitmq ]] || package=postgresql-$(version postgres)
    mkdir -p "$suites"
    exec 6>>"$suites/lock"
    ! command -v flock >/dev/null || flock 6
    if ! is_installed "$1"; then
        [[ -d $suites/$suite ]] || make_suite "$suite"
        say "installing $package of Debian $suite in $suites/$suite"
        add_to_suite "$suites/$suite" "$package" >>"$suites/$suite.log" 2>&1 ||
            { tail -n 20 "$suites/$suite.log" >&2 && die "$package could not be installed"; }
    fi
    exec 6>&-
}

make_suite() { # SUITE
    local new=$suites/$1.new
    command -v debootstrap >/dev/null || apt_install debootstrap
    say "installing Debian $1 in $suites/$1 (this takes a minute, once)"
    rm -rf --one-file-system "$new"
    debootstrap --variant=minbase "$1" "$new" >"$suites/$1.log" 2>&1 ||
        { tail -n 20 "$suites/$1.log" >&2 && die "debootstrap $1 failed"; }
    # Packages start no daemons there, and make no database.
    # Nor does a mirror that lags behind matter.
    echo 'Acquire::Check-Valid-Until "false";' >"$new/etc/apt/apt.conf.d/mirror"
    printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
    chmod 755 "$new/usr/sbin/policy-rc.d"
    mkdir -p "$new/etc/postgresql-common"
    echo 'create_main_cluster = false' >"$new/etc/postgresql-common/createcluster.conf"
    mv "$new" "$suites/$1"
}

add_to_suite() { # ROOT PACKAGE
    local root=$1
    # shellcheck disable=SC2016
    setsid --wait unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" \
        env -i PATH="$PATH" DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 \
        sh -c 'apt-get -qq update && apt-get -qq install --yes --no-install-recommends "$@" && apt-get clean' install "$2"
}
