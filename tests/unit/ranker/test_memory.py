"""What a user's watches add up to, and how it fades."""

import math

import torch

from shortlist.datasets.events import Kind
from shortlist.ranker.memory import SILENT, Memory


def remembering() -> Memory:
    """Of a half-life of one watch; skips are no watches."""
    memory = Memory(2, 3)
    with torch.no_grad():
        memory.fading.fill_(math.log(math.log(2.0)))
        memory.kind.weight[Kind.SKIP] = 2 * SILENT
        memory.worth.weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]))
        memory.worth.bias.zero_()
        memory.vector.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        memory.nobody.copy_(torch.tensor([7.0, -1.0]))
    return memory


def test_a_memory_adds_up_what_fades_with_every_later_watch():
    rows = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, math.log(3.0)], [9.0, 9.0, 0.0]]])
    seen = torch.tensor([[[True, True, False], [True, True, True]]])
    told = remembering()(rows, torch.full((1, 3), Kind.CLICK), seen)
    expected = torch.tensor([[[0.5, 3.0, 0.0], [9.25, 10.5, 0.0]]])
    assert torch.allclose(told, expected)


def test_what_was_declined_is_not_remembered_and_nothing_fades_for_it():
    rows = torch.tensor([[[1.0, 0.0, 0.0], [5.0, 5.0, 1.0], [0.0, 1.0, 0.0]]])
    kinds = torch.tensor([[Kind.CLICK, Kind.SKIP, Kind.LIKE]])
    seen = torch.tensor([[[False, True, False], [True, True, True]]])
    told = remembering()(rows, kinds, seen)
    assert torch.allclose(told, torch.tensor([[[7.0, -1.0, 0.0], [0.5, 1.0, 0.0]]]))


def test_who_saw_nothing_remembers_what_nobody_does():
    seen = torch.tensor([[[False], [True]]])
    told = remembering()(torch.zeros(1, 1, 3), torch.full((1, 1), Kind.CLICK), seen)
    assert torch.equal(told, torch.tensor([[[7.0, -1.0, 0.0], [0.0, 0.0, 0.0]]]))
