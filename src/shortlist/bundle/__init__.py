"""The bundle: one directory, one id, everything that serving needs."""
