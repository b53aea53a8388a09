"""Asking about code: what is known here, and a responder whose answers are scripted, with a real edge."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ganglion import AsyncClient, Client, SettingsError, Work
from ganglion.intelligence import (
    AsyncIntelligence,
    Intelligence,
    IntelligenceClosed,
    IntelligenceFailed,
    IntelligenceSettings,
    IntelligenceTimeout,
    IntelligenceUnavailable,
    read_intelligence_settings,
)
from ganglion.intelligence._asking import Breaker
from ganglion.intelligence._library import look_up, open_library
from ganglion.intelligence._similar import rank_similar, similarity_of
from ganglion.intelligence._words import canonical_domain, is_in_share, read_error_code, topics_of

TWO = [
    {"file_path": "nodes/node_a_effect.py", "confidence": 0.95, "description": "Stores users.", "code_snippet": "pass"},
    {"file_path": "nodes/node_b_effect.py", "confidence": 0.85, "best_practices": ["Close what you open."]},
]


@pytest.mark.parametrize(("key", "place"), [("TestWriter", 60.209385), ("a", 10.352621), ("größe", 80.324883)])
def test_a_key_is_always_on_the_same_side_of_a_share(key: str, place: float) -> None:
    assert is_in_share(key, place + 0.001) and not is_in_share(key, place - 0.001)


def test_domains_are_brought_to_their_canonical_names() -> None:
    names = ("postgres_users", "interest", "rapid", "REST-api", "KafkaQueue", "myDB", "Some Thing", "redis")
    wanted = ["database", "interest", "rapid", "api", "messaging", "database", "some_thing", "cache"]
    assert [canonical_domain(name) for name in names] == wanted


def test_similar_nodes_are_ranked_before_the_list_is_cut() -> None:
    assert similarity_of("user_store", "code/nodes/node_user_store_effect.py") == 1
    assert similarity_of("user mail", "node_mail_effect.py") == 0.25
    candidates = [{"path": path, "confidence": None} for path in ("z/node_x.py", "node_mail_effect.py", "a/user_mail.py")]
    assert [one["path"] for one in rank_similar("user_mail", candidates, 2)] == ["a/user_mail.py", "node_mail_effect.py"]


def test_the_library_answers_without_any_connection(tmp_path: Path) -> None:
    for node_type in ("EFFECT", "COMPUTE", "REDUCER", "ORCHESTRATOR"):
        assert len(look_up(open_library(None), node_type, "")["node_type_patterns"]) >= 10
    alone = Intelligence(None, on_fallback=lambda reason, message: None)
    context = alone.gather("effect", "postgres_users")
    assert (context["confidence_score"], context["rag_sources"]) == (0.7, ["builtin_pattern_library"])
    assert len(context["domain_best_practices"]) == 10 and context["fallback_reason"] == "no_client"
    unknown = alone.gather("GADGET")
    assert unknown["performance_targets"] == {"max_execution_time_ms": 1_000}
    with pytest.raises(ValueError, match="node_type"):
        alone.gather(" ")
    own = tmp_path / "own.json"
    own.write_text('{"version": 1, "node_types": {"EFFECT": {"practices": {"fax": [{"subject": "x", "rule": "Ring first."}]}}}}')
    settings = IntelligenceSettings(library=str(own), live=False)
    context = Intelligence(None, settings=settings, on_fallback=lambda reason, message: None).gather("EFFECT", "fax")
    assert context["domain_best_practices"] == ["Ring first."] and context["fallback_reason"] == "live_off"
    with pytest.raises(SettingsError, match="cannot be read"):
        open_library(str(tmp_path / "none"))


def test_variables_of_the_older_design_are_read_and_mistakes_are_named() -> None:
    env = {
        "KAFKA_REQUEST_TIMEOUT_MS": "7000",
        "ENABLE_FILESYSTEM_FALLBACK": "no",
        "GANGLION_INTELLIGENCE_ENVIRONMENT": "staging",
        "OMNIARCHON_PATH": "/code",
        "KAFKA_BOOTSTRAP_SERVERS": "localhost:29092",
        "GANGLION_INTELLIGENCE_SHARE": "12.5",
    }
    settings, problems = read_intelligence_settings(env, address="http://edge")
    assert (settings.discovery_timeout_ms, settings.analysis_timeout_ms, settings.share) == (7_000, 10_000, 12.5)
    assert settings.topic_request == topics_of("staging")[0] and settings.topic_request.startswith("staging.")
    assert (settings.paths, settings.filesystem_fallback) == (("/code",), False)
    assert [problem.where for problem in problems] == ["OMNIARCHON_PATH", "KAFKA_BOOTSTRAP_SERVERS"]
    wrong = {
        "KAFKA_REQUEST_TIMEOUT_MS": "soon",
        "KAFKA_TOPIC_REQUEST": "",
        "ENABLE_EVENT_INTELLIGENCE": "perhaps",
        "GANGLION_INTELLIGENCE_RETRIEVAL_URL": "ftp://x",
    }
    _, problems = read_intelligence_settings(wrong)
    errors = {problem.where for problem in problems if problem.severity == "error"}
    assert errors == {*wrong, "GANGLION_URL"}
    both_off = {"ENABLE_EVENT_INTELLIGENCE": "false", "ENABLE_FILESYSTEM_FALLBACK": "false"}
    assert [problem.where for problem in read_intelligence_settings(both_off)[1]] == ["ENABLE_FILESYSTEM_FALLBACK"]


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(5):
        assert breaker.admits()
        breaker.failed()
    assert not breaker.admits()
    now[0] = 10.0
    assert breaker.admits() and not breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    assert read_error_code("service-unavailable") == "BACKEND_UNAVAILABLE"


def respond(work: Work) -> Any:
    """Answers as the path of the request says."""
    if work.type == "code-analysis-health":
        return {"ready": True}
    asked = work.payload["payload"]
    path = asked["source_path"]
    answer = {"event_type": "code_analysis_completed", "correlation_id": work.payload["correlation_id"]}
    if path == "late":
        threading.Event().wait(3)
    if path == "refused":
        failed = {"error_message": "no such file", "error_code": "invalid_input", "suggested_action": "Name another."}
        return {**answer, "event_type": "code_analysis_failed", "payload": failed}
    if path == "mixed-up":
        return {**answer, "correlation_id": "another", "payload": {}}
    if path == "odd":
        return {**answer, "event_type": "code_analysis_dreamt", "payload": {}}
    if asked["operation_type"] != "PATTERN_EXTRACTION":
        return {**answer, "payload": {"source_path": path, "quality_score": 0.5 if asked.get("content") else 2}}
    return {**answer, "payload": {"source_path": path, "patterns": TWO}}


def test_an_asker_gets_answers_of_its_own_requests_alone(client: Client, name: str) -> None:
    responder = client.answer(name, "host", "code-analysis-health", topics_of("dev")[0], lease=5, wait=1)(respond).start()
    asker = Intelligence(client, queue=name, on_fallback=lambda reason, message: None)
    assert Intelligence(client, queue=f"{name}-none").health_check() is False
    while not asker.health_check():
        pass  # until the responder waits for tasks
    assert asker.discover("node_*_effect.py")["patterns"] == TWO
    assert asker.analyse("a.py", "x = 1")["quality_score"] == 0.5
    with pytest.raises(IntelligenceUnavailable, match="none to a request for an analysis"):
        asker.analyse("a.py")
    with pytest.raises(IntelligenceTimeout):
        asker.discover("late", timeout=1)
    with pytest.raises(IntelligenceFailed, match="no such file. Name another.") as refused:
        asker.discover("refused")
    assert (refused.value.error_code, refused.value.retry_allowed) == ("INVALID_INPUT", False)
    for path, reason in (("mixed-up", "correlation_mismatch"), ("odd", "unknown_event_type")):
        with pytest.raises(IntelligenceUnavailable) as unusable:
            asker.discover(path)
        assert unusable.value.reason == reason
    assert {name: asker.counts[name] for name in ("timeouts", "mismatches", "unknown")} == {
        "timeouts": 1,
        "mismatches": 1,
        "unknown": 1,
    }
    assert [one["path"] for one in asker.find_similar("EFFECT", "b")] == [TWO[1]["file_path"], TWO[0]["file_path"]]

    context = asker.gather("EFFECT", "database", service_name="TestWriter")
    assert (context["confidence_score"], context["fallback_reason"]) == (0.95, None)
    assert context["rag_sources"] == ["event_based_discovery", "builtin_pattern_library"]
    assert context["node_type_patterns"][0] == "Stores users."
    assert context["domain_best_practices"][0] == "Close what you open."
    assert context["code_examples"][0]["source"] == TWO[0]["file_path"]
    asker.close()
    with pytest.raises(IntelligenceClosed):
        asker.discover("node_*_effect.py")
    # What was measured has been reported, and counts for the roll-out.
    assert client.api.get_rollout()["arms"]["live"]["requests"] >= 1
    responder.stop()


def test_an_asker_that_the_roll_out_did_not_choose_asks_nobody(client: Client, name: str) -> None:
    with Client(ecosystem=name.lower()) as own:
        own.api.set_rollout({"share": 10})
        told: list[str] = []
        asker = Intelligence(own, on_fallback=lambda reason, message: told.append(reason))
        assert asker.gather("EFFECT", service_name="TestWriter")["fallback_reason"] == "not_in_share"
        assert asker.gather("EFFECT", service_name="b1")["fallback_reason"] in ("not_in_share", "no_responder")
        asker.close()
        assert told[0] == "not_in_share"
        assert own.api.get_rollout()["arms"]["library"]["requests"] >= 1


def test_a_retrieval_service_is_a_third_source_and_its_failure_is_none_of_the_asker_s(client: Client) -> None:
    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"texts": [f"About {asked['domain']}."], "confidence": 0.8}).encode()
            self.send_response(200 if asked["domain"] != "bad" else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/?key=secret"
        settings = IntelligenceSettings(live=False, retrieval=True, retrieval_url=url)
        told: list[str] = []
        asker = Intelligence(client, settings=settings, on_fallback=lambda reason, message: told.append(message))
        context = asker.gather("EFFECT", "api")
        assert context["rag_sources"] == ["builtin_pattern_library", "archon_rag"]
        assert (context["confidence_score"], context["node_type_patterns"][-1]) == (0.8, "About api.")
        assert asker.gather("EFFECT", "bad")["confidence_score"] == 0.7
        assert any("it answered 500" in message for message in told) and "secret" not in " ".join(told)
        server.shutdown()


def test_an_asker_of_an_edge_that_is_away_goes_on_with_the_library() -> None:
    async def main() -> None:
        async with AsyncClient("http://127.0.0.1:1", "token") as client:
            asker = AsyncIntelligence(client, on_fallback=lambda reason, message: None)
            context = await asker.gather("EFFECT", "database")
            assert (context["confidence_score"], context["fallback_reason"]) == (0.7, "connection_failed")
            assert await asker.health_check() is False

    asyncio.run(main())
