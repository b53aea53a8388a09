import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../harness/cleanup.ts";
import { runAgent } from "../harness/running-agent.ts";
import { runEdge } from "../harness/running-edge.ts";
import { within } from "../harness/until.ts";
import { Dice } from "./dice.ts";
import { readLog } from "./what-is-kept.ts";

// `GANGLION_KILLS=40` is the long run.
const KILLS = Number(process.env.GANGLION_KILLS ?? 8);
const ROUNDS = 3;
const SEED = Number(process.env.GANGLION_SEED ?? 20_265);

/**
 * Says in the journal that it began, takes the promotions that lie there now, apart from those that it never
 * acknowledges, dreams for a while, and says that it is over. What a killed agent left running is ended by the next.
 */
const DREAM = `echo "began $GANGLION_SIGNAL_ID" >> journal
taken=$(find promotions -maxdepth 1 -name '*.json' ! -name '*7.json'); sleep 0.$((1 + RANDOM % 4))
for one in $taken; do mv "$one" promotions/acknowledged/; done; sleep 0.$((RANDOM % 3)); echo '{"winners": 1}'`;

test(`edge and agent killed ${KILLS} times at random: a dream begins after each promotion came, one at a time, each told once (seed ${SEED})`, async () => {
  const dice = new Dice(SEED);
  const host = hostThatDreams();
  let edge = await runEdge();
  const { stateDir } = edge;
  const port = Number(new URL(edge.url).port);
  const agentState = temporaryDirectory();
  const startAgent = () =>
    runAgent(edge, { stateDir: agentState, sources: [], env: { GANGLION_CONFIG: host.configuration } });
  let agent = await startAgent();
  await agent.linked();

  let over = false;
  const coming = (async () => {
    for (let n = 1; !over; n++) {
      host.promote(n);
      await pause(dice.between(0, 400));
    }
  })();
  const ask = async () => {
    const { answered } = await within(edge.client().agents.runMonitors(), "the monitors", 10_000);
    return answered.length;
  };
  // As the cron does, oftener. What it asks an edge that is down is lost.
  const asking = (async () => {
    let answered = 0;
    while (!over) {
      answered += await ask().catch(() => 0);
      await pause(dice.between(10, 250));
    }
    return answered;
  })();
  const killed = { edge: 0, agent: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(dice.between(20, 1_500));
    if (dice.next() < 0.7) {
      await edge.process.killGroup();
      edge = await runEdge({ stateDir, port });
      killed.edge++;
    } else {
      await agent.process.killGroup();
      agent = await startAgent();
      killed.agent++;
    }
  }
  over = true;
  const [, answered] = await Promise.all([coming, asking]);
  expect(answered).toBeGreaterThan(0);

  // The last ones come while a dream is in flight: nobody else comes to have them told again.
  for (let round = 0; round < ROUNDS; round++) {
    host.promote(1_000 + 10 * round);
    await expect.poll(() => ask().then(host.missed, () => ["nobody asked"]), { timeout: 60_000 }).toEqual([]);
    host.promote(1_001 + 10 * round);
    await ask();
    if (dice.next() < 0.5) continue;
    await edge.process.killGroup();
    edge = await runEdge({ stateDir, port });
  }

  // Only now, asked until there is nothing to tell: what came is dreamt of, and what is never acknowledged is left alone.
  const quiet = async () => {
    const { answered, told } = await edge.client().agents.runMonitors();
    return { answered, told, missed: host.missed(), ...dreamsOf(await readLog(edge)) };
  };
  const nothing = { answered: [agent.host], told: [], missed: [], open: 0 };
  await expect.poll(quiet, { timeout: 60_000, interval: 500 }).toMatchObject(nothing);
  await expect.poll(quiet, { timeout: 60_000, interval: 500 }).toMatchObject(nothing);

  const { order, ends } = dreamsOf(await readLog(edge));
  // One at a time, each with one end, of which it is the cause.
  expect(order).toEqual(order.map((_, place) => (place % 2 === 0 ? "Q_DREAM_TRIGGER" : "Q_DREAM_COMPLETE")));
  expect(new Set(ends).size).toBe(ends.length);
  const began = new Set(host.journal().flatMap(([what, id]) => (what === "began" && id !== undefined ? [id] : [])));
  expect(ends.toSorted()).toEqual([...began].toSorted());
  const came = host.journal().filter(([what]) => what === "came").length;
  console.log(JSON.stringify({ killed, came, dreams: ends.length, asked: answered }));
}, 600_000);

function hostThatDreams() {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "promotions/acknowledged"), { recursive: true });
  const configuration = join(directory, "agent.yaml");
  const monitors = { promotions_directory: "promotions", health: false };
  const run = { built_in: "dream-runner", command: ["bash", "-c", DREAM], grace_ms: 100 };
  writeFileSync(configuration, JSON.stringify({ monitors, reactions: { dream: { run } } }));
  const journal = () =>
    readFileSync(join(directory, "journal"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" "));
  return {
    configuration,
    journal,
    promote: (n: number) => {
      writeFileSync(join(directory, `promotions/${n}.json.tmp`), "{}");
      renameSync(join(directory, `promotions/${n}.json.tmp`), join(directory, `promotions/${n}.json`));
      appendFileSync(join(directory, "journal"), `came ${n}\n`);
    },
    /** Promotions that came after the last dream began. */
    missed: () => {
      const lines = journal();
      return lines.slice(lines.findLastIndex(([what]) => what === "began") + 1).map(([, n]) => n);
    },
  };
}

function dreamsOf(log: Awaited<ReturnType<typeof readLog>>) {
  const dreams = log.filter(({ signal }) => signal.startsWith("Q_DREAM_"));
  const ends = dreams.filter(({ signal }) => signal !== "Q_DREAM_TRIGGER").map(({ cause }) => cause ?? "no cause");
  return { order: dreams.map(({ signal }) => signal), ends, open: dreams.length - 2 * ends.length };
}
