"""What serving costs and holds: each benchmark starts the whole service on this machine."""
