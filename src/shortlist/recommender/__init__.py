"""From a user's events to a page in one process: recall, rank, slate."""
