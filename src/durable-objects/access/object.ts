import { ADMINISTRATOR } from "../../core/access/administrator.ts";
import type { EcosystemRecord, QueueRecord, TokenRecord } from "../../core/access/api.ts";
import type { Caller, Grant } from "../../core/access/grant.ts";
import type { NewToken } from "../../core/access/new-token.ts";
import type { SessionRecord } from "../../core/access/session.ts";
import { NO_USAGE, type Usage } from "../../core/billing/usage.ts";
import type { DayUsage } from "../../core/billing/usage-days.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import type { Schema } from "../shell/schema.ts";
import { type NewReport, reportPace } from "../shell/state-reports.ts";
import { activeEcosystems, recordActivity } from "./activity.ts";
import { type DamagedStore, DamagedStores } from "./damaged-stores.ts";
import { EcosystemMarks, type OwnMark } from "./ecosystem-marks.ts";
import { EcosystemOwners } from "./ecosystem-owners.ts";
import { type EndedToken, endedTokens, rememberEnded } from "./ended-tokens.ts";
import { KeptReports, type ReportedUsage, type ReportPage, type ReportPlace } from "./kept-reports.ts";
import { boundTokens } from "./migrations/2-bound-tokens.ts";
import { QueueNames } from "./queue-names.ts";
import { QueueOwners } from "./queue-owners.ts";
import type { SecretDigest } from "./secret-digest.ts";
import { Sessions } from "./sessions.ts";
import { TokenStore } from "./token-store.ts";

/** What the Worker used for ecosystems, and under "" for nobody's. */
export type WorkerCounts = readonly (readonly [
  ecosystem: string,
  used: Pick<Usage, "worker_requests" | "worker_cpu_ms">,
])[];

interface KnownHere {
  readonly queues: readonly QueueRecord[];
  /** Tokens that were refused queues there lately, or that made the ecosystem and were refused others. */
  readonly excess: readonly Excess[];
  /** Whether finished work of the ecosystem is exported. */
  readonly exporting: boolean;
  readonly scheduling: boolean;
  readonly asking: boolean;
  readonly locking: boolean;
  readonly limiting: boolean;
}

/**
 * The tokens, ecosystems and queues of the whole deployment: one object, `idFromName("directory")`.
 *
 * It stores the SHA-256 of a token's secret, never the secret: nobody gets access with stored data or a backup.
 */
export class Directory extends EcosystemObject<unknown> {
  static override readonly schema: Schema = { of: "Directory", steps: [boundTokens] };

