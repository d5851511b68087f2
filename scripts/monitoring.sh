#!/usr/bin/env bash
# The alerting rules and dashboards in monitoring/.
#
#   monitoring.sh check   check and test the rules with promtool; check that alerts have pages and tests, and that dashboards are sound
#   monitoring.sh write   write the rules into the manifests of Kubernetes: the component `monitoring` and the chart have copies
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "monitoring: $*" >&2; }

# shellcheck source=kubernetes/install.sh
. scripts/kubernetes/install.sh
expressions=$PWD/target/kubernetes/expressions.yaml

# The groups of all files, with their comments.
groups() {
    local file
    echo 'groups:'
    for file in monitoring/rules/*.yaml; do sed '1,/^groups:/d' "$file"; done
}

copies=(k8s/chart/files/rules.yaml k8s/components/monitoring/prometheusrule.yaml)
copy() { # FILE
    echo '# Of monitoring/rules. `scripts/monitoring.sh write` writes this file.'
    case $1 in
        */prometheusrule.yaml)
            printf '%s\n' 'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' metadata: '  name: dead-letter' spec:
            groups | sed 's/^./  &/'
            ;;
        *) groups ;;
    esac
}

check_copies() {
    local file
    for file in "${copies[@]}"; do
        copy "$file" | diff "$file" - >/dev/null || {
            say "$file differs from monitoring/rules: run 'scripts/monitoring.sh write' and commit it"
            return 1
        }
    done
}

# Runs a command, and shows what it wrote only if it failed.
quietly() { # COMMAND...
    local output
    output=$("$@" 2>&1) || {
        say "failed: $*"
        echo "$output" >&2
        return 1
    }
}

require() {
    if ! command -v promtool >/dev/null; then
        say 'installing promtool with apt-get'
        # Debian 12 has it in the package of the server, which is not started.
        if ! may_apt_install || ! { apt_install promtool 2>/dev/null || apt_install prometheus; }; then
            say 'SKIPPED: promtool is missing. Install the package promtool or prometheus'
            exit
        fi
    fi
    if ! install_python; then
        say 'SKIPPED: the programs that check the rules could not be installed (see above)'
        exit
    fi
}

check() {
    local failed=0
    quietly promtool check rules monitoring/rules/*.yaml || failed=1
    quietly promtool test rules monitoring/tests/*.yaml || failed=1
    quietly promtool check config --syntax-only monitoring/prometheus.yaml || failed=1
    check_copies || failed=1
    "$kubernetes/python/bin/python" -B scripts/monitoring/check.py "$expressions" || failed=1
    quietly promtool check rules "$expressions" || failed=1
    return $failed
}

case ${1-} in
    check)
        require
        check
        ;;
    write) for file in "${copies[@]}"; do copy "$file" >"$file"; done ;;
    *) say 'usage: monitoring.sh check | write' && exit 2 ;;
esac
