{{- /* Settings of the process. Numbers go through toJson, which writes 16777216 as it is. */}}
{{- define "rootward.env" -}}
- name: ROOTWARD_HOST
  value: 0.0.0.0
- name: ROOTWARD_PORT
  value: "8080"
{{- if eq .Values.mode "embedded" }}
- name: ROOTWARD_DATABASE_URL
  value: sqlite:////data/rootward.db
{{- else }}
{{- range $name, $one := dict "database" .Values.database "bus" .Values.bus "jobs" .Values.jobs }}
- name: ROOTWARD_{{ upper $name }}_URL
  {{- if $one.url }}
  value: {{ $one.url | quote }}
  {{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ $one.existingSecret }}
      key: {{ $one.key }}
  {{- end }}
{{- end }}
{{- end }}
{{- if include "rootward.accessSecret" . }}
- name: ROOTWARD_ADMIN_TOKEN_FILE
  value: /etc/rootward-access/admin-token
- name: ROOTWARD_INGEST_TOKEN_FILE
  value: /etc/rootward-access/ingest-token
{{- end }}
{{- if .Values.kubernetesWatch.enabled }}
- name: ROOTWARD_KUBERNETES_URL
  value: https://kubernetes.default.svc
{{- with .Values.kubernetesWatch.namespaces }}
- name: ROOTWARD_KUBERNETES_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- if .Values.scrapeTargets }}
- name: ROOTWARD_SCRAPE_FILE
  value: /etc/rootward/scrape.json
{{- end }}
{{- if .Values.intakeRules }}
- name: ROOTWARD_INTAKE_FILE
  value: /etc/rootward/intake.toml
{{- end }}
{{- if .Values.notifySecret.name }}
- name: ROOTWARD_NOTIFY_FILE
  value: /etc/rootward-notify/{{ .Values.notifySecret.key }}
{{- end }}
{{- if .Values.runbooks }}
- name: ROOTWARD_RUNBOOKS
  value: /etc/rootward/runbooks
{{- end }}
{{- with .Values.samplesUrlSecret }}
{{- if .name }}
- name: ROOTWARD_SAMPLES_URL
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: ROOTWARD_{{ upper $name }}
  value: {{ ternary $value (toJson $value) (kindIs "string" $value) | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
