{{- define "rootward.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "rootward.fullname" -}}
{{- $name := include "rootward.name" . }}
{{- $made := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $made .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- /* What all pods of a release have in common. */}}
{{- define "rootward.release" -}}
app.kubernetes.io/name: {{ include "rootward.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rootward.selector" -}}
{{ include "rootward.release" . }}
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

{{- /* The image of all; `rootward.imageOf` takes a list: the root and the image of a part, which wins. */}}
{{- define "rootward.image" -}}
{{- include "rootward.imageOf" (list . dict) }}
{{- end }}

{{- define "rootward.imageOf" -}}
{{- $root := index . 0 }}
{{- $own := index . 1 }}
{{- $image := ternary (merge (pick $own "repository" "tag" "digest") (pick $root.Values.image "registry")) $root.Values.image (ne (default "" $own.repository) "") }}
{{- $registry := default $image.registry $root.Values.global.imageRegistry }}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne (default "" $registry) "") }}
{{- if $image.digest }}{{ $name }}@{{ $image.digest }}
{{- else }}{{ $name }}:{{ default $root.Chart.AppVersion $image.tag }}
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

{{- /* Whether something else decides how many pods of a part there are; takes a list: root, part. */}}
{{- define "rootward.isScaled" -}}
{{- $values := (index . 0).Values }}
{{- $part := index $values (index . 1) }}
{{- if hasKey $part "keda" }}{{ if $values.keda.enabled }}yes{{ end }}
{{- else if $part.autoscaling.enabled }}yes
{{- end }}
{{- end }}

{{- /* Kafka's brokers, as KEDA is told of them. */}}
{{- define "rootward.brokers" -}}
{{- default (regexReplaceAll "^kafka(\\+tls)?://([^@?]*@)?([^?]*).*$" .Values.bus.url "${3}") .Values.keda.kafkaLag.bootstrapServers }}
{{- end }}

{{- /* The service that answers for a part: in the embedded mode there is one for all. */}}
{{- define "rootward.serviceOf" -}}
{{- $full := include "rootward.fullname" (index . 0) }}
{{- ternary $full (printf "%s-%s" $full (index . 1)) (eq (index . 0).Values.mode "embedded") }}
{{- end }}

{{- define "rootward.hasFiles" -}}
{{- if or .Values.scrapeTargets .Values.intakeRules .Values.runbooks }}yes{{ end }}
{{- end }}

{{- /* Values that are each right and do not go together. */}}
{{- define "rootward.check" -}}
{{- if eq .Values.mode "distributed" }}
{{- range list "ingest" "dashboard" }}
{{- with (index $.Values .).autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail "autoscaling: minReplicas is above maxReplicas" }}
{{- end }}
{{- end }}
{{- end }}
{{- range list "detect" "work" }}
{{- with (index $.Values .).keda }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail "keda: minReplicas is above maxReplicas" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.keda.enabled .Values.keda.kafkaLag.enabled (not (include "rootward.brokers" .)) }}
{{- fail "keda.kafkaLag.bootstrapServers: the URL of the bus lies in a secret, so name the brokers" }}
{{- end }}
{{- if and .Values.keda.kafkaLag.enabled (hasPrefix "kafka+tls:" .Values.bus.url) (not .Values.keda.kafkaLag.authenticationRef) }}
{{- fail "keda.kafkaLag.authenticationRef: Kafka speaks TLS; name a TriggerAuthentication with tls: enable" }}
{{- end }}
{{- if and .Values.keda.kafkaLag.enabled (contains "prefix=" .Values.bus.url) (not (contains (printf "prefix=%s" .Values.keda.kafkaLag.prefix) .Values.bus.url)) }}
{{- fail "keda.kafkaLag.prefix: the URL of the bus names another one" }}
{{- end }}
{{- if and .Values.keda.kafkaLag.enabled (not .Values.keda.enabled) }}
{{- fail "keda.kafkaLag.enabled: KEDA itself is not; set keda.enabled" }}
{{- end }}
{{- if and .Values.settings.samples_url .Values.samplesUrlSecret.name }}
{{- fail "settings.samples_url and samplesUrlSecret.name both say where samples are kept; set one" }}
{{- end }}
{{- if and (eq (toString .Values.settings.access) "proxy") (not .Values.settings.trusted_proxies) }}
{{- fail "settings.trusted_proxies: settings.access is proxy, so say which addresses the proxy has" }}
{{- end }}
{{- if and .Values.kubernetesWatch.enabled (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "kubernetesWatch.enabled: rights are given to a service account; set serviceAccount.create or serviceAccount.name" }}
{{- end }}
{{- if and .Values.kubernetesWatch.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) }}
{{- fail "networkPolicy.egress: the API server is out of reach without a rule (port 443 or 6443); add one or set networkPolicy.enabled to false" }}
{{- end }}
{{- if and (eq .Values.mode "distributed") .Values.scrapeTargets (or .Values.ingest.autoscaling.enabled (gt (int .Values.ingest.replicas) 1)) }}
{{- fail "scrapeTargets: every pod of ingest would scrape them; set ingest.replicas to 1, or let Prometheus scrape" }}
{{- end }}
{{- $backend := or .Values.settings.samples_url .Values.samplesUrlSecret.name }}
{{- if and $backend .Values.scrapeTargets }}
{{- fail "scrapeTargets: nothing is scraped where samples are read from a PromQL backend; set one" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) (or $backend .Values.scrapeTargets) }}
{{- fail "networkPolicy.egress: scrape targets and PromQL backends are out of reach without a rule; add one or set networkPolicy.enabled to false" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) (not .Values.ingress.ingestHosts) }}
{{- fail "ingress.hosts: an Ingress needs at least one host" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs: a route needs at least one gateway" }}
{{- end }}
{{- if and .Values.persistence.existingClaim (not .Values.persistence.enabled) }}
{{- fail "persistence.existingClaim is set, but persistence.enabled is false" }}
{{- end }}
{{- range concat .Values.extraEnv .Values.ingest.extraEnv .Values.detect.extraEnv .Values.work.extraEnv .Values.dashboard.extraEnv }}
{{- if hasPrefix "ROOTWARD_" .name }}
{{- fail (printf "extraEnv: %s is a setting of Rootward; set it under settings, or by its own value" .name) }}
{{- end }}
{{- end }}
{{- end }}
