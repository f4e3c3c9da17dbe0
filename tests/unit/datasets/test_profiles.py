import pytest

from shortlist.datasets.profiles import profile
from shortlist.datasets.store import DatasetWriter
from shortlist.errors import NotFoundError


def test_a_profile_has_the_user_and_the_last_impressions_with_their_videos(make_dataset, small):
    found = profile(make_dataset(), "1", last=2)
    assert found.user["user_id"] == 1
    assert found.impressions == 3
    history = found.history.to_pydict()
    assert history["day"] == small.days[1:]
    assert history["title"] == ["thirty", "thirty"]
    assert history["tags"] == [["a", "a"]] * 2
    assert history["duration_seconds"] == [30.0, 30.0]


def test_a_user_without_impressions_has_an_empty_history(make_dataset):
    found = profile(make_dataset(), "9", last=5)
    assert (found.impressions, found.history.num_rows) == (0, 0)
    assert "title" in found.history.column_names


@pytest.mark.parametrize(
    ("who", "message"), [("5", r"no user 5 .*from 1 to 9"), ("ann", "'ann' .* ids are numbers")]
)
def test_an_unknown_user_is_one_sentence(make_dataset, who, message):
    with pytest.raises(NotFoundError, match=message):
        profile(make_dataset(), who, last=1)


def test_names_of_the_source_go_before_ids(tmp_path, small):
    writer = DatasetWriter(tmp_path / "d", "test", "k" * 64)
    users = small.users([0, 1])
    names = ["1", "zoe"]
    at = users.schema.get_field_index("external_id")
    writer.write_users(users.set_column(at, users.schema.field(at), [names]))
    writer.write_videos(small.videos())
    writer.write_day(small.days[0], small.day(small.days[0], user_id=[1, 1]))
    dataset = writer.finish()
    assert profile(dataset, "1", 1).user["user_id"] == 0
    assert profile(dataset, "zoe", 1).impressions == 2
    with pytest.raises(NotFoundError, match=r"no user '0' .*for example '1'"):
        profile(dataset, "0", 1)
