"""A BERT of two layers with random weights and the smallest vocabulary that does, saved to disk."""

import shutil
from pathlib import Path

import pytest

WORDS = "title tags creator duration language cats sea sunset harbour part city walks seconds to"


@pytest.fixture(scope="session")
def _bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    directory = tmp_path_factory.mktemp("bert")
    letters = [
        mark + letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789" for mark in ("", "##")
    ]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *":,.", *letters, *WORDS.split()]
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    vocabulary = {piece: place for place, piece in enumerate(pieces)}
    BertModel(config).save_pretrained(directory)
    BertTokenizer(vocab=vocabulary, model_max_length=32).save_pretrained(directory)
    return directory


@pytest.fixture
def bert(_bert: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(_bert, tmp_path / "bert"))
