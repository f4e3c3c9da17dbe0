"""Who may reach whom, by the policies that are rendered."""

import ipaddress
from typing import Any

import pytest

NODE_DNS, OUTSIDE, METADATA = "169.254.20.10", "203.0.113.7", "169.254.169.254"
POD_IDENTITY = "169.254.170.23"
S3 = {"url": "s3://models/a", "endpoint": "https://store.example.com:9000"}
FAR = {"enabled": False, "external": {"url": "redis://far:6390/0"}}
TOOLBOX = {"toolbox": {"enabled": True}}
PODS = ("transformer", "predictor", "redis", "bootstrap", "retrain", "toolbox", "test")


class Network:
    """The policies, asked as a network would that enforces them."""

    def __init__(self, rendered: Any) -> None:
        self._policies = [one["spec"] for one in rendered.of("NetworkPolicy")]

    def lets(self, source: str, target: str, port: int, protocol: str = "TCP") -> bool:
        """Whether a pod's connection comes through; both are components, or addresses."""
        leaves = self._side("Egress", "egress", "to", source, target, (port, protocol))
        enters = self._side("Ingress", "ingress", "from", target, source, (port, protocol))
        return leaves and enters

    def _side(
        self, kind: str, rules: str, peers: str, whose: str, other: str, at: tuple[int, str]
    ) -> bool:
        held = [
            one
            for one in self._policies
            if kind in one["policyTypes"] and _selects(one["podSelector"], whose)
        ]
        return not held or any(
            _opens(rule, peers, other, at) for one in held for rule in one.get(rules, ())
        )


def _opens(rule: dict[str, Any], peers: str, other: str, at: tuple[int, str]) -> bool:
    ports = [(one["port"], one["protocol"]) for one in rule.get("ports", ())]
    named = rule.get(peers)
    return (not ports or at in ports) and (not named or any(_is(one, other) for one in named))


def _is(peer: dict[str, Any], other: str) -> bool:
    if "ipBlock" in peer:
        block = ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return other[0].isdigit() and ipaddress.ip_address(other) in block
    return not other[0].isdigit() and _selects(peer.get("podSelector", {}), other)


def _selects(selector: dict[str, Any], pod: str) -> bool:
    if pod not in PODS:
        return not selector
    labels = {"app.kubernetes.io/name": "shortlist", "app.kubernetes.io/instance": "shortlist"}
    labels["app.kubernetes.io/component"] = pod
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    for one in selector.get("matchExpressions", ()):
        among = labels[one["key"]] in one["values"]
        wanted = wanted and among is (one["operator"] == "In")
    return wanted


@pytest.fixture(scope="module")
def own(render: Any) -> Network:
    """With a Redis of the chart's own, and bundles on the claim."""
    return Network(render(TOOLBOX))


@pytest.mark.parametrize("pod", PODS)
def test_every_pod_reaches_dns_wherever_it_is(own: Network, pod: str) -> None:
    for protocol in ("UDP", "TCP"):
        assert own.lets(pod, NODE_DNS, 53, protocol)
        assert own.lets(pod, "somebody", 5353, protocol)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("transformer", "predictor", 8085),
        ("transformer", "redis", 6379),
        ("bootstrap", "redis", 6379),
        ("retrain", "redis", 6379),
        ("toolbox", "redis", 6379),
        ("bootstrap", "transformer", 8080),
        ("test", "transformer", 8080),
        ("somebody", "transformer", 8080),
        ("somebody", "predictor", 8087),
    ],
)
def test_who_must_reach_whom_does(own: Network, source: str, target: str, port: int) -> None:
    assert own.lets(source, target, port)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        ("somebody", "redis", 6379),
        ("somebody", "predictor", 8085),
        ("somebody", "predictor", 8086),
        ("predictor", "redis", 6379),
        ("test", "redis", 6379),
        ("redis", "transformer", 8080),
        ("retrain", "predictor", 8085),
        ("transformer", OUTSIDE, 443),
        ("retrain", OUTSIDE, 443),
        ("retrain", METADATA, 80),
        ("redis", OUTSIDE, 6379),
    ],
)
def test_who_need_not_reach_whom_does_not(
    own: Network, source: str, target: str, port: int
) -> None:
    assert not own.lets(source, target, port)


def test_clients_that_are_named_shut_out_all_others(render: Any) -> None:
    named = {"clients": [{"podSelector": {"matchLabels": {"app": "gateway"}}}]}
    network = Network(render({"networkPolicy": named}))
    assert not network.lets("somebody", "transformer", 8080)
    assert network.lets("test", "transformer", 8080)


@pytest.mark.parametrize("pod", ["transformer", "predictor", "bootstrap", "retrain", "toolbox"])
def test_with_an_object_store_all_but_redis_and_tests_reach_it(render: Any, pod: str) -> None:
    network = Network(render({"storage": {"s3": S3 | {"existingSecret": "keys"}}} | TOOLBOX))
    assert network.lets(pod, OUTSIDE, 9000)
    assert not network.lets(pod, OUTSIDE, 443)
    assert not network.lets(pod, METADATA, 80)
    assert not network.lets("redis", OUTSIDE, 9000)
    assert not network.lets("test", OUTSIDE, 9000)


@pytest.mark.parametrize("pod", ["transformer", "predictor", "bootstrap", "retrain", "toolbox"])
def test_without_a_secret_pods_reach_what_says_who_they_are(render: Any, pod: str) -> None:
    network = Network(render({"storage": {"s3": S3}} | TOOLBOX))
    assert network.lets(pod, METADATA, 80)
    assert network.lets(pod, POD_IDENTITY, 80)
    assert network.lets(pod, OUTSIDE, 443)
    assert not network.lets(pod, OUTSIDE, 80)
    assert not network.lets("redis", METADATA, 80)


def test_an_external_redis_is_reached_by_its_port_by_those_who_use_it(render: Any) -> None:
    network = Network(render({"redis": FAR} | TOOLBOX))
    for pod in ("transformer", "bootstrap", "retrain", "toolbox"):
        assert network.lets(pod, OUTSIDE, 6390)
    assert not network.lets("predictor", OUTSIDE, 6390)


@pytest.mark.parametrize("pod", ["transformer", "predictor", "retrain"])
def test_a_rule_more_is_for_every_pod(render: Any, pod: str) -> None:
    block = {"ipBlock": {"cidr": "203.0.113.0/24"}}
    rule = {"to": [block], "ports": [{"port": 9001, "protocol": "TCP"}]}
    network = Network(render({"networkPolicy": {"egress": [rule]}}))
    assert network.lets(pod, OUTSIDE, 9001)
    assert not network.lets(pod, OUTSIDE, 9002)
    assert not network.lets(pod, "198.51.100.1", 9001)
