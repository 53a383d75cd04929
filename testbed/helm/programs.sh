# shellcheck shell=bash
# shellcheck disable=SC2034 # read by go-programs.sh
# A plain build takes every cluster for Kubernetes 1.20, and refuses charts that need a newer one.
kubernetes=$(pinned k8s.io/client-go)
minor=${kubernetes#*.}
label=$(pinned helm.sh/helm/v3)
for package in pkg/chartutil pkg/lint/rules; do
  ldflags+=" -X helm.sh/helm/v3/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/$package.k8sVersionMinor=${minor%%.*}"
done
ldflags+=" -X helm.sh/helm/v3/internal/version.version=v$label"
