import { accountOf } from "../../../../src/core/billing/bill.ts";
import { budgetView, newBudget, withSpent } from "../../../../src/core/billing/budget.ts";
import { NO_USAGE } from "../../../../src/core/billing/usage.ts";
import { DEFAULT_MONITOR_SETTINGS } from "../../../../src/core/hosts/monitors/monitor-settings.ts";
import { OutcomeReport } from "../../../../src/core/intelligence/rollout/api.ts";
import { healthOf } from "../../../../src/core/intelligence/rollout/health.ts";
import { Rollout } from "../../../../src/core/intelligence/rollout/rollout.ts";
import { viewOf as modelsView } from "../../../../src/core/models/api.ts";
import { ModelSettingsInput, NO_MODELS, nextSettings } from "../../../../src/core/models/settings.ts";
import { overviewOf } from "../../../../src/core/overview/compose.ts";
import { DEFAULT_SETTINGS } from "../../../../src/core/queue/queue-settings.ts";
import { viewOf as exportView } from "../../../../src/core/telemetry/api.ts";
import { healthOf as exportHealth, NOTHING_EXPORTED } from "../../../../src/core/telemetry/progress.ts";
import { NewExport, settingsOf } from "../../../../src/core/telemetry/settings.ts";
import { host as fleetHost, process as fleetProcess, gap as openGap } from "../../attention/state-under-test.ts";
import { COORDINATION_VIEWS, coordinationDocuments } from "./coordination.ts";

/** When the views are looked at. */
export const NOW_MS = Date.parse("2026-11-30T10:20:30.400Z");
const ago = (seconds: number) => new Date(NOW_MS - seconds * 1_000).toISOString();
const [JUST, MINUTES, HOURS, DAYS] = [ago(12), ago(600), ago(12_000), ago(300_000)];

/** A name that would clear the screen and turn the text around. */
const HOSTILE = "evil\u001b[2J\u202egpu";
const LONG = `the pool of connections to the database is exhausted: ${"waiting for a free one; ".repeat(8)}end`;
const WIDE = "東京-gpu-\u{1f468}\u200d\u{1f469}\u200d\u{1f467}-e\u0301";
const UUID = "018f3c2a-7b1e-7c3d-9a4f-0123456789ab";

const item = {
  id: "host_down:gpu-01",
  cause: "host_down:gpu-01",
  ecosystem: "default",
  kind: "host_down",
  severity: "critical",
  subject: WIDE,
  what: "the host is down",
  why: LONG,
  since: MINUTES,
  consequence: "its processes do nothing",
  next_step: "ganglion hosts gpu-01",
  action: null,
  chain: null,
  effects: ["the process coder"],
  effects_total: 3,
};
const items = [
  item,
  { ...item, id: "x", kind: "gap", severity: "warning", subject: HOSTILE, since: null, effects_total: 0, why: "short" },
];
const attention = { items, checked_at: JUST, total: 2, critical: 1, left_out: 4, unread: ["models"] };

const percentiles = {
  mean_ms: 1_204,
  p50_ms: 1_100,
  p95_ms: 9_000,
  p99_ms: 12_500,
  waiting_mean_ms: 10,
  waiting_p50_ms: 8,
  waiting_p95_ms: 90,
  waiting_p99_ms: 120,
};
const queue = {
  queue: "work",
  depth: 12,
  running: 3,
  by_priority: { 2: 4, 5: 8 },
  by_level: { high: 4, normal: 8, low: 0 },
  oldest_age_ms: 95_000,
  median_ms: null,
  by_recipient: {
    coder: { queued: 10, running: 3, complete: 1_204, failed: 17, ...percentiles },
    [WIDE]: { queued: 2, running: 0, complete: 0, failed: 0, ...percentiles },
  },
  workers: { coder: 3 },
  alerts: [{ rule: "queue_deep", subject: "queue", raised_at: MINUTES }],
  breakers: [
    {
      recipient: "coder",
      state: "open",
      reason: "5 of 5 failed",
      next_probe_at: ago(-30),
      since: MINUTES,
      failed_probes: 1,
    },
  ],
  verifying: 2,
  unjudged: [
    {
      accept: { reviewer: "ops" },
      task_id: "t-2",
      tasks: 2,
      since: MINUTES,
      why: "waits for ops to accept or refuse it",
    },
  ],
  parked: 4,
  closed_limits: [{ limit: "anthropic", until: ago(-900), reason: `429: ${HOSTILE}`, parked: 4 }],
  settings: { ...DEFAULT_SETTINGS, capacity: 100 },
  database_bytes: 16_384,
  heap: [],
};
const task = {
  task_id: UUID,
  recipient: "coder",
  type: "TASK_DELEGATE",
  sender: "gpu-01",
  priority: 2,
  created_at: MINUTES,
  max_attempts: 3,
  timeout_ms: null,
  deadline_at: null,
  status: "running",
  attempt: 1,
  worker: `${WIDE}/worker-1`,
  waited_ms: 20,
  ran_ms: 5_200,
  history: [
    { at: MINUTES, event: "queued" },
    { at: JUST, event: "leased", worker: "w-1", error: HOSTILE },
  ],
  payload: { bug: 7, text: LONG },
};
const finished = { ...task, status: "failed", outcome: "failed", finished_at: JUST, error: LONG };

