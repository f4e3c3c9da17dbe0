import numpy as np
import pyarrow as pa

from shortlist.encoders import videos as module
from shortlist.encoders.hashing import HashingEncoder
from shortlist.encoders.text import video_texts
from shortlist.encoders.videos import encode_videos
from shortlist.settings.encoders import EncodersSettings

VIDEOS = pa.table(
    {
        "title": ["Sunset harbour", None, "Cats"],
        "tags": [["sea"], [], ["cats", "city walks"]],
        "creator_id": [17, None, 4],
        "duration_seconds": [21.5, None, 90.0],
        "language": ["en", None, None],
    }
)


def test_vectors_stand_in_the_order_of_the_videos(tmp_path):
    settings = EncodersSettings(width=64)
    encoded = encode_videos(VIDEOS, settings, tmp_path)
    assert encoded.vectors.tobytes() == HashingEncoder(64).encode(video_texts(VIDEOS)).tobytes()
    assert encode_videos(VIDEOS, settings, tmp_path).reused == 3


def test_shards_of_a_catalogue_agree_with_the_whole(tmp_path):
    settings = EncodersSettings()
    whole = encode_videos(VIDEOS, settings, tmp_path / "whole").vectors
    parts = [
        encode_videos(VIDEOS.slice(i, 1), settings, tmp_path / str(i)).vectors for i in range(3)
    ]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_a_transformer_is_chosen_by_name_and_cached_alike(bert, tmp_path):
    settings = EncodersSettings(kind="transformers", model=str(bert))
    first = encode_videos(VIDEOS, settings, tmp_path / "cache")
    second = encode_videos(VIDEOS, settings, tmp_path / "cache")
    assert first.vectors.shape == (3, 24)
    assert (first.reused, second.reused) == (0, 3)
    assert second.vectors.tobytes() == first.vectors.tobytes()
    assert first.encoder_key.startswith("transformers/")


def test_a_batch_larger_than_a_step_is_handed_over_whole(tmp_path, monkeypatch):
    sizes = []

    class Recording(HashingEncoder):
        def encode(self, texts):
            sizes.append(len(texts))
            return super().encode(texts)

    monkeypatch.setattr(module, "HashingEncoder", Recording)
    many = pa.table({name: VIDEOS[name].take([0] * 700) for name in VIDEOS.column_names})
    many = many.set_column(0, "title", pa.array([f"part {i}" for i in range(700)]))
    encode_videos(many, EncodersSettings(batch_size=600), tmp_path)
    assert sizes[-2:] == [600, 100]
