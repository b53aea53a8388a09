import { describe, expect, test } from "vitest";
import type { EcosystemState, TellingSignals } from "../../../src/core/attention/ecosystem-state.ts";
import { attentionItems, findingsOf, shownItems } from "../../../src/core/attention/items.ts";
import { byUrgency } from "../../../src/core/attention/order.ts";
import { budgetView, newBudget, withSpent } from "../../../src/core/billing/budget.ts";
import {
  AT,
  alert,
  down,
  gap,
  host,
  LATER,
  letter,
  letters,
  process,
  queue,
  quiet,
  webhook,
} from "./state-under-test.ts";

const itemsOf = (state: EcosystemState, signals?: TellingSignals) =>
  attentionItems(findingsOf(state), state.ecosystem, signals);
const found = (state: Partial<EcosystemState>) => itemsOf({ ...quiet, ...state });
const kinds = (state: Partial<EcosystemState>) => found(state).map(({ kind, subject }) => [kind, subject]);

describe("what needs somebody", () => {
  test("is nothing in an ecosystem where everything is well", () => {
    expect(
      found({
        hosts: [host("h", { processes: [process("coder"), process("tester", { state: "stopped", verdict: "dead" })] })],
        scanners: [{ id: "s", state: "failing" }],
        webhooks: [webhook("w"), webhook("off", { enabled: false, failing_since: AT })],
        queues: [queue("jobs")],
        forwardsWaiting: { fleet: 99 },
        undelivered: { policy: null, observations: new Date(quiet.nowMs - 59_000).toISOString() },
      }),
    ).toEqual([]);
  });

  test("comes most urgent first, and of the same urgency what has stood longest", () => {
    const items = found({
      hosts: [
        host("up", { alerts: [{ subject: "disk:/", since: LATER, value: 97, limit: 90 }] }),
        down("gone", { since: LATER }),
      ],
      gaps: [gap("mild", 0.2), gap("hot", 0.9)],
      quarantined: ["loop"],
      queues: [queue("jobs", { alerts: [alert("queue_deep")] })],
      deadLetters: { open: 2, newest: [] },
      forwardsWaiting: { fleet: 100 },
    });
    expect(items.map(({ severity, kind, subject }) => [severity, kind, subject])).toEqual([
      ["critical", "host_down", "gone"],
      ["critical", "rule_quarantined", "loop"],
      ["warning", "gap", "hot"],
      ["warning", "queue_alert", "jobs"],
      ["warning", "host_alert", "up"],
      ["warning", "dead_letters", "2 dead letters"],
      ["warning", "forwards_waiting", "fleet"],
      ["info", "gap", "mild"],
    ]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    for (const item of items) {
      expect(item).toMatchObject({ ecosystem: "e", cause: item.id, effects: [], effects_total: 0 });
      for (const text of [item.what, item.why, item.consequence, item.next_step, item.action?.label])
        expect(text).toMatch(/\w/);
      expect(item.action?.path).toMatch(/^\/v1\/e\//);
    }
  });

  test("is a supervised agent that was given up or hangs, with the command that mends it, and none that runs", () => {
    const processes = [
      process("coder", { state: "gave_up", verdict: "dead", detail: "the process hung (blocked)" }),
      process("tester", { verdict: "hung", task: "t-1" }),
      process("writer"),
    ];
    const [given, hung, ...others] = found({ hosts: [host("h", { processes })] });
    expect(others).toEqual([]);
    expect(given).toMatchObject({ kind: "agent_given_up", severity: "critical", subject: "coder on h" });
    expect(given?.why).toMatch(/the process hung \(blocked\)$/);
    expect(given?.action).toEqual({
      label: "Start coder on h",
      method: "POST",
      path: "/v1/e/queues/hosts/tasks",
      body: { recipient: "h", type: "supervisor.start", payload: { names: ["coder"] }, deadline_ms: 60_000 },
    });
    expect(hung).toMatchObject({ kind: "agent_hung", subject: "tester on h" });
    expect(hung?.action?.label).toBe("Restart tester on h");
  });

  test("is each of the edge's own troubles", () => {
    expect(
      kinds({
        scanners: [{ id: "slow", state: "quarantined", last_error: "boom" }],
        late: [
          { rule: "dream", key: "h", dueMs: Date.parse(AT), reason: "no Q_DREAM_COMPLETE within 2h", origin: "s1" },
        ],
        queues: [queue("calls", { breakers: [breaker("coder")] })],
        webhooks: [
          webhook("chat", { failing_since: AT, last_error: "500" }),
          webhook("old", { disabled_reason: "gone" }),
        ],
        damaged: { rows: 2, first: [] },
        undelivered: { policy: AT },
      }),
    ).toEqual([
      ["projection_lagging", "policy"],
      ["breaker_open", "coder in calls"],
      ["expectation_late", "dream (h)"],
      ["webhook_failing", "chat"],
      ["log_damaged", "log"],
      ["scanner_quarantined", "slow"],
      ["webhook_failing", "old"],
    ]);
  });

  test("is a budget of which 80 % are spent, and more urgently one that is exceeded", () => {
    const budgetOf = (usd: number) => {
      const nowMs = Date.parse(AT);
      return budgetView(withSpent({ ...newBudget(nowMs), monthly_usd: 10 }, usd, nowMs).budget, nowMs);
    };
    expect(found({ budget: budgetOf(7.99) })).toEqual([]);
    expect(found({ budget: budgetOf(8) })).toMatchObject([
      { kind: "budget", severity: "warning", why: "$8.00 of the month's $10 are spent (80 %)" },
    ]);
    expect(found({ budget: budgetOf(11) })).toMatchObject([
      { severity: "critical", consequence: "one of 10 observations is taken, 0 were left out" },
    ]);
  });

  test("is the day's budget for models from 80 % of its questions or dollars on, and none that is switched off", () => {
    const models = [{ kind: "workers-ai", name: "m", model: "m", price_in: 1, price_out: 1, max_tokens: 1 }] as const;
    const budget = (requests: number, usd: number, enabled = true) =>
      found({
        models: { enabled, models, daily: { requests: 100, usd: 2 }, spent: { day: "2026-01-01", requests, usd } },
      }).map(({ kind, severity, subject }) => [kind, severity, subject]);
    expect(budget(79, 1.59)).toEqual([]);
    expect(budget(80, 0)).toEqual([["budget", "warning", "models"]]);
    expect(budget(0, 2)).toEqual([["budget", "critical", "models"]]);
    expect(budget(100, 2, false)).toEqual([]);
    const none = { enabled: true, models, daily: { requests: 0, usd: 0 }, spent: { day: "d", requests: 0, usd: 0 } };
    expect(found({ models: none })).toEqual([]);
  });

  test("knows since when, and which chain shows it, by the newest signal that tells of it", () => {
    const hosts = [down("gone"), host("h", { processes: [process("coder", { state: "gave_up" })] })];
    const told = (id: string, signal: string, facts: Record<string, unknown>) => ({
      id,
      signal,
      facts,
      timestamp: LATER,
    });
    const items = itemsOf({ ...quiet, hosts, queues: [queue("jobs", { alerts: [alert("queue_deep")] })] }, [
      told("s4", "Q_PROCESS_GAVE_UP", { host: "h", agent: "coder" }),
      told("s3", "Q_QUEUE_ALERT", { queue: "jobs", rule: "queue_deep", subject: "queue", state: "resolved" }),
      told("s2", "Q_AGENT_DOWN", { host: "gone" }),
      told("s1", "Q_AGENT_DOWN", { host: "gone" }),
    ]);
    expect(items.map(({ kind, since, chain }) => [kind, since, chain])).toEqual([
      ["host_down", AT, "s2"],
      ["agent_given_up", LATER, "s4"],
      ["queue_alert", AT, null],
    ]);
  });

  test("of several ecosystems is ordered as that of one is", () => {
    const lost = (ecosystem: string, since: string) => itemsOf({ ...quiet, ecosystem, hosts: [down("h", { since })] });
    const one = found({ deadLetters: { open: 1, newest: [] } });
    const all = [...lost("b", LATER), ...one, ...lost("a", AT), ...lost("a", LATER)];
    expect(all.sort(byUrgency).map(({ ecosystem, since }) => [ecosystem, since])).toEqual([
      ["a", AT],
      ["a", LATER],
      ["b", LATER],
      ["e", null],
    ]);
  });

  test("is bounded in one document, with a count of what was left out", () => {
    const items = found({ quarantined: Array.from({ length: 1_000 }, (_, place) => `r${place}`) });
    const { items: shown, ...counts } = shownItems(items);
    expect([shown.length, counts]).toEqual([200, { total: 1_000, critical: 1_000, left_out: 800 }]);
  });
});

const breaker = (recipient: string) => ({
  recipient,
  state: "open" as const,
  reason: "5 calls in a row failed",
  since: AT,
  next_probe_at: LATER,
  failed_probes: 0,
});

describe("what follows from one cause", () => {
  const busy = [process("coder"), process("tester", { state: "gave_up" })];

  test("of a host that is down is folded into the row of the host", () => {
    const [row, ...others] = found({
      hosts: [
        down("gone", { processes: busy, alerts: [{ subject: "load", since: AT, value: 9, limit: 4 }] }),
        host("here", { processes: [process("writer")] }),
      ],
      gaps: [gap("a", 0.9, ["host/gone"]), gap("b", 0.9, ["gone/app", "metrics/gone"])],
      late: [{ rule: "dream", key: "gone", dueMs: 0, reason: "", origin: "s" }],
      queues: [
        queue("jobs", {
          alerts: [alert("queue_deep"), alert("p95_slow", "coder/BUILD")],
          by_recipient: { coder: { queued: 3 }, gone: { queued: 1 }, writer: { queued: 0 } },
          breakers: [breaker("coder")],
        }),
      ],
      deadLetters: letters(
        letter("1", { kind: "task", queue: "jobs", recipient: "coder" }),
        letter("2", { kind: "intent", host: "gone" }),
      ),
    });
    expect(others).toEqual([]);
    expect(row).toMatchObject({ id: "host_down/gone", severity: "critical", effects_total: 10 });
    expect(row?.effects).toContain("tester on gone was given up");
    expect(row?.effects).toContain("the rule dream waited in vain for gone");
  });

  test("stays apart where somebody else can do the work, or the evidence comes from other hosts too", () => {
    expect(
      kinds({
        hosts: [down("gone", { processes: busy }), host("here", { processes: busy })],
        gaps: [gap("a", 0.9, ["host/gone", "host/here"]), gap("b", 0.9)],
        queues: [queue("jobs", { alerts: [alert("queue_deep")], by_recipient: { coder: { queued: 3 } } })],
      }),
    ).toEqual([
      ["host_down", "gone"],
      ["agent_given_up", "tester on here"],
      ["gap", "a"],
      ["gap", "b"],
      ["queue_alert", "jobs"],
    ]);
  });

  test("of a supervised agent that hangs is the queue that waits for it", () => {
    const [row, ...others] = found({
      hosts: [host("h", { processes: [process("coder", { verdict: "hung" })] })],
      queues: [queue("jobs", { alerts: [alert("queue_deep")], by_recipient: { coder: { queued: 3 } } })],
    });
    expect([row?.kind, row?.effects, others]).toEqual(["agent_hung", ["too many tasks wait in the queue jobs"], []]);
  });

  test("of a slow queue are its other alerts", () => {
    const alerts = [alert("queue_deep"), alert("task_slow", "coder/BUILD"), alert("p95_slow", "coder/BUILD", LATER)];
    const [row, ...others] = found({ queues: [queue("jobs", { alerts, by_recipient: { coder: { queued: 3 } } })] });
    expect(others).toEqual([]);
    expect(row).toMatchObject({ id: "queue_alert/jobs/p95_slow/coder/BUILD", effects_total: 2 });
  });

  test("of a queue that is paused for long are its alerts, and a short pause needs nobody", () => {
    const paused = (since: string) =>
      queue("jobs", {
        alerts: [alert("queue_deep")],
        paused: { since, by: "ada", reason: "the model is down" },
        by_recipient: { coder: { queued: 3 } },
      });
    const [row, ...others] = found({ queues: [paused(AT)], nowMs: Date.parse(AT) + 15 * 60_000 });
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      kind: "queue_paused",
      why: "ada paused it: the model is down",
      consequence: "3 tasks wait, and nobody is given any",
      next_step: "ganglion queue resume jobs",
      effects_total: 1,
    });
    const short = found({ queues: [paused(AT)], nowMs: Date.parse(AT) + 60_000 });
    expect(short.map(({ kind }) => kind)).toEqual(["queue_alert"]);
  });

  test("of an agent that was given up is its late mail, and late mail of another is a row of its own", () => {
    const late = (recipient: string) => ({ recipient, undelivered: 2, unread: 2, since: AT });
    const [row, other] = found({
      hosts: [host("h", { processes: [process("coder", { state: "gave_up", verdict: "dead" })] })],
      queues: [queue("mail", { late_mail: [late("coder"), { ...late("tester"), undelivered: 0, unread: 1 }] })],
    });
    expect(row).toMatchObject({ kind: "agent_given_up", effects: ["mail of coder is not delivered in its time"] });
    expect(other).toMatchObject({
      id: "mail_late/tester",
      why: "1 message was not read in the time that the sender gave",
      next_step: "ganglion mail list --to tester",
    });
  });

  test("of no host with room are tasks that have waited for one for five minutes, one row for a recipient", () => {
    const line = (recipient: string, task_id: string, tasks: number) => {
      const why = "no host has 8,000 MB of free GPU memory: gpu-01 1,200 MB";
      return { recipient, task_id, tasks, since: AT, why };
    };
    const unplaced = [line("trainer", "t1", 3), line("trainer", "t2", 2), line("coder", "c1", 1)];
    const foundAfter = (ms: number) => found({ queues: [queue("jobs", { unplaced })], nowMs: Date.parse(AT) + ms });
    expect(foundAfter(299_999)).toEqual([]);
    expect(foundAfter(300_000)).toMatchObject([
      {
        id: "tasks_unplaced/jobs/coder",
        why: "no host has 8,000 MB of free GPU memory: gpu-01 1,200 MB",
        consequence: "1 task waits, and nobody is given any",
      },
      {
        id: "tasks_unplaced/jobs/trainer",
        consequence: "5 tasks wait, and nobody is given any",
        next_step: "ganglion tasks show t1 --queue jobs",
      },
    ]);
  });

  test("of a webhook that fails are its dead letters, and of dead letters of a queue the alert that tasks fail", () => {
    const items = found({
      webhooks: [webhook("chat", { failing_since: AT })],
      queues: [queue("jobs", { alerts: [alert("tasks_failing")] })],
      deadLetters: letters(
        letter("1", { kind: "webhook", endpoint: "chat", daemon: "ganglion/webhooks/chat" }),
        letter("2", { kind: "task", queue: "jobs", recipient: "coder", error: "poison", cause: "s9" }),
        letter("3", { kind: "task", queue: "jobs", recipient: "tester", firstFailedAt: LATER }),
      ),
    });
    expect(items.map(({ id, effects }) => [id, effects])).toEqual([
      ["dead_letters/task/jobs", ["tasks fail in the queue jobs"]],
      ["webhook_failing/chat", ["1 dead letter of the webhook chat"]],
    ]);
    expect(items[0]).toMatchObject({ subject: "2 dead letters", since: AT, chain: "s9" });
    expect(items[0]?.why).toMatch(/: poison$/);
    expect(items[0]?.action?.body).toMatchObject({ dry_run: true });
  });

  test("counts dead letters beyond those that were looked at, in the row of the newest", () => {
    const [row, ...others] = found({ deadLetters: { open: 70, newest: [letter("1")] } });
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      id: "dead_letters/signal/test",
      effects: ["69 dead letters more could not be processed"],
    });
  });

  test("is bounded, with a count of all", () => {
    const processes = Array.from({ length: 256 }, (_, place) => process(`p${place}`, { state: "gave_up" }));
    const [row] = found({ hosts: [down("gone", { processes })] });
    expect([row?.effects.length, row?.effects_total]).toEqual([20, 256]);
  });
});

