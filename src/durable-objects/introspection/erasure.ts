import type { Mentions } from "../../core/erasure/mentions.ts";
import { fields, referencesTo, storedJson } from "../../core/erasure/references.ts";
import { readSignalLine } from "../../core/signals/signal-line.ts";
import type { ErasureContext, ErasureRules, StoredRow } from "../shell/erasure-rules.ts";

/**
 * What is erased of the window. Series of the history are sums: those of reporters under whose names the source sent
 * measurements go as a whole.
 */
export const windowErasure: ErasureRules = {
  kept: ["slices"],
  rows: {
    "segments_*": { change: withoutLines },
    gaps: {
      about: ({ body }) => referencesTo(fields(storedJson(body)).signal_id),
      change: (row, { mentions }) => (isGapOf(row, mentions) ? null : undefined),
    },
    history: { change: withoutSeries },
  },
};

/** Gaps of one reporter end in its name, and their reasons name it. */
function isGapOf({ name, body }: StoredRow, mentions: Mentions): boolean {
  const { reason } = fields(storedJson(body));
  return String(name).endsWith(`_${mentions.name}`) && typeof reason === "string" && mentions.isWordOf(reason);
}

/** Of a row of observations, those of the source go. The last place stays: it says how far the row reaches. */
function withoutLines(row: StoredRow, { mentions, throughSeq }: ErasureContext): StoredRow | null {
  const lines = String(row.body).split("\n");
  const left = lines.flatMap((line) => {
    if (!mentions.mayBeIn(line)) return line;
    const signal = readable(line);
    if (signal === undefined) return [];
    if (signal.seq > throughSeq) return line;
    const { zooid, zooid_name } = signal.facts;
    const reporter = zooid ?? zooid_name;
    const isOwn = signal.source === mentions.name || reporter === mentions.name;
    if (isOwn || signal.via?.source === mentions.name) return [];
    return mentions.withoutText(line);
  });
  if (left.length === 0) return null;
  return left.every((line, place) => line === lines[place]) && left.length === lines.length
    ? row
    : { ...row, body: left.join("\n") };
}

/** Series are `{metric: {reporter: point}}`. */
function withoutSeries(row: StoredRow, { mentions, reporters }: ErasureContext): StoredRow {
  const stored = fields(storedJson(row.body));
  let changed = false;
  const left = Object.entries(stored).map(([metric, series]) => {
    const kept = Object.entries(fields(series)).filter(([name]) => name !== mentions.name && !reporters.has(name));
    changed ||= kept.length < Object.keys(fields(series)).length;
    return [metric, Object.fromEntries(kept)] as const;
  });
  return changed ? { ...row, body: JSON.stringify(Object.fromEntries(left)) } : row;
}

function readable(line: string): ReturnType<typeof readSignalLine> | undefined {
  try {
    return readSignalLine(line);
  } catch {
    return undefined;
  }
}
