"""Candidates: up to a thousand videos that a user might want, from four sources."""
