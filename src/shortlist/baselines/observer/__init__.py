"""The informed observer: the world's own equations, fitted to what a recommender may see."""
