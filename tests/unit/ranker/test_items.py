"""The item tower: a row is the sum of what is known of a video and what it learned."""

import copy

import numpy as np
import torch


@torch.no_grad()
def test_a_row_adds_content_tags_creator_language_numbers_and_residual(micro):
    tower, features = micro.cascade().items, micro.features
    video = 7
    wanted = (
        tower.content.weight @ torch.from_numpy(features.content[video])
        + tower.tags.weight @ torch.from_numpy(features.tags[video])
        + tower.creator.weight[int(features.creator[video])]
        + tower.language.weight[int(features.language[video])]
        + tower.static.weight @ torch.from_numpy(features.static[video])
        + tower.static.bias
        + tower.residual.weight[video]
    )
    torch.testing.assert_close(tower(torch.tensor([video]))[0], wanted)
    assert tower(torch.zeros(2, 3, dtype=torch.long)).shape == (2, 3, micro.settings.width + 1)


def test_content_is_what_the_encoder_gave(micro):
    got = micro.cascade().items.unit_content(torch.tensor([[3, 4]]))
    np.testing.assert_array_equal(got[0], micro.view.content[[3, 4]])


def test_surprise_is_what_single_videos_and_creators_were_given(micro):
    tower = micro.cascade().items
    with torch.no_grad():
        tower.residual.weight.zero_()
        tower.creator.weight.zero_()
        tower.residual.weight[2, :2] = torch.tensor([3.0, 4.0])
        tower.creator.weight[1, 0] = 2.0
    assert [float(part) for part in tower.surprise()] == [25.0, 4.0]


def test_copies_share_what_never_changes_and_steps_carry_none_of_it(micro):
    tower = micro.cascade().items
    again = copy.deepcopy(tower)
    assert again.known.vectors.data_ptr() == tower.known.vectors.data_ptr()
    assert again.residual.weight.data_ptr() != tower.residual.weight.data_ptr()
    # A buffer would be sent to other processes and copied to averaged weights at each step.
    assert list(tower.buffers()) == []
