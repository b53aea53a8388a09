import { expect, test } from "vitest";
import { decodeBatches, encodeBatches, type ProjectionBatch } from "../../../src/core/projection/batch.ts";
import { planIntake } from "../../../src/core/projection/intake.ts";
import fc from "../../fast-check.ts";

const seqOf = (line: string) => (JSON.parse(line) as { seq: number }).seq;

test("intake takes each signal once and in order, whatever the queue loses, doubles or reorders", () => {
  const scenario = fc.record({
    sizes: fc.array(fc.constantFrom(1, 2, 5), { minLength: 1, maxLength: 12 }),
    delivery: fc.array(
      // A nudge says how far the log reaches, which may be in the middle of a batch.
      fc.oneof(fc.record({ which: fc.nat(11), pointer: fc.boolean() }), fc.record({ upTo: fc.nat(60) })),
      { maxLength: 40 },
    ),
  });
  fc.assert(
    fc.property(scenario, ({ sizes, delivery }) => {
      let head = 0;
      const sent = sizes.map((size): ProjectionBatch => {
        const lines = Array.from({ length: size }, (_, place) => JSON.stringify({ seq: head + place + 1 }));
        const batch: ProjectionBatch = { projection: "policy", after: head, through: head + size, lines };
        head += size;
        return batch;
      });
      const log = sent.flatMap((batch) => batch.lines ?? []);
      const taken: string[] = [];
      let cursor = 0;
      const receive = (batch: ProjectionBatch) => {
        const intake = planIntake(cursor, batch, seqOf);
        if (intake.step === "skip") return;
        taken.push(...(intake.step === "take" ? intake.lines : log.slice(cursor, intake.through)));
        cursor = intake.through;
      };
      for (const one of delivery) {
        const batch: ProjectionBatch | undefined =
          "upTo" in one
            ? { projection: "policy", after: 0, through: Math.min(one.upTo, head), lines: undefined }
            : sent[one.which % sent.length];
        if (batch !== undefined) receive("pointer" in one && one.pointer ? { ...batch, lines: undefined } : batch);
        expect(taken.map(seqOf)).toEqual(taken.map((_, place) => place + 1));
      }
      receive({ projection: "policy", after: head, through: head, lines: [] });
      if (cursor < head) receive({ projection: "policy", after: 0, through: head, lines: undefined });
      expect(taken).toEqual(log);
    }),
    { numRuns: 1_000 },
  );
});

test("a queue message carries its batches unchanged", () => {
  const batches: ProjectionBatch[] = [
    { projection: "observations", after: 0, through: 3, lines: ['{"seq":1}', '{"seq":3}'] },
    { projection: "policy", after: 0, through: 3, lines: undefined },
    { projection: "policy", after: 3, through: 4, lines: [] },
  ];
  expect(decodeBatches(encodeBatches("eco", "e1", batches))).toEqual({
    ecosystem: "eco",
    batches: batches.map((batch) => ({ ...batch, log: "e1" })),
  });
});

test("a queue message of an earlier version names no log", () => {
  const body = '{"ecosystem":"e","parts":[{"projection":"policy","after":0,"through":1,"lines":null}]}';
  expect(decodeBatches(body).batches).toMatchObject([{ log: undefined, through: 1 }]);
});

test.each([
  "",
  "{}",
  '{"ecosystem":"e","parts":[{"projection":"nobody","after":0,"through":1,"lines":0}]}',
  '{"ecosystem":"e","parts":[]}\nstray',
])("the text %j is refused as a queue message", (body) => expect(() => decodeBatches(body)).toThrow());
