import { Mentions } from "../../core/erasure/mentions.ts";
import { allReferences, NO_REFERENCES, type References } from "../../core/erasure/references.ts";
import { type ErasureContext, erasedRow, isKept, referencesOfRow, type StoredRow } from "./erasure-rules.ts";
import type { Schema } from "./schema.ts";
import { type CopyPlace, keyOf, quoted, readRows, tablesOf } from "./table-copy.ts";

/** The reason of a restart; the caller gets it as the error of its call. */
export const RESTARTED_ERASED = "restarted after a source was erased";

/** What a page is searched for. */
export interface PageToErase {
  readonly source: string;
  readonly throughSeq: number;
  readonly reporters: readonly string[];
  /** Where the page begins; `null`: the first. */
  readonly place: CopyPlace | null;
}

/** A step of an erasure, as the log asks it of an object. */
export type ErasureStep =
  /** To which signals the rows of a page go back. */
  | (PageToErase & { readonly do: "look" })
  /** Erases the page. @param erased - of the signals to which its rows go back, those that were erased */
  | (PageToErase & { readonly do: "erase"; readonly erased: References })
  /** Memory is read anew from the disk: it has what was erased there. */
  | { readonly do: "restart" };

export interface ErasedPage {
  readonly about: References;
  /** Rows that were deleted or changed. */
  readonly rows: number;
  /** `null`: the page was the last one. */
  readonly next: CopyPlace | null;
}

/** A call that every object answers. */
export interface ErasableObject {
  eraseSource(step: ErasureStep): Promise<ErasedPage>;
}

interface ErasureParts {
  readonly ctx: DurableObjectState;
  readonly sql: SqlStorage;
  readonly schema: Schema;
}

/** Erases a source from an object's tables, whatever the class keeps in them, a page of rows at a time. */
export class ObjectErasure {
  readonly #parts: ErasureParts;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
  }

  step(step: ErasureStep): ErasedPage {
    if (step.do === "restart") {
      this.#parts.ctx.abort(RESTARTED_ERASED);
      return { about: NO_REFERENCES, rows: 0, next: null };
    }
    return step.do === "look" ? this.#look(step) : this.#parts.ctx.storage.transactionSync(() => this.#erase(step));
  }

  #look({ place }: PageToErase): ErasedPage {
    const { schema } = this.#parts;
    const page = this.#page(place);
    if (page === undefined) return { about: NO_REFERENCES, rows: 0, next: null };
    const about = page.rows.map((row) => referencesOfRow(page.table, row, schema.erasure));
    return { about: allReferences(...about), rows: 0, next: page.next };
  }

  /** The rows may be others than those that were looked at: what is new among them is found by the next search. */
  #erase({ source, throughSeq, reporters, place, erased }: PageToErase & { readonly erased: References }): ErasedPage {
    const { sql, schema } = this.#parts;
    const page = this.#page(place);
    if (page === undefined) return { about: NO_REFERENCES, rows: 0, next: null };
    const context: ErasureContext = {
      mentions: new Mentions(source, "rows"),
      throughSeq,
      reporters: new Set(reporters),
      erased: { seqs: new Set(erased.seqs), ids: new Set(erased.ids) },
    };
    const known = page.key.map((column) => (column === "rowid" ? column : quoted(column)));
    const where = `WHERE ${known.map((column) => `${column} = ?`).join(" AND ")}`;
    let rows = 0;
    for (const row of page.rows) {
      const left = erasedRow(page.table, row, page.key, context, schema.erasure);
      if (left === row) continue;
      rows++;
      const key = page.key.map((_, at) => row[`key_${at}`] ?? null);
      if (left === null) {
        sql.exec(`DELETE FROM ${quoted(page.table)} ${where}`, ...key);
        continue;
      }
      const changed = Object.keys(left).filter((column) => left[column] !== row[column]);
      const set = changed.map((column) => `${quoted(column)} = ?`).join(", ");
      const values = changed.map((column) => left[column] ?? null);
      sql.exec(`UPDATE OR REPLACE ${quoted(page.table)} SET ${set} ${where}`, ...values, ...key);
    }
    return { about: NO_REFERENCES, rows, next: page.next };
  }

  /** @returns `undefined`: there is nothing behind `place` */
  #page(place: CopyPlace | null): (Page & { readonly next: CopyPlace | null }) | undefined {
    const { sql, schema } = this.#parts;
    const tables = tablesOf(sql).filter(({ name }) => !isKept(name, schema.erasure));
    const at = tables.findIndex(({ name }) => place === null || name >= place.table);
    const table = tables[at];
    if (table === undefined) return undefined;
    const { rows, next } = readRows(sql, table, table.name === place?.table ? place.key : null);
    const after = tables[at + 1];
    const nextTable = after === undefined ? null : { table: after.name, key: null };
    return {
      table: table.name,
      key: keyOf(sql, table),
      rows,
      next: next === null ? nextTable : { table: table.name, key: next },
    };
  }
}

interface Page {
  readonly table: string;
  readonly key: readonly string[];
  readonly rows: readonly StoredRow[];
}
