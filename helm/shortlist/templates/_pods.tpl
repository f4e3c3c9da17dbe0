{{/* What Pod Security `restricted` asks of a pod: (list $ $user). */}}
{{- define "shortlist.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "shortlist.user" -}}10001{{- end -}}

{{/* What it asks of a container, and more. */}}
{{- define "shortlist.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Where pods go: (list $ $values). */}}
{{- define "shortlist.placement" -}}
{{- with (index . 0).Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with (index . 1).nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 1).tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 1).affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Pods of a component keep apart where they can, unless told otherwise: (list $ "component"). */}}
{{- define "shortlist.spread" -}}
{{- if not (get (index . 0).Values (index . 1)).affinity }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "shortlist.selector" . | nindent 8 }}
{{- end }}
{{- end -}}

{{/* Variables of every container of ours. */}}
{{- define "shortlist.env" -}}
- {name: HOME, value: /tmp}
- {name: SHORTLIST_CONFIG, value: /etc/shortlist/shortlist.yaml}
- {name: SHORTLIST_PATHS__WORK, value: /data}
{{- end -}}

{{/* Variables by which Redis is found. */}}
{{- define "shortlist.redisEnv" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.enabled }}
- {name: SHORTLIST_ONLINE__URL, value: "redis://{{ include "shortlist.fullname" . }}-redis:6379/0"}
{{- else }}
- {name: SHORTLIST_ONLINE__URL, value: {{ $redis.external.url | quote }}}
{{- with $redis.external.username }}
- {name: SHORTLIST_ONLINE__USERNAME, value: {{ . | quote }}}
{{- end }}
{{- if $redis.external.cluster }}
- {name: SHORTLIST_ONLINE__CLUSTER, value: "true"}
{{- end }}
{{- if $redis.external.caSecret }}
- {name: SHORTLIST_ONLINE__TLS_CA, value: /etc/shortlist-redis/ca/ca.crt}
{{- end }}
{{- if $redis.external.certificateSecret }}
- {name: SHORTLIST_ONLINE__TLS_CERTIFICATE, value: /etc/shortlist-redis/client/tls.crt}
- {name: SHORTLIST_ONLINE__TLS_KEY, value: /etc/shortlist-redis/client/tls.key}
{{- end }}
{{- end }}
{{- if or $redis.enabled $redis.existingSecret }}
- name: SHORTLIST_ONLINE__PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "shortlist.redisSecret" . }}
      key: {{ $redis.existingSecretKey }}
{{- end }}
{{- end -}}

{{/* Mounts of every container of ours: (list $ "ro" or "rw"). */}}
{{- define "shortlist.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: settings, mountPath: /etc/shortlist, readOnly: true}
- {name: data, mountPath: /data{{ if eq (index . 1) "ro" }}, readOnly: true{{ end }}}
{{- end -}}

{{- define "shortlist.redisMounts" -}}
{{- if .Values.redis.external.caSecret }}
- {name: redis-ca, mountPath: /etc/shortlist-redis/ca, readOnly: true}
{{- end }}
{{- if .Values.redis.external.certificateSecret }}
- {name: redis-client, mountPath: /etc/shortlist-redis/client, readOnly: true}
{{- end }}
{{- end -}}

{{/* Volumes of every pod of ours. */}}
{{- define "shortlist.volumes" -}}
- {name: tmp, emptyDir: {}}
- name: settings
  configMap: {name: {{ include "shortlist.fullname" . }}}
- name: data
  persistentVolumeClaim: {claimName: {{ include "shortlist.claim" . }}}
{{- end -}}

{{- define "shortlist.redisVolumes" -}}
{{- with .Values.redis.external.caSecret }}
- name: redis-ca
  secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- with .Values.redis.external.certificateSecret }}
- name: redis-client
  secret: {secretName: {{ . }}}
{{- end }}
{{- end -}}

{{/* A shell's test whether a bundle is published. */}}
{{- define "shortlist.hasBundle" -}}
grep -Eqs '"current": *"[0-9a-f]+"' /data/bundles/current.json
{{- end -}}

{{/* The container that waits for the bundle that is to be served. */}}
{{- define "shortlist.waitForBundle" -}}
- name: wait-for-bundle
  image: {{ include "shortlist.image" (list . "transformer") }}
  imagePullPolicy: {{ .Values.images.pullPolicy }}
  command:
    - /bin/sh
    - -ec
    - |
      {{- with .Values.bundle.id }}
      there() { ls /data/bundles/{{ . }}*/bundle.json >/dev/null 2>&1; }
      echo "waiting for bundle {{ . }}"
      {{- else }}
      there() { {{ include "shortlist.hasBundle" . }}; }
      echo "waiting for a bundle to be published"
      {{- end }}
      until there; do sleep 1; done
  securityContext:
    {{- include "shortlist.containerSecurity" . | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {cpu: 100m, memory: 64Mi}
  volumeMounts:
    - {name: data, mountPath: /data, readOnly: true}
{{- end -}}

{{/* How KServe exchanges and scales pods: (list $ "component"). */}}
{{- define "shortlist.scaling" -}}
{{- $of := get (index . 0).Values (index . 1) -}}
minReplicas: {{ $of.replicas }}
{{- if $of.autoscaling.enabled }}
maxReplicas: {{ $of.autoscaling.maxReplicas }}
scaleMetric: cpu
scaleTarget: {{ $of.autoscaling.targetCPU }}
{{- else }}
maxReplicas: {{ $of.replicas }}
{{- end }}
deploymentStrategy:
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
{{- end -}}

{{/* Annotations of a component's pods: (list $ "component"). */}}
{{- define "shortlist.componentAnnotations" -}}
{{- $root := index . 0 -}}
{{- $of := get $root.Values (index . 1) -}}
serving.kserve.io/autoscalerClass: {{ if $of.autoscaling.enabled }}hpa{{ else }}none{{ end }}
shortlist/settings: {{ include "shortlist.settings" $root | sha256sum | trunc 16 | quote }}
{{- with $of.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
