import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { EdgeApi } from "./edge-api.ts";

/** What the test has to know of a recorded state. */
export interface Recorded {
  readonly commit?: string;
  readonly host?: string;
  readonly recorded_at: string;
  readonly administrator_token: string;
  /** Of a token that may read signals and do nothing else. */
  readonly reader_token: string;
  readonly head_seq: number;
}

/** Signals by which the log closes a zone: one for every 256 segments. */
const FILLERS = 300;

/** Fills an edge, and a host that is linked to it, with something of everything. */
export class Scene {
  readonly #api: EdgeApi;
  #readerToken = "";

  constructor(api: EdgeApi) {
    this.#api = api;
  }

  async setUp(receiver: string): Promise<void> {
    const put = (path: string, body: unknown) => this.#api.call("PUT", `/v1/default${path}`, body);
    const patch = (path: string, body: unknown) => this.#api.call("PATCH", `/v1/default${path}`, body);
    await this.#api.until("/v1/default/agents", "agents", (agents) => agents.length === 1);
    const reader = { name: "reader", scopes: ["signals:read"], ecosystems: ["default"] };
    this.#readerToken = String((await this.#api.call("POST", "/v1/tokens", reader)).token);
    await put("/monitors", { agent_grace_seconds: 77 });
    await put("/models", {
      enabled: false,
      models: [
        { kind: "openai", name: "small", model: "m", url: "http://127.0.0.1:9/v1/chat", api_key: "recorded-key" },
      ],
      daily: { requests: 12, usd: 3 },
    });
    await patch("/observations/settings", { window_seconds: 123 });
    await patch("/scanners/resource_utilization", { settings: { cpu_percent_above: 91 } });
    await put("/webhooks/receiver", { url: `${receiver}/ok`, description: "takes everything" });
    await put("/webhooks/gone", { url: `${receiver}/gone` });
    for (const rule of RULES) await put(`/policies/${rule.id}`, rule);
    await put("/policies/recorded-count", { ...RULES[0], description: "the second version" });
    await patch("/policies/promotions-to-dream", { enabled: false });
    await this.#api.call("DELETE", "/v1/default/policies/recorded-deleted");
  }

