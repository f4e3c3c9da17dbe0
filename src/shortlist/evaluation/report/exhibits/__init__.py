"""Plots with words: each exhibit is a finding, a drawing at two widths, and how to read it."""
