#!/usr/bin/env bash
# A kind cluster with KServe in Standard mode, at pinned versions; what is there already is kept.
# Needs kind, kubectl, helm, and docker, podman or nerdctl. Images of Shortlist that are built under
# $PREFIX and $TAG (by default those of `make images`) are handed to the node, and where it was built,
# that of the object store, which only the end-to-end tests need.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

name=shortlist
node_image=kindest/node:v1.34.0     # that of kind 0.30
cert_manager=v1.17.0                # what KServe 0.20 is tested with
kserve=v0.20.0
charts=oci://ghcr.io/kserve/charts
prefix=${PREFIX:-shortlist} tag=${TAG:-$("$here/../../images/build" --tag)}

for tool in kind kubectl helm; do
    command -v "$tool" >/dev/null || { echo "up.sh: there is no $tool on PATH" >&2; exit 1; }
done

if ! kind get clusters 2>/dev/null | grep -qx "$name"; then
    kind create cluster --config "$here/cluster.yaml" --image "$node_image" --wait 3m
fi
kubectl config use-context "kind-$name" >/dev/null

# KServe's webhooks need a certificate, and the API server its authority: cert-manager makes the one
# and writes the other into the webhooks' configuration.
helm upgrade --install cert-manager cert-manager --repo https://charts.jetstack.io \
    --version "$cert_manager" --namespace cert-manager --create-namespace \
    --set crds.enabled=true --wait --timeout 5m

helm upgrade --install kserve-crd "$charts/kserve-crd" --version "$kserve" \
    --namespace kserve --create-namespace --wait
helm upgrade --install kserve "$charts/kserve-resources" --version "$kserve" --namespace kserve \
    --set kserve.controller.deploymentMode=Standard \
    --set kserve.controller.gateway.disableIngressCreation=true \
    --set kserve.controller.imagePullPolicy=IfNotPresent \
    --wait --timeout 5m

# The controller is up before the authority is in every webhook: ask until one answers.
for attempt in $(seq 60); do
    kubectl create --dry-run=server -f "$here/probe.yaml" >/dev/null 2>&1 && break
    [ "$attempt" -lt 60 ] || { kubectl create --dry-run=server -f "$here/probe.yaml"; exit 1; }
    sleep 2
done

for role in training ranker transformer object-store; do
    image=$prefix/$role:$tag found=
    for engine in docker podman nerdctl; do
        if "$engine" image inspect "$image" >/dev/null 2>&1; then
            archive=$(mktemp)
            "$engine" save -o "$archive" "$image"
            kind load image-archive "$archive" --name "$name"
            rm -f "$archive"
            found=1
            break
        fi
    done
    [ -n "$found" ] || [ "$role" = object-store ] || \
        echo "not on the node: $image; make images PREFIX=$prefix TAG=$tag" >&2
done

cat <<END
ready: kubectl --context kind-$name get nodes
install: helm install shortlist helm/shortlist --set images.tag=$tag \\
    --set service.type=NodePort --set service.nodePort=30080 --wait --wait-for-jobs --timeout 20m
END
