import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import { GivenTime, Timestamp } from "../signals/timestamp-schema.ts";
import type { ImportedMark } from "./decision.ts";
import { checkedMs } from "./duration.ts";
import { KEY_CHARS } from "./key.ts";
import type { Rule } from "./rule.ts";

/** Marks in one request: all of them stand in the record of the import, which is one row. */
export const MAX_MARKS = 100;
/** How far the clocks of the older system and of the log may be apart. */
const SKEW_MS = 60_000;

const Key = z.string().max(KEY_CHARS).optional();
const Until = GivenTime.optional();
/** State of an older system that holds a rule back: work that is in flight, and what the rule has fired for. */
export const StateImport = z
  .strictObject({
    in_flight: z.array(z.strictObject({ key: Key, since: GivenTime, until: Until })).default([]),
    fired: z.array(z.strictObject({ key: Key, at: GivenTime, until: Until })).default([]),
  })
  .refine(({ in_flight, fired }) => in_flight.length + fired.length > 0, {
    message: "give in_flight or fired, with one mark at least",
  })
  .refine(({ in_flight, fired }) => in_flight.length + fired.length <= MAX_MARKS, {
    message: `give ${MAX_MARKS} marks at most, and the others in further calls`,
  });
export type StateImport = Readonly<z.output<typeof StateImport>>;

/** The same as callers write it. */
export type StateMarks = z.input<typeof StateImport>;

const Ignored = z.object({
  pointer: z.string().meta({ description: "JSON pointer of the mark in the body" }),
  message: z.string().meta({ description: "Why the mark means nothing any more" }),
});

/** What an import did. */
export const StateImported = z.object({
  policy: z.string().meta({ description: "Id of the rule" }),
  in_flight: z.int().meta({ description: "Marks of work in flight that hold the rule back from now on" }),
  fired: z.int().meta({ description: "Marks of earlier firings that hold the rule back from now on" }),
  unchanged: z.array(z.string()).readonly().meta({
    description: "Pointers of marks that were imported before, or hold the rule back no longer than it is anyway",
  }),
  ignored: z.array(Ignored).readonly().meta({ description: "Marks that mean nothing any more, with the reason" }),
  held_until: Timestamp.nullable().meta({ description: "When the last of the new marks ends; null: there is none" }),
});
export type StateImported = Readonly<z.output<typeof StateImported>>;

/** `null`: the rule does not exist. Where it is not `ok`, nothing has changed. */
export type StateImportAnswer =
  | ({ readonly ok: true } & StateImported)
  | { readonly ok: false; readonly errors: readonly FieldError[] }
  | null;

