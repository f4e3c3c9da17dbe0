"""What the offline encoder gives up by learning nothing: probes of its vectors beside fitted ones.

A probe is a ridge regression from vectors to a video's main tag (60 of them) and to its place in
the space of taste, fitted on 8,000 videos of a synthetic world and judged on 4,000 others.

    python benchmarks/offline_encoder.py [FILE.json]
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from shortlist.encoders import hashing
from shortlist.encoders.protocol import unit_rows
from shortlist.encoders.text import video_texts
from shortlist.settings.world import WorldSettings
from shortlist.world.world import make_world

Matrix = npt.NDArray[np.float32]

TRAIN, TEST, SEED = 8_000, 4_000, 7
RIDGE = 1.0


def bags(texts: list[str]) -> sp.csr_matrix:
    """The weighted tokens before any reduction, one column per distinct token."""
    places: dict[str, int] = {}
    rows = [
        (row, places.setdefault(token, len(places)), weight)
        for row, text in enumerate(texts)
        for token, weight in hashing.weighted_tokens(text)
    ]
    row, column, weight = zip(*rows, strict=True)
    return sp.csr_matrix((weight, (row, column)), shape=(len(texts), len(places)))


def hashed(texts: list[str]) -> Matrix:
    """The encoder itself."""
    return hashing.HashingEncoder(768).encode(texts)


def fitted(texts: list[str], inverse_frequency: bool) -> Matrix:
    """The same bags, reduced by a truncated SVD of this very catalogue."""
    matrix = bags(texts)
    if inverse_frequency:
        matrix = TfidfTransformer().fit_transform(matrix)
    return unit_rows(TruncatedSVD(768, n_iter=3, random_state=SEED).fit_transform(matrix))


def probe(vectors: Matrix, tag: npt.NDArray[np.int64], taste: Matrix) -> tuple[float, float]:
    """Share of main tags found, and share of the variance of taste explained, on unseen videos."""
    order = np.random.default_rng(SEED).permutation(len(vectors))
    seen, unseen = order[:TRAIN], order[TRAIN:]
    target = np.concatenate([np.eye(tag.max() + 1)[tag], taste], axis=1)
    middle, level = vectors[seen].mean(axis=0), target[seen].mean(axis=0)
    inputs = (vectors[seen] - middle).astype(np.float64)
    gram = inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, inputs.T @ (target[seen] - level))
    guess = (vectors[unseen] - middle) @ weights + level
    tags = taste.shape[1]
    found = float((guess[:, :-tags].argmax(axis=1) == tag[unseen]).mean())
    left = np.square(guess[:, -tags:] - taste[unseen]).mean()
    return found, float(1 - left / taste[unseen].var())


def main() -> None:
    """Print the table; write it as JSON where a file is named."""
    count = TRAIN + TEST
    world = make_world(WorldSettings(users=2, videos=count, creators=count // 10), SEED)
    texts = video_texts(world.videos_table())
    ways = {
        "hashed (the encoder)": lambda: hashed(texts),
        "the same bags, SVD fitted to the catalogue": lambda: fitted(texts, False),
        "the same bags with inverse frequencies, SVD fitted": lambda: fitted(texts, True),
    }
    results = []
    for name, encode in ways.items():
        start = time.process_time()
        vectors = encode()
        seconds = time.process_time() - start
        found, explained = probe(vectors, world.videos.tag, world.videos.taste)
        results.append({"way": name, "main_tag": found, "taste": explained, "cpu_s": seconds})
    table = Table("way to 768 dimensions", "main tag found", "taste explained", "CPU s")
    for row in results:
        table.add_row(
            row["way"], f"{row['main_tag']:.3f}", f"{row['taste']:.3f}", f"{row['cpu_s']:.1f}"
        )
    Console().print(table)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
