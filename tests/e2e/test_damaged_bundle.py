"""A published bundle with one wrong byte is served by nobody, who runs or who starts."""

import json
import time
from collections.abc import Iterator

import pytest
from cluster import wait_for  # type: ignore[import-not-found]
from traffic import load  # type: ignore[import-not-found]

RATE = 6
SECONDS = 10

# As sound as the published one, by its manifest: then one byte of a graph is turned.
DAMAGE = """
import json, shutil
from pathlib import Path
from shortlist.bundle import BundleStore
from shortlist.bundle.manifest import MANIFEST, Contents, Manifest
from shortlist.files import file_digest

store = BundleStore(Path("/data/bundles"))
sound = store.serving()
told = {name: getattr(sound.manifest, name) for name in Contents.model_fields}
told["measured"] = {**told["measured"], "made for a test": 1.0}
manifest = Manifest.of(Contents(**told), file_digest(sound.path / "model_card.md"))
target = store.root / manifest.id
shutil.copytree(sound.path, target)
(target / MANIFEST).write_bytes(manifest.wire())
store.open(manifest.id)
graph = sorted(target.glob("ranker/*.onnx"))[0]
content = bytearray(graph.read_bytes())
content[len(content) // 2] ^= 1
graph.write_bytes(content)
print(json.dumps({"id": manifest.id, "file": graph.name}))
"""
# As somebody does who edits the pointer by hand, since no verb does it.
POINT = """
from pathlib import Path
from shortlist.bundle.pointer import PointerFile
file = PointerFile(Path("/data/bundles"))
file.put(file.read().published("{bundle}"))
"""
MEND = """
import shutil
from pathlib import Path
Path("/data/bundles/current.json").write_text({pointer!r})
shutil.rmtree("/data/bundles/{bundle}")
"""


@pytest.fixture
def damaged(shortlist) -> Iterator[dict[str, str]]:
    """A bundle with a wrong byte, published by hand; afterwards all is as before."""
    before = shortlist.scripted("print(open('/data/bundles/current.json').read(), end='')")
    made = json.loads(shortlist.scripted(DAMAGE))
    yield made
    shortlist.scripted(MEND.format(pointer=before, bundle=made["id"]))
    shortlist.settle()


def health(shortlist, address: str) -> dict[str, str]:
    answer = shortlist.ask("GET", "/v2/health/ready", at=address)
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


def test_a_bundle_with_a_wrong_byte_never_serves(shortlist, damaged) -> None:
    sound = shortlist.pointer()["current"]
    code, said = shortlist.tool("bundle", "verify", damaged["id"], failing=True)
    assert code == 70
    assert f"ranker/{damaged['file']}" in said
    with load(shortlist.address, RATE) as told:
        shortlist.scripted(POINT.format(bundle=damaged["id"]))
        with shortlist.each_transformer() as addresses:
            for address in addresses:
                wait_for(
                    f"the bundle is refused at {address}",
                    lambda at=address: health(shortlist, at).get("refused"),
                    60,
                )
                seen = health(shortlist, address)
                assert (seen["bundle"], seen["wanted"]) == (sound, damaged["id"])
                assert damaged["id"] in seen["refused"]
        # Callers are told no path; whoever runs it reads which file it is.
        for pod in shortlist.ready("transformer"):
            logged = shortlist.cluster.kubectl("logs", pod, "--container", "kserve-container")
            assert f"{damaged['id']}/ranker/{damaged['file']}" in logged
        time.sleep(SECONDS)
        # Those that start now take the bundle before, which is whole.
        doomed = [shortlist.ready(one)[0] for one in ("transformer", "predictor")]
        for pod in doomed:
            shortlist.cluster.kubectl("delete", "pod", pod, "--wait=true", seconds=180)
        shortlist.settle()
        time.sleep(3)
    assert told.lost == []
    assert told.degraded == []
    assert {page["bundle"] for page in told.pages} == {sound}
    for pod in shortlist.ready("transformer"):
        assert shortlist.metric(pod, 'shortlist_publications_total{outcome="refused"}') == 1
