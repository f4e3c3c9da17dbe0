"""Any encoder that `transformers` loads, from a hub name or a local directory, mean pooled.

Mean pooling over the tokens that the attention mask keeps: Reimers and Gurevych, "Sentence-BERT",
EMNLP 2019. Weights are read from safetensors only, and no code that comes with a model is run.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as chatter

from shortlist.encoders.protocol import Vectors, unit_rows
from shortlist.errors import InputError, NotFoundError
from shortlist.files import file_digest

_VERSION: Final = 1
# Configuration, vocabulary and weights; never pickles, never code.
_READ: Final = ("*.json", "*.txt", "*.model", "model*.safetensors")
# Checked here, since transformers makes up an empty vocabulary where there is none.
_NEEDED: Final = {
    "configuration": ("config.json",),
    "weights": ("model*.safetensors",),
    "vocabulary": ("tokenizer.json", "vocab.txt", "vocab.json", "*.model"),
}
_REMEDY: Final = "set encoders.model to a directory with an encoder, or encoders.kind to hashing"


class TransformerEncoder:
    """An encoder-only transformer; its weights are loaded when the first text is encoded.

    Texts are cut at the model's own maximum. Vectors depend on ``batch_size`` and on a text's
    neighbours by rounding only, below 1e-5.
    """

    def __init__(self, model: str, revision: str = "main", batch_size: int = 64) -> None:
        """Find the model and read its configuration.

        Args:
            model: a local directory, or a name on the hub, whose files are then fetched or taken
                from the hub's own cache.
            revision: branch, tag or commit of a hub model.
            batch_size: texts in one forward pass.

        Raises:
            NotFoundError: there is no such directory or hub model, or the hub cannot be reached.
            InputError: it is there, but is not an encoder with safetensors weights.
        """
        self._model_name = model
        self._batch_size = batch_size
        local = Path(model).expanduser()
        self._directory = local if local.is_dir() else _fetched(model, revision)
        for what, patterns in _NEEDED.items():
            if not any(any(self._directory.glob(pattern)) for pattern in patterns):
                raise InputError(
                    f"encoders.model {model!r} is not a transformers encoder: it has no {what} "
                    f"({' or '.join(patterns)}); {_REMEDY}"
                )
        config = self._loaded(AutoConfig)
        width = getattr(config, "hidden_size", None)
        if getattr(config, "is_encoder_decoder", False) or not isinstance(width, int):
            raise InputError(
                f"encoders.model {model!r} is a {config.model_type}, not an encoder of its own; "
                f"{_REMEDY}"
            )
        self._config = config
        self._width = width

    @property
    def width(self) -> int:
        """Length of a vector, from the model's configuration."""
        return self._width

    @cached_property
    def key(self) -> str:
        """Digest of the files that decide a vector, wherever they lie."""
        files = sorted({path for pattern in _READ for path in self._directory.glob(pattern)})
        names = "".join(f"{path.name} {file_digest(path)}\n" for path in files)
        return f"transformers/{_VERSION}/{hashlib.sha256(names.encode()).hexdigest()}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of ``texts``, float32 [n, width], rows of unit length.

        Raises:
            InputError: the weights or the tokenizer do not fit the configuration.
        """
        vectors = np.zeros((len(texts), self._width), np.float32)
        # Texts of like length together: less padding, and what memory allows shows at once.
        order = [
            i for i in np.argsort([-len(text) for text in texts], kind="stable") if texts[i].strip()
        ]
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            vectors[rows] = self._pooled([texts[i] for i in rows])
        return unit_rows(vectors)

    def _pooled(self, texts: list[str]) -> Vectors:
        network, device = self._network
        tokens = self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        ).to(device)
        with torch.inference_mode():
            states = network(**tokens).last_hidden_state.float()
        if states.shape[-1] != self._width:
            raise InputError(
                f"encoders.model {self._model_name!r} says hidden_size {self._width} but its "
                f"vectors have {states.shape[-1]}; {_REMEDY}"
            )
        mask = tokens["attention_mask"].unsqueeze(-1).float()
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1.0)
        pooled: Vectors = mean.cpu().numpy()
        return pooled

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = self._loaded(AutoTokenizer)
        if tokenizer.pad_token is None:
            raise InputError(
                f"encoders.model {self._model_name!r} cannot pad (its tokenizer has no pad token), "
                f"so it is not a sentence encoder; {_REMEDY}"
            )
        if len(tokenizer) > self._config.vocab_size:
            raise InputError(
                f"encoders.model {self._model_name!r} has a tokenizer of {len(tokenizer)} tokens "
                f"for weights of {self._config.vocab_size}; {_REMEDY}"
            )
        return tokenizer

    @cached_property
    def _network(self) -> tuple[Any, torch.device]:
        # float32 whatever the checkpoint holds, so that batches round alike.
        network, report = self._loaded(
            AutoModel, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        absent = sorted(name for name in report["missing_keys"] if "pooler" not in name)
        misfit = absent or sorted(str(entry[0]) for entry in report["mismatched_keys"])
        if misfit:
            # transformers would fill the gap with random numbers.
            raise InputError(
                f"encoders.model {self._model_name!r} lacks the weights of {misfit[0]} (and "
                f"{len(misfit) - 1} more); {_REMEDY}"
            )
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return network.eval().to(device), device

    @cached_property
    def _longest(self) -> int:
        """Tokens that the model can take."""
        limits = [self._tokenizer.model_max_length]
        places = getattr(self._config, "max_position_embeddings", None)
        if places is not None:
            limits.append(places - self._first_place(places))
        return int(min(limits))

    def _first_place(self, places: int) -> int:
        """Where positions begin: RoBERTa and its kin leave out those up to the padding's."""
        for layer in self._network[0].modules():
            is_places = isinstance(layer, torch.nn.Embedding) and layer.num_embeddings == places
            if is_places and layer.padding_idx is not None:
                return int(layer.padding_idx) + 1
        return 0

    def _loaded(self, kind: Any, **options: Any) -> Any:
        try:
            with _quiet():
                return kind.from_pretrained(
                    self._directory, local_files_only=True, trust_remote_code=False, **options
                )
        except Exception as error:  # whatever a reader of damaged files may raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(
                f"encoders.model {self._model_name!r} cannot be loaded ({reason}); {_REMEDY}"
            ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from reporting what is said here in one line, or is no fault (a pooler)."""
    level = chatter.get_verbosity()
    had_bars = chatter.is_progress_bar_enabled()
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    try:
        yield
    finally:
        chatter.set_verbosity(level)
        if had_bars:
            chatter.enable_progress_bar()


def _fetched(name: str, revision: str) -> Path:
    """The directory of a hub model, fetched unless the hub's cache on this machine has it."""
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_READ)))
    except HFValidationError as error:
        raise NotFoundError(
            f"encoders.model {name!r} is neither a directory nor a name on the hub; {_REMEDY}"
        ) from error
    except RevisionNotFoundError as error:
        raise NotFoundError(
            f"encoders.revision {revision!r} does not exist for {name!r}; set it to a branch, tag "
            "or commit of that model"
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFoundError(
            f"encoders.model {name!r} is not on the hub, or not public; {_REMEDY}"
        ) from error
    except LocalEntryNotFoundError as error:
        raise NotFoundError(
            f"encoders.model {name!r} is not a local directory, and the hub cannot be reached; "
            f"{_REMEDY}"
        ) from error
    except HfHubHTTPError as error:
        raise NotFoundError(
            f"encoders.model {name!r} could not be fetched from the hub ({error}); {_REMEDY}"
        ) from error
