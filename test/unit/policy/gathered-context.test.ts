import { describe, expect, test } from "vitest";
import { boundContext } from "../../../src/core/policy/gathered-context.ts";
import fc from "../../fast-check.ts";

const lines = (count: number, chars: number) =>
  Array.from({ length: count }, (_, n) => ({ n, text: "x".repeat(chars) }));

describe("the context of a question", () => {
  test("has a heading for each part and a line of JSON for each thing, and names a part that is empty", () => {
    expect(boundContext({ gaps: { lines: [] }, signals: { lines: [{ signal: "Q_A" }, { signal: "Q_B" }] } })).toEqual({
      text: 'Earlier signals, the newest first:\n{"signal":"Q_A"}\n{"signal":"Q_B"}\nOpen gaps:\nnone',
    });
  });

  test("leaves out the last things of a part that is too long, and says how many", () => {
    const { text, left_out } = boundContext({ signals: { lines: lines(100, 300) }, hosts: { lines: [{ host: "a" }] } });
    expect(text.length).toBeLessThanOrEqual(8_000);
    expect(text).toContain('{"host":"a"}');
    const kept = text.split("\n").filter((line) => line.startsWith('{"n"')).length;
    expect(left_out).toEqual({ signals: 100 - kept });
    expect(text).toContain(`{"n":${kept - 1},`);
  });

  test("names a part that could not be read, and does without it", () => {
    expect(boundContext({ gaps: { failure: "the object is away" }, hosts: { lines: [] } })).toEqual({
      text: "Hosts:\nnone",
      failed: { gaps: "the object is away" },
    });
  });

  test("is bounded whatever the parts hold, and each part keeps its first things without a hole", () => {
    const part = fc.array(fc.nat(3_000), { maxLength: 60 });
    fc.assert(
      fc.property(part, part, part, (signals, gaps, hosts) => {
        const of = (sizes: readonly number[]) => ({
          lines: sizes.map((chars, n) => ({ n, text: "😀".repeat(chars) })),
        });
        const { text, left_out = {} } = boundContext({ signals: of(signals), gaps: of(gaps), hosts: of(hosts) });
        expect(text.length).toBeLessThanOrEqual(8_000);
        expect(text.isWellFormed()).toBe(true);
        const kept = text.split(/^(?:Earlier signals, the newest first|Open gaps|Hosts):$/m).slice(1);
        for (const [place, [name, given]] of (
          [
            ["signals", signals],
            ["gaps", gaps],
            ["hosts", hosts],
          ] as const
        ).entries()) {
          const places = [...(kept[place] ?? "").matchAll(/^\{"n":(\d+),/gm)].map(([, n]) => Number(n));
          expect(places).toEqual(given.slice(0, places.length).map((_, n) => n));
          expect(places.length + (left_out[name] ?? 0)).toBe(given.length);
        }
      }),
    );
  });
});
