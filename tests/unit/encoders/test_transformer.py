import json
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, RobertaConfig, RobertaModel

from shortlist.encoders import transformer
from shortlist.encoders.transformer import TransformerEncoder
from shortlist.errors import InputError, NotFoundError

TEXTS = [
    "title: cats",
    "title: sunset harbour part 2\ntags: sea, city walks\nduration: 15 to 30 seconds",
    "creator: 17",
    "title: cats cats cats cats",
    "tags: sea",
]


def configure(bert: Path, **changed: object) -> None:
    file = bert / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def test_width_is_read_from_the_model(bert):
    encoder = TransformerEncoder(str(bert))
    assert encoder.width == 24
    vectors = encoder.encode(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((5, 24), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_neither_batch_size_nor_order_matters(bert):
    vectors = TransformerEncoder(str(bert), batch_size=64).encode(TEXTS)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.1
    for size in (1, 2):
        encoder = TransformerEncoder(str(bert), batch_size=size)
        assert encoder.encode(TEXTS) == pytest.approx(vectors, abs=1e-5)
        assert encoder.encode(TEXTS[::-1])[::-1] == pytest.approx(vectors, abs=1e-5)


def test_a_vector_is_the_mean_over_tokens_and_not_over_padding(bert):
    tokens = AutoTokenizer.from_pretrained(bert)(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        states = AutoModel.from_pretrained(bert).eval()(**tokens).last_hidden_state[0].numpy()
    by_hand = states.mean(axis=0) / np.linalg.norm(states.mean(axis=0))
    assert TransformerEncoder(str(bert)).encode(TEXTS)[0] == pytest.approx(by_hand, abs=1e-5)


def test_texts_are_cut_at_the_models_own_maximum(bert):
    # 32 places, two of them for the marks at both ends.
    long, longer = TransformerEncoder(str(bert)).encode(["sea " * 30, "sea " * 300])
    assert longer == pytest.approx(long, abs=1e-5)


def test_a_tokenizer_without_a_maximum_is_held_to_the_places_of_the_model(bert):
    file = bert / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_max_length": int(1e30)}))
    assert np.isfinite(TransformerEncoder(str(bert)).encode(["sea " * 300])).all()


def test_places_that_roberta_keeps_for_padding_are_not_counted(bert):
    config = RobertaConfig(
        vocab_size=200,
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=18,
        pad_token_id=0,
    )
    RobertaModel(config).save_pretrained(bert)
    long, longer = TransformerEncoder(str(bert)).encode(["sea " * 15, "sea " * 300])
    assert longer == pytest.approx(long, abs=1e-5)


def test_an_empty_text_has_the_first_unit_vector(bert):
    vectors = TransformerEncoder(str(bert)).encode(["", TEXTS[0], " \n"])
    assert vectors[0].tolist() == vectors[2].tolist() == [1.0] + [0.0] * 23
    assert TransformerEncoder(str(bert)).encode([]).shape == (0, 24)


def test_the_key_follows_the_files_that_are_read(bert, tmp_path):
    key = TransformerEncoder(str(bert)).key
    (bert / "README.md").write_text("about")
    moved = shutil.copytree(bert, tmp_path / "elsewhere")
    assert TransformerEncoder(str(moved)).key == key
    weights = bytearray((bert / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (bert / "model.safetensors").write_bytes(weights)
    assert TransformerEncoder(str(bert)).key != key


def test_checkpoints_of_half_precision_are_computed_in_float32(bert):
    AutoModel.from_pretrained(bert).half().save_pretrained(bert)
    vectors = TransformerEncoder(str(bert), batch_size=1).encode(TEXTS)
    assert TransformerEncoder(str(bert)).encode(TEXTS) == pytest.approx(vectors, abs=1e-5)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda bert: (bert / "config.json").unlink(), "it has no configuration"),
        (lambda bert: (bert / "model.safetensors").unlink(), "it has no weights"),
        (lambda bert: (bert / "tokenizer.json").unlink(), "it has no vocabulary"),
        (
            lambda bert: (bert / "model.safetensors").rename(bert / "pytorch_model.bin"),
            r"it has no weights \(model\*\.safetensors\)",
        ),
        (lambda bert: (bert / "config.json").write_text("{"), "cannot be loaded"),
        (lambda bert: (bert / "model.safetensors").write_bytes(b"torn"), "cannot be loaded"),
        (lambda bert: (bert / "tokenizer.json").write_text("{"), "cannot be loaded"),
        (lambda bert: configure(bert, model_type="no such"), "cannot be loaded"),
        (lambda bert: configure(bert, hidden_size=48), "cannot be loaded"),
        (lambda bert: configure(bert, num_hidden_layers=3), "lacks the weights of encoder.layer.2"),
        (
            lambda bert: (bert / "config.json").write_text('{"model_type": "t5"}'),
            "is a t5, not an encoder",
        ),
    ],
)
def test_what_is_not_an_encoder_is_refused_with_value_and_remedy(bert, damage, message):
    damage(bert)
    with pytest.raises(InputError, match=message) as refusal:
        TransformerEncoder(str(bert)).encode(TEXTS)
    assert str(bert) in str(refusal.value)
    assert "set encoders.model" in str(refusal.value)


def test_a_tokenizer_of_another_model_is_refused(bert):
    AutoTokenizer.from_pretrained(bert).save_pretrained(bert)
    smaller = RobertaConfig(
        vocab_size=20,
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=34,
        pad_token_id=0,
    )
    RobertaModel(smaller).save_pretrained(bert)
    with pytest.raises(InputError, match="tokens for weights of 20"):
        TransformerEncoder(str(bert)).encode(TEXTS)


def test_code_that_comes_with_a_model_is_not_run(bert, tmp_path):
    (bert / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    configure(bert, model_type="evil", auto_map={"AutoConfig": "evil.C", "AutoModel": "evil.M"})
    with pytest.raises(InputError, match="cannot be loaded"):
        TransformerEncoder(str(bert))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["/no/such/directory", "models/of/mine", "two words"])
def test_what_is_neither_a_directory_nor_a_hub_name_is_not_found(name):
    with pytest.raises(NotFoundError, match=f"encoders.model '{name}' is neither a directory"):
        TransformerEncoder(name)


def test_an_unreachable_hub_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        NotFoundError, match="'someone/model' is not a local directory, and the hub"
    ):
        TransformerEncoder("someone/model")


def test_a_hub_model_is_fetched_without_pickles_and_then_like_a_directory(bert, monkeypatch):
    asked = {}

    def fetch(name: str, **options: object) -> str:
        asked.update(options, name=name)
        return str(bert)

    monkeypatch.setattr(transformer, "snapshot_download", fetch)
    encoder = TransformerEncoder("someone/model", revision="v2")
    assert encoder.key == TransformerEncoder(str(bert)).key
    assert (asked["name"], asked["revision"]) == ("someone/model", "v2")
    assert not any("bin" in pattern or ".py" in pattern for pattern in asked["allow_patterns"])
