"""The judgement made readable: an HTML page, a JSON file and a table in the terminal."""
