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

{{/* Where pods go: (list $ $values $mountsClaim). Those that mount a claim of one node go where others of
its pods are; a pod finds itself, so the first one goes anywhere. */}}
{{- define "shortlist.placement" -}}
{{- $affinity := deepCopy (index . 1).affinity -}}
{{- if and (index . 2) (include "shortlist.together" (index . 0)) -}}
{{- $rule := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "shortlist.claimLabel" (index . 0) | fromYaml)) -}}
{{- $key := "requiredDuringSchedulingIgnoredDuringExecution" -}}
{{- $rules := append (dig "podAffinity" $key list $affinity) $rule -}}
{{- $affinity = mergeOverwrite $affinity (dict "podAffinity" (dict $key $rules)) -}}
{{- end -}}
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
{{- with $affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Pods of a component keep apart where they can, unless told otherwise: (list $ "component"). */}}
{{- define "shortlist.spread" -}}
{{- $together := and (include "shortlist.servesFromClaim" (index . 0)) (include "shortlist.together" (index . 0)) -}}
{{- if not (or $together (get (index . 0).Values (index . 1)).affinity) }}
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
- {name: SHORTLIST_SERVING__CLOCK, value: {{ .Values.transformer.clock }}}
{{- if .Values.retrain.live }}
- {name: SHORTLIST_DATASETS__LIVE, value: online}
{{- end }}
{{- with .Values.bundle.id }}
- {name: SHORTLIST_SERVING__BUNDLE, value: {{ . | quote }}}
{{- end }}
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

{{/* Volumes of every pod of ours: (list $ "ro" or "rw"). With an object store, pods that only read have
a copy of their own. */}}
{{- define "shortlist.volumes" -}}
{{- $root := index . 0 -}}
{{- $s3 := $root.Values.storage.s3 -}}
- {name: tmp, emptyDir: {}}
- name: settings
  configMap: {name: {{ include "shortlist.fullname" $root }}}
{{- if and $s3.url (eq (index . 1) "ro") }}
- name: data
  emptyDir: {sizeLimit: {{ $s3.cacheSize }}}
{{- else }}
- name: data
  persistentVolumeClaim: {claimName: {{ include "shortlist.claim" $root }}}
{{- end }}
{{- if and $s3.url $s3.caSecret }}
- name: s3-ca
  secret: {secretName: {{ $s3.caSecret }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- end -}}

{{/* Variables by which the object store is found. */}}
{{- define "shortlist.s3Env" -}}
{{- $s3 := .Values.storage.s3 -}}
{{- if $s3.url }}
- {name: SHORTLIST_REMOTE__URL, value: {{ $s3.url | quote }}}
{{- with $s3.endpoint }}
- {name: SHORTLIST_REMOTE__ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with $s3.region }}
- {name: SHORTLIST_REMOTE__REGION, value: {{ . | quote }}}
{{- end }}
{{- if $s3.caSecret }}
- {name: SHORTLIST_REMOTE__TLS_CA, value: /etc/shortlist-s3/ca.crt}
{{- end }}
{{- range $key := ternary (list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY") list (ne $s3.existingSecret "") }}
- name: {{ $key }}
  valueFrom:
    secretKeyRef: {name: {{ $s3.existingSecret }}, key: {{ $key }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "shortlist.s3Mounts" -}}
{{- if and .Values.storage.s3.url .Values.storage.s3.caSecret }}
- {name: s3-ca, mountPath: /etc/shortlist-s3, readOnly: true}
{{- end }}
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

{{/* What a serving pod runs before it serves: with an object store, a companion that follows it as long
as the pod lives; then whatever waits until the bundle that is to be served is there. By that one's name
KServe knows that it need bring nothing itself, and takes its state for the model's. */}}
{{- define "shortlist.beforeServing" -}}
{{- if .Values.storage.s3.url }}
- name: follow
  image: {{ include "shortlist.image" (list . "transformer") }}
  imagePullPolicy: {{ .Values.images.pullPolicy }}
  restartPolicy: Always
  command: [/opt/venv/bin/shortlist, bundle, pull, --follow]
  env:
    {{- include "shortlist.env" . | nindent 4 }}
    {{- include "shortlist.s3Env" . | nindent 4 }}
  securityContext:
    {{- include "shortlist.containerSecurity" . | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 100Mi}
    limits: {cpu: "1", memory: 512Mi}
  volumeMounts:
    {{- include "shortlist.mounts" (list . "rw") | nindent 4 }}
    {{- include "shortlist.s3Mounts" . | nindent 4 }}
{{- end }}
- name: storage-initializer
  image: {{ include "shortlist.image" (list . "transformer") }}
  imagePullPolicy: {{ .Values.images.pullPolicy }}
  {{- include "shortlist.shell" . | nindent 2 }}
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

{{/* Runs a script, which follows at six spaces; a signal reaches all that it runs. */}}
{{- define "shortlist.shell" -}}
command:
  - tini
  - -g
  - --
  - /bin/sh
  - -ec
  - |
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
