{{/* What the schema cannot say: each refusal names the value and the remedy. */}}
{{- define "shortlist.validate" -}}
{{- include "shortlist.validateName" . -}}
{{- include "shortlist.validateRedis" . -}}
{{- include "shortlist.validateReplicas" (list . "transformer") -}}
{{- include "shortlist.validateReplicas" (list . "predictor") -}}
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
