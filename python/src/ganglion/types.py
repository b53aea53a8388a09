"""What the API takes and gives, as typed dictionaries. Made by scripts/write-python.ts from the API's description: edit nothing here."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: NotRequired[str]
    errors: NotRequired[list[ProblemErrorsItem]]


class ProblemErrorsItem(TypedDict):
    pointer: str
    message: str


class Attention(TypedDict):
    items: list[AttentionItem]
    checked_at: str
    total: int
    critical: int
    left_out: int
    unread: list[str]


class AttentionItem(TypedDict):
    id: str
    cause: str
    ecosystem: str
    kind: Literal["host_down", "host_alert", "agent_given_up", "agent_hung", "session_frozen", "session_waiting", "rule_quarantined", "scanner_quarantined", "queue_alert", "breaker_open", "queue_paused", "mail_late", "tasks_unplaced", "tasks_unjudged", "gap", "dead_letters", "webhook_failing", "export_failing", "question_open", "limit_closed", "budget_notice", "budget_spent", "schedule_late_start", "schedule_late_finish", "schedule_too_fast", "schedule_too_often", "lock_waiting", "lock_cycle", "expectation_late", "forwards_waiting", "projection_lagging", "log_damaged", "budget"]
    severity: Literal["critical", "warning", "info"]
    subject: str
    what: str
    why: str
    since: str | None
    consequence: str
    next_step: str
    choices: NotRequired[list[AttentionItemChoicesItem]]
    action: AttentionAction
    chain: str | None
    effects: list[str]
    effects_total: int


class AttentionItemChoicesItem(TypedDict):
    label: str
    method: Literal["GET", "POST", "PATCH", "PUT"]
    path: str
    body: NotRequired[dict[str, Any]]


class AttentionActionFields(TypedDict):
    label: str
    method: Literal["GET", "POST", "PATCH", "PUT"]
    path: str
    body: NotRequired[dict[str, Any]]


AttentionAction: TypeAlias = "AttentionActionFields | None"


class AttentionPage(TypedDict):
    items: list[AttentionItem]
    checked_at: str
    total: int
    critical: int
    left_out: int
    unread: list[str]
    ecosystems: list[AttentionPageEcosystemsItem]
    next: str | None


class AttentionPageEcosystemsItem(TypedDict):
    name: str
    items: int
    worst: Literal["critical", "warning", "info", None]
    last_active_at: str
    failed: NotRequired[str]


class Overview(TypedDict):
    ecosystem: str
    at: str
    attention: OverviewAttention
    fleet: OverviewFleet
    queues: list[OverviewQueuesItem]
    queues_left_out: int
    gaps: OverviewGaps
    log: OverviewLog
    dead_letters: OverviewDeadLetters
    breakers: list[OverviewBreakersItem]
    breakers_left_out: int
    usage: OverviewUsage
    unread: list[str]


class OverviewAttention(TypedDict):
    total: int
    critical: int
    items: list[AttentionItem]
    left_out: int


class OverviewFleet(TypedDict):
    hosts: list[OverviewFleetHostsItem]
    totals: OverviewFleetTotals
    left_out: int
    processes_left_out: int


class OverviewFleetHostsItem(TypedDict):
    host: str
    state: Literal["up", "down"]
    since: str
    reason: Literal["linked", "answered", "link_lost", "silent"]
    last_seen: str
    version: str | None
    alerts: list[OverviewFleetHostsItemAlertsItem]
    processes: list[OverviewFleetHostsItemProcessesItem]


class OverviewFleetHostsItemAlertsItem(TypedDict):
    subject: str
    since: str
    value: float
    limit: float


class OverviewFleetHostsItemProcessesItem(TypedDict):
    name: str
    state: str
    verdict: str
    task: str | None
    waiting_for: str | None
    since: str | None
    restarts: int
    detail: str | None
    wakes_on_mail: NotRequired[Literal[True]]
    next_wake_at: NotRequired[str]


class OverviewFleetTotals(TypedDict):
    hosts: int
    up: int
    down: int
    processes: int
    by_verdict: dict[str, int]


class OverviewQueuesItem(TypedDict):
    queue: str
    ready: int
    leased: int
    verifying: NotRequired[int]
    unjudged: NotRequired[list[OverviewQueuesItemUnjudgedItem]]
    parked: NotRequired[int]
    oldest_ms: float | None
    wait_p50_ms: float | None
    run_p50_ms: float | None
    workers: int
    alerts: list[OverviewQueuesItemAlertsItem]
    paused: NotRequired[Literal[True]]


class OverviewQueuesItemUnjudgedItem(TypedDict):
    accept: OverviewQueuesItemUnjudgedItemAccept
    task_id: str
    tasks: int
    since: str
    why: str


class OverviewQueuesItemUnjudgedItemAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class OverviewQueuesItemAlertsItem(TypedDict):
    rule: str
    subject: str
    raised_at: str


class OverviewGaps(TypedDict):
    open: int
    items: list[Gap]
    left_out: int


class OverviewLog(TypedDict):
    last: int
    oldest: int | None
    per_minute: int
    subscribers: int
    bytes: int


class OverviewDeadLetters(TypedDict):
    total: int


class OverviewBreakersItem(TypedDict):
    recipient: str
    state: Literal["open", "half_open"]
    reason: str
    since: str
    next_probe_at: str
    failed_probes: int
    queue: str


class OverviewUsage(TypedDict):
    budget: OverviewUsageBudget | None


class OverviewUsageBudget(TypedDict):
    monthly_usd: float | None
    month: str
    spent_usd: float
    checked_at: str | None
    state: Literal["none", "within", "warned", "exceeded"]
    observations: OverviewUsageBudgetObservations


class OverviewUsageBudgetObservations(TypedDict):
    taken_one_of: int
    left_out: int


class Gap(TypedDict):
    name: str
    category: str
    type: str
    reason: str
    alignment_score: float
    install_cost: float
    metadata: dict[str, Any]
    status: Literal["open", "resolved"]
    raised_at: str
    last_seen_at: str
    resolved_at: NotRequired[str]
    fingerprint: str
    reopened: NotRequired[int]
    calm_since: NotRequired[str]
    reminders: NotRequired[int]
    reminded_at: NotRequired[str]
    signal_id: NotRequired[str]


class AuditPage(TypedDict):
    entries: list[AuditEntry]
    next: int | None


class AuditEntry(TypedDict):
    number: int
    at: str
    by: str
    by_id: str
    session: NotRequired[str | None]
    method: str
    operation: str
    target: str
    status: int
    outcome: Literal["done", "refused", "failed"]


class ProducerPage(TypedDict):
    producers: list[Producer]
    next: str | None


class Producer(TypedDict):
    producer: str
    last: int
    seen_at: str


class AppendResult(TypedDict):
    first_seq: int | None
    last_seq: int | None
    accepted: int
    duplicates: int
    ids: list[str]
    left_out: NotRequired[int]


class SignalPage(TypedDict):
    signals: list[Signal]
    searched: NotRequired[SignalPageSearched]
    next: int | None


SignalPageSearched = TypedDict(
    "SignalPageSearched",
    {
        "from": "int | None",
        "through": "int | None",
        "signals": "int",
        "failed": "int",
        "first_failure": "NotRequired[str]",
    },
)


class Signal(TypedDict):
    seq: int
    id: str
    signal: str
    source: str
    ecosystem: str
    timestamp: str
    received_at: str
    facts: dict[str, Any]
    cause: NotRequired[str]
    trace: NotRequired[str]
    depth: NotRequired[int]
    via: NotRequired[SignalVia]
    hops: NotRequired[int]


class SignalVia(TypedDict):
    ecosystem: str
    seq: int
    id: str
    signal: str
    source: str


class Lineage(TypedDict):
    signal: Signal
    causes: list[Signal]
    missing_cause: NotRequired[str]
    effects: list[Signal]
    decisions: list[Decision]
    tasks: list[LineageTasksItem]
    deliveries: list[LineageDeliveriesItem]
    dead_letters: list[DeadLetter]
    forwards: NotRequired[list[LineageForwardsItem]]
    upstream: NotRequired[list[LineageUpstreamItem]]
    truncated: bool


class LineageTasksItem(TypedDict):
    queue: str
    task_id: str
    cause: str
    rule: NotRequired[str]
    status: Literal["queued", "running", "verifying", "complete", "failed", "unknown"]
    outcome: NotRequired[str]
    recipient: NotRequired[str]
    type: NotRequired[str]
    attempt: NotRequired[int]
    worker: NotRequired[str]
    error: NotRequired[str]
    accept: NotRequired[LineageTasksItemAccept]
    verifying: NotRequired[LineageTasksItemVerifying]
    parked_reason: NotRequired[str]
    unplaced: NotRequired[str]


class LineageTasksItemAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class LineageTasksItemVerifying(TypedDict):
    since: str
    worker: str
    why: str


class LineageDeliveriesItem(TypedDict):
    delivery_id: str
    endpoint: str
    cause: str
    rule: str
    state: Literal["waiting", "delivered", "failed", "skipped", "unknown"]
    attempts: NotRequired[int]
    last_status: NotRequired[int]
    last_error: NotRequired[str]
    next_attempt_at: NotRequired[str]


class LineageForwardsItem(TypedDict):
    forward_id: str
    ecosystem: str
    signal: str
    cause: str
    rule: str
    state: Literal["arrived", "refused", "unknown", "unreadable"]
    seq: NotRequired[int]
    refused: NotRequired[str]


class LineageUpstreamItem(TypedDict):
    ecosystem: str
    via: LineageUpstreamItemVia
    readable: bool
    signals: list[Signal]
    missing_cause: NotRequired[str]
    decisions: list[Decision]


class LineageUpstreamItemVia(TypedDict):
    ecosystem: str
    seq: int
    id: str
    signal: str
    source: str


class Decision(TypedDict):
    id: str
    rule: str
    rule_version: int
    signal: DecisionSignal
    decided_at: str
    outcome: Literal["fired", "suppressed", "failed"]
    by: NotRequired[Literal["time"]]
    reason: NotRequired[str]
    values: dict[str, Any]
    effects: list[str]
    tasks: NotRequired[list[DecisionTasksItem]]
    deliveries: NotRequired[list[DecisionDeliveriesItem]]
    forwards: NotRequired[list[DecisionForwardsItem]]
    asked: NotRequired[Asked]
    imported: NotRequired[DecisionImported]


class DecisionSignal(TypedDict):
    seq: int
    id: str
    signal: str
    trace: NotRequired[str]


class DecisionTasksItem(TypedDict):
    task_id: str
    queue: str
    refused: NotRequired[str]


class DecisionDeliveriesItem(TypedDict):
    delivery_id: str
    endpoint: str
    undelivered: NotRequired[str]


class DecisionForwardsItem(TypedDict):
    forward_id: str
    ecosystem: str
    signal: str
    refused: NotRequired[str]


class DecisionImported(TypedDict):
    by: str
    marks: list[DecisionImportedMarksItem]


class DecisionImportedMarksItem(TypedDict):
    kind: Literal["in_flight", "cooldown", "once_per"]
    key: NotRequired[str]
    since: str
    until: str


class Asked(TypedDict):
    model: str
    prompt: str
    prompt_cut_from: NotRequired[int]
    context: NotRequired[AskedContext]
    choices: list[str]
    state: Literal["asked", "answered", "fallback"]
    choice: NotRequired[str]
    why: NotRequired[str]
    reason: NotRequired[str]
    detail: NotRequired[str]
    cost_usd: NotRequired[float]
    tokens_in: NotRequired[float]
    tokens_out: NotRequired[float]
    duration_ms: NotRequired[float]


class AskedContext(TypedDict):
    text: str
    left_out: NotRequired[AskedContextLeftOut]
    failed: NotRequired[AskedContextFailed]


class AskedContextLeftOut(TypedDict):
    signals: NotRequired[int]
    gaps: NotRequired[int]
    decisions: NotRequired[int]
    hosts: NotRequired[int]


class AskedContextFailed(TypedDict):
    signals: NotRequired[str]
    gaps: NotRequired[str]
    decisions: NotRequired[str]
    hosts: NotRequired[str]


class DeadLetter(TypedDict):
    id: str
    kind: Literal["signal", "task", "intent", "webhook", "reaction"]
    signal: NotRequired[Any]
    task: NotRequired[Any]
    intent: NotRequired[Any]
    webhook: NotRequired[Any]
    reaction: NotRequired[Any]
    host: NotRequired[str]
    lineage: NotRequired[list[str]]
    error: str
    daemon: str
    attempts: int
    first_failed_at: str
    last_failed_at: str
    replayed_at: NotRequired[str]
    replay_outcome: NotRequired[str]


class Agents(TypedDict):
    agents: list[Agent]
    next: NotRequired[str]


class Agent(TypedDict):
    host: str
    state: Literal["up", "down"]
    since: str
    reason: Literal["linked", "answered", "link_lost", "silent"]
    last_seen: str
    links: int
    version: str | None
    runs: dict[str, Any] | None
    alerts: list[AgentAlertsItem]
    failing: dict[str, str]
    facts: dict[str, Any] | None


class AgentAlertsItem(TypedDict):
    subject: str
    since: str
    value: float
    limit: float


class ExportAnswer(TypedDict):
    partialSuccess: NotRequired[ExportAnswerPartialSuccess]


class ExportAnswerPartialSuccess(TypedDict):
    rejectedLogRecords: NotRequired[str]
    rejectedDataPoints: NotRequired[str]
    rejectedSpans: NotRequired[str]
    errorMessage: str


class SessionSettings(TypedDict):
    waiting_seconds: float
    frozen_seconds: float
    tool_seconds: float
    feeds: list[SessionSettingsFeedsItem]
    deployment: SessionSettingsDeployment


class SessionSettingsFeedsItem(TypedDict):
    models: str
    limit: str


class SessionSettingsDeployment(TypedDict):
    waiting_seconds: float
    frozen_seconds: float
    tool_seconds: float


class AgentSession(TypedDict):
    session: str
    agent: str
    source: str
    verdict: Literal["working", "waiting", "idle", "frozen", "ended"]
    since: str
    in_words: str
    tool: str | None
    notified: bool
    model: str | None
    version: str | None
    directory: str | None
    task: str | None
    started_at: str
    last_seen_at: str
    ended_at: str | None
    usage: AgentSessionUsage
    context_tokens: float | None
    context_share: float | None
    chains: list[AgentSessionChainsItem]


class AgentSessionUsage(TypedDict):
    input_tokens: float
    output_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    cost_usd: float
    requests: float
    api_failures: float
    tool_calls: float
    tool_failures: float
    prompts: float
    active_seconds: float


class AgentSessionChainsItem(TypedDict):
    chain: str
    usage: AgentSessionChainsItemUsage


class AgentSessionChainsItemUsage(TypedDict):
    input_tokens: float
    output_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    cost_usd: float
    requests: float
    api_failures: float
    tool_calls: float
    tool_failures: float
    prompts: float
    active_seconds: float


class MonitorSettings(TypedDict):
    agent_grace_seconds: float
    agent_silent_after: int
    answer_within_seconds: float
    health_readings: int
    promotions_remind_hours: float | None
    health: MonitorSettingsHealth


class MonitorSettingsHealth(TypedDict):
    disk: dict[str, Any] | None
    memory: dict[str, Any] | None
    load: dict[str, Any] | None
    gpu_temperature: dict[str, Any] | None
    bus_down: dict[str, Any] | None
    spool: dict[str, Any] | None


class MonitorRun(TypedDict):
    answered: list[str]
    silent: list[str]
    told: list[str]


class ObservationSettings(TypedDict):
    window_seconds: int
    window_capacity: int
    flap_seconds: int
    calm_seconds: int
    reminder_seconds: int


class ObservationsPage(TypedDict):
    observations: list[Observation]
    window_seconds: float
    size: int
    oldest: str | None
    newest: str | None


class Observation(TypedDict):
    ts: str
    zooid_name: str
    niche: str | None
    ok: bool
    ttr_ms: float | None
    incident_id: str | None
    facts: dict[str, Any]


class HistoryPage(TypedDict):
    metric: str
    reporter: str | None
    step_seconds: float
    points: list[HistoryPagePointsItem]
    reporters: list[str]


class HistoryPagePointsItem(TypedDict):
    ts: str
    count: int
    mean: float
    min: float
    max: float
    p50: float
    p95: float


class Scanners(TypedDict):
    scanners: list[Scanner]


class Scanner(TypedDict):
    id: str
    category: str
    enabled: bool
    settings: dict[str, float | bool | str]
    state: Literal["healthy", "failing", "quarantined"]
    failures: int
    last_error: NotRequired[str]
    evaluated_at: NotRequired[str]
    retry_at: NotRequired[str]


class Maintenance(TypedDict):
    enabled: bool
    reason: str | None
    since: str | None
    by: str | None


class Gaps(TypedDict):
    gaps: list[Gap]


GapEvidence = TypedDict(
    "GapEvidence",
    {
        "gap": "Gap",
        "metric": "str",
        "unit": "str | None",
        "raise": "float | None",
        "clear": "float | None",
        "worse": 'Literal["above", "below", None]',
        "samples": "list[GapEvidenceSamplesItem]",
        "left_out": "int",
        "window_seconds": "float",
    },
)


class GapEvidenceSamplesItem(TypedDict):
    at: str
    value: float
    reporter: str
    seq: int


class Policies(TypedDict):
    policies: list[Policy]


Policy: TypeAlias = "dict[str, Any]"


class PolicyVersions(TypedDict):
    policy: Policy | None
    versions: list[PolicyVersionsVersionsItem]


class PolicyVersionsVersionsItem(TypedDict):
    version: int
    changed_at: str
    changed_by: str | None
    after_seq: int
    rule: dict[str, Any] | None


PolicyPut: TypeAlias = "dict[str, Any]"


class PolicyChanges(TypedDict):
    created: list[str]
    changed: list[str]
    unchanged: list[str]
    deleted: list[str]
    after_seq: int
    warnings: NotRequired[list[PolicyChangesWarningsItem]]


class PolicyChangesWarningsItem(TypedDict):
    policy: str
    pointer: str
    message: str


class PolicyStateImported(TypedDict):
    policy: str
    in_flight: int
    fired: int
    unchanged: list[str]
    ignored: list[PolicyStateImportedIgnoredItem]
    held_until: str | None


class PolicyStateImportedIgnoredItem(TypedDict):
    pointer: str
    message: str


class Bridges(TypedDict):
    bridges: list[Bridge]


class Bridge(TypedDict):
    name: str
    to: str
    signals: list[str]
    where: NotRequired[str]
    signal: NotRequired[str]
    enabled: bool
    description: str
    changed_at: str
    changed_by: str | None
    waiting: int


class Decisions(TypedDict):
    decisions: list[Decision]
    next: str | None


class Expectations(TypedDict):
    expectations: list[ExpectationsExpectationsItem]
    total: int
    next: str | None


class ExpectationsExpectationsItem(TypedDict):
    rule: str
    by: str
    signal: list[str]
    since: str
    due: str
    cause: ExpectationsExpectationsItemCause


class ExpectationsExpectationsItemCause(TypedDict):
    seq: int
    id: str
    signal: str


class ModelSettings(TypedDict):
    enabled: bool
    models: list[ModelSettingsModelsItem1 | ModelSettingsModelsItem2]
    daily: ModelSettingsDaily
    version: int
    spent: ModelSettingsSpent


class ModelSettingsModelsItem1(TypedDict):
    kind: Literal["openai"]
    name: str
    model: str
    price_in: float
    price_out: float
    max_tokens: int
    url: str
    has_key: bool


class ModelSettingsModelsItem2(TypedDict):
    kind: Literal["workers-ai"]
    name: str
    model: str
    price_in: float
    price_out: float
    max_tokens: int


class ModelSettingsDaily(TypedDict):
    requests: int
    usd: float


class ModelSettingsSpent(TypedDict):
    day: str
    requests: int
    usd: float


class LibraryFindings(TypedDict):
    domain: str
    node_type_patterns: list[str]
    domain_best_practices: list[str]
    common_operations: list[str]
    required_mixins: list[str]
    performance_targets: dict[str, float]
    error_scenarios: list[str]
    anti_patterns: list[str]
    recommended_dependencies: list[LibraryFindingsRecommendedDependenciesItem]
    testing_recommendations: list[str]
    security_considerations: list[str]
    code_examples: list[LibraryFindingsCodeExamplesItem]


class LibraryFindingsRecommendedDependenciesItem(TypedDict):
    name: str
    type: str


class LibraryFindingsCodeExamplesItem(TypedDict):
    code: str
    context: str


class IntelligenceContext(TypedDict):
    node_type_patterns: list[str]
    common_operations: list[str]
    required_mixins: list[str]
    performance_targets: dict[str, float]
    error_scenarios: list[str]
    domain_best_practices: list[str]
    code_examples: list[IntelligenceContextCodeExamplesItem]
    anti_patterns: list[str]
    recommended_dependencies: list[IntelligenceContextRecommendedDependenciesItem]
    testing_recommendations: list[str]
    security_considerations: list[str]
    rag_sources: list[str]
    confidence_score: float
    production_examples: list[CodePattern]
    fallback_reason: Literal["live_off", "not_in_share", "no_client", "connection_failed", "timeout", "unreadable_answer", "correlation_mismatch", "unknown_event_type", "failed_answer", "no_responder", "breaker_open", None]
    correlation_id: str
    duration_ms: float


class IntelligenceContextCodeExamplesItem(TypedDict):
    source: str
    code: str
    context: str


class IntelligenceContextRecommendedDependenciesItem(TypedDict):
    name: str
    type: str


class CodePattern(TypedDict):
    file_path: str
    confidence: float
    host: NotRequired[str]
    name: NotRequired[str]
    description: NotRequired[str | None]
    pattern_type: NotRequired[str]
    node_type: NotRequired[str | None]
    node_types: NotRequired[list[str]]
    domain: NotRequired[str | None]
    use_cases: NotRequired[list[str]]
    best_practices: NotRequired[list[str]]
    code_snippet: NotRequired[str | None]
    class_name: NotRequired[str | None]
    bases: NotRequired[list[str]]
    class_structure: NotRequired[list[CodePatternClassStructureItem]]
    methods: NotRequired[list[CodePatternMethodsItem | str]]
    decorators: NotRequired[list[str]]
    imports: NotRequired[list[str]]
    error_handling: NotRequired[Any]
    transaction_management: NotRequired[Any]
    metrics_tracking: NotRequired[Any]
    documentation: NotRequired[Any]
    metrics: NotRequired[dict[str, Any] | None]
    metadata: NotRequired[CodePatternMetadata | None]


class CodePatternClassStructureItem(TypedDict):
    name: str
    bases: list[str]
    methods: list[str]


CodePatternMethodsItem = TypedDict(
    "CodePatternMethodsItem",
    {
        "name": "str",
        "signature": "str",
        "async": "bool",
        "decorators": "list[str]",
    },
)


class CodePatternMetadata(TypedDict):
    complexity: NotRequired[float | None]
    last_updated: NotRequired[str | None]


class Rollout(TypedDict):
    share: float
    version: int
    since: str | None
    by: str | None
    note: str | None
    rolled_back: RolloutRolledBack | None
    limits: list[RolloutLimitsItem]
    window_seconds: int
    min_requests: int
    arms: RolloutArms
    comparison: RolloutComparison


class RolloutRolledBack(TypedDict):
    rule: Literal["correlation_mismatch", "corrupted_data", "connection_errors", "fallback", "success", "latency", "by_hand"]
    value: float | None
    limit: float | None
    unit: Literal["percent", "ms", "answers", None]
    rules: list[RolloutRolledBackRulesItem]
    share_before: float
    requests: int
    at: str


class RolloutRolledBackRulesItem(TypedDict):
    rule: Literal["correlation_mismatch", "corrupted_data", "connection_errors", "fallback", "success", "latency"]
    value: float
    limit: float
    unit: Literal["percent", "ms", "answers"]


class RolloutLimitsItem(TypedDict):
    rule: Literal["correlation_mismatch", "corrupted_data", "connection_errors", "fallback", "success", "latency"]
    limit: float
    unit: Literal["percent", "ms", "answers"]


class RolloutArms(TypedDict):
    live: RolloutArmsLive
    library: RolloutArmsLibrary


class RolloutArmsLive(TypedDict):
    requests: int
    success_percent: float | None
    fallback_percent: float | None
    connection_error_percent: float | None
    timeouts: int
    mismatches: int
    corrupted: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    confidence: float | None
    patterns_per_request: float | None


class RolloutArmsLibrary(TypedDict):
    requests: int
    success_percent: float | None
    fallback_percent: float | None
    connection_error_percent: float | None
    timeouts: int
    mismatches: int
    corrupted: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    confidence: float | None
    patterns_per_request: float | None


class RolloutComparison(TypedDict):
    seconds: int
    min_requests: int
    metrics: list[RolloutComparisonMetricsItem]


class RolloutComparisonMetricsItem(TypedDict):
    metric: Literal["success_percent", "latency_ms", "confidence"]
    live: float | None
    library: float | None
    p_value: float | None
    verdict: Literal["live_better", "library_better", "no_difference", "too_few"]


class RolloutState(TypedDict):
    share: float
    version: int
    since: str | None
    by: str | None
    note: str | None
    rolled_back: RolloutStateRolledBack | None


class RolloutStateRolledBack(TypedDict):
    rule: Literal["correlation_mismatch", "corrupted_data", "connection_errors", "fallback", "success", "latency", "by_hand"]
    value: float | None
    limit: float | None
    unit: Literal["percent", "ms", "answers", None]
    rules: list[RolloutStateRolledBackRulesItem]
    share_before: float
    requests: int
    at: str


class RolloutStateRolledBackRulesItem(TypedDict):
    rule: Literal["correlation_mismatch", "corrupted_data", "connection_errors", "fallback", "success", "latency"]
    value: float
    limit: float
    unit: Literal["percent", "ms", "answers"]


class IntelligenceHealth(TypedDict):
    requests: int
    success_percent: float | None
    fallback_percent: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    patterns_per_request: float | None
    confidence: float | None
    connection_health_percent: float | None
    last_five_minutes: IntelligenceHealthLastFiveMinutes
    alerts: list[IntelligenceHealthAlertsItem]


class IntelligenceHealthLastFiveMinutes(TypedDict):
    requests: int
    success_percent: float | None
    fallback_percent: float | None
    p95_ms: float | None
    connection_error_percent: float | None
    timeouts: int
    mismatches: int
    critical: int


class IntelligenceHealthAlertsItem(TypedDict):
    alert: Literal["success", "fallback", "latency", "connection", "mismatch"]
    severity: Literal["warning", "critical"]
    value: float
    limit: float


class Simulated(TypedDict):
    signals: int
    through: str | None
    truncated: bool
    warm_up: SimulatedWarmUp
    outcomes: dict[str, SimulatedOutcomesValue]
    decisions: list[dict[str, Any]]
    differences: list[dict[str, Any]]


SimulatedWarmUp = TypedDict(
    "SimulatedWarmUp",
    {
        "from": "str",
        "complete": "bool",
        "signals": "int",
        "decisions": "int",
        "under_way": "dict[str, int]",
    },
)


class SimulatedOutcomesValue(TypedDict):
    fired: int
    suppressed: int
    failed: int


class DeadLetters(TypedDict):
    dead_letters: list[DeadLetter]
    next: str | None


class DeadLettersHandled(TypedDict):
    dry_run: bool
    matched: int
    done: int
    failed: list[DeadLettersHandledFailedItem]
    dead_letters: list[DeadLetter]
    next: str | None


class DeadLettersHandledFailedItem(TypedDict):
    id: str
    problem: Problem


class Replayed(TypedDict):
    id: str
    outcome: Literal["replayed", "already"]


class Queues(TypedDict):
    queues: list[QueuesQueuesItem]


class QueuesQueuesItem(TypedDict):
    name: str
    created_at: str


class QueueStatus(TypedDict):
    queue: str
    depth: int
    running: int
    verifying: NotRequired[int]
    by_priority: dict[str, int]
    by_level: NotRequired[QueueStatusByLevel]
    by_recipient: dict[str, QueueStatusByRecipientValue]
    oldest_age_ms: float | None
    wait_p50_ms: NotRequired[float | None]
    run_p50_ms: NotRequired[float | None]
    workers: dict[str, int]
    alerts: list[QueueStatusAlertsItem]
    paused: QueueStatusPaused | None
    parked: NotRequired[int]
    closed_limits: NotRequired[list[QueueStatusClosedLimitsItem]]
    bulk: QueueStatusBulk | None
    late_mail: NotRequired[list[QueueStatusLateMailItem]]
    unjudged: NotRequired[list[QueueStatusUnjudgedItem]]
    unplaced: NotRequired[list[QueueStatusUnplacedItem]]
    breakers: list[QueueStatusBreakersItem]
    settings: QueueSettings
    database_bytes: int
    heap: list[QueueStatusHeapItem]


class QueueStatusByLevel(TypedDict):
    high: int
    normal: int
    low: int


class QueueStatusByRecipientValue(TypedDict):
    queued: int
    running: int
    verifying: NotRequired[int]
    complete: int
    failed: int
    mean_ms: NotRequired[float | None]
    waiting_mean_ms: NotRequired[float | None]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    waiting_p50_ms: float | None
    waiting_p95_ms: float | None
    waiting_p99_ms: float | None


class QueueStatusAlertsItem(TypedDict):
    rule: str
    subject: str
    raised_at: str


class QueueStatusPaused(TypedDict):
    since: str
    by: str
    reason: str | None


class QueueStatusClosedLimitsItem(TypedDict):
    limit: str
    until: str
    reason: str
    parked: NotRequired[int]


class QueueStatusBulk(TypedDict):
    id: str
    action: Literal["purge", "cancel", "retry"]
    by: str
    started_at: str
    done: int
    running: bool
    stopped: NotRequired[str]


class QueueStatusLateMailItem(TypedDict):
    recipient: str
    undelivered: int
    unread: int
    since: str


class QueueStatusUnjudgedItem(TypedDict):
    accept: QueueStatusUnjudgedItemAccept
    task_id: str
    tasks: int
    since: str
    why: str


class QueueStatusUnjudgedItemAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class QueueStatusUnplacedItem(TypedDict):
    recipient: str
    task_id: str
    tasks: int
    since: str
    why: str


class QueueStatusBreakersItem(TypedDict):
    recipient: str
    state: Literal["open", "half_open"]
    reason: str
    since: str
    next_probe_at: str
    failed_probes: int


class QueueStatusHeapItem(TypedDict):
    kind: str
    used_bytes: int
    limit_bytes: int
    refused: int


class QueueSettings(TypedDict):
    capacity: int
    overflow: Literal["refuse", "drop_oldest"]
    max_attempts: int
    backoff_ms: int
    backoff_max_ms: int
    ageing_ms: int | None
    signal_complete: bool
    signal_failed: bool
    keep_finished: int
    notify_long_to: Literal["*"] | str | None
    notify_long_ms: int
    notify_long_every_ms: int
    alert_task_ms: int | None
    alert_p95_ms: int | None
    alert_failed: int | None
    alert_failed_window_ms: int
    alert_depth: int | None
    breaker_failures: int | None
    breaker_rate: float | None
    breaker_calls: int
    breaker_open_ms: int
    breaker_open_max_ms: int
    breaker_fallback: QueueSettingsBreakerFallback | None


class QueueSettingsBreakerFallback(TypedDict):
    result: Any
    source: str
    confidence: float


class Bottlenecks(TypedDict):
    summary: str | None
    slowest: list[BottlenecksSlowestItem]
    series: list[BottlenecksSeriesItem]


class BottlenecksSlowestItem(TypedDict):
    task_id: str
    recipient: str
    type: str
    status: Literal["complete", "failed"]
    ran_ms: float
    waited_ms: float
    attempts: int
    finished_at: str


class BottlenecksSeriesItem(TypedDict):
    recipient: str
    type: str
    tasks: int
    share: float
    mean_ms: NotRequired[float | None]
    waiting_mean_ms: NotRequired[float | None]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    waiting_p50_ms: float | None
    waiting_p95_ms: float | None
    waiting_p99_ms: float | None


class QueueEvents(TypedDict):
    events: list[QueueEventsEventsItem]


class QueueEventsEventsItem(TypedDict):
    at: str
    task_id: str
    recipient: str
    type: str
    event: str
    attempt: NotRequired[int]
    worker: NotRequired[str]
    error: NotRequired[str]
    priority: NotRequired[int]
    duration_ms: NotRequired[float]


class SentMail(TypedDict):
    id: str
    thread: str
    known: NotRequired[Literal[True]]
    wake: Literal["connected", "asked", "scheduled", "none"]
    hosts: list[str]
    next_wake_at: str | None


class MailPage(TypedDict):
    messages: list[MailMessage]
    next: str | None


MailMessage = TypedDict(
    "MailMessage",
    {
        "id": "str",
        "from": "str | None",
        "to": "str",
        "subject": "str | None",
        "body": "NotRequired[Any]",
        "thread": "str",
        "reply_to": "str | None",
        "state": 'Literal["sent", "delivered", "read", "acted", "expired", "withdrawn", "failed"]',
        "sent_at": "str",
        "delivered_at": "str | None",
        "read_at": "str | None",
        "acted_at": "str | None",
        "ended_at": "str | None",
        "expires_at": "str | None",
        "result": "NotRequired[Any]",
        "error": "NotRequired[str]",
    },
)


class ReceivedMail(TypedDict):
    messages: list[MailMessage]


class CreatedQueue(TypedDict):
    name: str
    created: bool
    settings: QueueSettings


class PauseState(TypedDict):
    queue: str
    paused: PauseStatePaused | None


class PauseStatePaused(TypedDict):
    since: str
    by: str
    reason: str | None


class BulkTasks(TypedDict):
    dry_run: bool
    matched: int
    done: int
    running: bool
    stopped: NotRequired[str]


class BulkReceipts(TypedDict):
    queued: int
    known: int
    refused: int
    results: list[BulkReceiptsResultsItem]


class BulkReceiptsResultsItem(TypedDict):
    index: int
    task_id: NotRequired[str]
    status: Literal["queued", "known", "refused"]
    error: NotRequired[str]
    retry: NotRequired[Literal[True]]


class TaskReceipts(TypedDict):
    tasks: list[TaskReceiptsTasksItem]


class TaskReceiptsTasksItem(TypedDict):
    task_id: str
    status: Literal["queued", "running", "verifying", "complete", "failed"]
    known: NotRequired[Literal[True]]


class TaskPage(TypedDict):
    tasks: list[Task]
    next: int | str | None


class Task(TypedDict):
    task_id: str
    recipient: str
    type: str
    sender: str | None
    priority: int
    created_at: str
    max_attempts: int
    timeout_ms: float | None
    deadline_at: str | None
    needs: NotRequired[TaskNeeds]
    limits: NotRequired[list[str]]
    parked_until: NotRequired[str]
    parked_reason: NotRequired[str]
    cause: NotRequired[str]
    trace: NotRequired[str]
    depth: NotRequired[int]
    status: Literal["queued", "running", "verifying", "complete", "failed"]
    outcome: NotRequired[Literal["complete", "failed", "cancelled", "expired", "dropped"]]
    attempt: int
    ready_at: NotRequired[str]
    waits_for: NotRequired[TaskWaitsFor]
    answers: NotRequired[list[TaskAnswersItem]]
    accept: NotRequired[TaskAccept]
    verifying: NotRequired[TaskVerifying]
    verdict: NotRequired[TaskVerdict]
    worker: NotRequired[str]
    lease_id: NotRequired[str]
    lease_expires_at: NotRequired[str]
    unplaced: NotRequired[str]
    error: NotRequired[str]
    finished_at: NotRequired[str]
    waited_ms: float
    ran_ms: float
    history: list[TaskHistoryItem]
    payload: NotRequired[Any]
    result: NotRequired[Any]


class TaskNeeds(TypedDict):
    skills: list[str]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class TaskWaitsFor(TypedDict):
    why: str
    question: NotRequired[str]


class TaskAnswersItem(TypedDict):
    question: str
    state: Literal["answered", "expired", "cancelled"]
    answer: str | None
    answered_by: str | None
    comment: NotRequired[str]
    at: str


class TaskAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class TaskVerifying(TypedDict):
    since: str
    worker: str
    why: str


class TaskVerdict(TypedDict):
    accepted: bool
    by: Literal["check", "rule", "reviewer"]
    name: NotRequired[str]
    at: str
    attempt: int
    reason: NotRequired[str]
    host: NotRequired[str]
    exit_code: NotRequired[int | None]
    output: NotRequired[str]
    duration_ms: NotRequired[float]


class TaskHistoryItem(TypedDict):
    at: str
    event: str
    attempt: NotRequired[int]
    worker: NotRequired[str]
    error: NotRequired[str]


class LeasedTasks(TypedDict):
    tasks: list[LeasedTasksTasksItem]
    paused: NotRequired[LeasedTasksPaused]


class LeasedTasksTasksItem(TypedDict):
    task_id: str
    lease_id: str
    recipient: str
    type: str
    priority: int
    attempt: int
    sender: str | None
    lease_expires_at: str
    payload: NotRequired[Any]
    correlation_id: NotRequired[str]
    needs: NotRequired[LeasedTasksTasksItemNeeds]
    limits: NotRequired[list[str]]
    answers: NotRequired[list[LeasedTasksTasksItemAnswersItem]]
    accept: NotRequired[LeasedTasksTasksItemAccept]
    verdict: NotRequired[LeasedTasksTasksItemVerdict]
    cause: NotRequired[str]
    trace: NotRequired[str]
    depth: NotRequired[int]
    notes: NotRequired[list[LeasedTasksTasksItemNotesItem]]
    notes_left_out: NotRequired[int]
    notes_missing: NotRequired[Literal[True]]


class LeasedTasksTasksItemNeeds(TypedDict):
    skills: list[str]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class LeasedTasksTasksItemAnswersItem(TypedDict):
    question: str
    state: Literal["answered", "expired", "cancelled"]
    answer: str | None
    answered_by: str | None
    comment: NotRequired[str]
    at: str


class LeasedTasksTasksItemAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class LeasedTasksTasksItemVerdict(TypedDict):
    accepted: bool
    by: Literal["check", "rule", "reviewer"]
    name: NotRequired[str]
    at: str
    attempt: int
    reason: NotRequired[str]
    host: NotRequired[str]
    exit_code: NotRequired[int | None]
    output: NotRequired[str]
    duration_ms: NotRequired[float]


class LeasedTasksTasksItemNotesItem(TypedDict):
    key: str
    value: dict[str, Any]
    version: int
    created_at: str
    changed_at: str
    expires_at: str | None
    by: str


class LeasedTasksPaused(TypedDict):
    since: str
    by: str
    reason: str | None


class SettledTask(TypedDict):
    task_id: str
    status: Literal["queued", "running", "verifying", "complete", "failed"]
    lease_expires_at: NotRequired[str]
    was: NotRequired[Literal["complete", "failed", "cancelled", "expired", "dropped"]]


class FinishedTasks(TypedDict):
    tasks: list[Task]
    next: str | None


class CallReply(TypedDict):
    correlation_id: str
    result: NotRequired[Any]
    responder: str | None
    duration_ms: float
    source: NotRequired[str]
    confidence: NotRequired[float]


class PendingCall(TypedDict):
    correlation_id: str
    status: Literal["queued", "running"]


class Webhooks(TypedDict):
    webhooks: list[Webhook]


class Webhook(TypedDict):
    id: str
    url: str
    enabled: bool
    disabled_reason: NotRequired[Literal["gone"]]
    description: str | None
    format: NotRequired[Literal["raw", "cloudevents", "slack", "discord", "teams", "pagerduty", "ntfy"]]
    template: NotRequired[str]
    header_names: NotRequired[list[str]]
    has_routing_key: NotRequired[bool]
    topic: NotRequired[str]
    questions: NotRequired[list[str]]
    handshake: NotRequired[WebhookHandshake]
    created_at: str
    waiting: int
    failing_since: NotRequired[str]
    last_error: NotRequired[str]
    old_secret_until: NotRequired[str]


class WebhookHandshake(TypedDict):
    allowed: bool
    per_minute: NotRequired[float | None]
    allowed_at: NotRequired[str]


class WebhookWithSecret(TypedDict):
    id: str
    url: str
    enabled: bool
    disabled_reason: NotRequired[Literal["gone"]]
    description: str | None
    format: NotRequired[Literal["raw", "cloudevents", "slack", "discord", "teams", "pagerduty", "ntfy"]]
    template: NotRequired[str]
    header_names: NotRequired[list[str]]
    has_routing_key: NotRequired[bool]
    topic: NotRequired[str]
    questions: NotRequired[list[str]]
    handshake: NotRequired[WebhookWithSecretHandshake]
    created_at: str
    waiting: int
    failing_since: NotRequired[str]
    last_error: NotRequired[str]
    old_secret_until: NotRequired[str]
    secret: NotRequired[str]


class WebhookWithSecretHandshake(TypedDict):
    allowed: bool
    per_minute: NotRequired[float | None]
    allowed_at: NotRequired[str]


class WebhookTest(TypedDict):
    delivered: bool
    status: NotRequired[int]
    error: NotRequired[str]
    duration_ms: float


class WebhookDeliveries(TypedDict):
    deliveries: list[WebhookDeliveriesDeliveriesItem]


class WebhookDeliveriesDeliveriesItem(TypedDict):
    id: str
    type: str
    state: Literal["waiting", "delivered", "failed", "skipped"]
    attempts: int
    accepted_at: str
    attempted_at: NotRequired[str]
    next_attempt_at: NotRequired[str]
    last_status: NotRequired[int]
    last_error: NotRequired[str]
    cause: NotRequired[str]
    rule: NotRequired[str]


class TelemetryExport(TypedDict):
    enabled: bool
    endpoint: NotRequired[str]
    header_names: NotRequired[list[str]]
    payload: NotRequired[Literal["none", "keys", "all"]]
    preset: NotRequired[Literal["langfuse", None]]
    interval_ms: NotRequired[int]
    reactions: NotRequired[list[str]]
    health: NotRequired[TelemetryExportHealth]


class TelemetryExportHealth(TypedDict):
    exported: int
    rejected: int
    dropped: int
    waiting: int
    last_success_at: NotRequired[str]
    failing_since: NotRequired[str]
    last_error: NotRequired[str]
    retry_at: NotRequired[str]


class TelemetryExportTest(TypedDict):
    delivered: bool
    status: NotRequired[int]
    answer: NotRequired[str]
    error: NotRequired[str]
    trace_id: str
    duration_ms: float


class InboxSources(TypedDict):
    sources: list[InboxSource]


class InboxSource(TypedDict):
    name: str
    path: str
    verify: InboxSourceVerify
    signal: str
    source: str
    map: NotRequired[InboxSourceMap]
    description: str | None
    created_at: str


class InboxSourceVerify(TypedDict):
    kind: Literal["standard-webhooks", "github", "hmac", "token", "none"]
    header: NotRequired[str]
    old_secret_until: NotRequired[str]


class InboxSourceMap(TypedDict):
    where: NotRequired[str]
    signal: NotRequired[str]
    facts: NotRequired[dict[str, str]]
    id: NotRequired[str]
    cause: NotRequired[str]
    timestamp: NotRequired[str]


class InboxSourceWithSecret(TypedDict):
    name: str
    path: str
    verify: InboxSourceWithSecretVerify
    signal: str
    source: str
    map: NotRequired[InboxSourceWithSecretMap]
    description: str | None
    created_at: str
    secret: NotRequired[str]


class InboxSourceWithSecretVerify(TypedDict):
    kind: Literal["standard-webhooks", "github", "hmac", "token", "none"]
    header: NotRequired[str]
    old_secret_until: NotRequired[str]


class InboxSourceWithSecretMap(TypedDict):
    where: NotRequired[str]
    signal: NotRequired[str]
    facts: NotRequired[dict[str, str]]
    id: NotRequired[str]
    cause: NotRequired[str]
    timestamp: NotRequired[str]


class Status(TypedDict):
    ecosystem: str
    log: StatusLog
    window: StatusWindow
    gaps: StatusGaps
    policies: StatusPolicies
    over_quota: list[StatusOverQuotaItem]
    projections: dict[str, StatusProjectionsValue]
    export: NotRequired[StatusExport]
    dead_letters: int
    dead_letters_per_1000: NotRequired[float | None]


class StatusLog(TypedDict):
    head_seq: int
    oldest_seq: int | None
    signals_last_minute: int
    subscribers: int
    bytes_in_flight: int
    hosts: list[str]
    unknown_frames: int
    database_bytes: int
    heap: list[StatusLogHeapItem]
    limit_bytes: float
    dropped_for_size: int
    damaged: NotRequired[StatusLogDamaged]
    budget: NotRequired[StatusLogBudget]


class StatusLogHeapItem(TypedDict):
    kind: str
    used_bytes: int
    limit_bytes: int
    refused: int


class StatusLogDamaged(TypedDict):
    rows: int
    first: list[StatusLogDamagedFirstItem]


class StatusLogDamagedFirstItem(TypedDict):
    part: Literal["slice", "header", "body", "zone", "producers"]
    place: int
    reason: str


class StatusLogBudget(TypedDict):
    monthly_usd: float | None
    month: str
    spent_usd: float
    checked_at: str | None
    state: Literal["none", "within", "warned", "exceeded"]
    observations: StatusLogBudgetObservations


class StatusLogBudgetObservations(TypedDict):
    taken_one_of: int
    left_out: int


class StatusWindow(TypedDict):
    seconds: float
    size: int
    oldest: str | None
    newest: str | None


class StatusGaps(TypedDict):
    open: int


class StatusPolicies(TypedDict):
    rules: int
    quarantined: list[str]
    unheard: NotRequired[list[StatusPoliciesUnheardItem]]


class StatusPoliciesUnheardItem(TypedDict):
    endpoint: str
    messages: int


class StatusOverQuotaItem(TypedDict):
    quota: str
    sender: str
    source: str
    refused: int
    limit: float
    setting: str
    since: str
    last_at: str
    token_name: NotRequired[str]


class StatusProjectionsValue(TypedDict):
    cursor: int
    foreign_messages: int
    database_bytes: int
    heap: list[StatusProjectionsValueHeapItem]
    lag: int
    oldest_undelivered_at: str | None


class StatusProjectionsValueHeapItem(TypedDict):
    kind: str
    used_bytes: int
    limit_bytes: int
    refused: int


class StatusExport(TypedDict):
    exported: int
    rejected: int
    dropped: int
    waiting: int
    last_success_at: NotRequired[str]
    failing_since: NotRequired[str]
    last_error: NotRequired[str]
    retry_at: NotRequired[str]


class EcosystemUsage(TypedDict):
    ecosystem: str
    objects: EcosystemUsageObjects
    total: Usage
    list_price_usd: float
    prices_usd_per_million: dict[str, float]
    plan: Literal["paid", "free"]
    today: Bill
    month: Bill
    forecast: Bill
    allowances: EcosystemUsageAllowances
    budget: NotRequired[Budget]


class EcosystemUsageObjects(TypedDict):
    signal_log: Usage
    observation_cache: Usage
    policy_state: Usage
    agent_registry: Usage
    worker_board: Usage
    webhooks: Usage
    dead_letters: Usage
    models: Usage
    intelligence: Usage
    audit_log: Usage
    telemetry: Usage
    idempotency_keys: Usage
    schedules: Usage
    notes: Usage
    questions: Usage
    locks: Usage
    limits: Usage
    queue_lobby: Usage
    link_relays: Usage
    priority_queues: Usage
    directory: Usage


class EcosystemUsageAllowances(TypedDict):
    per: Literal["month", "day"]
    resets_at: str
    lines: EcosystemUsageAllowancesLines


class EcosystemUsageAllowancesLines(TypedDict):
    worker_requests: EcosystemUsageAllowancesLinesWorkerRequests
    worker_cpu: EcosystemUsageAllowancesLinesWorkerCpu
    object_requests: EcosystemUsageAllowancesLinesObjectRequests
    duration: EcosystemUsageAllowancesLinesDuration
    rows_written: EcosystemUsageAllowancesLinesRowsWritten
    rows_read: EcosystemUsageAllowancesLinesRowsRead
    queue_operations: EcosystemUsageAllowancesLinesQueueOperations
    storage: EcosystemUsageAllowancesLinesStorage


class EcosystemUsageAllowancesLinesWorkerRequests(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesWorkerCpu(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesObjectRequests(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesDuration(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesRowsWritten(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesRowsRead(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesQueueOperations(TypedDict):
    included: float | None
    used: float
    left: float | None


class EcosystemUsageAllowancesLinesStorage(TypedDict):
    included: float | None
    used: float
    left: float | None


class Usage(TypedDict):
    rows_written: int
    rows_read: int
    requests: int
    socket_messages: int
    queue_operations: int
    queue_messages: int
    open_ms: NotRequired[int]
    worker_requests: NotRequired[int]
    worker_cpu_ms: NotRequired[int]


Bill = TypedDict(
    "Bill",
    {
        "from": "str",
        "until": "str",
        "lines": "BillLines",
        "plan_usd": "float",
        "usd": "float",
        "list_usd": "float",
    },
)


class BillLines(TypedDict):
    worker_requests: BillLinesWorkerRequests
    worker_cpu: BillLinesWorkerCpu
    object_requests: BillLinesObjectRequests
    duration: BillLinesDuration
    rows_written: BillLinesRowsWritten
    rows_read: BillLinesRowsRead
    queue_operations: BillLinesQueueOperations
    storage: BillLinesStorage


class BillLinesWorkerRequests(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesWorkerCpu(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesObjectRequests(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesDuration(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesRowsWritten(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesRowsRead(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesQueueOperations(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class BillLinesStorage(TypedDict):
    unit: str
    used: float
    usd: float
    list_usd: float


class Budget(TypedDict):
    monthly_usd: float | None
    month: str
    spent_usd: float
    checked_at: str | None
    state: Literal["none", "within", "warned", "exceeded"]
    observations: BudgetObservations


class BudgetObservations(TypedDict):
    taken_one_of: int
    left_out: int


class MetricsTargetsFieldsItem(TypedDict):
    targets: list[str]
    labels: MetricsTargetsFieldsItemLabels


class MetricsTargetsFieldsItemLabels(TypedDict):
    __scheme__: Literal["http", "https"]
    __metrics_path__: str
    ecosystem: str


MetricsTargets: TypeAlias = "list[MetricsTargetsFieldsItem]"


class CreatedToken(TypedDict):
    id: str
    name: str
    scopes: list[Literal["signals:write", "signals:read", "tasks:write", "tasks:work", "tasks:read", "hosts:command", "questions:answer", "permissions:answer", "policy:write", "admin"]]
    ecosystems: list[str]
    expires_at: str | None
    hosts: NotRequired[list[str]]
    sources: NotRequired[list[str]]
    recipients: NotRequired[list[str]]
    created_at: str
    token: str


class Tokens(TypedDict):
    tokens: list[Token]


class Token(TypedDict):
    id: str
    name: str
    scopes: list[Literal["signals:write", "signals:read", "tasks:write", "tasks:work", "tasks:read", "hosts:command", "questions:answer", "permissions:answer", "policy:write", "admin"]]
    ecosystems: list[str]
    expires_at: str | None
    hosts: NotRequired[list[str]]
    sources: NotRequired[list[str]]
    recipients: NotRequired[list[str]]
    created_at: str


class SessionCode(TypedDict):
    code: str
    path: str
    act: bool
    expires_at: str


class Sessions(TypedDict):
    sessions: list[Session]


class Session(TypedDict):
    id: str
    token: str
    token_name: str
    act: bool
    created_at: str
    used_at: str
    expires_at: str


class CurrentSession(TypedDict):
    session: CurrentSessionSession | None
    name: str
    scopes: list[Literal["signals:write", "signals:read", "tasks:write", "tasks:work", "tasks:read", "hosts:command", "questions:answer", "permissions:answer", "policy:write", "admin"]]
    ecosystems: list[str]
    expires_at: str | None


class CurrentSessionSession(TypedDict):
    id: str
    act: bool


class Ecosystems(TypedDict):
    ecosystems: list[EcosystemsEcosystemsItem]


class EcosystemsEcosystemsItem(TypedDict):
    name: str
    last_active_at: str


class ExportPage(TypedDict):
    lines: list[str]
    next: str | None


class ImportReceipt(TypedDict):
    complete: bool


class Deletion(TypedDict):
    deleted: bool
    queues_left: int


class ErasurePreview(TypedDict):
    signals: int
    first_at: str | None
    last_at: str | None
    next: int | None


class Erasure(TypedDict):
    id: str
    state: Literal["running", "complete"]
    source_sha256: str
    through_seq: int
    searched_seq: int
    signals: int
    rows: int
    part: str | None
    began_at: str
    done_at: str | None


class Erasures(TypedDict):
    erasures: list[Erasure]


class DropWorker(TypedDict):
    worker: str
    host: str
    complete: int
    failed: int
    timed_out: int
    last_at: str
    last_error: NotRequired[str]
    running: int
    overdue: int


class DropWorkerHealth(TypedDict):
    worker: str
    host: str
    complete: int
    failed: int
    timed_out: int
    last_at: NotRequired[str]
    last_error: NotRequired[str]
    running: int
    overdue: int
    health: Literal["healthy", "open", "failing", "stopped", "stale", "absent"]
    heartbeat_at: str | None
    heartbeat_age_ms: int | None


class DroppedTask(TypedDict):
    worker: str
    task_id: str
    claim: str
    status: Literal["running", "overdue", "complete", "failed"]
    host: str
    attempt: int
    started_at: str
    due_at: NotRequired[str]
    finished_at: NotRequired[str]
    duration_ms: NotRequired[int]
    error: NotRequired[str]
    result: NotRequired[Any]
    result_path: NotRequired[str]


class Schedules(TypedDict):
    schedules: list[SchedulesSchedulesItem]
    next: str | None


class SchedulesSchedulesItem(TypedDict):
    name: str
    description: NotRequired[str]
    cron: NotRequired[str]
    every: NotRequired[str]
    zone: NotRequired[str]
    task: NotRequired[SchedulesSchedulesItemTask]
    signal: NotRequired[SchedulesSchedulesItemSignal]
    overlap: NotRequired[Literal["skip", "allow", "replace", "queue"]]
    catch_up: NotRequired[int]
    spread: NotRequired[str]
    limits: NotRequired[SchedulesSchedulesItemLimits]
    paused: bool
    created_at: str
    changed_at: str
    next_at: str | None
    open: list[SchedulesSchedulesItemOpenItem]
    broken: list[SchedulesSchedulesItemBrokenItem]
    last: SchedulesSchedulesItemLast | None


class SchedulesSchedulesItemTask(TypedDict):
    queue: NotRequired[str]
    recipient: Literal["*"] | str
    type: str
    payload: NotRequired[Any]
    priority: NotRequired[int]
    needs: NotRequired[SchedulesSchedulesItemTaskNeeds]
    accept: NotRequired[SchedulesSchedulesItemTaskAccept]
    limits: NotRequired[list[str]]
    max_attempts: NotRequired[int]
    timeout: NotRequired[str]
    deadline: NotRequired[str]


class SchedulesSchedulesItemTaskNeeds(TypedDict):
    skills: NotRequired[list[str]]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class SchedulesSchedulesItemTaskAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class SchedulesSchedulesItemSignal(TypedDict):
    signal: str
    facts: NotRequired[dict[str, Any]]


class SchedulesSchedulesItemLimits(TypedDict):
    late_start: NotRequired[str]
    late_finish: NotRequired[str]
    extend_up_to: NotRequired[str]
    too_fast: NotRequired[str]
    too_often: NotRequired[SchedulesSchedulesItemLimitsTooOften]


class SchedulesSchedulesItemLimitsTooOften(TypedDict):
    runs: int
    within: str


class SchedulesSchedulesItemOpenItem(TypedDict):
    run: str
    time: str
    through: NotRequired[str]
    by: Literal["time", "catch_up", "hand", "report"]
    state: Literal["waiting", "queued", "running", "complete", "failed", "expired", "dropped", "cancelled", "lost", "emitted", "skipped", "missed"]
    made_at: str | None
    taken_at: str | None
    ended_at: str | None
    why: NotRequired[str]
    broke: list[Literal["late_start", "late_finish", "too_fast", "too_often"]]


class SchedulesSchedulesItemBrokenItem(TypedDict):
    limit: Literal["late_start", "late_finish", "too_fast", "too_often"]
    since: str
    run: str | None
    value: float
    allowed: float


class SchedulesSchedulesItemLast(TypedDict):
    run: str
    time: str
    through: NotRequired[str]
    by: Literal["time", "catch_up", "hand", "report"]
    state: Literal["waiting", "queued", "running", "complete", "failed", "expired", "dropped", "cancelled", "lost", "emitted", "skipped", "missed"]
    made_at: str | None
    taken_at: str | None
    ended_at: str | None
    why: NotRequired[str]
    broke: list[Literal["late_start", "late_finish", "too_fast", "too_often"]]


class Schedule(TypedDict):
    name: str
    description: NotRequired[str]
    cron: NotRequired[str]
    every: NotRequired[str]
    zone: NotRequired[str]
    task: NotRequired[ScheduleTask]
    signal: NotRequired[ScheduleSignal]
    overlap: NotRequired[Literal["skip", "allow", "replace", "queue"]]
    catch_up: NotRequired[int]
    spread: NotRequired[str]
    limits: NotRequired[ScheduleLimits]
    paused: bool
    created_at: str
    changed_at: str
    next_at: str | None
    open: list[ScheduleOpenItem]
    broken: list[ScheduleBrokenItem]
    last: ScheduleLast | None


class ScheduleTask(TypedDict):
    queue: NotRequired[str]
    recipient: Literal["*"] | str
    type: str
    payload: NotRequired[Any]
    priority: NotRequired[int]
    needs: NotRequired[ScheduleTaskNeeds]
    accept: NotRequired[ScheduleTaskAccept]
    limits: NotRequired[list[str]]
    max_attempts: NotRequired[int]
    timeout: NotRequired[str]
    deadline: NotRequired[str]


class ScheduleTaskNeeds(TypedDict):
    skills: NotRequired[list[str]]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class ScheduleTaskAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class ScheduleSignal(TypedDict):
    signal: str
    facts: NotRequired[dict[str, Any]]


class ScheduleLimits(TypedDict):
    late_start: NotRequired[str]
    late_finish: NotRequired[str]
    extend_up_to: NotRequired[str]
    too_fast: NotRequired[str]
    too_often: NotRequired[ScheduleLimitsTooOften]


class ScheduleLimitsTooOften(TypedDict):
    runs: int
    within: str


class ScheduleOpenItem(TypedDict):
    run: str
    time: str
    through: NotRequired[str]
    by: Literal["time", "catch_up", "hand", "report"]
    state: Literal["waiting", "queued", "running", "complete", "failed", "expired", "dropped", "cancelled", "lost", "emitted", "skipped", "missed"]
    made_at: str | None
    taken_at: str | None
    ended_at: str | None
    why: NotRequired[str]
    broke: list[Literal["late_start", "late_finish", "too_fast", "too_often"]]


class ScheduleBrokenItem(TypedDict):
    limit: Literal["late_start", "late_finish", "too_fast", "too_often"]
    since: str
    run: str | None
    value: float
    allowed: float


class ScheduleLast(TypedDict):
    run: str
    time: str
    through: NotRequired[str]
    by: Literal["time", "catch_up", "hand", "report"]
    state: Literal["waiting", "queued", "running", "complete", "failed", "expired", "dropped", "cancelled", "lost", "emitted", "skipped", "missed"]
    made_at: str | None
    taken_at: str | None
    ended_at: str | None
    why: NotRequired[str]
    broke: list[Literal["late_start", "late_finish", "too_fast", "too_often"]]


class ScheduleRuns(TypedDict):
    runs: list[ScheduleRunsRunsItem]


class ScheduleRunsRunsItem(TypedDict):
    run: str
    time: str
    through: NotRequired[str]
    by: Literal["time", "catch_up", "hand", "report"]
    state: Literal["waiting", "queued", "running", "complete", "failed", "expired", "dropped", "cancelled", "lost", "emitted", "skipped", "missed"]
    made_at: str | None
    taken_at: str | None
    ended_at: str | None
    why: NotRequired[str]
    broke: list[Literal["late_start", "late_finish", "too_fast", "too_often"]]


class Notes(TypedDict):
    notes: list[NotesNotesItem]
    next: str | None


class NotesNotesItem(TypedDict):
    key: str
    value: dict[str, Any]
    version: int
    created_at: str
    changed_at: str
    expires_at: str | None
    by: str


class Note(TypedDict):
    key: str
    value: dict[str, Any]
    version: int
    created_at: str
    changed_at: str
    expires_at: str | None
    by: str


class AskedQuestion(TypedDict):
    id: str
    state: Literal["open", "answered", "expired", "cancelled"]
    expires_at: str


class Questions(TypedDict):
    questions: list[QuestionsQuestionsItem]
    next: str | None


class QuestionsQuestionsItem(TypedDict):
    id: str
    question: str
    recipient: str
    options: list[str] | None
    context: NotRequired[Any]
    state: Literal["open", "answered", "expired", "cancelled"]
    answer: str | None
    comment: NotRequired[str]
    answered_by: QuestionsQuestionsItemAnsweredBy | None
    answered_at: str | None
    asked_by: str
    asked_at: str
    expires_at: str
    closed_at: str | None
    on_timeout: str | None
    reminders: int
    escalate_to: str | None
    escalated_at: str | None
    cause: str | None
    signal: str | None
    permission: NotRequired[QuestionsQuestionsItemPermission]


class QuestionsQuestionsItemAnsweredBy(TypedDict):
    name: str
    way: Literal["token", "session", "link", "rule", "timeout"]


class QuestionsQuestionsItemPermission(TypedDict):
    tool_name: str
    description: str | None
    input_preview: str | None
    session: str | None


class Question(TypedDict):
    id: str
    question: str
    recipient: str
    options: list[str] | None
    context: NotRequired[Any]
    state: Literal["open", "answered", "expired", "cancelled"]
    answer: str | None
    comment: NotRequired[str]
    answered_by: QuestionAnsweredBy | None
    answered_at: str | None
    asked_by: str
    asked_at: str
    expires_at: str
    closed_at: str | None
    on_timeout: str | None
    reminders: int
    escalate_to: str | None
    escalated_at: str | None
    cause: str | None
    signal: str | None
    permission: NotRequired[QuestionPermission]


class QuestionAnsweredBy(TypedDict):
    name: str
    way: Literal["token", "session", "link", "rule", "timeout"]


class QuestionPermission(TypedDict):
    tool_name: str
    description: str | None
    input_preview: str | None
    session: str | None


class Locks(TypedDict):
    locks: list[LocksLocksItem]
    waits: list[LocksWaitsItem]
    waits_total: int
    next: str | None


class LocksLocksItem(TypedDict):
    name: str
    mode: Literal["exclusive", "shared"]
    owner: str
    fence: int
    acquired_at: str
    expires_at: str
    ttl_ms: int
    task: str | None
    owner_process: LocksLocksItemOwnerProcess | None
    waiting: int


class LocksLocksItemOwnerProcess(TypedDict):
    host: str
    process: str


class LocksWaitsItem(TypedDict):
    name: str
    mode: Literal["exclusive", "shared"]
    owner: str
    since: str
    task: str | None
    blocked_by: LocksWaitsItemBlockedBy | None


class LocksWaitsItemBlockedBy(TypedDict):
    name: str
    mode: Literal["exclusive", "shared"]
    owner: str
    fence: int | None
    since: str
    expires_at: str | None
    task: str | None


class LockAnswerFields1(TypedDict):
    held: Literal[True]
    name: str
    mode: Literal["exclusive", "shared"]
    fence: int
    expires_at: str


class LockAnswerFields2(TypedDict):
    held: Literal[False]
    holder: str
    blocked_by: LockAnswerFields2BlockedBy
    cycle: NotRequired[list[LockAnswerFields2CycleItem]]


class LockAnswerFields2BlockedBy(TypedDict):
    name: str
    mode: Literal["exclusive", "shared"]
    owner: str
    fence: int | None
    since: str
    expires_at: str | None
    task: str | None


class LockAnswerFields2CycleItem(TypedDict):
    owner: str
    waits_for: str
    held_by: str


LockAnswer: TypeAlias = "LockAnswerFields1 | LockAnswerFields2"


class LockHeld(TypedDict):
    held: Literal[True]
    name: str
    mode: Literal["exclusive", "shared"]
    fence: int
    expires_at: str


class LockReleased(TypedDict):
    released: Literal[True]


class Limits(TypedDict):
    limits: list[LimitsLimitsItem]


class LimitsLimitsItem(TypedDict):
    name: str
    description: NotRequired[str]
    requests_per_minute: NotRequired[int]
    input_tokens_per_minute: NotRequired[int]
    output_tokens_per_minute: NotRequired[int]
    concurrency: NotRequired[int]
    usd_per_day: NotRequired[float]
    zone: NotRequired[str]
    reservation_seconds: NotRequired[int]
    ramp_seconds: NotRequired[int]
    when_away: NotRequired[Literal["open", "closed"]]
    state: Literal["open", "closed", "probing", "ramping"]
    closed_until: str | None
    reason: str | None
    parked: NotRequired[int]
    used: LimitsLimitsItemUsed
    held: int
    shares: list[LimitsLimitsItemSharesItem]
    spent_usd: float
    held_usd: float
    created_at: str
    changed_at: str


class LimitsLimitsItemUsed(TypedDict):
    requests: float
    input_tokens: float
    output_tokens: float


class LimitsLimitsItemSharesItem(TypedDict):
    host: str | None
    shares: int
    calls: int
    requests: float
    usd: float


class Limit(TypedDict):
    name: str
    description: NotRequired[str]
    requests_per_minute: NotRequired[int]
    input_tokens_per_minute: NotRequired[int]
    output_tokens_per_minute: NotRequired[int]
    concurrency: NotRequired[int]
    usd_per_day: NotRequired[float]
    zone: NotRequired[str]
    reservation_seconds: NotRequired[int]
    ramp_seconds: NotRequired[int]
    when_away: NotRequired[Literal["open", "closed"]]
    state: Literal["open", "closed", "probing", "ramping"]
    closed_until: str | None
    reason: str | None
    parked: NotRequired[int]
    used: LimitUsed
    held: int
    shares: list[LimitSharesItem]
    spent_usd: float
    held_usd: float
    created_at: str
    changed_at: str


class LimitUsed(TypedDict):
    requests: float
    input_tokens: float
    output_tokens: float


class LimitSharesItem(TypedDict):
    host: str | None
    shares: int
    calls: int
    requests: float
    usd: float


class Reservation(TypedDict):
    granted: bool
    reservation: NotRequired[str]
    expires_at: NotRequired[str]
    why: NotRequired[Literal["closed", "probing", "concurrency", "requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute", "usd_per_day", "budget", "too_large"]]
    budget: NotRequired[str]
    final: NotRequired[bool]
    detail: NotRequired[str]
    closed_until: NotRequired[str]
    counts: NotRequired[list[Literal["agent", "task", "chain"]]]
    when_away: NotRequired[Literal["open", "closed"]]


class Settlement(TypedDict):
    reservation: str
    state: Literal["settled", "repeated", "expired", "unknown"]
    closed_until: NotRequired[str]


class SpendingBudgets(TypedDict):
    budgets: list[SpendingBudgetsBudgetsItem]


class SpendingBudgetsBudgetsItem(TypedDict):
    name: str
    description: NotRequired[str]
    scope: Literal["agent", "task", "chain", "ecosystem"]
    match: NotRequired[str]
    tokens: NotRequired[int]
    usd: NotRequired[float]
    per: NotRequired[Literal["day", "life"]]
    zone: NotRequired[str]
    at_end: NotRequired[Literal["closed", "open"]]
    used: list[SpendingBudgetsBudgetsItemUsedItem]
    subjects: int
    created_at: str
    changed_at: str


class SpendingBudgetsBudgetsItemUsedItem(TypedDict):
    subject: str | None
    state: Literal["open", "noticed", "spent"]
    tokens: float
    usd: float
    held_tokens: float
    held_usd: float
    until: str | None


class SpendingBudget(TypedDict):
    name: str
    description: NotRequired[str]
    scope: Literal["agent", "task", "chain", "ecosystem"]
    match: NotRequired[str]
    tokens: NotRequired[int]
    usd: NotRequired[float]
    per: NotRequired[Literal["day", "life"]]
    zone: NotRequired[str]
    at_end: NotRequired[Literal["closed", "open"]]
    used: list[SpendingBudgetUsedItem]
    subjects: int
    created_at: str
    changed_at: str


class SpendingBudgetUsedItem(TypedDict):
    subject: str | None
    state: Literal["open", "noticed", "spent"]
    tokens: float
    usd: float
    held_tokens: float
    held_usd: float
    until: str | None


class NewSignal(TypedDict):
    signal: str
    source: str
    facts: dict[str, Any]
    timestamp: NotRequired[str | float]
    id: NotRequired[str]
    cause: NotRequired[str | None]
    trace: NotRequired[str | None]
    seq: NotRequired[Any]
    received_at: NotRequired[Any]
    ecosystem: NotRequired[Any]
    depth: NotRequired[Any]
    via: NotRequired[Any]
    hops: NotRequired[Any]


class NewToken(TypedDict):
    name: str
    scopes: list[Literal["signals:write", "signals:read", "tasks:write", "tasks:work", "tasks:read", "hosts:command", "questions:answer", "permissions:answer", "policy:write", "admin"]]
    ecosystems: list[str]
    expires_at: NotRequired[str | float | None]
    hosts: NotRequired[list[str] | None]
    sources: NotRequired[list[str] | None]
    recipients: NotRequired[list[str] | None]


class NewSession(TypedDict):
    act: NotRequired[bool]


class SessionStart(TypedDict):
    code: NotRequired[str]
    token: NotRequired[str]
    act: NotRequired[bool]


class NewTask(TypedDict):
    recipient: Literal["*"] | str
    type: str
    payload: Any
    sender: NotRequired[str | None]
    priority: NotRequired[int]
    needs: NotRequired[NewTaskNeeds | None]
    cause: NotRequired[str | None]
    trace: NotRequired[str | None]
    depth: NotRequired[int | None]
    task_id: NotRequired[str]
    delay_ms: NotRequired[int]
    max_attempts: NotRequired[int]
    timeout_ms: NotRequired[int | None]
    deadline_ms: NotRequired[int | None]
    limits: NotRequired[list[str] | None]
    accept: NotRequired[NewTaskAccept | None]
    timestamp: NotRequired[Any]


class NewTaskNeeds(TypedDict):
    skills: NotRequired[list[str]]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class NewTaskAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class NewCall(TypedDict):
    recipient: Literal["*"] | str
    type: str
    payload: Any
    sender: NotRequired[str | None]
    priority: NotRequired[int]
    needs: NotRequired[NewCallNeeds | None]
    cause: NotRequired[str | None]
    trace: NotRequired[str | None]
    depth: NotRequired[int | None]
    correlation_id: NotRequired[str]
    timeout_ms: NotRequired[int]
    max_attempts: NotRequired[int]
    require_responder: NotRequired[bool]


class NewCallNeeds(TypedDict):
    skills: NotRequired[list[str]]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class QueueSettingsChange(TypedDict):
    capacity: NotRequired[int]
    overflow: NotRequired[Literal["refuse", "drop_oldest"]]
    max_attempts: NotRequired[int]
    backoff_ms: NotRequired[int]
    backoff_max_ms: NotRequired[int]
    ageing_ms: NotRequired[int | None]
    signal_complete: NotRequired[bool]
    signal_failed: NotRequired[bool]
    keep_finished: NotRequired[int]
    notify_long_to: NotRequired[Literal["*"] | str | None]
    notify_long_ms: NotRequired[int]
    notify_long_every_ms: NotRequired[int]
    alert_task_ms: NotRequired[int | None]
    alert_p95_ms: NotRequired[int | None]
    alert_failed: NotRequired[int | None]
    alert_failed_window_ms: NotRequired[int]
    alert_depth: NotRequired[int | None]
    breaker_failures: NotRequired[int | None]
    breaker_rate: NotRequired[float | None]
    breaker_calls: NotRequired[int]
    breaker_open_ms: NotRequired[int]
    breaker_open_max_ms: NotRequired[int]
    breaker_fallback: NotRequired[QueueSettingsChangeBreakerFallback | None]


class QueueSettingsChangeBreakerFallback(TypedDict):
    result: Any
    source: str
    confidence: float


class LeaseRequest(TypedDict):
    recipient: Literal["*"] | str
    max: NotRequired[int]
    lease_ms: NotRequired[int]
    wait_ms: NotRequired[int]
    worker: NotRequired[str]
    skills: NotRequired[list[str]]
    host: NotRequired[str]
    labels: NotRequired[dict[str, str]]


class CompleteRequest(TypedDict):
    lease_id: str
    result: NotRequired[Any]
    evidence: NotRequired[Any]


class FailRequest(TypedDict):
    lease_id: str
    error: str
    retry: NotRequired[bool]


class ExtendRequest(TypedDict):
    lease_id: str
    lease_ms: NotRequired[int]


class ReleaseRequest(TypedDict):
    lease_id: str


class ParkRequest(TypedDict):
    lease_id: str
    question: str


NewMail = TypedDict(
    "NewMail",
    {
        "to": "NotRequired[str]",
        "from": "NotRequired[str]",
        "subject": "NotRequired[str]",
        "body": "Any",
        "id": "NotRequired[str]",
        "reply_to": "NotRequired[str]",
        "expires_ms": "NotRequired[int]",
        "deliver_within_ms": "NotRequired[int]",
        "read_within_ms": "NotRequired[int]",
    },
)


class ReceiveRequest(TypedDict):
    max: NotRequired[int]
    wait_ms: NotRequired[int]


class ActRequest(TypedDict):
    result: NotRequired[Any]


class PauseRequest(TypedDict):
    reason: NotRequired[str | None]


class BulkTasksRequest(TypedDict):
    filter: NotRequired[BulkTasksRequestFilter]
    dry_run: NotRequired[bool]


class BulkTasksRequestFilter(TypedDict):
    status: NotRequired[Literal["queued", "running", "verifying", "complete", "failed", "cancelled", "expired", "dropped"]]
    recipient: NotRequired[str]
    type: NotRequired[str]
    older_than_ms: NotRequired[int]


class NewWebhook(TypedDict):
    url: str
    enabled: NotRequired[bool]
    description: NotRequired[str | None]
    secret: NotRequired[str]
    format: NotRequired[Literal["raw", "cloudevents", "slack", "discord", "teams", "pagerduty", "ntfy"]]
    template: NotRequired[str | None]
    handshake: NotRequired[bool]
    questions: NotRequired[list[str]]
    headers: NotRequired[dict[str, str]]
    routing_key: NotRequired[str]
    topic: NotRequired[str]


class NewInboxSource(TypedDict):
    verify: NewInboxSourceVerify1 | NewInboxSourceVerify2 | NewInboxSourceVerify3 | NewInboxSourceVerify4 | NewInboxSourceVerify5
    signal: str
    source: NotRequired[str]
    map: NotRequired[NewInboxSourceMap]
    description: NotRequired[str | None]


class NewInboxSourceVerify1(TypedDict):
    kind: Literal["standard-webhooks"]
    secret: NotRequired[str]


class NewInboxSourceVerify2(TypedDict):
    kind: Literal["github"]
    secret: NotRequired[str]


class NewInboxSourceVerify3(TypedDict):
    kind: Literal["hmac"]
    header: str
    prefix: NotRequired[str]
    encoding: NotRequired[Literal["hex", "base64"]]
    secret: NotRequired[str]


class NewInboxSourceVerify4(TypedDict):
    kind: Literal["token"]
    header: str
    secret: NotRequired[str]


class NewInboxSourceVerify5(TypedDict):
    kind: Literal["none"]


class NewInboxSourceMap(TypedDict):
    where: NotRequired[str]
    signal: NotRequired[str]
    facts: NotRequired[dict[str, str]]
    id: NotRequired[str]
    cause: NotRequired[str]
    timestamp: NotRequired[str]


class NewBridge(TypedDict):
    to: str
    signals: str | list[str]
    where: NotRequired[str]
    signal: NotRequired[str]
    enabled: NotRequired[bool]
    description: NotRequired[str]


class NewBudget(TypedDict):
    monthly_usd: float | None


class WebhookChange(TypedDict):
    url: NotRequired[str]
    enabled: NotRequired[bool]
    description: NotRequired[str | None]
    format: NotRequired[Literal["raw", "cloudevents", "slack", "discord", "teams", "pagerduty", "ntfy"]]
    template: NotRequired[str | None]
    headers: NotRequired[dict[str, str]]
    routing_key: NotRequired[str]
    topic: NotRequired[str]
    handshake: NotRequired[bool]
    questions: NotRequired[list[str]]


class DeadLetterFilter(TypedDict):
    kind: NotRequired[Literal["signal", "task", "intent", "webhook", "reaction"]]
    daemon: NotRequired[str]
    signal: NotRequired[list[str]]
    host: NotRequired[str]
    since: NotRequired[str | float]
    until: NotRequired[str | float]
    text: NotRequired[str]


class NewContext(TypedDict):
    node_type: str
    domain: NotRequired[str]
    service_name: NotRequired[str]
    operations: NotRequired[list[str]]
    prompt: NotRequired[str]


class RolloutChange(TypedDict):
    share: float
    note: NotRequired[str]
    version: NotRequired[int]


class RollbackRequest(TypedDict):
    note: NotRequired[str]


class OutcomeReport(TypedDict):
    reporter: str
    number: int
    version: int
    live: NotRequired[OutcomeReportLive]
    library: NotRequired[OutcomeReportLibrary]


class OutcomeReportLive(TypedDict):
    successes: NotRequired[int]
    timeouts: NotRequired[int]
    errors: NotRequired[int]
    fallbacks: NotRequired[int]
    connection_errors: NotRequired[int]
    mismatches: NotRequired[int]
    corrupted: NotRequired[int]
    patterns: NotRequired[int]
    confidence: NotRequired[OutcomeReportLiveConfidence]
    latency_ms: NotRequired[list[tuple[float, int]]]


class OutcomeReportLiveConfidence(TypedDict):
    sum: NotRequired[float]
    squares: NotRequired[float]


class OutcomeReportLibrary(TypedDict):
    successes: NotRequired[int]
    timeouts: NotRequired[int]
    errors: NotRequired[int]
    fallbacks: NotRequired[int]
    connection_errors: NotRequired[int]
    mismatches: NotRequired[int]
    corrupted: NotRequired[int]
    patterns: NotRequired[int]
    confidence: NotRequired[OutcomeReportLibraryConfidence]
    latency_ms: NotRequired[list[tuple[float, int]]]


class OutcomeReportLibraryConfidence(TypedDict):
    sum: NotRequired[float]
    squares: NotRequired[float]


class IsAliveAnswer(TypedDict):
    status: Literal["alive"]


class IsReadyAnswer(TypedDict):
    status: Literal["ready"]


class ChangeSessionSettingsBody(TypedDict):
    waiting_seconds: NotRequired[float | None]
    frozen_seconds: NotRequired[float | None]
    tool_seconds: NotRequired[float | None]
    feeds: NotRequired[list[ChangeSessionSettingsBodyFeedsItem] | None]


class ChangeSessionSettingsBodyFeedsItem(TypedDict):
    models: str
    limit: str


class ListAgentSessionsAnswer(TypedDict):
    sessions: list[AgentSession]
    total: int
    usage: ListAgentSessionsAnswerUsage


class ListAgentSessionsAnswerUsage(TypedDict):
    input_tokens: float
    output_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    cost_usd: float
    requests: float
    api_failures: float
    tool_calls: float
    tool_failures: float
    prompts: float
    active_seconds: float


class ChangeScannerBody(TypedDict):
    enabled: NotRequired[bool]
    settings: NotRequired[dict[str, float]]


class SetMaintenanceBody(TypedDict):
    enabled: bool
    reason: NotRequired[str | None]


class ChangePoliciesBody(TypedDict):
    policies: list[dict[str, Any]]


class ReplacePoliciesBody(TypedDict):
    policies: list[dict[str, Any]]


class EnablePolicyBody(TypedDict):
    enabled: bool


class ImportPolicyStateBody(TypedDict):
    in_flight: NotRequired[list[ImportPolicyStateBodyInFlightItem]]
    fired: NotRequired[list[ImportPolicyStateBodyFiredItem]]


class ImportPolicyStateBodyInFlightItem(TypedDict):
    key: NotRequired[str]
    since: str
    until: NotRequired[str]


class ImportPolicyStateBodyFiredItem(TypedDict):
    key: NotRequired[str]
    at: str
    until: NotRequired[str]


class SetModelsBody(TypedDict):
    enabled: NotRequired[bool]
    models: NotRequired[list[SetModelsBodyModelsItem1 | SetModelsBodyModelsItem2]]
    daily: NotRequired[SetModelsBodyDaily]
    version: NotRequired[int]


class SetModelsBodyModelsItem1(TypedDict):
    kind: Literal["openai"]
    name: str
    model: str
    price_in: NotRequired[float]
    price_out: NotRequired[float]
    max_tokens: NotRequired[int]
    url: str
    api_key: NotRequired[str]


class SetModelsBodyModelsItem2(TypedDict):
    kind: Literal["workers-ai"]
    name: str
    model: str
    price_in: NotRequired[float]
    price_out: NotRequired[float]
    max_tokens: NotRequired[int]


class SetModelsBodyDaily(TypedDict):
    requests: int
    usd: float


class SimulatePolicyBody(TypedDict):
    since: str
    until: NotRequired[str]
    warm_up: NotRequired[str]
    rule: NotRequired[dict[str, Any]]


class ReplayDeadLettersBody(TypedDict):
    filter: DeadLetterFilter
    dry_run: NotRequired[bool]
    limit: NotRequired[int]
    after: NotRequired[str]


class DiscardDeadLettersBody(TypedDict):
    filter: DeadLetterFilter
    dry_run: NotRequired[bool]
    limit: NotRequired[int]
    after: NotRequired[str]


class ReplayDeadLetterBody(TypedDict):
    signal: NotRequired[NewSignal]


class SetTelemetryExportBody(TypedDict):
    endpoint: NotRequired[str]
    headers: NotRequired[dict[str, str]]
    payload: NotRequired[Literal["none", "keys", "all"]]
    preset: NotRequired[Literal["langfuse"] | None]
    public_key: NotRequired[str]
    secret_key: NotRequired[str]
    interval_ms: NotRequired[int]
    reactions: NotRequired[list[str]]


class EraseSourceBody(TypedDict):
    source: str
    dry_run: NotRequired[bool]
    after: NotRequired[int]


class ListWorkersAnswer(TypedDict):
    workers: list[DropWorker]


class GetWorkerAnswer(TypedDict):
    worker: str
    hosts: list[DropWorkerHealth]


class GetDroppedTaskAnswer(TypedDict):
    tasks: list[DroppedTask]


class PutScheduleBody(TypedDict):
    description: NotRequired[str]
    cron: NotRequired[str]
    every: NotRequired[str]
    zone: NotRequired[str]
    task: NotRequired[PutScheduleBodyTask]
    signal: NotRequired[PutScheduleBodySignal]
    overlap: NotRequired[Literal["skip", "allow", "replace", "queue"]]
    catch_up: NotRequired[int]
    spread: NotRequired[str]
    limits: NotRequired[PutScheduleBodyLimits]
    paused: NotRequired[bool]


class PutScheduleBodyTask(TypedDict):
    queue: NotRequired[str]
    recipient: Literal["*"] | str
    type: str
    payload: NotRequired[Any]
    priority: NotRequired[int]
    needs: NotRequired[PutScheduleBodyTaskNeeds]
    accept: NotRequired[PutScheduleBodyTaskAccept]
    limits: NotRequired[list[str]]
    max_attempts: NotRequired[int]
    timeout: NotRequired[str]
    deadline: NotRequired[str]


class PutScheduleBodyTaskNeeds(TypedDict):
    skills: NotRequired[list[str]]
    gpu_memory_mb: NotRequired[int]
    labels: NotRequired[dict[str, str]]


class PutScheduleBodyTaskAccept(TypedDict):
    check: NotRequired[str]
    rule: NotRequired[str]
    reviewer: NotRequired[str]


class PutScheduleBodySignal(TypedDict):
    signal: str
    facts: NotRequired[dict[str, Any]]


class PutScheduleBodyLimits(TypedDict):
    late_start: NotRequired[str]
    late_finish: NotRequired[str]
    extend_up_to: NotRequired[str]
    too_fast: NotRequired[str]
    too_often: NotRequired[PutScheduleBodyLimitsTooOften]


class PutScheduleBodyLimitsTooOften(TypedDict):
    runs: int
    within: str


class ReportScheduleRunBody(TypedDict):
    state: Literal["started", "progress", "finished", "failed"]
    run: NotRequired[str]
    error: NotRequired[str]


class RunScheduleAnswer(TypedDict):
    run: str


class AskQuestionBody(TypedDict):
    id: NotRequired[str]
    question: str
    recipient: str
    options: NotRequired[list[str]]
    context: NotRequired[Any]
    expires: NotRequired[str | float]
    on_timeout: NotRequired[str]
    remind_after: NotRequired[str]
    escalate_to: NotRequired[str]
    escalate_after: NotRequired[str]
    cause: NotRequired[str]


class AnswerQuestionBody(TypedDict):
    answer: str
    comment: NotRequired[str]


class AskPermissionBody(TypedDict):
    id: NotRequired[str]
    tool_name: str
    description: NotRequired[str]
    input_preview: NotRequired[str]
    recipient: str
    session: NotRequired[str]
    expires: NotRequired[str | float]


class AnswerPermissionBody(TypedDict):
    behavior: Literal["allow", "deny"]
    comment: NotRequired[str]


class AcquireLockBody(TypedDict):
    owner: str
    ttl_ms: int
    mode: NotRequired[Literal["exclusive", "shared"]]
    wait_ms: NotRequired[int]
    owner_process: NotRequired[AcquireLockBodyOwnerProcess]
    task: NotRequired[str]


class AcquireLockBodyOwnerProcess(TypedDict):
    host: str
    process: str


class RenewLockBody(TypedDict):
    owner: NotRequired[str]
    fence: int
    ttl_ms: int


class ReleaseLockBody(TypedDict):
    owner: NotRequired[str]
    fence: int


class PutLimitBody(TypedDict):
    description: NotRequired[str]
    requests_per_minute: NotRequired[int]
    input_tokens_per_minute: NotRequired[int]
    output_tokens_per_minute: NotRequired[int]
    concurrency: NotRequired[int]
    usd_per_day: NotRequired[float]
    zone: NotRequired[str]
    reservation_seconds: NotRequired[int]
    ramp_seconds: NotRequired[int]
    when_away: NotRequired[Literal["open", "closed"]]


class ReserveLimitBody(TypedDict):
    amounts: NotRequired[ReserveLimitBodyAmounts]
    agent: NotRequired[str]
    task: NotRequired[str]
    chain: NotRequired[str]
    model: NotRequired[str]
    share: NotRequired[ReserveLimitBodyShare]
    wait_ms: NotRequired[int]


class ReserveLimitBodyAmounts(TypedDict):
    requests: NotRequired[int]
    input_tokens: NotRequired[int]
    output_tokens: NotRequired[int]
    usd: NotRequired[float]


class ReserveLimitBodyShare(TypedDict):
    calls: int
    seconds: int
    host: NotRequired[str]


class SettleLimitBody(TypedDict):
    reservation: str
    amounts: NotRequired[SettleLimitBodyAmounts]
    outcome: NotRequired[SettleLimitBodyOutcome]
    agent: NotRequired[str]
    task: NotRequired[str]
    chain: NotRequired[str]
    model: NotRequired[str]


class SettleLimitBodyAmounts(TypedDict):
    requests: NotRequired[int]
    input_tokens: NotRequired[int]
    output_tokens: NotRequired[int]
    usd: NotRequired[float]


class SettleLimitBodyOutcome(TypedDict):
    status: int
    until: NotRequired[str | float]
    retry_after_seconds: NotRequired[float]
    reason: NotRequired[str]


class CloseLimitBody(TypedDict):
    until: NotRequired[str | float]
    retry_after_seconds: NotRequired[float]
    reason: NotRequired[str]


class PutSpendingBudgetBody(TypedDict):
    description: NotRequired[str]
    scope: Literal["agent", "task", "chain", "ecosystem"]
    match: NotRequired[str]
    tokens: NotRequired[int]
    usd: NotRequired[float]
    per: NotRequired[Literal["day", "life"]]
    zone: NotRequired[str]
    at_end: NotRequired[Literal["closed", "open"]]
