{{- define "modelwright.fullname" -}}
{{ .Values.fullnameOverride | default "modelwright-operator" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "modelwright.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (include "modelwright.fullname" .) }}
{{- end }}

{{- define "modelwright.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end }}
{{- end }}

{{/* What selects the operator's pods: the same in every release, for it can never be changed. */}}
{{- define "modelwright.selectorLabels" -}}
app.kubernetes.io/name: modelwright
app.kubernetes.io/component: operator
{{- end }}

{{- define "modelwright.labels" -}}
{{ include "modelwright.selectorLabels" . }}
app.kubernetes.io/part-of: modelwright
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The settings as they are set: what the chart knows better, then the user's, without those that are null. */}}
{{- define "modelwright.settings" -}}
{{- $settings := dict "storageInitializerImage" (include "modelwright.image" .) }}
{{- if .Values.watchNamespaces }}
{{- $_ := set $settings "namespaces" (join "," .Values.watchNamespaces) }}
{{- end }}
{{- if .Values.rbac.secretAnnotationNamespaces }}
{{- $_ := set $settings "readSecretMetadata" true }}
{{- end }}
{{- if gt (int .Values.replicas) 1 }}
{{- $_ := set $settings "leaderElection" true }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $settings $name $value }}
{{- end }}
{{- end }}
{{- toJson $settings }}
{{- end }}

{{/* What the operator may do in the namespaces that it serves: the verbs that it uses and no others. */}}
{{- define "modelwright.rules" -}}
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices]
  verbs: [get, list, watch]
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices/status]
  verbs: [patch]
# Children block their owner's deletion; clusters that check this ask for the right to set its finalizers.
- apiGroups: [serving.kserve.io]
  resources: [inferenceservices/finalizers]
  verbs: [update]
# Images that are built in the cluster: the kind, the Jobs that build it, the claim of its cache.
- apiGroups: [modelwright.dev]
  resources: [modelimages]
  verbs: [get, list, watch]
- apiGroups: [modelwright.dev]
  resources: [modelimages/status]
  verbs: [patch]
- apiGroups: [modelwright.dev]
  resources: [modelimages/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
# What kpack has built, where it is there.
- apiGroups: [kpack.io]
  resources: [images]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods, serviceaccounts]
  verbs: [get, list, watch]
# The token of a model that spans pods: made once, and never read again.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
# Only events say why a volume cannot be mounted.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- end }}
