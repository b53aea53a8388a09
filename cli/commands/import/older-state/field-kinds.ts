import { snakeOf } from "./values.ts";

/** What a field of an older file is about. */
export type FieldKind = "saved" | "form" | "in_flight" | "since" | "triggered" | "ended" | "cooldown" | "dealt_with";

const AT = "(_(at|time|times|ts|timestamp|until))?";
/** By the names of fields, the first that fits; what the pattern leaves of the name is the subject. */
const KINDS: readonly (readonly [kind: FieldKind, pattern: RegExp])[] = [
  ["form", /^(schema_version|state_version|version|format)$/],
  [
    "saved",
    /^(saved|updated|written|checkpointed|last_updated|last_saved|last_update)(_at)?$|^(timestamp|ts|state_time)$/,
  ],
  ["cooldown", /cool_?downs?|next_allowed|suppress(ed)?_until|hold_until|not_before|backoff_until/],
  ["ended", new RegExp(`(?<=^|_)(completed?|completion|ended|end|finished|success|failed|failure)${AT}$`)],
  [
    "dealt_with",
    /^(investigated|seen|processed|handled|known|acknowledged|acked|reported|asked|answered|completed|finished|done)(?=_|$)/,
  ],
  ["dealt_with", /_(investigated|seen|processed|handled|acknowledged|acked|reported)$/],
  ["triggered", new RegExp(`(?<=^|_)(last_)?(triggered|triggers?|fired|emitted)${AT}$`)],
  ["triggered", /^last_/],
  ["in_flight", /(?<=^|_)(in_flight|inflight|in_progress|running|active|ongoing|busy|dreaming|status|state)$/],
  ["in_flight", /^(in_flight|inflight|active|current|running|ongoing)(?=_|$)/],
  ["since", /(?<=^|_)((in_flight_)?since|started|started_at|start_time|begun_at)$/],
];
/** Words that say nothing about the subject. */
const NOISE =
  /(?<=^|_)(is|last|by|per|rule|rules|signal|cycles?|runs?|ids?|names?|daemon|policy|at|time|times|ts|until|since)(?=_|$)/g;

export interface ReadName {
  readonly kind: FieldKind | undefined;
  /** What is left of the name, such as `dream`; empty: nothing. */
  readonly subject: string;
}

/** @param inside - the name of the object that holds the field, where that is a subject itself */
export function readName(name: string, inside = ""): ReadName {
  const snake = snakeOf(name);
  // A signal's name.
  if (/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(name)) return { kind: undefined, subject: snake };
  // Dreaming is both.
  const dreaming = /(^|_)dreaming(_|$)/.test(snake) ? "dream" : "";
  const [kind, pattern] = KINDS.find(([, one]) => one.test(snake)) ?? [];
  if (kind === undefined || pattern === undefined) return { kind: undefined, subject: clean(snake) };
  const subject = clean(snake.replace(pattern, "")) || dreaming || clean(snakeOf(inside));
  return { kind, subject };
}

const clean = (snake: string): string => snake.replace(NOISE, "").replace(/_+/g, "_").replace(/^_|_$/g, "");
