import { describe, expect, it } from "vitest";
import { drawChain } from "../../../cli/commands/lineage/chain-tree.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { type Answer, type Received, startEdge as startFakeEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const signal = (seq: number, name: string, id: string, cause: string | undefined, afterMs: number): Signal => ({
  seq,
  id,
  signal: name,
  source: "gpu-01",
  ecosystem: "default",
  facts: { n: seq },
  timestamp: "2026-01-31T12:00:00.000Z",
  received_at: new Date(Date.UTC(2026, 0, 31, 12) + afterMs).toISOString(),
  ...(cause === undefined ? {} : { cause }),
});
const found = signal(1, "Q_PROMOTIONS_DETECTED", "found", undefined, 0);
const trigger = signal(2, "Q_DREAM_TRIGGER", "g.1", "found", 12);
const done = signal(3, "Q_DREAM_COMPLETE", "done", "g.1", 125_000);
const aside = signal(4, "Q_HEALTH_ALERT", "aside", "found", 3_700_000);
const decision = {
  id: "d4096",
  rule: "promotions-to-dream",
  rule_version: 3,
  outcome: "fired" as const,
  signal: { seq: 1, id: "found", signal: found.signal },
  decided_at: found.received_at,
  values: { where: true },
  effects: ["g.1"],
};
const letter = {
  id: "policy.3",
  kind: "signal" as const,
  signal: done,
  error: "it\u001b[2J failed",
  daemon: "ganglion/policy",
  attempts: 1,
  first_failed_at: done.received_at,
  last_failed_at: done.received_at,
};
const whole: Lineage = {
  signal: found,
  causes: [],
  effects: [trigger, done, aside],
  truncated: false,
  decisions: [decision],
  dead_letters: [letter],
  tasks: [],
  deliveries: [],
};

/** An edge without hosts. */
const startEdge = (answer: (request: Received) => Answer) =>
  startFakeEdge((request) => {
    const { pathname } = request.url;
    if (pathname.endsWith("/agents")) return [200, { agents: [] }];
    return pathname.endsWith("/policies") ? [200, { policies: [] }] : answer(request);
  });

