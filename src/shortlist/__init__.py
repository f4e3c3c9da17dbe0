"""Shortlist: a short-video recommender that runs as one system."""

__version__ = "0.1.0"
