{{/* What the schema cannot say: each refusal names the value and the remedy. */}}
{{- define "shortlist.validate" -}}
{{- include "shortlist.validateName" . -}}
{{- include "shortlist.validateRedis" . -}}
{{- include "shortlist.validateReplicas" (list . "transformer") -}}
{{- include "shortlist.validateReplicas" (list . "predictor") -}}
{{- include "shortlist.validateLabels" . -}}
{{- include "shortlist.validateStorage" . -}}
{{- end -}}

{{- define "shortlist.validateLabels" -}}
{{- $values := .Values -}}
{{- range $of := list "transformer" "predictor" "redis" "jobs" -}}
{{- range $key, $_ := (get $values $of).podLabels -}}
{{- if has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component") -}}
{{- fail (printf "\n\n%s.podLabels sets %s, by which services find the pods.\nChoose another label." $of $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateStorage" -}}
{{- $s3 := .Values.storage.s3 -}}
{{- if and $s3.existingSecret (not $s3.url) -}}
{{- fail "\n\nstorage.s3.existingSecret is set, but storage.s3.url does not say which bucket it opens.\nSet storage.s3.url=s3://BUCKET/PREFIX, or leave storage.s3.existingSecret empty." -}}
{{- end -}}
{{- if eq .Values.images.tag "latest" -}}
{{- fail "\n\nimages.tag is latest, which says nothing of what runs, and is never the same twice.\nSet images.tag to the tag that was built." -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateName" -}}
{{- $name := include "shortlist.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "\n\nThe name %q is none that KServe takes: it begins with a letter, and has small letters, digits and hyphens.\nSet fullnameOverride, or choose another release name." $name) -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateRedis" -}}
{{- $redis := .Values.redis -}}
{{- $external := $redis.external -}}
{{- if and $redis.enabled $external.url -}}
{{- fail "\n\nredis.external.url is set, but redis.enabled runs a Redis of the chart's own.\nSet redis.enabled=false to use the external one." -}}
{{- end -}}
{{- if and (not $redis.enabled) (not $external.url) -}}
{{- fail "\n\nredis.enabled is false, and redis.external.url does not say where another Redis is.\nSet redis.external.url=redis://HOST:PORT/0." -}}
{{- end -}}
{{- if and $external.cluster (regexMatch "/[1-9][0-9]*$" $external.url) -}}
{{- fail (printf "\n\nredis.external.url ends with a database, %q, and a cluster has only number 0.\nLeave the number out." $external.url) -}}
{{- end -}}
{{- range $key := list "caSecret" "certificateSecret" -}}
{{- if and (get $external $key) (not (hasPrefix "rediss://" $external.url)) -}}
{{- fail (printf "\n\nredis.external.%s is for TLS, but redis.external.url does not begin with rediss://.\nWrite rediss://HOST:PORT, or leave redis.external.%s empty." $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateReplicas" -}}
{{- $component := index . 1 -}}
{{- $of := get (index . 0).Values $component -}}
{{- if and $of.autoscaling.enabled (lt (int $of.autoscaling.maxReplicas) (int $of.replicas)) -}}
{{- fail (printf "\n\n%s.autoscaling.maxReplicas is %d, less than %s.replicas, which is %d.\nRaise %s.autoscaling.maxReplicas." $component (int $of.autoscaling.maxReplicas) $component (int $of.replicas) $component) -}}
{{- end -}}
{{- end -}}
