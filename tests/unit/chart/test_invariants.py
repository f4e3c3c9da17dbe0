"""What holds of the chart's objects under whatever values."""

from pathlib import Path
from typing import Any

import pytest

from shortlist.settings import load

CONTROL_PLANE_CPU = 1_050
"""Thousandths of a core that the pods of a kind node and KServe's controller ask for."""
TWO_CORES = 2_000
SECRETS = ("PASSWORD", "KEYS", "AUTH", "ACCESS_KEY", "ACCESS_KEY_ID")
HOSTNAME = "kubernetes.io/hostname"
SERVING = {"predictor", "transformer"}


def thousandths(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else int(float(cpu) * 1_000)


def together(pod: dict[str, Any]) -> list[dict[str, str]]:
    """Labels of the pods on whose node a pod must be."""
    near = pod.get("affinity", {}).get("podAffinity", {})
    rules = near.get("requiredDuringSchedulingIgnoredDuringExecution", ())
    return [one["labelSelector"]["matchLabels"] for one in rules if one["topologyKey"] == HOSTNAME]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def asked(pod: dict[str, Any]) -> int:
    """The cpu that a scheduler keeps free for a pod."""

    def of(one: dict[str, Any]) -> int:
        return thousandths(one["resources"]["requests"]["cpu"])

    together = sum(of(one) for one in pod["containers"])
    return max(together, *(of(one) for one in pod.get("initContainers", ())), 0)


def test_every_pod_passes_pod_security_restricted(any_rendered: Any) -> None:
    seen = set()
    for name, pod in any_rendered.pods():
        seen.add(name)
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        for volume in pod.get("volumes", ()):
            kinds = volume.keys() - {"name"}
            assert kinds <= {"emptyDir", "configMap", "secret", "persistentVolumeClaim"}, name
        for one in containers(pod):
            security = one["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
    assert {"predictor", "transformer", "test"} <= seen


def test_no_pod_writes_to_its_root_or_has_a_token(any_rendered: Any) -> None:
    for name, pod in any_rendered.pods():
        assert pod["automountServiceAccountToken"] is False, name
        for one in containers(pod):
            assert one["securityContext"]["readOnlyRootFilesystem"] is True, name


def test_serving_pods_mount_bundles_to_read_and_jobs_to_write(default: Any) -> None:
    for name, pod in default.pods():
        for one in containers(pod):
            for mount in one.get("volumeMounts", ()):
                if mount["mountPath"] == "/data" and name != "redis":
                    reads = name in ("predictor", "transformer")
                    assert mount.get("readOnly", False) is reads, name


def mounts_the_claim(pod: dict[str, Any]) -> bool:
    return any("persistentVolumeClaim" in one for one in pod.get("volumes", ()))


def labels(rendered: Any) -> dict[str, dict[str, str]]:
    """Labels of pods, by their component."""
    (service,) = rendered.of("InferenceService")
    found = [service["spec"][name]["labels"] for name in ("predictor", "transformer")]
    for one in rendered.objects:
        if one["kind"] in ("StatefulSet", "Job", "Deployment"):
            found.append(one["spec"]["template"]["metadata"]["labels"])
        elif one["kind"] == "CronJob":
            found.append(one["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"])
        elif one["kind"] == "Pod":
            found.append(one["metadata"]["labels"])
    return {one["app.kubernetes.io/component"]: one for one in found}


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"existingClaim": f"a.{'b' * 62}.claim"},
        {"s3": {"url": "s3://models/a"}},
        {"accessMode": "ReadWriteMany"},
    ],
)
def test_pods_that_mount_a_claim_of_one_node_share_that_node(
    render: Any, storage: dict[str, Any]
) -> None:
    """Nothing else keeps them there, and a second node cannot attach such a volume."""
    rendered = render({"storage": storage, "toolbox": {"enabled": True}})
    of, mounting = labels(rendered), set()
    one_node = storage.get("accessMode") != "ReadWriteMany"
    for name, pod in rendered.pods():
        if not mounts_the_claim(pod):
            assert together(pod) == [], name
            assert "shortlist/claim" not in of[name], name
            continue
        mounting.add(name)
        assert len(together(pod)) == one_node, name
        # The first of them finds itself.
        for wanted in together(pod):
            assert all(wanted.items() <= of[other].items() for other in mounting), name
            assert len(wanted["shortlist/claim"]) <= 63
        assert ("topologySpreadConstraints" in pod) is (not one_node and name in SERVING), name
    jobs = {"bootstrap", "retrain", "toolbox"}
    assert mounting == (jobs if "s3" in storage else jobs | SERVING)