describe("a session of an agent", () => {
  const session = {
    session: "s-1",
    agent: "claude-code",
    source: "sessions/gpu-01",
    verdict: "waiting",
    since: "2026-01-01T00:00:00.000Z",
    tool: "Bash",
    directory: "/srv/shop",
  } as const;

  test("that waits for a person is a warning, and one that is frozen is critical, with the signal that told of it", () => {
    const frozen = { ...session, session: "s-2", verdict: "frozen" } as const;
    const signals = [
      { id: "w", signal: "Q_SESSION_WAITING", facts: { agent: "claude-code", session: "s-1" }, timestamp: LATER },
      { id: "f", signal: "Q_SESSION_FROZEN", facts: { agent: "claude-code", session: "s-2" }, timestamp: LATER },
    ];
    expect(itemsOf({ ...quiet, sessions: [session, frozen] }, signals)).toMatchObject([
      { id: "session_frozen/claude-code/s-2", severity: "critical", chain: "f" },
      {
        id: "session_waiting/claude-code/s-1",
        severity: "warning",
        chain: "w",
        why: "the session s-1 in /srv/shop asks whether it may use Bash",
        next_step: "ganglion agent-sessions s-1",
      },
    ]);
  });

  test("of a host that is down is no row of its own", () => {
    const frozen = { ...session, verdict: "frozen" } as const;
    const items = itemsOf({ ...quiet, hosts: [down("gpu-01")], sessions: [frozen] });
    expect(items).toMatchObject([{ id: "host_down/gpu-01", effects: ["a session of claude-code is frozen"] }]);
  });
});

