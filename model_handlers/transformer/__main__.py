"""``python -m model_handlers.transformer``: the transformer's process."""

import sys

from model_handlers.transformer.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
