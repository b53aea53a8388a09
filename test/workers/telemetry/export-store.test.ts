import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { NOTHING_EXPORTED } from "../../../src/core/telemetry/progress.ts";
import type { ReceiverAnswer } from "../../../src/core/telemetry/receiver-answer.ts";
import { ExportStore } from "../../../src/durable-objects/telemetry/export-store.ts";
import { Exporter } from "../../../src/durable-objects/telemetry/exporter.ts";
import { telemetry } from "../../../src/workers/bindings/objects.ts";
import fc from "../../fast-check.ts";
import { freshEcosystem } from "../api/calls.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A store that is full early, so that histories come to its limits. */
const MOST = { spans: 12, bytes: 600 };
const SETTINGS = { url: "https://o.example", headers: {}, payload: "none", preset: null, interval_ms: 1_000 } as const;

type Answer = 200 | 400 | 413 | 429 | 500 | "rejected" | "lost";
/** What happens to the store, also while a request is under way. */
type Change =
  | { readonly kind: "taken"; readonly spans: readonly number[] }
  | { readonly kind: "cleared" }
  | { readonly kind: "switched off and on" };
type Step =
  | Change
  | { readonly kind: "crashed" }
  | { readonly kind: "sent"; readonly answers: readonly Answer[]; readonly meanwhile: readonly (Change | null)[] };

/** Lengths of spans around the bounds of the store. */
const lengths = fc.array(fc.constantFrom(10, 60, MOST.bytes - 1, MOST.bytes), { maxLength: MOST.spans + 1 });
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("taken" as const), spans: lengths }) },
  fc.constant({ kind: "cleared" as const }),
  fc.constant({ kind: "switched off and on" as const }),
);
const step: fc.Arbitrary<Step> = fc.oneof({ weight: 3, arbitrary: change }, fc.constant({ kind: "crashed" as const }), {
  weight: 3,
  arbitrary: fc.record({
    kind: fc.constant("sent" as const),
    answers: fc.array(fc.constantFrom<Answer[]>(200, 200, 200, "rejected", 400, 413, 413, 429, 500, "lost"), {
      maxLength: 8,
    }),
    meanwhile: fc.array(fc.option(change), { maxLength: 3 }),
  }),
});

const answered = (answer: Answer): ReceiverAnswer =>
  answer === "lost"
    ? { error: "the connection broke off" }
    : answer === "rejected"
      ? { status: 200, retryAfter: null, body: '{"partialSuccess":{"rejectedSpans":1}}' }
      : { status: answer, retryAfter: null, body: "" };

test("every span that an export takes waits, was sent, or is counted as given up, in 1,000 histories with crashes", async () => {
  await runInDurableObject(telemetry(env, freshEcosystem()), async (_, { storage }) => {
    const transaction = <Result>(changed: () => Result) => storage.transactionSync(changed);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        // Receivers name times to wait, and nothing here waits for them.
        vi.useFakeTimers({ toFake: ["Date"] });
        let store = new ExportStore(storage.sql, MOST);
        transaction(() => store.erase());
        store.settings = { ...SETTINGS, reactions: [] };
        let [made, settled] = [0, 0];
        const delivered: number[] = [];

        const apply = (changed: Change) =>
          transaction(() => {
            const { progress } = store;
            switch (changed.kind) {
              case "taken": {
                const dropped = store.add(changed.spans.map((length) => `"${++made}"`.padEnd(length - 1)));
                store.progress = { ...progress, dropped: progress.dropped + dropped };
                return;
              }
              case "cleared":
                store.progress = { ...progress, dropped: progress.dropped + store.clear() };
                return;
              case "switched off and on":
                store.erase();
                store.settings = { ...SETTINGS, reactions: [] };
                store.progress = NOTHING_EXPORTED;
                settled = made;
            }
          });

        const holds = () => {
          const rows = storage.sql.exec<{ spans: number; bytes: number }>("SELECT spans, bytes FROM batches").toArray();
          const spans = rows.reduce((sum, row) => sum + row.spans, 0);
          expect(store.waiting).toBe(spans);
          const { exported, rejected, dropped } = store.progress;
          expect(spans + exported + rejected + dropped).toBe(made - settled);
        };

        for (const each of steps) {
          if (each.kind === "crashed") store = new ExportStore(storage.sql, MOST);
          else if (each.kind !== "sent") apply(each);
          else {
            vi.setSystemTime(Math.max(Date.now(), store.progress.retry_ms));
            const [answers, meanwhile] = [[...each.answers], [...each.meanwhile]];
            const send = async (spans: readonly string[]) => {
              const now = meanwhile.shift();
              if (now) apply(now);
              const answer = answers.shift() ?? "lost";
              if (answer === 200) delivered.push(...spans.map((span) => Number(JSON.parse(span))));
              await Promise.resolve();
              return answered(answer);
            };
            await new Exporter({ store, transaction, send }).run(Number.POSITIVE_INFINITY);
          }
          holds();
        }
        // No request is lost on its way here, so nothing is sent a second time.
        expect(delivered).toEqual([...new Set(delivered)].toSorted((a, b) => a - b));
      }),
      { numRuns: 1_000 },
    );
  });
});
