import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DeadLetterOutbox } from "../../../local-agent/store/dead-letter-outbox.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { temporaryDirectory as directoryOfProcess } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { signal } from "./link-under-test.ts";

/** The state that an agent named `old-name` has left while the edge was away. */
async function leftBehind(stateDir: string, { signals, letters }: { signals: number; letters: number }) {
  const db = StateDatabase.open(stateDir);
  const spool = new Spool(db, { hostId: "old-name", maxBytes: 1e9, now: Date.now, log: silent });
  const outbox = new DeadLetterOutbox(db, { hostId: "old-name", log: silent });
  for (let n = 0; n < signals; n++) await spool.put("local", [signal(n)]);
  for (let n = 0; n < letters; n++)
    await outbox.put({ id: `old-name.intent.${n}`, kind: "intent", intent: {}, error: "no route", daemon: "intents" });
  db.close();
}

describe("a host that was renamed in its settings", () => {
  it("sends the dead letters of its former name, which block no later ones", async () => {
    const edge = await runEdge();
    const stateDir = directoryOfProcess();
    await leftBehind(stateDir, { signals: 0, letters: 3 });
    const agent = await runAgent(edge, { host: "new-name", stateDir });
    await agent.linked();
    writeFileSync(join(agent.intentsDir, "later.json"), '{"type": "unknown.type"}');
    const client = edge.client();
    await eventually(async () => {
      const { dead_letters } = await client.deadLetters.list({});
      expect(dead_letters.map(({ host }) => host)).toEqual(Array(4).fill("new-name"));
      const former = dead_letters.filter(({ id }) => id.startsWith("new-name.old-name.intent."));
      expect(former).toHaveLength(3);
      expect(former[0]?.error).toBe("no route (from the time when this host was named old-name)");
    });
    await agent.process.stop();
  });

  it("sends its spool under the former name, then goes on under the new one, and its dead letters go along", async () => {
    const edge = await runEdge();
    const stateDir = directoryOfProcess();
    await leftBehind(stateDir, { signals: 2, letters: 1 });
    const agent = await runAgent(edge, { host: "new-name", stateDir });
    writeFileSync(join(agent.intentsDir, "later.json"), '{"type": "unknown.type"}');
    const client = edge.client();
    await eventually(async () => {
      expect((await client.status()).log.hosts).toEqual(["new-name"]);
      expect((await client.signals({ signals: ["Q_TEST_DONE"] })).signals.map(({ id }) => id)).toEqual([
        expect.stringMatching(/^old-name\./),
        expect.stringMatching(/^old-name\./),
      ]);
      expect((await client.deadLetters.list({})).dead_letters).toHaveLength(2);
    });
    await agent.process.stop();
  });

  it("sends its spool under the new name where its token is bound to that", async () => {
    const edge = await runEdge();
    const stateDir = directoryOfProcess();
    await leftBehind(stateDir, { signals: 2, letters: 1 });
    const client = edge.client();
    const { token } = await client.tokens.create({
      name: "host",
      scopes: ["signals:write", "signals:read"],
      ecosystems: ["default"],
      hosts: ["new-name"],
    });
    const agent = await runAgent({ url: edge.url, token }, { host: "new-name", stateDir });
    await eventually(async () => {
      expect((await client.status()).log.hosts).toEqual(["new-name"]);
      expect((await client.signals({ signals: ["Q_TEST_DONE"] })).signals.map(({ id }) => id)).toEqual([
        expect.stringMatching(/^new-name\./),
        expect.stringMatching(/^new-name\./),
      ]);
      expect((await client.deadLetters.list({})).dead_letters).toHaveLength(1);
    });
    await agent.process.stop();
  });

  it("keeps its signals whenever the spool takes the new name", async () => {
    const directory = temporaryDirectory();
    await leftBehind(directory, { signals: 1, letters: 0 });
    const db = StateDatabase.open(directory);
    const spool = new Spool(db, { hostId: "new-name", maxBytes: 1e9, now: Date.now, log: silent });
    expect(await spool.takeNewName("when empty")).toBe(false);
    expect(spool.producer("local")).toMatch(/^old-name\./);
    expect(await spool.takeNewName("at once")).toBe(true);
    expect(spool.producer("local")).toMatch(/^new-name\./);
    expect(spool.read("local", 1, 10, 1e6)).toMatchObject({ first: 1, last: 1 });
    db.close();
  });
});
