#!/usr/bin/env bash
# The manifests in k8s/.
#
#   kubernetes.sh check           render base, overlays, components and chart, validate them strictly against several versions of Kubernetes,
#                                 and compare the chart with base and prod
#   kubernetes.sh render NAME     print one: base, dev, prod, prod-autoscaling-cpu, prod-autoscaling-depth, chart, chart-prod
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "kubernetes: $*" >&2; }

# shellcheck source=kubernetes/install.sh
. scripts/kubernetes/install.sh
renderings=(base dev prod prod-autoscaling-cpu prod-autoscaling-depth chart chart-prod)

require() {
    if [[ $(uname -sm) != 'Linux x86_64' ]]; then
        say "SKIPPED: kubectl and Helm come as programs for Linux on x86-64, and this is $(uname -sm)"
        exit
    fi
    if ! install_python || ! install_tools; then
        say 'SKIPPED: the programs that check the manifests could not be installed (see above)'
        exit
    fi
}

# prod with one more component.
with_component() { # COMPONENT
    local folder=$kubernetes/with-$1
    mkdir -p "$folder"
    cat >"$folder/kustomization.yaml" <<END
resources: [../../../k8s/overlays/prod]
components: [../../../k8s/components/$1]
END
    "$kubernetes/kubectl" kustomize "$folder"
}

render() { # NAME
    case $1 in
        base) "$kubernetes/kubectl" kustomize k8s/base ;;
        dev | prod) "$kubernetes/kubectl" kustomize "k8s/overlays/$1" ;;
        prod-*) with_component "${1#prod-}" ;;
        chart) helm_template ;;
        chart-prod) helm_template --values k8s/chart/values-prod.yaml ;;
        *) say "unknown rendering: $1. Use ${renderings[*]}" && exit 2 ;;
    esac
}

# Neither a cluster nor the user's own settings are asked.
helm() { # ARG...
    HELM_CONFIG_HOME=$kubernetes/helm-home HELM_CACHE_HOME=$kubernetes/helm-home HELM_DATA_HOME=$kubernetes/helm-home \
        "$kubernetes/helm" "$@"
}

helm_template() { helm template dead-letter k8s/chart --kube-version 1.37.0 "$@"; } # OPTION...

check() {
    local name
    helm lint --strict --quiet k8s/chart
    rm -rf "$kubernetes/rendered"
    mkdir -p "$kubernetes/rendered"
    for name in "${renderings[@]}"; do render "$name" >"$kubernetes/rendered/$name.yaml"; done
    "$kubernetes/python/bin/python" scripts/kubernetes/check.py "$kubernetes/rendered" "$kubernetes/schemas"
}

case ${1-} in
    check)
        require
        check
        ;;
    render)
        require
        render "${2-}"
        ;;
    *) say 'usage: kubernetes.sh check | render NAME' && exit 2 ;;
esac
