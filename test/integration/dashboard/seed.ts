import { WebSocket } from "ws";
import type { Client } from "../../../src/client/client.ts";
import type { SignalInput } from "../../../src/core/signals/signal.ts";
import { LINK_PROTOCOL } from "../../../src/core/wire/link-frames.ts";

/** A supervised process as a host's report has it. */
export interface ReportedProcess {
  readonly name: string;
  readonly state?: string;
  readonly verdict?: string;
  readonly task?: string | null;
  readonly restarts?: number;
  readonly detail?: string | null;
}

export interface LinkedHost {
  /** Reports what the host supervises now. */
  report(processes: readonly ReportedProcess[]): void;
  /** The host is gone, without a word. */
  vanish(): void;
}

/** A host that speaks the link's protocol, without an agent's processes: a fleet of them fits into a test. */
export function linkHost({ url, token }: { url: string; token: string }, host: string): Promise<LinkedHost> {
  const link = new URL(`/v1/default/link?host=${host}&installation=${host}`, url);
  const socket = new WebSocket(link, [LINK_PROTOCOL], { headers: { Authorization: `Bearer ${token}` } });
  let status: object = {};
  const report = (processes: readonly ReportedProcess[]) => {
    const agents = processes.map((process) => ({
      state: "up",
      verdict: "working",
      task: null,
      restarts: 0,
      detail: null,
      silent: false,
      pid: 4711,
      started_at: "2026-01-31T12:00:00Z",
      cpu_percent: 12,
      memory_mb: 210,
      next_wake_at: null,
      ...process,
    }));
    status = { version: "0.1.0", agents };
    socket.send(JSON.stringify({ ...status, type: "status" }));
  };
  // Each minute the edge asks its hosts, and takes one that does not answer for lost.
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data));
    if (frame.type === "gather")
      socket.send(JSON.stringify({ type: "facts", request: frame.request, facts: { status } }));
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve({ report, vanish: () => socket.terminate() }));
    socket.once("error", reject);
  });
}

/** A rule whose chain has signals, a task and a wait, and which answers no question of its own. */
export const CHAIN_RULE = {
  id: "build-on-push",
  description: "Builds what was pushed, and waits for the result",
  when: ["PUSHED"],
  where: "facts.branch != 'draft'",
  then: [
    { emit: { signal: "BUILD_WANTED", facts: { branch: "facts.branch" } } },
    { enqueue: { queue: "builds", recipient: "'coder'", type: "build", payload: { branch: "facts.branch" } } },
  ],
  expect: { signal: ["BUILT"], within: "20m", else: [{ emit: { signal: "BUILD_LATE", facts: {} } }] },
};

/** An hour of measurements, the last of them so high that a scanner raises a gap. */
export function measurements(reporter: string, nowMs: number): SignalInput[] {
  return Array.from({ length: 60 }, (_, place) => ({
    signal: "OBSERVATION",
    source: reporter,
    timestamp: new Date(nowMs - (60 - place) * 4_000).toISOString(),
    facts: {
      zooid_name: reporter,
      ok: place % 9 !== 0,
      ttr_ms: 300 + ((place * 37) % 200),
      cpu_percent: Math.min(99, 70 + place + ((place * 13) % 7)),
      ram_percent: 40 + ((place * 7) % 11),
    },
  }));
}

/** Signals, tasks, a gap and what failed: something for each view to show. */
export async function fill(client: Client, nowMs: number): Promise<{ readonly pushed: string }> {
  await client.policy.put(CHAIN_RULE.id, CHAIN_RULE);
  const { ids } = await client.emit([
    { signal: "PUSHED", source: "git", facts: { branch: "main", commit: "4f2a91c" } },
    { signal: "PUSHED", source: "git", facts: { branch: "draft", commit: "77c0de1" } },
  ]);
  await client.emit(measurements("gpu-01", nowMs));
  await client.queues.put(
    "reviews",
    Array.from({ length: 12 }, (_, place) => ({
      recipient: place % 2 === 0 ? "reviewer" : "architect",
      type: "review",
      payload: { pull: 100 + place, title: place === 7 ? "poison: loops for ever" : `change ${place}` },
    })),
  );
  return { pushed: ids[0] ?? "" };
}

/** A closed limit with a parked task, a lock for which somebody waits, a question, and a note. */
export async function fillCoordination(client: Client): Promise<void> {
  await client.limits.put("anthropic", { requests_per_minute: 50, concurrency: 10, usd_per_day: 20, ramp_seconds: 0 });
  const reserved = await client.limits.reserve("anthropic", { amounts: { requests: 1, usd: 0.5 }, agent: "coder-1" });
  if (!reserved.granted) throw new Error(`nothing is reserved: ${reserved.detail}`);
  await client.limits.close("anthropic", { retry_after_seconds: 3_600, reason: "the plan is used up" });
  const parked = { recipient: "writer", type: "draft", payload: {}, task_id: "needs-a-model", limits: ["anthropic"] };
  await client.queues.put("writing", [parked]);
  const lock = { ttl_ms: 600_000, task: "fix-7" };
  await client.locks.acquire("tree:/srv/app/**", { ...lock, owner: "coder/7", mode: "exclusive", wait_ms: 0 });
  await client.locks.acquire("port:8080", { ...lock, owner: "coder/7", mode: "shared", wait_ms: 0 });
  const waits = { ...lock, owner: "coder/8", mode: "exclusive", wait_ms: 60_000 } as const;
  // Answered when the lock is released, and not at all where the edge ends before.
  void client.locks.acquire("tree:/srv/app/src", waits).catch(() => undefined);
  const deploy = { recipient: "ops", context: { version: 42 }, expires: "2h" };
  await client.questions.ask({ ...deploy, id: "deploy-42", question: "Deploy version 42?", options: ["yes", "no"] });
  await client.questions.ask({ ...deploy, id: "name-42", question: "What shall the release be called?" });
  await client.permissions.ask({ id: "may-i", tool_name: "Bash", input_preview: "npm publish", recipient: "ops" });
  await client.notes.put("task/build-17/progress", { step: 3 });
}