  async emitSignals(): Promise<void> {
    const emit = (signal: unknown) => this.#api.call("POST", "/v1/default/signals", signal);
    await emit({ signal: "Q_FIRST", source: "recorder", id: "outside-1", facts: { n: 1 } });
    await emit({ signal: "Q_EFFECT", source: "recorder", id: "outside-2", cause: "outside-1", facts: { n: 2 } });
    for (let n = 0; n < FILLERS; n += 1)
      await emit({ signal: "Q_FILLER", source: "recorder", id: `filler-${n}`, facts: { n } });
    await emit([1, 2].map((n) => ({ signal: "Q_RECORDED", source: "recorder", facts: { n, by: "batch" } })));
    await emit({ signal: "Q_RECORDED_START", source: "recorder", id: "started", facts: { job: "a" } });
    await emit({ signal: "Q_RECORDED_HOOK", source: "recorder", facts: {} });
    await this.#deliveries("receiver", "delivered");
    await emit({ signal: "Q_RECORDED_GONE", source: "recorder", facts: {} });
    await this.#api.until("/v1/default/dead-letters", "dead_letters", (all) =>
      all.some(({ kind }) => kind === "webhook"),
    );
  }

  async #deliveries(endpoint: string, state: string): Promise<void> {
    const path = `/v1/default/webhooks/${endpoint}/deliveries`;
    await this.#api.until(path, "deliveries", (all) => all.some((each) => each.state === state));
  }

  /** One gap that stays open and one that was resolved. */
  async openGaps(): Promise<void> {
    const observe = (count: number, zooid: string, cpu: number) =>
      this.#api.call(
        "POST",
        "/v1/default/signals",
        Array.from({ length: count }, () => ({
          signal: "OBSERVATION",
          source: zooid,
          facts: { zooid, cpu_percent: cpu },
        })),
      );
    await observe(10, "busy", 97);
    await observe(10, "calm", 97);
    await this.#api.until("/v1/default/gaps?status=open", "gaps", (gaps) => gaps.length === 2);
    await observe(40, "calm", 5);
    await this.#api.until("/v1/default/gaps?status=resolved", "gaps", (gaps) => gaps.length === 1);
    await this.#api.until("/v1/default/decisions?rule=gap-to-investigation", "decisions", (all) => all.length >= 2);
  }

  /** Tasks that wait, that are over, and that failed; a lease is taken last of all, in {@link finish}. */
  async runTasks(): Promise<void> {
    const queue = "/v1/default/queues/work";
    const task = (task_id: string, more: object = {}) => ({
      task_id,
      recipient: "worker",
      type: "DO",
      payload: { task_id },
      ...more,
    });
    const put = (tasks: readonly object[]) => this.#api.call("POST", `${queue}/tasks`, tasks);
    await put([task("first", { cause: "outside-1", depth: 1 }), task("second", { max_attempts: 1 })]);
    await this.#api.call("PATCH", queue, {
      capacity: 1_234,
      signal_complete: true,
      signal_failed: true,
      alert_depth: 2,
    });
    const [first, second] = [await this.#lease(), await this.#lease()];
    await this.#api.call("POST", `${queue}/tasks/first/complete`, { lease_id: first, result: { well: true } });
    await this.#api.call("POST", `${queue}/tasks/second/fail`, { lease_id: second, error: "on purpose" });
    await put([task("waiting-1", { priority: 2 }), task("waiting-2"), task("waiting-3", { priority: 9 })]);
    await put([task("leased", { recipient: "other" }), task("delayed", { delay_ms: 600_000 })]);
    await this.#api.until("/v1/default/signals?signal=Q_QUEUE_ALERT", "signals", (all) => all.length > 0);
  }

  async #lease(recipient = "worker", lease_ms = 30_000): Promise<string> {
    const answer = await this.#api.call("POST", "/v1/default/queues/work/lease", { recipient, lease_ms });
    const [task] = Array.isArray(answer.tasks) ? answer.tasks : [];
    return String(task?.lease_id);
  }

  /** @param host - directory of the agent's file */
  async runHost(host: string): Promise<void> {
    for (const [worker, id] of [
      ["review", "good"],
      ["broken", "bad"],
    ] as const) {
      const tasks = join(host, "drop", "tasks", worker);
      mkdirSync(tasks, { recursive: true });
      writeFileSync(join(tasks, `.${id}.tmp`), JSON.stringify({ task_id: id, worker, description: "look" }));
      renameSync(join(tasks, `.${id}.tmp`), join(tasks, `${id}.json`));
    }
    const emit = (signal: string, id: string) =>
      this.#api.call("POST", "/v1/default/signals", { signal, source: "recorder", id, facts: {} });
    await emit("Q_QUICK", "quick");
    await emit("Q_FAILING", "failing");
    const named = (signal: string) => `/v1/default/signals?signal=${signal}`;
    for (const signal of ["Q_REACTION_COMPLETE", "Q_REACTION_FAILED", "Q_WORKER_TASK_COMPLETE", "Q_WORKER_TASK_FAILED"])
      await this.#api.until(named(signal), "signals", (all) => all.length > 0);
    await this.#api.until("/v1/default/dead-letters", "dead_letters", (all) => all.length >= 3);
    await this.#api.until("/v1/default/workers", "workers", (all) => all.length === 2);
    await emit("Q_SLOW", "slow");
    while (!existsSync(join(host, "begun"))) await pause(50);
  }

  async finish(): Promise<Recorded> {
    // Statistics of a queue are written each half minute.
    await pause(31_000);
    await this.#api.call("PUT", "/v1/default/maintenance", { enabled: true, reason: "recorded" });
    const status = await this.#api.call("GET", "/v1/default/status");
    const { log } = status;
    const head = typeof log === "object" && log !== null && "head_seq" in log ? Number(log.head_seq) : 0;
    await this.#lease("other", 1_000);
    return {
      recorded_at: new Date().toISOString(),
      administrator_token: this.#api.token,
      reader_token: this.#readerToken,
      head_seq: head,
    };
  }
}

const emits = (signal: string) => ({ emit: { signal } });

const RULES = [
  {
    id: "recorded-count",
    when: "Q_RECORDED",
    at_least: { n: 3, within: "366d" },
    then: [emits("Q_RECORDED_THRICE"), { enqueue: { queue: "decided", recipient: '"anybody"', type: "LOOK" } }],
  },
  {
    id: "recorded-expectation",
    when: "Q_RECORDED_START",
    expect: { signal: "Q_RECORDED_END", by: "facts.job", within: "366d", else: [emits("Q_RECORDED_LATE")] },
  },
  { id: "recorded-hook", when: "Q_RECORDED_HOOK", then: [{ webhook: { endpoint: "receiver" } }] },
  { id: "recorded-gone", when: "Q_RECORDED_GONE", then: [{ webhook: { endpoint: "gone" } }] },
  { id: "recorded-deleted", when: "Q_NEVER", then: [emits("Q_NEVER_EITHER")] },
];
