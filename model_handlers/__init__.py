"""Handlers: what the model servers call, thin, and how each server is set up.

The work is in `shortlist`, which knows no server; these packages know both.
"""
