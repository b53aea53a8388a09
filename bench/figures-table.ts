import type { Figure } from "./figure.ts";

const HEAD = ["bench", "figure", "value", "range", "target", "met", "beside it"];
/** Where another checkout was measured as well. */
const BEFORE = ["before", "now / before"];

/** Figures as a table in Markdown, one row a figure. */
export function figuresTable(figures: readonly Figure[]): string {
  const withBefore = figures.some((figure) => "before" in figure || "before_left_out" in figure);
  const head = withBefore ? HEAD.toSpliced(4, 0, ...BEFORE) : HEAD;
  const rows = figures.map((figure) => [
    figure.bench,
    figure.figure,
    `${number(figure.value)} ${figure.unit}`,
    range(figure.range),
    ...(withBefore ? before(figure) : []),
    target(figure),
    met(figure),
    Object.entries({
      ...(typeof figure.of_floor === "number" && { "of the floor": figure.of_floor }),
      ...figure.compared_with,
    })
      .map(([name, value]) => `${name.replaceAll("_", " ")} ${number(value)}`)
      .join("; "),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** What the other checkout did, and what this one does of it, each with its range. */
function before({ before, before_range, of_before, of_before_range, before_left_out: reason }: Figure): string[] {
  if (typeof reason === "string") return [`left out: ${reason.replaceAll("|", "\\|")}`, ""];
  if (typeof before !== "number" || typeof of_before !== "number") return ["", ""];
  return [`${number(before)} (${range(before_range)})`, `${number(of_before)} (${range(of_before_range)})`];
}

const range = (range: unknown): string =>
  Array.isArray(range) ? range.map((value) => number(Number(value))).join(" – ") : "";

function target({ target, of_floor_target }: Figure): string {
  const own = bounds(target);
  const ofFloor = bounds(of_floor_target as Figure["target"]);
  return [own, ofFloor && `${ofFloor} of the floor`].filter(Boolean).join(", ");
}

const bounds = (target: Figure["target"]): string =>
  [
    target?.at_least === undefined ? "" : `≥ ${number(target.at_least)}`,
    target?.at_most === undefined ? "" : `≤ ${number(target.at_most)}`,
  ]
    .filter(Boolean)
    .join(" and ");

/** Whether all that the figure is to reach was reached. */
function met({ target, value, of_floor_met }: Figure): string {
  const judged = [
    ...(target === undefined ? [] : [value >= (target.at_least ?? -Infinity) && value <= (target.at_most ?? Infinity)]),
    ...(typeof of_floor_met === "boolean" ? [of_floor_met] : []),
  ];
  if (judged.length === 0) return "";
  return judged.every(Boolean) ? "yes" : "no";
}

const number = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 4 });
