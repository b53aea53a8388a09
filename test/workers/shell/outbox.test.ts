import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { Outbox } from "../../../src/durable-objects/shell/outbox.ts";
import { models } from "../../../src/workers/bindings/objects.ts";
import { freshEcosystem } from "../api/calls.ts";

const text = "x".repeat(60_000);

/** An outbox in the storage of an object that has none of its own. */
const withOutbox = (use: (outbox: Outbox) => void) =>
  runInDurableObject(models(env, freshEcosystem()), (_, { storage }) => {
    let number = 0;
    use(new Outbox(storage.sql, { producer: "ganglion.test", next: () => ++number }));
  });

describe("an outbox", () => {
  test("hands over signals in pieces of two megabytes, whatever their number", () =>
    withOutbox((outbox) => {
      for (let n = 0; n < 50; n++) outbox.emit({ signal: "Q_LARGE", source: "test", facts: { text }, timestampMs: 0 });
      const first = outbox.nextSignals();
      expect([first?.first, first?.signals.length]).toEqual([1, 33]);
      outbox.forgetSignals(33);
      const second = outbox.nextSignals();
      expect([second?.first, second?.signals.length]).toEqual([34, 17]);
    }));

  test("hands over dead letters in pieces of two megabytes, and one that is larger alone", () =>
    withOutbox((outbox) => {
      const letter = (id: string, payload: string) =>
        outbox.deadLetter({ id, kind: "task", task: { payload }, error: "e", daemon: "test" });
      letter("large", "x".repeat(1_990_000));
      for (let n = 0; n < 3; n++) letter(`small-${n}`, text);
      expect(outbox.nextDeadLetters().map(({ record }) => record.id)).toEqual(["large"]);
      outbox.forgetDeadLetters(1);
      expect(outbox.nextDeadLetters()).toHaveLength(3);
    }));
});
