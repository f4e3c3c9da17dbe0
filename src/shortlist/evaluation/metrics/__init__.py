"""Figures that need lists, logs and features alone; nothing here may know the truth."""
