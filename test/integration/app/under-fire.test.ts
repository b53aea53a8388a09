import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Link } from "../../../local-agent/link/link.ts";
import { DeadLetterFile } from "../../../local-agent/store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import type { TimedSignal } from "../../../local-agent/store/signal-text.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { within } from "../../harness/until.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { FakeEdge } from "../link/fake-edge.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
});

async function startEdge(port = 0) {
  const edge = await FakeEdge.listen(port);
  closing.push(() => edge.close());
  return edge;
}

const signal = (value: number, name = "Q_TEST"): TimedSignal => ({
  id: undefined,
  cause: undefined,
  trace: undefined,
  depth: undefined,
  signal: name,
  source: "test",
  timestampMs: 1_700_000_000_000,
  factsJson: JSON.stringify({ value }),
});

function startLink(url: string, maxBytes = 1e9) {
  const directory = temporaryDirectory();
  const db = StateDatabase.open(directory);
  const spool = new Spool(db, { hostId: "a", maxBytes, now: Date.now, log: silent });
  const deadLetters = new DeadLetterOutbox(db, { hostId: "a", log: silent });
  const link = new Link({
    url,
    token: () => "secret",
    ecosystem: "default",
    hostId: "a",
    spool,
    inbox: null,
    subscribe: [],
    deadLetters,
    log: silent,
    deadLetterFile: new DeadLetterFile({ path: join(directory, "link.jsonl"), maxBytes: 1e6, log: silent }),
    backOff: { initialMs: 1, maxMs: 50 },
  });
  closing.push(async () => {
    await link.stop();
    db.close();
  });
  return { db, spool, link };
}

function drop(directory: string, id: string, filling = "") {
  mkdirSync(directory, { recursive: true });
  const text = JSON.stringify({ id, type: "ask", data: { question: `Why ${id}?`, filling } });
  writeFileSync(join(directory, `.${id}`), text);
  renameSync(join(directory, `.${id}`), join(directory, `${id}.json`));
}

const busy = { refuse: { retry_after_ms: 20, problem: { type: "/problems/too-many", title: "Busy", status: 429 } } };

describe("the link under fire", () => {
  it("sends a hundred thousand signals after hours without an edge, in order, each once", async () => {
    const edge = await startEdge();
    const { port } = edge;
    await edge.close();
    const { spool, link } = startLink(`http://127.0.0.1:${port}`);
    await link.start();
    const total = 100_000;
    for (let n = 0; n < total; n += 1_000) {
      await spool.put(
        "bus",
        Array.from({ length: 1_000 }, (_, index) => signal(n + index)),
      );
    }
    expect(link.state.state).not.toBe("connected");
    await expect.poll(() => link.counts.failures).toBeGreaterThan(1);
    const again = await startEdge(port);
    await within(spool.drained(), "the spool to be empty");
    expect(again.values()).toEqual(Array.from({ length: total }, (_, index) => index));
  });

  it("sheds only observations while the edge refuses all batches, and counts them", async () => {
    const edge = await startEdge();
    edge.interfere = () => busy;
    const { spool, link } = startLink(edge.url, 200_000);
    await link.start();
    const total = 4_000;
    for (let n = 0; n < total; n += 100) {
      const batch = Array.from({ length: 100 }, (_, index) => n + index);
      await spool.put(
        "local",
        batch.map((value) => signal(value, value % 4 === 0 ? "Q_EVENT" : "OBSERVATION")),
      );
    }
    await edge.when(() => link.counts.refused >= 3);
    edge.interfere = () => undefined;
    await within(spool.drained(), "the spool to be empty");
    const events = edge.log.filter(({ signal: name }) => name === "Q_EVENT").map(({ facts }) => facts.value);
    expect(events).toEqual(Array.from({ length: total / 4 }, (_, index) => index * 4));
    const { shed } = spool.depth("local");
    expect(shed).toBeGreaterThan(0);
    expect(edge.log).toHaveLength(total - shed);
  });

  it("continues although the clock was set back by an hour during a wait that the edge asked for", async () => {
    const edge = await startEdge();
    const { spool, link } = startLink(edge.url);
    await link.start();
    await edge.when(() => edge.connections === 1);
    let refusals = 0;
    edge.interfere = () => (refusals++ === 0 ? busy : undefined);
    const real = Date.now;
    await spool.put("local", [signal(1)]);
    vi.spyOn(Date, "now").mockImplementation(() => real() - 3_600_000);
    await within(spool.drained(), "the batch to be sent again");
    vi.spyOn(Date, "now").mockImplementation(() => real() + 3_600_000);
    await spool.put("local", [signal(2)]);
    await within(spool.drained(), "the next batch to be sent");
    expect(edge.values()).toEqual([1, 2]);
    expect(link.counts.connects).toBe(1);
  });
});

