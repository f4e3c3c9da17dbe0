"""``python -m model_handlers.transformer``: the transformer's process, or several of it."""

import sys

from model_handlers.transformer.starting import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
