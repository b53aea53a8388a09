import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { processStat } from "../../../local-agent/base/process/process-group.ts";
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

interface Worker {
  readonly name?: string;
  readonly script: string;
  readonly [setting: string]: unknown;
}

function settingsOf(workers: readonly Worker[]): WorkersSettings {
  return WorkersSettings.parse({
    run: workers.map(({ script, name = "review", ...rest }) => ({
      name,
      command: ["/bin/sh", "-c", script],
      retry_seconds: 0.02,
      ...rest,
    })),
  });
}

function openWorkers(workers: readonly Worker[], { root = temporaryDirectory(), host = "a" } = {}) {
  const settings = settingsOf(workers);
  const db = StateDatabase.open(temporaryDirectory());
  const spool = new Spool(db, { hostId: host, maxBytes: 1e9, now: Date.now, log: silent });
  // Nobody is there: the tasks of these workers stay on the host.
  const edge = { url: "http://127.0.0.1:9", token: () => "none", ecosystem: "default" };
  const service = new FileWorkers({
    edge,
    settings,
    root,
    host,
    spool,
    now: () => Date.now(),
    log: silent,
    settleMs: 60,
  });
  closing.push(async () => {
    await service.stop();
    db.close();
  });
  const path = (...parts: string[]) => join(root, ...parts);
  return {
    root,
    service,
    path,
    configure: (next: readonly Worker[]) => service.configure(settingsOf(next)),
    drop(id: string, task: object | string = {}, worker = "review") {
      mkdirSync(path("tasks", worker), { recursive: true });
      writeFileSync(path("tasks", worker, `.${id}.tmp`), typeof task === "string" ? task : JSON.stringify(task));
      renameSync(path("tasks", worker, `.${id}.tmp`), path("tasks", worker, `${id}.json`));
    },
    read: (...parts: string[]) => JSON.parse(readFileSync(path(...parts), "utf8")),
    signals: () =>
      (spool.read("local", 1, 1_000, 1e9)?.texts ?? []).map(
        (text) => JSON.parse(text) as { signal: string; facts: Record<string, unknown> },
      ),
  };
}

