# shellcheck shell=bash disable=SC2034
# Sourced by ../../go-programs.sh: what is special about the program that enforces NetworkPolicies.

label=$(pinned github.com/cloudnativelabs/kube-router/v2)
ldflags="-s -w -X github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v$label"
