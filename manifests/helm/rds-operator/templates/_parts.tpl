{{/* The labels of an object: (list $ "rds-webhook"), or (list $ "") for one that belongs to neither service. */}}
{{- define "rds-operator.labels" -}}
{{- $root := index . 0 -}}
{{- with index . 1 }}
app.kubernetes.io/name: {{ . }}
{{- end }}
app.kubernetes.io/part-of: rds-operator
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* An image: (list $ .Values.webhook.image) */}}
{{- define "rds-operator.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $image.digest -}}
{{ $image.repository }}@{{ . }}
{{- else -}}
{{ $image.repository }}:{{ default $root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end }}

{{/* Where Pods may run: .Values.webhook or .Values.reconciler */}}
{{- define "rds-operator.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Who Pods run as. */}}
{{- define "rds-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "rds-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The Secret with the certificate that the webhook mounts. */}}
{{- define "rds-operator.tlsSecret" -}}
{{- if eq .Values.certificates.source "secret" -}}
{{ .Values.certificates.secretName }}
{{- else -}}
rds-webhook-tls
{{- end -}}
{{- end }}

{{/* What API servers trust, where nobody else writes it. */}}
{{- define "rds-operator.caBundle" -}}
{{- if eq .Values.certificates.source "secret" -}}
{{ required "certificates.caBundle: with certificates.source=secret, give the PEM of the authority that signed the certificate" .Values.certificates.caBundle | b64enc }}
{{- end -}}
{{- end }}
