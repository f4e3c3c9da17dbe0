"""A module of torch becomes an ONNX file: free axes, no code, no trace of the machine.

By the exporter that runs a module once and notes its operators. The one of `torch.export` takes
thirty times as long for the same graphs, nearly all of it for the algebra of free axes.
"""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import Tensor, nn

_OPSET: Final = 18
_Guess: Final = torch.jit.TracerWarning  # type: ignore[attr-defined]


def write_graph(
    graph: nn.Module,
    sample: Mapping[str, Tensor],
    axes: Mapping[str, Mapping[int, str]],
    outputs: Sequence[str],
    path: Path,
) -> None:
    """Trace a module and write it; equal modules give equal bytes on every machine.

    Args:
        graph: in evaluation mode.
        sample: its inputs by name, in their order; no free axis may be of length 0 or 1 here.
        axes: names of the free axes of inputs and outputs; axes of equal length share a name.
        outputs: names of what it returns.
        path: file to write.

    Raises:
        torch.onnx.errors.OnnxExporterError: an operator has no counterpart, or what the module
            does hangs on the values of its inputs, of which a graph of one run knows nothing.
    """
    written = io.BytesIO()
    with _watched():
        torch.onnx.export(
            graph,
            tuple(sample.values()),
            written,  # type: ignore[arg-type]
            input_names=list(sample),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes.get(name, {})) for name in (*sample, *outputs)},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(written.getvalue())
    path.write_bytes(_bare(model).SerializeToString(deterministic=True))


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
def _watched() -> Iterator[None]:
    """Without the exporter's remarks about itself; where it would guess, it is an error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", _Guess)
        warnings.simplefilter("ignore", DeprecationWarning)
        # What it leaves unfolded is folded by whoever runs the graph.
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        yield
    for one in told:
        if issubclass(one.category, _Guess):
            raise torch.onnx.errors.OnnxExporterError(str(one.message))
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
