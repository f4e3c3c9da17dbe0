"""How good a recommender is: on logs, and against the truth where there is one."""
