{{/* What the schema cannot say: each refusal names the value and the remedy. */}}
{{- define "shortlist.validate" -}}
{{- include "shortlist.validateName" . -}}
{{- include "shortlist.validateImages" . -}}
{{- include "shortlist.validateRedis" . -}}
{{- include "shortlist.validateMemory" . -}}
{{- include "shortlist.validateReplicas" (list . "transformer") -}}
{{- include "shortlist.validateReplicas" (list . "predictor") -}}
{{- include "shortlist.validateLabels" . -}}
{{- include "shortlist.validateAnnotations" . -}}
{{- include "shortlist.validateEnv" . -}}
{{- include "shortlist.validateStorage" . -}}
{{- include "shortlist.validateSchedule" . -}}
{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") -}}
{{- fail (printf "\n\nservice.nodePort is %d, but a service of type ClusterIP has no port on nodes.\nSet service.type=NodePort, or leave service.nodePort 0." (int .Values.service.nodePort)) -}}
{{- end -}}
{{- if and (not .Values.keys.existingSecret) (eq .Values.keys.existingSecretKey "client") -}}
{{- fail "\n\nkeys.existingSecretKey is client, and the secret that is made has another entry of that name.\nSet keys.existingSecret to a secret of your own, or leave keys.existingSecretKey at keys." -}}
{{- end -}}
{{- end -}}

{{/* No key of a map is the chart's own: (list "value" $map $keys "what they are for"). */}}
{{- define "shortlist.validateKeys" -}}
{{- range $key, $_ := index . 1 -}}
{{- if has $key (index $ 2) -}}
{{- fail (printf "\n\n%s sets %s, %s.\nChoose another name." (index $ 0) $key (index $ 3)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateLabels" -}}
{{- $finding := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "shortlist/claim" "networking.kserve.io/visibility" -}}
{{- $all := concat $finding (list "app.kubernetes.io/part-of" "app.kubernetes.io/managed-by" "app.kubernetes.io/version" "helm.sh/chart") -}}
{{- range $of := list "transformer" "predictor" "redis" "jobs" -}}
{{- include "shortlist.validateKeys" (list (printf "%s.podLabels" $of) (get $.Values $of).podLabels $finding "by which pods are found or placed") -}}
{{- end -}}
{{- range $of, $labels := dict "commonLabels" .Values.commonLabels "podMonitors.labels" .Values.podMonitors.labels -}}
{{- include "shortlist.validateKeys" (list $of $labels $all "which the chart sets itself") -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateAnnotations" -}}
{{- $own := list "serving.kserve.io/deploymentMode" "serving.kserve.io/autoscalerClass" "shortlist/settings" "shortlist/config" -}}
{{- $maps := dict "commonAnnotations" .Values.commonAnnotations "inferenceService.annotations" .Values.inferenceService.annotations -}}
{{- range $of := list "transformer" "predictor" "redis" "jobs" -}}
{{- $_ := set $maps (printf "%s.podAnnotations" $of) (get $.Values $of).podAnnotations -}}
{{- end -}}
{{- range $of, $annotations := $maps -}}
{{- include "shortlist.validateKeys" (list $of $annotations $own "which the chart sets itself") -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateEnv" -}}
{{- $own := "^(HOME|SHORTLIST_(CONFIG|PRESET|PATHS__.+|DATASETS__LIVE|REMOTE__(ENDPOINT|REGION|TLS_CA|URL)|ONLINE__(CLUSTER|EMBEDDED_PORT|PASSWORD|TLS_.+|URL|USERNAME)|SERVING__(BUNDLE|CLOCK|DRAIN_SECONDS|JAVA|KEYS|LAME_DUCK_SECONDS|PREDICTOR_.+|TRANSFORMER_ADDRESS|TRANSFORMER_PORT)))$" -}}
{{- range $of := list "transformer" "predictor" "jobs" -}}
{{- range (get $.Values $of).env -}}
{{- if regexMatch $own .name -}}
{{- fail (printf "\n\n%s.env sets %s, which the chart sets itself.\nLeave it out: a value of the chart decides it, or the chart alone." $of .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateStorage" -}}
{{- $s3 := .Values.storage.s3 -}}
{{- if not $s3.url -}}
{{- range $key := list "endpoint" "region" "existingSecret" "caSecret" -}}
{{- if get $s3 $key -}}
{{- fail (printf "\n\nstorage.s3.%s is set, but storage.s3.url does not say which bucket is meant.\nSet storage.s3.url=s3://BUCKET/PREFIX, or leave storage.s3.%s empty." $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "shortlist.validatePort" (list "storage.s3.endpoint" $s3.endpoint) -}}
{{- end -}}

{{/* The port of a URL, if it has one, is a port: (list "value" $url). */}}
{{- define "shortlist.validatePort" -}}
{{- $port := regexFind ":[0-9]+(/|$)" (index . 1) | trimPrefix ":" | trimSuffix "/" -}}
{{- if and $port (or (lt (atoi $port) 1) (gt (atoi $port) 65535)) -}}
{{- fail (printf "\n\n%s is %q, and ports go from 1 to 65535.\nWrite the port at which it answers." (index . 0) (index . 1)) -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateImages" -}}
{{- if eq .Values.images.tag "latest" -}}
{{- fail "\n\nimages.tag is latest, which says nothing of what runs, and is never the same twice.\nSet images.tag to the tag that was built." -}}
{{- end -}}
{{- if hasSuffix ":latest" .Values.redis.image -}}
{{- fail (printf "\n\nredis.image is %s, which says nothing of what runs, and is never the same twice.\nWrite the tag of a version, or add its digest." .Values.redis.image) -}}
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
{{- if $redis.enabled -}}
{{- range $key := list "url" "username" "cluster" "caSecret" "certificateSecret" -}}
{{- if get $external $key -}}
{{- fail (printf "\n\nredis.external.%s is set, but redis.enabled runs a Redis of the chart's own.\nSet redis.enabled=false to use the external one." $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not $redis.enabled) (not $external.url) -}}
{{- fail "\n\nredis.enabled is false, and redis.external.url does not say where another Redis is.\nSet redis.external.url=redis://HOST:PORT/0." -}}
{{- end -}}
{{- include "shortlist.validatePort" (list "redis.external.url" $external.url) -}}
{{- if and $external.cluster (regexMatch "/[1-9][0-9]*$" $external.url) -}}
{{- fail (printf "\n\nredis.external.url ends with a database, %q, and a cluster has only number 0.\nLeave the number out." $external.url) -}}
{{- end -}}
{{- range $key := list "caSecret" "certificateSecret" -}}
{{- if and (get $external $key) (not (hasPrefix "rediss://" $external.url)) -}}
{{- fail (printf "\n\nredis.external.%s is for TLS, but redis.external.url does not begin with rediss://.\nWrite rediss://HOST:PORT, or leave redis.external.%s empty." $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Bytes that a quantity of memory is: "640Mi". */}}
{{- define "shortlist.bytes" -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- if kindIs "string" . -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[A-Za-z]+$" .) | default 1) | int64 -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{- define "shortlist.validateMemory" -}}
{{- $redis := .Values.redis -}}
{{- $limit := dig "limits" "memory" "" $redis.resources -}}
{{- if and $redis.enabled $limit -}}
{{- $data := include "shortlist.bytes" ($redis.maxMemory | replace "mb" "Mi" | replace "gb" "Gi") | int64 -}}
{{- if lt (include "shortlist.bytes" $limit | int64) (mul 2 $data) -}}
{{- fail (printf "\n\nredis.resources.limits.memory is %v, less than twice redis.maxMemory, which is %s: rewriting its file copies pages.\nRaise the limit, or lower redis.maxMemory." $limit $redis.maxMemory) -}}
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

{{/* The fields of a cron line: steps and lists of numbers, ranges, and names of months and weekdays. */}}
{{- define "shortlist.validateSchedule" -}}
{{- $schedule := .Values.retrain.schedule -}}
{{- if not (hasPrefix "@" $schedule) -}}
{{- $fields := list (list "minute" 0 59 "[0-9]+") (list "hour" 0 23 "[0-9]+") (list "day" 1 31 "[0-9]+") (list "month" 1 12 "([0-9]+|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)") (list "weekday" 0 6 "([0-9]+|sun|mon|tue|wed|thu|fri|sat)") -}}
{{- range $place, $text := splitList " " (lower $schedule) -}}
{{- $field := index $fields $place -}}
{{- $one := index $field 3 -}}
{{- $sound := true -}}
{{- range splitList "," $text -}}
{{- if not (regexMatch (printf "^([*?]|%s(-%s)?)(/[1-9][0-9]*)?$" $one $one) .) -}}
{{- $sound = false -}}
{{- end -}}
{{- range regexFindAll "[0-9]+" (regexReplaceAll "/.*" . "") -1 -}}
{{- if or (lt (atoi .) (index $field 1)) (gt (atoi .) (index $field 2)) -}}
{{- $sound = false -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $sound -}}
{{- fail (printf "\n\nretrain.schedule is %q, and %q is no %s, which goes from %d to %d.\nWrite minute, hour, day, month and weekday as cron does, or @daily." $schedule $text (index $field 0) (index $field 1) (index $field 2)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
