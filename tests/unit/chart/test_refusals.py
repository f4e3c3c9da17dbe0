"""Values that cannot work are refused by a sentence that names them."""

from typing import Any

import pytest
from helm_python import HelmError

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
]

CONTRADICTORY: list[tuple[dict[str, Any], str]] = [
    (
        {"redis": {"external": {"url": "redis://far:6379/0"}}},
        "Set redis.enabled=false to use the external one.",
    ),
    ({"redis": {"enabled": False}}, "Set redis.external.url=redis://HOST:PORT/0."),
    (
        {"transformer": {"podLabels": {"app.kubernetes.io/component": "x"}}},
        "transformer.podLabels sets app.kubernetes.io/component, by which services find the pods.",
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
