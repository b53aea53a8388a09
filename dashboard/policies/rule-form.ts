import type { RuleDocument } from "../../src/client/policy.ts";

/** Effects that the form knows. Others, and further fields of these, stay as the JSON has them. */
export const EFFECTS = {
  emit: { title: "emit a signal", texts: [["signal", "Signal"]], map: "facts", mapTitle: "Facts" },
  enqueue: {
    title: "enqueue a task",
    texts: [
      ["queue", "Queue"],
      ["recipient", "Recipient (an expression)"],
      ["type", "Type of the task"],
    ],
    map: "payload",
    mapTitle: "Payload; none: the whole signal",
  },
  webhook: {
    title: "send to a webhook",
    texts: [["endpoint", "Endpoint"]],
    map: "body",
    mapTitle: "Body; none: the whole signal",
  },
} as const;

export type EffectKind = keyof typeof EFFECTS;
export const EFFECT_KINDS = Object.keys(EFFECTS) as EffectKind[];

type Fields = Readonly<Record<string, unknown>>;

/** An effect as the form shows it. */
export interface EffectForm {
  readonly kind: EffectKind;
  readonly fields: Fields;
}

/** @returns `undefined`: only the JSON can show the effect whole */
export function effectForm(effect: unknown): EffectForm | undefined {
  if (!isFields(effect)) return undefined;
  const [kind, ...others] = Object.keys(effect);
  const known = EFFECT_KINDS.find((one) => one === kind);
  if (known === undefined || others.length > 0) return undefined;
  const fields = effect[known];
  if (!isFields(fields)) return undefined;
  const { texts, map } = EFFECTS[known];
  if (!texts.every(([name]) => fields[name] === undefined || typeof fields[name] === "string")) return undefined;
  return linesOf(fields[map]) === undefined ? undefined : { kind: known, fields };
}

/** An effect of that kind that somebody begins to write. */
export const newEffect = (kind: EffectKind): Fields => ({
  [kind]: Object.fromEntries(EFFECTS[kind].texts.map(([name]) => [name, ""])),
});

/** Expressions by name, one a line: `count: facts.count`. @returns `undefined`: they do not fit into lines */
export function linesOf(map: unknown): string | undefined {
  if (map === undefined) return "";
  if (!isFields(map)) return undefined;
  const lines = Object.entries(map).map(([name, value]) => `${name}: ${String(value)}`);
  const text = lines.join("\n");
  // What would be read back as something else is not shown.
  const back = mapOf(text);
  return "map" in back && JSON.stringify(back.map) === JSON.stringify(map) ? text : undefined;
}

export type ReadMap = { readonly map: Readonly<Record<string, string>> } | { readonly problem: string };

/** Reads what {@link linesOf} writes. */
export function mapOf(text: string): ReadMap {
  const map: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const at = line.indexOf(":");
    const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || name === "" || value === "") return { problem: `“${line.trim()}” is not name: expression` };
    map[name] = value;
  }
  return { map };
}

/** Names of signals as somebody types them, with commas or spaces between. */
export const namesIn = (text: string): string[] => text.split(/[\s,]+/).filter((name) => name !== "");

/** The patterns of a rule as the form shows them: a single one may stand without a list. */
export const patternsOf = (rule: RuleDocument): string[] =>
  [rule.when].flat().filter((pattern) => typeof pattern === "string");

/** The rule with a field changed; `undefined` and "" take it away. */
export function withField(rule: RuleDocument, name: string, value: unknown): RuleDocument {
  const { [name]: _, ...others } = rule;
  if (value === undefined || value === "") return others;
  return Object.hasOwn(rule, name) ? { ...rule, [name]: value } : { ...others, [name]: value };
}

export const effectsOf = (rule: RuleDocument): readonly unknown[] => (Array.isArray(rule.then) ? rule.then : []);

/** The rule with an effect changed, added behind the others, or, with `undefined`, taken away. */
export function withEffect(rule: RuleDocument, place: number, effect: Fields | undefined): RuleDocument {
  const effects = [...effectsOf(rule)];
  effects.splice(place, 1, ...(effect === undefined ? [] : [effect]));
  return withField(rule, "then", effects);
}

/** The effect with a field of it changed; `undefined` takes the field away. */
export function withEffectField({ kind, fields }: EffectForm, name: string, value: unknown): Fields {
  const { [name]: _, ...others } = fields;
  return { [kind]: value === undefined ? others : { ...fields, [name]: value } };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
