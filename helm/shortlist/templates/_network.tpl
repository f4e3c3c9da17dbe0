{{/* Pods of one component as a peer: (list $ "component"). */}}
{{- define "shortlist.ours" -}}
podSelector:
  matchLabels:
    {{- include "shortlist.selector" . | nindent 4 }}
{{- end }}

{{/* The rule that lets pods reach Redis. */}}
{{- define "shortlist.toRedis" }}
{{- if .Values.redis.enabled }}
- to:
    - {{- include "shortlist.ours" (list . "redis") | nindent 6 }}
  ports: [{port: 6379, protocol: TCP}]
{{- else }}
{{- $host := regexReplaceAll "^rediss?://([^/]+).*$" .Values.redis.external.url "${1}" }}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" | default "6379" | int }}
# A cluster of Redis tells its nodes' own addresses; a policy knows no names.
- ports: [{port: {{ $port }}, protocol: TCP}]
{{- end }}
{{- end }}
