import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { consume } from "../../../src/workers/consumer.ts";
import fc from "../../fast-check.ts";
import { allOf, anObservation, aSignal, logOf, observationsOf, policyOf } from "../log-under-test.ts";

/** What happens to each message in turn. */
type Fate = "deliver" | "lose" | "double" | "hold" | "release";

/** A queue that treats messages as a history says, and delivers through the real consumer. */
class HostileQueue {
  readonly #fates: Fate[];
  #held: string[] = [];
  readonly deliveries: Promise<void>[] = [];

  constructor(fates: readonly Fate[]) {
    this.#fates = [...fates];
  }

  async send(body: string): Promise<void> {
    sent++;
    const fate = this.#fates.shift() ?? "deliver";
    if (fate === "lose") return;
    if (fate === "hold") {
      this.#held.push(body);
      return;
    }
    this.#deliver(body);
    if (fate === "double") this.#deliver(body);
    if (fate === "release") this.releaseAll();
  }

  /** What was held back comes now, the last first. */
  releaseAll(): void {
    for (const body of this.#held.reverse()) this.#deliver(body);
    this.#held = [];
  }

  #deliver(body: string): void {
    const id = crypto.randomUUID();
    const batch = createMessageBatch("ganglion-signals", [{ id, timestamp: new Date(), attempts: 1, body }]);
    createExecutionContext();
    this.deliveries.push(consume(batch, env));
  }
}

let run = 0;
let sent = 0;

test("a queue that loses, doubles and reorders changes no decision", async () => {
  const fate = fc.constantFrom<Fate>("deliver", "lose", "double", "hold", "release");
  const step = fc.constantFrom("promotions", "complete", "nothing", "gap", "evict");
  const history = fc.record({
    fates: fc.array(fate, { maxLength: 12 }),
    steps: fc.array(step, { minLength: 1, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ fates, steps }) => {
      const eco = `hostile-${++run}`;
      const queue = new HostileQueue(fates);
      const useHostile = () =>
        runInDurableObject(logOf(eco), (log) => {
          Object.assign(log, { env: { ...env, SIGNALS: queue } });
        });
      await useHostile();
      let dreaming = false;
      let dreams = 0;
      let gaps = 0;
      for (const what of steps) {
        if (what === "promotions") {
          await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 })] });
          if (!dreaming) dreams++;
          dreaming = true;
        } else if (what === "complete") {
          await logOf(eco).append({ signals: [aSignal("Q_DREAM_COMPLETE", {})] });
          dreaming = false;
        } else if (what === "gap") {
          const facts = {
            gap_type: "t",
            gap_name: `g${++gaps}`,
            gap_category: "c",
            gap_reason: "r",
            alignment_score: 1,
            install_cost: 0,
            metadata: {},
          };
          await logOf(eco).append({ signals: [aSignal("CAPABILITY_GAP", facts)] });
        } else if (what === "nothing") {
          await logOf(eco).append({ signals: [aSignal("X_UNWATCHED", {})] });
        } else {
          await evictDurableObject(logOf(eco));
          await useHostile();
        }
      }
      queue.releaseAll();
      await Promise.all(queue.deliveries);
      await runDurableObjectAlarm(logOf(eco));
      // What the policy decided is in the log when nothing is left in its box.
      await runDurableObjectAlarm(policyOf(eco));
      const names = (await allOf(eco)).map(({ signal }) => signal);
      expect(names.filter((name) => name === "Q_DREAM_TRIGGER")).toHaveLength(dreams);
      expect(names.filter((name) => name === "Q_CURIOSITY_INVESTIGATE")).toHaveLength(gaps);
    }),
    { numRuns: 60 },
  );
  expect(sent).toBeGreaterThan(60);
}, 60_000);

test("a message that nobody can read holds up no other", async () => {
  const eco = "hostile-unreadable";
  await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 1 })] });
  const [{ seq } = { seq: 0 }] = await allOf(eco);
  const good = `{"ecosystem":"${eco}","parts":[{"projection":"observations","after":0,"through":${seq},"lines":null}]}`;
  const message = (body: string) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body });
  await consume(createMessageBatch("ganglion-signals", [message("{"), message(good)]), env);
  expect((await observationsOf(eco).observations({ seconds: 300, limit: 10 })).size).toBe(1);
});
