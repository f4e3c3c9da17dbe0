"""The ranker: a history encoder, a pre-rank over all candidates and a transformer over the best."""
