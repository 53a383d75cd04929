#!/usr/bin/env bash
# Copies into the chart what it shares with the kustomize folders: a chart cannot read files outside itself, and links are lost by those
# who pack a folder. The CRDs are generated into both places. The end-to-end test chart::equals_the_overlays fails where a copy is old.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
cp ../crd/rds*.yaml rds-operator/files/crds/
cp ../components/monitoring/alerts.yaml ../components/monitoring/dashboard.json rds-operator/files/
