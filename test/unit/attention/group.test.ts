import { describe, expect, test } from "vitest";
import { SEVERITIES, SHOWN_EFFECTS } from "../../../src/core/attention/api.ts";
import type { Finding } from "../../../src/core/attention/finding.ts";
import { groupByCause } from "../../../src/core/attention/group.ts";
import { byUrgency } from "../../../src/core/attention/order.ts";
import fc from "../../fast-check.ts";

const ids = fc.integer({ min: 0, max: 30 }).map((number) => `f${number}`);
const finding: fc.Arbitrary<Finding> = fc.record({
  id: ids,
  kind: fc.constant("gap" as const),
  severity: fc.constantFrom(...SEVERITIES),
  subject: fc.constant("s"),
  what: fc.constant(""),
  why: fc.constant(""),
  since: fc.option(fc.constantFrom("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z")),
  consequence: fc.constant(""),
  next_step: fc.constant(""),
  action: fc.constant(null),
  chain: fc.constant(null),
  explainedBy: fc.array(ids, { maxLength: 3 }),
});
const findings = fc
  .uniqueArray(finding, { selector: ({ id }) => id, maxLength: 30 })
  .map((all) => all.map((one) => ({ ...one, what: one.id })));

describe("grouping by cause", () => {
  test("makes each finding a row, or an effect of exactly one row, whatever explains what", () => {
    fc.assert(
      fc.property(findings, (all) => {
        const rows = groupByCause(all, "e");
        const counted = rows.reduce((sum, { effects_total }) => sum + 1 + effects_total, 0);
        expect(counted).toBe(all.length);
        const named = rows.flatMap(({ id, effects }) => [id, ...effects]);
        expect(new Set(named).size).toBe(named.length);
        for (const { effects, effects_total } of rows)
          expect(effects.length).toBe(Math.min(SHOWN_EFFECTS, effects_total));
      }),
    );
  });

  test("explains each effect by its row, through others where need be", () => {
    fc.assert(
      fc.property(findings, (all) => {
        const byId = new Map(all.map((one) => [one.id, one]));
        for (const { id, effects } of groupByCause(all, "e"))
          for (const effect of effects) expect(waysUp(effect, byId)).toContain(id);
      }),
    );
  });

  test("is in a total order that does not depend on the order of the findings", () => {
    fc.assert(
      fc.property(
        findings.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const rows = groupByCause(all, "e");
          expect(groupByCause(shuffled, "e")).toEqual(rows);
          rows.slice(1).forEach((row, place) => {
            expect(byUrgency(rows[place] ?? row, row)).toBeLessThan(0);
          });
        },
      ),
    );
  });

  test("makes a row as urgent as the worst that follows from it", () => {
    fc.assert(
      fc.property(findings, (all) => {
        const byId = new Map(all.map((one) => [one.id, one]));
        for (const { id, severity, effects, effects_total } of groupByCause(all, "e")) {
          if (effects_total > SHOWN_EFFECTS) continue;
          const ranks = [id, ...effects].map((one) => SEVERITIES.indexOf(byId.get(one)?.severity ?? "info"));
          expect(SEVERITIES.indexOf(severity)).toBe(Math.min(...ranks));
        }
      }),
    );
  });

  test("takes time in proportion to twenty thousand findings, in a chain or a circle", () => {
    const many = 20_000;
    const base = {
      kind: "gap",
      severity: "info",
      subject: "",
      what: "",
      why: "",
      since: null,
      consequence: "",
    } as const;
    const chain = Array.from(
      { length: many },
      (_, place): Finding => ({
        ...base,
        id: `f${place}`,
        next_step: "",
        action: null,
        chain: null,
        explainedBy: [`f${place + 1}`],
      }),
    );
    expect(groupByCause(chain, "e")).toMatchObject([{ id: `f${many - 1}`, effects_total: many - 1 }]);
    const circle = chain.map((one, place) => (place === many - 1 ? { ...one, explainedBy: ["f0"] } : one));
    expect(groupByCause(circle, "e")).toMatchObject([{ id: "f0", effects_total: many - 1 }]);
  });
});

/** Everything that may explain a finding, by the first explanation of each that exists. */
function waysUp(start: string, byId: ReadonlyMap<string, Finding>): string[] {
  const seen: string[] = [];
  let at: string | undefined = start;
  while (at !== undefined && !seen.includes(at)) {
    seen.push(at);
    const here: string = at;
    at = byId.get(here)?.explainedBy.find((other) => other !== here && byId.has(other));
  }
  return seen;
}
