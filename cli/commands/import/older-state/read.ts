import type { Policy } from "../../../../src/core/policy/api.ts";
import { formatTimestamp } from "../../../../src/core/signals/timestamp.ts";
import { type FieldKind, readName } from "./field-kinds.ts";
import { type Fact, type OlderField, rowsOf } from "./rows.ts";
import { factOf, Subjects } from "./subjects.ts";
import { type Fields, isGoingOn, isObject, itemsOf, timeIn, timeOf } from "./values.ts";

/** Objects in objects that are read; a file's object is the first. */
const MAX_DEPTH = 3;

export interface OlderState {
  readonly fields: readonly OlderField[];
  /** When the file says that it was saved, or when it was changed last, in milliseconds since the epoch. */
  readonly savedMs: number;
}

/**
 * What the state of an older policy daemon means to these rules. Nobody has fixed the form of such files, so fields are
 * recognised by their names and by what they hold. Each field of the file has a row, taken over or not.
 *
 * @param changedMs - when the file was changed last
 * @throws Error where the document is no object
 */
export function readOlderState(document: unknown, rules: readonly Policy[], changedMs: number): OlderState {
  if (!isObject(document)) {
    throw new Error(
      "the state of a policy daemon is one object, in JSON or YAML, with a field for each thing it knows",
    );
  }
  const reader = new Reader(new Subjects(rules));
  reader.read(document, "", "", 1);
  const savedMs = reader.savedMs ?? changedMs;
  return { fields: rowsOf(reader.facts, savedMs), savedMs };
}

/** Collects what the fields of a file say, each for the rules that it is about. */
class Reader {
  readonly facts: Fact[] = [];
  savedMs: number | undefined;
  readonly #subjects: Subjects;

  constructor(subjects: Subjects) {
    this.#subjects = subjects;
  }

  /** @param inside - the subject of the object */
  read(fields: Fields, at: string, inside: string, depth: number): void {
    for (const [name, value] of Object.entries(fields)) {
      const field = at === "" ? name : `${at}.${name}`;
      const { kind, subject } = readName(name, inside);
      if (isObject(value) && isSection(kind, value)) {
        if (depth < MAX_DEPTH) this.read(value, field, subject || inside, depth + 1);
        else this.#note(field, "an object", "nested more deeply than the import reads");
      } else this.#field(field, kind, subject, value);
    }
  }

