"""The page: ten videos drawn from the ranked candidates, diverse, by rules, each with a reason."""
