"""The same agent as fleet-client.ts, in Python."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../python/src"))

from ganglion import Client, LimitRefused  # noqa: E402

agent, usd = os.environ["FLEET_AGENT"], float(os.environ["FLEET_USD"])
until = float(os.environ["FLEET_UNTIL"]) / 1000


def ask():
    request = urllib.request.Request(os.environ["FLEET_PROVIDER"], method="POST", data=b"")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


def soon():
    return datetime.fromtimestamp(time.time() + 60, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


end = "the time is over"
with Client() as client:
    while time.time() < until:
        try:
            with client.limit("provider", usd=usd, agent=agent, patience=2) as held:
                status, headers, body = ask()
                held.used(usd=body["cost"])
                if status == 429:
                    held.refused(retry_after_seconds=float(headers["Retry-After"]), reason="too many requests")
        except LimitRefused as refused:
            # The reset of the provider is seconds away, the end of the day hours.
            closed_until = refused.answer.get("closed_until")
            if closed_until is not None and closed_until > soon():
                end = refused.answer["why"]
                break
print(json.dumps({"agent": agent, "end": end}))
