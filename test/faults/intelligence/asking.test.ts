import { expect, test } from "vitest";
import { openIntelligence } from "../../../src/client/intelligence/open.ts";
import { openWorkChannel } from "../../../src/client/work/work-channel.ts";
import { INTELLIGENCE_QUEUE } from "../../../src/core/intelligence/call-types.ts";
import { readAnswer, writeEvent } from "../../../src/core/intelligence/envelope.ts";
import { topicsOf } from "../../../src/core/intelligence/topics.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { Rng } from "../rng.ts";

// `npm run asking` is the long run: 10,000 requests from 50 askers, and 20 kills.
const REQUESTS = Number(process.env.GANGLION_REQUESTS ?? 500);
const ASKERS = Number(process.env.GANGLION_ASKERS ?? 10);
const KILLS = Number(process.env.GANGLION_KILLS ?? 2);
const SEED = Number(process.env.GANGLION_SEED ?? 20_268);
/** Only a failure takes it. */
const LONG_MS = 120_000;
const TOPIC = topicsOf("development").request;

/** One who asks, and how often each of its requests was answered. */
interface Asker {
  /** @returns the path that the answer is about */
  ask(path: string): Promise<string | undefined>;
  readonly answers: ReadonlyMap<string, number>;
  /** Answers that belonged to somebody else. */
  mixedUp(): number;
  close(): void;
}

/** As programs in Node ask. */
function clientAsker({ url, token }: RunningEdge): Asker {
  const answers = new Map<string, number>();
  const settings = { topicRequest: TOPIC, discoveryTimeoutMs: LONG_MS, analysisTimeoutMs: LONG_MS };
  const client = openIntelligence({ url, token, settings });
  return {
    ask: async (path) => {
      const { patterns } = await client.discover(path, "python");
      answers.set(path, (answers.get(path) ?? 0) + 1);
      return patterns[0]?.file_path;
    },
    answers,
    mixedUp: () => client.counts.mismatches,
    close: () => client.close(),
  };
}

/** One that counts every frame which reaches it. */
async function channelAsker({ url, token }: RunningEdge): Promise<Asker> {
  const answers = new Map<string, number>();
  const waiting = new Map<string, { readonly path: string; readonly settle: (path: string | undefined) => void }>();
  let mixedUp = 0;
  const channel = await openWorkChannel({
    url,
    token,
    ecosystem: "default",
    queue: INTELLIGENCE_QUEUE,
    onFrame: (frame) => {
      if (frame.type !== "reply") return;
      const own = waiting.get(frame.correlation_id);
      const answer = readAnswer(frame.result);
      const { path, settle } = own ?? { path: "nobody's", settle: () => undefined };
      answers.set(path, (answers.get(path) ?? 0) + 1);
      if (answer.kind !== "completed" || answer.correlationId !== frame.correlation_id) {
        mixedUp += 1;
        return settle(JSON.stringify(frame));
      }
      settle((answer.payload as { source_path?: string }).source_path);
    },
    onUnsendable: ({ reason }) => {
      throw new Error(`a request ${reason}`);
    },
    onClose: () => {
      for (const { settle } of waiting.values()) settle("the channel was closed");
    },
  });
  return {
    ask: (path) =>
      new Promise((settle) => {
        const correlationId = crypto.randomUUID();
        waiting.set(correlationId, { path, settle });
        const payload = writeEvent(
          "requested",
          { correlationId, payload: { source_path: path, operation_type: "PATTERN_EXTRACTION" } },
          { eventId: crypto.randomUUID(), service: "asker", instanceId: "asker", nowMs: Date.now() },
        );
        channel.send({
          type: "call",
          correlation_id: correlationId,
          recipient: "*",
          task_type: TOPIC,
          payload,
          timeout_ms: LONG_MS,
          max_attempts: 100,
        });
      }),
    answers,
    mixedUp: () => mixedUp,
    close: () => channel.close(),
  };
}

test(`${REQUESTS} requests of ${ASKERS} askers, answered late, out of order and twice by responders of which ${KILLS} are killed: every asker is answered, with its own answer and once (seed ${SEED})`, async () => {
  const rng = new Rng(SEED);
  const edge = await runEdge();
  const { url, token } = edge;
  let responders = 0;
  const startResponder = async () => {
    responders += 1;
    const env = { QUEUE_URL: url, QUEUE_TOKEN: token, WORKER_NAME: `r${responders}`, SEED: String(SEED + responders) };
    const running = new RunningProcess(["test/faults/intelligence/faulty-responder.ts"], { env });
    await running.line(/^answering$/);
    return running;
  };
  await edge.client().queues.configure(INTELLIGENCE_QUEUE, { alert_depth: null });
  const team = await Promise.all([startResponder(), startResponder()]);
  const askers = await Promise.all(
    Array.from({ length: ASKERS }, (_, n) => (n % 2 === 0 ? clientAsker(edge) : channelAsker(edge))),
  );

  let asked = 0;
  let answered = 0;
  const wrong: unknown[] = [];
  const progress = new Set<() => void>();
  /** Resolves when so many requests have been answered. */
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (answered < count) return;
        progress.delete(look);
        resolve();
      };
      progress.add(look);
      look();
    });
  const asking = askers.map(async (asker) => {
    while (asked < REQUESTS) {
      const path = `node_${asked++}_effect.py`;
      const got = await asker.ask(path).catch((error: Error) => String(error));
      if (got !== path) wrong.push([path, got]);
      answered += 1;
      for (const look of progress) look();
    }
  });
  for (let kill = 1; kill <= KILLS; kill++) {
    // In between as many are answered as are under way: no request is lost with its responder again and again.
    await until(Math.floor((REQUESTS * kill) / (KILLS + 1)));
    const place = rng.between(0, team.length - 1);
    await team[place]?.killGroup();
    team[place] = await startResponder();
  }
  await Promise.all(asking);

  expect(wrong).toEqual([]);
  expect(answered).toBe(REQUESTS);
  expect(askers.map((asker) => asker.mixedUp()).filter((count) => count > 0)).toEqual([]);
  const counts = askers.flatMap(({ answers }) => [...answers]);
  expect(counts).toHaveLength(REQUESTS);
  expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
  // What was answered twice has left nothing behind.
  const { depth, running } = await edge.client().queues.status(INTELLIGENCE_QUEUE);
  expect([depth, running]).toEqual([0, 0]);
  for (const asker of askers) asker.close();
  console.log(JSON.stringify({ requests: REQUESTS, askers: ASKERS, killed: KILLS }));
}, 3_600_000);
