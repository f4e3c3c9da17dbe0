"""Values that cannot work are refused by a sentence that names them."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from helm_python import HelmError

from shortlist.settings import Settings

HELM = Path(__file__).parents[3] / "helm"
VALIDATION = (HELM / "shortlist" / "templates" / "_validate.tpl").read_text(encoding="utf-8")
OWN = re.compile(re.findall(r'\$own := "(\^.+\$)"', VALIDATION)[0])

MISSPELT: list[tuple[dict[str, Any], str]] = [
    ({"replicas": 3}, "replicas"),
    ({"transformer": {"replica": 3}}, "replica"),
    ({"transformer": {"autoscaling": {"enable": True}}}, "enable"),
    ({"settings": {"serving": {"budget": 3}}}, "budget"),
    ({"settings": {"paths": {"work": "/x"}}}, "paths"),
    ({"settings": {"online": {"password": "x"}}}, "password"),
    ({"networkPolicy": {"clients": [{"namespace": {}}]}}, "namespace"),
]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"transformer": {"replicas": 0}}, "replicas"),
    ({"transformer": {"replicas": "2"}}, "replicas"),
    ({"bootstrap": {"preset": "small"}}, "preset"),
    ({"bundle": {"id": "latest"}}, "id"),
    ({"storage": {"accessMode": "ReadWriteOncePod"}}, "accessMode"),
    ({"storage": {"size": "ten"}}, "size"),
    ({"retrain": {"schedule": "daily"}}, "schedule"),
    ({"service": {"nodePort": 80}}, "nodePort"),
    ({"redis": {"external": {"url": "redis://me:secret@far:6379/0"}}}, "url"),
    ({"redis": {"image": "redis"}}, "image"),
    ({"settings": {"serving": {"budget_ms": -1}}}, "budget_ms"),
    ({"settings": {"slate": {"method": "random"}}}, "method"),
    ({"transformer": {"env": [{"name": "PYTHONPATH", "value": "/x"}]}}, "env"),
    ({"predictor": {"resources": {"requests": {"cpu": "x"}}}}, "cpu"),
    ({"podMonitors": {"enabled": "yes"}}, "enabled"),
    ({"nameOverride": 64 * "a"}, "nameOverride"),
    ({"fullnameOverride": 41 * "a"}, "fullnameOverride"),
    ({"predictor": {"disruptionBudget": {"maxUnavailable": "0%"}}}, "maxUnavailable"),
    ({"predictor": {"disruptionBudget": {"maxUnavailable": 0}}}, "maxUnavailable"),
    ({"storage": {"size": "0"}}, "size"),
    ({"storage": {"s3": {"cacheSize": "0Gi"}}}, "cacheSize"),
    ({"redis": {"persistence": {"size": "0.0Gi"}}}, "size"),
    ({"networkPolicy": {"jobs": [{"ipBlock": {"cidr": "example.com"}}]}}, "cidr"),
    ({"networkPolicy": {"jobs": [{"ipBlock": {"cidr": "10.0.0.256/8"}}]}}, "cidr"),
    ({"networkPolicy": {"jobs": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}}, "cidr"),
    (
        {"networkPolicy": {"clients": [{"ipBlock": {"cidr": "::/0"}, "podSelector": {}}]}},
        "clients/0",
    ),
    ({"networkPolicy": {"egress": [{"ports": [{"port": 70_000}]}]}}, "port"),
]

# Null takes a default away.
NULL: list[tuple[dict[str, Any], str]] = [
    ({"transformer": {"resources": None}}, "'/transformer': missing property 'resources'"),
    ({"toolbox": {"enabled": None}}, "'/toolbox': missing property 'enabled'"),
    ({"bundle": None}, "'': missing property 'bundle'"),
]

CONTRADICTORY: list[tuple[dict[str, Any], str]] = [
    (
        {"redis": {"external": {"url": "redis://far:6379/0"}}},
        "Set redis.enabled=false to use the external one.",
    ),
    ({"redis": {"enabled": False}}, "Set redis.external.url=redis://HOST:PORT/0."),
    (
        {"transformer": {"podLabels": {"app.kubernetes.io/component": "x"}}},
        "transformer.podLabels sets app.kubernetes.io/component, by which pods are found",
    ),
    (
        {"storage": {"s3": {"existingSecret": "aws"}}},
        "Set storage.s3.url=s3://BUCKET/PREFIX, or leave storage.s3.existingSecret empty.",
    ),
    ({"images": {"tag": "latest"}}, "Set images.tag to the tag that was built."),
    (
        {
            "redis": {
                "enabled": False,
                "external": {"url": "redis://far:6379/3", "cluster": True},
            }
        },
        "a cluster has only number 0",
    ),
    (
        {
            "redis": {
                "enabled": False,
                "external": {"url": "redis://far:6379/0", "caSecret": "ca"},
            }
        },
        "redis.external.caSecret is for TLS, but redis.external.url does not begin with rediss://",
    ),
    (
        {"predictor": {"replicas": 9, "autoscaling": {"enabled": True}}},
        "predictor.autoscaling.maxReplicas is 6, less than predictor.replicas, which is 9",
    ),
    ({"fullnameOverride": "2nd"}, "Set fullnameOverride, or choose another release name."),
    (
        {"commonLabels": {"app.kubernetes.io/component": "x"}},
        "commonLabels sets app.kubernetes.io/component, which the chart sets itself.",
    ),
    (
        {"podMonitors": {"labels": {"helm.sh/chart": "x"}}},
        "podMonitors.labels sets helm.sh/chart, which the chart sets itself.",
    ),
    (
        {"jobs": {"podLabels": {"shortlist/claim": "x"}}},
        "jobs.podLabels sets shortlist/claim, by which pods are found or placed.",
    ),
    (
        {"inferenceService": {"annotations": {"serving.kserve.io/deploymentMode": "x"}}},
        "inferenceService.annotations sets serving.kserve.io/deploymentMode",
    ),
    (
        {"commonAnnotations": {"serving.kserve.io/autoscalerClass": "x"}},
        "commonAnnotations sets serving.kserve.io/autoscalerClass",
    ),
    (
        {"redis": {"podAnnotations": {"shortlist/config": "x"}}},
        "redis.podAnnotations sets shortlist/config",
    ),
    (
        {"transformer": {"env": [{"name": "SHORTLIST_SERVING__KEYS", "value": "a:b"}]}},
        "transformer.env sets SHORTLIST_SERVING__KEYS, which the chart sets itself.",
    ),
    (
        {"redis": {"maxMemory": "4gb"}},
        "redis.resources.limits.memory is 640Mi, less than twice redis.maxMemory, which is 4gb",
    ),
    (
        {"redis": {"maxMemory": "800mb", "resources": {"limits": {"memory": "1.5Gi"}}}},
        "Raise the limit, or lower redis.maxMemory.",
    ),
    ({"redis": {"image": "redis:latest"}}, "Write the tag of a version, or add its digest."),
    (
        {"redis": {"enabled": False, "external": {"url": "redis://far:99999/0"}}},
        'redis.external.url is "redis://far:99999/0", and ports go from 1 to 65535.',
    ),
    (
        {"storage": {"s3": {"url": "s3://models", "endpoint": "http://far:0"}}},
        'storage.s3.endpoint is "http://far:0", and ports go from 1 to 65535.',
    ),
    (
        {"storage": {"s3": {"endpoint": "https://far"}}},
        "Set storage.s3.url=s3://BUCKET/PREFIX, or leave storage.s3.endpoint empty.",
    ),
    (
        {"storage": {"s3": {"caSecret": "ca"}}},
        "Set storage.s3.url=s3://BUCKET/PREFIX, or leave storage.s3.caSecret empty.",
    ),
    (
        {"redis": {"external": {"username": "me"}}},
        "redis.external.username is set, but redis.enabled runs a Redis of the chart's own.",
    ),
    (
        {"redis": {"external": {"cluster": True}}},
        "redis.external.cluster is set, but redis.enabled runs a Redis of the chart's own.",
    ),
    (
        {"keys": {"existingSecretKey": "client"}},
        "keys.existingSecretKey is client, and the secret that is made has another entry",
    ),
    (
        {"service": {"nodePort": 30_080}},
        "Set service.type=NodePort, or leave service.nodePort 0.",
    ),
    ({"retrain": {"schedule": "99 3 * * *"}}, 'and "99" is no minute, which goes from 0 to 59'),
    ({"retrain": {"schedule": "0 3 0 * *"}}, 'and "0" is no day, which goes from 1 to 31'),
    ({"retrain": {"schedule": "a b c d e"}}, 'and "a" is no minute'),
    ({"retrain": {"schedule": "0 3 * * 7"}}, 'and "7" is no weekday, which goes from 0 to 6'),
]

SOUND: list[dict[str, Any]] = [
    {"retrain": {"schedule": "*/5 0-6,12 1,15 JAN-MAR mon-fri"}},
    {"retrain": {"schedule": "08 09 08 08 0"}},
    {"redis": {"maxMemory": "320mb"}},
    {"redis": {"maxMemory": "512mb", "resources": {"limits": {"memory": 1_073_741_824}}}},
    {"redis": {"maxMemory": "4gb", "resources": {"limits": None}}},
    {"redis": {"image": f"redis:latest@sha256:{64 * 'a'}"}},
    {"storage": {"size": "0.5Gi"}},
    {"predictor": {"disruptionBudget": {"maxUnavailable": "10%"}}},
    {"networkPolicy": {"jobs": [{"ipBlock": {"cidr": "fd00::/8"}}]}},
    {"networkPolicy": {"jobs": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}},
    {"jobs": {"env": [{"name": "SHORTLIST_RANKER__EPOCHS", "value": "1"}]}},
]


@pytest.mark.parametrize(("values", "name"), MISSPELT)
def test_a_value_that_nobody_reads_is_refused(
    render: Any, values: dict[str, Any], name: str
) -> None:
    with pytest.raises(HelmError, match=f"additional properties '{name}' not allowed"):
        render.check(values)


@pytest.mark.parametrize(("values", "name"), WRONG)
def test_a_value_that_cannot_be_is_refused_by_its_name(
    render: Any, values: dict[str, Any], name: str
) -> None:
    with pytest.raises(HelmError, match=rf"/{name}\b"):
        render.check(values)


@pytest.mark.parametrize(("values", "sentence"), CONTRADICTORY)
def test_values_that_contradict_each_other_are_refused_with_the_remedy(
    render: Any, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(HelmError) as refusal:
        render(values)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("values", "sentence"), NULL)
def test_a_value_that_is_taken_away_is_missed(
    render: Any, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(HelmError) as refusal:
        render.check(values)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("values", SOUND)
def test_what_can_work_is_let_through(render: Any, values: dict[str, Any]) -> None:
    render.check(values)
    assert render(values).objects


def test_every_variable_that_the_chart_sets_is_its_own(any_rendered: Any) -> None:
    set_by_it = {
        variable["name"]
        for _, pod in any_rendered.pods()
        for one in (*pod.get("initContainers", ()), *pod["containers"])
        for variable in one.get("env", ())
        if variable["name"].startswith(("SHORTLIST_", "HOME"))
    }
    assert len(set_by_it) > 8
    assert [name for name in set_by_it if not OWN.match(name)] == []


def test_every_setting_that_the_chart_decides_is_its_own() -> None:
    decided = runpy.run_path(str(HELM / "values_pages.py"))["DECIDED_BY_THE_CHART"]
    rooms = {
        one.annotation.__name__: room
        for room, one in Settings.model_fields.items()
        if isinstance(one.annotation, type)
    }
    names = [
        f"SHORTLIST_{rooms[owner]}__{field}".upper()
        for owner, fields in decided.items()
        for field in (fields if owner else ())
    ]
    assert len(names) > 20
    assert [name for name in names if not OWN.match(name)] == []
