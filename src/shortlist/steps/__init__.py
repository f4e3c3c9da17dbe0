"""The steps from logs to a published bundle; what is unchanged is found, not repeated."""
