import { createMessageBatch } from "cloudflare:test";
import { expect, it } from "vitest";
import { planRound } from "../../../src/core/hosts/monitors/rounds.ts";
import type { Environment } from "../../../src/workers/bindings/environment.ts";
import { everyMinute } from "../../../src/workers/cron.ts";
import { consumeRounds, ROUNDS_QUEUE } from "../../../src/workers/rounds/rounds-queue.ts";

/** Cloudflare's limits on the calls of one invocation and on the size of messages. */
const LIMIT = { calls: 1_000, messageBytes: 128_000, batchBytes: 256_000 };

/** A minute in which nothing is counted that is counted every ten minutes. */
const NOW = Date.parse("2026-11-01T12:01:00.000Z");

interface Sent {
  readonly body: string;
}

/** A deployment of many ecosystems whose objects only count their calls. */
function deployment(names: readonly string[], { failing = "", deleted = [] as string[] } = {}) {
  const done: string[] = [];
  const sent: Sent[] = [];
  const invocation = { calls: 0, open: 0, peak: 0 };
  const object = (answers: (name: string) => Record<string, () => unknown>) => ({
    idFromName: (name: string) => name,
    get: (name: string) => {
      const called = (method: string, answer: () => unknown) => async () => {
        invocation.calls++;
        invocation.peak = Math.max(invocation.peak, ++invocation.open);
        await Promise.resolve();
        invocation.open--;
        if (name === failing) throw new Error("it is down");
        done.push(`${method} ${name}`);
        return answer();
      };
      return Object.fromEntries(
        Object.entries(answers(name)).map(([method, answer]) => [method, called(method, answer)]),
      );
    },
  });
  const env = {
    DIRECTORY: object(() => ({
      ecosystems: () => names.map((name) => ({ name, last_active_at: new Date(NOW).toISOString() })),
      marked: () => ({ watched: [], exporting: [] }),
      ended: () => deleted.map((id) => ({ id, ecosystems: ["*"] })),
      known: () => ({ queues: [{ name: "work" }], locking: false }),
    })),
    SIGNAL_LOG: object(() => ({ nudge: () => undefined, retain: () => undefined, closeToken: () => undefined })),
    PRIORITY_QUEUE: object(() => ({ closeToken: () => undefined })),
    QUEUE_LOBBY: object(() => ({ closeToken: () => undefined })),
    AGENT_REGISTRY: object(() => ({ tick: () => undefined })),
    ROUNDS: {
      sendBatch: async (messages: readonly Sent[]) => {
        expect(messages.length).toBeLessThanOrEqual(100);
        expect(messages.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThan(LIMIT.batchBytes);
        sent.push(...messages);
      },
    },
  } as unknown as Environment;
  /** Runs one invocation. @returns how many calls it made, and how many at a time */
  const invoke = async (work: () => Promise<void>) => {
    Object.assign(invocation, { calls: 0, open: 0, peak: 0 });
    await work();
    return { ...invocation };
  };
  const deliver = ({ body }: Sent, nowMs = NOW) => {
    const batch = createMessageBatch(ROUNDS_QUEUE, [{ id: "m", timestamp: new Date(), attempts: 1, body }]);
    return invoke(() => consumeRounds(batch, env, nowMs));
  };
  return { env, done, sent, invoke, deliver };
}

const ecosystems = (count: number) => Array.from({ length: count }, (_, n) => `e${n}`.padEnd(63, "x"));
/** Every ecosystem is asked, and some are nudged, each at minutes of its own. */
function wanted(names: readonly string[]): string[] {
  const known = names.map((name) => ({ name, lastActiveMs: NOW }));
  const { nudge, ask } = planRound(known, [], 86_400_000, NOW);
  expect(nudge.length).toBeGreaterThan(names.length / 30);
  return [...nudge.map((name) => `nudge ${name}`), ...ask.map((name) => `tick ${name}`)].sort();
}
const minutely = (done: readonly string[]) => done.filter((what) => /^(nudge|tick) /.test(what)).sort();

it("runs a small round without the queue, and continues after an ecosystem that fails", async () => {
  const names = ecosystems(150);
  const { env, done, sent, invoke } = deployment(names, { failing: names[3] as string });
  const { calls, peak } = await invoke(() => everyMinute(env, NOW));
  expect([calls <= LIMIT.calls, peak <= 64, sent.length]).toEqual([true, true, 0]);
  expect(minutely(done)).toEqual(wanted(names.filter((_, n) => n !== 3)));
});

it("divides the round of 5,000 ecosystems so that no invocation exceeds the limit of calls", async () => {
  const names = ecosystems(5_000);
  const { env, done, sent, invoke, deliver } = deployment(names, { deleted: ["t1"] });
  expect((await invoke(() => everyMinute(env, NOW))).calls).toBe(3);
  expect(sent.length).toBeGreaterThan(25);
  for (const message of sent) {
    expect(message.body.length).toBeLessThan(LIMIT.messageBytes);
    const { calls, peak } = await deliver(message);
    expect([calls <= LIMIT.calls, peak <= 3 * 64]).toEqual([true, true]);
  }
  expect(minutely(done)).toEqual(wanted(names));
  // For each ecosystem its log, its lobby and its one queue.
  expect(done.filter((what) => what.startsWith("closeToken"))).toHaveLength(15_000);
});

it("skips the nudges and ticks of a late share, and still closes deleted tokens", async () => {
  const { env, done, sent, deliver, invoke } = deployment(ecosystems(300), { deleted: ["t1"] });
  await invoke(() => everyMinute(env, NOW));
  done.length = 0;
  for (const message of sent) await deliver(message, NOW + 120_000);
  expect(minutely(done)).toEqual([]);
  expect(done.filter((what) => what.startsWith("closeToken"))).toHaveLength(900);
});
