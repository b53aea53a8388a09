import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { FeatureRegistrar } from "../../../local-agent/app/registrar.ts";
import type { Metrics } from "../../../local-agent/feature/registrar.ts";
import { classicDurations, registerClassicMetrics } from "../../../local-agent/file-tasks/classic-metrics.ts";
import { FileWorkers } from "../../../local-agent/file-tasks/file-workers.ts";
import { WorkersSettings } from "../../../local-agent/file-tasks/settings.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { eventually } from "../../harness/eventually.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Everything that these tests ask of a registrar. */
function aRegistrar() {
  const registry: Metrics = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const metrics = { open: () => registry, close: () => {} };
  const registries = { metrics, commands: {}, health: {}, provided: {} };
  return { registry, register: new FeatureRegistrar(registries as never) };
}

async function aWatcher(script: string, settings: object = {}, root = temporaryDirectory(), directories: object = {}) {
  const elsewhere = temporaryDirectory();
  const db = StateDatabase.open(temporaryDirectory());
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  const { registry, register } = aRegistrar();
  const worker = { name: "claude", command: ["/bin/sh", "-c", script], retry_seconds: 0.02, attempts: 2, ...settings };
  const service = new FileWorkers({
    edge: { url: "http://127.0.0.1:9", token: () => "none", ecosystem: "default" },
    // Results lie on their own, as RESULT_DIR can say.
    settings: WorkersSettings.parse({
      layout: "classic",
      directories: { results: elsewhere, ...directories },
      run: [worker],
    }),
    root,
    host: "a",
    spool,
    onAttempt: classicDurations(register),
    now: () => Date.now(),
    log: silent,
    settleMs: 60,
  });
  registerClassicMetrics(register, service);
  closing.push(async () => {
    await service.stop();
    db.close();
  });
  await service.start();
  const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
  const inside = (...parts: string[]) => join(root, ...parts);
  const ended = () => (spool.read("local", 1, 1_000, 1e9)?.texts ?? []).filter((text) => !text.includes("_STARTED"));
  return {
    service,
    json,
    inside,
    result: (id: string) => join(elsewhere, "claude", `${id}.json`),
    notices: () => readdirSync(inside("triggers/orchestrator")).sort(),
    metrics: () => registry.metrics(),
    async done(count: number) {
      await eventually(() => expect(ended()).toHaveLength(count));
      await eventually(() => expect(readdirSync(inside("tasks/claude/.claimed"))).toEqual([]));
    },
    drop(id: string, content: string) {
      mkdirSync(inside("tasks/claude"), { recursive: true });
      writeFileSync(inside(`tasks/claude/.${id}.tmp`), content);
      renameSync(inside(`tasks/claude/.${id}.tmp`), inside(`tasks/claude/${id}.json`));
    },
  };
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
const SECONDS = expect.any(Number);

describe("the watcher's files, with layout: classic", () => {
  it("are receipt, result, notice and heartbeat in the older form for a task that succeeds", async () => {
    const watcher = await aWatcher('read -r task; echo "out"; echo "err" >&2');
    watcher.drop("t1", '{"task_id": "t1", "worker": "claude", "description": "Look at the last change"}');
    await watcher.done(1);
    expect(watcher.json(watcher.inside("triggers/claude/t1.trigger"))).toEqual({
      task_id: "t1",
      worker: "claude",
      status: "received",
      timestamp: TIME,
    });
    const result = watcher.json(watcher.result("t1"));
    expect(result).toEqual({
      task_id: "t1",
      worker: "claude",
      status: "completed",
      exit_code: 0,
      stdout: "out\n",
      stderr: "err\n",
      duration_seconds: SECONDS,
      timestamp: TIME,
      retry_count: 0,
      ganglion: expect.any(Object),
    });
    expect(watcher.notices()).toEqual([`task_completed_${Date.parse(result.timestamp)}.json`]);
    expect(watcher.json(watcher.inside("triggers/orchestrator", watcher.notices()[0] ?? ""))).toEqual({
      event_type: "task_completed",
      timestamp: result.timestamp,
      data: {
        task_id: "t1",
        worker: "claude",
        status: "completed",
        result_file: watcher.result("t1"),
        duration_seconds: result.duration_seconds,
      },
    });
    await watcher.service.stop();
    expect(watcher.json(watcher.inside("heartbeats/claude.json"))).toEqual({
      worker: "claude",
      timestamp: TIME,
      uptime_seconds: SECONDS,
      queue_size: 0,
      active_tasks: 0,
      circuit_breaker_state: "closed",
      stats: { tasks_processed: 1, tasks_failed: 0, tasks_retried: 0, tasks_dlq: 0 },
      status: "stopped",
    });
  });

  it("are the same where each directory is named, and none lies below the root", async () => {
    const named = temporaryDirectory();
    const root = join(named, "not there yet");
    const at = (name: string) => join(named, name);
    const watcher = await aWatcher("pwd", {}, root, {
      tasks: at("tasks"),
      triggers: at("triggers"),
      heartbeats: at("heartbeats"),
      dlq: at("dlq"),
    });
    mkdirSync(at("tasks/claude"), { recursive: true });
    writeFileSync(at("tasks/claude/.t0.tmp"), '{"task_id": "t0", "description": "Where am I?"}');
    renameSync(at("tasks/claude/.t0.tmp"), at("tasks/claude/t0.json"));
    await eventually(() => expect(existsSync(watcher.result("t0"))).toBe(true));
    expect(watcher.json(watcher.result("t0"))).toMatchObject({ status: "completed", stdout: `${root}\n` });
  });

  it("are a result for the last failed attempt and a dead letter with the task, once a task is given up", async () => {
    const watcher = await aWatcher("echo half; echo broken >&2; exit 3");
    const task = { task_id: "t2", description: "Break", priority: 1 };
    watcher.drop("t2", JSON.stringify(task));
    await watcher.done(1);
    expect(watcher.json(watcher.result("t2"))).toEqual({
      task_id: "t2",
      worker: "claude",
      status: "failed",
      exit_code: 3,
      stdout: "half\n",
      stderr: "broken\n",
      duration_seconds: SECONDS,
      timestamp: TIME,
      retry_count: 1,
    });
    const [name = ""] = readdirSync(watcher.inside("dlq/claude"));
    expect(readdirSync(watcher.inside("dlq/claude"))).toHaveLength(1);
    const dead = watcher.json(watcher.inside("dlq/claude", name));
    expect(dead).toEqual({
      ...task,
      worker: "claude",
      dlq_reason: "the command ended with status 3: broken",
      dlq_timestamp: TIME,
      retry_count: 1,
    });
    expect(name).toBe(`t2_${Math.floor(Date.parse(dead.dlq_timestamp) / 1_000)}.json`);
    const lines = [
      'watcher_tasks_processed_total{worker="claude",status="failed"} 2',
      'watcher_tasks_failed_total{worker="claude",reason="exit_code"} 2',
      'watcher_task_duration_seconds_bucket{le="600",worker="claude"} 2',
      "watcher_task_queue_size 0",
      "watcher_active_tasks 0",
      "watcher_circuit_breaker_state 0",
    ];
    // A task counts as running until its files are written.
    await eventually(async () => {
      const metrics = await watcher.metrics();
      for (const line of lines) expect(metrics).toContain(line);
    });
  });

  it("are a notice of a time-out for a task that takes longer than its own timeout", async () => {
    const watcher = await aWatcher("exec sleep 60", { attempts: 1 });
    watcher.drop("t3", '{"task_id": "t3", "description": "Sleep", "timeout": 0.1}');
    await watcher.done(1);
    expect(watcher.json(watcher.result("t3"))).toMatchObject({ status: "failed", exit_code: -1 });
    expect(watcher.json(watcher.inside("triggers/orchestrator", watcher.notices()[0] ?? ""))).toMatchObject({
      event_type: "task_timeout",
      data: { task_id: "t3", status: "failed" },
    });
  });

  it("are a dead letter at once for bad JSON, and for a task without a description", async () => {
    const watcher = await aWatcher("exit 0");
    watcher.drop("bad", '{"task_id": ');
    watcher.drop("mute", '{"task_id": "mute"}');
    await watcher.done(2);
    const names = readdirSync(watcher.inside("dlq/claude"));
    expect(
      names
        .filter((name) => !name.endsWith(".error.json"))
        .map((name) => name.replace(/\d+/, "N"))
        .sort(),
    ).toEqual(["bad_N.json", "mute_N.json"]);
    const error = names.find((name) => name.startsWith("mute") && name.endsWith(".error.json")) ?? "";
    expect(watcher.json(watcher.inside("dlq/claude", error))).toMatchObject({
      dlq_reason: "the task is not valid",
      errors: [{ pointer: "/description" }],
    });
    expect(existsSync(watcher.result("bad"))).toBe(false);
  });

  it("are a notice each for tasks that end in the same millisecond", async () => {
    const watcher = await aWatcher("exit 0", { concurrency: 10 });
    for (let n = 0; n < 20; n++) watcher.drop(`n${n}`, `{"task_id": "n${n}", "description": "Quick"}`);
    await watcher.done(20);
    expect(watcher.notices()).toHaveLength(20);
  });
});
