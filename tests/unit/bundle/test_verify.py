"""A bundle that is not byte for byte what was written is refused by the name of the file."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shortlist.bundle import open_bundle
from shortlist.errors import CorruptError, NotFoundError

UNHASHED = "run.json"


def rewritten(path: Path, content: bytes) -> None:
    """Replace a file that may be a link shared with its source."""
    path.unlink()
    path.write_bytes(content)


def files(bundle: Path) -> list[str]:
    return sorted(
        path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()
    )


def test_any_edited_bit_of_any_file_but_the_sidecar_is_noticed_and_its_file_named(workshop):
    bundle = workshop.bundle("one").path
    names = [name for name in files(bundle) if name != UNHASHED]
    assert len(names) == 5
    for name in names:
        whole = (bundle / name).read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            edited = bytearray(whole)
            edited[place] ^= 1
            rewritten(bundle / name, bytes(edited))
            with pytest.raises(CorruptError, match=f"{bundle / name} "):
                open_bundle(bundle)
        rewritten(bundle / name, whole)
    open_bundle(bundle)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_edit_of_the_manifest_passes(workshop, data):
    path = workshop.bundle("one").path / "bundle.json"
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    cut = data.draw(st.integers(0, 5))
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 + cut :])
    try:
        with pytest.raises(CorruptError, match=f"{path} is refused"):
            open_bundle(path.parent)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda b: (b / "recall/table.npy").unlink(), "recall/table.npy is missing; make or copy"),
        (lambda b: (b / "model_card.md").unlink(), "model_card.md is missing"),
        (lambda b: (b / "bundle.json").unlink(), "bundle.json is missing"),
        (lambda b: shutil.rmtree(b / "ranker"), "ranker/deep/net.onnx is missing"),
        (
            lambda b: rewritten(b / "recall/table.npy", b"cou"),
            "recall/table.npy is torn: 3 bytes, bundle.json says 6",
        ),
        (
            lambda b: rewritten(b / "recall/table.npy", b"counts!"),
            "recall/table.npy is edited: 7 bytes, bundle.json says 6",
        ),
        (lambda b: rewritten(b / "recall/table.npy", b"Counts"), "recall/table.npy was edited"),
        (lambda b: (b / "model_card.md").write_text("better"), "model_card.md was edited"),
        (lambda b: (b / "recall/more.npy").touch(), "recall/more.npy is foreign"),
        (lambda b: (b / "notes.txt").touch(), "notes.txt is foreign"),
        (lambda b: (b / "slate").mkdir(), "slate is foreign"),
        (lambda b: (b / "ranker/bundle.json").touch(), "ranker/bundle.json is foreign"),
    ],
)
def test_what_happened_to_a_file_is_said_with_a_remedy(workshop, spoil, sentence):
    bundle = workshop.bundle("one").path
    spoil(bundle)
    with pytest.raises(CorruptError, match=sentence) as caught:
        open_bundle(bundle)
    assert "shortlist bundle rollback" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_link_is_refused_wherever_it_leads(workshop, tmp_path):
    bundle = workshop.bundle("one").path
    for name in ("recall/table.npy", "model_card.md", "run.json", "bundle.json", "recall"):
        kept = tmp_path / "kept"
        (bundle / name).rename(kept)
        (bundle / name).symlink_to(kept)
        with pytest.raises(CorruptError, match=f"{bundle / name} is (a link|foreign)"):
            open_bundle(bundle)
        (bundle / name).unlink()
        kept.rename(bundle / name)
    open_bundle(bundle)


def test_a_pipe_in_the_place_of_a_file_does_not_hold_the_reader_up(workshop):
    bundle = workshop.bundle("one").path
    (bundle / "recall" / "table.npy").unlink()
    os.mkfifo(bundle / "recall" / "table.npy")
    with pytest.raises(CorruptError, match=r"table\.npy is no plain file"):
        open_bundle(bundle)


def test_a_manifest_that_names_a_path_outside_is_refused_though_its_hashes_hold(workshop):
    bundle = workshop.bundle("one").path
    values = json.loads((bundle / "bundle.json").read_bytes())
    values["files"][0]["path"] = "../outside"
    (bundle / "bundle.json").write_text(json.dumps(values, indent=2) + "\n")
    with pytest.raises(CorruptError, match=r"'\.\./outside' does not lie in a part"):
        open_bundle(bundle)


def test_a_whole_bundle_under_the_id_of_another_is_foreign(workshop):
    one, two = workshop.bundle("one"), workshop.bundle("two")
    shutil.rmtree(one.path)
    shutil.copytree(two.path, one.path)
    with pytest.raises(CorruptError, match=f"{one.path} holds bundle {two.id}, not {one.id}"):
        open_bundle(one.path)


def test_a_mounted_bundle_may_have_any_name_and_be_reached_by_a_link(workshop, tmp_path):
    bundle = workshop.bundle("one")
    shutil.copytree(bundle.path, tmp_path / "model")
    (tmp_path / "mount").symlink_to(tmp_path / "model")
    found = open_bundle(tmp_path / "mount", expected=bundle.id)
    assert found.manifest == bundle.manifest
    assert found.part("recall") == tmp_path / "mount" / "recall"
    with pytest.raises(CorruptError, match=f"holds bundle {bundle.id}, not {'0' * 32}"):
        open_bundle(tmp_path / "mount", expected="0" * 32)


def test_without_verification_the_manifest_alone_is_held(workshop):
    bundle = workshop.bundle("one")
    rewritten(bundle.path / "recall" / "table.npy", b"Counts")
    assert open_bundle(bundle.path, verify=False).manifest == bundle.manifest
    (bundle.path / "bundle.json").write_text("{}")
    with pytest.raises(CorruptError, match=r"bundle\.json is refused"):
        open_bundle(bundle.path, verify=False)


def test_what_cannot_be_read_is_said_with_the_words_of_the_system(workshop, monkeypatch):
    bundle = workshop.bundle("one")

    def refuse(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shortlist.bundle.verify.file_digest", refuse)
    with pytest.raises(CorruptError, match=r"model_card\.md cannot be read \(Permission denied\)"):
        open_bundle(bundle.path)


def test_no_bundle_and_no_part_are_one_sentence(workshop, tmp_path):
    with pytest.raises(NotFoundError, match=r"no bundle at .*none; `shortlist bundle list`"):
        open_bundle(tmp_path / "none")
    with pytest.raises(NotFoundError, match="no part 'slate'; it has items, ranker, recall"):
        workshop.bundle("one").part("slate")
