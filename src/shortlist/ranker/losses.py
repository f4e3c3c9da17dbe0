"""What training makes small: errors about outcomes, and sameness of what is ranked first.

On fixed embeddings a pointwise scorer gets no gradient from the distances in a list. The softmax
of the scores tells how much of the attention each video gets, so the expected distance of two
videos drawn by it is a smooth function of every score.
"""

import torch
from torch import Tensor
from torch.nn import functional


def outcome_loss(logit: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy over the known targets, 0 where none is known.

    Args:
        logit: [n].
        target: 1, 0 or NaN where unknown, [n].

    >>> outcome_loss(torch.zeros(3), torch.tensor([1.0, 0.0, float("nan")]))
    tensor(0.6931)
    """
    known = ~target.isnan()
    losses = functional.binary_cross_entropy_with_logits(
        logit, target.nan_to_num(), reduction="none"
    )
    return (losses * known).sum() / known.sum().clamp(min=1)


def watch_loss(said: Tensor, watch: Tensor) -> Tensor:
    """Negative log-likelihood of log watch seconds under a deviation of 1, less its constant.

    The mean is over all rows, of which those without known seconds add nothing: so a row's seconds
    weigh against its click as their likelihoods do.

    >>> watch_loss(torch.tensor([1.0, 5.0]), torch.tensor([3.0, float("nan")]))
    tensor(1.)
    """
    known = ~watch.isnan()
    errors = (said - watch.nan_to_num()).square() * known
    return 0.5 * errors.sum() / max(len(watch), 1)


def expected_distance(scores: Tensor, distances: Tensor, listed: Tensor) -> Tensor:
    """Expected distance of two different videos drawn from a list by the softmax of its scores.

    Args:
        scores: [b, n].
        distances: symmetric, [b, n, n].
        listed: which places hold a video, bool [b, n].

    Returns:
        The mean over lists, a scalar between the least and the greatest distance.

    >>> apart = torch.tensor([[[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]])
    >>> everything = torch.ones(1, 3, dtype=torch.bool)
    >>> expected_distance(torch.zeros(1, 3), apart, everything)
    tensor(0.6667)
    >>> expected_distance(torch.tensor([[9.0, -9.0, 9.0]]), apart, everything).round(decimals=4)
    tensor(0.)
    """
    share = torch.softmax(scores.masked_fill(~listed, float("-inf")), dim=-1)
    pairs = share[:, :, None] * share[:, None, :]
    # A video is no neighbour of itself: otherwise spreading over the list would pay by itself.
    pairs = pairs * (1.0 - torch.eye(scores.shape[1], dtype=pairs.dtype))
    return ((pairs * distances).sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1e-9)).mean()


def distances(content: Tensor) -> Tensor:
    """Cosine distances within each list of unit vectors [b, n, c], float32 [b, n, n]."""
    return 1.0 - content @ content.transpose(1, 2)
