"""Asks for patterns over HTTP, under the roll-out, and goes on without them: Python's own library is all that it needs.

    GANGLION_URL=http://127.0.0.1:8787 GANGLION_TOKEN=... python3 asker.py TestWriter
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

EDGE = os.environ.get("GANGLION_URL", "http://127.0.0.1:8787") + "/v1/default"
TOPIC = "dev.archon-intelligence.intelligence.code-analysis-requested.v1"
SOURCE_PATH = "node_*_effect.py"
LIMIT_S = 5.0
MASK = 0xFFFFFFFF


def place_of_key(key: str) -> float:
    """From 0 to below 100, always the same for a key: a share of 10 % is the keys below 10."""
    value = 0x811C9DC5
    for byte in key.encode():
        value = ((value ^ byte) * 0x01000193) & MASK
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & MASK
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & MASK
    return (value ^ (value >> 16)) / 2**32 * 100


def post(path: str, body: dict, limit_s: float) -> dict:
    headers = {"Authorization": f"Bearer {os.environ['GANGLION_TOKEN']}", "Content-Type": "application/json"}
    request = urllib.request.Request(EDGE + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=limit_s) as answer:
        return json.load(answer)


class Rollout:
    """Knows the share, and reports what was measured. A program that asks often reports every ten seconds."""

    def __init__(self) -> None:
        self.reporter = str(uuid.uuid4())
        self.number = 0
        self.state = {"share": 100, "version": 0}

    def report(self, **arms: dict) -> None:
        self.number += 1
        head = {"reporter": self.reporter, "number": self.number, "version": self.state["version"]}
        try:
            self.state = post("/intelligence/outcomes", {**head, **arms}, 2)
        except OSError as error:
            print(f"the roll-out is not known: {error}", file=sys.stderr)


def discover(correlation_id: str) -> tuple[list, dict]:
    """Patterns, and what the request adds to the figures of the live arm."""
    payload = {"source_path": SOURCE_PATH, "operation_type": "PATTERN_EXTRACTION"}
    event = {"event_type": "code_analysis_requested", "correlation_id": correlation_id, "payload": payload}
    call = {"recipient": "*", "type": TOPIC, "payload": event, "require_responder": True}
    try:
        answer = post("/queues/intelligence/calls", {**call, "timeout_ms": int(LIMIT_S * 1000)}, LIMIT_S + 1)["result"]
    except urllib.error.HTTPError as error:
        refused = error.code in (401, 403)
        kind = "timeouts" if error.code == 504 else "fallbacks"
        return [], {kind: 1, "connection_errors": 1 if refused else 0}
    except OSError:
        return [], {"fallbacks": 1, "connection_errors": 1}
    if answer.get("correlation_id") != correlation_id:
        return [], {"errors": 1, "mismatches": 1}
    if "failed" in answer["event_type"].lower():
        return [], {"errors": 1}
    patterns = answer["payload"]["patterns"]
    return patterns, {"successes": 1, "patterns": len(patterns)}


def main(service: str) -> None:
    rollout = Rollout()
    rollout.report()
    if place_of_key(service) >= rollout.state["share"]:
        print(json.dumps({"asked": False, "patterns": []}))
        rollout.report(library={"successes": 1, "latency_ms": [[0.1, 1]], "confidence": {"sum": 0.7, "squares": 0.49}})
        return
    started = time.monotonic()
    patterns, counts = discover(str(uuid.uuid4()))
    took_ms = (time.monotonic() - started) * 1000
    trust = max([0.9, *(pattern["confidence"] for pattern in patterns)]) if patterns else 0.7
    print(json.dumps({"asked": True, "patterns": [pattern["file_path"] for pattern in patterns]}))
    rollout.report(live={**counts, "latency_ms": [[took_ms, 1]], "confidence": {"sum": trust, "squares": trust**2}})


if __name__ == "__main__":
    main(sys.argv[1])
