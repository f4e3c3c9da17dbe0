"""The wire: what crosses between client, transformer and predictor, as typed messages."""