def test_serving_pods_with_copies_of_their_own_keep_apart(render: Any) -> None:
    pods = dict(render({"storage": {"s3": {"url": "s3://models/a"}}}).pods())
    for name in SERVING:
        assert "topologySpreadConstraints" in pods[name], name


def test_an_affinity_of_ones_own_is_kept_beside_the_claims(render: Any) -> None:
    rule = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "cache"}}}
    wished = {"weight": 1, "podAffinityTerm": rule}
    own = {
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [rule],
            "preferredDuringSchedulingIgnoredDuringExecution": [wished],
        },
    }
    pods = dict(render({"transformer": {"affinity": own}}).pods())
    affinity = pods["transformer"]["affinity"]
    assert affinity["nodeAffinity"] == own["nodeAffinity"]
    near = affinity["podAffinity"]
    assert near["preferredDuringSchedulingIgnoredDuringExecution"] == [wished]
    assert together(pods["transformer"]) == [{"app": "cache"}, {"shortlist/claim": "shortlist"}]
    assert together(pods["predictor"]) == [{"shortlist/claim": "shortlist"}]


def test_volumes_and_mounts_name_each_other(any_rendered: Any) -> None:
    for name, pod in any_rendered.pods():
        mounted = {
            mount["name"] for one in containers(pod) for mount in one.get("volumeMounts", ())
        }
        there = {volume["name"] for volume in pod.get("volumes", ())}
        # A StatefulSet's claims are volumes too.
        assert mounted - there <= ({"data"} if name == "redis" else set()), name
        assert there <= mounted, name


def test_everything_is_the_releases_by_its_labels(any_rendered: Any) -> None:
    for one in any_rendered.objects:
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "shortlist", one["metadata"]["name"]
        assert labels["app.kubernetes.io/name"] == "shortlist", one["metadata"]["name"]


def test_names_are_not_said_twice(any_rendered: Any) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in any_rendered.objects]
    assert len(set(names)) == len(names)


def test_secrets_are_named_and_never_written(any_rendered: Any) -> None:
    for name, pod in any_rendered.pods():
        for one in containers(pod):
            for variable in one.get("env", ()):
                if variable["name"].endswith(SECRETS):
                    assert set(variable) == {"name", "valueFrom"}, name


def test_kserves_own_rules_are_kept(any_rendered: Any) -> None:
    (service,) = any_rendered.of("InferenceService")
    assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    predictor = service["spec"]["predictor"]
    assert not {"pytorch", "containers"} & predictor.keys()
    model = predictor["model"]
    runtime = any_rendered.one("ServingRuntime", model["runtime"])["spec"]
    formats = [one["name"] for one in runtime["supportedModelFormats"]]
    assert formats == [model["modelFormat"]["name"]]
    # Without a storageUri KServe adds its agent to the pods; with one it brings the model itself,
    # unless an init container has this name.
    assert model["storageUri"].startswith(("pvc://", "s3://"))
    assert predictor["initContainers"][-1]["name"] == "storage-initializer"
    for _, pod in any_rendered.pods():
        for one in containers(pod):
            assert "PYTHONPATH" not in [variable["name"] for variable in one.get("env", ())]
    pods = dict(any_rendered.pods())
    for component in ("predictor", "transformer"):
        (one,) = pods[component]["containers"]
        assert one["name"] == "kserve-container"
        for amounts in one["resources"].values():
            assert amounts.keys() >= {"cpu", "memory"}, "KServe would fill in its own"


def test_pods_are_exchanged_without_one_less(any_rendered: Any) -> None:
    (service,) = any_rendered.of("InferenceService")
    for name in ("predictor", "transformer"):
        strategy = service["spec"][name]["deploymentStrategy"]
        assert strategy["type"] == "RollingUpdate"
        assert strategy["rollingUpdate"]["maxUnavailable"] == 0


def test_a_pod_that_ends_has_time_for_all_that_it_does_last(any_rendered: Any) -> None:
    for name, pod in any_rendered.pods():
        if name not in ("predictor", "transformer"):
            continue
        (one,) = pod["containers"]
        variables = {variable["name"]: variable.get("value") for variable in one["env"]}
        if name == "predictor":
            more = one["lifecycle"]["preStop"]["sleep"]["seconds"]
        else:
            more = float(variables["SHORTLIST_SERVING__LAME_DUCK_SECONDS"])
        assert more > 0
        drain = float(variables.get("SHORTLIST_SERVING__DRAIN_SECONDS") or 0)
        assert pod["terminationGracePeriodSeconds"] > more + 2 * drain, name


