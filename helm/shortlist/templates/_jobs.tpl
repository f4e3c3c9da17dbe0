{{/* What every pod has that writes to the claim: (list $ "component" "Never"). */}}
{{- define "shortlist.jobPod" -}}
{{- $root := index . 0 -}}
restartPolicy: {{ index . 2 }}
serviceAccountName: {{ include "shortlist.serviceAccount" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  {{- include "shortlist.podSecurity" (include "shortlist.user" $root) | nindent 2 }}
{{- include "shortlist.placement" (list $root $root.Values.jobs true) | nindent 0 }}
volumes:
  {{- include "shortlist.volumes" (list $root "rw") | nindent 2 }}
  {{- include "shortlist.redisVolumes" $root | nindent 2 }}
{{- end -}}

{{/* One step: (dict "root" $ "name" "drain" "role" "transformer" "script" "..." "resources" dict). */}}
{{- define "shortlist.jobStep" -}}
- name: {{ .name }}
  image: {{ include "shortlist.image" (list .root .role) }}
  imagePullPolicy: {{ .root.Values.images.pullPolicy }}
  {{- include "shortlist.shell" . | nindent 2 }}
      {{- .script | nindent 6 }}
  env:
    {{- include "shortlist.env" .root | nindent 4 }}
    {{- include "shortlist.redisEnv" .root | nindent 4 }}
    {{- include "shortlist.s3Env" .root | nindent 4 }}
    {{- with .root.Values.jobs.env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  securityContext:
    {{- include "shortlist.containerSecurity" .root | nindent 4 }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  volumeMounts:
    {{- include "shortlist.mounts" (list .root "rw") | nindent 4 }}
    {{- include "shortlist.redisMounts" .root | nindent 4 }}
    {{- include "shortlist.s3Mounts" .root | nindent 4 }}
{{- end -}}

{{/* What a step takes that only moves data. */}}
{{- define "shortlist.lightResources" -}}
requests: {cpu: 50m, memory: 200Mi}
limits: {memory: 1Gi}
{{- end -}}

{{/* A script that fills Redis; the argument is an option more. A bundle from elsewhere comes without its
log: nobody's history can be entered. */}}
{{- define "shortlist.load" -}}
code=0
/opt/venv/bin/shortlist online load{{ with . }} {{ . }}{{ end }} || code=$?
[ $code -ne 66 ] || code=0
exit $code
{{- end -}}

{{/* A script that brings to the claim what is published in the object store, with its pointer, and beside
it the bundle that is served by its id: a pull by id moves no pointer. What is not there is no failure. */}}
{{- define "shortlist.pull" -}}
pull() {
  code=0
  env -u SHORTLIST_SERVING__BUNDLE /opt/venv/bin/shortlist bundle pull "$@" || code=$?
  [ $code -eq 0 ] || [ $code -eq 66 ] || exit $code
}
pull
{{- with .Values.bundle.id }}
pull {{ . }}
{{- end }}
{{- end -}}

{{/* The pod that makes the first bundle. */}}
{{- define "shortlist.bootstrapPod" }}
{{- $light := include "shortlist.lightResources" . | fromYaml }}
metadata:
  labels:
    {{- include "shortlist.podLabels" (list . "bootstrap" .Values.jobs.podLabels) | nindent 4 }}
  {{- with .Values.jobs.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "shortlist.jobPod" (list . "bootstrap" "Never") | nindent 2 }}
  initContainers:
    {{- /* Only where nothing is published there: what cannot be read must not be replaced. */}}
    {{- $pull := ternary (printf "%s\n" (include "shortlist.pull" .)) "" (ne .Values.storage.s3.url "") }}
    {{- $pipeline := printf "%sif %s; then\n  echo 'a bundle is published already'\n  exit 0\nfi\nexec /opt/venv/bin/shortlist demo" $pull (include "shortlist.hasBundle" .) }}
    {{- include "shortlist.jobStep" (dict "root" . "name" "pipeline" "role" "training" "script" $pipeline "resources" .Values.jobs.resources) | nindent 4 }}
    {{- include "shortlist.jobStep" (dict "root" . "name" "load" "role" "transformer" "script" (include "shortlist.load" "") "resources" $light) | nindent 4 }}
  containers:
    # Whoever waits for the Job waits for the first page.
    {{- $ready := printf "exec /opt/venv/bin/python - http://%s:%v <<'EOF'\n%s\nEOF" (include "shortlist.fullname" .) .Values.service.port (.Files.Get "files/await_ready.py" | trim) }}
    {{- include "shortlist.jobStep" (dict "root" . "name" "ready" "role" "transformer" "script" $ready "resources" $light) | nindent 4 }}
{{- end }}
