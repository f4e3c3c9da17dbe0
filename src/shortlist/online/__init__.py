"""What lives in Redis: histories, features, vectors, stored lists, the blocklist, the event log."""