describe("a bad day", () => {
  const gone = down("gpu-02", { since: "2026-01-01T00:01:00.000Z", processes: [process("trainer")] });
  const ill = host("gpu-01", {
    processes: [process("coder", { state: "gave_up", verdict: "dead" }), process("writer")],
  });
  const troubles = {
    slowQueue: queue("build", {
      alerts: [alert("p95_slow", "builder/BUILD", "2026-01-01T00:03:00.000Z"), alert("queue_deep")],
      by_recipient: { builder: { queued: 9 } },
    }),
    stuckQueue: queue("training", { alerts: [alert("queue_deep")], by_recipient: { trainer: { queued: 200 } } }),
    webhook: webhook("chat", { failing_since: "2026-01-01T00:04:00.000Z" }),
    poison: letter("1", {
      kind: "task",
      queue: "work",
      recipient: "writer",
      firstFailedAt: "2026-01-01T00:05:00.000Z",
    }),
  };
  const day: EcosystemState = {
    ...quiet,
    hosts: [gone, ill],
    gaps: [gap("gpu_idle", 0.9, ["host/gpu-02"])],
    queues: [troubles.slowQueue, troubles.stuckQueue, queue("work", { alerts: [alert("tasks_failing")] })],
    webhooks: [troubles.webhook],
    deadLetters: letters(troubles.poison),
  };
  const signals = [
    {
      id: "s",
      signal: "Q_PROCESS_GAVE_UP",
      facts: { host: "gpu-01", agent: "coder" },
      timestamp: "2026-01-01T00:02:00.000Z",
    },
  ];
  const causes = (state: EcosystemState) => itemsOf(state, signals).map(({ id }) => id);

  test("has five causes, and nothing else, in the order of their urgency", () => {
    expect(causes(day)).toEqual([
      "host_down/gpu-02",
      "agent_given_up/gpu-01/coder",
      "queue_alert/build/p95_slow/builder/BUILD",
      "webhook_failing/chat",
      "dead_letters/task/work",
    ]);
  });

  test("loses each cause as it is mended, with what followed from it", () => {
    const [down, hung, slow, failing, poison] = causes(day);
    const [build, , work] = day.queues;
    const queues = [build, work].filter((one) => one !== undefined);
    const back = { ...day, hosts: [host("gpu-02"), ill], gaps: [], queues };
    expect(causes(back)).toEqual([hung, slow, failing, poison]);
    expect(causes({ ...back, hosts: [] })).toEqual([slow, failing, poison]);
    const fast = { ...back, hosts: [], queues: [] };
    expect(causes(fast)).toEqual([failing, poison]);
    expect(causes({ ...fast, webhooks: [webhook("chat")] })).toEqual([poison]);
    expect(causes({ ...fast, webhooks: [], deadLetters: letters() })).toEqual([]);
    expect(down).toBe("host_down/gpu-02");
  });
});
