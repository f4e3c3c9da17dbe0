"""Every setting of the system: one small typed file a room."""
