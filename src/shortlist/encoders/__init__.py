"""From what a video says of itself to a vector."""