describe("ganglion explain", () => {
  it("shows which hosts received a signal, and which of their reactions ran", async () => {
    const host = (name: string, state: "up" | "down") => ({
      host: name,
      state,
      since: found.timestamp,
      reason: "linked",
      last_seen: found.timestamp,
      links: 1,
      version: "0.1.0",
      runs: null,
      alerts: [],
      failing: {},
      facts: null,
    });
    const traced = {
      host: "gpu-01",
      signals: [
        {
          id: "g.1",
          received_for: ["bus", "reactions"],
          reactions: [
            { reaction: "dream", state: "done", attempts: 1 },
            { reaction: "notify", state: "failed", attempts: 3, error: "status 1" },
          ],
        },
      ],
    };
    const refused = { type: "/problems/no-responder", title: "No responder is connected", status: 503 };
    const edge = await startFakeEdge(({ url: { pathname }, body }) => {
      if (pathname.endsWith("/agents"))
        return [200, { agents: [host("gpu-01", "up"), host("gpu-02", "up"), host("gpu-03", "down")] }];
      if (pathname.endsWith("/policies")) return [200, { policies: [] }];
      if (!pathname.endsWith("/queues/hosts/calls")) return [200, whole];
      const { recipient } = body as { recipient: string };
      if (recipient !== "gpu-01") return [503, refused];
      return [200, { correlation_id: "c", result: traced, responder: recipient, duration_ms: 1 }];
    });
    const { code, out, err } = await ganglion(["explain", "found", "--url", edge.url]);
    expect(code).toBe(0);
    expect(err).toMatch(/^gpu-02: not asked for receipts: .*No responder is connected/);
    expect(out).toContain(
      [
        '│  └─ Q_DREAM_TRIGGER  +12 ms  gpu-01  g.1  {"n":2}',
        "│     ├─ host gpu-01 received it for bus, reactions",
        "│     │  ├─ reaction dream done, attempt 1",
        "│     │  └─ reaction notify failed, attempt 3: status 1",
        "│     └─ Q_DREAM_COMPLETE",
      ].join("\n"),
    );
    const asked = edge.received.find(({ url }) => url.pathname.endsWith("/calls"))?.body;
    expect(asked).toMatchObject({
      type: "signal.trace",
      payload: { signals: expect.arrayContaining([{ id: "g.1", seq: 2, signal: "Q_DREAM_TRIGGER" }]) },
    });
    const json = await ganglion(["explain", "found", "--json", "--url", edge.url]);
    expect(JSON.parse(json.out)).toMatchObject({ signal: { id: "found" }, hosts: [traced] });
  });

  it("asks no host with --no-hosts", async () => {
    const edge = await startFakeEdge(({ url }) => [200, url.pathname.endsWith("/policies") ? { policies: [] } : whole]);
    expect(await ganglion(["explain", "found", "--no-hosts", "--url", edge.url])).toMatchObject({ code: 0, err: "" });
    expect(edge.received.map(({ url }) => url.pathname)).toEqual([
      "/v1/default/signals/found/lineage",
      "/v1/default/policies",
    ]);
  });

  it("prints the whole chain from its first cause, whichever signal of it is asked about", async () => {
    const own: Lineage = { ...whole, signal: done, causes: [found, trigger], effects: [] };
    const edge = await startEdge(({ url }) => [200, url.pathname.includes("/done/") ? own : whole]);
    const { code, out, err } = await ganglion(["explain", "done", "--url", edge.url]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toBe(
      [
        'Q_PROMOTIONS_DETECTED  2026-01-31T12:00:00.000Z  gpu-01  found  {"n":1}',
        '├─ rule promotions-to-dream v3 fired  2026-01-31T12:00:00.000Z  {"where":true}',
        '│  └─ Q_DREAM_TRIGGER  +12 ms  gpu-01  g.1  {"n":2}',
        '│     └─ Q_DREAM_COMPLETE  +2 min 5 s  gpu-01  done  {"n":3}  ◀ asked',
        "│        └─ dead letter policy.3 (signal, 1 attempt): it\\u001b[2J failed",
        '└─ Q_HEALTH_ALERT  +1 h 1 min  gpu-01  aside  {"n":4}',
        "",
      ].join("\n"),
    );
    expect(edge.received.map(({ url }) => url.pathname)).toEqual([
      "/v1/default/signals/done/lineage",
      "/v1/default/signals/found/lineage",
      "/v1/default/agents",
      "/v1/default/policies",
    ]);
  });

  it("says of a dead letter that it was replayed", async () => {
    const replayed = { replayed_at: "2026-01-31T13:00:00.000Z", replay_outcome: "replayed" };
    const failed = { replayed_at: "2026-01-31T13:00:00.000Z", replay_outcome: "it failed again" };
    const letters = [
      { ...letter, id: "a", ...replayed },
      { ...letter, id: "b", ...failed },
    ];
    const edge = await startEdge(() => [200, { ...whole, dead_letters: letters }]);
    const { out } = await ganglion(["explain", "found", "--url", edge.url]);
    expect(out).toContain("dead letter a (signal, 1 attempt, replayed 2026-01-31T13:00:00.000Z)");
    expect(out).toContain("dead letter b (signal, 1 attempt):");
  });

  it("gives programs the document, and says what is missing", async () => {
    const edge = await startEdge(() => [200, { ...whole, missing_cause: "gone", truncated: true }]);
    const { out } = await ganglion(["explain", "found", "--json", "--url", edge.url]);
    expect(JSON.parse(out)).toMatchObject({ signal: { id: "found" }, missing_cause: "gone" });
    const { err } = await ganglion(["explain", "found", "--url", edge.url]);
    expect(err).toMatch(/names gone as its cause.*\n.*the chain is longer/);
  });

  it("shows causes that go round once each", () => {
    const signals = [signal(1, "A", "a", "b", 0), signal(2, "B", "b", "a", 1)];
    const chain = {
      counted: new Map(),
      signals,
      tasks: [],
      deliveries: [],
      forwards: [],
      hosts: [],
      decisions: [],
      dead_letters: [],
      asked: "a",
      missing_cause: undefined,
      truncated: false,
    };
    expect(drawChain(chain).map((line) => line.trim().split(" ")[0])).toEqual(["A", "└─"]);
  });

  it("shows what became of tasks, and what a model chose", async () => {
    const asked = {
      model: "small",
      prompt: "p",
      choices: ["a", "b"],
      state: "answered" as const,
      choice: "a",
      reason: "it is so",
      cost_usd: 0.0012,
    };
    const ended = {
      ...signal(5, "Q_TASK_COMPLETE", "q.1", "found", 30),
      source: "ganglion/queue/work",
      facts: { queue: "work", task_id: "t1" },
    };
    const behind = signal(6, "Q_CLEANED", "cleaned", "q.1", 40);
    const sent = { endpoint: "alerts", cause: "found", rule: decision.rule };
    const own: Lineage = {
      signal: found,
      causes: [],
      effects: [ended, behind],
      dead_letters: [],
      truncated: false,
      tasks: [
        {
          queue: "work",
          task_id: "t1",
          cause: "found",
          rule: decision.rule,
          status: "complete",
          worker: "w",
          attempt: 2,
        },
        { queue: "work", task_id: "t2", cause: "found", rule: decision.rule, status: "unknown" },
        { queue: "own", task_id: "t3", cause: "found", status: "queued", attempt: 0 },
        {
          queue: "own",
          task_id: "t4",
          cause: "found",
          status: "verifying",
          attempt: 1,
          accept: { reviewer: "ops" },
          verifying: { since: found.timestamp, worker: "w", why: "waits for ops to accept or refuse it" },
        },
        {
          queue: "own",
          task_id: "t5",
          cause: "found",
          status: "queued",
          attempt: 0,
          parked_reason: "the limit api is closed: usage limit",
        },
      ],
      deliveries: [
        { ...sent, delivery_id: "w1", state: "failed", attempts: 12, last_status: 500, last_error: "it answered 500" },
        { ...sent, delivery_id: "w2", state: "delivered", attempts: 1, last_status: 204 },
      ],
      decisions: [
        {
          ...decision,
          effects: ["t1", "t2", "w1", "w2"],
          asked,
          deliveries: [
            { delivery_id: "w1", endpoint: "alerts" },
            { delivery_id: "w2", endpoint: "alerts" },
          ],
          tasks: [
            { task_id: "t1", queue: "work" },
            { task_id: "t2", queue: "work" },
          ],
        },
      ],
    };
    const edge = await startEdge(() => [200, own]);
    const { out } = await ganglion(["explain", "found", "--url", edge.url]);
    expect(out).toContain("model small chose a: it is so  $0.0012");
    expect(out).toContain(
      [
        "│  ├─ task t1 in work: complete by w, attempt 2",
        '│  │  └─ Q_TASK_COMPLETE  +30 ms  ganglion/queue/work  q.1  {"queue":"work","task_id":"t1"}',
        '│  │     └─ Q_CLEANED  +40 ms  gpu-01  cleaned  {"n":6}',
        "│  ├─ task t2 in work: no longer known",
        "│  ├─ webhook alerts: given up, 12 attempts, status 500, it answered 500  w1",
        "│  └─ webhook alerts: delivered, 1 attempt, status 204  w2",
        "├─ task t3 in own: queued, attempt 0",
        "├─ task t4 in own: verifying, attempt 1: waits for ops to accept or refuse it",
        "└─ task t5 in own: queued, attempt 0: the limit api is closed: usage limit",
      ].join("\n"),
    );
  });

  const task = {
    task_id: "user/7",
    recipient: "coder",
    type: "BUILD",
    sender: null,
    priority: 5,
    attempt: 1,
    max_attempts: 3,
    created_at: found.received_at,
    timeout_ms: null,
    deadline_at: null,
    status: "failed",
    error: "no room",
    waited_ms: 1,
    ran_ms: 2,
    history: [],
    payload: {},
    cause: "found",
  };
  const delivery = {
    id: "del-1",
    type: "Q_HOT",
    state: "waiting",
    attempts: 2,
    accepted_at: found.received_at,
    cause: "found",
    endpoint: "pager",
    last_error: "the endpoint answered 500",
  };
  const gapFound = {
    name: "hot",
    category: "c",
    type: "t",
    reason: "97 %",
    alignment_score: 1,
    install_cost: 0,
    metadata: {},
    status: "open",
    raised_at: found.received_at,
    last_seen_at: found.received_at,
    fingerprint: "f00d",
    signal_id: "found",
  };
  const everything: Readonly<Record<string, unknown>> = {
    "signals/found/lineage": whole,
    signals: { signals: [found], next: null },
    gaps: { gaps: [gapFound] },
    queues: { queues: [{ name: "work", created_at: "x" }] },
    "queues/work/tasks/user%2F7": task,
    webhooks: {
      webhooks: [{ id: "pager", url: "https://e", enabled: true, description: null, created_at: "x", waiting: 0 }],
    },
    "webhooks/pager/deliveries": { deliveries: [delivery] },
    "dead-letters/policy.3": { ...letter, signal: found },
    decisions: { decisions: [decision], next: null },
  };

  it.each([
    ["a sequence number", "1", ""],
    ["a task", "user/7", "task user/7 in work for coder (BUILD, failed): no room\n"],
    ["a delivery", "del-1", "delivery del-1 to pager (waiting): the endpoint answered 500\n"],
    ["a dead letter", "policy.3", "dead letter policy.3 (signal, ganglion/policy): it\\u001b[2J failed\n"],
    ["a gap by its name", "hot", "gap hot (open): 97 %\n"],
    ["a gap by its fingerprint", "f00d", "gap hot (open): 97 %\n"],
    ["a decision", "d4096", "decision d4096 of promotions-to-dream v3 (fired)\n"],
  ])("finds %s, and shows the chain of the signal that led to it", async (_what, id, about) => {
    const edge = await startEdge(({ url }) => {
      const path = url.pathname.replace("/v1/default/", "");
      return path in everything ? [200, everything[path]] : [404, { title: "Not found", status: 404 }];
    });
    const { code, out, err } = await ganglion(["explain", id, "--no-hosts", "--url", edge.url]);
    expect([code, err]).toEqual([0, about]);
    expect(out).toMatch(/^Q_PROMOTIONS_DETECTED .*found.*◀ asked/);
  });

  it.each([
    ["nothing", /Nothing is called "nothing": no signal, task, delivery, dead letter, gap or decision/],
    ["99", /The log holds no signal 99: see `ganglion status`/],
  ])("says what was searched where there is no %s", async (id, message) => {
    const edge = await startEdge(({ url }) => {
      const path = url.pathname.replace("/v1/default/", "");
      return path in everything ? [200, everything[path]] : [404, { title: "Not found", status: 404 }];
    });
    const { code, err } = await ganglion(["explain", id, "--url", edge.url]);
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
  });

  it("shows all the signals that a rule with at_least had counted", async () => {
    const rule = {
      id: "promotions-to-dream",
      version: 3,
      description: "",
      enabled: true,
      priority: 5,
      when: ["Q_PROMOTIONS_DETECTED"],
      rate: { n: 100, per: "1m" },
      at_least: { n: 3, within: "10m" },
      then: [{ emit: { signal: "Q_X", facts: {} } }],
      built_in: false,
      modified: false,
      changed_at: found.received_at,
      changed_by: "me",
    };
    const third = { ...found, seq: 30, id: "third" };
    const before = [
      signal(10, found.signal, "first", undefined, -300_000),
      signal(20, found.signal, "second", undefined, -1_000),
    ];
    const own = {
      ...whole,
      signal: third,
      effects: [],
      dead_letters: [],
      decisions: [{ ...decision, signal: { seq: 30, id: "third", signal: third.signal } }],
    };
    const edge = await startFakeEdge(({ url }) => {
      if (url.pathname.endsWith("/policies")) return [200, { policies: [rule] }];
      return [200, url.pathname.endsWith("/signals") ? { signals: [...before, third], next: null } : own];
    });
    const { out } = await ganglion(["explain", "third", "--no-hosts", "--url", edge.url]);
    expect(out).toMatch(/counted 3 signals\n.* first .*\n.* second .*\n.* third .*\(this signal\)/);
  });
});
