import { formatTimestamp } from "../signals/timestamp.ts";
import { CLAUDE_CODE, claudeCodeCounter } from "./claude-code.ts";
import { type Attributes, textOf } from "./otlp/attributes.ts";
import type { ReadPoint } from "./otlp/export.ts";
import { MAX_NAME, type SessionRecord } from "./record.ts";
import { setAround } from "./resource.ts";
import { addTo, type Counter, type Tally, usageOf } from "./usage.ts";

/** Counters from their start on that one signal carries. */
const MAX_TOTALS = 64;
/** Attributes that are the same for all counters of a session, or name the session. */
const OF_ALL = /^(session\.id|user\.|organization\.id|terminal\.type|app\.version)/;
const MAX_SERIES = 256;

interface Use {
  readonly resource: Attributes;
  readonly attributes: Attributes;
  readonly session: string;
  readonly grown: Tally;
  readonly totals: { series: string; counter: Counter; value: number; start: string | null; at: string }[];
  readonly models: Set<string>;
  readonly texts: string[];
  atMs: number | undefined;
}

/** The usage that the points of an export tell: one record a session, whatever the number of points. */
export function usageRecords(
  points: readonly ReadPoint[],
  unknown: (name: string, resource: Attributes) => void,
): SessionRecord[] {
  const uses = new Map<string, Use>();
  for (const point of points) {
    const { name, resource, attributes } = point;
    const counter = claudeCodeCounter(point);
    const session = textOf(attributes, "session.id", MAX_NAME) ?? textOf(resource, "session.id", MAX_NAME);
    if (counter === "known") continue;
    if (counter === undefined || session === undefined || !Number.isFinite(point.value)) unknown(name, resource);
    else add(useOf(uses, session, point), point, counter);
  }
  return [...uses.values()].map(recordOf);
}

function useOf(uses: Map<string, Use>, session: string, { resource, attributes }: ReadPoint): Use {
  const use: Use = uses.get(session) ?? {
    resource,
    attributes,
    session,
    grown: {},
    totals: [],
    models: new Set(),
    texts: [],
    atMs: undefined,
  };
  uses.set(session, use);
  return use;
}

function add(use: Use, point: ReadPoint, counter: Counter): void {
  const { attributes, value, temporality, atMs, startMs } = point;
  const model = textOf(attributes, "model", MAX_NAME);
  if (model !== undefined) use.models.add(model);
  const own = [...attributes].filter(([key]) => !OF_ALL.test(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  const series = `${counter} ${JSON.stringify(own)}`.slice(0, MAX_SERIES);
  use.texts.push(`${series} ${startMs} ${atMs} ${value}`);
  use.atMs = Math.max(use.atMs ?? 0, atMs ?? 0) || undefined;
  if (temporality === "delta") addTo(use.grown, counter, value);
  else if (use.totals.length < MAX_TOTALS && value >= 0) {
    const start = startMs === undefined ? null : formatTimestamp(startMs);
    use.totals.push({ series, counter, value, start, at: formatTimestamp(atMs ?? 0) });
  }
}

function recordOf({ resource, attributes, session, grown, totals, models, texts, atMs }: Use): SessionRecord {
  const [model] = models.size === 1 ? models : [];
  const counted = Object.fromEntries(Object.entries(usageOf(grown)).filter(([, value]) => value > 0));
  return {
    signal: "Q_SESSION_USAGE",
    facts: { model, ...counted, ...(totals.length > 0 ? { totals } : {}) },
    session,
    agent: CLAUDE_CODE,
    from: "metrics",
    ...setAround(resource, attributes),
    atMs,
    identity: `metrics ${session} ${texts.join("\n")}`,
  };
}
