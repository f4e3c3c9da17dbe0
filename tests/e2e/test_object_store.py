"""Bundles go through a server that speaks S3: published there, followed by pods without a claim."""

import contextlib
import json
import re
import time
from collections.abc import Iterator

import pytest
from cluster import Cluster, wait_for  # type: ignore[import-not-found]
from objects import NAME, PORT, Objects  # type: ignore[import-not-found]
from release import Release  # type: ignore[import-not-found]
from traffic import load  # type: ignore[import-not-found]

RATE = 4
RETRAIN_SECONDS = 1_500
PREFIX = "shortlist"

# The published bundle once more with one figure added: another id, as if it were trained anew.
ANOTHER = """
import json, shutil, sys
from pathlib import Path
from shortlist.bundle.manifest import MANIFEST, Contents, Manifest
from shortlist.bundle.shared import SharedStore
from shortlist.files import file_digest
from shortlist.settings import load

settings = load().settings
store = SharedStore.at(settings.paths.bundles, settings.remote)
store.pull()
sound = store.here.serving()
told = {{name: getattr(sound.manifest, name) for name in Contents.model_fields}}
told["measured"] = {{**told["measured"], "made for a test": {figure}}}
manifest = Manifest.of(Contents(**told), file_digest(sound.path / "model_card.md"))
shutil.copytree(sound.path, store.here.root / manifest.id)
(store.here.root / manifest.id / MANIFEST).write_bytes(manifest.wire())
store.push(manifest.id)
print(json.dumps({{"id": manifest.id, "before": sound.id}}))
"""
PUBLISH = """
from shortlist.bundle.shared import SharedStore
from shortlist.settings import load

settings = load().settings
SharedStore.at(settings.paths.bundles, settings.remote).publish("{bundle}")
"""


@pytest.fixture(scope="module")
def namespace(asked_for, asked) -> Iterator[Cluster]:
    cluster = Cluster(f"{asked['NAMESPACE']}-s3")
    cluster.drop()
    cluster.make()
    yield cluster
    if not asked["KEEP"]:
        cluster.drop()


@pytest.fixture(scope="module")
def objects(namespace, asked) -> Objects:
    registry = asked["REGISTRY"] and f"{asked['REGISTRY']}/"
    return Objects(namespace, f"{registry}shortlist/object-store:{asked['TAG']}")


@pytest.fixture(scope="module")
def s3_release(namespace, objects, values_for) -> Iterator[Release]:
    """A release whose bundles lie in the bucket, with one pod of each."""
    s3 = {
        "url": f"s3://bundles/{PREFIX}",
        "endpoint": f"http://{NAME}:{PORT}",
        "region": "us-east-1",
        "existingSecret": NAME,
    }
    one = {"replicas": 1}
    values = values_for(storage={"s3": s3}, transformer=one, predictor=one)
    release = Release(namespace, values, "")
    release.install()
    with namespace.forwarded("service/shortlist", 80) as address:
        release.address = address
        yield release


def published(objects) -> str:
    """By the bucket's own pointer."""
    told: str = json.loads(objects.shell(f"cat {PREFIX}/current.json"))["current"]
    return told


def served(release: Release, bundle: str, seconds: float = 60) -> float:
    began = time.time()
    wait_for(
        f"bundle {bundle} is served",
        lambda: release.page(1)["bundle"] == bundle,
        seconds,
        0.2,
    )
    return time.time() - began


def test_the_first_bundle_goes_into_the_bucket_and_is_served_from_there(
    s3_release, objects
) -> None:
    s3_release.settle()
    bundle = published(objects)
    assert objects.shell(f"test -f {PREFIX}/{bundle}/bundle.json && echo there").strip() == "there"
    page = s3_release.whole(1)
    assert page["bundle"] == bundle
    assert len(page["videos"]) == 10


def test_pods_that_serve_mount_no_claim(s3_release) -> None:
    for component in ("transformer", "predictor"):
        for pod in s3_release.pods(component):
            volumes = pod["spec"]["volumes"]
            assert not [one for one in volumes if "persistentVolumeClaim" in one]


def test_helm_test_passes_with_an_object_store(s3_release) -> None:
    assert "Succeeded" in s3_release.cluster.helm("test", s3_release.name, seconds=330)


def test_publication_and_rollback_in_the_bucket_are_followed_without_a_degraded_page(
    s3_release, objects, seen
) -> None:
    s3_release.settle()
    with load(s3_release.address, RATE) as told:
        made = json.loads(s3_release.scripted(ANOTHER.format(figure="1.0")))
        s3_release.scripted(PUBLISH.format(bundle=made["id"]))
        assert published(objects) == made["id"]
        took = [served(s3_release, made["id"])]
        code, _ = s3_release.tool("bundle", "rollback")
        assert code == 0
        assert published(objects) == made["before"]
        took.append(served(s3_release, made["before"]))
        time.sleep(2)
    seen(
        f"by the bucket: {told.summary()}; moves seen after "
        f"{', '.join(f'{one:.1f}' for one in took)} s"
    )
    assert told.lost == []
    assert told.degraded == []
    assert {page["bundle"] for page in told.pages} == {made["id"], made["before"]}


def test_a_bundle_that_is_damaged_in_the_bucket_never_serves(s3_release, objects) -> None:
    s3_release.settle()
    sound = published(objects)
    made = json.loads(s3_release.scripted(ANOTHER.format(figure="2.0")))
    graph = objects.shell(f"ls {PREFIX}/{made['id']}/ranker/*.onnx | head -n 1").strip()
    objects.shell(
        f"printf '\\377\\000\\377' | dd of={graph} bs=1 seek=2000 conv=notrunc status=none"
    )
    with load(s3_release.address, RATE) as told:
        s3_release.scripted(PUBLISH.format(bundle=made["id"]))
        assert published(objects) == made["id"]
        (pod,) = s3_release.ready("transformer")

        def complained() -> bool:
            said = s3_release.cluster.kubectl("logs", pod, "--container", "follow")
            return graph.removeprefix(f"{PREFIX}/") in said

        wait_for("the follower says which file is damaged", complained, 60)
        time.sleep(5)
    code, _ = s3_release.tool("bundle", "rollback", sound)
    assert code == 0
    assert told.lost == []
    assert told.degraded == []
    assert {page["bundle"] for page in told.pages} == {sound}
    served(s3_release, sound)


def test_while_the_object_store_is_away_pages_go_on(s3_release, objects) -> None:
    s3_release.settle()
    with contextlib.ExitStack() as stack:
        told = stack.enter_context(load(s3_release.address, RATE))
        objects.scale(0)
        time.sleep(8)
        objects.scale(1)
        time.sleep(3)
    assert len(told.asked) > 20
    assert told.lost == []
    assert told.degraded == []


def test_retraining_goes_by_the_bucket_and_publishes_there(s3_release, objects) -> None:
    """A claim that knows no bundle is what a release has that brings none of its own."""
    s3_release.settle()
    before = published(objects)
    s3_release.scripted("import os; os.remove('/data/bundles/current.json')")
    job = f"retrain-{int(time.time())}"
    # Whichever way the gate decides.
    s3_release.job_from_retrain(job, pipeline__gate_tolerance="0.5")
    said = s3_release.finish(job, RETRAIN_SECONDS)
    assert f"{before} is here" in said["pull"]
    assert "nothing to do" not in said["pipeline"]
    assert re.search(r"^gate: (passed|REFUSED)", said["pipeline"], re.MULTILINE)
    assert s3_release.pointer()["current"] == published(objects)