const up = {
  host: "gpu-01",
  state: "up",
  since: DAYS,
  reason: "linked",
  links: 1,
  last_seen: JUST,
  version: "0.1.0",
  failing: { promotions: "permission denied" },
  alerts: [{ subject: "disk:/var", since: MINUTES, value: 96, limit: 90 }],
  runs: { host: "gpu-01", sources: [{ name: "bus", state: "live", detail: "own proxy" }], workers: [] },
  facts: { health: { readings: [{ kind: "disk", instance: "/var", value: 96.5 }] } },
};
const hosts = {
  agents: [
    up,
    { ...up, host: WIDE, state: "down", since: HOURS, reason: "link_lost", alerts: [], failing: {} },
    { ...up, host: HOSTILE, version: null, alerts: [] },
  ],
};

const signal = (seq: number, more: object = {}) => ({
  seq,
  id: UUID.replace("ab", String(10 + seq)),
  signal: "Q_PROMOTIONS_DETECTED",
  source: "gpu-01",
  ecosystem: "default",
  facts: { n: seq },
  timestamp: MINUTES,
  received_at: MINUTES,
  ...more,
});
const signals = [
  signal(7),
  signal(8, { source: HOSTILE, facts: { text: LONG }, timestamp: JUST }),
  signal(9, { source: WIDE, timestamp: DAYS }),
];

const decision = {
  id: "d4096",
  rule: "promotions-to-dream",
  rule_version: 3,
  outcome: "fired",
  signal: { seq: 7, id: UUID, signal: "Q_PROMOTIONS_DETECTED" },
  decided_at: MINUTES,
  values: { where: true },
  effects: ["g.1"],
};
const policy = {
  id: "hot",
  version: 3,
  description: "",
  enabled: true,
  priority: 5,
  when: ["Q_A", "Q_B"],
  rate: { n: 100, per: "1m" },
  then: [{ emit: { signal: "Q_HOT", facts: {} } }, { webhook: { endpoint: "pager" } }],
  expect: { signal: ["Q_COOL"], within: "10m", else: [{ webhook: { endpoint: "e" } }] },
  built_in: true,
  modified: true,
  changed_at: HOURS,
  changed_by: "me",
};
const gap = {
  ...openGap("cpu_bottleneck_gpu_01", 0.93, ["host/gpu-01"]),
  raised_at: HOURS,
  last_seen_at: JUST,
  reason: LONG,
  metadata: {
    metric: "cpu_percent",
    value: 97,
    threshold: 90,
    unit: "percent",
    sample_count: 12,
    reporters: ["host/gpu-01"],
    first_seq: 3,
    last_seq: 40,
  },
};
const deadLetter = (id: string, more: object = {}) => ({
  id,
  kind: "signal",
  signal: { signal: "Q_BUILD" },
  error: LONG,
  daemon: "link/gpu-01",
  attempts: 2,
  first_failed_at: HOURS,
  last_failed_at: MINUTES,
  ...more,
});
const use = {
  input_tokens: 20,
  output_tokens: 500,
  cache_read_tokens: 41_500,
  cache_write_tokens: 1_500,
  cost_usd: 0.02,
  requests: 2,
  api_failures: 1,
  tool_calls: 2,
  tool_failures: 1,
  prompts: 1,
  active_seconds: 0,
};
const session = {
  session: UUID,
  agent: "claude-code",
  source: "team/alice",
  verdict: "waiting",
  since: MINUTES,
  in_words: "waits for a person for 10 min (Bash)",
  tool: "Bash",
  notified: false,
  model: "claude-sonnet-4-5",
  version: null,
  directory: "/srv/shop",
  task: "t-17",
  started_at: HOURS,
  last_seen_at: JUST,
  ended_at: null,
  usage: use,
  context_tokens: 21_508,
  context_share: 0.1075,
  chains: [{ chain: "t-17", usage: use }],
};
const fileWorker = {
  worker: "translate",
  host: "gpu-01",
  complete: 412,
  failed: 3,
  timed_out: 1,
  last_at: MINUTES,
  last_error: LONG,
  running: 2,
  overdue: 1,
};
const endpoint = {
  id: "pager",
  url: "https://example.org/hook/with/a/long/path/to/an/endpoint",
  enabled: true,
  description: null,
  waiting: 2,
  created_at: DAYS,
  last_error: "the endpoint answered 500",
  failing_since: HOURS,
};
const delivery = {
  id: UUID,
  endpoint: "pager",
  type: "Q_HOT",
  state: "waiting",
  attempts: 4,
  accepted_at: HOURS,
  last_status: 500,
  next_attempt_at: ago(-90),
  last_error: "the endpoint answered 500",
};

