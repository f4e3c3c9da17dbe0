"""Attention looks back: what each place and each day costs, and that padding is not there."""

import math

import pytest
import torch

from shortlist.ranker.attention import BY_DAY, BY_PLACE, HEADS, Attention, Block, looking_back


def test_each_head_pays_its_slopes_for_places_and_days():
    places = torch.tensor([[[3.0, 0.0]]])
    days = torch.tensor([[[2.0, 0.0]]])
    bias = looking_back(places, days, torch.ones(1, 1, 2, dtype=torch.bool))
    assert bias.shape == (1, HEADS, 1, 2)
    for head in range(HEADS):
        paid = BY_PLACE[head] * 3.0 + BY_DAY[head] * 2.0
        assert bias[0, head, 0].tolist() == pytest.approx([-paid, 0.0])


def test_what_is_not_visible_has_no_share():
    visible = torch.tensor([[[True, False, True]]])
    bias = looking_back(torch.zeros(1, 1, 3), torch.zeros(1, 1, 3), visible)
    assert bias[0, :, 0, 1].tolist() == [-math.inf] * HEADS
    torch.manual_seed(0)
    attention = Attention(16).eval()
    query, keys = torch.randn(1, 1, 16), torch.randn(1, 3, 16)
    moved = keys.clone()
    moved[:, 1] += 5.0
    torch.testing.assert_close(attention(query, keys, bias), attention(query, moved, bias))
    moved[:, 2] += 5.0
    assert not torch.allclose(attention(query, keys, bias), attention(query, moved, bias))


def test_equal_keys_are_attended_by_the_softmax_of_biases():
    attention = Attention(16)
    with torch.no_grad():
        for layer in (attention.query, attention.key_value, attention.out):
            layer.weight.zero_()
            layer.bias.zero_()
        # Values are the keys themselves, and all keys are as near to every query.
        attention.key_value.weight[16:] = torch.eye(16)
        attention.out.weight[:] = torch.eye(16)
    places = torch.tensor([[[7.0, 1.0]]])
    bias = looking_back(places, torch.zeros(1, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool))
    keys = torch.stack([torch.zeros(16), torch.ones(16)])[None]
    got = attention(torch.randn(1, 1, 16), keys, bias)[0, 0].unflatten(0, (HEADS, -1))
    for head, slope in enumerate(BY_PLACE):
        nearer = 1.0 / (1.0 + math.exp(-6.0 * slope))
        assert got[head].tolist() == pytest.approx([nearer] * 4)


def test_a_block_adds_to_its_states():
    block = Block(16, dropout=0.0).eval()
    with torch.no_grad():
        for weight in (*block.attention.out.parameters(), *block.dense[-1].parameters()):
            weight.zero_()
    states = torch.randn(2, 3, 16)
    read = block(states, torch.randn(2, 5, 16), torch.zeros(2, HEADS, 3, 5))
    torch.testing.assert_close(read, states)
