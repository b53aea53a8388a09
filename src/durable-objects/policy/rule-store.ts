import type { Policy, PolicyVersion } from "../../core/policy/api.ts";
import { compileRule } from "../../core/policy/compiled-rule.ts";
import type { Rule } from "../../core/policy/rule.ts";
import { readStoredPolicy, readStoredRule } from "../../core/policy/stored.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** One version of a rule, or its deletion, in force from a position of the log on. */
export interface StoredVersion {
  readonly id: string;
  readonly version: number;
  /** `null`: deleted. */
  readonly rule: Rule | null;
  /** The version decides on signals after this sequence number. */
  readonly seq: number;
  /** Log time up to which all time-outs were decided by the version before; 0: no particular time. */
  readonly atMs: number;
  readonly by: string | null;
  /** Id of the token; not known of versions that were read back. */
  readonly byId?: string;
  readonly changedMs: number;
}

interface Row {
  [column: string]: SqlStorageValue;
  rule: string;
  version: number;
  seq: number;
  at_ms: number;
  changed_ms: number;
  changed_by: string | null;
  body: string | null;
}

/** The rules of an ecosystem with all their versions: a rebuild decides by the versions of each time. */
export class RuleStore {
  readonly #sql: SqlStorage;
  /** Versions that were compiled once: compiling costs more than reading. */
  readonly #compiled = new Set<string>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS rules (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    sql.exec(
      `CREATE TABLE IF NOT EXISTS rule_versions (rule TEXT, version INTEGER, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
         changed_ms INTEGER NOT NULL, changed_by TEXT, body TEXT, PRIMARY KEY (rule, version)) WITHOUT ROWID`,
    );
  }

  current(): Policy[] {
    const rows = this.#sql.exec<{ body: string }>("SELECT body FROM rules ORDER BY id");
    return [...readableRows("rules", rows, ({ body }) => this.#compilable(readStoredPolicy(body)))];
  }

  lastVersion(id: string): number {
    const [row] = this.#sql.exec<{ last: number | null }>(
      "SELECT MAX(version) AS last FROM rule_versions WHERE rule = ?",
      id,
    );
    return row?.last ?? 0;
  }

  write(stored: StoredVersion, origin: Pick<Policy, "built_in" | "modified">): void {
    const { id, version, rule, seq, atMs, by, byId, changedMs } = stored;
    const body = rule === null ? null : JSON.stringify(rule);
    this.#sql.exec(
      "INSERT INTO rule_versions VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      version,
      seq,
      atMs,
      changedMs,
      by,
      body,
    );
    if (rule === null) {
      this.#sql.exec("DELETE FROM rules WHERE id = ?", id);
    } else {
      const policy: Policy = {
        ...rule,
        ...origin,
        changed_at: formatTimestamp(changedMs),
        changed_by: by,
        ...(byId === undefined ? {} : { changed_by_id: byId }),
      };
      this.#sql.exec("INSERT OR REPLACE INTO rules VALUES (?, ?)", id, JSON.stringify(policy));
    }
  }

  /** Newest first. */
  versions(id: string, limit: number): PolicyVersion[] {
    const rows = this.#sql.exec<Row>(
      "SELECT * FROM rule_versions WHERE rule = ? ORDER BY version DESC LIMIT ?",
      id,
      limit,
    );
    const read = readableRows("versions of rules", rows, ({ version, seq, changed_ms, changed_by, body }) => ({
      version,
      changed_at: formatTimestamp(changed_ms),
      changed_by,
      after_seq: seq,
      rule: body === null ? null : readStoredRule(body),
    }));
    return [...read];
  }

  /** All versions of all rules, in the order in which they came into force. */
  history(): StoredVersion[] {
    const rows = this.#sql.exec<Row>("SELECT * FROM rule_versions ORDER BY seq, at_ms, changed_ms, rule, version");
    const read = readableRows(
      "versions of rules",
      rows,
      ({ rule, version, seq, at_ms, changed_ms, changed_by, body }): StoredVersion => ({
        id: rule,
        version,
        seq,
        atMs: at_ms,
        by: changed_by,
        changedMs: changed_ms,
        rule: body === null ? null : this.#compilable(readStoredRule(body)),
      }),
    );
    return [...read];
  }

  /** @throws InvalidRule for a rule that this version of the edge cannot put in force */
  #compilable<Stored extends Rule>(rule: Stored): Stored {
    const name = `${rule.id} ${rule.version}`;
    if (!this.#compiled.has(name)) compileRule(rule);
    this.#compiled.add(name);
    return rule;
  }
}