const rollout = new Rollout();
rollout.set({ share: 50, note: "second stage" }, "ada", NOW_MS - 600_000);
const arms = { live: { successes: 190, errors: 10, latency_ms: [[20, 200]] }, library: { successes: 300 } };
rollout.take(OutcomeReport.parse({ reporter: "r", number: 1, version: 1, ...arms }), NOW_MS - 5_000);

const models = nextSettings(
  ModelSettingsInput.parse({
    version: 0,
    enabled: true,
    daily: { requests: 100, usd: 5 },
    models: [
      {
        kind: "openai",
        name: "small",
        model: "gpt-4.1-mini",
        url: "https://models.example/v1/chat/completions",
        price_in: 0.4,
        price_out: 1.6,
      },
    ],
  }),
  NO_MODELS,
);
const budget = budgetView(
  { ...withSpent({ ...newBudget(NOW_MS), monthly_usd: 20 }, 21.5, NOW_MS).budget, left_out: 7 },
  NOW_MS,
);
const day = {
  day: "2026-11-30",
  from_ms: Date.parse("2026-11-30T00:00:00Z"),
  usage: { ...NO_USAGE, rows_written: 60_000_000, worker_requests: 1_234 },
};
const health = { ...exportHealth(NOTHING_EXPORTED, 7), failing_since: HOURS, last_error: "503 of the receiver" };

const log = {
  head_seq: 123_456,
  oldest_seq: 1_200,
  signals_last_minute: 61,
  subscribers: 4,
  database_bytes: 2_500_000_000,
  limit_bytes: 10_000_000_000,
  dropped_for_size: 0,
  hosts: ["gpu-01"],
  unknown_frames: 0,
};
const status = {
  ecosystem: "default",
  log,
  window: { size: 600, seconds: 600, oldest: null, newest: null },
  gaps: { open: 1 },
  dead_letters: 2,
  dead_letters_per_1000: 0.5,
  over_quota: [],
  policies: { rules: 14, quarantined: ["hot"], unheard: [{ endpoint: "pager", messages: 2 }] },
  projections: { policy: { cursor: 5, foreign_messages: 0, lag: 2, oldest_undelivered_at: MINUTES } },
};
const overview = overviewOf({
  ecosystem: "default",
  atMs: NOW_MS - 1_000,
  items: [item] as never,
  fleet: { hosts: [fleetHost("gpu-01", { since: DAYS, processes: [fleetProcess("coder")] })], total: 1 },
  queues: [queue as never],
  queuesInAll: 1,
  gaps: [openGap("hot", 1)],
  deadLetters: 2,
  log,
  unread: [],
});

