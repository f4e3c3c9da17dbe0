"""After `helm uninstall` nothing of the release is left; what stays is what was told to stay."""

import json

from cluster import run, wait_for  # type: ignore[import-not-found]
from release import CHART  # type: ignore[import-not-found]

# Kubernetes' own, in every namespace; and what only tells of the past.
THEIRS = {
    "configmaps/kube-root-ca.crt",
    "serviceaccounts/default",
}
TELLING = ("events", "events.events.k8s.io")


def kinds() -> list[str]:
    """Every kind that can be listed in a namespace."""
    said = run("kubectl", "api-resources", "--namespaced", "--verbs=list", "--output=name")
    return sorted(set(said.stdout.split()) - set(TELLING))


def left(cluster) -> set[str]:
    """What there is in the namespace, of all kinds."""
    listed = json.loads(
        cluster.kubectl("get", ",".join(kinds()), "--ignore-not-found", "--output=json")
        or '{"items": []}'
    )
    found = {f"{one['kind'].lower()}s/{one['metadata']['name']}" for one in listed["items"]}
    return found - THEIRS


def volumes(cluster) -> list[str]:
    listed = json.loads(run("kubectl", "get", "persistentvolumes", "--output=json").stdout)
    return [
        one["metadata"]["name"]
        for one in listed["items"]
        if one["spec"].get("claimRef", {}).get("namespace") == cluster.namespace
    ]


def test_uninstalling_leaves_nothing_behind(shortlist) -> None:
    cluster = shortlist.cluster
    assert any(one.startswith("persistentvolumeclaims/") for one in left(cluster))
    assert volumes(cluster)
    shortlist.uninstall()
    wait_for("the namespace is empty", lambda: empty(cluster), 120, 2)
    wait_for("its volumes are gone", lambda: not volumes(cluster), 120, 2)


def empty(cluster) -> bool:
    """Whether nothing is left; the message says what is."""
    found = left(cluster)
    assert not found, sorted(found)
    return True


def test_what_is_told_to_stay_stays_and_nothing_else(release) -> None:
    """`storage.keep` and `redis.persistence.keep` leave their claims: nothing waits for pods."""
    cluster = release.cluster
    assert not left(cluster), "the test before has uninstalled it"
    values = release.values | {
        "storage": {"keep": True},
        "redis": {"persistence": {"keep": True}},
        "service": {"type": "ClusterIP"},
    }
    cluster.helm(*("install", release.name, str(CHART), "--values", "-"), told=json.dumps(values))
    claims = {"persistentvolumeclaims/shortlist", "persistentvolumeclaims/data-shortlist-redis-0"}
    wait_for("both claims are there", lambda: claims <= left(cluster), 60)
    release.uninstall()
    wait_for("only the claims are left", lambda: left(cluster) == claims, 120, 2)
    cluster.kubectl("delete", "persistentvolumeclaims", "--all", seconds=120)
    wait_for("its volumes are gone", lambda: not volumes(cluster), 120, 2)
