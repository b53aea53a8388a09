import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { alive, untilEnded } from "../../harness/process-alive.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { first } from "../../harness/until.ts";
import { hostTree, told } from "./host-tree.ts";

const named = (name: string) => (signal: Signal) => signal.signal === name;
const question = { question: "Is there a module vision?", question_id: "q-3", priority: "high" };

test.concurrent("promotions lead to a dream, the dream to a deployed winner; a question to an investigation and an integrated module", async () => {
  const edge = await runEdge();
  const tree = hostTree(edge);
  const agent = await tree.runAgent();
  const client = edge.client();

  await client.agents.runMonitors();
  const { ids } = await client.emit({ signal: "Q_CURIOSITY_INVESTIGATE", source: "test", facts: question });
  const stream = client.follow({ after: 0, signals: ["Q_*"] });
  const integrated = await first(stream, named("Q_MODULE_INTEGRATED"), "the module's integration");
  expect(integrated.facts).toMatchObject({ module_name: "vision", module_path: "vision", created_init: true });
  const follow = client.follow({ after: 0, signals: ["Q_*"] });
  const deployed = await first(follow, named("Q_WINNER_DEPLOYED"), "the winner's deployment");

  expect(readlinkSync(tree.at("deployed/summarise"))).toMatch(/^\.releases\/summarise\/[0-9a-f]{16}$/);
  expect(readFileSync(tree.at("deployed/summarise/variant.py"), "utf8")).toContain("second generation");
  expect(existsSync(tree.at("promotions/acknowledged/p-1.json"))).toBe(true);
  expect(existsSync(tree.at("organs/vision/__init__.py"))).toBe(true);
  const lines = readFileSync(tree.at("curiosity_investigations.jsonl"), "utf8").trim().split("\n");
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[2] ?? "")).toMatchObject({ ...question, hypothesis: "UNDISCOVERED_MODULE_vision" });

  const all = await told(edge);
  const one = (name: string) => {
    expect(all.get(name), name).toHaveLength(1);
    return all.get(name)?.[0] as Signal;
  };
  expect(one("Q_DREAM_COMPLETE").facts).toMatchObject({ winners: 1, generations: 2, promotion_count: 1 });
  expect(one("Q_DREAM_COMPLETE").cause).toBe(one("Q_DREAM_TRIGGER").id);
  expect(deployed.cause).toBe(one("Q_DREAM_COMPLETE").id);
  expect(one("Q_INVESTIGATION_COMPLETE")).toMatchObject({ cause: ids[0], facts: { question_id: "q-3" } });
  expect(integrated.cause).toBe(one("Q_INVESTIGATION_COMPLETE").id);
  expect(new Set([integrated, one("Q_INVESTIGATION_COMPLETE")].map(({ trace }) => trace?.slice(3, 35))).size).toBe(1);
  expect(await agent.process.stop()).toBe(0);
});

test.concurrent("an agent that is killed in the middle of a dream and of an investigation does each once when it is back", async () => {
  const edge = await runEdge();
  const tree = hostTree(edge);
  // Both commands note that they began, with their process, and then take their time when it is the first one.
  const noting = (command: string) =>
    `echo $$ >> ${command}.begun; echo ${command} process $$ >&2; [ $(wc -l < ${command}.begun) -gt 1 ] || { sleep 600 & wait; }; exec`;
  const config = readFileSync(tree.at("ganglion-agent.yaml"), "utf8")
    // The promotion waits for as long as the dream is interrupted: the edge may ask meanwhile, or not.
    .replace(/^monitors: .*$/m, "monitors: {health: false}")
    .replace("command: [sh, commands/dream.sh]", () => `command: "${noting("dream")} sh commands/dream.sh"`)
    .replace(
      "command: [python3, commands/investigate.py]",
      () => `command: "${noting("investigation")} python3 commands/investigate.py"`,
    );
  writeFileSync(tree.at("ganglion-agent.yaml"), config);
  const agent = await tree.runAgent();
  const client = edge.client();
  await client.emit({ signal: "Q_PROMOTIONS_DETECTED", source: "test", facts: { promotion_count: 1 } });
  await client.emit({ signal: "Q_CURIOSITY_INVESTIGATE", source: "test", facts: question });
  const commands = ["dream", "investigation"];
  const left = await Promise.all(
    commands.map(async (command) => Number((await agent.process.line(new RegExp(`${command} process (\\d+)`)))[1])),
  );
  agent.process.signal("SIGKILL");
  await agent.process.ended;
  expect(left.map(alive)).toEqual([true, true]);

  const again = await tree.runAgent();
  await untilEnded(left);
  const signals = client.follow({ after: 0, signals: ["Q_*"] });
  const wanted = new Set(["Q_MODULE_INTEGRATED", "Q_WINNER_DEPLOYED"]);
  await first(signals, ({ signal }) => wanted.delete(signal) && wanted.size === 0, "both loops to close");
  for (const command of commands)
    expect(
      readFileSync(tree.at(`${command}.begun`), "utf8")
        .trim()
        .split("\n"),
    ).toHaveLength(2);
  expect(await again.process.stop()).toBe(0);

  // Once more from the same state: nothing is left to do.
  const third = await tree.runAgent();
  await client.emit({ signal: "Q_LAST_ONE", source: "test", facts: {} });
  expect(await third.process.stop()).toBe(0);
  const all = await told(edge);
  for (const name of ["Q_DREAM_COMPLETE", "Q_WINNER_DEPLOYED", "Q_INVESTIGATION_COMPLETE", "Q_MODULE_INTEGRATED"])
    expect(all.get(name), name).toHaveLength(1);
  expect(readFileSync(tree.at("curiosity_investigations.jsonl"), "utf8").trim().split("\n")).toHaveLength(3);
  expect([...all.keys()].filter((name) => name.endsWith("_FAILED"))).toEqual([]);
});
