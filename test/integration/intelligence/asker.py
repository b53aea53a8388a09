"""Asks about code over plain HTTP, with the standard library alone.

usage: asker.py [operation]...
An operation is JSON: {"ask": "patterns" | "health" | "context", ...}. Prints one line of JSON for each.
"""

import json
import os
import sys
import urllib.error
import urllib.request
import uuid

URL = os.environ["GANGLION_URL"]
TOKEN = os.environ["GANGLION_TOKEN"]
TOPIC = "dev.archon-intelligence.intelligence.code-analysis-requested.v1"


class Refused(Exception):
    def __init__(self, problem):
        super().__init__(problem["title"])
        self.problem = problem


def post(path, document):
    request = urllib.request.Request(
        f"{URL}/v1/default{path}",
        data=json.dumps(document).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error)) from error


def call(queue, type_, payload, timeout_ms):
    body = {"recipient": "*", "type": type_, "payload": payload, "timeout_ms": timeout_ms, "require_responder": True}
    return post(f"/queues/{queue}/calls", body)["result"]


def patterns(operation):
    correlation_id = str(uuid.uuid4())
    payload = {"source_path": operation["source_path"], "operation_type": "PATTERN_EXTRACTION"}
    event = {"correlation_id": correlation_id, "event_type": "code_analysis_requested", "payload": payload}
    answer = call(operation["queue"], TOPIC, event, operation.get("timeout_ms", 60000))
    return {
        "same_correlation_id": answer["correlation_id"] == correlation_id,
        "sent_to_responder": answer["payload"].get("request_correlation_id", correlation_id) == correlation_id,
        "patterns": [
            {key: pattern[key] for key in ("file_path", "confidence")} for pattern in answer["payload"]["patterns"]
        ],
    }


def health(operation):
    return {"healthy": call(operation["queue"], "code-analysis-health", None, 2000)["ready"]}


def context(operation):
    return post("/intelligence/context?timeout_ms=60000", operation["request"])


ASK = {"patterns": patterns, "health": health, "context": context}

for argument in sys.argv[1:]:
    operation = json.loads(argument)
    try:
        result = ASK[operation["ask"]](operation)
    except Refused as error:
        kind = error.problem["type"]
        result = {"error": "timeout" if kind == "/problems/call-timed-out" else kind}
    print(json.dumps(result), flush=True)
