# shellcheck shell=bash disable=SC2034
# Sourced by ../../go-programs.sh: the folder is named after CoreDNS.

label=$(pinned github.com/coredns/coredns)
