import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { within } from "../../harness/until.ts";
import { linesOf } from "../lines-of-file.ts";
import { Rng } from "../rng.ts";
import { readLog } from "../what-is-kept.ts";

// `GANGLION_KILLS=40` is the long run.
const KILLS = Number(process.env.GANGLION_KILLS ?? 3);
const ROUNDS = 3;
const SEED = Number(process.env.GANGLION_SEED ?? 20_265);
const HOSTS = ["host-a", "host-b"] as const;

/**
 * Says in the journal that it began, takes the promotions that lie there now, apart from those that it never
 * acknowledges, dreams for a while, and says that it is over. What a killed agent left running is ended by the next:
 * the lock tells whether two ever dreamt at a time.
 */
const DREAM = `exec 9> dreaming; flock -n 9 || echo $GANGLION_SIGNAL_ID >> overlapped
echo "began $GANGLION_SIGNAL_ID" >> journal
taken=$(find promotions -maxdepth 1 -name '*.json' ! -name '*7.json'); sleep 0.$((1 + RANDOM % 4))
for one in $taken; do mv "$one" promotions/acknowledged/; done; sleep 0.$((RANDOM % 3)); echo '{"winners": 1}'`;

test(`edge and agents of two hosts killed ${KILLS} times at random: on each host a dream begins after each promotion, dreams run one at a time, and each end is reported once (seed ${SEED})`, async () => {
  const rng = new Rng(SEED);
  let edge = await runEdge();
  const { stateDir } = edge;
  const port = Number(new URL(edge.url).port);
  const killEdge = async () => {
    await edge.process.killGroup();
    edge = await runEdge({ stateDir, port });
  };
  const hosts = HOSTS.map(hostThatDreams);
  const startAgent = ({ name, agentState, configuration }: DreamingHost) =>
    runAgent(edge, { host: name, stateDir: agentState, sources: [], env: { GANGLION_CONFIG: configuration } });
  const agents: RunningAgent[] = await Promise.all(hosts.map(startAgent));
  for (const agent of agents) await agent.linked();

  let over = false;
  const coming = (async () => {
    for (let n = 1; !over; n++) {
      rng.pick(hosts as [DreamingHost]).promote(n);
      await pause(rng.between(0, 400));
    }
  })();
  const ask = async () => {
    const { answered } = await within(edge.client().agents.runMonitors(), "the monitors");
    return answered.length;
  };
  // As the cron does, oftener. What it asks an edge that is down is lost.
  let answered = 0;
  const asking = (async () => {
    while (!over) {
      answered += await ask().catch(() => 0);
      await pause(rng.between(10, 250));
    }
  })();
  const killed = { edge: 0, agent: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    const before = answered;
    // Where something happens mostly, and now and then while links are about to be opened.
    if (kill % 4 < 3) await expect.poll(() => answered, { timeout: 120_000, interval: 10 }).toBeGreaterThan(before);
    await pause(rng.between(0, 600));
    if (rng.next() < 0.6) {
      await killEdge();
      killed.edge++;
    } else {
      const place = rng.between(0, hosts.length - 1);
      await agents[place]?.process.killGroup();
      agents[place] = await startAgent(hosts[place] as DreamingHost);
      killed.agent++;
    }
  }
  over = true;
  await Promise.all([coming, asking]);

  // The last ones come while a dream is in flight: nobody else comes to have them told again.
  const missed = () => hosts.flatMap((host) => host.missed());
  for (let round = 0; round < ROUNDS; round++) {
    rng.pick(hosts as [DreamingHost]).promote(1_000_000 + 10 * round);
    await expect.poll(() => ask().then(missed, () => ["nobody asked"]), { timeout: 120_000 }).toEqual([]);
    rng.pick(hosts as [DreamingHost]).promote(1_000_001 + 10 * round);
    await ask();
    if (rng.next() < 0.5) continue;
    await killEdge();
  }

  // Only now, asked until there is nothing to tell: what came is dreamt of, and what is never acknowledged is left alone.
  const quiet = async () => {
    const { answered, told } = await edge.client().agents.runMonitors();
    const { begun, ends } = dreamsOf(await readLog(edge));
    return { answered: answered.toSorted(), told, missed: missed(), open: begun.length * hosts.length - ends.length };
  };
  const nothing = { answered: HOSTS, told: [], missed: [], open: 0 };
  await expect.poll(quiet, { timeout: 300_000, interval: 200 }).toEqual(nothing);
  expect(await quiet()).toEqual(nothing);

  const { order, begun, ends } = dreamsOf(await readLog(edge));
  // Each that begins needs the end of one before; the first end that a host tells counts for the cycle.
  const inFlight = order.map((_, place) => {
    const begins = order.slice(0, place + 1).filter((name) => name === "Q_DREAM_TRIGGER").length;
    return 2 * begins - (place + 1);
  });
  expect(inFlight.filter((count) => count > 1)).toEqual([]);
  // Each host dreams each dream, and tells of its end once, which names its beginning as the cause.
  for (const host of hosts) {
    const own = ends.filter(({ source }) => source === `reaction/dream/${host.name}`);
    expect(own.map(({ cause }) => cause ?? "no cause").toSorted()).toEqual(begun.map(({ id }) => id).toSorted());
    // What was given up after too many crashes may never have come so far as to say so.
    const complete = own.filter(({ signal }) => signal === "Q_DREAM_COMPLETE").map(({ cause }) => cause);
    expect(complete.filter((id) => id === undefined || !host.began().has(id))).toEqual([]);
    const unknown = [...host.began()].filter((id) => !own.some(({ cause }) => cause === id));
    expect(unknown).toEqual([]);
    expect(host.overlapped()).toBe(false);
  }
  const came = hosts.reduce((sum, host) => sum + host.came(), 0);
  console.log(JSON.stringify({ killed, came, dreams: begun.length, asked: answered }));
}, 3_600_000);

