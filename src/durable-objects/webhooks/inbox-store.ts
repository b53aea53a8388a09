import { type InboxSource, type InboxSourceInput, type SourceAtDoor, StoredSource } from "../../core/inbox/source.ts";
import { readableRows } from "../shell/readable-rows.ts";
import { newSecret } from "./endpoint-row.ts";

/** The previous secret of a source is good for this long, in milliseconds: one day. */
const OLD_SECRET_MS = 86_400_000;

interface SourceRow extends Record<string, SqlStorageValue> {
  name: string;
  /** Empty: the source was imported without its secret, and nothing that it sends is taken. */
  secret: string;
  old_secret: string | null;
  old_secret_until_ms: number;
  created_ms: number;
  body: string;
}

export interface PutSource {
  readonly source: InboxSource;
  readonly created: boolean;
  /** Only where this call made a secret. */
  readonly secret?: string;
}

/** The sources whose webhooks an ecosystem takes. Their secrets leave the object for the Worker alone, which verifies. */
export class InboxStore {
  readonly #sql: SqlStorage;
  readonly #ecosystem: string;

  constructor(sql: SqlStorage, ecosystem: string) {
    this.#sql = sql;
    this.#ecosystem = ecosystem;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS inbox_sources (name TEXT PRIMARY KEY, secret TEXT NOT NULL, old_secret TEXT,
         old_secret_until_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID`,
    );
  }

  get size(): number {
    return this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM inbox_sources").one().n;
  }

  has(name: string): boolean {
    return this.#row(name) !== undefined;
  }

  list(nowMs: number): InboxSource[] {
    const rows = this.#sql.exec<SourceRow>("SELECT * FROM inbox_sources ORDER BY name");
    return [...readableRows("sources of the inbox", rows, (row) => this.#view(row, nowMs))];
  }

  get(name: string, nowMs: number): InboxSource | null {
    const row = this.#row(name);
    return row === undefined ? null : this.#view(row, nowMs);
  }

  atDoor(name: string, nowMs: number): SourceAtDoor | null {
    const row = this.#row(name);
    if (row === undefined) return null;
    const { secret, old_secret, old_secret_until_ms } = row;
    const secrets = old_secret !== null && old_secret_until_ms > nowMs ? [secret, old_secret] : [secret];
    return { ...storedOf(row), name, secrets: secrets.filter((one) => one !== "") };
  }

  /** A source keeps its secret unless another is given, or it proves itself in another way from now on. */
  put(name: string, { verify, ...input }: InboxSourceInput, nowMs: number): PutSource {
    const before = this.#row(name);
    const same = before !== undefined && storedOf(before).kind === verify.kind ? before : undefined;
    const given = verify.kind === "none" ? "" : verify.secret;
    const made = given === undefined && (same === undefined || same.secret === "") ? newSecret() : undefined;
    const secret = given ?? made ?? same?.secret ?? "";
    const replaced = same !== undefined && same.secret !== "" && same.secret !== secret;
    const row: SourceRow = {
      name,
      secret,
      old_secret: replaced ? same.secret : (same?.old_secret ?? null),
      old_secret_until_ms: replaced ? nowMs + OLD_SECRET_MS : (same?.old_secret_until_ms ?? 0),
      created_ms: before?.created_ms ?? nowMs,
      body: JSON.stringify({ ...input, kind: verify.kind, ...signatureOf(verify) }),
    };
    this.#sql.exec(
      `INSERT OR REPLACE INTO inbox_sources (name, secret, old_secret, old_secret_until_ms, created_ms, body)
         VALUES (?, ?, ?, ?, ?, ?)`,
      row.name,
      row.secret,
      row.old_secret,
      row.old_secret_until_ms,
      row.created_ms,
      row.body,
    );
    const source = this.#view(row, nowMs);
    return { source, created: before === undefined, ...(made === undefined ? {} : { secret: made }) };
  }

  /** @returns whether it existed */
  remove(name: string): boolean {
    const existed = this.has(name);
    this.#sql.exec("DELETE FROM inbox_sources WHERE name = ?", name);
    return existed;
  }

  #row(name: string): SourceRow | undefined {
    return this.#sql.exec<SourceRow>("SELECT * FROM inbox_sources WHERE name = ?", name).toArray()[0];
  }

  #view(row: SourceRow, nowMs: number): InboxSource {
    const { kind, signature, signal, source, map, description } = storedOf(row);
    const { name, old_secret, old_secret_until_ms: untilMs, created_ms } = row;
    return {
      name,
      path: `/v1/${this.#ecosystem}/inbox/${encodeURIComponent(name)}`,
      verify: {
        kind,
        ...(signature === undefined ? {} : { header: signature.header }),
        ...(old_secret !== null && untilMs > nowMs ? { old_secret_until: new Date(untilMs).toISOString() } : {}),
      },
      signal,
      source: source ?? `inbox/${name}`,
      ...(map === undefined ? {} : { map }),
      description: description ?? null,
      created_at: new Date(created_ms).toISOString(),
    };
  }
}

function signatureOf(verify: InboxSourceInput["verify"]): Pick<StoredSource, "signature"> {
  if (verify.kind === "token") return { signature: { header: verify.header } };
  if (verify.kind !== "hmac") return {};
  const { header, prefix, encoding } = verify;
  return {
    signature: {
      header,
      ...(prefix === undefined ? {} : { prefix }),
      ...(encoding === undefined ? {} : { encoding }),
    },
  };
}

const storedOf = ({ body }: SourceRow): StoredSource => StoredSource.parse(JSON.parse(body));