describe("a worker that takes dropped files", () => {
  it("runs its command with the task, and leaves receipt, result, notice and signals", async () => {
    const { service, drop, read, signals, path } = openWorkers([
      { script: 'read task; echo "{\\"worker\\": \\"$GANGLION_WORKER\\", \\"given\\": $task}"' },
    ]);
    await service.start();
    drop("t1", { task_id: "t1", worker: "review", description: "look at it" });
    await eventually(() => expect(readdirSync(path("tasks", "review", ".claimed"))).toEqual([]));
    await eventually(() => expect(signals()).toHaveLength(2));
    expect(read("results", "review", "t1.json")).toMatchObject({
      task_id: "t1",
      worker: "review",
      status: "complete",
      host: "a",
      attempts: 1,
      result: { worker: "review", given: { task_id: "t1", worker: "review", description: "look at it" } },
    });
    expect(read("triggers", "review", "t1.json")).toMatchObject({ task_id: "t1", status: "accepted", host: "a" });
    expect(read("triggers", "orchestrator", "review.t1.json")).toMatchObject({
      status: "complete",
      result: "results/review/t1.json",
    });
    expect(signals().map(({ signal }) => signal)).toEqual(["Q_WORKER_TASK_STARTED", "Q_WORKER_TASK_COMPLETE"]);
    expect(existsSync(path("tasks", "review", "t1.json"))).toBe(false);
  });

  it("takes what was dropped before it started, as many at a time as it may", async () => {
    const { service, drop, path, root } = openWorkers([
      {
        // None ends before another has run beside it.
        script: `mkdir -p now; touch now/$GANGLION_TASK_ID; ls now | wc -l >> most
          while ! [ -e met ]; do [ $(ls now | wc -l) -gt 1 ] && touch met; sleep 0.01; done; sleep 0.05; rm now/$GANGLION_TASK_ID`,
        concurrency: 3,
      },
    ]);
    for (let n = 0; n < 12; n++) drop(`t${n}`);
    await service.start();
    await eventually(() => expect(readdirSync(join(root, "tasks", "review", ".claimed"))).toEqual([]));
    await eventually(() => expect(readdirSync(path("results", "review"))).toHaveLength(12));
    const most = readFileSync(path("most"), "utf8").trim().split("\n").map(Number);
    expect(Math.max(...most)).toBeLessThanOrEqual(3);
    expect(existsSync(path("met"))).toBe(true);
  });

  it("tries again what failed, and gives up with the whole history", async () => {
    const { service, drop, read, path, signals } = openWorkers([
      { script: "echo nothing to see >&2; exit 3", attempts: 3, breaker_failures: 10 },
    ]);
    await service.start();
    drop("bad");
    await eventually(() => expect(existsSync(path("dlq", "review", "bad.error.json"))).toBe(true));
    expect(read("dlq", "review", "bad.error.json")).toMatchObject({
      reason: "the command ended with status 3: nothing to see",
      worker: "review",
      history: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }],
    });
    await eventually(() => expect(readdirSync(path("tasks", "review", ".claimed"))).toEqual([]));
    expect(read("triggers", "orchestrator", "review.bad.json")).toMatchObject({ status: "failed", attempts: 3 });
    expect(signals().filter(({ signal }) => signal === "Q_WORKER_TASK_FAILED")).toHaveLength(1);
  });

  it("tells of a task under the signal that its file names, whatever becomes of it", async () => {
    const { service, drop, signals } = openWorkers([{ script: "exit 3", attempts: 2, breaker_failures: 10 }]);
    await service.start();
    const trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    drop("caused", { cause: "s7.abc", trace, depth: 4 });
    drop("own-field", { cause: "it broke", depth: 9 });
    await eventually(() => expect(signals()).toHaveLength(6));
    const told = (id: string) => signals().filter(({ facts }) => facts.task_id === id);
    const names = ["Q_WORKER_TASK_STARTED", "Q_WORKER_TASK_STARTED", "Q_WORKER_TASK_FAILED"];
    expect(told("caused").map(({ signal }) => signal)).toEqual(names);
    for (const signal of told("caused"))
      expect(signal).toMatchObject({
        cause: "s7.abc",
        depth: 4,
        trace: expect.stringMatching(/^00-0123456789abcdef0123456789abcdef-/),
      });
    for (const signal of told("own-field")) expect(signal).not.toHaveProperty("cause");
  });

  it("puts what is no task aside at once, and says what is wrong with it", async () => {
    const { service, drop, read, path } = openWorkers([{ script: "true" }]);
    await service.start();
    drop("half", '{"task_id": ');
    drop("other", { worker: "deploy" });
    for (const id of ["half", "other"])
      await eventually(() => expect(existsSync(path("dlq", "review", `${id}.error.json`))).toBe(true));
    expect(read("dlq", "review", "half.error.json").reason).toMatch(/not JSON/);
    expect(read("dlq", "review", "other.error.json")).toMatchObject({
      reason: "the task is for another worker",
      errors: [{ pointer: "/worker" }],
    });
  });

  it("ends a command that takes too long, with what it started", async () => {
    const { service, drop, read, path } = openWorkers([
      {
        // Where the machine is so busy that it is ended before it has said which process it started, the next one says it.
        script: "[ -e seen ] && exit 4; sleep 600 & echo $! > child.new; mv child.new child; wait",
        timeout_seconds: 0.5,
        attempts: 6,
        breaker_failures: 100,
      },
    ]);
    await service.start();
    drop("slow");
    await eventually(() => expect(existsSync(path("child"))).toBe(true));
    writeFileSync(path("seen"), "");
    const child = Number(readFileSync(path("child"), "utf8"));
    // One that nobody has waited for yet is gone all the same.
    await eventually(() => expect(processStat(child)?.state ?? "Z").toBe("Z"));
    await eventually(() => expect(existsSync(path("dlq", "review", "slow.error.json"))).toBe(true));
    expect(read("dlq", "review", "slow.error.json").history[0].error).toMatch(/did not end within 500 ms/);
  });

  it("leaves the backlog alone after failures in a row, and goes on when one attempt has succeeded", async () => {
    const { service, drop, path } = openWorkers([
      { script: "test -e fixed", attempts: 1, breaker_failures: 2, breaker_seconds: 1.5 },
    ]);
    await service.start();
    for (let n = 0; n < 6; n++) drop(`t${n}`);
    await eventually(() => expect(service.health[0]).toMatchObject({ state: "open", failed: 2, waiting: 4 }));
    writeFileSync(path("fixed"), "");
    // A result lies there a moment before its task counts as complete.
    await eventually(() => expect(service.health[0]).toMatchObject({ state: "idle", failed: 2, complete: 4 }));
    expect(readdirSync(path("results", "review"))).toHaveLength(4);
  });

  it("gives each task to one of several that share the directory", async () => {
    const root = temporaryDirectory();
    const worker = { script: "echo $GANGLION_TASK_ID >> ran", concurrency: 4 };
    const one = openWorkers([worker], { root, host: "a" });
    const two = openWorkers([worker], { root, host: "b" });
    for (let n = 0; n < 40; n++) one.drop(`t${n}`);
    await Promise.all([one.service.start(), two.service.start()]);
    await eventually(() => expect(readdirSync(one.path("results", "review"))).toHaveLength(40));
    const ran = readFileSync(join(root, "ran"), "utf8").trim().split("\n");
    expect(new Set(ran).size).toBe(40);
    expect(ran).toHaveLength(40);
  });

  it("finishes by its old settings what runs when they change, and leaves other workers alone", async () => {
    const held = "touch begun.$GANGLION_TASK_ID; until test -e go; do sleep 0.01; done; echo ";
    const { drop, path, read, service, configure } = openWorkers([
      { script: `${held}1` },
      { name: "other", script: `${held}3` },
    ]);
    await service.start();
    drop("t1");
    drop("t2");
    drop("t3", {}, "other");
    for (const id of ["t1", "t3"]) await eventually(() => expect(existsSync(path(`begun.${id}`))).toBe(true));
    await configure([{ script: "echo 2" }, { name: "other", script: `${held}3` }]);
    expect(existsSync(path("results", "review", "t2.json"))).toBe(false);
    writeFileSync(path("go"), "");
    const results = [
      ["review", "t1"],
      ["review", "t2"],
      ["other", "t3"],
    ] as const;
    for (const [place, [worker, id]] of results.entries()) {
      await eventually(() => expect(existsSync(path("results", worker, `${id}.json`))).toBe(true));
      expect(read("results", worker, `${id}.json`)).toMatchObject({ result: place + 1, attempts: 1 });
    }
  });

  it("goes on with the tasks of a worker that is taken out when it is back in the same process", async () => {
    const { drop, path, read, service, configure } = openWorkers([
      { script: "touch begun; until test -e go; do sleep 0.01; done; echo 1" },
    ]);
    await service.start();
    drop("t1");
    await eventually(() => expect(existsSync(path("begun"))).toBe(true));
    await configure([]);
    writeFileSync(path("go"), "");
    expect(readdirSync(path("results", "review"))).toEqual([]);
    expect(read("heartbeats", "review.json")).toMatchObject({ state: "stopped" });
    await configure([{ script: "echo 2" }]);
    await eventually(() => expect(existsSync(path("results", "review", "t1.json"))).toBe(true));
    expect(read("results", "review", "t1.json")).toMatchObject({ result: 2, attempts: 1 });
  });

  it("takes over from another host that does not renew its claims any more", async () => {
    const { service, drop, path, read } = openWorkers([{ script: "echo 1" }]);
    drop("t1");
    drop("t2");
    mkdirSync(path("tasks", "review", ".claimed"), { recursive: true });
    const claimed = (id: string) => path("tasks", "review", ".claimed", `${id}~0123456789ab~b~0a1b2c3d~7~99.json`);
    renameSync(path("tasks", "review", "t1.json"), claimed("t1"));
    renameSync(path("tasks", "review", "t2.json"), claimed("t2"));
    const record = path("tasks", "review", ".claimed", "t1~0123456789ab.run");
    const running = { attempt: 1, started_at: "2026-01-01T00:00:00.000Z", host: "b" };
    writeFileSync(record, JSON.stringify({ claimed_at: "2026-01-01T00:00:00.000Z", history: [], running }));
    const clock = vi.spyOn(Date, "now");
    clock.mockImplementation(() => statSync(path("tasks")).ctimeMs + 3_600_000);
    try {
      utimesSync(record, new Date(), new Date());
      await service.start();
      await eventually(() => expect(readdirSync(path("results", "review"))).toEqual(["t1.json", "t2.json"]));
    } finally {
      clock.mockRestore();
    }
    expect(read("results", "review", "t1.json")).toMatchObject({ attempts: 2 });
    expect(read("results", "review", "t2.json")).toMatchObject({ attempts: 1 });
  });

  it("keeps a heartbeat of each host that shares the tree, and hides none of them behind the last", async () => {
    const root = temporaryDirectory();
    const one = openWorkers([{ script: "true" }], { root, host: "a" });
    const two = openWorkers([{ script: "true" }], { root, host: "b" });
    const states = () =>
      one.read("heartbeats", "review.json").hosts.map(({ host, state }: Record<string, string>) => `${host} ${state}`);
    await one.service.start();
    writeFileSync(one.path("heartbeats", "review", "someone.json"), "no heartbeat");
    await two.service.start();
    expect(states()).toEqual(["a idle", "b idle"]);
    expect(one.read("heartbeats", "review.json")).toMatchObject({ worker: "review", host: "b" });
    await one.service.stop();
    expect(states()).toEqual(["a stopped", "b idle"]);
    expect(one.read("heartbeats", "review", "b.json")).toMatchObject({ host: "b", state: "idle", pid: process.pid });
  });

  it("keeps a heartbeat for each worker", async () => {
    const { service, read } = openWorkers([{ script: "true" }, { name: "deploy", script: "true" }]);
    await service.start();
    expect(read("heartbeats", "review.json")).toMatchObject({ worker: "review", state: "idle", pid: process.pid });
    await service.stop();
    expect(read("heartbeats", "deploy.json")).toMatchObject({ worker: "deploy", state: "stopped" });
  });
});
