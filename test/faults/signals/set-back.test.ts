import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { freePort } from "../../harness/free-port.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { untilFile, within } from "../../harness/until.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, place) => from + place);

function drop(intentsDir: string, numbers: readonly number[]): void {
  mkdirSync(intentsDir, { recursive: true });
  for (const n of numbers) {
    const path = join(intentsDir, `q${n}.json`);
    writeFileSync(`${path}.tmp`, JSON.stringify({ id: `q${n}`, type: "ask", data: { question: `Why ${n}?` } }));
    renameSync(`${path}.tmp`, path);
  }
}

/** Resolves when the log holds the questions of `numbers`; gives how often it holds each. */
async function questions(edge: RunningEdge, numbers: readonly number[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const missing = new Set(numbers.map((n) => `q${n}`));
  const read = async () => {
    for await (const { facts } of edge.client().follow({ after: 0, signals: ["Q_CURIOSITY_INVESTIGATE"] })) {
      const id = String(facts.question_id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
      missing.delete(id);
      if (missing.size === 0) return;
    }
  };
  await within(read(), `${[...missing].slice(0, 3).join(", ")} … in the log`);
  return counts;
}

/** The agent has taken a dropped file when the file is gone. */
const taken = (agent: RunningAgent, n: number) => untilFile(join(agent.intentsDir, `q${n}.json`), { gone: true });

describe("an agent whose state was replaced by a backup of it", () => {
  test("loses none of the signals that bear numbers of lost ones, and sends none twice", async () => {
    const port = await freePort();
    const edgeState = temporaryDirectory();
    const stateDir = temporaryDirectory();
    const intentsDir = temporaryDirectory();
    const backup = join(temporaryDirectory(), "backup");
    let edge = await runEdge({ port, stateDir: edgeState });
    const start = () => runAgent(edge, { stateDir, env: { GANGLION_INTENTS_DIR: intentsDir } });

    let agent = await start();
    drop(intentsDir, range(1, 10));
    await questions(edge, range(1, 10));
    await agent.process.stop();
    cpSync(stateDir, backup, { recursive: true });

    agent = await start();
    drop(intentsDir, range(11, 25));
    await questions(edge, range(1, 25));
    await agent.process.stop();
    rmSync(stateDir, { recursive: true });
    cpSync(backup, stateDir, { recursive: true });

    // While the edge is away: by the time of the link, the agent has given the numbers of the signals that it forgot.
    await edge.process.stop();
    agent = await start();
    drop(intentsDir, range(26, 40));
    await taken(agent, 40);
    edge = await runEdge({ port, stateDir: edgeState });
    const counts = await questions(edge, range(1, 40));
    await agent.process.stop();
    expect([...counts.values()].every((count) => count === 1)).toBe(true);
    expect(counts.size).toBe(40);
  });
});

describe("a clone of a machine", () => {
  test("is told, waits, and loses nothing; neither does the machine", async () => {
    const edge = await runEdge();
    const first = temporaryDirectory();
    const second = join(temporaryDirectory(), "clone");
    const intents = [temporaryDirectory(), temporaryDirectory()] as const;
    const start = (stateDir: string, intentsDir: string) =>
      runAgent(edge, { stateDir, env: { GANGLION_INTENTS_DIR: intentsDir } });

    let machine = await start(first, intents[0]);
    drop(intents[0], range(1, 5));
    await questions(edge, range(1, 5));
    await machine.process.stop();
    cpSync(first, second, { recursive: true });

    machine = await start(first, intents[0]);
    await machine.linked();
    const clone = await start(second, intents[1]);
    // The newer process has the link, as after a restart of one machine; the older one finds the copy there.
    await machine.process.message(
      ({ type, link }: { type?: string; link?: { detail: string } }) =>
        type === "status" && link?.detail.includes("copy of this agent's state") === true,
      "the machine to be told of its clone",
    );
    drop(intents[0], range(6, 30));
    drop(intents[1], range(31, 60));
    await taken(machine, 30);
    await questions(edge, [...range(1, 5), ...range(31, 60)]);
    await clone.process.stop();
    const counts = await questions(edge, range(1, 60));
    await machine.process.stop();
    expect([...counts.values()].every((count) => count === 1)).toBe(true);
    expect(counts.size).toBe(60);
  });
});
