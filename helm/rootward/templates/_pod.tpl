{{- /* A pod. root; name of the component; part: its own values; args; data: whether it keeps a file. */}}
{{- define "rootward.pod" -}}
{{- $root := .root }}
{{- $v := .root.Values }}
{{- $name := .name }}
{{- $part := .part }}
metadata:
  labels:
    {{- include "rootward.labels" $root | replace "component: rootward" (printf "component: %s" $name) | nindent 4 }}
    {{- with merge (dict) (default dict $part.podLabels) $v.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $annotations := merge (dict) (default dict $part.podAnnotations) $v.podAnnotations }}
  {{- if or $annotations (include "rootward.hasFiles" $root) }}
  annotations:
    {{- with $annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if include "rootward.hasFiles" $root }}
    # Files are read once, at start: a change of them starts the pod anew.
    checksum/files: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "rootward.serviceAccount" $root }}
  automountServiceAccountToken: {{ and $v.kubernetesWatch.enabled (has $name (list "rootward" "ingest")) }}
  enableServiceLinks: false # its variables begin with ROOTWARD_ and would be read as settings
  terminationGracePeriodSeconds: {{ $v.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml $v.podSecurityContext | nindent 4 }}
  {{- include "rootward.pullSecrets" $root | nindent 2 }}
  {{- with $v.extraInitContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: rootward
      image: {{ include "rootward.imageOf" (list $root (default dict $part.image)) }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      args: {{ toJson .args }}
      env:
        {{- include "rootward.env" $root | nindent 8 }}
        {{- with $part.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $v.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
      {{- range $kind, $path := dict "startup" "/livez" "liveness" "/livez" "readiness" "/readyz" }}
      {{ $kind }}Probe:
        httpGet:
          path: {{ $path }}
          port: http
        {{- toYaml (index $v.probes $kind) | nindent 8 }}
      {{- end }}
      lifecycle:
        preStop: # so that nobody is still sent here when it stops
          exec:
            command: [sleep, "5"]
      resources:
        {{- toYaml (default $v.resources $part.resources) | nindent 8 }}
      securityContext:
        {{- toYaml $v.securityContext | nindent 8 }}
      volumeMounts:
        {{- if .data }}
        - name: data
          mountPath: /data
        {{- end }}
        - name: tmp
          mountPath: /tmp
        {{- if include "rootward.accessSecret" $root }}
        - name: access
          mountPath: /etc/rootward-access
          readOnly: true
        {{- end }}
        {{- if $v.notifySecret.name }}
        - name: notify
          mountPath: /etc/rootward-notify
          readOnly: true
        {{- end }}
        {{- if include "rootward.hasFiles" $root }}
        - name: files
          mountPath: /etc/rootward
          readOnly: true
        {{- end }}
        {{- with $v.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with $v.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if not .data }}
    {{- else if not $v.persistence.enabled }}
    - name: data
      emptyDir: {}
    {{- else if $v.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ $v.persistence.existingClaim }}
    {{- end }}
    {{- with include "rootward.accessSecret" $root }}
    - name: access
      secret:
        secretName: {{ . }}
        defaultMode: 0440
        items:
          - {key: {{ $v.access.adminTokenKey }}, path: admin-token}
          - {key: {{ $v.access.ingestTokenKey }}, path: ingest-token}
    {{- end }}
    {{- with $v.notifySecret }}
    {{- if .name }}
    - name: notify
      secret:
        secretName: {{ .name }}
        defaultMode: 0440
        items:
          - {key: {{ .key }}, path: {{ .key }}}
    {{- end }}
    {{- end }}
    {{- if include "rootward.hasFiles" $root }}
    - name: files
      configMap:
        name: {{ include "rootward.fullname" $root }}
        items:
          {{- if $v.scrapeTargets }}
          - {key: scrape.json, path: scrape.json}
          {{- end }}
          {{- if $v.intakeRules }}
          - {key: intake.toml, path: intake.toml}
          {{- end }}
          {{- range $file, $_ := $v.runbooks }}
          - {key: {{ $file }}, path: runbooks/{{ $file }}}
          {{- end }}
    {{- end }}
    {{- with $v.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with default $v.nodeSelector $part.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with default $v.tolerations $part.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with default $v.affinity $part.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if not .data }}
  topologySpreadConstraints:
    {{- with $part.topologySpreadConstraints }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "rootward.release" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $name }}
    {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
