"""What single values change."""

import json
from typing import Any

import pytest


def variables(rendered: Any, component: str) -> dict[str, Any]:
    (one,) = dict(rendered.pods())[component]["containers"]
    return {variable["name"]: variable for variable in one["env"]}


def test_the_preset_and_the_settings_are_one_file_of_shortlist(render: Any) -> None:
    rendered = render(
        {"bootstrap": {"preset": "demo"}, "settings": {"online": {"log_entries": 5_000_000}}}
    )
    text = rendered.one("ConfigMap", "shortlist")["data"]["shortlist.yaml"]
    assert json.loads(text) == {"preset": "demo", "online": {"log_entries": 5_000_000}}
    # As a float in YAML it would be refused.
    assert "5000000" in text


def test_other_settings_roll_the_pods(render: Any) -> None:
    def marks(values: dict[str, Any]) -> set[str]:
        (service,) = render(values).of("InferenceService")
        return {
            service["spec"][name]["annotations"]["shortlist/settings"]
            for name in ("predictor", "transformer")
        }

    assert marks({}) == marks({"service": {"port": 81}})
    assert marks({}) != marks({"settings": {"serving": {"budget_ms": 150}}})


@pytest.mark.parametrize("url", ["", "s3://models/a"])
def test_a_pinned_bundle_is_what_both_processes_serve_and_wait_for(render: Any, url: str) -> None:
    rendered = render({"bundle": {"id": "0123abcd"}, "storage": {"s3": {"url": url}}})
    for component, pod in rendered.pods():
        if component in ("predictor", "transformer"):
            assert (
                variables(rendered, component)["SHORTLIST_SERVING__BUNDLE"]["value"] == "0123abcd"
            )
            (wait,) = (one for one in pod["initContainers"] if one["name"] == "storage-initializer")
            assert "/data/bundles/0123abcd" in wait["command"][-1]


def test_without_a_pin_the_pointer_is_followed(default: Any) -> None:
    for component in ("predictor", "transformer"):
        assert "SHORTLIST_SERVING__BUNDLE" not in variables(default, component)


def test_an_external_redis_is_reached_by_its_url_secret_and_certificates(render: Any) -> None:
    rendered = render(
        {
            "redis": {
                "enabled": False,
                "existingSecret": "theirs",
                "external": {"url": "rediss://far.example.com:6380/2", "caSecret": "ca"},
            }
        }
    )
    told = variables(rendered, "transformer")
    assert told["SHORTLIST_ONLINE__URL"]["value"] == "rediss://far.example.com:6380/2"
    assert told["SHORTLIST_ONLINE__TLS_CA"]["value"] == "/etc/shortlist-redis/ca/ca.crt"
    secret = told["SHORTLIST_ONLINE__PASSWORD"]["valueFrom"]["secretKeyRef"]
    assert secret == {"name": "theirs", "key": "password"}
    assert not rendered.of("StatefulSet")
    policies = {one["metadata"]["name"]: one["spec"] for one in rendered.of("NetworkPolicy")}
    assert {"ports": [{"port": 6380, "protocol": "TCP"}]} in policies["shortlist-jobs"]["egress"]


def test_an_external_redis_without_a_secret_is_asked_without_a_password(render: Any) -> None:
    rendered = render({"redis": {"enabled": False, "external": {"url": "redis://far:6379/0"}}})
    assert "SHORTLIST_ONLINE__PASSWORD" not in variables(rendered, "transformer")


def test_given_secrets_are_not_made(render: Any) -> None:
    rendered = render({"keys": {"existingSecret": "a"}, "redis": {"existingSecret": "b"}})
    assert not rendered.of("Secret")


def test_made_secrets_are_of_one_key_and_differ_between_releases(render: Any) -> None:
    first, second = (render().one("Secret", "shortlist-keys")["data"] for _ in range(2))
    assert first != second
    assert first.keys() == {"client", "keys"}


