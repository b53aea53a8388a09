import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { first, untilFile } from "../../harness/until.ts";

/** Written beside its place and renamed into it, as the contract says. */
function drop(directory: string, name: string, intent: unknown): void {
  const hidden = join(directory, `.${name}.tmp`);
  writeFileSync(hidden, JSON.stringify(intent));
  renameSync(hidden, join(directory, name));
}

const question = (id: string) => ({
  id,
  type: "discover.module.vision",
  data: { question: `what is ${id}?`, priority: "high", evidence: ["seen twice"] },
});
const asked = (id: string) => (signal: Signal) => signal.facts.question_id === id;

test("an intent file becomes a signal at the edge and is gone; what cannot be routed is kept with its reason", async () => {
  const edge = await runEdge();
  const agent = await runAgent(edge, { sources: ["intents"] });
  await agent.linked();
  const client = edge.client();

  const stream = client.follow({ after: 0, signals: ["Q_CURIOSITY_INVESTIGATE"] });
  drop(agent.intentsDir, "one.json", question("one"));
  const signal = await first(stream, asked("one"), "the intent's signal");
  expect(signal.facts).toMatchObject({ question: "what is one?", priority: "high", evidence: ["seen twice"] });
  await untilFile(join(agent.intentsDir, "one.json"), { gone: true });

  const letters = join(agent.intentsDir, "dead-letter");
  for (const [name, text, reason] of [
    ["half.json", '{"id": "half", "type": "disco', /JSON/],
    ["prose.json", "please look into it", /JSON/],
    ["unknown.json", '{"id": "u", "type": "make.coffee", "data": {}}', /no route for intents of this type/],
  ] as const) {
    writeFileSync(join(agent.intentsDir, name), text);
    await agent.process.line(new RegExp(`file=${name} dead_letter=`));
    expect(readFileSync(join(letters, name), "utf8")).toBe(text);
    expect(JSON.parse(readFileSync(join(letters, name.replace(".json", ".error.json")), "utf8")).reason).toMatch(
      reason,
    );
  }

  expect(await agent.process.stop()).toBe(0);
  for (const id of ["down-1", "down-2", "down-3"]) drop(agent.intentsDir, `${id}.json`, question(id));
  const again = await runAgent(edge, { sources: ["intents"], stateDir: agent.stateDir });
  const waited = new Set(["down-1", "down-2", "down-3"]);
  const found = ({ facts }: Signal) => waited.delete(String(facts.question_id)) && waited.size === 0;
  await first(client.follow({ after: signal.seq, signals: ["Q_*"] }), found, "all files that waited");
  expect(await again.process.stop()).toBe(0);
  expect(readdirSync(agent.intentsDir)).toEqual(["dead-letter"]);
  const { signals } = await client.signals({ signals: ["Q_CURIOSITY_INVESTIGATE"] });
  expect(signals.map(({ facts }) => facts.question_id).sort()).toEqual(["down-1", "down-2", "down-3", "one"]);
});
