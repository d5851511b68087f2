#!/usr/bin/env bash
# Installs the client libraries whose failures the demo shows and `make clients` tries.
#
#   libraries.sh python DIR   Celery, Dramatiq and Qpid Proton (AMQP 1.0), in the virtual environment DIR/venv
#   libraries.sh node DIR     Rascal, in DIR/node_modules
#
# Python and Node themselves are installed where they are missing, by apt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "libraries: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# shellcheck source=servers/install.sh
. scripts/servers/install.sh

is_there() { # python|node
    case $1 in
        python) python3 -c 'import venv, ensurepip' ;;
        node) node -e fetch && npm --version ;;
    esac >/dev/null 2>&1
}

require() { # python|node PACKAGE...
    local language=$1
    shift
    ! is_there "$language" || return 0
    if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
        die "$language is missing or too old, and this user cannot install it. As root: apt-get install $*"
    fi
    say "installing $* with apt-get"
    apt_install "$@"
    is_there "$language" || die "$language is still missing or too old after apt-get install $*"
}

# Waits for the package manager.
trap 'exit 130' INT TERM HUP

language=${1-} dir=${2-}
[[ -n $dir ]] || die 'usage: libraries.sh python|node DIR'
mkdir -p "$dir"
case $language in
    python)
        require python python3-venv
        # Not over one of another Python, or one that was left half made.
        "$dir/venv/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$dir/venv"
        "$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'dramatiq[rabbitmq]==2.0.*' 'celery==5.5.*' \
            'python-qpid-proton==0.40.*' || die 'pip could not install Celery, Dramatiq and Qpid Proton'
        ;;
    node)
        require node nodejs npm
        npm install --loglevel=error --prefer-offline --no-fund --no-audit --prefix "$dir" rascal@20 ||
            die 'npm could not install Rascal'
        ;;
    *) die "unknown language: $language. Use python or node" ;;
esac
