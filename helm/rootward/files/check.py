"""Is Rootward ready, and is a sample that is sent in there afterwards? Run by `helm test`."""

import json
import os
import sys
import time
import urllib.request

URL = os.environ["URL"]
INGEST_URL = os.environ.get("INGEST_URL", URL)
SAMPLE = {"service": "helm-test", "metric": "pushed", "value": 1.0}


def ask(path, body=None, url=URL):
    headers = {"Content-Type": "application/json"}
    if os.environ.get("TOKEN"):
        headers["Authorization"] = "Bearer " + os.environ["TOKEN"].strip()
    request = urllib.request.Request(url + path, body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


ask("/readyz")
ask("/readyz", url=INGEST_URL)
if os.environ["PUSH"] != "yes":
    sys.exit(0)
sample = json.dumps({"samples": [{**SAMPLE, "time": time.time()}]}).encode()
ask("/api/v1/samples", sample, INGEST_URL)
for _ in range(30):
    if json.loads(ask("/api/v1/series?service=helm-test"))["items"]:
        sys.exit(0)
    time.sleep(1)
sys.exit("the sample was accepted and is not among the series after 30 s")
