import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FileWorkers } from "../../../local-agent/file-tasks/file-workers.ts";
import { WorkersSettings } from "../../../local-agent/file-tasks/settings.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { eventually } from "../../harness/eventually.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Options {
  readonly script?: string;
  readonly scope?: "host" | "fleet";
  readonly url?: string;
  readonly host?: string;
  readonly rescanMs?: number;
}

function openWorker({
  script = "cat",
  scope = "host",
  url = "http://127.0.0.1:9",
  host = "a",
  rescanMs,
}: Options = {}) {
  const root = temporaryDirectory();
  const db = StateDatabase.open(temporaryDirectory());
  const spool = new Spool(db, { hostId: host, maxBytes: 1e9, now: Date.now, log: silent });
  const command = ["/bin/sh", "-c", script];
  const service = new FileWorkers({
    edge: { url, token: () => "none", ecosystem: "default" },
    settings: WorkersSettings.parse({ run: [{ name: "review", command, scope, retry_seconds: 0.02 }] }),
    root,
    host,
    spool,
    now: () => Date.now(),
    log: silent,
    settleMs: 60,
    ...(rescanMs !== undefined && { rescanMs }),
  });
  closing.push(async () => {
    await service.stop();
    db.close();
  });
  const path = (...parts: string[]) => join(root, ...parts);
  mkdirSync(path("tasks", "review"), { recursive: true });
  const read = (...parts: string[]) => JSON.parse(readFileSync(path(...parts), "utf8"));
  return {
    service,
    path,
    read,
    drop(name: string, task: object | string = {}) {
      writeFileSync(path("tasks", "review", ".new"), typeof task === "string" ? task : JSON.stringify(task));
      renameSync(path("tasks", "review", ".new"), path("tasks", "review", name));
    },
    list: (...parts: string[]) => (existsSync(path(...parts)) ? readdirSync(path(...parts)).sort() : []),
    /** The dead letter, when there is one and nothing of the task is left elsewhere. */
    deadLetter: () =>
      eventually(() => {
        const [error = "none"] = readdirSync(path("dlq", "review")).filter((name) => name.endsWith(".error.json"));
        expect(readdirSync(path("tasks", "review", ".claimed"))).toEqual([]);
        return read("dlq", "review", error) as { reason: string; file: string };
      }),
    signals: () =>
      (spool.read("local", 1, 1_000, 1e9)?.texts ?? []).map(
        (text) => JSON.parse(text) as { signal: string; facts: Record<string, unknown> },
      ),
  };
}

