import { NewerSchema } from "../../core/problem/object-refusals.ts";
import type { ErasureRules, StoredRow } from "./erasure-rules.ts";

/** Brings the tables of a class from one version to the next. Runs once, in the transaction that records the version. */
export type SchemaStep = (sql: Pick<SqlStorage, "exec">) => void;

/** The shape of what a class stores: version 1, and one more for each step. */
export interface Schema {
  /** Name of the class, for the error. */
  readonly of: string;
  /**
   * The first leads from version 1 to 2. What was stored before versions were recorded counts as version 1, whichever
   * commit wrote it: so a class's first step looks for what is missing, and the later ones know.
   */
  readonly steps: readonly SchemaStep[];
  /** What is peculiar about copying the class's tables. */
  readonly copy?: CopyRules;
  /** What is peculiar about erasing a source from the class's tables. */
  readonly erasure?: ErasureRules;
}

export interface CopyRules {
  /** Tables that mean something only where they are. */
  readonly leftOut?: readonly string[];
  /** SQL conditions of rows that the class writes by itself, so that an object which has no others holds nothing. */
  readonly initial?: Readonly<Record<string, string>>;
  /** The row without what must not leave the object; `undefined`: as it is. */
  readonly without?: (table: string, row: StoredRow, withSecrets: boolean) => StoredRow | undefined;
  /** Completes what was imported without secrets. */
  readonly imported?: (sql: Pick<SqlStorage, "exec">) => void;
}

export const versionOf = ({ steps }: Schema): number => 1 + steps.length;

/**
 * Opens a store for the code of a class: an older store goes through the steps, in one transaction, and a newer one is
 * refused before anything is written. Called before the class makes its tables.
 *
 * The version is the text of a view, `schema_version`: part of the definition of the tables, and made with them. There is
 * no row of it, a wake writes nothing, and version 1 is not recorded at all.
 */
export function openSchema(
  storage: DurableObjectStorage,
  sql: Pick<SqlStorage, "exec">,
  schema: Schema,
  name: string,
): void {
  const known = versionOf(schema);
  const { view, used } = sql
    .exec<{ view: string | null; used: number }>(
      `SELECT (SELECT sql FROM sqlite_master WHERE type = 'view' AND name = 'schema_version') AS view,
         EXISTS(SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*') AS used`,
    )
    .one();
  // The class makes the tables of a new object, as they are today.
  const stored = view === null ? (used === 0 ? known : 1) : versionIn(view);
  if (stored > known) throw new NewerSchema(`${schema.of} "${name}"`, stored, known);
  if (stored === known && (view !== null || known === 1)) return;
  storage.transactionSync(() => {
    for (const step of schema.steps.slice(stored - 1)) step(sql);
    recordVersion(sql, known);
  });
}

/** Records a version in place of another. */
export function recordVersion(sql: Pick<SqlStorage, "exec">, version: number): void {
  sql.exec("DROP VIEW IF EXISTS schema_version");
  sql.exec(`CREATE VIEW schema_version AS SELECT ${version} AS version`);
}

function versionIn(view: string): number {
  const version = /\bSELECT (\d+) AS version\b/.exec(view)?.[1];
  if (version === undefined) throw new Error(`the stored schema version cannot be read: ${view.slice(0, 100)}`);
  return Number(version);
}

/** Adds a column, unless a commit from before versions were recorded has added it. */
export function addColumn(sql: Pick<SqlStorage, "exec">, table: string, column: string, type: string): boolean {
  const columns = sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).toArray();
  // Without columns there is no table yet, and the class makes it as it is today.
  if (columns.length === 0 || columns.some(({ name }) => name === column)) return false;
  sql.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
  return true;
}
