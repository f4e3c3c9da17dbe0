{{- define "shortlist.name" -}}
{{ .Values.nameOverride | default .Chart.Name }}
{{- end -}}

{{/* The beginning of all names. KServe wants a letter first, and adds to it. */}}
{{- define "shortlist.fullname" -}}
{{ .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}

{{- define "shortlist.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "shortlist.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "shortlist.claim" -}}
{{ .Values.storage.existingClaim | default (include "shortlist.fullname" .) }}
{{- end -}}

{{/* Whether pods must share a node, since the claim is mounted by one node at a time. */}}
{{- define "shortlist.together" -}}
{{- if eq .Values.storage.accessMode "ReadWriteOnce" }}true{{ end -}}
{{- end -}}

{{/* Whether serving pods mount the claim: with an object store they have copies of their own. */}}
{{- define "shortlist.servesFromClaim" -}}
{{- if not .Values.storage.s3.url }}true{{ end -}}
{{- end -}}

{{/* The label of pods that must share a node. */}}
{{- define "shortlist.claimLabel" -}}
shortlist/claim: {{ include "shortlist.claim" . | trunc 63 | trimAll "-." | quote }}
{{- end -}}

{{- define "shortlist.runtime" -}}
{{ include "shortlist.fullname" . }}-ranker
{{- end -}}

{{/* Where bundles are, as KServe writes it. */}}
{{- define "shortlist.storageUri" -}}
{{ .Values.storage.s3.url | default (printf "pvc://%s/bundles" (include "shortlist.claim" .)) }}
{{- end -}}

{{- define "shortlist.redisSecret" -}}
{{ .Values.redis.existingSecret | default (printf "%s-redis" (include "shortlist.fullname" .)) }}
{{- end -}}

{{- define "shortlist.keysSecret" -}}
{{ .Values.keys.existingSecret | default (printf "%s-keys" (include "shortlist.fullname" .)) }}
{{- end -}}

{{- define "shortlist.headlessPredictors" -}}
{{ include "shortlist.fullname" . }}-predictors
{{- end -}}

{{/* The image of a role: (list $ "ranker"). */}}
{{- define "shortlist.image" -}}
{{- $images := (index . 0).Values.images -}}
{{- $name := printf "%s:%s" (get $images (index . 1)) ($images.tag | default (index . 0).Chart.AppVersion) -}}
{{ with $images.registry }}{{ . }}/{{ end }}{{ $name }}
{{- end -}}

{{/* Labels by which pods of a component are found: (list $ "transformer"). */}}
{{- define "shortlist.selector" -}}
app.kubernetes.io/name: {{ include "shortlist.name" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of an object of a component: (list $ "transformer"). */}}
{{- define "shortlist.labels" -}}
{{- $root := index . 0 -}}
{{ include "shortlist.selector" . }}
app.kubernetes.io/part-of: {{ include "shortlist.name" $root }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of pods: (list $ "transformer" $podLabels). What changes with every release is not among
them, or each upgrade would roll all pods. */}}
{{- define "shortlist.podLabels" -}}
{{- $jobs := list "bootstrap" "retrain" "toolbox" -}}
{{- $serving := ternary (list "predictor" "transformer") list (ne (include "shortlist.servesFromClaim" (index . 0)) "") -}}
{{ include "shortlist.selector" . }}
{{- if and (include "shortlist.together" (index . 0)) (has (index . 1) (concat $jobs $serving)) }}
{{ include "shortlist.claimLabel" (index . 0) }}
{{- end }}
{{- with mergeOverwrite (dict) (index . 0).Values.commonLabels (index . 2) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name, labels and annotations: (list $ "component" "name" $annotations). */}}
{{- define "shortlist.metadata" -}}
name: {{ index . 2 }}
labels:
  {{- include "shortlist.labels" . | nindent 2 }}
{{- with mergeOverwrite (dict) (index . 0).Values.commonAnnotations (index . 3 | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