def test_probes_tell_the_truth(default: Any) -> None:
    pods = dict(default.pods())
    (predictor,), (transformer,) = (
        pods[name]["containers"] for name in ("predictor", "transformer")
    )
    # Management answers inside the pod alone, where no httpGet reaches.
    assert "model_handlers.ranker.probe" in predictor["readinessProbe"]["exec"]["command"]
    assert transformer["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert transformer["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    for one in (predictor, transformer):
        assert one["startupProbe"]["failureThreshold"] * one["startupProbe"]["periodSeconds"] >= 300


def test_chart_control_plane_and_one_job_fit_two_cores(default: Any) -> None:
    (service,) = default.of("InferenceService")
    total = CONTROL_PLANE_CPU
    jobs = []
    for name, pod in default.pods():
        if name in ("bootstrap", "retrain"):
            jobs.append(asked(pod))
        else:
            replicas = service["spec"].get(name, {}).get("minReplicas", 1)
            total += replicas * asked(pod)
    assert len(jobs) == 2
    assert total + max(jobs) <= TWO_CORES


def test_each_component_has_its_policy_and_all_else_is_denied(default: Any) -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in default.of("NetworkPolicy")}
    deny = policies["shortlist"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny
    assert "app.kubernetes.io/component" not in deny["podSelector"]["matchLabels"]
    (to_predictor, metrics) = policies["shortlist-predictor"]["ingress"]
    (peer,) = to_predictor["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "transformer"
    assert [port["port"] for port in metrics["ports"]] == [8087]
    assert "egress" not in policies["shortlist-predictor"]


def test_selectors_find_the_pods_they_mean(any_rendered: Any) -> None:
    (service,) = any_rendered.of("InferenceService")
    labels = [service["spec"][name]["labels"] for name in ("predictor", "transformer")]
    labels += [
        one["spec"]["template"]["metadata"]["labels"]
        for one in any_rendered.objects
        if one["kind"] in ("StatefulSet", "Job", "Deployment")
    ]
    selectors = [one["spec"]["selector"] for one in any_rendered.of("Service")]
    for kind in ("PodDisruptionBudget", "PodMonitor", "StatefulSet", "Deployment"):
        selectors += [one["spec"]["selector"]["matchLabels"] for one in any_rendered.of(kind)]
    for selector in selectors:
        assert sum(selector.items() <= pod.items() for pod in labels) == 1, selector


def test_shortlist_reads_every_pods_settings(any_rendered: Any, tmp_path: Path) -> None:
    dummies = {"SHORTLIST_SERVING__KEYS": "client:" + 32 * "k"}
    (file,) = (
        one["data"]["shortlist.yaml"]
        for one in any_rendered.of("ConfigMap")
        if "shortlist.yaml" in one["data"]
    )
    config = tmp_path / "shortlist.yaml"
    config.write_text(file)
    read = 0
    for name, pod in any_rendered.pods():
        for one in containers(pod):
            told = {
                variable["name"]: variable.get("value", dummies.get(variable["name"], "secret"))
                for variable in one.get("env", ())
            }
            if "SHORTLIST_CONFIG" not in told:
                continue
            assert told.pop("SHORTLIST_CONFIG") == "/etc/shortlist/shortlist.yaml"
            settings = load(config=config, environ=told).settings
            assert str(settings.paths.bundles) == "/data/bundles", name
            assert f'"preset": "{settings.preset}"' in file
            read += 1
    assert read >= 4


def test_who_writes_bundles_knows_which_one_is_held_to(render: Any) -> None:
    rendered = render({"bundle": {"id": "00c0ffee"}, "toolbox": {"enabled": True}})
    for name, pod in rendered.pods():
        if name not in ("transformer", "predictor", "bootstrap", "retrain", "toolbox"):
            continue
        for one in pod["containers"]:
            told = {variable["name"]: variable.get("value") for variable in one.get("env", ())}
            assert told.get("SHORTLIST_SERVING__BUNDLE") == "00c0ffee", (name, one["name"])


def test_a_signal_reaches_whatever_a_script_runs(any_rendered: Any) -> None:
    for name, pod in any_rendered.pods():
        for one in (*pod.get("initContainers", ()), *pod["containers"]):
            command = one.get("command", [])
            if "/bin/sh" in command and name != "redis":
                assert command[:3] == ["tini", "-g", "--"], (name, one["name"])
