"""What each contestant is, in a sentence for the report."""

from typing import Final

RANDOM: Final = "random"
OBSERVER: Final = "informed-observer"
ORACLE: Final = "oracle"

DESCRIPTIONS: Final = {
    RANDOM: "A random order for each user: the floor.",
    "popularity": "Recent positives, older ones counting less: the same list for everybody.",
    "popularity-rate": "Smoothed share of impressions that became positive, alike for everybody.",
    "content": "Videos whose titles and tags resemble what the user watched.",
    "item-knn": "Videos whose audiences overlap with what the user watched.",
    "als": "Matrix factorisation of implicit feedback by alternating least squares.",
    "ease": "A linear autoencoder over videos with a closed form.",
    "weighted-ease": "The linear autoencoder over recency-weighted watches, times recent success.",
    "lightgbm": "Boosted trees that re-rank the union of the best of the others.",
    OBSERVER: "The world's own equations, fitted to what a recommender may see: the fair ceiling.",
    ORACLE: "The world's own probabilities: what no one can know.",
}
