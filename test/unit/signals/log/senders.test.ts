import { describe, expect, test } from "vitest";
import { ownerOfProducer, readNumberedId } from "../../../../src/core/signals/log/id-owner.ts";
import { EDGE, Senders } from "../../../../src/core/signals/log/senders.ts";
import fc from "../../../fast-check.ts";

describe("the senders of signals that no range names", () => {
  test("are the hosts in the signals' own ids, whatever ids were asked for before", () => {
    const part = fc.constantFrom("a", "b", "ganglion", "1", "12", "x1", "", "1234567890123456");
    const id = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));
    fc.assert(
      fc.property(fc.array(id, { minLength: 1, maxLength: 20 }), (ids) => {
        const senders = new Senders([]);
        for (const asked of ids) expect(senders.of(1, asked), asked).toBe(senderIn(asked));
      }),
      { numRuns: 1_000 },
    );
  });
});

function senderIn(id: string): string {
  const producer = readNumberedId(id)?.producer;
  if (producer === undefined) return EDGE;
  const host = ownerOfProducer(producer);
  return host === "ganglion" ? EDGE : `host:${host}`;
}
