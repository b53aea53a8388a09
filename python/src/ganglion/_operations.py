"""Every operation of the HTTP API as a method. Made by scripts/write-python.ts from the API's description: edit nothing here."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Awaitable, Callable, Literal, Sequence

from ._core.operation import Operation, Time

if TYPE_CHECKING:
    from . import types

__all__ = ["BY_HAND", "LEFT_OUT", "AsyncOperations", "Operations"]

LEFT_OUT = {
    "openLink": "the WebSocket of a host's agent, which is a program of its own",
    "mcp": "the Model Context Protocol, for which there are clients",
    "receiveWebhook": "called by other services, which sign what they send",
    "beginSession": "the browser's sign-in, which answers with a cookie",
    "getCurrentSession": "about the cookie of a browser",
    "endCurrentSession": "about the cookie of a browser",
}
"""Operations that this client does not have, with the reason."""

BY_HAND = {
    "streamSignals": "follow",
    "openWorkChannel": "worker",
    "openLockChannel": "lock",
}
"""Operations that are no call with one answer, and the method of the client that has them."""

_IS_ALIVE = Operation("isAlive", "GET", "/healthz")
_IS_READY = Operation("isReady", "GET", "/readyz")
_GET_ATTENTION = Operation("getAttention", "GET", "/v1/{eco}/attention")
_GET_ATTENTION_EVERYWHERE = Operation("getAttentionEverywhere", "GET", "/v1/attention")
_GET_OVERVIEW = Operation("getOverview", "GET", "/v1/{eco}/overview")
_GET_AUDIT_OF_DEPLOYMENT = Operation("getAuditOfDeployment", "GET", "/v1/audit")
_GET_AUDIT = Operation("getAudit", "GET", "/v1/{eco}/audit")
_LIST_PRODUCERS = Operation("listProducers", "GET", "/v1/{eco}/producers")
_FORGET_PRODUCER = Operation("forgetProducer", "DELETE", "/v1/{eco}/producers/{producer}")
_EMIT_SIGNALS = Operation("emitSignals", "POST", "/v1/{eco}/signals", keyed=True)
_LIST_SIGNALS = Operation("listSignals", "GET", "/v1/{eco}/signals")
_EMIT_FACTS = Operation("emitFacts", "POST", "/v1/{eco}/signals/{id}", keyed=True)
_GET_SIGNAL = Operation("getSignal", "GET", "/v1/{eco}/signals/{id}")
_GET_LINEAGE = Operation("getLineage", "GET", "/v1/{eco}/signals/{id}/lineage")
_LIST_AGENTS = Operation("listAgents", "GET", "/v1/{eco}/agents")
_GET_AGENT = Operation("getAgent", "GET", "/v1/{eco}/agents/{host}")
_FORGET_AGENT = Operation("forgetAgent", "DELETE", "/v1/{eco}/agents/{host}")
_RELEASE_AGENT = Operation("releaseAgent", "DELETE", "/v1/{eco}/agents/{host}/owner")
_TAKE_LOGS = Operation("takeLogs", "POST", "/v1/{eco}/otlp/v1/logs", keyed=True)
_TAKE_METRICS = Operation("takeMetrics", "POST", "/v1/{eco}/otlp/v1/metrics", keyed=True)
_TAKE_TRACES = Operation("takeTraces", "POST", "/v1/{eco}/otlp/v1/traces", keyed=True)
_GET_SESSION_SETTINGS = Operation("getSessionSettings", "GET", "/v1/{eco}/agent-sessions/settings")
_CHANGE_SESSION_SETTINGS = Operation("changeSessionSettings", "PATCH", "/v1/{eco}/agent-sessions/settings")
_TAKE_CLAUDE_CODE_HOOK = Operation("takeClaudeCodeHook", "POST", "/v1/{eco}/hooks/claude-code", keyed=True)
_LIST_AGENT_SESSIONS = Operation("listAgentSessions", "GET", "/v1/{eco}/agent-sessions")
_GET_MONITOR_SETTINGS = Operation("getMonitorSettings", "GET", "/v1/{eco}/monitors")
_PUT_MONITOR_SETTINGS = Operation("putMonitorSettings", "PUT", "/v1/{eco}/monitors")
_RUN_MONITORS = Operation("runMonitors", "POST", "/v1/{eco}/monitors/run", keyed=True)
_GET_OBSERVATION_SETTINGS = Operation("getObservationSettings", "GET", "/v1/{eco}/observations/settings")
_CHANGE_OBSERVATION_SETTINGS = Operation("changeObservationSettings", "PATCH", "/v1/{eco}/observations/settings")
_LIST_OBSERVATIONS = Operation("listObservations", "GET", "/v1/{eco}/observations")
_GET_OBSERVATION_HISTORY = Operation("getObservationHistory", "GET", "/v1/{eco}/observations/history")
_LIST_SCANNERS = Operation("listScanners", "GET", "/v1/{eco}/scanners")
_CHANGE_SCANNER = Operation("changeScanner", "PATCH", "/v1/{eco}/scanners/{id}")
_GET_MAINTENANCE = Operation("getMaintenance", "GET", "/v1/{eco}/maintenance")
_SET_MAINTENANCE = Operation("setMaintenance", "PUT", "/v1/{eco}/maintenance")
_LIST_GAPS = Operation("listGaps", "GET", "/v1/{eco}/gaps")
_GET_GAP_EVIDENCE = Operation("getGapEvidence", "GET", "/v1/{eco}/gaps/{fingerprint}/evidence")
_LIST_POLICIES = Operation("listPolicies", "GET", "/v1/{eco}/policies")
_CHANGE_POLICIES = Operation("changePolicies", "PATCH", "/v1/{eco}/policies")
_REPLACE_POLICIES = Operation("replacePolicies", "PUT", "/v1/{eco}/policies")
_GET_POLICY = Operation("getPolicy", "GET", "/v1/{eco}/policies/{id}")
_PUT_POLICY = Operation("putPolicy", "PUT", "/v1/{eco}/policies/{id}")
_ENABLE_POLICY = Operation("enablePolicy", "PATCH", "/v1/{eco}/policies/{id}")
_DELETE_POLICY = Operation("deletePolicy", "DELETE", "/v1/{eco}/policies/{id}")
_IMPORT_POLICY_STATE = Operation("importPolicyState", "POST", "/v1/{eco}/policies/{id}/state", keyed=True)
_LIST_BRIDGES = Operation("listBridges", "GET", "/v1/{eco}/bridges")
_PUT_BRIDGE = Operation("putBridge", "PUT", "/v1/{eco}/bridges/{name}")
_DELETE_BRIDGE = Operation("deleteBridge", "DELETE", "/v1/{eco}/bridges/{name}")
_LIST_DECISIONS = Operation("listDecisions", "GET", "/v1/{eco}/decisions")
_LIST_EXPECTATIONS = Operation("listExpectations", "GET", "/v1/{eco}/expectations")
_GET_MODELS = Operation("getModels", "GET", "/v1/{eco}/models")
_SET_MODELS = Operation("setModels", "PUT", "/v1/{eco}/models")
_GET_LIBRARY = Operation("getLibrary", "GET", "/v1/{eco}/intelligence/library")
_GATHER_CONTEXT = Operation("gatherContext", "POST", "/v1/{eco}/intelligence/context", keyed=True)
_GET_ROLLOUT = Operation("getRollout", "GET", "/v1/{eco}/intelligence/rollout")
_SET_ROLLOUT = Operation("setRollout", "PUT", "/v1/{eco}/intelligence/rollout")
_ROLL_BACK = Operation("rollBack", "POST", "/v1/{eco}/intelligence/rollout/rollback", keyed=True)
_REPORT_OUTCOMES = Operation("reportOutcomes", "POST", "/v1/{eco}/intelligence/outcomes", keyed=True)
_GET_INTELLIGENCE_HEALTH = Operation("getIntelligenceHealth", "GET", "/v1/{eco}/intelligence/health")
_SIMULATE_POLICY = Operation("simulatePolicy", "POST", "/v1/{eco}/policies/{id}/simulate", keyed=True)
_LIST_DEAD_LETTERS = Operation("listDeadLetters", "GET", "/v1/{eco}/dead-letters")
_REPLAY_DEAD_LETTERS = Operation("replayDeadLetters", "POST", "/v1/{eco}/dead-letters/replay", keyed=True)
_DISCARD_DEAD_LETTERS = Operation("discardDeadLetters", "POST", "/v1/{eco}/dead-letters/discard", keyed=True)
_GET_DEAD_LETTER = Operation("getDeadLetter", "GET", "/v1/{eco}/dead-letters/{id}")
_DISCARD_DEAD_LETTER = Operation("discardDeadLetter", "DELETE", "/v1/{eco}/dead-letters/{id}")
_REPLAY_DEAD_LETTER = Operation("replayDeadLetter", "POST", "/v1/{eco}/dead-letters/{id}/replay", keyed=True)
_LIST_QUEUES = Operation("listQueues", "GET", "/v1/{eco}/queues")
_GET_QUEUE = Operation("getQueue", "GET", "/v1/{eco}/queues/{q}")
_CONFIGURE_QUEUE = Operation("configureQueue", "PATCH", "/v1/{eco}/queues/{q}")
_DELETE_QUEUE = Operation("deleteQueue", "DELETE", "/v1/{eco}/queues/{q}")
_CREATE_QUEUE = Operation("createQueue", "PUT", "/v1/{eco}/queues/{q}")
_GET_BOTTLENECKS = Operation("getBottlenecks", "GET", "/v1/{eco}/queues/{q}/bottlenecks")
_GET_QUEUE_EVENTS = Operation("getQueueEvents", "GET", "/v1/{eco}/queues/{q}/events")
_SEND_MAIL = Operation("sendMail", "POST", "/v1/{eco}/mail", keyed=True)
_LIST_MAIL = Operation("listMail", "GET", "/v1/{eco}/mail")
_GET_MAIL = Operation("getMail", "GET", "/v1/{eco}/mail/{id}")
_GET_MAILBOX = Operation("getMailbox", "GET", "/v1/{eco}/mailboxes/{recipient}")
_RECEIVE_MAIL = Operation("receiveMail", "POST", "/v1/{eco}/mailboxes/{recipient}/receive", keyed=True)
_READ_MAIL = Operation("readMail", "POST", "/v1/{eco}/mail/{id}/read", keyed=True)
_ACT_MAIL = Operation("actMail", "POST", "/v1/{eco}/mail/{id}/act", keyed=True)
_PAUSE_QUEUE = Operation("pauseQueue", "POST", "/v1/{eco}/queues/{q}/pause", keyed=True)
_RESUME_QUEUE = Operation("resumeQueue", "POST", "/v1/{eco}/queues/{q}/resume", keyed=True)
_PURGE_TASKS = Operation("purgeTasks", "POST", "/v1/{eco}/queues/{q}/purge", keyed=True)
_CANCEL_TASKS = Operation("cancelTasks", "POST", "/v1/{eco}/queues/{q}/cancel", keyed=True)
_RETRY_TASKS = Operation("retryTasks", "POST", "/v1/{eco}/queues/{q}/retry", keyed=True)
_ENQUEUE_MANY_TASKS = Operation("enqueueManyTasks", "POST", "/v1/{eco}/queues/{q}/tasks/bulk", keyed=True)
_ENQUEUE_TASKS = Operation("enqueueTasks", "POST", "/v1/{eco}/queues/{q}/tasks", keyed=True)
_LIST_TASKS = Operation("listTasks", "GET", "/v1/{eco}/queues/{q}/tasks")
_GET_TASK = Operation("getTask", "GET", "/v1/{eco}/queues/{q}/tasks/{id}")
_LEASE_TASKS = Operation("leaseTasks", "POST", "/v1/{eco}/queues/{q}/lease", keyed=True)
_COMPLETE_TASK = Operation("completeTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/complete", keyed=True)
_FAIL_TASK = Operation("failTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/fail", keyed=True)
_EXTEND_TASK = Operation("extendTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/extend", keyed=True)
_RELEASE_TASK = Operation("releaseTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/release", keyed=True)
_CANCEL_TASK = Operation("cancelTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/cancel", keyed=True)
_RETRY_TASK = Operation("retryTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/retry", keyed=True)
_PARK_TASK = Operation("parkTask", "POST", "/v1/{eco}/queues/{q}/tasks/{id}/park", keyed=True)
_LIST_FINISHED_TASKS = Operation("listFinishedTasks", "GET", "/v1/{eco}/queues/{q}/finished")
_CALL = Operation("call", "POST", "/v1/{eco}/queues/{q}/calls", keyed=True)
_GET_CALL = Operation("getCall", "GET", "/v1/{eco}/queues/{q}/calls/{id}")
_LIST_WEBHOOKS = Operation("listWebhooks", "GET", "/v1/{eco}/webhooks")
_PUT_WEBHOOK = Operation("putWebhook", "PUT", "/v1/{eco}/webhooks/{id}")
_CHANGE_WEBHOOK = Operation("changeWebhook", "PATCH", "/v1/{eco}/webhooks/{id}")
_DELETE_WEBHOOK = Operation("deleteWebhook", "DELETE", "/v1/{eco}/webhooks/{id}")
_ROTATE_WEBHOOK_SECRET = Operation("rotateWebhookSecret", "POST", "/v1/{eco}/webhooks/{id}/secret", keyed=True)
_TEST_WEBHOOK = Operation("testWebhook", "POST", "/v1/{eco}/webhooks/{id}/test", keyed=True)
_LIST_WEBHOOK_DELIVERIES = Operation("listWebhookDeliveries", "GET", "/v1/{eco}/webhooks/{id}/deliveries")
_GET_TELEMETRY_EXPORT = Operation("getTelemetryExport", "GET", "/v1/{eco}/telemetry/export")
_SET_TELEMETRY_EXPORT = Operation("setTelemetryExport", "PUT", "/v1/{eco}/telemetry/export")
_DELETE_TELEMETRY_EXPORT = Operation("deleteTelemetryExport", "DELETE", "/v1/{eco}/telemetry/export")
_TEST_TELEMETRY_EXPORT = Operation("testTelemetryExport", "POST", "/v1/{eco}/telemetry/export/test", keyed=True)
_GET_INBOX_SOURCE = Operation("getInboxSource", "GET", "/v1/{eco}/inbox/{source}")
_PUT_INBOX_SOURCE = Operation("putInboxSource", "PUT", "/v1/{eco}/inbox/{source}")
_DELETE_INBOX_SOURCE = Operation("deleteInboxSource", "DELETE", "/v1/{eco}/inbox/{source}")
_LIST_INBOX_SOURCES = Operation("listInboxSources", "GET", "/v1/{eco}/inbox")
_GET_STATUS = Operation("getStatus", "GET", "/v1/{eco}/status")
_GET_USAGE = Operation("getUsage", "GET", "/v1/{eco}/usage")
_GET_METRICS = Operation("getMetrics", "GET", "/v1/{eco}/metrics", text=True)
_GET_ALL_METRICS = Operation("getAllMetrics", "GET", "/metrics", text=True)
_GET_METRICS_TARGETS = Operation("getMetricsTargets", "GET", "/metrics/targets")
_GET_BUDGET = Operation("getBudget", "GET", "/v1/{eco}/budget")
_PUT_BUDGET = Operation("putBudget", "PUT", "/v1/{eco}/budget")
_CREATE_TOKEN = Operation("createToken", "POST", "/v1/tokens", keyed=True)
_LIST_TOKENS = Operation("listTokens", "GET", "/v1/tokens")
_DELETE_TOKEN = Operation("deleteToken", "DELETE", "/v1/tokens/{id}")
_CREATE_SESSION_CODE = Operation("createSessionCode", "POST", "/v1/sessions", keyed=True)
_LIST_SESSIONS = Operation("listSessions", "GET", "/v1/sessions")
_END_SESSION = Operation("endSession", "DELETE", "/v1/sessions/{id}")
_LIST_ECOSYSTEMS = Operation("listEcosystems", "GET", "/v1/ecosystems")
_EXPORT_ECOSYSTEM = Operation("exportEcosystem", "GET", "/v1/{eco}/export")
_IMPORT_ECOSYSTEM = Operation("importEcosystem", "POST", "/v1/{eco}/import", keyed=True, media="application/x-ndjson")
_DELETE_ECOSYSTEM = Operation("deleteEcosystem", "DELETE", "/v1/{eco}")
_ERASE_SOURCE = Operation("eraseSource", "POST", "/v1/{eco}/erasures", keyed=True)
_LIST_ERASURES = Operation("listErasures", "GET", "/v1/{eco}/erasures")
_GET_ERASURE = Operation("getErasure", "GET", "/v1/{eco}/erasures/{id}")
_LIST_WORKERS = Operation("listWorkers", "GET", "/v1/{eco}/workers")
_GET_WORKER = Operation("getWorker", "GET", "/v1/{eco}/workers/{worker}")
_GET_DROPPED_TASK = Operation("getDroppedTask", "GET", "/v1/{eco}/workers/{worker}/tasks/{id}")
_LIST_SCHEDULES = Operation("listSchedules", "GET", "/v1/{eco}/schedules")
_GET_SCHEDULE = Operation("getSchedule", "GET", "/v1/{eco}/schedules/{name}")
_PUT_SCHEDULE = Operation("putSchedule", "PUT", "/v1/{eco}/schedules/{name}")
_DELETE_SCHEDULE = Operation("deleteSchedule", "DELETE", "/v1/{eco}/schedules/{name}")
_LIST_SCHEDULE_RUNS = Operation("listScheduleRuns", "GET", "/v1/{eco}/schedules/{name}/runs")
_REPORT_SCHEDULE_RUN = Operation("reportScheduleRun", "POST", "/v1/{eco}/schedules/{name}/runs", keyed=True)
_PAUSE_SCHEDULE = Operation("pauseSchedule", "POST", "/v1/{eco}/schedules/{name}/pause", keyed=True)
_RESUME_SCHEDULE = Operation("resumeSchedule", "POST", "/v1/{eco}/schedules/{name}/resume", keyed=True)
_RUN_SCHEDULE = Operation("runSchedule", "POST", "/v1/{eco}/schedules/{name}/run", keyed=True)
_GET_SCHEDULE_HEARTBEAT = Operation("getScheduleHeartbeat", "GET", "/v1/{eco}/schedules/{name}/heartbeat")
_POST_SCHEDULE_HEARTBEAT = Operation("postScheduleHeartbeat", "POST", "/v1/{eco}/schedules/{name}/heartbeat", keyed=True)
_LIST_NOTES = Operation("listNotes", "GET", "/v1/{eco}/notes")
_GET_NOTE = Operation("getNote", "GET", "/v1/{eco}/notes/{key}")
_PUT_NOTE = Operation("putNote", "PUT", "/v1/{eco}/notes/{key}")
_DELETE_NOTE = Operation("deleteNote", "DELETE", "/v1/{eco}/notes/{key}")
_ASK_QUESTION = Operation("askQuestion", "POST", "/v1/{eco}/questions", keyed=True)
_LIST_QUESTIONS = Operation("listQuestions", "GET", "/v1/{eco}/questions")
_GET_QUESTION = Operation("getQuestion", "GET", "/v1/{eco}/questions/{id}")
_ANSWER_QUESTION = Operation("answerQuestion", "POST", "/v1/{eco}/questions/{id}/answer", keyed=True)
_CANCEL_QUESTION = Operation("cancelQuestion", "POST", "/v1/{eco}/questions/{id}/cancel", keyed=True)
_ASK_PERMISSION = Operation("askPermission", "POST", "/v1/{eco}/permissions", keyed=True)
_ANSWER_PERMISSION = Operation("answerPermission", "POST", "/v1/{eco}/permissions/{id}/answer", keyed=True)
_LIST_LOCKS = Operation("listLocks", "GET", "/v1/{eco}/locks")
_ACQUIRE_LOCK = Operation("acquireLock", "POST", "/v1/{eco}/locks/{name}/acquire", keyed=True)
_RENEW_LOCK = Operation("renewLock", "POST", "/v1/{eco}/locks/{name}/renew", keyed=True)
_RELEASE_LOCK = Operation("releaseLock", "POST", "/v1/{eco}/locks/{name}/release", keyed=True)
_LIST_LIMITS = Operation("listLimits", "GET", "/v1/{eco}/limits")
_GET_LIMIT = Operation("getLimit", "GET", "/v1/{eco}/limits/{name}")
_PUT_LIMIT = Operation("putLimit", "PUT", "/v1/{eco}/limits/{name}")
_DELETE_LIMIT = Operation("deleteLimit", "DELETE", "/v1/{eco}/limits/{name}")
_RESERVE_LIMIT = Operation("reserveLimit", "POST", "/v1/{eco}/limits/{name}/reserve", keyed=True)
_SETTLE_LIMIT = Operation("settleLimit", "POST", "/v1/{eco}/limits/{name}/settle", keyed=True)
_CLOSE_LIMIT = Operation("closeLimit", "POST", "/v1/{eco}/limits/{name}/close", keyed=True)
_OPEN_LIMIT = Operation("openLimit", "POST", "/v1/{eco}/limits/{name}/open", keyed=True)
_LIST_SPENDING_BUDGETS = Operation("listSpendingBudgets", "GET", "/v1/{eco}/budgets")
_GET_SPENDING_BUDGET = Operation("getSpendingBudget", "GET", "/v1/{eco}/budgets/{name}")
_PUT_SPENDING_BUDGET = Operation("putSpendingBudget", "PUT", "/v1/{eco}/budgets/{name}")
_DELETE_SPENDING_BUDGET = Operation("deleteSpendingBudget", "DELETE", "/v1/{eco}/budgets/{name}")


class Operations:
    """Calls by the names of the API's operations; each waits for its answer."""

    __slots__ = ("_perform",)

    def __init__(self, perform: Callable[[Operation, dict[str, Any], dict[str, Any], Any], Any]) -> None:
        self._perform = perform

    def is_alive(self) -> types.IsAliveAnswer:
        """Whether the Worker runs."""
        answer: types.IsAliveAnswer = self._perform(_IS_ALIVE, {}, {}, None)
        return answer

    def is_ready(self) -> types.IsReadyAnswer:
        """Whether the Worker can serve calls."""
        answer: types.IsReadyAnswer = self._perform(_IS_READY, {}, {}, None)
        return answer

    def get_attention(self) -> types.Attention:
        """What needs somebody in an ecosystem."""
        answer: types.Attention = self._perform(_GET_ATTENTION, {}, {}, None)
        return answer

    def get_attention_everywhere(self, *, limit: int | None = None, after: str | None = None) -> types.AttentionPage:
        """What needs somebody in any ecosystem that the token may see."""
        answer: types.AttentionPage = self._perform(_GET_ATTENTION_EVERYWHERE, {}, {"limit": limit, "after": after}, None)
        return answer

    def get_overview(self) -> types.Overview:
        """An ecosystem in one document."""
        answer: types.Overview = self._perform(_GET_OVERVIEW, {}, {}, None)
        return answer

    def get_audit_of_deployment(
        self,
        *,
        by: str | None = None,
        target: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> types.AuditPage:
        """Who changed tokens, and deleted or imported ecosystems."""
        answer: types.AuditPage = self._perform(_GET_AUDIT_OF_DEPLOYMENT, {}, {"by": by, "target": target, "since": since, "until": until, "limit": limit, "after": after}, None)
        return answer

    def get_audit(
        self,
        *,
        by: str | None = None,
        target: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> types.AuditPage:
        """Who changed what in an ecosystem, and when."""
        answer: types.AuditPage = self._perform(_GET_AUDIT, {}, {"by": by, "target": target, "since": since, "until": until, "limit": limit, "after": after}, None)
        return answer

    def list_producers(
        self,
        *,
        host: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> types.ProducerPage:
        """List the producers whose numbers the log knows."""
        answer: types.ProducerPage = self._perform(_LIST_PRODUCERS, {}, {"host": host, "after": after, "limit": limit}, None)
        return answer

    def forget_producer(self, producer: str) -> None:
        """Take the next number of a producer for its first."""
        self._perform(_FORGET_PRODUCER, {"producer": producer}, {}, None)

    def emit_signals(self, body: types.NewSignal | list[types.NewSignal]) -> types.AppendResult:
        """Emit one signal, or many."""
        answer: types.AppendResult = self._perform(_EMIT_SIGNALS, {}, {}, body)
        return answer

    def list_signals(
        self,
        *,
        signal: str | Sequence[str] | None = None,
        source: str | None = None,
        after: int | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        filter: str | None = None,
    ) -> types.SignalPage:
        """Read the log."""
        answer: types.SignalPage = self._perform(_LIST_SIGNALS, {}, {"signal": signal, "source": source, "after": after, "since": since, "until": until, "limit": limit, "order": order, "filter": filter}, None)
        return answer

    def emit_facts(
        self,
        id: str,
        body: dict[str, Any],
        *,
        source: str,
        id_: str | None = None,
        cause: str | None = None,
        timestamp: str | None = None,
    ) -> types.AppendResult:
        """Emit one signal whose facts are the whole body."""
        answer: types.AppendResult = self._perform(_EMIT_FACTS, {"id": id}, {"source": source, "id": id_, "cause": cause, "timestamp": timestamp}, body)
        return answer

    def get_signal(self, id: str, *, source: str | None = None, before: int | None = None) -> types.Signal:
        """One signal."""
        answer: types.Signal = self._perform(_GET_SIGNAL, {"id": id}, {"source": source, "before": before}, None)
        return answer

    def get_lineage(self, id: str, *, source: str | None = None, before: int | None = None) -> types.Lineage:
        """Causes and effects of a signal."""
        answer: types.Lineage = self._perform(_GET_LINEAGE, {"id": id}, {"source": source, "before": before}, None)
        return answer

    def list_agents(self, *, limit: int | None = None, after: str | None = None) -> types.Agents:
        """List hosts with their state, what they run, and their alerts."""
        answer: types.Agents = self._perform(_LIST_AGENTS, {}, {"limit": limit, "after": after}, None)
        return answer

    def get_agent(self, host: str) -> types.Agent:
        """Get one host."""
        answer: types.Agent = self._perform(_GET_AGENT, {"host": host}, {}, None)
        return answer

    def forget_agent(self, host: str) -> None:
        """Forget a host that is down."""
        self._perform(_FORGET_AGENT, {"host": host}, {}, None)

    def release_agent(self, host: str) -> None:
        """Release a host's name from the token that owns it."""
        self._perform(_RELEASE_AGENT, {"host": host}, {}, None)

    def take_logs(self, body: dict[str, Any]) -> types.ExportAnswer:
        """Take in logs of agents, by OTLP over HTTP."""
        answer: types.ExportAnswer = self._perform(_TAKE_LOGS, {}, {}, body)
        return answer

    def take_metrics(self, body: dict[str, Any]) -> types.ExportAnswer:
        """Take in metrics of agents, by OTLP over HTTP."""
        answer: types.ExportAnswer = self._perform(_TAKE_METRICS, {}, {}, body)
        return answer

    def take_traces(self, body: dict[str, Any]) -> types.ExportAnswer:
        """Take in traces of agents, by OTLP over HTTP."""
        answer: types.ExportAnswer = self._perform(_TAKE_TRACES, {}, {}, body)
        return answer

    def get_session_settings(self) -> types.SessionSettings:
        """How long sessions of agents may wait and be silent."""
        answer: types.SessionSettings = self._perform(_GET_SESSION_SETTINGS, {}, {}, None)
        return answer

    def change_session_settings(self, body: types.ChangeSessionSettingsBody) -> types.SessionSettings:
        """Change how long sessions of agents may wait and be silent."""
        answer: types.SessionSettings = self._perform(_CHANGE_SESSION_SETTINGS, {}, {}, body)
        return answer

    def take_claude_code_hook(
        self,
        body: dict[str, Any],
        *,
        source: str | None = None,
        task: str | None = None,
    ) -> dict[str, Any]:
        """Take in the input of a hook of Claude Code."""
        answer: dict[str, Any] = self._perform(_TAKE_CLAUDE_CODE_HOOK, {}, {"source": source, "task": task}, body)
        return answer

    def list_agent_sessions(
        self,
        *,
        agent: str | None = None,
        session: str | None = None,
        verdict: Literal["working", "waiting", "idle", "frozen", "ended"] | None = None,
        chain: str | None = None,
        limit: int | None = None,
    ) -> types.ListAgentSessionsAnswer:
        """List the sessions of agents that report by telemetry or hooks."""
        answer: types.ListAgentSessionsAnswer = self._perform(_LIST_AGENT_SESSIONS, {}, {"agent": agent, "session": session, "verdict": verdict, "chain": chain, "limit": limit}, None)
        return answer

    def get_monitor_settings(self) -> types.MonitorSettings:
        """Get the limits for hosts that are down and for health alerts."""
        answer: types.MonitorSettings = self._perform(_GET_MONITOR_SETTINGS, {}, {}, None)
        return answer

    def put_monitor_settings(self, body: dict[str, Any]) -> types.MonitorSettings:
        """Set the limits for hosts that are down and for health alerts."""
        answer: types.MonitorSettings = self._perform(_PUT_MONITOR_SETTINGS, {}, {}, body)
        return answer

    def run_monitors(self) -> types.MonitorRun:
        """Ask all hosts now, as happens each minute."""
        answer: types.MonitorRun = self._perform(_RUN_MONITORS, {}, {}, None)
        return answer

    def get_observation_settings(self) -> types.ObservationSettings:
        """Length of the window, and damping of gaps."""
        answer: types.ObservationSettings = self._perform(_GET_OBSERVATION_SETTINGS, {}, {}, None)
        return answer

    def change_observation_settings(self, body: dict[str, Any]) -> types.ObservationSettings:
        """Change the window or the damping of gaps."""
        answer: types.ObservationSettings = self._perform(_CHANGE_OBSERVATION_SETTINGS, {}, {}, body)
        return answer

    def list_observations(
        self,
        *,
        seconds: int | None = None,
        zooid: str | None = None,
        limit: int | None = None,
    ) -> types.ObservationsPage:
        """Recent observations."""
        answer: types.ObservationsPage = self._perform(_LIST_OBSERVATIONS, {}, {"seconds": seconds, "zooid": zooid, "limit": limit}, None)
        return answer

    def get_observation_history(
        self,
        *,
        metric: str,
        reporter: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        step: int | None = None,
    ) -> types.HistoryPage:
        """A metric over time."""
        answer: types.HistoryPage = self._perform(_GET_OBSERVATION_HISTORY, {}, {"metric": metric, "reporter": reporter, "since": since, "until": until, "step": step}, None)
        return answer

    def list_scanners(self) -> types.Scanners:
        """Settings and health of each scanner."""
        answer: types.Scanners = self._perform(_LIST_SCANNERS, {}, {}, None)
        return answer

    def change_scanner(self, id: str, body: types.ChangeScannerBody) -> types.Scanner:
        """Change thresholds, switch a scanner on or off."""
        answer: types.Scanner = self._perform(_CHANGE_SCANNER, {"id": id}, {}, body)
        return answer

    def get_maintenance(self) -> types.Maintenance:
        """Whether maintenance is on, since when and why."""
        answer: types.Maintenance = self._perform(_GET_MAINTENANCE, {}, {}, None)
        return answer

    def set_maintenance(self, body: types.SetMaintenanceBody) -> types.Maintenance:
        """Switch maintenance on or off."""
        answer: types.Maintenance = self._perform(_SET_MAINTENANCE, {}, {}, body)
        return answer

    def list_gaps(
        self,
        *,
        status: Literal["open", "resolved", "all"] | None = None,
        name: str | None = None,
    ) -> types.Gaps:
        """Open problems, with their evidence."""
        answer: types.Gaps = self._perform(_LIST_GAPS, {}, {"status": status, "name": name}, None)
        return answer

    def get_gap_evidence(self, fingerprint: str) -> types.GapEvidence:
        """What a gap rests on, sample by sample."""
        answer: types.GapEvidence = self._perform(_GET_GAP_EVIDENCE, {"fingerprint": fingerprint}, {}, None)
        return answer

    def list_policies(self) -> types.Policies:
        """The rules in force."""
        answer: types.Policies = self._perform(_LIST_POLICIES, {}, {}, None)
        return answer

    def change_policies(self, body: types.ChangePoliciesBody) -> types.PolicyChanges:
        """Put several rules in force, at one sequence number of the log."""
        answer: types.PolicyChanges = self._perform(_CHANGE_POLICIES, {}, {}, body)
        return answer

    def replace_policies(self, body: types.ReplacePoliciesBody) -> types.PolicyChanges:
        """Replace all rules, at one sequence number of the log."""
        answer: types.PolicyChanges = self._perform(_REPLACE_POLICIES, {}, {}, body)
        return answer

    def get_policy(self, id: str) -> types.PolicyVersions:
        """A rule and its versions, newest first."""
        answer: types.PolicyVersions = self._perform(_GET_POLICY, {"id": id}, {}, None)
        return answer

    def put_policy(self, id: str, body: dict[str, Any]) -> types.PolicyPut:
        """Put a rule in force."""
        answer: types.PolicyPut = self._perform(_PUT_POLICY, {"id": id}, {}, body)
        return answer

    def enable_policy(self, id: str, body: types.EnablePolicyBody) -> types.Policy:
        """Enable or disable a rule."""
        answer: types.Policy = self._perform(_ENABLE_POLICY, {"id": id}, {}, body)
        return answer

    def delete_policy(self, id: str) -> types.PolicyChanges:
        """Delete a rule. A changed built-in rule goes back to its original."""
        answer: types.PolicyChanges = self._perform(_DELETE_POLICY, {"id": id}, {}, None)
        return answer

    def import_policy_state(self, id: str, body: types.ImportPolicyStateBody) -> types.PolicyStateImported:
        """Take over what an older system has begun, so that the rule does not begin it again."""
        answer: types.PolicyStateImported = self._perform(_IMPORT_POLICY_STATE, {"id": id}, {}, body)
        return answer

    def list_bridges(self) -> types.Bridges:
        """List the bridges to other ecosystems."""
        answer: types.Bridges = self._perform(_LIST_BRIDGES, {}, {}, None)
        return answer

    def put_bridge(self, name: str, body: types.NewBridge) -> types.Bridge:
        """Forward signals to another ecosystem."""
        answer: types.Bridge = self._perform(_PUT_BRIDGE, {"name": name}, {}, body)
        return answer

    def delete_bridge(self, name: str) -> None:
        """Delete a bridge; what it has decided to forward still arrives."""
        self._perform(_DELETE_BRIDGE, {"name": name}, {}, None)

    def list_decisions(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        rule: str | None = None,
        outcome: Literal["fired", "suppressed", "failed"] | None = None,
        signal: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
    ) -> types.Decisions:
        """Decisions of rules, with their reasons."""
        answer: types.Decisions = self._perform(_LIST_DECISIONS, {}, {"limit": limit, "after": after, "rule": rule, "outcome": outcome, "signal": signal, "since": since, "until": until}, None)
        return answer

    def list_expectations(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        rule: str | None = None,
    ) -> types.Expectations:
        """Signals that rules wait for, the next to be due first."""
        answer: types.Expectations = self._perform(_LIST_EXPECTATIONS, {}, {"limit": limit, "after": after, "rule": rule}, None)
        return answer

    def get_models(self) -> types.ModelSettings:
        """Language models that rules may ask, and today's spending."""
        answer: types.ModelSettings = self._perform(_GET_MODELS, {}, {}, None)
        return answer

    def set_models(self, body: types.SetModelsBody) -> types.ModelSettings:
        """Set the language models that rules may ask, and the daily budget."""
        answer: types.ModelSettings = self._perform(_SET_MODELS, {}, {}, body)
        return answer

    def get_library(self, *, node_type: str | None = None, domain: str | None = None) -> types.LibraryFindings:
        """Look up what the built-in library knows about a kind of node."""
        answer: types.LibraryFindings = self._perform(_GET_LIBRARY, {}, {"node_type": node_type, "domain": domain}, None)
        return answer

    def gather_context(
        self,
        body: types.NewContext,
        *,
        timeout_ms: int | None = None,
        live: Literal["true", "false"] | None = None,
        topic: str | None = None,
        correlation_id: str | None = None,
    ) -> types.IntelligenceContext:
        """Gather what is known about a kind of node."""
        answer: types.IntelligenceContext = self._perform(_GATHER_CONTEXT, {}, {"timeout_ms": timeout_ms, "live": live, "topic": topic, "correlation_id": correlation_id}, body)
        return answer

    def get_rollout(self) -> types.Rollout:
        """Which share of the requests asks live hosts, and how both arms fare."""
        answer: types.Rollout = self._perform(_GET_ROLLOUT, {}, {}, None)
        return answer

    def set_rollout(self, body: types.RolloutChange) -> types.RolloutState:
        """Set the share of the keys that asks live hosts."""
        answer: types.RolloutState = self._perform(_SET_ROLLOUT, {}, {}, body)
        return answer

    def roll_back(self, body: types.RollbackRequest) -> types.RolloutState:
        """Roll live discovery back: no request asks live hosts until the share is raised."""
        answer: types.RolloutState = self._perform(_ROLL_BACK, {}, {}, body)
        return answer

    def report_outcomes(self, body: types.OutcomeReport) -> types.RolloutState:
        """Report what an asker measured, and learn by which share it decides from now on."""
        answer: types.RolloutState = self._perform(_REPORT_OUTCOMES, {}, {}, body)
        return answer

    def get_intelligence_health(self) -> types.IntelligenceHealth:
        """Event Intelligence Health: the figures that all askers reported, of the last hour and of the last five minutes."""
        answer: types.IntelligenceHealth = self._perform(_GET_INTELLIGENCE_HEALTH, {}, {}, None)
        return answer

    def simulate_policy(self, id: str, body: types.SimulatePolicyBody) -> types.Simulated:
        """Simulate a rule, or a changed one, on stored signals."""
        answer: types.Simulated = self._perform(_SIMULATE_POLICY, {"id": id}, {}, body)
        return answer

    def list_dead_letters(
        self,
        *,
        kind: Literal["signal", "task", "intent", "webhook", "reaction"] | None = None,
        daemon: str | None = None,
        signal: str | Sequence[str] | None = None,
        host: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        text: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.DeadLetters:
        """List dead letters: items that could not be processed, with the reason."""
        answer: types.DeadLetters = self._perform(_LIST_DEAD_LETTERS, {}, {"kind": kind, "daemon": daemon, "signal": signal, "host": host, "since": since, "until": until, "text": text, "limit": limit, "after": after}, None)
        return answer

    def replay_dead_letters(self, body: types.ReplayDeadLettersBody) -> types.DeadLettersHandled:
        """Replay dead letters by a filter."""
        answer: types.DeadLettersHandled = self._perform(_REPLAY_DEAD_LETTERS, {}, {}, body)
        return answer

    def discard_dead_letters(self, body: types.DiscardDeadLettersBody) -> types.DeadLettersHandled:
        """Discard dead letters by a filter."""
        answer: types.DeadLettersHandled = self._perform(_DISCARD_DEAD_LETTERS, {}, {}, body)
        return answer

    def get_dead_letter(self, id: str) -> types.DeadLetter:
        """Get one dead letter."""
        answer: types.DeadLetter = self._perform(_GET_DEAD_LETTER, {"id": id}, {}, None)
        return answer

    def discard_dead_letter(self, id: str) -> None:
        """Discard a dead letter."""
        self._perform(_DISCARD_DEAD_LETTER, {"id": id}, {}, None)

    def replay_dead_letter(self, id: str, body: types.ReplayDeadLetterBody | None = None) -> types.Replayed:
        """Replay a dead letter: process it again."""
        answer: types.Replayed = self._perform(_REPLAY_DEAD_LETTER, {"id": id}, {}, body)
        return answer

    def list_queues(self) -> types.Queues:
        """List the queues of an ecosystem."""
        answer: types.Queues = self._perform(_LIST_QUEUES, {}, {}, None)
        return answer

    def get_queue(self, queue: str) -> types.QueueStatus:
        """Get the status of a queue."""
        answer: types.QueueStatus = self._perform(_GET_QUEUE, {"q": queue}, {}, None)
        return answer

    def configure_queue(self, queue: str, body: types.QueueSettingsChange) -> types.QueueSettings:
        """Change a queue's settings."""
        answer: types.QueueSettings = self._perform(_CONFIGURE_QUEUE, {"q": queue}, {}, body)
        return answer

    def delete_queue(self, queue: str, *, force: Literal["true", "false"] | None = None) -> None:
        """Delete a queue."""
        self._perform(_DELETE_QUEUE, {"q": queue}, {"force": force}, None)

    def create_queue(self, queue: str, body: types.QueueSettingsChange | None = None) -> types.CreatedQueue:
        """Create a queue, or set one up."""
        answer: types.CreatedQueue = self._perform(_CREATE_QUEUE, {"q": queue}, {}, body)
        return answer

    def get_bottlenecks(self, queue: str, *, limit: int | None = None) -> types.Bottlenecks:
        """Find the bottlenecks of a queue."""
        answer: types.Bottlenecks = self._perform(_GET_BOTTLENECKS, {"q": queue}, {"limit": limit}, None)
        return answer

    def get_queue_events(self, queue: str, *, tail: int | None = None) -> types.QueueEvents:
        """Get the latest events of a queue."""
        answer: types.QueueEvents = self._perform(_GET_QUEUE_EVENTS, {"q": queue}, {"tail": tail}, None)
        return answer

    def send_mail(self, body: types.NewMail) -> types.SentMail:
        """Send a message to an agent."""
        answer: types.SentMail = self._perform(_SEND_MAIL, {}, {}, body)
        return answer

    def list_mail(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        thread: str | None = None,
        ended: Literal["true", "false"] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.MailPage:
        """List messages: of a recipient, of a sender, of a thread."""
        answer: types.MailPage = self._perform(_LIST_MAIL, {}, {"to": to, "from": from_, "thread": thread, "ended": ended, "limit": limit, "after": after}, None)
        return answer

    def get_mail(self, id: str) -> types.MailMessage:
        """Get a message with its states and their times."""
        answer: types.MailMessage = self._perform(_GET_MAIL, {"id": id}, {}, None)
        return answer

    def get_mailbox(
        self,
        recipient: str,
        *,
        box: Literal["in", "out"] | None = None,
        thread: str | None = None,
        ended: Literal["true", "false"] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.MailPage:
        """Look into the mailbox of a recipient."""
        answer: types.MailPage = self._perform(_GET_MAILBOX, {"recipient": recipient}, {"box": box, "thread": thread, "ended": ended, "limit": limit, "after": after}, None)
        return answer

    def receive_mail(self, recipient: str, body: types.ReceiveRequest | None = None) -> types.ReceivedMail:
        """Take the new messages of a recipient."""
        answer: types.ReceivedMail = self._perform(_RECEIVE_MAIL, {"recipient": recipient}, {}, body)
        return answer

    def read_mail(self, id: str) -> types.MailMessage:
        """Say that a message was read."""
        answer: types.MailMessage = self._perform(_READ_MAIL, {"id": id}, {}, None)
        return answer

    def act_mail(self, id: str, body: types.ActRequest | None = None) -> types.MailMessage:
        """Say that what a message asked for is done."""
        answer: types.MailMessage = self._perform(_ACT_MAIL, {"id": id}, {}, body)
        return answer

    def pause_queue(self, queue: str, body: types.PauseRequest | None = None) -> types.PauseState:
        """Pause a queue."""
        answer: types.PauseState = self._perform(_PAUSE_QUEUE, {"q": queue}, {}, body)
        return answer

    def resume_queue(self, queue: str) -> types.PauseState:
        """Have a paused queue give out tasks again."""
        answer: types.PauseState = self._perform(_RESUME_QUEUE, {"q": queue}, {}, None)
        return answer

    def purge_tasks(self, queue: str, body: types.BulkTasksRequest | None = None) -> types.BulkTasks:
        """Purge the tasks of a filter."""
        answer: types.BulkTasks = self._perform(_PURGE_TASKS, {"q": queue}, {}, body)
        return answer

    def cancel_tasks(self, queue: str, body: types.BulkTasksRequest | None = None) -> types.BulkTasks:
        """Cancel the tasks of a filter."""
        answer: types.BulkTasks = self._perform(_CANCEL_TASKS, {"q": queue}, {}, body)
        return answer

    def retry_tasks(self, queue: str, body: types.BulkTasksRequest | None = None) -> types.BulkTasks:
        """Retry the failed tasks of a filter."""
        answer: types.BulkTasks = self._perform(_RETRY_TASKS, {"q": queue}, {}, body)
        return answer

    def enqueue_many_tasks(self, queue: str, body: list[types.NewTask]) -> types.BulkReceipts:
        """Queue many tasks, each by itself."""
        answer: types.BulkReceipts = self._perform(_ENQUEUE_MANY_TASKS, {"q": queue}, {}, body)
        return answer

    def enqueue_tasks(self, queue: str, body: types.NewTask | list[types.NewTask]) -> types.TaskReceipts:
        """Queue one task, or many."""
        answer: types.TaskReceipts = self._perform(_ENQUEUE_TASKS, {"q": queue}, {}, body)
        return answer

    def list_tasks(
        self,
        queue: str,
        *,
        status: Literal["queued", "running", "verifying", "complete", "failed", "cancelled", "expired", "dropped"] | None = None,
        recipient: str | None = None,
        type: str | None = None,
        limit: int | None = None,
        after: int | str | None = None,
    ) -> types.TaskPage:
        """List tasks."""
        answer: types.TaskPage = self._perform(_LIST_TASKS, {"q": queue}, {"status": status, "recipient": recipient, "type": type, "limit": limit, "after": after}, None)
        return answer

    def get_task(self, queue: str, id: str) -> types.Task:
        """Get a task with its history."""
        answer: types.Task = self._perform(_GET_TASK, {"q": queue, "id": id}, {}, None)
        return answer

    def lease_tasks(self, queue: str, body: types.LeaseRequest) -> types.LeasedTasks:
        """Lease tasks to work on."""
        answer: types.LeasedTasks = self._perform(_LEASE_TASKS, {"q": queue}, {}, body)
        return answer

    def complete_task(self, queue: str, id: str, body: types.CompleteRequest) -> types.SettledTask:
        """Complete a task."""
        answer: types.SettledTask = self._perform(_COMPLETE_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    def fail_task(self, queue: str, id: str, body: types.FailRequest) -> types.SettledTask:
        """Fail an attempt."""
        answer: types.SettledTask = self._perform(_FAIL_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    def extend_task(self, queue: str, id: str, body: types.ExtendRequest) -> types.SettledTask:
        """Extend a lease."""
        answer: types.SettledTask = self._perform(_EXTEND_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    def release_task(self, queue: str, id: str, body: types.ReleaseRequest) -> types.SettledTask:
        """Release a task that was not begun."""
        answer: types.SettledTask = self._perform(_RELEASE_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    def cancel_task(self, queue: str, id: str) -> types.SettledTask:
        """Cancel a task, also one that a worker holds."""
        answer: types.SettledTask = self._perform(_CANCEL_TASK, {"q": queue, "id": id}, {}, None)
        return answer

    def retry_task(self, queue: str, id: str) -> types.SettledTask:
        """Retry a failed task, with all its attempts."""
        answer: types.SettledTask = self._perform(_RETRY_TASK, {"q": queue, "id": id}, {}, None)
        return answer

    def park_task(self, queue: str, id: str, body: types.ParkRequest) -> types.SettledTask:
        """Leave a task until a question is answered."""
        answer: types.SettledTask = self._perform(_PARK_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    def list_finished_tasks(
        self,
        queue: str,
        *,
        state: Literal["complete", "failed", "cancelled", "expired", "dropped"] | None = None,
        recipient: str | None = None,
        type: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        text: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.FinishedTasks:
        """List finished tasks, the newest first."""
        answer: types.FinishedTasks = self._perform(_LIST_FINISHED_TASKS, {"q": queue}, {"state": state, "recipient": recipient, "type": type, "since": since, "until": until, "text": text, "limit": limit, "after": after}, None)
        return answer

    def call(self, queue: str, body: types.NewCall) -> types.CallReply:
        """Call a responder and wait for the reply."""
        answer: types.CallReply = self._perform(_CALL, {"q": queue}, {}, body)
        return answer

    def get_call(self, queue: str, id: str) -> types.CallReply | types.PendingCall:
        """Get the reply to an earlier call."""
        answer: types.CallReply | types.PendingCall = self._perform(_GET_CALL, {"q": queue, "id": id}, {}, None)
        return answer

    def list_webhooks(self) -> types.Webhooks:
        """List webhook endpoints with their state."""
        answer: types.Webhooks = self._perform(_LIST_WEBHOOKS, {}, {}, None)
        return answer

    def put_webhook(self, id: str, body: types.NewWebhook) -> types.WebhookWithSecret:
        """Add or replace an endpoint."""
        answer: types.WebhookWithSecret = self._perform(_PUT_WEBHOOK, {"id": id}, {}, body)
        return answer

    def change_webhook(self, id: str, body: types.WebhookChange) -> types.Webhook:
        """Switch an endpoint on or off, change its URL, description, or the form of its messages."""
        answer: types.Webhook = self._perform(_CHANGE_WEBHOOK, {"id": id}, {}, body)
        return answer

    def delete_webhook(self, id: str) -> None:
        """Delete an endpoint; the deliveries that wait for it become dead letters."""
        self._perform(_DELETE_WEBHOOK, {"id": id}, {}, None)

    def rotate_webhook_secret(self, id: str) -> types.WebhookWithSecret:
        """Generate a new secret."""
        answer: types.WebhookWithSecret = self._perform(_ROTATE_WEBHOOK_SECRET, {"id": id}, {}, None)
        return answer

    def test_webhook(self, id: str) -> types.WebhookTest:
        """Send a test message now and return its result."""
        answer: types.WebhookTest = self._perform(_TEST_WEBHOOK, {"id": id}, {}, None)
        return answer

    def list_webhook_deliveries(self, id: str, *, limit: int | None = None) -> types.WebhookDeliveries:
        """List the waiting and the recently ended deliveries of an endpoint."""
        answer: types.WebhookDeliveries = self._perform(_LIST_WEBHOOK_DELIVERIES, {"id": id}, {"limit": limit}, None)
        return answer

    def get_telemetry_export(self) -> types.TelemetryExport:
        """Where finished work is exported to, and how that goes."""
        answer: types.TelemetryExport = self._perform(_GET_TELEMETRY_EXPORT, {}, {}, None)
        return answer

    def set_telemetry_export(self, body: types.SetTelemetryExportBody) -> types.TelemetryExport:
        """Export finished work as spans of OpenTelemetry."""
        answer: types.TelemetryExport = self._perform(_SET_TELEMETRY_EXPORT, {}, {}, body)
        return answer

    def delete_telemetry_export(self) -> None:
        """Export nothing any more."""
        self._perform(_DELETE_TELEMETRY_EXPORT, {}, {}, None)

    def test_telemetry_export(self) -> types.TelemetryExportTest:
        """Send one marked span now, and return what the receiver answered."""
        answer: types.TelemetryExportTest = self._perform(_TEST_TELEMETRY_EXPORT, {}, {}, None)
        return answer

    def get_inbox_source(self, source: str) -> types.InboxSource:
        """One source."""
        answer: types.InboxSource = self._perform(_GET_INBOX_SOURCE, {"source": source}, {}, None)
        return answer

    def put_inbox_source(self, source: str, body: types.NewInboxSource) -> types.InboxSourceWithSecret:
        """Add or replace a source."""
        answer: types.InboxSourceWithSecret = self._perform(_PUT_INBOX_SOURCE, {"source": source}, {}, body)
        return answer

    def delete_inbox_source(self, source: str) -> None:
        """Delete a source: what it sends is refused from now on."""
        self._perform(_DELETE_INBOX_SOURCE, {"source": source}, {}, None)

    def list_inbox_sources(self) -> types.InboxSources:
        """List the sources whose webhooks are taken."""
        answer: types.InboxSources = self._perform(_LIST_INBOX_SOURCES, {}, {}, None)
        return answer

    def get_status(self) -> types.Status:
        """An ecosystem at a glance."""
        answer: types.Status = self._perform(_GET_STATUS, {}, {}, None)
        return answer

    def get_usage(self) -> types.EcosystemUsage:
        """How much of the billed units an ecosystem uses."""
        answer: types.EcosystemUsage = self._perform(_GET_USAGE, {}, {}, None)
        return answer

    def get_metrics(self) -> str:
        """The metrics of an ecosystem, for Prometheus."""
        answer: str = self._perform(_GET_METRICS, {}, {}, None)
        return answer

    def get_all_metrics(self) -> str:
        """Metrics of all ecosystems together, for Prometheus."""
        answer: str = self._perform(_GET_ALL_METRICS, {}, {}, None)
        return answer

    def get_metrics_targets(self) -> types.MetricsTargets:
        """All ecosystems as targets, for the HTTP service discovery of Prometheus."""
        answer: types.MetricsTargets = self._perform(_GET_METRICS_TARGETS, {}, {}, None)
        return answer

    def get_budget(self) -> types.Budget:
        """The monthly budget of an ecosystem, and how far it is used."""
        answer: types.Budget = self._perform(_GET_BUDGET, {}, {}, None)
        return answer

    def put_budget(self, body: types.NewBudget) -> types.Budget:
        """Set the monthly budget of an ecosystem, or take it away."""
        answer: types.Budget = self._perform(_PUT_BUDGET, {}, {}, body)
        return answer

    def create_token(self, body: types.NewToken) -> types.CreatedToken:
        """Create a token."""
        answer: types.CreatedToken = self._perform(_CREATE_TOKEN, {}, {}, body)
        return answer

    def list_tokens(self) -> types.Tokens:
        """List all tokens, without their secrets."""
        answer: types.Tokens = self._perform(_LIST_TOKENS, {}, {}, None)
        return answer

    def delete_token(self, id: str) -> None:
        """Delete a token."""
        self._perform(_DELETE_TOKEN, {"id": id}, {}, None)

    def create_session_code(self, body: types.NewSession) -> types.SessionCode:
        """Make a code with which a browser begins a session."""
        answer: types.SessionCode = self._perform(_CREATE_SESSION_CODE, {}, {}, body)
        return answer

    def list_sessions(self) -> types.Sessions:
        """List the sessions of browsers."""
        answer: types.Sessions = self._perform(_LIST_SESSIONS, {}, {}, None)
        return answer

    def end_session(self, id: str) -> None:
        """End the session of a browser."""
        self._perform(_END_SESSION, {"id": id}, {}, None)

    def list_ecosystems(self) -> types.Ecosystems:
        """List the ecosystems that hold signals, of those that the token may read."""
        answer: types.Ecosystems = self._perform(_LIST_ECOSYSTEMS, {}, {}, None)
        return answer

    def export_ecosystem(
        self,
        *,
        after: str | None = None,
        with_secrets: Literal["true", "false"] | None = None,
    ) -> types.ExportPage:
        """A page of an export of an ecosystem."""
        answer: types.ExportPage = self._perform(_EXPORT_ECOSYSTEM, {}, {"after": after, "with_secrets": with_secrets}, None)
        return answer

    def import_ecosystem(self, body: str, *, import_: str) -> types.ImportReceipt:
        """Import lines of an export into an empty ecosystem."""
        answer: types.ImportReceipt = self._perform(_IMPORT_ECOSYSTEM, {}, {"import": import_}, body)
        return answer

    def delete_ecosystem(self, *, confirm: str | None = None) -> types.Deletion:
        """Delete an ecosystem with everything in it."""
        answer: types.Deletion = self._perform(_DELETE_ECOSYSTEM, {}, {"confirm": confirm}, None)
        return answer

    def erase_source(self, body: types.EraseSourceBody) -> types.ErasurePreview | types.Erasure:
        """Erase what a source has said."""
        answer: types.ErasurePreview | types.Erasure = self._perform(_ERASE_SOURCE, {}, {}, body)
        return answer

    def list_erasures(self) -> types.Erasures:
        """Erasures, and how far each has come."""
        answer: types.Erasures = self._perform(_LIST_ERASURES, {}, {}, None)
        return answer

    def get_erasure(self, id: str) -> types.Erasure:
        """How far an erasure has come."""
        answer: types.Erasure = self._perform(_GET_ERASURE, {"id": id}, {}, None)
        return answer

    def list_workers(self) -> types.ListWorkersAnswer:
        """List the workers of file tasks on all hosts."""
        answer: types.ListWorkersAnswer = self._perform(_LIST_WORKERS, {}, {}, None)
        return answer

    def get_worker(self, worker: str) -> types.GetWorkerAnswer:
        """One worker of file tasks: its health and counts on each host."""
        answer: types.GetWorkerAnswer = self._perform(_GET_WORKER, {"worker": worker}, {}, None)
        return answer

    def get_dropped_task(self, worker: str, id: str) -> types.GetDroppedTaskAnswer:
        """Get the state of a file task."""
        answer: types.GetDroppedTaskAnswer = self._perform(_GET_DROPPED_TASK, {"worker": worker, "id": id}, {}, None)
        return answer

    def list_schedules(self, *, limit: int | None = None, after: str | None = None) -> types.Schedules:
        """List the schedules by name, with their state."""
        answer: types.Schedules = self._perform(_LIST_SCHEDULES, {}, {"limit": limit, "after": after}, None)
        return answer

    def get_schedule(self, name: str) -> types.Schedule:
        """Get a schedule with its state."""
        answer: types.Schedule = self._perform(_GET_SCHEDULE, {"name": name}, {}, None)
        return answer

    def put_schedule(self, name: str, body: types.PutScheduleBody) -> types.Schedule:
        """Make a task or a signal at certain times, or watch over a job that runs elsewhere."""
        answer: types.Schedule = self._perform(_PUT_SCHEDULE, {"name": name}, {}, body)
        return answer

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule; tasks that it has made stay."""
        self._perform(_DELETE_SCHEDULE, {"name": name}, {}, None)

    def list_schedule_runs(self, name: str) -> types.ScheduleRuns:
        """List the last runs of a schedule, and the times at which there was none."""
        answer: types.ScheduleRuns = self._perform(_LIST_SCHEDULE_RUNS, {"name": name}, {}, None)
        return answer

    def report_schedule_run(self, name: str, body: types.ReportScheduleRunBody) -> types.Schedule:
        """Report that a run of a job that runs elsewhere began, goes on, or ended."""
        answer: types.Schedule = self._perform(_REPORT_SCHEDULE_RUN, {"name": name}, {}, body)
        return answer

    def pause_schedule(self, name: str) -> types.Schedule:
        """Make no runs until the schedule is resumed."""
        answer: types.Schedule = self._perform(_PAUSE_SCHEDULE, {"name": name}, {}, None)
        return answer

    def resume_schedule(self, name: str) -> types.Schedule:
        """Make runs again, from the next time on."""
        answer: types.Schedule = self._perform(_RESUME_SCHEDULE, {"name": name}, {}, None)
        return answer

    def run_schedule(self, name: str) -> types.RunScheduleAnswer:
        """Make a run now."""
        answer: types.RunScheduleAnswer = self._perform(_RUN_SCHEDULE, {"name": name}, {}, None)
        return answer

    def get_schedule_heartbeat(self, name: str) -> types.Schedule:
        """Report that a job that runs elsewhere is alive."""
        answer: types.Schedule = self._perform(_GET_SCHEDULE_HEARTBEAT, {"name": name}, {}, None)
        return answer

    def post_schedule_heartbeat(self, name: str) -> types.Schedule:
        """Report that a job that runs elsewhere is alive."""
        answer: types.Schedule = self._perform(_POST_SCHEDULE_HEARTBEAT, {"name": name}, {}, None)
        return answer

    def list_notes(
        self,
        *,
        prefix: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.Notes:
        """List notes by key."""
        answer: types.Notes = self._perform(_LIST_NOTES, {}, {"prefix": prefix, "limit": limit, "after": after}, None)
        return answer

    def get_note(self, key: str, *, unless_version: int | None = None, wait_ms: int | None = None) -> types.Note:
        """Get a note, or wait for its next change."""
        answer: types.Note = self._perform(_GET_NOTE, {"key": key}, {"unless_version": unless_version, "wait_ms": wait_ms}, None)
        return answer

    def put_note(
        self,
        key: str,
        body: dict[str, Any],
        *,
        ttl_ms: int | None = None,
        cause: str | None = None,
        if_version: int | None = None,
    ) -> types.Note:
        """Make or change a note."""
        answer: types.Note = self._perform(_PUT_NOTE, {"key": key}, {"ttl_ms": ttl_ms, "cause": cause, "if_version": if_version}, body)
        return answer

    def delete_note(self, key: str, *, cause: str | None = None, if_version: int | None = None) -> None:
        """Delete a note."""
        self._perform(_DELETE_NOTE, {"key": key}, {"cause": cause, "if_version": if_version}, None)

    def ask_question(self, body: types.AskQuestionBody) -> types.AskedQuestion:
        """Ask a person or a role."""
        answer: types.AskedQuestion = self._perform(_ASK_QUESTION, {}, {}, body)
        return answer

    def list_questions(
        self,
        *,
        state: Literal["open", "answered", "expired", "cancelled"] | None = None,
        recipient: str | None = None,
        kind: Literal["question", "permission"] | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> types.Questions:
        """List questions, the newest first."""
        answer: types.Questions = self._perform(_LIST_QUESTIONS, {}, {"state": state, "recipient": recipient, "kind": kind, "limit": limit, "after": after}, None)
        return answer

    def get_question(self, id: str, *, wait_ms: int | None = None) -> types.Question:
        """Get a question, or wait for its answer."""
        answer: types.Question = self._perform(_GET_QUESTION, {"id": id}, {"wait_ms": wait_ms}, None)
        return answer

    def answer_question(self, id: str, body: types.AnswerQuestionBody) -> types.Question:
        """Answer a question."""
        answer: types.Question = self._perform(_ANSWER_QUESTION, {"id": id}, {}, body)
        return answer

    def cancel_question(self, id: str) -> types.Question:
        """Take a question back."""
        answer: types.Question = self._perform(_CANCEL_QUESTION, {"id": id}, {}, None)
        return answer

    def ask_permission(self, body: types.AskPermissionBody) -> types.AskedQuestion:
        """Ask a person for permission to use a tool."""
        answer: types.AskedQuestion = self._perform(_ASK_PERMISSION, {}, {}, body)
        return answer

    def answer_permission(self, id: str, body: types.AnswerPermissionBody) -> types.Question:
        """Allow or deny the use of a tool."""
        answer: types.Question = self._perform(_ANSWER_PERMISSION, {"id": id}, {}, body)
        return answer

    def list_locks(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        name: str | None = None,
        owner: str | None = None,
    ) -> types.Locks:
        """List the locks that are held, and who waits."""
        answer: types.Locks = self._perform(_LIST_LOCKS, {}, {"limit": limit, "after": after, "name": name, "owner": owner}, None)
        return answer

    def acquire_lock(self, name: str, body: types.AcquireLockBody) -> types.LockAnswer:
        """Acquire a lock, or wait for it."""
        answer: types.LockAnswer = self._perform(_ACQUIRE_LOCK, {"name": name}, {}, body)
        return answer

    def renew_lock(self, name: str, body: types.RenewLockBody) -> types.LockHeld:
        """Hold a lock for longer."""
        answer: types.LockHeld = self._perform(_RENEW_LOCK, {"name": name}, {}, body)
        return answer

    def release_lock(self, name: str, body: types.ReleaseLockBody) -> types.LockReleased:
        """Release a lock."""
        answer: types.LockReleased = self._perform(_RELEASE_LOCK, {"name": name}, {}, body)
        return answer

    def list_limits(self) -> types.Limits:
        """List the limits by name, with what is used of them."""
        answer: types.Limits = self._perform(_LIST_LIMITS, {}, {}, None)
        return answer

    def get_limit(self, name: str) -> types.Limit:
        """Get a limit with what is used of it."""
        answer: types.Limit = self._perform(_GET_LIMIT, {"name": name}, {}, None)
        return answer

    def put_limit(self, name: str, body: types.PutLimitBody) -> types.Limit:
        """Say what may be asked of a provider, by all together."""
        answer: types.Limit = self._perform(_PUT_LIMIT, {"name": name}, {}, body)
        return answer

    def delete_limit(self, name: str) -> None:
        """Delete a limit; tasks that name it are given out again."""
        self._perform(_DELETE_LIMIT, {"name": name}, {}, None)

    def reserve_limit(self, name: str, body: types.ReserveLimitBody) -> types.Reservation:
        """Ask for a part of a limit, before a provider is called."""
        answer: types.Reservation = self._perform(_RESERVE_LIMIT, {"name": name}, {}, body)
        return answer

    def settle_limit(self, name: str, body: types.SettleLimitBody) -> types.Settlement:
        """Say what a reservation has really used, and how the provider answered."""
        answer: types.Settlement = self._perform(_SETTLE_LIMIT, {"name": name}, {}, body)
        return answer

    def close_limit(self, name: str, body: types.CloseLimitBody) -> types.Limit:
        """Close a limit for all, because a provider takes no more for now."""
        answer: types.Limit = self._perform(_CLOSE_LIMIT, {"name": name}, {}, body)
        return answer

    def open_limit(self, name: str) -> types.Limit:
        """Open a closed limit at once, and wholly."""
        answer: types.Limit = self._perform(_OPEN_LIMIT, {"name": name}, {}, None)
        return answer

    def list_spending_budgets(self) -> types.SpendingBudgets:
        """List the budgets by name, with who has used most of each."""
        answer: types.SpendingBudgets = self._perform(_LIST_SPENDING_BUDGETS, {}, {}, None)
        return answer

    def get_spending_budget(self, name: str, *, subject: str | None = None) -> types.SpendingBudget:
        """Get a budget with who has used most of it, or what one has used."""
        answer: types.SpendingBudget = self._perform(_GET_SPENDING_BUDGET, {"name": name}, {"subject": subject}, None)
        return answer

    def put_spending_budget(self, name: str, body: types.PutSpendingBudgetBody) -> types.SpendingBudget:
        """Say what each agent, task or chain may use, or all together."""
        answer: types.SpendingBudget = self._perform(_PUT_SPENDING_BUDGET, {"name": name}, {}, body)
        return answer

    def delete_spending_budget(self, name: str) -> None:
        """Delete a budget; what was counted is forgotten."""
        self._perform(_DELETE_SPENDING_BUDGET, {"name": name}, {}, None)


class AsyncOperations:
    """Calls by the names of the API's operations, for asyncio."""

    __slots__ = ("_perform",)

    def __init__(self, perform: Callable[[Operation, dict[str, Any], dict[str, Any], Any], Awaitable[Any]]) -> None:
        self._perform = perform

    async def is_alive(self) -> types.IsAliveAnswer:
        """Whether the Worker runs."""
        answer: types.IsAliveAnswer = await self._perform(_IS_ALIVE, {}, {}, None)
        return answer

    async def is_ready(self) -> types.IsReadyAnswer:
        """Whether the Worker can serve calls."""
        answer: types.IsReadyAnswer = await self._perform(_IS_READY, {}, {}, None)
        return answer

    async def get_attention(self) -> types.Attention:
        """What needs somebody in an ecosystem."""
        answer: types.Attention = await self._perform(_GET_ATTENTION, {}, {}, None)
        return answer

    async def get_attention_everywhere(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.AttentionPage:
        """What needs somebody in any ecosystem that the token may see."""
        answer: types.AttentionPage = await self._perform(_GET_ATTENTION_EVERYWHERE, {}, {"limit": limit, "after": after}, None)
        return answer

    async def get_overview(self) -> types.Overview:
        """An ecosystem in one document."""
        answer: types.Overview = await self._perform(_GET_OVERVIEW, {}, {}, None)
        return answer

    async def get_audit_of_deployment(
        self,
        *,
        by: str | None = None,
        target: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> types.AuditPage:
        """Who changed tokens, and deleted or imported ecosystems."""
        answer: types.AuditPage = await self._perform(_GET_AUDIT_OF_DEPLOYMENT, {}, {"by": by, "target": target, "since": since, "until": until, "limit": limit, "after": after}, None)
        return answer

    async def get_audit(
        self,
        *,
        by: str | None = None,
        target: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> types.AuditPage:
        """Who changed what in an ecosystem, and when."""
        answer: types.AuditPage = await self._perform(_GET_AUDIT, {}, {"by": by, "target": target, "since": since, "until": until, "limit": limit, "after": after}, None)
        return answer

    async def list_producers(
        self,
        *,
        host: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> types.ProducerPage:
        """List the producers whose numbers the log knows."""
        answer: types.ProducerPage = await self._perform(_LIST_PRODUCERS, {}, {"host": host, "after": after, "limit": limit}, None)
        return answer

    async def forget_producer(self, producer: str) -> None:
        """Take the next number of a producer for its first."""
        await self._perform(_FORGET_PRODUCER, {"producer": producer}, {}, None)

    async def emit_signals(self, body: types.NewSignal | list[types.NewSignal]) -> types.AppendResult:
        """Emit one signal, or many."""
        answer: types.AppendResult = await self._perform(_EMIT_SIGNALS, {}, {}, body)
        return answer

    async def list_signals(
        self,
        *,
        signal: str | Sequence[str] | None = None,
        source: str | None = None,
        after: int | None = None,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        filter: str | None = None,
    ) -> types.SignalPage:
        """Read the log."""
        answer: types.SignalPage = await self._perform(_LIST_SIGNALS, {}, {"signal": signal, "source": source, "after": after, "since": since, "until": until, "limit": limit, "order": order, "filter": filter}, None)
        return answer

    async def emit_facts(
        self,
        id: str,
        body: dict[str, Any],
        *,
        source: str,
        id_: str | None = None,
        cause: str | None = None,
        timestamp: str | None = None,
    ) -> types.AppendResult:
        """Emit one signal whose facts are the whole body."""
        answer: types.AppendResult = await self._perform(_EMIT_FACTS, {"id": id}, {"source": source, "id": id_, "cause": cause, "timestamp": timestamp}, body)
        return answer

    async def get_signal(self, id: str, *, source: str | None = None, before: int | None = None) -> types.Signal:
        """One signal."""
        answer: types.Signal = await self._perform(_GET_SIGNAL, {"id": id}, {"source": source, "before": before}, None)
        return answer

    async def get_lineage(self, id: str, *, source: str | None = None, before: int | None = None) -> types.Lineage:
        """Causes and effects of a signal."""
        answer: types.Lineage = await self._perform(_GET_LINEAGE, {"id": id}, {"source": source, "before": before}, None)
        return answer

    async def list_agents(self, *, limit: int | None = None, after: str | None = None) -> types.Agents:
        """List hosts with their state, what they run, and their alerts."""
        answer: types.Agents = await self._perform(_LIST_AGENTS, {}, {"limit": limit, "after": after}, None)
        return answer

    async def get_agent(self, host: str) -> types.Agent:
        """Get one host."""
        answer: types.Agent = await self._perform(_GET_AGENT, {"host": host}, {}, None)
        return answer

    async def forget_agent(self, host: str) -> None:
        """Forget a host that is down."""
        await self._perform(_FORGET_AGENT, {"host": host}, {}, None)

    async def release_agent(self, host: str) -> None:
        """Release a host's name from the token that owns it."""
        await self._perform(_RELEASE_AGENT, {"host": host}, {}, None)

    async def take_logs(self, body: dict[str, Any]) -> types.ExportAnswer:
        """Take in logs of agents, by OTLP over HTTP."""
        answer: types.ExportAnswer = await self._perform(_TAKE_LOGS, {}, {}, body)
        return answer

    async def take_metrics(self, body: dict[str, Any]) -> types.ExportAnswer:
        """Take in metrics of agents, by OTLP over HTTP."""
        answer: types.ExportAnswer = await self._perform(_TAKE_METRICS, {}, {}, body)
        return answer

    async def take_traces(self, body: dict[str, Any]) -> types.ExportAnswer:
        """Take in traces of agents, by OTLP over HTTP."""
        answer: types.ExportAnswer = await self._perform(_TAKE_TRACES, {}, {}, body)
        return answer

    async def get_session_settings(self) -> types.SessionSettings:
        """How long sessions of agents may wait and be silent."""
        answer: types.SessionSettings = await self._perform(_GET_SESSION_SETTINGS, {}, {}, None)
        return answer

    async def change_session_settings(self, body: types.ChangeSessionSettingsBody) -> types.SessionSettings:
        """Change how long sessions of agents may wait and be silent."""
        answer: types.SessionSettings = await self._perform(_CHANGE_SESSION_SETTINGS, {}, {}, body)
        return answer

    async def take_claude_code_hook(
        self,
        body: dict[str, Any],
        *,
        source: str | None = None,
        task: str | None = None,
    ) -> dict[str, Any]:
        """Take in the input of a hook of Claude Code."""
        answer: dict[str, Any] = await self._perform(_TAKE_CLAUDE_CODE_HOOK, {}, {"source": source, "task": task}, body)
        return answer

    async def list_agent_sessions(
        self,
        *,
        agent: str | None = None,
        session: str | None = None,
        verdict: Literal["working", "waiting", "idle", "frozen", "ended"] | None = None,
        chain: str | None = None,
        limit: int | None = None,
    ) -> types.ListAgentSessionsAnswer:
        """List the sessions of agents that report by telemetry or hooks."""
        answer: types.ListAgentSessionsAnswer = await self._perform(_LIST_AGENT_SESSIONS, {}, {"agent": agent, "session": session, "verdict": verdict, "chain": chain, "limit": limit}, None)
        return answer

    async def get_monitor_settings(self) -> types.MonitorSettings:
        """Get the limits for hosts that are down and for health alerts."""
        answer: types.MonitorSettings = await self._perform(_GET_MONITOR_SETTINGS, {}, {}, None)
        return answer

    async def put_monitor_settings(self, body: dict[str, Any]) -> types.MonitorSettings:
        """Set the limits for hosts that are down and for health alerts."""
        answer: types.MonitorSettings = await self._perform(_PUT_MONITOR_SETTINGS, {}, {}, body)
        return answer

    async def run_monitors(self) -> types.MonitorRun:
        """Ask all hosts now, as happens each minute."""
        answer: types.MonitorRun = await self._perform(_RUN_MONITORS, {}, {}, None)
        return answer

    async def get_observation_settings(self) -> types.ObservationSettings:
        """Length of the window, and damping of gaps."""
        answer: types.ObservationSettings = await self._perform(_GET_OBSERVATION_SETTINGS, {}, {}, None)
        return answer

    async def change_observation_settings(self, body: dict[str, Any]) -> types.ObservationSettings:
        """Change the window or the damping of gaps."""
        answer: types.ObservationSettings = await self._perform(_CHANGE_OBSERVATION_SETTINGS, {}, {}, body)
        return answer

    async def list_observations(
        self,
        *,
        seconds: int | None = None,
        zooid: str | None = None,
        limit: int | None = None,
    ) -> types.ObservationsPage:
        """Recent observations."""
        answer: types.ObservationsPage = await self._perform(_LIST_OBSERVATIONS, {}, {"seconds": seconds, "zooid": zooid, "limit": limit}, None)
        return answer

    async def get_observation_history(
        self,
        *,
        metric: str,
        reporter: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        step: int | None = None,
    ) -> types.HistoryPage:
        """A metric over time."""
        answer: types.HistoryPage = await self._perform(_GET_OBSERVATION_HISTORY, {}, {"metric": metric, "reporter": reporter, "since": since, "until": until, "step": step}, None)
        return answer

    async def list_scanners(self) -> types.Scanners:
        """Settings and health of each scanner."""
        answer: types.Scanners = await self._perform(_LIST_SCANNERS, {}, {}, None)
        return answer

    async def change_scanner(self, id: str, body: types.ChangeScannerBody) -> types.Scanner:
        """Change thresholds, switch a scanner on or off."""
        answer: types.Scanner = await self._perform(_CHANGE_SCANNER, {"id": id}, {}, body)
        return answer

    async def get_maintenance(self) -> types.Maintenance:
        """Whether maintenance is on, since when and why."""
        answer: types.Maintenance = await self._perform(_GET_MAINTENANCE, {}, {}, None)
        return answer

    async def set_maintenance(self, body: types.SetMaintenanceBody) -> types.Maintenance:
        """Switch maintenance on or off."""
        answer: types.Maintenance = await self._perform(_SET_MAINTENANCE, {}, {}, body)
        return answer

    async def list_gaps(
        self,
        *,
        status: Literal["open", "resolved", "all"] | None = None,
        name: str | None = None,
    ) -> types.Gaps:
        """Open problems, with their evidence."""
        answer: types.Gaps = await self._perform(_LIST_GAPS, {}, {"status": status, "name": name}, None)
        return answer

    async def get_gap_evidence(self, fingerprint: str) -> types.GapEvidence:
        """What a gap rests on, sample by sample."""
        answer: types.GapEvidence = await self._perform(_GET_GAP_EVIDENCE, {"fingerprint": fingerprint}, {}, None)
        return answer

    async def list_policies(self) -> types.Policies:
        """The rules in force."""
        answer: types.Policies = await self._perform(_LIST_POLICIES, {}, {}, None)
        return answer

    async def change_policies(self, body: types.ChangePoliciesBody) -> types.PolicyChanges:
        """Put several rules in force, at one sequence number of the log."""
        answer: types.PolicyChanges = await self._perform(_CHANGE_POLICIES, {}, {}, body)
        return answer

    async def replace_policies(self, body: types.ReplacePoliciesBody) -> types.PolicyChanges:
        """Replace all rules, at one sequence number of the log."""
        answer: types.PolicyChanges = await self._perform(_REPLACE_POLICIES, {}, {}, body)
        return answer

    async def get_policy(self, id: str) -> types.PolicyVersions:
        """A rule and its versions, newest first."""
        answer: types.PolicyVersions = await self._perform(_GET_POLICY, {"id": id}, {}, None)
        return answer

    async def put_policy(self, id: str, body: dict[str, Any]) -> types.PolicyPut:
        """Put a rule in force."""
        answer: types.PolicyPut = await self._perform(_PUT_POLICY, {"id": id}, {}, body)
        return answer

    async def enable_policy(self, id: str, body: types.EnablePolicyBody) -> types.Policy:
        """Enable or disable a rule."""
        answer: types.Policy = await self._perform(_ENABLE_POLICY, {"id": id}, {}, body)
        return answer

    async def delete_policy(self, id: str) -> types.PolicyChanges:
        """Delete a rule. A changed built-in rule goes back to its original."""
        answer: types.PolicyChanges = await self._perform(_DELETE_POLICY, {"id": id}, {}, None)
        return answer

    async def import_policy_state(self, id: str, body: types.ImportPolicyStateBody) -> types.PolicyStateImported:
        """Take over what an older system has begun, so that the rule does not begin it again."""
        answer: types.PolicyStateImported = await self._perform(_IMPORT_POLICY_STATE, {"id": id}, {}, body)
        return answer

    async def list_bridges(self) -> types.Bridges:
        """List the bridges to other ecosystems."""
        answer: types.Bridges = await self._perform(_LIST_BRIDGES, {}, {}, None)
        return answer

    async def put_bridge(self, name: str, body: types.NewBridge) -> types.Bridge:
        """Forward signals to another ecosystem."""
        answer: types.Bridge = await self._perform(_PUT_BRIDGE, {"name": name}, {}, body)
        return answer

    async def delete_bridge(self, name: str) -> None:
        """Delete a bridge; what it has decided to forward still arrives."""
        await self._perform(_DELETE_BRIDGE, {"name": name}, {}, None)

    async def list_decisions(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        rule: str | None = None,
        outcome: Literal["fired", "suppressed", "failed"] | None = None,
        signal: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
    ) -> types.Decisions:
        """Decisions of rules, with their reasons."""
        answer: types.Decisions = await self._perform(_LIST_DECISIONS, {}, {"limit": limit, "after": after, "rule": rule, "outcome": outcome, "signal": signal, "since": since, "until": until}, None)
        return answer

    async def list_expectations(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        rule: str | None = None,
    ) -> types.Expectations:
        """Signals that rules wait for, the next to be due first."""
        answer: types.Expectations = await self._perform(_LIST_EXPECTATIONS, {}, {"limit": limit, "after": after, "rule": rule}, None)
        return answer

    async def get_models(self) -> types.ModelSettings:
        """Language models that rules may ask, and today's spending."""
        answer: types.ModelSettings = await self._perform(_GET_MODELS, {}, {}, None)
        return answer

    async def set_models(self, body: types.SetModelsBody) -> types.ModelSettings:
        """Set the language models that rules may ask, and the daily budget."""
        answer: types.ModelSettings = await self._perform(_SET_MODELS, {}, {}, body)
        return answer

    async def get_library(self, *, node_type: str | None = None, domain: str | None = None) -> types.LibraryFindings:
        """Look up what the built-in library knows about a kind of node."""
        answer: types.LibraryFindings = await self._perform(_GET_LIBRARY, {}, {"node_type": node_type, "domain": domain}, None)
        return answer

    async def gather_context(
        self,
        body: types.NewContext,
        *,
        timeout_ms: int | None = None,
        live: Literal["true", "false"] | None = None,
        topic: str | None = None,
        correlation_id: str | None = None,
    ) -> types.IntelligenceContext:
        """Gather what is known about a kind of node."""
        answer: types.IntelligenceContext = await self._perform(_GATHER_CONTEXT, {}, {"timeout_ms": timeout_ms, "live": live, "topic": topic, "correlation_id": correlation_id}, body)
        return answer

    async def get_rollout(self) -> types.Rollout:
        """Which share of the requests asks live hosts, and how both arms fare."""
        answer: types.Rollout = await self._perform(_GET_ROLLOUT, {}, {}, None)
        return answer

    async def set_rollout(self, body: types.RolloutChange) -> types.RolloutState:
        """Set the share of the keys that asks live hosts."""
        answer: types.RolloutState = await self._perform(_SET_ROLLOUT, {}, {}, body)
        return answer

    async def roll_back(self, body: types.RollbackRequest) -> types.RolloutState:
        """Roll live discovery back: no request asks live hosts until the share is raised."""
        answer: types.RolloutState = await self._perform(_ROLL_BACK, {}, {}, body)
        return answer

    async def report_outcomes(self, body: types.OutcomeReport) -> types.RolloutState:
        """Report what an asker measured, and learn by which share it decides from now on."""
        answer: types.RolloutState = await self._perform(_REPORT_OUTCOMES, {}, {}, body)
        return answer

    async def get_intelligence_health(self) -> types.IntelligenceHealth:
        """Event Intelligence Health: the figures that all askers reported, of the last hour and of the last five minutes."""
        answer: types.IntelligenceHealth = await self._perform(_GET_INTELLIGENCE_HEALTH, {}, {}, None)
        return answer

    async def simulate_policy(self, id: str, body: types.SimulatePolicyBody) -> types.Simulated:
        """Simulate a rule, or a changed one, on stored signals."""
        answer: types.Simulated = await self._perform(_SIMULATE_POLICY, {"id": id}, {}, body)
        return answer

    async def list_dead_letters(
        self,
        *,
        kind: Literal["signal", "task", "intent", "webhook", "reaction"] | None = None,
        daemon: str | None = None,
        signal: str | Sequence[str] | None = None,
        host: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        text: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.DeadLetters:
        """List dead letters: items that could not be processed, with the reason."""
        answer: types.DeadLetters = await self._perform(_LIST_DEAD_LETTERS, {}, {"kind": kind, "daemon": daemon, "signal": signal, "host": host, "since": since, "until": until, "text": text, "limit": limit, "after": after}, None)
        return answer

    async def replay_dead_letters(self, body: types.ReplayDeadLettersBody) -> types.DeadLettersHandled:
        """Replay dead letters by a filter."""
        answer: types.DeadLettersHandled = await self._perform(_REPLAY_DEAD_LETTERS, {}, {}, body)
        return answer

    async def discard_dead_letters(self, body: types.DiscardDeadLettersBody) -> types.DeadLettersHandled:
        """Discard dead letters by a filter."""
        answer: types.DeadLettersHandled = await self._perform(_DISCARD_DEAD_LETTERS, {}, {}, body)
        return answer

    async def get_dead_letter(self, id: str) -> types.DeadLetter:
        """Get one dead letter."""
        answer: types.DeadLetter = await self._perform(_GET_DEAD_LETTER, {"id": id}, {}, None)
        return answer

    async def discard_dead_letter(self, id: str) -> None:
        """Discard a dead letter."""
        await self._perform(_DISCARD_DEAD_LETTER, {"id": id}, {}, None)

    async def replay_dead_letter(self, id: str, body: types.ReplayDeadLetterBody | None = None) -> types.Replayed:
        """Replay a dead letter: process it again."""
        answer: types.Replayed = await self._perform(_REPLAY_DEAD_LETTER, {"id": id}, {}, body)
        return answer

    async def list_queues(self) -> types.Queues:
        """List the queues of an ecosystem."""
        answer: types.Queues = await self._perform(_LIST_QUEUES, {}, {}, None)
        return answer

    async def get_queue(self, queue: str) -> types.QueueStatus:
        """Get the status of a queue."""
        answer: types.QueueStatus = await self._perform(_GET_QUEUE, {"q": queue}, {}, None)
        return answer

    async def configure_queue(self, queue: str, body: types.QueueSettingsChange) -> types.QueueSettings:
        """Change a queue's settings."""
        answer: types.QueueSettings = await self._perform(_CONFIGURE_QUEUE, {"q": queue}, {}, body)
        return answer

    async def delete_queue(self, queue: str, *, force: Literal["true", "false"] | None = None) -> None:
        """Delete a queue."""
        await self._perform(_DELETE_QUEUE, {"q": queue}, {"force": force}, None)

    async def create_queue(self, queue: str, body: types.QueueSettingsChange | None = None) -> types.CreatedQueue:
        """Create a queue, or set one up."""
        answer: types.CreatedQueue = await self._perform(_CREATE_QUEUE, {"q": queue}, {}, body)
        return answer

    async def get_bottlenecks(self, queue: str, *, limit: int | None = None) -> types.Bottlenecks:
        """Find the bottlenecks of a queue."""
        answer: types.Bottlenecks = await self._perform(_GET_BOTTLENECKS, {"q": queue}, {"limit": limit}, None)
        return answer

    async def get_queue_events(self, queue: str, *, tail: int | None = None) -> types.QueueEvents:
        """Get the latest events of a queue."""
        answer: types.QueueEvents = await self._perform(_GET_QUEUE_EVENTS, {"q": queue}, {"tail": tail}, None)
        return answer

    async def send_mail(self, body: types.NewMail) -> types.SentMail:
        """Send a message to an agent."""
        answer: types.SentMail = await self._perform(_SEND_MAIL, {}, {}, body)
        return answer

    async def list_mail(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        thread: str | None = None,
        ended: Literal["true", "false"] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.MailPage:
        """List messages: of a recipient, of a sender, of a thread."""
        answer: types.MailPage = await self._perform(_LIST_MAIL, {}, {"to": to, "from": from_, "thread": thread, "ended": ended, "limit": limit, "after": after}, None)
        return answer

    async def get_mail(self, id: str) -> types.MailMessage:
        """Get a message with its states and their times."""
        answer: types.MailMessage = await self._perform(_GET_MAIL, {"id": id}, {}, None)
        return answer

    async def get_mailbox(
        self,
        recipient: str,
        *,
        box: Literal["in", "out"] | None = None,
        thread: str | None = None,
        ended: Literal["true", "false"] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.MailPage:
        """Look into the mailbox of a recipient."""
        answer: types.MailPage = await self._perform(_GET_MAILBOX, {"recipient": recipient}, {"box": box, "thread": thread, "ended": ended, "limit": limit, "after": after}, None)
        return answer

    async def receive_mail(self, recipient: str, body: types.ReceiveRequest | None = None) -> types.ReceivedMail:
        """Take the new messages of a recipient."""
        answer: types.ReceivedMail = await self._perform(_RECEIVE_MAIL, {"recipient": recipient}, {}, body)
        return answer

    async def read_mail(self, id: str) -> types.MailMessage:
        """Say that a message was read."""
        answer: types.MailMessage = await self._perform(_READ_MAIL, {"id": id}, {}, None)
        return answer

    async def act_mail(self, id: str, body: types.ActRequest | None = None) -> types.MailMessage:
        """Say that what a message asked for is done."""
        answer: types.MailMessage = await self._perform(_ACT_MAIL, {"id": id}, {}, body)
        return answer

    async def pause_queue(self, queue: str, body: types.PauseRequest | None = None) -> types.PauseState:
        """Pause a queue."""
        answer: types.PauseState = await self._perform(_PAUSE_QUEUE, {"q": queue}, {}, body)
        return answer

    async def resume_queue(self, queue: str) -> types.PauseState:
        """Have a paused queue give out tasks again."""
        answer: types.PauseState = await self._perform(_RESUME_QUEUE, {"q": queue}, {}, None)
        return answer

    async def purge_tasks(self, queue: str, body: types.BulkTasksRequest | None = None) -> types.BulkTasks:
        """Purge the tasks of a filter."""
        answer: types.BulkTasks = await self._perform(_PURGE_TASKS, {"q": queue}, {}, body)
        return answer

    async def cancel_tasks(self, queue: str, body: types.BulkTasksRequest | None = None) -> types.BulkTasks:
        """Cancel the tasks of a filter."""
        answer: types.BulkTasks = await self._perform(_CANCEL_TASKS, {"q": queue}, {}, body)
        return answer

    async def retry_tasks(self, queue: str, body: types.BulkTasksRequest | None = None) -> types.BulkTasks:
        """Retry the failed tasks of a filter."""
        answer: types.BulkTasks = await self._perform(_RETRY_TASKS, {"q": queue}, {}, body)
        return answer

    async def enqueue_many_tasks(self, queue: str, body: list[types.NewTask]) -> types.BulkReceipts:
        """Queue many tasks, each by itself."""
        answer: types.BulkReceipts = await self._perform(_ENQUEUE_MANY_TASKS, {"q": queue}, {}, body)
        return answer

    async def enqueue_tasks(self, queue: str, body: types.NewTask | list[types.NewTask]) -> types.TaskReceipts:
        """Queue one task, or many."""
        answer: types.TaskReceipts = await self._perform(_ENQUEUE_TASKS, {"q": queue}, {}, body)
        return answer

    async def list_tasks(
        self,
        queue: str,
        *,
        status: Literal["queued", "running", "verifying", "complete", "failed", "cancelled", "expired", "dropped"] | None = None,
        recipient: str | None = None,
        type: str | None = None,
        limit: int | None = None,
        after: int | str | None = None,
    ) -> types.TaskPage:
        """List tasks."""
        answer: types.TaskPage = await self._perform(_LIST_TASKS, {"q": queue}, {"status": status, "recipient": recipient, "type": type, "limit": limit, "after": after}, None)
        return answer

    async def get_task(self, queue: str, id: str) -> types.Task:
        """Get a task with its history."""
        answer: types.Task = await self._perform(_GET_TASK, {"q": queue, "id": id}, {}, None)
        return answer

    async def lease_tasks(self, queue: str, body: types.LeaseRequest) -> types.LeasedTasks:
        """Lease tasks to work on."""
        answer: types.LeasedTasks = await self._perform(_LEASE_TASKS, {"q": queue}, {}, body)
        return answer

    async def complete_task(self, queue: str, id: str, body: types.CompleteRequest) -> types.SettledTask:
        """Complete a task."""
        answer: types.SettledTask = await self._perform(_COMPLETE_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    async def fail_task(self, queue: str, id: str, body: types.FailRequest) -> types.SettledTask:
        """Fail an attempt."""
        answer: types.SettledTask = await self._perform(_FAIL_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    async def extend_task(self, queue: str, id: str, body: types.ExtendRequest) -> types.SettledTask:
        """Extend a lease."""
        answer: types.SettledTask = await self._perform(_EXTEND_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    async def release_task(self, queue: str, id: str, body: types.ReleaseRequest) -> types.SettledTask:
        """Release a task that was not begun."""
        answer: types.SettledTask = await self._perform(_RELEASE_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    async def cancel_task(self, queue: str, id: str) -> types.SettledTask:
        """Cancel a task, also one that a worker holds."""
        answer: types.SettledTask = await self._perform(_CANCEL_TASK, {"q": queue, "id": id}, {}, None)
        return answer

    async def retry_task(self, queue: str, id: str) -> types.SettledTask:
        """Retry a failed task, with all its attempts."""
        answer: types.SettledTask = await self._perform(_RETRY_TASK, {"q": queue, "id": id}, {}, None)
        return answer

    async def park_task(self, queue: str, id: str, body: types.ParkRequest) -> types.SettledTask:
        """Leave a task until a question is answered."""
        answer: types.SettledTask = await self._perform(_PARK_TASK, {"q": queue, "id": id}, {}, body)
        return answer

    async def list_finished_tasks(
        self,
        queue: str,
        *,
        state: Literal["complete", "failed", "cancelled", "expired", "dropped"] | None = None,
        recipient: str | None = None,
        type: str | None = None,
        since: Time | None = None,
        until: Time | None = None,
        text: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.FinishedTasks:
        """List finished tasks, the newest first."""
        answer: types.FinishedTasks = await self._perform(_LIST_FINISHED_TASKS, {"q": queue}, {"state": state, "recipient": recipient, "type": type, "since": since, "until": until, "text": text, "limit": limit, "after": after}, None)
        return answer

    async def call(self, queue: str, body: types.NewCall) -> types.CallReply:
        """Call a responder and wait for the reply."""
        answer: types.CallReply = await self._perform(_CALL, {"q": queue}, {}, body)
        return answer

    async def get_call(self, queue: str, id: str) -> types.CallReply | types.PendingCall:
        """Get the reply to an earlier call."""
        answer: types.CallReply | types.PendingCall = await self._perform(_GET_CALL, {"q": queue, "id": id}, {}, None)
        return answer

    async def list_webhooks(self) -> types.Webhooks:
        """List webhook endpoints with their state."""
        answer: types.Webhooks = await self._perform(_LIST_WEBHOOKS, {}, {}, None)
        return answer

    async def put_webhook(self, id: str, body: types.NewWebhook) -> types.WebhookWithSecret:
        """Add or replace an endpoint."""
        answer: types.WebhookWithSecret = await self._perform(_PUT_WEBHOOK, {"id": id}, {}, body)
        return answer

    async def change_webhook(self, id: str, body: types.WebhookChange) -> types.Webhook:
        """Switch an endpoint on or off, change its URL, description, or the form of its messages."""
        answer: types.Webhook = await self._perform(_CHANGE_WEBHOOK, {"id": id}, {}, body)
        return answer

    async def delete_webhook(self, id: str) -> None:
        """Delete an endpoint; the deliveries that wait for it become dead letters."""
        await self._perform(_DELETE_WEBHOOK, {"id": id}, {}, None)

    async def rotate_webhook_secret(self, id: str) -> types.WebhookWithSecret:
        """Generate a new secret."""
        answer: types.WebhookWithSecret = await self._perform(_ROTATE_WEBHOOK_SECRET, {"id": id}, {}, None)
        return answer

    async def test_webhook(self, id: str) -> types.WebhookTest:
        """Send a test message now and return its result."""
        answer: types.WebhookTest = await self._perform(_TEST_WEBHOOK, {"id": id}, {}, None)
        return answer

    async def list_webhook_deliveries(self, id: str, *, limit: int | None = None) -> types.WebhookDeliveries:
        """List the waiting and the recently ended deliveries of an endpoint."""
        answer: types.WebhookDeliveries = await self._perform(_LIST_WEBHOOK_DELIVERIES, {"id": id}, {"limit": limit}, None)
        return answer

    async def get_telemetry_export(self) -> types.TelemetryExport:
        """Where finished work is exported to, and how that goes."""
        answer: types.TelemetryExport = await self._perform(_GET_TELEMETRY_EXPORT, {}, {}, None)
        return answer

    async def set_telemetry_export(self, body: types.SetTelemetryExportBody) -> types.TelemetryExport:
        """Export finished work as spans of OpenTelemetry."""
        answer: types.TelemetryExport = await self._perform(_SET_TELEMETRY_EXPORT, {}, {}, body)
        return answer

    async def delete_telemetry_export(self) -> None:
        """Export nothing any more."""
        await self._perform(_DELETE_TELEMETRY_EXPORT, {}, {}, None)

    async def test_telemetry_export(self) -> types.TelemetryExportTest:
        """Send one marked span now, and return what the receiver answered."""
        answer: types.TelemetryExportTest = await self._perform(_TEST_TELEMETRY_EXPORT, {}, {}, None)
        return answer

    async def get_inbox_source(self, source: str) -> types.InboxSource:
        """One source."""
        answer: types.InboxSource = await self._perform(_GET_INBOX_SOURCE, {"source": source}, {}, None)
        return answer

    async def put_inbox_source(self, source: str, body: types.NewInboxSource) -> types.InboxSourceWithSecret:
        """Add or replace a source."""
        answer: types.InboxSourceWithSecret = await self._perform(_PUT_INBOX_SOURCE, {"source": source}, {}, body)
        return answer

    async def delete_inbox_source(self, source: str) -> None:
        """Delete a source: what it sends is refused from now on."""
        await self._perform(_DELETE_INBOX_SOURCE, {"source": source}, {}, None)

    async def list_inbox_sources(self) -> types.InboxSources:
        """List the sources whose webhooks are taken."""
        answer: types.InboxSources = await self._perform(_LIST_INBOX_SOURCES, {}, {}, None)
        return answer

    async def get_status(self) -> types.Status:
        """An ecosystem at a glance."""
        answer: types.Status = await self._perform(_GET_STATUS, {}, {}, None)
        return answer

    async def get_usage(self) -> types.EcosystemUsage:
        """How much of the billed units an ecosystem uses."""
        answer: types.EcosystemUsage = await self._perform(_GET_USAGE, {}, {}, None)
        return answer

    async def get_metrics(self) -> str:
        """The metrics of an ecosystem, for Prometheus."""
        answer: str = await self._perform(_GET_METRICS, {}, {}, None)
        return answer

    async def get_all_metrics(self) -> str:
        """Metrics of all ecosystems together, for Prometheus."""
        answer: str = await self._perform(_GET_ALL_METRICS, {}, {}, None)
        return answer

    async def get_metrics_targets(self) -> types.MetricsTargets:
        """All ecosystems as targets, for the HTTP service discovery of Prometheus."""
        answer: types.MetricsTargets = await self._perform(_GET_METRICS_TARGETS, {}, {}, None)
        return answer

    async def get_budget(self) -> types.Budget:
        """The monthly budget of an ecosystem, and how far it is used."""
        answer: types.Budget = await self._perform(_GET_BUDGET, {}, {}, None)
        return answer

    async def put_budget(self, body: types.NewBudget) -> types.Budget:
        """Set the monthly budget of an ecosystem, or take it away."""
        answer: types.Budget = await self._perform(_PUT_BUDGET, {}, {}, body)
        return answer

    async def create_token(self, body: types.NewToken) -> types.CreatedToken:
        """Create a token."""
        answer: types.CreatedToken = await self._perform(_CREATE_TOKEN, {}, {}, body)
        return answer

    async def list_tokens(self) -> types.Tokens:
        """List all tokens, without their secrets."""
        answer: types.Tokens = await self._perform(_LIST_TOKENS, {}, {}, None)
        return answer

    async def delete_token(self, id: str) -> None:
        """Delete a token."""
        await self._perform(_DELETE_TOKEN, {"id": id}, {}, None)

    async def create_session_code(self, body: types.NewSession) -> types.SessionCode:
        """Make a code with which a browser begins a session."""
        answer: types.SessionCode = await self._perform(_CREATE_SESSION_CODE, {}, {}, body)
        return answer

    async def list_sessions(self) -> types.Sessions:
        """List the sessions of browsers."""
        answer: types.Sessions = await self._perform(_LIST_SESSIONS, {}, {}, None)
        return answer

    async def end_session(self, id: str) -> None:
        """End the session of a browser."""
        await self._perform(_END_SESSION, {"id": id}, {}, None)

    async def list_ecosystems(self) -> types.Ecosystems:
        """List the ecosystems that hold signals, of those that the token may read."""
        answer: types.Ecosystems = await self._perform(_LIST_ECOSYSTEMS, {}, {}, None)
        return answer

    async def export_ecosystem(
        self,
        *,
        after: str | None = None,
        with_secrets: Literal["true", "false"] | None = None,
    ) -> types.ExportPage:
        """A page of an export of an ecosystem."""
        answer: types.ExportPage = await self._perform(_EXPORT_ECOSYSTEM, {}, {"after": after, "with_secrets": with_secrets}, None)
        return answer

    async def import_ecosystem(self, body: str, *, import_: str) -> types.ImportReceipt:
        """Import lines of an export into an empty ecosystem."""
        answer: types.ImportReceipt = await self._perform(_IMPORT_ECOSYSTEM, {}, {"import": import_}, body)
        return answer

    async def delete_ecosystem(self, *, confirm: str | None = None) -> types.Deletion:
        """Delete an ecosystem with everything in it."""
        answer: types.Deletion = await self._perform(_DELETE_ECOSYSTEM, {}, {"confirm": confirm}, None)
        return answer

    async def erase_source(self, body: types.EraseSourceBody) -> types.ErasurePreview | types.Erasure:
        """Erase what a source has said."""
        answer: types.ErasurePreview | types.Erasure = await self._perform(_ERASE_SOURCE, {}, {}, body)
        return answer

    async def list_erasures(self) -> types.Erasures:
        """Erasures, and how far each has come."""
        answer: types.Erasures = await self._perform(_LIST_ERASURES, {}, {}, None)
        return answer

    async def get_erasure(self, id: str) -> types.Erasure:
        """How far an erasure has come."""
        answer: types.Erasure = await self._perform(_GET_ERASURE, {"id": id}, {}, None)
        return answer

    async def list_workers(self) -> types.ListWorkersAnswer:
        """List the workers of file tasks on all hosts."""
        answer: types.ListWorkersAnswer = await self._perform(_LIST_WORKERS, {}, {}, None)
        return answer

    async def get_worker(self, worker: str) -> types.GetWorkerAnswer:
        """One worker of file tasks: its health and counts on each host."""
        answer: types.GetWorkerAnswer = await self._perform(_GET_WORKER, {"worker": worker}, {}, None)
        return answer

    async def get_dropped_task(self, worker: str, id: str) -> types.GetDroppedTaskAnswer:
        """Get the state of a file task."""
        answer: types.GetDroppedTaskAnswer = await self._perform(_GET_DROPPED_TASK, {"worker": worker, "id": id}, {}, None)
        return answer

    async def list_schedules(self, *, limit: int | None = None, after: str | None = None) -> types.Schedules:
        """List the schedules by name, with their state."""
        answer: types.Schedules = await self._perform(_LIST_SCHEDULES, {}, {"limit": limit, "after": after}, None)
        return answer

    async def get_schedule(self, name: str) -> types.Schedule:
        """Get a schedule with its state."""
        answer: types.Schedule = await self._perform(_GET_SCHEDULE, {"name": name}, {}, None)
        return answer

    async def put_schedule(self, name: str, body: types.PutScheduleBody) -> types.Schedule:
        """Make a task or a signal at certain times, or watch over a job that runs elsewhere."""
        answer: types.Schedule = await self._perform(_PUT_SCHEDULE, {"name": name}, {}, body)
        return answer

    async def delete_schedule(self, name: str) -> None:
        """Delete a schedule; tasks that it has made stay."""
        await self._perform(_DELETE_SCHEDULE, {"name": name}, {}, None)

    async def list_schedule_runs(self, name: str) -> types.ScheduleRuns:
        """List the last runs of a schedule, and the times at which there was none."""
        answer: types.ScheduleRuns = await self._perform(_LIST_SCHEDULE_RUNS, {"name": name}, {}, None)
        return answer

    async def report_schedule_run(self, name: str, body: types.ReportScheduleRunBody) -> types.Schedule:
        """Report that a run of a job that runs elsewhere began, goes on, or ended."""
        answer: types.Schedule = await self._perform(_REPORT_SCHEDULE_RUN, {"name": name}, {}, body)
        return answer

    async def pause_schedule(self, name: str) -> types.Schedule:
        """Make no runs until the schedule is resumed."""
        answer: types.Schedule = await self._perform(_PAUSE_SCHEDULE, {"name": name}, {}, None)
        return answer

    async def resume_schedule(self, name: str) -> types.Schedule:
        """Make runs again, from the next time on."""
        answer: types.Schedule = await self._perform(_RESUME_SCHEDULE, {"name": name}, {}, None)
        return answer

    async def run_schedule(self, name: str) -> types.RunScheduleAnswer:
        """Make a run now."""
        answer: types.RunScheduleAnswer = await self._perform(_RUN_SCHEDULE, {"name": name}, {}, None)
        return answer

    async def get_schedule_heartbeat(self, name: str) -> types.Schedule:
        """Report that a job that runs elsewhere is alive."""
        answer: types.Schedule = await self._perform(_GET_SCHEDULE_HEARTBEAT, {"name": name}, {}, None)
        return answer

    async def post_schedule_heartbeat(self, name: str) -> types.Schedule:
        """Report that a job that runs elsewhere is alive."""
        answer: types.Schedule = await self._perform(_POST_SCHEDULE_HEARTBEAT, {"name": name}, {}, None)
        return answer

    async def list_notes(
        self,
        *,
        prefix: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> types.Notes:
        """List notes by key."""
        answer: types.Notes = await self._perform(_LIST_NOTES, {}, {"prefix": prefix, "limit": limit, "after": after}, None)
        return answer

    async def get_note(self, key: str, *, unless_version: int | None = None, wait_ms: int | None = None) -> types.Note:
        """Get a note, or wait for its next change."""
        answer: types.Note = await self._perform(_GET_NOTE, {"key": key}, {"unless_version": unless_version, "wait_ms": wait_ms}, None)
        return answer

    async def put_note(
        self,
        key: str,
        body: dict[str, Any],
        *,
        ttl_ms: int | None = None,
        cause: str | None = None,
        if_version: int | None = None,
    ) -> types.Note:
        """Make or change a note."""
        answer: types.Note = await self._perform(_PUT_NOTE, {"key": key}, {"ttl_ms": ttl_ms, "cause": cause, "if_version": if_version}, body)
        return answer

    async def delete_note(self, key: str, *, cause: str | None = None, if_version: int | None = None) -> None:
        """Delete a note."""
        await self._perform(_DELETE_NOTE, {"key": key}, {"cause": cause, "if_version": if_version}, None)

    async def ask_question(self, body: types.AskQuestionBody) -> types.AskedQuestion:
        """Ask a person or a role."""
        answer: types.AskedQuestion = await self._perform(_ASK_QUESTION, {}, {}, body)
        return answer

    async def list_questions(
        self,
        *,
        state: Literal["open", "answered", "expired", "cancelled"] | None = None,
        recipient: str | None = None,
        kind: Literal["question", "permission"] | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> types.Questions:
        """List questions, the newest first."""
        answer: types.Questions = await self._perform(_LIST_QUESTIONS, {}, {"state": state, "recipient": recipient, "kind": kind, "limit": limit, "after": after}, None)
        return answer

    async def get_question(self, id: str, *, wait_ms: int | None = None) -> types.Question:
        """Get a question, or wait for its answer."""
        answer: types.Question = await self._perform(_GET_QUESTION, {"id": id}, {"wait_ms": wait_ms}, None)
        return answer

    async def answer_question(self, id: str, body: types.AnswerQuestionBody) -> types.Question:
        """Answer a question."""
        answer: types.Question = await self._perform(_ANSWER_QUESTION, {"id": id}, {}, body)
        return answer

    async def cancel_question(self, id: str) -> types.Question:
        """Take a question back."""
        answer: types.Question = await self._perform(_CANCEL_QUESTION, {"id": id}, {}, None)
        return answer

    async def ask_permission(self, body: types.AskPermissionBody) -> types.AskedQuestion:
        """Ask a person for permission to use a tool."""
        answer: types.AskedQuestion = await self._perform(_ASK_PERMISSION, {}, {}, body)
        return answer

    async def answer_permission(self, id: str, body: types.AnswerPermissionBody) -> types.Question:
        """Allow or deny the use of a tool."""
        answer: types.Question = await self._perform(_ANSWER_PERMISSION, {"id": id}, {}, body)
        return answer

    async def list_locks(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        name: str | None = None,
        owner: str | None = None,
    ) -> types.Locks:
        """List the locks that are held, and who waits."""
        answer: types.Locks = await self._perform(_LIST_LOCKS, {}, {"limit": limit, "after": after, "name": name, "owner": owner}, None)
        return answer

    async def acquire_lock(self, name: str, body: types.AcquireLockBody) -> types.LockAnswer:
        """Acquire a lock, or wait for it."""
        answer: types.LockAnswer = await self._perform(_ACQUIRE_LOCK, {"name": name}, {}, body)
        return answer

    async def renew_lock(self, name: str, body: types.RenewLockBody) -> types.LockHeld:
        """Hold a lock for longer."""
        answer: types.LockHeld = await self._perform(_RENEW_LOCK, {"name": name}, {}, body)
        return answer

    async def release_lock(self, name: str, body: types.ReleaseLockBody) -> types.LockReleased:
        """Release a lock."""
        answer: types.LockReleased = await self._perform(_RELEASE_LOCK, {"name": name}, {}, body)
        return answer

    async def list_limits(self) -> types.Limits:
        """List the limits by name, with what is used of them."""
        answer: types.Limits = await self._perform(_LIST_LIMITS, {}, {}, None)
        return answer

    async def get_limit(self, name: str) -> types.Limit:
        """Get a limit with what is used of it."""
        answer: types.Limit = await self._perform(_GET_LIMIT, {"name": name}, {}, None)
        return answer

    async def put_limit(self, name: str, body: types.PutLimitBody) -> types.Limit:
        """Say what may be asked of a provider, by all together."""
        answer: types.Limit = await self._perform(_PUT_LIMIT, {"name": name}, {}, body)
        return answer

    async def delete_limit(self, name: str) -> None:
        """Delete a limit; tasks that name it are given out again."""
        await self._perform(_DELETE_LIMIT, {"name": name}, {}, None)

    async def reserve_limit(self, name: str, body: types.ReserveLimitBody) -> types.Reservation:
        """Ask for a part of a limit, before a provider is called."""
        answer: types.Reservation = await self._perform(_RESERVE_LIMIT, {"name": name}, {}, body)
        return answer

    async def settle_limit(self, name: str, body: types.SettleLimitBody) -> types.Settlement:
        """Say what a reservation has really used, and how the provider answered."""
        answer: types.Settlement = await self._perform(_SETTLE_LIMIT, {"name": name}, {}, body)
        return answer

    async def close_limit(self, name: str, body: types.CloseLimitBody) -> types.Limit:
        """Close a limit for all, because a provider takes no more for now."""
        answer: types.Limit = await self._perform(_CLOSE_LIMIT, {"name": name}, {}, body)
        return answer

    async def open_limit(self, name: str) -> types.Limit:
        """Open a closed limit at once, and wholly."""
        answer: types.Limit = await self._perform(_OPEN_LIMIT, {"name": name}, {}, None)
        return answer

    async def list_spending_budgets(self) -> types.SpendingBudgets:
        """List the budgets by name, with who has used most of each."""
        answer: types.SpendingBudgets = await self._perform(_LIST_SPENDING_BUDGETS, {}, {}, None)
        return answer

    async def get_spending_budget(self, name: str, *, subject: str | None = None) -> types.SpendingBudget:
        """Get a budget with who has used most of it, or what one has used."""
        answer: types.SpendingBudget = await self._perform(_GET_SPENDING_BUDGET, {"name": name}, {"subject": subject}, None)
        return answer

    async def put_spending_budget(self, name: str, body: types.PutSpendingBudgetBody) -> types.SpendingBudget:
        """Say what each agent, task or chain may use, or all together."""
        answer: types.SpendingBudget = await self._perform(_PUT_SPENDING_BUDGET, {"name": name}, {}, body)
        return answer

    async def delete_spending_budget(self, name: str) -> None:
        """Delete a budget; what was counted is forgotten."""
        await self._perform(_DELETE_SPENDING_BUDGET, {"name": name}, {}, None)