  #field(field: string, kind: FieldKind | undefined, subject: string, value: unknown): void {
    const items = itemsOf(value);
    if (kind === "saved" && subject === "") return this.#saved(field, value);
    if (kind === "form") return this.#note(field, "the form of the file", "nothing to take over");
    if (kind === "in_flight") return this.#inFlight(field, subject, value);
    if (kind === "dealt_with" || (kind === "ended" && Array.isArray(value)))
      return this.#dealtWith(field, subject, value);
    if (kind === undefined || kind === "saved") {
      return this.#note(field, "no mark of a rule", "it neither says what is in flight nor what was done, and when");
    }
    if (items === undefined) return this.#timed(field, kind, subject, value);
    if (items.length === 0) return this.#note(field, "empty", "nothing to take over");
    for (const { at, name, value: one } of items) {
      this.#timed(`${field}${at}`, kind, name ?? subject, isObject(one) ? timeIn(one) : one);
    }
  }

  #saved(field: string, value: unknown): void {
    const savedMs = timeOf(value);
    if (savedMs === undefined) return this.#note(field, "when the file was saved", noTime(value));
    this.savedMs = Math.max(this.savedMs ?? 0, savedMs);
    this.facts.push({ field, means: `the file was saved at ${formatTimestamp(savedMs)}`, kind: "note", rule: null });
  }

  /** One time for one subject. */
  #timed(field: string, kind: "since" | "triggered" | "ended" | "cooldown", subject: string, value: unknown): void {
    const means = MEANS[kind];
    if (value === null) return this.#note(field, `${means}: never`, "nothing to take over");
    const atMs = timeOf(value);
    if (atMs === undefined) return this.#note(field, means, noTime(value));
    this.#each(field, subject, means, (rule) => {
      this.facts.push({ field, means: `${means} ${formatTimestamp(atMs)}`, kind, rule, atMs });
    });
  }

  #inFlight(field: string, subject: string, value: unknown): void {
    const items = itemsOf(value);
    const one = isObject(value) && isGoingOn(value) !== undefined && timeIn(value) !== undefined;
    // A list of names, or an object by name: of things in flight, or, where the field names those, of their keys.
    if (items !== undefined && items.length > 0 && !(one && subject !== "")) {
      for (const { at, name, value: item } of items) {
        const isOn = Array.isArray(value) ? true : (isGoingOn(item) ?? true);
        const given = { field: `${field}${at}`, isOn, atMs: timeIn(item) };
        const keys = isObject(item) && timeIn(item) !== undefined ? undefined : itemsOf(item);
        if (subject === "" || this.#subjects.find(subject).length === 0) this.#going(given, name ?? "", keys);
        else this.#going({ ...given, key: name }, subject);
      }
      return;
    }
    const isOn = isGoingOn(value) ?? false;
    // Without a subject in its name, a text is the subject.
    const named =
      subject === "" && isOn && typeof value === "string" && !/^(true|yes|on|\d.*)$/i.test(value) ? value : subject;
    this.#going({ field, isOn, atMs: timeIn(value) }, named);
  }

  /** @param keys - items of what is in flight, where those are listed */
  #going(
    given: {
      readonly field: string;
      readonly isOn: boolean;
      readonly atMs?: number | undefined;
      readonly key?: string | undefined;
    },
    subject: string,
    keys: ReturnType<typeof itemsOf> = undefined,
  ): void {
    const means = given.isOn ? "in flight" : "not in flight";
    this.#each(given.field, subject, means, (rule) => {
      const isKeyed = rule.while_in_flight?.by !== undefined;
      const ofEach = isKeyed && given.key === undefined && keys !== undefined ? keys : undefined;
      if (ofEach === undefined) this.facts.push({ ...given, means, kind: "in_flight", rule });
      for (const { at, name: key, value } of ofEach ?? []) {
        const field = `${given.field}${at}`;
        this.facts.push({ ...given, field, key, atMs: timeIn(value), means, kind: "in_flight", rule });
      }
    });
  }

  #dealtWith(field: string, subject: string, value: unknown): void {
    const word = subject === "" && /investigat/i.test(field) ? "gaps" : subject;
    const means = `${word === "" ? "something" : word}: dealt with`;
    const items = itemsOf(value);
    if (/promotion/.test(word)) return this.#note(field, means, PROMOTIONS);
    if (word === "") return this.#note(field, means, "the field does not say what they are, such as gaps");
    if (items === undefined) return this.#note(field, means, "neither a list nor an object by name");
    if (items.length === 0) return this.#note(field, means, "nothing to take over: there are none");
    const keeping = this.#subjects.keeping(word);
    for (const { at, name: key, value: item } of items) {
      const own = `${field}${at}`;
      if (key === undefined || item === false) this.#note(own, means, "nothing to take over: it names none");
      else if (keeping.length === 0)
        this.#note(own, means, `no rule here keeps ${word} apart (by facts.${factOf(word)})`);
      else {
        const fact = { field: own, means: `${means}, ${key}`, kind: "dealt_with" as const, key, atMs: timeIn(item) };
        for (const { rule, keptAs } of keeping) this.facts.push({ ...fact, rule, keptAs });
      }
    }
  }

  #each(field: string, subject: string, means: string, add: (rule: Policy) => void): void {
    if (subject === "")
      return this.#note(field, means, "the field names no rule, no signal and nothing that one begins");
    const rules = this.#subjects.find(subject);
    if (rules.length === 0) {
      this.#note(field, means, `no rule here is called ${subject}, or emits or decides on a signal of this name`);
    }
    for (const rule of rules) add(rule);
  }

  #note(field: string, means: string, reason: string): void {
    this.facts.push({ field, means, kind: "note", rule: null, reason });
  }
}

/** Whether an object holds fields about one subject, and not a list of subjects by name. */
function isSection(kind: FieldKind | undefined, value: Fields): boolean {
  if (kind !== undefined && kind !== "in_flight") return false;
  return kind === undefined
    ? Object.keys(value).length > 0
    : Object.keys(value).some((name) => readName(name).kind !== undefined);
}

const MEANS = {
  since: "began at",
  triggered: "triggered last at",
  ended: "ended last at",
  cooldown: "may not trigger before",
} as const;
const PROMOTIONS =
  "a promotion is acknowledged by its file: move it into acknowledged/, and the monitor reports it no more (docs/monitors.md)";

function noTime(value: unknown): string {
  return typeof value === "number"
    ? "no time of day: a length of time, a count, or the time of a clock that begins with the machine"
    : "no time: seconds or milliseconds since the epoch, or RFC 3339, are";
}
