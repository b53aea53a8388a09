import type { Mentions } from "../../core/erasure/mentions.ts";
import {
  allReferences,
  concernsErased,
  type ErasedReferences,
  fields,
  NO_REFERENCES,
  type References,
  referencesOfId,
  referencesOfLetter,
  referencesTo,
  storedJson,
} from "../../core/erasure/references.ts";

export type StoredValue = ArrayBuffer | string | number | null;
export type StoredRow = Record<string, StoredValue>;

/** What is known of an erased source while rows are searched for it. */
export interface ErasureContext {
  readonly mentions: Mentions;
  /** Later signals of the source stay. */
  readonly throughSeq: number;
  /** Names under which the source's observations came, beside its own. */
  readonly reporters: ReadonlySet<string>;
  readonly erased: ErasedReferences;
}

/** What becomes of a row where a source is erased. */
export interface RowRule {
  /** The signals from which the row follows: where one of them was erased, the row goes, unless `change` says what is left. */
  readonly about?: (row: StoredRow) => References;
  /** @returns `null`: the row goes; `undefined`: as it is, but for the name */
  readonly change?: (row: StoredRow, context: ErasureContext) => StoredRow | null | undefined;
  /** The row goes where the name is in it. */
  readonly whole?: true;
  /** A column that follows from the others, and is null until it is made anew: it goes where the name was in them. */
  readonly derived?: string;
}

export interface ErasureRules {
  /** Tables of numbers, and of what people have set: they stay as they are. */
  readonly kept?: readonly string[];
  /** By the name of the table; of tables that are numbered, with `*` in the place of the number. */
  readonly rows?: Readonly<Record<string, RowRule>>;
}

/** Settings that people wrote, and numbers, among the values that have no table of their own. */
const KEPT_NOTES = /^(settings|observations|history|epoch|emitted|reserved|interests|name|scanner:.*)$/;

/** Columns under which a page gives the key of each row a second time. */
const READ_KEY = /^key_\d+$/;

/** What takes the place of a short name is longer than the name, and no row may be larger than two million bytes. */
const isTooLarge = (text: string) => text.length > 600_000 && new TextEncoder().encode(text).length > 1_950_000;

/** Tables that the shell makes, whichever class has them. */
const COMMON: Readonly<Record<string, RowRule>> = {
  outgoing: { about: ({ body }) => referencesTo(fields(storedJson(body)).cause) },
  deeds: {
    about: ({ body }) => {
      const { id, cause, seq } = fields(storedJson(body));
      const place = typeof seq === "number" ? { seqs: [seq], ids: [] } : NO_REFERENCES;
      return allReferences(referencesOfId(id), referencesTo(cause), place);
    },
  },
  buried: {
    about: ({ body }) => referencesOfLetter(fields(storedJson(body)).id, storedJson(body)),
    whole: true,
  },
  // Finished work on its way to an export does not say from which signals it follows; row 0 says what is exported.
  exported: { change: (row) => (row.number === 0 ? row : null) },
  notes: { change: (row) => (KEPT_NOTES.test(String(row.name)) ? row : undefined) },
  settings: { change: (row) => (KEPT_NOTES.test(String(row.name)) ? row : undefined) },
};
const KEPT: readonly string[] = ["position", "bridges", "retaken"];

export const isKept = (table: string, rules: ErasureRules = {}): boolean =>
  KEPT.includes(table) || (rules.kept ?? []).includes(generic(table));

const generic = (table: string) => table.replace(/_\d+$/, "_*");
const ruleOf = (table: string, rules: ErasureRules = {}): RowRule =>
  rules.rows?.[generic(table)] ?? COMMON[table] ?? {};

export function referencesOfRow(table: string, row: StoredRow, rules?: ErasureRules): References {
  return ruleOf(table, rules).about?.(row) ?? NO_REFERENCES;
}

/**
 * @param key - the columns by which the table knows its rows
 * @returns `null`: the row goes; the row itself: it stays as it is
 */
export function erasedRow(
  table: string,
  row: StoredRow,
  key: readonly string[],
  context: ErasureContext,
  rules?: ErasureRules,
): StoredRow | null {
  const rule = ruleOf(table, rules);
  const about = rule.about?.(row) ?? NO_REFERENCES;
  if (concernsErased(about, context.erased)) return null;
  // What the source sent after the erasure had begun stays.
  if (about.seqs.length > 0 && about.seqs.every((seq) => seq > context.throughSeq)) return row;
  const changed = rule.change?.(row, context);
  if (changed !== undefined) return changed;
  const { mentions } = context;
  const left = new Map<string, string | null>();
  for (const [column, value] of Object.entries(row)) {
    if (typeof value !== "string" || !mentions.mayBeIn(value) || READ_KEY.test(column)) continue;
    const text = mentions.withoutText(value);
    if (text === value) continue;
    if (rule.whole === true || key.includes(column) || isTooLarge(text)) return null;
    left.set(column, text);
  }
  if (left.size > 0 && typeof row[rule.derived ?? ""] === "string") left.set(rule.derived ?? "", null);
  return left.size === 0 ? row : { ...row, ...Object.fromEntries(left) };
}
