import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { PATIENCE_MS } from "../../harness/until.ts";

const patience = { timeout: PATIENCE_MS, interval: 50 };

test("an intent that was given up on a host is seen at the edge, mended on the host, and replayed from the edge", async () => {
  const edge = await runEdge();
  const client = edge.client();
  const agent = await runAgent(edge, { sources: ["intents"] });
  await agent.linked();
  const text = '{"id": "u", "type": "make.coffee", "data": {}}';
  writeFileSync(join(agent.intentsDir, ".unknown.json.tmp"), text);
  renameSync(join(agent.intentsDir, ".unknown.json.tmp"), join(agent.intentsDir, "unknown.json"));

  const list = async () => (await client.deadLetters.list()).dead_letters;
  await vi.waitFor(async () => expect(await list()).toHaveLength(1), patience);
  const [letter] = await list();
  expect(letter).toMatchObject({
    kind: "intent",
    host: "host-a",
    error: expect.stringContaining("no route for intents of this type"),
    intent: { file: "unknown.json", text, intent_type: "make.coffee" },
    attempts: 1,
  });
  const id = letter?.id ?? "";

  // Nothing has changed on the host: it is given up again, and the same letter is here again.
  await vi.waitFor(async () => expect((await client.deadLetters.replay(id)).outcome).toBe("replayed"), patience);
  await vi.waitFor(async () => expect(await list()).toMatchObject([{ id }]), patience);

  // The edge is told before the file is moved.
  const folder = join(agent.intentsDir, "dead-letter");
  const files = () => readdirSync(folder).filter((name) => !name.startsWith("."));
  await eventually(() => expect(files()).toEqual([expect.stringMatching(/\.error\.json$/), expect.any(String)]));
  const [, dead = ""] = files();
  const mended = { id: "u", type: "question", data: { question: "who makes the coffee?" } };
  writeFileSync(join(folder, dead), JSON.stringify(mended));
  expect((await client.deadLetters.replay(id)).outcome).toBe("replayed");
  const routed = async () => (await client.signals({ signals: ["Q_CURIOSITY_INVESTIGATE"] })).signals;
  await vi.waitFor(
    async () => expect(await routed()).toMatchObject([{ facts: { question: "who makes the coffee?" } }]),
    patience,
  );
  expect(await list()).toEqual([]);
  expect((await client.status()).dead_letters).toBe(0);
  await eventually(() => expect(files()).toEqual([]));
});