@pytest.mark.parametrize("component", ["transformer", "predictor"])
def test_autoscaling_is_kserves_own(render: Any, component: str) -> None:
    of = {"replicas": 3, "autoscaling": {"enabled": True, "maxReplicas": 9, "targetCPU": 70}}
    (service,) = render({component: of}).of("InferenceService")
    told = service["spec"][component]
    assert (told["minReplicas"], told["maxReplicas"]) == (3, 9)
    assert (told["scaleMetric"], told["scaleTarget"]) == ("cpu", 70)
    assert told["annotations"]["serving.kserve.io/autoscalerClass"] == "hpa"
    other = {"transformer": "predictor", "predictor": "transformer"}[component]
    still = service["spec"][other]
    assert still["annotations"]["serving.kserve.io/autoscalerClass"] == "none"
    assert still["minReplicas"] == still["maxReplicas"] == 2


def test_the_bootstrap_is_no_hook_and_another_one_has_another_name(render: Any) -> None:
    first, other = (render(values).of("Job")[0] for values in ({}, {"images": {"tag": "2"}}))
    again = render().of("Job")[0]
    assert "annotations" not in first["metadata"]
    assert first["metadata"]["name"] == again["metadata"]["name"] != other["metadata"]["name"]


def test_one_retraining_runs_at_a_time_and_drains_before_it_trains(default: Any) -> None:
    (cron,) = default.of("CronJob")
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    pod = dict(default.pods())["retrain"]
    order = [one["name"] for one in (*pod["initContainers"], *pod["containers"])]
    assert order == ["refill", "drain", "pipeline", "prune"]


