# shellcheck shell=bash disable=SC2034
# Sourced by ../go-programs.sh: what is special about etcd and the programs of Kubernetes.

kubernetes=$(pinned k8s.io/kubernetes)
[ -n "$kubernetes" ] || die "go.mod does not pin k8s.io/kubernetes"
label=$kubernetes

# kube-controller-manager refuses to start with the version 0.0.0 that a plain build carries.
minor=${kubernetes#*.}
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=${kubernetes%%.*} -X $version.gitMinor=${minor%%.*}"

# A control plane does without a node.
kept_back='kube-proxy kube-scheduler kubelet'

program_of() {
  case $1 in
    go.etcd.io/etcd/server/*) echo etcd ;;
    *) go_name "$1" ;;
  esac
}

# A program that KUBEBUILDER_ASSETS (the convention of envtest) holds is not built.
wanted() { [ -z "${KUBEBUILDER_ASSETS:-}" ] || [ ! -x "$KUBEBUILDER_ASSETS/$1" ]; }
