"""A server that speaks S3, as a pod of the cluster; its objects are files that a test can harm."""

from typing import Any

from cluster import Cluster, wait_for  # type: ignore[import-not-found]

NAME = "objects"
PORT = 7070
BUCKET = "bundles"
KEY, SECRET = "shortlist-e2e", "a-secret-of-the-tests"
_LABELS = {"app": NAME}


def server(image: str) -> list[dict[str, Any]]:
    """The objects of Kubernetes by which it runs, with the secret that the chart asks for."""
    metadata = {"name": NAME, "labels": _LABELS}
    container = {
        "name": NAME,
        "image": image,
        "command": [
            *("/bin/sh", "-ec"),
            f"mkdir -p /objects/{BUCKET} /meta\n"
            f"exec versitygw --port :{PORT} posix --sidecar /meta /objects",
        ],
        "env": [
            {"name": "ROOT_ACCESS_KEY", "value": KEY},
            {"name": "ROOT_SECRET_KEY", "value": SECRET},
        ],
        "ports": [{"name": "s3", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": "s3"}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "objects", "mountPath": "/objects", "subPath": "objects"},
            {"name": "objects", "mountPath": "/meta", "subPath": "meta"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
        "resources": {
            "requests": {"cpu": "20m", "memory": "64Mi"},
            "limits": {"memory": "512Mi"},
        },
    }
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "objects", "persistentVolumeClaim": {"claimName": NAME}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "stringData": {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": _LABELS, "ports": [{"port": PORT, "targetPort": "s3"}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": _LABELS},
                "template": {"metadata": {"labels": _LABELS}, "spec": pod},
            },
        },
    ]


class Objects:
    """The server in a namespace."""

    def __init__(self, cluster: Cluster, image: str) -> None:
        self._cluster = cluster
        cluster.apply(*server(image))
        self.scale(1)

    def scale(self, replicas: int) -> None:
        """Start it, or stop it; its objects stay."""
        self._cluster.kubectl("scale", f"deployment/{NAME}", f"--replicas={replicas}")
        wait_for(
            f"{replicas} pods of the object store",
            lambda: (
                len(self._cluster.items("pods", f"app={NAME}")) == replicas
                and self._ready() == replicas
            ),
            120,
        )

    def _ready(self) -> int:
        (found,) = self._cluster.items("deployments", f"app={NAME}")
        return int(found["status"].get("readyReplicas", 0))

    def shell(self, script: str) -> str:
        """Run a script where the objects lie."""
        return self._cluster.kubectl(
            "exec", f"deployment/{NAME}", "--", "/bin/sh", "-ec", f"cd /objects/{BUCKET}; {script}"
        )