/** What the edge answers, by path below `/v1/default/`; a leading `/` is a path of its own. */
export const DOCUMENTS: Readonly<Record<string, unknown>> = {
  ...coordinationDocuments({ ago, HOSTILE, LONG, WIDE }),
  "/readyz": { status: "ready" },
  "/v1/attention": {
    ...attention,
    ecosystems: [{ name: "default", items: 2, worst: "critical", last_active_at: JUST }],
    next: null,
  },
  "/v1/ecosystems": {
    ecosystems: [
      { name: "default", last_active_at: JUST },
      { name: "lab-東京", last_active_at: DAYS },
    ],
  },
  "/v1/tokens": {
    tokens: [
      {
        id: "tok_1",
        name: "gpu-01",
        scopes: ["signals:read", "signals:write", "tasks:work"],
        ecosystems: ["*"],
        hosts: ["gpu-01"],
        expires_at: null,
        created_at: DAYS,
      },
    ],
  },
  "/v1/sessions": {
    sessions: [
      {
        id: "ses_1",
        token: "tok_1",
        token_name: "ops",
        act: true,
        created_at: HOURS,
        used_at: JUST,
        expires_at: ago(-40_000),
      },
    ],
  },
  attention,
  overview,
  status,
  agents: hosts,
  "agents/gpu-01": up,
  monitors: DEFAULT_MONITOR_SETTINGS,
  producers: { producers: [{ producer: "gpu-01/bus/9f2c", last: 4_711, seen_at: JUST }], next: null },
  gaps: { gaps: [gap, { ...gap, name: HOSTILE, reason: "short" }] },
  [`gaps/${gap.fingerprint}/evidence`]: {
    gap,
    metric: "cpu_percent",
    unit: "percent",
    raise: 90,
    clear: 85,
    worse: "above",
    samples: [{ at: MINUTES, value: 97, reporter: "host/gpu-01", seq: 4 }],
    left_out: 2,
    window_seconds: 600,
  },
  scanners: {
    scanners: [
      {
        id: "bottleneck",
        category: "bottleneck",
        enabled: true,
        settings: { depth_above: 100, depth_clear: 80, cpu_percent_above: 95 },
        state: "quarantined",
        failures: 3,
        last_error: LONG,
        retry_at: ago(-60),
        evaluated_at: JUST,
      },
    ],
  },
  maintenance: { enabled: true, since: HOURS, by: "ops", reason: "a move of the rack" },
  observations: {
    window_seconds: 60,
    size: 2,
    oldest: MINUTES,
    newest: JUST,
    observations: [
      {
        ts: JUST,
        zooid_name: HOSTILE,
        niche: "host/gpu",
        ok: true,
        ttr_ms: 12,
        incident_id: null,
        facts: { cpu_percent: 97, text: LONG },
      },
      { ts: MINUTES, zooid_name: WIDE, niche: "host/gpu", ok: false, ttr_ms: null, incident_id: null, facts: {} },
    ],
  },
  "observations/history": {
    metric: "cpu_percent",
    reporter: null,
    step_seconds: 60,
    reporters: ["host/gpu-01"],
    points: [
      { ts: MINUTES, count: 6, mean: 91.2, min: 80, max: 99, p50: 92, p95: 98.5 },
      { ts: ago(540), count: 6, mean: 40, min: 20, max: 60, p50: 41, p95: 59 },
    ],
  },
  "agent-sessions": {
    sessions: [session, { ...session, session: "s-2", verdict: "working", in_words: HOSTILE }],
    total: 2,
    usage: use,
  },
  erasures: {
    erasures: [
      {
        id: "e-1",
        state: "running",
        source_sha256: "ab".repeat(32),
        through_seq: 100,
        searched_seq: 40,
        signals: 3,
        rows: 0,
        part: "log",
        began_at: JUST,
        done_at: null,
      },
    ],
  },
  expectations: {
    expectations: [
      {
        id: "x",
        due: ago(-120),
        rule: "hot",
        signal: ["Q_COOL"],
        by: "gpu-01",
        since: MINUTES,
        cause: { seq: 7, id: UUID, signal: "Q_HOT" },
      },
    ],
    total: 1,
    next: null,
  },
  decisions: {
    decisions: [decision, { ...decision, id: "d2", outcome: "failed", rule: "disk", effects: [], reason: LONG }],
    next: null,
  },
  policies: { policies: [policy, { ...policy, id: "quiet", enabled: false, expect: undefined }] },
  "policies/hot": {
    policy,
    versions: [{ version: 3, changed_at: HOURS, changed_by: "me", after_seq: 41, rule: null }],
  },
  audit: {
    entries: [
      {
        number: 9,
        at: MINUTES,
        by: "ops",
        by_id: "t1",
        method: "PUT",
        operation: "/v1/{eco}/policies/{id}",
        target: `/v1/default/policies/${"long-name-".repeat(6)}`,
        status: 200,
        outcome: "done",
      },
      {
        number: 8,
        at: HOURS,
        by: HOSTILE,
        by_id: "t2",
        method: "DELETE",
        operation: "/v1/{eco}/queues/{q}",
        target: "/v1/default/queues/work",
        status: 409,
        outcome: "refused",
      },
    ],
    next: null,
  },
  "file-workers": { workers: [fileWorker, { ...fileWorker, host: WIDE, last_error: undefined }] },
  workers: { workers: [fileWorker, { ...fileWorker, host: WIDE, last_error: undefined }] },
  "workers/translate": {
    worker: "translate",
    hosts: [{ ...fileWorker, health: "stale", heartbeat_at: HOURS, heartbeat_age_ms: 12_000_000 }],
  },
  "workers/translate/tasks/t1": {
    tasks: [
      {
        worker: "translate",
        task_id: "t1",
        claim: "c",
        status: "running",
        host: "gpu-01",
        attempt: 1,
        started_at: MINUTES,
        due_at: ago(-600),
      },
    ],
  },
  queues: {
    queues: [
      { name: "work", created_at: DAYS },
      { name: "hosts", created_at: DAYS },
    ],
  },
  "queues/work": queue,
  "queues/held": {
    ...queue,
    queue: "held",
    paused: { since: MINUTES, by: "ada", reason: LONG },
    bulk: { id: "b-1", action: "retry", done: 1_200, running: true, by: HOSTILE, started_at: JUST },
  },
  "queues/hosts": { ...queue, queue: "hosts", depth: 0, alerts: [], breakers: [] },
  "queues/work/tasks": {
    tasks: [task, { ...task, task_id: "t-2", status: "queued", worker: undefined, recipient: WIDE }],
    next: null,
  },
  [`queues/work/tasks/${UUID}`]: task,
  "queues/work/finished": {
    tasks: [finished, { ...finished, task_id: "t-2", outcome: "expired", error: HOSTILE }],
    next: null,
  },
  "queues/work/bottlenecks": {
    summary: "coder is busy 80 % of the time",
    slowest: [
      {
        task_id: UUID,
        recipient: "coder",
        type: "BUILD",
        status: "complete",
        ran_ms: 9_000,
        waited_ms: 20,
        attempts: 1,
        finished_at: MINUTES,
      },
    ],
    series: [],
  },
  "queues/work/events": {
    events: [
      {
        at: JUST,
        task_id: UUID,
        recipient: "coder",
        type: "BUILD",
        event: "failed",
        worker: "w-1",
        error: LONG,
        priority: 5,
        duration_ms: 12,
      },
    ],
  },
  "dead-letters": {
    dead_letters: [
      deadLetter("dl-1"),
      deadLetter("dl-2", { kind: "task", task: { type: "BUILD" }, signal: undefined, daemon: HOSTILE, error: "short" }),
    ],
    next: null,
  },
  webhooks: {
    webhooks: [
      endpoint,
      {
        ...endpoint,
        id: "chat",
        enabled: false,
        disabled_reason: "gone",
        failing_since: undefined,
        last_error: undefined,
        waiting: 0,
      },
    ],
  },
  "webhooks/pager/deliveries": { deliveries: [delivery] },
  bridges: {
    bridges: [
      {
        name: "alerts",
        to: "central",
        signals: ["Q_HOT", "Q_HEALTH_*"],
        where: 'facts.host == "gpu-01"',
        enabled: true,
        description: "",
        changed_at: HOURS,
        changed_by: "ops",
        waiting: 3,
      },
    ],
  },
  inbox: {
    sources: [
      {
        name: "github",
        verify: { kind: "github" },
        signal: "Q_PUSH",
        source: "inbox/github",
        path: "/v1/default/inbox/github",
        description: null,
        created_at: DAYS,
        map: {},
      },
    ],
  },
  models: modelsView(models ?? NO_MODELS, { day: "2026-11-30", requests: 3, usd: 0.25 }),
  "intelligence/rollout": rollout.view(NOW_MS),
  "intelligence/health": healthOf(rollout.evidence, NOW_MS),
  usage: { ecosystem: "default", ...accountOf([day], 6e9, "paid", NOW_MS), budget },
  budget,
  "telemetry/export": exportView(
    settingsOf(NewExport.parse({ endpoint: "https://otel.example" }), undefined),
    health as never,
  ),
  "queues/hosts/calls": {
    correlation_id: "c",
    responder: "gpu-01",
    duration_ms: 3,
    result: {
      agents: [
        {
          name: "coder",
          state: "up",
          verdict: "working",
          pid: 4_711,
          uptime_ms: 400_000,
          cpu_percent: 12.5,
          memory_mb: 512,
          restarts: 2,
          task: "t-17",
          detail: null,
          next_wake_at: null,
          desired: "started",
          started_at: HOURS,
          log: "coder.log",
        },
        {
          name: "reviewer",
          state: "gave_up",
          verdict: "dead",
          desired: "started",
          started_at: null,
          log: "reviewer.log",
          pid: null,
          uptime_ms: null,
          cpu_percent: null,
          memory_mb: null,
          restarts: 5,
          task: null,
          detail: LONG,
          next_wake_at: null,
        },
      ],
    },
  },
  signals: { signals, next: null },
  [`signals/${UUID}/lineage`]: {
    signal: signal(7, { id: UUID }),
    causes: [],
    effects: [signal(8, { id: "g.1", cause: UUID, source: HOSTILE, facts: { text: LONG } })],
    truncated: false,
    decisions: [decision],
    dead_letters: [],
    tasks: [],
    deliveries: [],
  },
};

