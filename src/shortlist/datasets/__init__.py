"""Logs: their schema, their store on disk, and the arrays that models are fitted to."""
