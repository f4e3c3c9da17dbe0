"""A module of torch becomes an ONNX file: free axes, no code, no trace of the machine."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

_OPSET: Final = 18
_NOISY: Final = "torch.onnx._internal.exporter._registration"


def write_graph(
    graph: nn.Module,
    sample: Mapping[str, Tensor],
    axes: Mapping[str, Mapping[int, object]],
    outputs: Sequence[str],
    path: Path,
) -> None:
    """Trace a module and write it; equal modules give equal bytes on every machine.

    Args:
        graph: in evaluation mode.
        sample: its inputs by name, in their order; no free axis may be of length 0 or 1 here.
        axes: which axes of each input are free, as `torch.export.Dim` or a sum with one.
        outputs: names of what it returns.
        path: file to write.
    """
    with _plain_attention(), _quiet():
        program = torch.onnx.export(
            graph,
            tuple(sample.values()),
            input_names=list(sample),
            output_names=list(outputs),
            dynamic_shapes=tuple(dict(axes[name]) for name in sample),
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    path.write_bytes(_bare(program.model_proto).SerializeToString(deterministic=True))


def _bare(model: Any) -> Any:
    """The model without stack traces and remarks, which name files of this machine."""
    graph = model.graph
    parts = [model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer]
    for function in model.functions:
        parts += [function, *function.node, *function.value_info]
    for part in (*parts, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without torch's fast path, which the exporter cannot read."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks about itself; errors are raised as ever."""
    log = logging.getLogger(_NOISY)
    before = log.level
    # It misses torchvision, of which nothing is wanted.
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)
            # Axes of several inputs share their names on purpose.
            warnings.filterwarnings("ignore", "# The axis name: .* will not be used", UserWarning)
            yield
    finally:
        log.setLevel(before)
