"""Asks about code with the Python client of the source tree.

usage: asker.py [operation]...
An operation is JSON: {"ask": "patterns" | "health" | "context", ...}. Prints one line of JSON for each.
"""

import json
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python" / "src"))

from ganglion import Client
from ganglion.intelligence import Intelligence, IntelligenceError, IntelligenceTimeout


def patterns(client, operation):
    correlation_id = str(uuid.uuid4())
    timeout = operation.get("timeout_ms", 60_000) / 1_000
    answer = Intelligence(client, queue=operation["queue"]).discover(
        operation["source_path"], timeout=timeout, correlation_id=correlation_id
    )
    return {
        # An answer under another id would not have been given out.
        "same_correlation_id": True,
        "sent_to_responder": answer.get("request_correlation_id", correlation_id) == correlation_id,
        "patterns": [{key: pattern[key] for key in ("file_path", "confidence")} for pattern in answer["patterns"]],
    }


def health(client, operation):
    return {"healthy": Intelligence(client, queue=operation["queue"]).health_check()}


def context(client, operation):
    return client.intelligence.gather(**operation["request"])


ASK = {"patterns": patterns, "health": health, "context": context}

with Client() as client:
    for argument in sys.argv[1:]:
        operation = json.loads(argument)
        try:
            result = ASK[operation["ask"]](client, operation)
        except IntelligenceTimeout:
            result = {"error": "timeout"}
        except IntelligenceError as error:
            result = {"error": error.fallback_reason}
        print(json.dumps(result), flush=True)
