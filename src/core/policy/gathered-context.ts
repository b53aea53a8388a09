import * as z from "zod";

export const CONTEXT_PARTS = ["signals", "gaps", "decisions", "hosts"] as const;
export type ContextPart = (typeof CONTEXT_PARTS)[number];

/** What a model was told beside the prompt, as it was told. */
export const GatheredContext = z.object({
  text: z
    .string()
    .meta({ description: "As the model got it: a heading for each part, and a line of JSON for each thing" }),
  left_out: z
    .partialRecord(z.enum(CONTEXT_PARTS), z.int())
    .optional()
    .meta({ description: "How many things of a part did not fit; the oldest are left out" }),
  failed: z
    .partialRecord(z.enum(CONTEXT_PARTS), z.string())
    .optional()
    .meta({ description: "Parts that could not be read, with the reason; the question was asked without them" }),
});
export type GatheredContext = Readonly<z.output<typeof GatheredContext>>;

/** The things of one part, newest first; or why the part could not be read. */
export type ContextLines = { readonly lines: readonly unknown[] } | { readonly failure: string };

/** Characters of a whole context, and of one line in it: each token costs money. */
const MAX_CHARS = 8_000;
const MAX_LINE_CHARS = 1_000;
const MAX_FAILURE_CHARS = 300;
const NONE = "none";

const HEADINGS: Readonly<Record<ContextPart, string>> = {
  signals: "Earlier signals, the newest first:",
  gaps: "Open gaps:",
  decisions: "Earlier decisions of rules, the newest first:",
  hosts: "Hosts:",
};

/**
 * Bounds a context. The parts take turns, a line each, so that none of them crowds out the others; of each part the first
 * lines are kept. A part without lines is named as such: nothing of the kind was found.
 */
export function boundContext(parts: Readonly<Partial<Record<ContextPart, ContextLines>>>): GatheredContext {
  const failed: Partial<Record<ContextPart, string>> = {};
  const sections: { part: ContextPart; lines: string[]; kept: number; isFull: boolean }[] = [];
  for (const part of CONTEXT_PARTS) {
    const found = parts[part];
    if (found === undefined) continue;
    if ("failure" in found) failed[part] = found.failure.slice(0, MAX_FAILURE_CHARS);
    else sections.push({ part, lines: found.lines.map(lineOf), kept: 0, isFull: false });
  }
  let room = MAX_CHARS - sections.reduce((sum, { part }) => sum + HEADINGS[part].length + NONE.length + 2, 0);
  for (let turn = 0; sections.some(({ isFull }) => !isFull); turn++) {
    for (const section of sections) {
      const line = section.lines[turn];
      // A later, shorter line is not taken in the place of one that does not fit: what is told has no holes.
      if (section.isFull || line === undefined || line.length + 1 > room) section.isFull = true;
      else {
        section.kept++;
        room -= line.length + 1;
      }
    }
  }
  const left_out = Object.fromEntries(
    sections.flatMap(({ part, lines, kept }) => (lines.length > kept ? [[part, lines.length - kept]] : [])),
  );
  const texts = sections.map(({ part, lines, kept }) =>
    [HEADINGS[part], ...(lines.length === 0 ? [NONE] : lines.slice(0, kept))].join("\n"),
  );
  return {
    text: texts.join("\n"),
    ...(Object.keys(left_out).length > 0 && { left_out }),
    ...(Object.keys(failed).length > 0 && { failed }),
  };
}

function lineOf(thing: unknown): string {
  const text = JSON.stringify(thing) ?? "null";
  if (text.length <= MAX_LINE_CHARS) return text;
  // The cut splits no character that takes two places of a text.
  return `${text.slice(0, MAX_LINE_CHARS - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
