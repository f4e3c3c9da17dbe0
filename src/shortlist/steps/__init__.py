"""The pipeline's steps: what each depends on, and doing it once."""
