import { isBoundTo } from "../../../core/access/bindings.ts";
import type { Grant } from "../../../core/access/grant.ts";
import { isJsonObject } from "../../../core/json/is-json-object.ts";
import { limitsAround } from "../../../core/json/limits.ts";
import { readJson } from "../../../core/json/read-json.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { problem } from "../../../core/problem/problem.ts";
import { admitSignal, admitWellFormed } from "../../../core/signals/admit.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { readPlainSignals } from "../../../core/signals/plain-signals.ts";
import { foreignSource, reservedFields } from "../../../core/signals/reserved.ts";
import type { NewSignal } from "../../../core/signals/signal.ts";
import { malformed, parseJson, readBody } from "../http/body.ts";
import { forbidden, invalid, Refusal } from "../http/refusal.ts";
import { withTraceOf } from "./trace-context.ts";

/** No registry has a name for JSON lines; these are in use. */
export const LINE_MEDIA_TYPES = [
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
] as const;
const SIGNAL_MEDIA_TYPES = ["application/json", ...LINE_MEDIA_TYPES] as const;

/**
 * Reads one signal, an array of signals, or one signal a line. All or nothing: one signal that is invalid, or that the
 * token may not send, refuses the request.
 */
export async function readSignals(request: Request, grant: Grant): Promise<NewSignal[]> {
  const { text, type } = await readBody(request, SIGNAL_MEDIA_TYPES);
  const plain = type === "application/json" ? admitPlain(text) : undefined;
  if (plain !== undefined) {
    refuseForeign(plain, grant, (place) => (text.startsWith("[") ? `/${place}` : ""));
    return withTraceOf(request, plain);
  }
  const items = type === "application/json" ? parseDocument(text) : parseLines(text);
  const signals = admitAll(items);
  refuseForeign(signals, grant, (place) => items[place]?.pointer ?? "");
  return withTraceOf(
    request,
    signals,
    items.map(({ value }) => (isJsonObject(value) ? value.facts : undefined)),
  );
}

export const foreignSignal = (errors: readonly FieldError[]) =>
  forbidden("foreign-signal", "The token may not send such a signal; none was stored", errors);

/** @throws Refusal where a signal names a source, an id or a name that does not belong to the token */
function refuseForeign(signals: readonly NewSignal[], grant: Grant, pointerOf: (place: number) => string): void {
  const errors: FieldError[] = [];
  signals.forEach((signal, place) => {
    for (const error of foreignFields(signal, grant, pointerOf(place))) errors.push(error);
  });
  if (errors.length > 0) throw foreignSignal(errors);
}

/**
 * The fields of a signal that do not belong to the token.
 *
 * @param at - JSON pointer of the signal
 */
export function foreignFields(signal: NewSignal, grant: Grant, at: string): FieldError[] {
  const errors = reservedFields(signal, grant.scopes.includes("admin"), at);
  if (!isBoundTo(grant.sources, signal.source)) errors.push(foreignSource(signal.source, at));
  return errors;
}

/** Signals in their usual form, when all of them are valid. @returns `undefined`: the text is to be read in full */
function admitPlain(text: string): NewSignal[] | undefined {
  // Facts may have the trace of their sender, and would have to be read for that.
  const plain = text.includes('"traceparent"') ? undefined : readPlainSignals(text);
  if (plain === undefined || plain.signals.length === 0) return undefined;
  const signals: NewSignal[] = [];
  for (const [place, fields] of plain.signals.entries()) {
    const signal = admitWellFormed(fields, plain.facts[place]);
    if (signal === undefined) return undefined;
    signals.push(signal);
  }
  return signals;
}

interface Item {
  readonly value: unknown;
  /** JSON pointer; for lines, the number of the line, from 0. */
  readonly pointer: string;
}

function parseDocument(text: string): Item[] {
  const document = parseJson(text, { kind: "invalid-signal", title: "The signals are not valid; none was stored" });
  if (!Array.isArray(document)) return [{ value: document, pointer: "" }];
  return document.map((value, index) => ({ value, pointer: `/${index}` }));
}

const LINE = limitsAround(1);

function parseLines(text: string): Item[] {
  const items: Item[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    if (line.trim() === "") continue;
    // Counted before parsing: a request of a million short lines is refused without parsing them all.
    if (items.length === LIMITS.batchSignals) throw tooMany();
    const reading = readJson(line, LINE);
    if (reading.ok) items.push({ value: reading.value, pointer: `/${number - 1}` });
    else if (reading.malformed === undefined) throw refused(reading.errors, number);
    else throw malformed(`${reading.malformed.replace(/^line 1/, `line ${number}`)} (one signal a line)`);
  }
  return items;
}

const refused = (errors: readonly FieldError[], line: number) =>
  invalid(
    "invalid-signal",
    "Some signals are not valid; none was stored",
    errors.map(({ pointer, message }) => ({ pointer: `/${line - 1}${pointer}`, message })),
  );

function admitAll(items: readonly Item[]): NewSignal[] {
  if (items.length > LIMITS.batchSignals) throw tooMany();
  const signals: NewSignal[] = [];
  const errors: FieldError[] = [];
  for (const { value, pointer } of items) {
    const admission = admitSignal(value, pointer);
    if (admission.ok) signals.push(admission.signal);
    else for (const error of admission.errors) errors.push(error); // one by one: `push(...errors)` may exceed the arguments that a call can take
  }
  if (items.length === 0) errors.push({ pointer: "", message: "give at least one signal" });
  if (errors.length > 0) {
    throw invalid(
      "invalid-signal",
      items.length > 1 ? "Some signals are not valid; none was stored" : "The signal is not valid",
      errors,
    );
  }
  return signals;
}

export const tooMany = () =>
  new Refusal(
    problem("too-large", 413, "Too many signals", `A request may hold ${LIMITS.batchSignals} signals: split it.`, {
      max_signals: LIMITS.batchSignals,
    }),
  );