interface DreamingHost {
  readonly name: string;
  readonly agentState: string;
  readonly configuration: string;
  promote(n: number): void;
  came(): number;
  /** Ids of the triggers of which a dream began. */
  began(): ReadonlySet<string>;
  /** Promotions that came after the last dream began. */
  missed(): string[];
  /** Whether two dreams ran at a time. */
  overlapped(): boolean;
}

function hostThatDreams(name: string): DreamingHost {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "promotions/acknowledged"), { recursive: true });
  const configuration = join(directory, "agent.yaml");
  const monitors = { promotions_directory: "promotions", health: false };
  const run = { built_in: "dream-runner", command: ["bash", "-c", DREAM], grace_ms: 100 };
  writeFileSync(configuration, JSON.stringify({ monitors, reactions: { dream: { run } } }));
  const journal = () => linesOf(join(directory, "journal"));
  return {
    name,
    configuration,
    agentState: temporaryDirectory(),
    promote: (n) => {
      writeFileSync(join(directory, `promotions/${n}.json.tmp`), "{}");
      renameSync(join(directory, `promotions/${n}.json.tmp`), join(directory, `promotions/${n}.json`));
      appendFileSync(join(directory, "journal"), `came ${n}\n`);
    },
    came: () => journal().filter((line) => line.startsWith("came ")).length,
    began: () => new Set(journal().flatMap((line) => (line.startsWith("began ") ? [line.slice(6)] : []))),
    missed: () => {
      const lines = journal();
      return lines.slice(lines.findLastIndex((line) => line.startsWith("began ")) + 1);
    },
    overlapped: () => existsSync(join(directory, "overlapped")),
  };
}

function dreamsOf(log: Awaited<ReturnType<typeof readLog>>) {
  const dreams = log.filter(({ signal }) => signal.startsWith("Q_DREAM_"));
  const begun = dreams.filter(({ signal }) => signal === "Q_DREAM_TRIGGER");
  const ends = dreams.filter(({ signal }) => signal !== "Q_DREAM_TRIGGER");
  return { order: dreams.map(({ signal }) => signal), begun, ends };
}
