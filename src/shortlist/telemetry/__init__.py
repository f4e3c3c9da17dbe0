"""Telemetry: metrics, logs and traces of serving, each declared once."""
