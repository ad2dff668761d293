{{- define "rootward.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "rootward.fullname" -}}
{{- $name := include "rootward.name" . }}
{{- $made := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $made .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "rootward.selector" -}}
app.kubernetes.io/name: {{ include "rootward.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: rootward
{{- end }}

{{- define "rootward.labels" -}}
{{ include "rootward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: rootward
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rootward.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry }}
{{- $name := ternary (printf "%s/%s" $registry .Values.image.repository) .Values.image.repository (ne $registry "") }}
{{- if .Values.image.digest }}{{ $name }}@{{ .Values.image.digest }}
{{- else }}{{ $name }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "rootward.pullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.image.pullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "rootward.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "rootward.fullname" .) .Values.serviceAccount.name }}
{{- else }}{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* The secret with the tokens; none where a proxy finds out who is asking. */}}
{{- define "rootward.accessSecret" -}}
{{- if .Values.access.existingSecret }}{{ .Values.access.existingSecret }}
{{- else if ne (toString .Values.settings.access) "proxy" }}{{ include "rootward.fullname" . }}-access
{{- end }}
{{- end }}

{{- define "rootward.hasFiles" -}}
{{- if or .Values.scrapeTargets .Values.intakeRules .Values.runbooks }}yes{{ end }}
{{- end }}

{{- /* Values that are each right and do not go together. */}}
{{- define "rootward.check" -}}
{{- if ne .Values.mode "embedded" }}
{{- fail "mode: this version of Rootward runs embedded only (one pod, one volume); there is no distributed mode yet" }}
{{- end }}
{{- if and .Values.settings.samples_url .Values.samplesUrlSecret.name }}
{{- fail "settings.samples_url and samplesUrlSecret.name both say where samples are kept; set one" }}
{{- end }}
{{- if and (eq (toString .Values.settings.access) "proxy") (not .Values.settings.trusted_proxies) }}
{{- fail "settings.trusted_proxies: settings.access is proxy, so say which addresses the proxy has" }}
{{- end }}
{{- $backend := or .Values.settings.samples_url .Values.samplesUrlSecret.name }}
{{- if and $backend .Values.scrapeTargets }}
{{- fail "scrapeTargets: nothing is scraped where samples are read from a PromQL backend; set one" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) (or $backend .Values.scrapeTargets) }}
{{- fail "networkPolicy.egress: scrape targets and PromQL backends are out of reach without a rule; add one or set networkPolicy.enabled to false" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts: an Ingress needs at least one host" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs: a route needs at least one gateway" }}
{{- end }}
{{- if and .Values.persistence.existingClaim (not .Values.persistence.enabled) }}
{{- fail "persistence.existingClaim is set, but persistence.enabled is false" }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if hasPrefix "ROOTWARD_" .name }}
{{- fail (printf "extraEnv: %s is a setting of Rootward; set it under settings, or by its own value" .name) }}
{{- end }}
{{- end }}
{{- end }}