/** One mark as the rule keeps it. */
export interface HeldMark {
  /** JSON pointer in the request. */
  readonly pointer: string;
  readonly kind: ImportedMark["kind"];
  /** `undefined`: the rule keeps nothing apart. */
  readonly key: string | undefined;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export type StateImportPlan =
  | { readonly marks: readonly HeldMark[]; readonly ignored: readonly FieldError[] }
  | { readonly errors: readonly FieldError[] };

/** What a mark of a request becomes: those that the rule keeps, or why there is none. */
type Planned = { readonly marks: readonly HeldMark[] } | { readonly ignored: string } | { readonly error: FieldError };

/** Which marks of a request hold the rule back, for how long; a mark never lasts longer than the rule's own would. */
export function planStateImport(rule: Rule, { in_flight, fired }: StateImport, nowMs: number): StateImportPlan {
  const planned = [
    ...in_flight.map(({ key, since, until }, place) => {
      const mark = { pointer: `/in_flight/${place}`, time: "since", key, sinceMs: since, untilMs: until };
      return [mark.pointer, planMark(mark, inFlightWindow(rule, mark), nowMs)] as const;
    }),
    ...fired.map(({ key, at, until }, place) => {
      const mark = { pointer: `/fired/${place}`, time: "at", key, sinceMs: at, untilMs: until };
      return [mark.pointer, planMark(mark, firedWindows(rule, mark), nowMs)] as const;
    }),
  ];
  const errors = planned.flatMap(([, one]) => ("error" in one ? [one.error] : []));
  if (errors.length > 0) return { errors };
  return {
    marks: planned.flatMap(([, one]) => ("marks" in one ? one.marks : [])),
    ignored: planned.flatMap(([pointer, one]) => ("ignored" in one ? [{ pointer, message: one.ignored }] : [])),
  };
}

interface GivenMark {
  readonly pointer: string;
  /** The field that holds the time. */
  readonly time: string;
  readonly key: string | undefined;
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
}

/** For how long the rule would keep the mark, had it made the mark itself. */
interface Window {
  readonly kind: HeldMark["kind"];
  readonly key: string | undefined;
  readonly text: string;
}

function planMark(given: GivenMark, windows: readonly Window[] | FieldError, nowMs: number): Planned {
  const { pointer, time, sinceMs, untilMs } = given;
  if ("pointer" in windows) return { error: windows };
  if (sinceMs > nowMs + SKEW_MS) {
    const message = `${formatTimestamp(sinceMs)} is in the future: give the time at which it began`;
    return { error: { pointer: `${pointer}/${time}`, message } };
  }
  if (untilMs !== undefined && untilMs <= sinceMs) {
    return { error: { pointer: `${pointer}/until`, message: `give a time after ${time}` } };
  }
  const begunMs = Math.min(sinceMs, nowMs);
  const marks = windows.map(({ kind, key, text }) => {
    const endMs = Math.min(begunMs + checkedMs(text), untilMs ?? Number.POSITIVE_INFINITY);
    return { pointer, kind, key, sinceMs: begunMs, untilMs: endMs };
  });
  const lasting = marks.filter((mark) => mark.untilMs > nowMs);
  if (lasting.length > 0) return { marks: lasting };
  const endMs = Math.max(...marks.map((mark) => mark.untilMs));
  const length = windows.map(({ text }) => text).join(", ");
  return { ignored: `over since ${formatTimestamp(endMs)}: the rule keeps it for ${length} at most` };
}

function inFlightWindow({ id, while_in_flight }: Rule, { pointer, key }: GivenMark): Window[] | FieldError {
  if (while_in_flight === undefined) {
    return { pointer, message: `the rule ${id} has no while_in_flight: nothing of it can be in flight` };
  }
  const wrong = wrongKey(pointer, key, while_in_flight.by);
  return wrong ?? [{ kind: "in_flight", key, text: while_in_flight.at_most }];
}

function firedWindows({ id, cooldown, once_per }: Rule, { pointer, key }: GivenMark): Window[] | FieldError {
  if (cooldown === undefined && once_per === undefined) {
    return { pointer, message: `the rule ${id} has neither cooldown nor once_per: it may fire again at any time` };
  }
  const ofAll: Window[] = cooldown === undefined ? [] : [{ kind: "cooldown", key: undefined, text: cooldown }];
  // Of a firing for one value the cooldown follows, too; of a firing whose value is not known the cooldown alone.
  if (key === undefined && ofAll.length > 0) return ofAll;
  const wrong = wrongKey(pointer, key, once_per?.by);
  if (wrong !== undefined) return wrong;
  return once_per === undefined ? ofAll : [...ofAll, { kind: "once_per", key, text: once_per.within }];
}

function wrongKey(pointer: string, key: string | undefined, by: string | undefined): FieldError | undefined {
  if (by !== undefined && key === undefined) {
    return { pointer: `${pointer}/key`, message: `give the key: the rule keeps apart by ${by}` };
  }
  if (by === undefined && key !== undefined) {
    return { pointer: `${pointer}/key`, message: "leave the key out: the rule keeps nothing apart" };
  }
  return undefined;
}

/** The marks as they stand in the record of the import. */
export const recordOfMarks = (marks: readonly HeldMark[]): ImportedMark[] =>
  marks.map(({ kind, key, sinceMs, untilMs }) => ({
    kind,
    ...(key === undefined ? {} : { key }),
    since: formatTimestamp(sinceMs),
    until: formatTimestamp(untilMs),
  }));

/** The marks of a record. */
export const marksOfRecord = (marks: readonly ImportedMark[]): HeldMark[] =>
  marks.map(({ kind, key, since, until }) => ({
    pointer: "",
    kind,
    key,
    sinceMs: Date.parse(since),
    untilMs: Date.parse(until),
  }));
