# shellcheck shell=bash disable=SC2034
# Sourced by ../go-programs.sh: what is special about promtool and Prometheus.

label=$(pinned github.com/prometheus/prometheus)
# Modules call Prometheus 3.14 v0.314.
minor=${label#*.}
ldflags="-s -w -X github.com/prometheus/common/version.Version=${minor:0:1}.$((10#${minor:1:2})).${minor#*.}"

# Of all that Prometheus can discover, what it does here: the clouds make up most of a plain build.
tags=remove_all_sd,enable_kubernetes_sd

# Alerts are judged without a server.
kept_back=prometheus
