import { createMessageBatch, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { consume } from "../../../src/workers/consumer.ts";
import fc from "../../fast-check.ts";
import { freshEcosystem } from "../api/calls.ts";
import { evict } from "../evict.ts";
import { allOf, aSignal, logOf, policyOf } from "../log-under-test.ts";
import { send } from "./policies-under-test.ts";

/** What happens between a client and the rules. */
const step = fc.oneof(
  {
    arbitrary: fc.record({
      what: fc.constant("signal" as const),
      name: fc.constantFrom("X_PROMOTIONS", "X_DONE", "X_ASKED", "X_ANSWERED"),
      key: fc.constantFrom("a", "b"),
      // Sent once more, as by a client whose answer was lost.
      again: fc.boolean(),
    }),
    weight: 6,
  },
  { arbitrary: fc.record({ what: fc.constant("evict" as const), which: fc.constantFrom("policy", "log") }), weight: 2 },
  {
    arbitrary: fc.record({
      what: fc.constant("queue" as const),
      order: fc.constantFrom("in order", "backwards", "twice"),
    }),
    weight: 3,
  },
  { arbitrary: fc.constant({ what: "alarm" as const }), weight: 1 },
  { arbitrary: fc.constant({ what: "rebuild" as const }), weight: 1 },
);

const policies = [
  {
    id: "dream",
    when: "X_PROMOTIONS",
    while_in_flight: { until: "X_DONE", at_most: "1h" },
    then: [{ emit: { signal: "X_DREAM", facts: { by: "id" } } }],
  },
  {
    id: "answer",
    when: "X_ASKED",
    once_per: { by: "facts.key", within: "1h" },
    then: [{ enqueue: { queue: "asked", recipient: "'x'", type: "t", payload: { by: "id" } } }],
    expect: {
      signal: "X_ANSWERED",
      by: "facts.key",
      within: "1h",
      else: [{ emit: { signal: "X_LATE", facts: { by: "id" } } }],
    },
  },
  {
    id: "third",
    when: "X_*",
    where: 'signal in ["X_ASKED", "X_DONE"]',
    at_least: { n: 3, within: "1h", by: "facts.key" },
    then: [{ emit: { signal: "Y_THIRD", facts: { by: "id" } } }],
  },
];

/** The same, seen once and in order. */
function expected(signals: readonly Signal[]): { emitted: string[]; waiting: string[] } {
  const emitted: string[] = [];
  const waiting = new Set<string>();
  const asked = new Set<string>();
  const counts = new Map<string, number>();
  let dreaming = false;
  for (const { id, signal, facts } of signals) {
    const key = String(facts.key);
    if (signal === "X_ANSWERED") waiting.delete(key);
    if (signal === "X_DONE") dreaming = false;
    if (signal === "X_PROMOTIONS" && !dreaming) {
      dreaming = true;
      emitted.push(`X_DREAM ${id}`);
    }
    if (signal === "X_ASKED" && !asked.has(key)) {
      asked.add(key);
      waiting.add(key);
    }
    if (signal !== "X_ASKED" && signal !== "X_DONE") continue;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count % 3);
    if (count === 3) emitted.push(`Y_THIRD ${id}`);
  }
  return { emitted: emitted.sort(), waiting: [...waiting].sort() };
}

/** The queue as it is between two steps: messages that nobody has delivered yet. */
class PausedQueue {
  readonly bodies: string[] = [];
  send = async (body: string): Promise<void> => {
    this.bodies.push(body);
  };
  async deliver(order: "in order" | "backwards" | "twice"): Promise<void> {
    const bodies = this.bodies.splice(0);
    if (order === "backwards") bodies.reverse();
    for (const body of order === "twice" ? [...bodies, ...bodies] : bodies) {
      const message = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body };
      await consume(createMessageBatch("ganglion-signals", [message]), env);
    }
  }
}

test("rules have the effects of seeing each signal once, over any history of evictions, duplicates, delays and rebuilds", async () => {
  let effects = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 24 }), async (history) => {
      const eco = freshEcosystem();
      const queue = new PausedQueue();
      const pause = () =>
        runInDurableObject(logOf(eco), (log) => {
          Object.assign(log, { env: { ...env, SIGNALS: queue } });
        });
      expect((await send("PUT", `/v1/${eco}/policies`, { policies })).status).toBe(200);
      await pause();
      let number = 0;
      for (const one of history) {
        if (one.what === "signal") {
          const request = {
            producer: { name: "test", first: ++number },
            signals: [aSignal(one.name, { key: one.key })],
          };
          await logOf(eco).append(request);
          if (one.again) await logOf(eco).append(request);
        } else if (one.what === "evict") {
          // Only what is awake can be evicted.
          await (one.which === "log" ? logOf(eco).status() : policyOf(eco).policies());
          await evict(one.which === "log" ? logOf(eco) : policyOf(eco));
          if (one.which === "log") await pause();
        } else if (one.what === "queue") await queue.deliver(one.order as "in order");
        else if (one.what === "alarm") await runDurableObjectAlarm(policyOf(eco));
        else await policyOf(eco).rebuild();
      }
      await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
      // Until nothing is left in the box: what the policy does is in the log and the queue by then.
      const left = () =>
        runInDurableObject(
          policyOf(eco),
          (_, state) =>
            state.storage.sql
              .exec<{ n: number }>("SELECT (SELECT COUNT(*) FROM outgoing) + (SELECT COUNT(*) FROM deeds) AS n")
              .one().n,
        );
      await expect.poll(left, { timeout: 45_000, interval: 5 }).toBe(0);
      const all = await allOf(eco);
      const model = expected(all.filter(({ source }) => source === "test"));
      const emitted = all.filter(({ source, signal }) => source === "ganglion/policy" && signal !== "Q_POLICY_CHANGED");
      expect(emitted.map(({ signal, facts }) => `${signal} ${String(facts.by)}`).sort()).toEqual(model.emitted);
      const { expectations } = await policyOf(eco).expectations({ limit: 10 });
      expect(expectations.map(({ by }) => by).sort()).toEqual(model.waiting);
      effects += emitted.length;
    }),
    { numRuns: 40 },
  );
  expect(effects).toBeGreaterThan(10);
}, 120_000);