/** Every view, as it is asked for. */
export const VIEWS: readonly (readonly string[])[] = [
  ["attention"],
  ["attention", "--all-ecosystems"],
  ["overview"],
  ["status"],
  ["agents"],
  ["agents", "gpu-01"],
  ["monitors"],
  ["producers"],
  ["gaps"],
  ["gaps", gap.name],
  ["gaps", gap.name, "--samples"],
  ["scanners"],
  ["maintenance"],
  ["observations"],
  ["observations", "--history", "--metric", "cpu_percent"],
  ["observations", "--history", "--metric", "cpu_percent", "--table"],
  ["agent-sessions"],
  ["erase"],
  ["expectations"],
  ["decisions"],
  ["policy", "list"],
  ["policy", "show", "hot", "--versions"],
  ["policy", "packs"],
  ["audit"],
  ["workers"],
  ["workers", "translate"],
  ["task-status", "translate", "t1"],
  ["tasks", "list"],
  ["tasks", "list", "--status", "failed"],
  ["tasks", "finished"],
  ["tasks", "show", UUID],
  ["queues"],
  ["queue", "work"],
  ["queue", "held"],
  ["queue", "set", "work"],
  ["bottlenecks"],
  ["metrics", "--agent", "coder"],
  ["events"],
  ["dlq", "list"],
  ["webhooks", "list"],
  ["webhooks", "deliveries", "pager"],
  ["bridges", "list"],
  ["inbox", "list"],
  ["models", "list"],
  ["rollout", "show"],
  ["rollout", "health"],
  ["usage"],
  ["budget"],
  ["export", "status"],
  ["tokens", "list"],
  ["sessions", "list"],
  ["ecosystem", "list"],
  ["ps", "--host", "gpu-01"],
  ["signals"],
  ["explain", UUID, "--no-hosts"],
  ...COORDINATION_VIEWS,
];
