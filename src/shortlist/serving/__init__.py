"""Serving: a request becomes a page, within its budget, and whatever part fails."""
