import { describe, expect, it } from "vitest";
import { cellText } from "../../../../cli/terminal/cell.ts";
import { paint, toneOf, wantsColour } from "../../../../cli/terminal/colour.ts";
import { type ColumnKind, fitColumns, GAP } from "../../../../cli/terminal/layout.ts";
import { fieldLines, table } from "../../../../cli/terminal/table.ts";
import { cutTo, padTo, widthOf, wrap } from "../../../../cli/terminal/width.ts";
import fc from "../../../fast-check.ts";

const FAMILY = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}";
const pieces = fc.array(
  fc.constantFrom(
    "a",
    " ",
    "東",
    "京",
    FAMILY,
    "e\u0301",
    "\u{1f1e9}\u{1f1ea}",
    "ｱ",
    "…",
    "\u200b",
    "한",
    "x".repeat(30),
  ),
  { maxLength: 40 },
);
const anyText = fc.oneof(
  pieces.map((parts) => parts.join("")),
  fc.string({ unit: "grapheme", maxLength: 60 }),
);

describe("the width of a text", () => {
  it.each([
    ["abc", 3],
    ["東京", 4],
    [FAMILY, 2],
    ["e\u0301", 1],
    ["\u{1f1e9}\u{1f1ea}", 2],
    ["ｱ", 1],
    ["\u200b", 0],
    ["", 0],
    ["☺\ufe0f", 2],
    ["한글", 4],
  ])("of %j is %i", (text, width) => expect(widthOf(text)).toBe(width));

  it("is never exceeded by a text that is cut, and a text that fits stays", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 60 }), (text, width) => {
        const cut = cutTo(text, width);
        expect(widthOf(cut)).toBeLessThanOrEqual(width);
        if (widthOf(text) <= width) expect(cut).toBe(text);
        expect(widthOf(padTo(cut, width))).toBe(width);
      }),
      { numRuns: 300 },
    );
  });

  it("is never exceeded by a line of a text that is wrapped, and nothing but spaces is lost", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 4, max: 60 }), (text, width) => {
        const lines = wrap(text, width);
        for (const line of lines) expect(widthOf(line.trimEnd())).toBeLessThanOrEqual(width);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
      }),
      { numRuns: 300 },
    );
  });
});

describe("columns on a terminal", () => {
  const column = (kind: ColumnKind, title: number, natural: number) => ({ kind, title, natural });

  it("stay as wide as their cells where there is room", () => {
    expect(fitColumns([column("key", 4, 10), column("text", 4, 20)], 32)).toEqual([10, 20]);
  });

  it("are cut from the widest on, those that decide stay whole, and plain ones go from the right", () => {
    expect(fitColumns([column("key", 4, 30), column("text", 4, 90)], 60)).toEqual([30, 28]);
    expect(
      fitColumns([column("key", 4, 30), column("plain", 9, 9), column("whole", 5, 36), column("text", 4, 90)], 60),
    ).toEqual([30, 9, undefined, 17]);
  });

  it("fit whatever they hold, as long as what stays whole does", () => {
    const columns = fc.array(
      fc.record({
        kind: fc.constantFrom<ColumnKind>("text", "plain", "whole", "key", "state"),
        title: fc.integer({ min: 2, max: 10 }),
        more: fc.integer({ min: 0, max: 200 }),
      }),
      { minLength: 1, maxLength: 9 },
    );
    fc.assert(
      fc.property(columns, fc.integer({ min: 40, max: 250 }), (drawn, room) => {
        const measured = drawn.map(({ kind, title, more }) => column(kind, title, title + more));
        const widths = fitColumns(measured, room);
        const shown = widths.filter((width) => width !== undefined);
        const used = shown.reduce((sum, width) => sum + width, 0) + GAP * (shown.length - 1);
        const least = measured.filter(({ kind }) => kind !== "plain" && kind !== "whole");
        const needed =
          least.reduce(
            (sum, { kind, title, natural }) =>
              sum + (kind === "text" ? Math.min(natural, Math.max(title, 16)) : natural),
            0,
          ) +
          GAP * (least.length - 1);
        if (needed <= room) expect(used).toBeLessThanOrEqual(room);
        expect(
          widths.every(
            (width, place) => width !== undefined || ["plain", "whole"].includes(measured[place]?.kind ?? ""),
          ),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("of a table are in line whatever characters names are made of, and no line is wider than the terminal", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: anyText, text: anyText }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 20, max: 120 }),
        (rows, width) => {
          const { lines } = table(
            rows,
            [
              ["NAME", ({ name }) => name, "text"],
              ["TEXT", ({ text }) => text, "text"],
            ],
            { width, colour: false, times: "relative" },
          );
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("names of others", () => {
  it("can neither control the terminal nor turn its text around", () => {
    const hostile = "\u001b]0;x\u0007\u009b2J\u202egpu\u2066\u2028\r\n\u200f";
    const shown = cellText(hostile);
    expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u200f\u202e\u2066]/u);
    expect(shown).toContain("\\u001b]0;x\\u0007\\u009b2J\\u202egpu");
    expect(fieldLines({ [hostile]: hostile }, { width: 40, colour: false, times: "rfc3339" }).join("")).not.toMatch(
      /[\p{Cc}\u202e]/u,
    );
  });
});

describe("colours", () => {
  it("go to terminals alone, unless FORCE_COLOR or NO_COLOR decide", () => {
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsColour(false, {})).toBe(false);
    expect(wantsColour(true, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour(true, { NO_COLOR: "" })).toBe(true);
    expect(wantsColour(false, { FORCE_COLOR: "1" })).toBe(true);
    expect(wantsColour(true, { FORCE_COLOR: "0" })).toBe(false);
    expect(wantsColour(true, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(true);
    expect(wantsColour(true, { TERM: "dumb" })).toBe(false);
  });

  it("mark a state by its first word, and leave the width of its column alone", () => {
    expect(toneOf("down (link_lost)")).toBe("bad");
    expect(toneOf("constructor")).toBeUndefined();
    const rows = [{ state: "down" }, { state: "up" }];
    const look = { width: 80, colour: true, times: "relative" } as const;
    const { lines } = table(
      rows,
      [
        ["STATE", ({ state }) => state, "state"],
        ["N", () => 1],
      ],
      look,
    );
    expect(lines[1]).toBe(`${paint("down ", "bad")}  1`);
    expect(lines[2]).toBe(`${paint("up   ", "good")}  1`);
  });
});