def test_volumes_go_with_the_release_unless_they_are_to_be_kept(render: Any) -> None:
    kept = {"storage": {"keep": True}, "redis": {"persistence": {"keep": True}}}
    for values, policy, when in (({}, None, "Delete"), (kept, "keep", "Retain")):
        rendered = render(values)
        claim = rendered.one("PersistentVolumeClaim", "shortlist")["metadata"]
        assert claim.get("annotations", {}).get("helm.sh/resource-policy") == policy
        retention = rendered.of("StatefulSet")[0]["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert retention["whenDeleted"] == when


def test_pod_monitors_come_where_they_are_wanted(render: Any) -> None:
    assert not render().of("PodMonitor"), "this cluster knows none"
    rendered = render({"podMonitors": {"enabled": True, "labels": {"release": "p"}}})
    ports = {
        one["metadata"]["name"]: one["spec"]["podMetricsEndpoints"][0]["port"]
        for one in rendered.of("PodMonitor")
    }
    assert ports == {"shortlist-transformer": "http", "shortlist-predictor": "metrics"}
    assert all(one["metadata"]["labels"]["release"] == "p" for one in rendered.of("PodMonitor"))


def test_images_are_of_one_registry_and_tag(render: Any) -> None:
    rendered = render({"images": {"registry": "r.example.com/a", "tag": "7"}})
    ours = {
        one["image"]
        for _, pod in rendered.pods()
        for one in (*pod.get("initContainers", ()), *pod["containers"])
    } - {"redis:7.0.15-bookworm"}
    assert ours == {
        f"r.example.com/a/shortlist/{role}:7" for role in ("training", "ranker", "transformer")
    }


def test_labels_of_pods_do_not_change_with_the_charts_version(default: Any) -> None:
    (service,) = default.of("InferenceService")
    handed_on = [service["metadata"]["labels"]]
    handed_on += [service["spec"][name]["labels"] for name in ("predictor", "transformer")]
    for labels in handed_on:
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & labels.keys()


def test_the_notes_name_the_service_the_secret_and_the_namespace(render: Any) -> None:
    notes = render({"fullnameOverride": "feed", "service": {"port": 8081}}).notes
    assert "--namespace here port-forward service/feed 8585:8081" in notes
    assert "get secret feed-keys" in notes


def test_the_notes_quote_a_dot_in_the_name_of_a_key(render: Any) -> None:
    keys = {"existingSecret": "callers", "existingSecretKey": "all.txt"}
    assert r"-o jsonpath='{.data.all\.txt}'" in render({"keys": keys}).notes


def test_pods_have_as_long_to_start_as_their_values_say(render: Any) -> None:
    for component, period in (("transformer", 2), ("predictor", 5)):
        pods = dict(render({component: {"startSeconds": 901}}).pods())
        (one,) = pods[component]["containers"]
        probe = one["startupProbe"]
        assert probe["periodSeconds"] == period
        assert 901 <= probe["failureThreshold"] * period < 901 + period


def test_a_predictor_that_need_not_wait_at_its_end_does_not(render: Any) -> None:
    """To sleep for no time is refused before Kubernetes 1.33."""
    pods = dict(render({"predictor": {"preStopSeconds": 0}}).pods())
    assert "lifecycle" not in pods["predictor"]["containers"][0]


def test_a_pod_monitors_own_label_comes_before_the_common_one(render: Any) -> None:
    monitors = {"enabled": True, "labels": {"team": "watchers"}}
    text = {"podMonitors": monitors, "commonLabels": {"team": "all", "floor": "2"}}
    for one in render(text).of("PodMonitor"):
        assert one["metadata"]["labels"]["team"] == "watchers"
        assert one["metadata"]["labels"]["floor"] == "2"


def test_the_password_is_handed_to_redis_whatever_signs_it_has(default: Any) -> None:
    (redis,) = dict(default.pods())["redis"]["containers"]
    assert "$REDISCLI_AUTH" in redis["command"][-1]
    config = default.one("ConfigMap", "shortlist-redis")["data"]["redis.conf"]
    assert "maxmemory 256mb" in config
    assert "requirepass" not in config


def test_with_an_object_store_serving_pods_follow_it_with_a_copy_of_their_own(render: Any) -> None:
    s3 = {"url": "s3://models/a", "endpoint": "http://store:9000", "existingSecret": "bucket"}
    pods = dict(render({"storage": {"s3": s3}}).pods())
    for component in ("predictor", "transformer"):
        pod = pods[component]
        (data,) = (one for one in pod["volumes"] if one["name"] == "data")
        assert data["emptyDir"] == {"sizeLimit": "4Gi"}
        follow, wait = pod["initContainers"]
        assert follow["restartPolicy"] == "Always"
        assert follow["command"][1:] == ["bundle", "pull", "--follow"]
        assert wait["name"] == "storage-initializer"
        told = {one["name"]: one for one in follow["env"]}
        assert told["SHORTLIST_REMOTE__URL"]["value"] == "s3://models/a"
        assert told["AWS_ACCESS_KEY_ID"]["valueFrom"]["secretKeyRef"]["name"] == "bucket"
        (server,) = pod["containers"]
        assert not [one for one in server["env"] if one["name"].startswith(("AWS", "SHORTLIST_R"))]
    for component in ("bootstrap", "retrain"):
        (data,) = (one for one in pods[component]["volumes"] if one["name"] == "data")
        assert data["persistentVolumeClaim"] == {"claimName": "shortlist"}


def test_kserve_is_told_where_bundles_are(render: Any) -> None:
    theirs = {"storage": {"existingClaim": "theirs"}}
    there = {"storage": {"s3": {"url": "s3://models/a"}}}
    for values, uri in (
        ({}, "pvc://shortlist/bundles"),
        (theirs, "pvc://theirs/bundles"),
        (there, "s3://models/a"),
    ):
        (service,) = render(values).of("InferenceService")
        assert service["spec"]["predictor"]["model"]["storageUri"] == uri


def test_the_object_store_is_reached_at_its_port_alone(render: Any) -> None:
    for endpoint, port in (("http://store:9000", 9000), ("http://store", 80), ("", 443)):
        s3 = {"url": "s3://models/a", "endpoint": endpoint, "existingSecret": "bucket"}
        policy = render({"storage": {"s3": s3}}).one("NetworkPolicy", "shortlist-s3")
        assert policy["spec"]["egress"] == [{"ports": [{"port": port, "protocol": "TCP"}]}]


def test_the_toolbox_is_there_when_it_is_asked_for(render: Any) -> None:
    assert "toolbox" not in dict(render().pods())
    assert (
        dict(render({"toolbox": {"enabled": True}}).pods())["toolbox"]["restartPolicy"] == "Always"
    )
