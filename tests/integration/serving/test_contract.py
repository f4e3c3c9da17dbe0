"""Every route of the OpenAPI page, asked by schemathesis: what is taken and given is as it says."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from running import KEY  # type: ignore[import-not-found]
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

EXAMPLES = 25
KEYLESS_EXAMPLES = 8
OURS = {
    "POST /v1/models/shortlist:predict",
    "POST /v2/models/shortlist/infer",
    "POST /v1/events",
    "GET /v1/videos",
    "POST /v1/videos/{id}/takedown",
    "DELETE /v1/videos/{id}/takedown",
    "POST /v1/users/{id}/forget",
    "GET /v1/users/{id}/history",
}
BARE = {
    "GET /v2/health/ready",
    "GET /v2/health/live",
    "GET /metrics",
    "GET /v1/models",
    "GET /v1/models/{model_name}",
    "GET /v2",
    "GET /v2/models",
    "GET /v2/models/{model_name}",
    "GET /v2/models/{model_name}/ready",
}
"""What takes nothing that could be wrong."""
OURS |= BARE
# Their schemas cannot say all: that 64 bits bound the ids of a list, or which tensors there are.
INCOMPLETE = {
    "POST /v1/models/shortlist:predict",
    "POST /v2/models/shortlist/infer",
    "POST /v1/events",
    "GET /v1/videos",
}


@pytest.fixture(scope="module")
def operations(running):
    described = schemathesis.openapi.from_url(f"http://127.0.0.1:{running.port}/openapi.json")
    return {found.ok().label: found.ok() for found in described.get_all_operations()}


def asking(operation, mode: GenerationMode, asked: set[str], key: str | None):
    """What asks an operation in many ways, and fails at the first answer that is not described."""
    # The key that is given is given where schemathesis tries it without one, too.
    excluded = [] if key is None else [ignored_auth]
    excluded += [positive_data_acceptance] if operation.label in INCOMPLETE else []
    headers = {} if key is None else {"authorization": f"Bearer {key}"}

    @settings(
        max_examples=KEYLESS_EXAMPLES if key is None else EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case) -> None:
        asked.add(operation.label)
        answer = case.call_and_validate(headers=headers, excluded_checks=excluded)
        if key is None and operation.definition.raw.get("security"):
            assert answer.status_code == 401

    return ask


@pytest.mark.parametrize("key", [KEY, None], ids=["keyed", "keyless"])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_asked_the_answer_is_as_described(operations, mode, key) -> None:
    assert set(operations) >= OURS
    asked, faults = set[str](), {}
    for label, operation in operations.items():
        try:
            asking(operation, mode, asked, key)()
        except Unsatisfiable:
            # Nothing can be wrong with what takes nothing.
            assert mode is GenerationMode.NEGATIVE
        except Exception as error:
            faults[label] = str(error)
    assert faults == {}
    assert asked >= (OURS if mode is GenerationMode.POSITIVE else OURS - BARE)


def test_what_was_asked_left_it_alive(running) -> None:
    assert not running.page(1)["degraded"]
    assert running.metric('shortlist_errors_total{kind="internal"}') == 0
    assert "Traceback" not in (running.scratch / "transformer.log").read_text()