/** An edge that answers every request for tasks alike, and counts those that were put. */
async function edgeThatAnswers(status: number) {
  let count = 0;
  const server = createServer((request, response) => {
    if (request.method === "POST" && request.url?.endsWith("/tasks")) count++;
    request.resume().on("end", () => {
      // The token may not configure queues, which the worker puts up with.
      const answer = request.url?.endsWith("/tasks") === true ? status : 403;
      response.writeHead(answer, { "content-type": "application/problem+json" }).end(
        JSON.stringify({
          type: "/problems/x",
          title: "No such luck",
          status: answer,
          detail: "the payload is too large",
        }),
      );
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

describe("a task whose file name cannot be that of a task", () => {
  it.each([
    ["a name of 255 bytes", `${"a".repeat(250)}.json`],
    ["a name of 129 characters", `${"a".repeat(129)}.json`],
    ["a name with other characters", "über uns~1.json"],
    ["a name that begins with a dash", "-t1.json"],
  ])("becomes a dead letter at once: %s", async (_, name) => {
    const { service, drop, deadLetter, signals } = openWorker();
    await service.start();
    drop(name, { description: "x" });
    const { reason } = await deadLetter();
    expect(reason).toContain("cannot be the name of a task: a task's id holds letters, digits");
    expect(reason).toContain(name.slice(0, 100));
    expect(signals().map(({ signal }) => signal)).toEqual(["Q_WORKER_TASK_FAILED"]);
  });

  it("becomes a dead letter when its name is not UTF-8", async () => {
    const { service, path, deadLetter } = openWorker();
    await service.start();
    const raw = (name: number[]) => Buffer.concat([Buffer.from(`${path("tasks", "review")}/`), Buffer.from(name)]);
    writeFileSync(raw([0x2e, 0xe9]), "{}");
    renameSync(raw([0x2e, 0xe9]), raw([0xe9, 0x2e, 0x6a, 0x73, 0x6f, 0x6e]));
    expect((await deadLetter()).reason).toContain('"%E9.');
  });

  it("becomes a dead letter by the next owner, when the first died after its claim", async () => {
    const { service, path, deadLetter } = openWorker();
    const claimed = path("tasks", "review", ".claimed");
    mkdirSync(claimed);
    // As an agent leaves them that was killed between its claim and the dead letter.
    writeFileSync(join(claimed, "made.0123456789ab~0123456789ab~a~00000000~7~99.json"), "{}");
    const record = { claimed_at: "2026-01-01T00:00:00.000Z", history: [], misnamed: "ü.json" };
    writeFileSync(join(claimed, "made.0123456789ab~0123456789ab.run"), JSON.stringify(record));
    await service.start();
    expect((await deadLetter()).reason).toContain('"ü.json" cannot be the name of a task');
  });

  it("becomes a dead letter when its claim would have no room beside the host's name", async () => {
    const { service, drop, deadLetter } = openWorker({ host: "h".repeat(120) });
    await service.start();
    drop(`${"a".repeat(128)}.json`);
    expect((await deadLetter()).reason).toContain("cannot be the name of a task");
  });
});

describe("a task in a file named *.JSON", () => {
  it("is run like any other", async () => {
    const { service, drop, read, list } = openWorker();
    await service.start();
    drop("t1.JSON", { description: "x" });
    await eventually(() => expect(list("results", "review")).toEqual(["t1.json"]));
    expect(read("results", "review", "t1.json")).toMatchObject({ status: "complete", result: { task_id: "t1" } });
  });
});

describe("a task for the fleet", () => {
  it.each([413, 422, 400])("becomes a dead letter at once when the edge refuses it with %i", async (status) => {
    const edge = await edgeThatAnswers(status);
    const { service, drop, deadLetter } = openWorker({ scope: "fleet", url: edge.url });
    await service.start();
    drop("big.json", { pad: "x".repeat(100) });
    expect((await deadLetter()).reason).toBe("the edge refused the task: No such luck: the payload is too large");
    expect(edge.count()).toBe(1);
  });

  it.each([401, 403, 404, 500])(
    "waits, less and less often tried, when the edge refuses it with %i",
    async (status) => {
      const edge = await edgeThatAnswers(status);
      const { service, drop, list } = openWorker({ scope: "fleet", url: edge.url, rescanMs: 5 });
      await service.start();
      drop("t1.json");
      await eventually(() => expect(edge.count()).toBeGreaterThan(3));
      expect(list("dlq", "review")).toEqual([]);
      expect(service.health[0]?.failed).toBe(0);
    },
  );
});

describe("a task that cannot be handled", () => {
  it("becomes a dead letter at once when the record beside its claim is unreadable", async () => {
    const { service, path, deadLetter } = openWorker();
    const claimed = path("tasks", "review", ".claimed");
    mkdirSync(claimed);
    writeFileSync(join(claimed, "t1~0123456789ab~a~00000000~7~99.json"), "{}");
    writeFileSync(join(claimed, "t1~0123456789ab.run"), "no record");
    await service.start();
    expect((await deadLetter()).reason).toContain("the task cannot be handled");
  });

  it("becomes a dead letter when a directory lies in the place of its result", async () => {
    const { service, path, drop, deadLetter } = openWorker();
    mkdirSync(path("results", "review", "t1.json"), { recursive: true });
    await service.start();
    drop("t1.json");
    expect((await deadLetter()).reason).toContain("the task cannot be handled");
  });

  it("replaces a file in the place of its result that is not JSON", async () => {
    const { service, path, drop, read, list } = openWorker({ script: "echo 1" });
    mkdirSync(path("results", "review"), { recursive: true });
    writeFileSync(path("results", "review", "t1.json"), "not a result");
    await service.start();
    drop("t1.json");
    await eventually(() => expect(list("tasks", "review", ".claimed")).toEqual([]));
    await eventually(() => expect(read("results", "review", "t1.json")).toMatchObject({ result: 1 }));
  });
});

describe("a tree of tasks in which a directory is a link that leads out of it", () => {
  it.each(["results", "triggers", "dlq", "heartbeats"])(
    "is not written through %s, and the worker says so",
    async (name) => {
      const { service, path, drop } = openWorker({ rescanMs: 20 });
      const elsewhere = temporaryDirectory();
      symlinkSync(elsewhere, path(name));
      drop("t1.json");
      await service.start();
      expect(service.health[0]).toMatchObject({ state: "failing", detail: expect.stringContaining("leads out of") });
      expect(readdirSync(elsewhere, { recursive: true }).filter((one) => String(one).includes(".json"))).toEqual([]);
    },
  );

  it("is used again when the link is gone", async () => {
    const { service, path, drop, list } = openWorker({ rescanMs: 20 });
    symlinkSync(temporaryDirectory(), path("results"));
    drop("t1.json");
    await service.start();
    renameSync(path("results"), path("moved"));
    await eventually(() => expect(list("results", "review")).toEqual(["t1.json"]));
    expect(service.health[0]?.state).not.toBe("failing");
  });

  it("is not written through a link that is put there while the worker runs", async () => {
    const { service, path, drop, deadLetter } = openWorker({
      script: "until [ -e go ]; do sleep 0.01; done; echo 1",
    });
    const elsewhere = temporaryDirectory();
    await service.start();
    drop("t1.json");
    await eventually(() => expect(service.health[0]?.running).toHaveLength(1));
    renameSync(path("results", "review"), path("results", "moved"));
    symlinkSync(elsewhere, path("results", "review"));
    writeFileSync(path("go"), "");
    expect((await deadLetter()).reason).toContain("leads out of");
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});
