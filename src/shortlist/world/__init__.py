"""The synthetic world: its people, its videos, and the law by which one meets the other."""