  readonly #tokens: TokenStore;
  readonly #sessions: Sessions;
  readonly #owners: QueueOwners;
  readonly #makers: EcosystemOwners;
  readonly #damaged: DamagedStores;
  readonly #marks: EcosystemMarks;
  readonly #reports = new KeptReports(this.sql, reportPace(this.env).always);
  readonly #queues = new QueueNames(this.sql);

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env);
    // WITHOUT ROWID: with a text key each write costs one row instead of two.
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS ecosystems (name TEXT PRIMARY KEY, last_active_ms INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS deleted (id TEXT PRIMARY KEY, ecosystems TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
    `);
    this.#tokens = new TokenStore(this.sql);
    this.#sessions = new Sessions(this.sql, (id) =>
      id === ADMINISTRATOR.id ? ADMINISTRATOR : this.#tokens.grantOf(id, Date.now()),
    );
    this.#owners = new QueueOwners(this.sql);
    this.#makers = new EcosystemOwners(this.sql);
    this.#damaged = new DamagedStores(this.sql);
    this.#marks = new EcosystemMarks(this.sql);
  }

  /** @returns the record, and the token itself, which is not stored */
  create(wanted: NewToken): Promise<{ token: string; record: TokenRecord }> {
    return this.#tokens.create(wanted, Date.now());
  }

  /** Oldest first, including expired tokens. */
  list(): TokenRecord[] {
    return this.#tokens.list();
  }

  /** Names of the tokens of these ids, as far as there are such tokens; few ids. */
  tokenNames(ids: readonly string[]): [id: string, name: string][] {
    return this.#tokens.names(ids);
  }

  /** @returns the deleted token, whose sessions end with it; `null`: unknown id */
  remove(id: string, nowMs = Date.now()): TokenRecord | null {
    return this.ctx.storage.transactionSync(() => {
      const removed = this.#tokens.remove(id);
      if (removed === null) return null;
      this.#sessions.forgetToken(id);
      rememberEnded(this.sql, removed, nowMs);
      return removed;
    });
  }

  /** Tokens and sessions that ended after `sinceMs` and by `nowMs`: the sockets that they opened have to be closed. */
  ended(sinceMs: number, nowMs: number): EndedToken[] {
    return [...endedTokens(this.sql, this.#tokens.list(), sinceMs, nowMs), ...this.#sessions.ended(sinceMs, nowMs)];
  }

  /**
   * @param secretDigest - SHA-256 of the secret: the secret itself does not travel
   * @param counts - of the Worker since its call before: they travel with a call that is made anyway
   * @returns the grant, or `null` for an unknown id, a wrong secret or an expired token, without the distinction
   */
  verify(id: string, secretDigest: ArrayBuffer, counts: WorkerCounts = []): Grant | null {
    this.#count(counts);
    return this.#tokens.verify(id, secretDigest, Date.now());
  }

  /** What the token of this id may do at present; `null`: there is no such token, or it has expired. */
  grantOf(id: string): Grant | null {
    return this.#tokens.grantOf(id, Date.now());
  }

  /** Keeps a code with which a browser begins a session of a token. @returns `false`: too many codes of the token wait */
  addCode(code: SecretDigest, token: string, act: boolean): boolean {
    return this.#sessions.addCode(code, token, act, Date.now());
  }

  /** Begins a session with a code, which is then used up. @returns `null`: there is no such code, or its token has ended */
  beginSession(code: SecretDigest, session: SecretDigest): Caller | null {
    return this.ctx.storage.transactionSync(() => this.#sessions.begin(code, session, Date.now()));
  }

  /** Begins a session of a token that was just checked. @returns `null`: the token has ended */
  beginSessionOf(token: string, act: boolean, session: SecretDigest): Caller | null {
    return this.ctx.storage.transactionSync(() => this.#sessions.beginOf(token, act, session, Date.now()));
  }

  /** As {@link verify}, of a session. */
  verifySession(session: SecretDigest, counts: WorkerCounts = []): Caller | null {
    this.#count(counts);
    return this.#sessions.verify(session, Date.now());
  }

  /** Sessions of a token, or of all, the latest used first. @param token - `undefined`: of all */
  sessions(token?: string): SessionRecord[] {
    return this.#sessions.list(token, Date.now());
  }

  /** @param token - whose session it has to be; `undefined`: anybody's. @returns what ended; `null`: there is no such session */
  endSession(id: string, token?: string): EndedToken | null {
    return this.ctx.storage.transactionSync(() => this.#sessions.end(id, token, Date.now()));
  }

  /** Every ecosystem that was ever active, sorted by name. @param counts - as for {@link verify} */
  ecosystems(counts: WorkerCounts = []): EcosystemRecord[] {
    this.#count(counts);
    return activeEcosystems(this.sql);
  }

  /**
   * Records that a queue exists. Each queue calls this once in its life, so it costs one row for each queue.
   *
   * @returns whether finished work of the ecosystem is exported
   */
  addQueue(ecosystem: string, name: string, nowMs: number): { exporting: boolean; noting: boolean } {
    this.#queues.add(ecosystem, name, nowMs);
    return { exporting: this.#marks.has("exporting", ecosystem), noting: this.#marks.has("noting", ecosystem) };
  }

  /** @returns whether a token may make a queue: it has fewer than `limit` */
  admitQueue(ecosystem: string, name: string, token: string, limit: number, nowMs: number): boolean {
    return this.#owners.admit(ecosystem, name, token, limit, nowMs);
  }

  /** @returns whether a token may call an ecosystem by its name: the ecosystem exists, or the token made fewer than `limit` */
  admitEcosystem(ecosystem: string, token: string, limit: number, nowMs: number): boolean {
    return this.#makers.admit(ecosystem, token, limit, nowMs);
  }

  hasEcosystem(name: string): boolean {
    return this.sql.exec("SELECT 1 FROM ecosystems WHERE name = ?", name).toArray().length > 0;
  }

  /** Something that an object has stored cannot be read. */
  reportDamage(store: DamagedStore, nowMs: number): void {
    this.#damaged.report(store, nowMs);
  }

  /** Answers when the storage of this object answers. */
  ping(): true {
    this.sql.exec("SELECT 1").one();
    return true;
  }

  /** Objects that reported that lately. */
  damagedStores(): DamagedStore[] {
    return this.#damaged.list(Date.now());
  }

  /** The object reads everything that it has stored again. */
  forgetDamage(store: DamagedStore): void {
    this.#damaged.repaired(store);
  }

  /** The queue was deleted. */
  removeQueue(ecosystem: string, name: string): void {
    this.#owners.forget(ecosystem, name);
    this.#reports.queueDeleted(ecosystem, name, Date.now());
    this.#queues.remove(ecosystem, name);
  }

  /** Forgets an ecosystem whose objects were deleted. */
  forgetEcosystem(ecosystem: string): void {
    this.sql.exec("DELETE FROM ecosystems WHERE name = ?", ecosystem);
    const stores = [this.#queues, this.#owners, this.#makers, this.#marks, this.#reports, this.used];
    for (const store of stores) store.forget(ecosystem);
  }

  hasQueue(ecosystem: string, name: string): boolean {
    return this.#queues.has(ecosystem, name);
  }

  /** Every queue of an ecosystem that ever held a task, sorted by name. */
  queues(ecosystem: string): QueueRecord[] {
    return this.#queues.list(ecosystem);
  }

  /** What is known of an ecosystem here, in one call. */
  known(ecosystem: string): KnownHere {
    const nowMs = Date.now();
    return {
      queues: this.#queues.list(ecosystem),
      excess: [...this.#owners.excess(ecosystem, nowMs), ...this.#makers.excess(ecosystem, nowMs)],
      ...this.#marks.known(ecosystem),
    };
  }

  /** Records whether an ecosystem has hosts, which are asked each minute even while the ecosystem is quiet. */
  watch(ecosystem: string, watched: boolean): void {
    this.#marks.set("watched", ecosystem, watched);
  }

  /** Ecosystems whose hosts are asked each minute. */
  watched(): string[] {
    return this.#marks.of("watched");
  }

  /** What each minute's round looks at beside the active ecosystems: those with hosts, and those whose work is exported. */
  marked(): { readonly watched: string[]; readonly exporting: string[] } {
    return { watched: this.#marks.of("watched"), exporting: this.#marks.of("exporting") };
  }

  /** Records whether finished work of an ecosystem is exported, or whether it has schedules, notes of tasks, open questions, limits, or ever had locks. */
  mark(mark: OwnMark, ecosystem: string, marked: boolean): void {
    this.#marks.set(mark, ecosystem, marked);
  }

  /** Records whether an ecosystem has a budget: what is spent of it is counted every ten minutes. */
  setBudgeted(ecosystem: string, budgeted: boolean): void {
    this.#marks.set("budgeted", ecosystem, budgeted);
  }

  /** Ecosystems that have a budget. */
  budgeted(): string[] {
    return this.#marks.of("budgeted");
  }

  /** Records activity of an ecosystem. Calls may come late, twice or out of order: the latest time is kept. */
  touch(ecosystem: string, nowMs: number): void {
    recordActivity(this.sql, ecosystem, nowMs);
  }

  /** What the Worker used for an ecosystem, by day. @param since - the first day */
  workerUsage(ecosystem: string, since: string): readonly DayUsage[] {
    return this.used.usage(since, ecosystem).days;
  }

  /** Keeps what an object reports of itself. @returns whether anybody scrapes the ecosystem */
  reportState(report: NewReport): boolean {
    return this.#reports.keep(report, (queue) => this.#queues.has(report.ecosystem, queue), Date.now());
  }

  /** A page of the states that objects reported last. @param from - an ecosystem, or `*` for all */
  states(from: string, after: ReportPlace | null): ReportPage & ReportedUsage {
    return { ...this.#reports.page(from, after, Date.now()), ...this.used.storedFor(from) };
  }

  /** Ecosystems that were ever active, or of which an object reported, by name: somebody means to scrape them. */
  scrapeable(): string[] {
    return this.#reports.ecosystems(Date.now(), activeEcosystems(this.sql));
  }

  #count(counts: WorkerCounts): void {
    for (const [ecosystem, { worker_requests, worker_cpu_ms }] of counts)
      this.used.addFor(ecosystem, { ...NO_USAGE, worker_requests, worker_cpu_ms });
  }
}
