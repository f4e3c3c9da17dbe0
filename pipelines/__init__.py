"""The Kubeflow pipeline: its definition, its compiled form, and how it gets to a server."""
