import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { KEEP_ANSWERS_MS, MAX_ANSWER_BYTES, type Settled } from "../../../src/core/idempotency/api.ts";
import { type Beginning, IdempotencyKeys } from "../../../src/durable-objects/idempotency/object.ts";
import type { Environment } from "../../../src/workers/bindings/environment.ts";
import { idempotencyKeys } from "../../../src/workers/bindings/objects.ts";
import fc from "../../fast-check.ts";
import { freshEcosystem } from "../api/calls.ts";

afterEach(() => {
  vi.useRealTimers();
});

const ANSWERS: readonly Settled[] = [
  { status: 202, type: "application/json", body: '{"seq":1}' },
  { status: 204, type: null, body: "" },
  { status: 200, type: "text/plain", body: "ü".repeat(MAX_ANSWER_BYTES / 2) },
  { unkept: "secret" },
];

type Held = Extract<Beginning, { held: unknown }>["held"];
type Step =
  | { readonly kind: "begin"; readonly key: string; readonly fingerprint: string }
  | { readonly kind: "settle"; readonly at: number; readonly answer: number }
  | { readonly kind: "dispose"; readonly at: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "crash" };

const at = fc.nat({ max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("begin" as const),
      key: fc.constantFrom("k1", "k2"),
      fingerprint: fc.constantFrom("f1", "f2"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      at,
      // The longest answer once in a while: it is written to the disk.
      answer: fc.oneof({ weight: 200, arbitrary: fc.constantFrom(0, 1, 3) }, fc.constant(2)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("dispose" as const), at }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, KEEP_ANSWERS_MS - 1, KEEP_ANSWERS_MS, -1),
    }),
  },
  fc.constant({ kind: "crash" as const }),
);

test("a key is of one request at a time, and of its answer for a day, in 1,000 histories with crashes", async () => {
  const stub = idempotencyKeys(env as unknown as Environment, freshEcosystem()) as unknown as DurableObjectStub;
  await runInDurableObject(stub, (_, state) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 16 }), (steps) => {
        vi.useFakeTimers({ toFake: ["Date"] });
        state.storage.sql.exec("DELETE FROM answers");
        let keys = new IdempotencyKeys(state, env);
        const running = new Map<string, { fingerprint: string; held: Held }>();
        const answers = new Map<string, { fingerprint: string; atMs: number; settled: Settled }>();
        /** Also those that are over, and those of an object that crashed. */
        const everHeld: { key: string; held: Held; gone: boolean }[] = [];

        const expected = (key: string, fingerprint: string) => {
          const now = running.get(key);
          if (now !== undefined) return now.fingerprint === fingerprint ? { running: true } : { taken: true };
          const answer = answers.get(key);
          if (answer === undefined || answer.atMs <= Date.now() - KEEP_ANSWERS_MS) return undefined;
          return answer.fingerprint === fingerprint ? { answered: answer.settled } : { taken: true };
        };

        for (const each of steps) {
          if (each.kind === "wait") vi.setSystemTime(Date.now() + each.ms);
          else if (each.kind === "crash") {
            keys = new IdempotencyKeys(state, env);
            running.clear();
            for (const one of everHeld) one.gone = true;
          } else if (each.kind === "begin") {
            const { key, fingerprint } = each;
            const wanted = expected(key, fingerprint);
            const begun = keys.begin({ key, owner: "o", fingerprint });
            if ("held" in begun) {
              expect(wanted).toBeUndefined();
              running.set(key, { fingerprint, held: begun.held });
              everHeld.push({ key, held: begun.held, gone: false });
            } else expect(begun).toEqual(wanted);
          } else {
            const one = everHeld[each.at % Math.max(1, everHeld.length)];
            // With an object that crashed its keys are out of reach.
            if (one === undefined || one.gone) continue;
            const holder = running.get(one.key);
            const holds = holder?.held === one.held;
            if (each.kind === "settle") {
              const settled = ANSWERS[each.answer] as Settled;
              one.held.settle(settled);
              if (holds) answers.set(one.key, { fingerprint: holder.fingerprint, atMs: Date.now(), settled });
            } else one.held[Symbol.dispose]();
            if (holds) running.delete(one.key);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