describe("the agent under fire", () => {
  it("reports that its token was deleted, keeps taking in signals, and picks up a new token", async () => {
    const edge = await startEdge();
    const stateDir = temporaryDirectory();
    const token = join(stateDir, "token");
    writeFileSync(token, "secret", { mode: 0o600 });
    const agent = await runAgent({ url: edge.url, token: "" }, { stateDir });
    closing.push(() => agent.process.killGroup());
    await agent.linked();
    edge.token = "a-new-one";
    edge.dropConnections();
    await agent.process.line(/link: the edge does not know the token \(401\): check GANGLION_TOKEN or the token file/);
    drop(agent.intentsDir, "meanwhile");
    writeFileSync(`${token}.new`, "a-new-one", { mode: 0o600 });
    renameSync(`${token}.new`, token);
    await within(
      edge.when(() => edge.log.length === 1),
      "what was taken in meanwhile",
    );
    expect(agent.process.lines.join("\n")).not.toMatch(/secret|a-new-one/);
    expect(await agent.process.stop()).toBe(0);
  });

  it("creates a new state database when the old one is corrupted, and logs where the old one is", async () => {
    const edge = await startEdge();
    const stateDir = temporaryDirectory();
    writeFileSync(join(stateDir, "agent.db"), "rubbish ".repeat(1_000));
    const agent = await runAgent({ url: edge.url, token: "secret" }, { stateDir });
    closing.push(() => agent.process.killGroup());
    await agent.process.line(/ERROR the state database was corrupted.*moved_to=.*agent\.db\.corrupted-/);
    await agent.linked();
    drop(agent.intentsDir, "after");
    await edge.when(() => edge.log.length === 1);
    await edge.when(() => JSON.stringify(edge.statuses).includes("agent.db.corrupted-"));
    expect(await agent.process.stop()).toBe(0);
  });

  it("loses no intent while its disk is full, and routes all when there is space", async ({ skip }) => {
    const edge = await startEdge();
    const stateDir = temporaryDirectory();
    const intentsDir = temporaryDirectory();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", stateDir], { stdio: "ignore" });
    } catch {
      // Only root may make a small disk.
      return skip();
    }
    closing.push(() => execFileSync("umount", ["--lazy", stateDir]));
    const agent = await runAgent(
      { url: edge.url, token: "secret" },
      { stateDir, env: { GANGLION_INTENTS_DIR: intentsDir } },
    );
    closing.push(() => agent.process.killGroup());
    await agent.linked();
    const filling = join(stateDir, "filling");
    try {
      writeFileSync(filling, Buffer.alloc(4 * 1024 * 1024));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
    }
    // The edge puts off, so that nothing makes room.
    edge.interfere = () => busy;
    for (let n = 0; n < 100; n++) drop(intentsDir, `i${n}`, "x".repeat(20_000));
    await agent.process.line(/intents: a file could not be handled/);
    edge.interfere = () => undefined;
    rmSync(filling);
    await within(
      edge.when(() => new Set(edge.log.map(({ facts }) => facts.question_id)).size === 100),
      "all intents",
    );
    expect(edge.log).toHaveLength(100);
    expect(await agent.process.stop()).toBe(0);
  });
});
