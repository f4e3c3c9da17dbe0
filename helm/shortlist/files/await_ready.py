"""Wait until pages can be made: python - ADDRESS."""

import json
import sys
import time
import urllib.error
import urllib.request

last = ""
while True:
    try:
        with urllib.request.urlopen(sys.argv[1] + "/v2/health/ready", timeout=5) as answer:
            print("ready:", json.load(answer))
            break
    except urllib.error.HTTPError as error:
        why = error.read().decode(errors="replace")
    except (OSError, ValueError) as error:
        why = str(error)
    if why != last:
        print("not yet:", why, flush=True)
    last = why
    time.sleep(1)
