"""Ask for a page until one comes that is not degraded, for a minute at most: python - ADDRESS."""

import json
import sys
import time
import urllib.request

SECONDS = 60
body = json.dumps({"instances": [{"user_id": 1, "page_size": 10}]}).encode()
ends = time.monotonic() + SECONDS
while True:
    try:
        request = urllib.request.Request(
            sys.argv[1] + "/v1/models/shortlist:predict",
            body,
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = json.load(answer)["predictions"][0]
        videos = [video["video_id"] for video in page["videos"]]
        said = f"bundle {page['bundle']}: {videos}, degraded by {page['degraded_by']}"
        good = len(set(videos)) == 10 and not page["degraded"]
    except (OSError, ValueError, KeyError, IndexError) as error:
        good, said = False, f"no page: {error}"
    print(said, flush=True)
    if good:
        break
    if time.monotonic() >= ends:
        sys.exit(f"no page of ten videos, made by the whole path, in {SECONDS} s")
    time.sleep(1)
