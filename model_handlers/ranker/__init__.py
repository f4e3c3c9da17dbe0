"""The predictor under TorchServe: its handler, its archive, its configuration and its probe."""
