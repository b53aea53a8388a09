import { expect, test } from "vitest";
import { FULL, SHORT } from "./amounts.ts";
import { type Maximum, maxima } from "./maxima.ts";

// `npm run maxima` is the long form.
const amounts = process.env.GANGLION_MAXIMA === "full" ? FULL : SHORT;
const asJson = process.env.GANGLION_MAXIMA_JSON === "true";

const line = ({ name, amount, seconds, rssMb, heap, outcome }: Maximum) =>
  `${name}: ${amount} in ${seconds} s; ${rssMb} MB resident; ` +
  `${heap.map((use) => `${use.kind} ${Math.round(use.used_bytes / 1e6)} of ${Math.round(use.limit_bytes / 1e6)} MB, ${use.refused} refused`).join(", ")}; ${outcome}`;

test("the edge goes on at every maximum with the memory of an isolate, and no state passes its budget", async () => {
  const found: Maximum[] = [];
  for await (const maximum of maxima(amounts, process.env.GANGLION_MAXIMA_ONLY)) {
    console.log(asJson ? JSON.stringify(maximum) : line(maximum));
    found.push(maximum);
  }
  expect(found.length).toBeGreaterThan(0);
  for (const { name, heap } of found)
    for (const { kind, used_bytes, limit_bytes } of heap)
      expect(used_bytes, `${name}: ${kind}`).toBeLessThanOrEqual(1.05 * limit_bytes);
}, 7_200_000);
