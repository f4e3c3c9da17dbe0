"""The whole service on one machine: Redis, predictor and transformer as children of one command."""
