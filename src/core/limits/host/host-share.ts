import { NO_USE, type Use } from "../amounts.ts";
import { closedMs } from "../closing.ts";
import type { Closed, Subject } from "../outcomes.ts";
import { askOf, isRefusal, lengthMs, subjectOf, usedOf } from "../request.ts";
import { isNothing, lessOf } from "../uses.ts";
import type { HostReserve, HostSettle } from "./api.ts";
import type { Wish } from "./demand.ts";
import { EndedCalls } from "./ended-calls.ts";
import { type HostBlock, type HostCall, HostPool } from "./host-pool.ts";
import { amountsOf, closingOf, ended, type HostRecord, settlementOf } from "./records.ts";

/** Pools that a host has at a time: further subjects reserve alone. */
const MAX_POOLS = 1_000;
/** After no block was granted, calls reserve alone for so long. */
const ALONE_MS = 1_000;

type Taken =
  | { readonly kind: "granted"; readonly untilMs: number }
  | { readonly kind: "closed"; readonly closed: Closed }
  | { readonly kind: "none"; readonly pool: HostPool | undefined };

interface HostSettled {
  readonly state: "settled" | "repeated" | "sent";
  readonly records: readonly HostRecord[];
  /** The provider refused: until when nobody of this host gets anything. */
  readonly closed?: Closed;
}

/** Which names budgets count, as the edge said with its last block; before that all of them may count. */
type Counted = readonly ("agent" | "task" | "chain")[];

/**
 * The share of all limits that one host holds for its processes. Does no I/O and has no clock.
 *
 * A block is a reservation at the edge. It gives to calls for ten seconds, is settled when its last call has ended, and 24 seconds
 * after it was asked for at the latest: before the edge lets it expire. Until then no open call counts in any settlement, so a
 * process may settle its call elsewhere when the agent is gone, and it counts once.
 */
export class HostShare {
  readonly #pools = new Map<string, HostPool>();
  readonly #open = new Map<string, HostCall>();
  readonly #ended: EndedCalls;
  readonly #closed = new Map<string, Closed & { readonly times: number }>();
  readonly #counted = new Map<string, Counted>();

  constructor(ended = new EndedCalls()) {
    this.#ended = ended;
  }

  /**
   * Takes a part of what the host holds. The same id again has the same answer.
   *
   * @param again - the call has waited: what it asks for is known
   */
  take({ id, limit, amounts, model, ...names }: HostReserve, nowMs: number, again = false): Taken {
    const open = this.#open.get(id);
    if (open !== undefined) return { kind: "granted", untilMs: open.of.untilMs };
    const closed = this.closed(limit, nowMs);
    if (closed !== undefined) return { kind: "closed", closed };
    const pool = this.#pool(limit, subjectOf(names), nowMs);
    if (pool === undefined) return { kind: "none", pool };
    const ask = askOf({ amounts, model });
    const call = pool.take(ask, model, nowMs);
    if (!again) pool.demand.note({ ...NO_USE, ...ask }, pool.open + (call === undefined ? 1 : 0), nowMs);
    if (call === undefined) return { kind: "none", pool };
    this.#open.set(id, call);
    return { kind: "granted", untilMs: call.of.untilMs };
  }

  /** The pool of a call that is open. */
  poolOf(id: string): HostPool | undefined {
    return this.#open.get(id)?.pool;
  }

  granted(
    pool: HostPool,
    wish: Wish,
    reservation: string,
    askedMs: number,
    counted: Counted | undefined,
  ): HostRecord[] {
    if (counted !== undefined) this.#counted.set(pool.limit, counted);
    pool.add(reservation, wish, askedMs);
    return [{ kind: "block", reservation, limit: pool.limit }];
  }

  /** No block was granted. @param untilMs - when there may be one; absent: nobody knows */
  refused(pool: HostPool, nowMs: number, untilMs = 0): void {
    pool.aloneUntilMs = Math.max(nowMs + ALONE_MS, Math.min(untilMs, nowMs + 10 * ALONE_MS));
  }

  /** The limit is closed until then: nobody of this host gets anything before, and what is held and not used goes back. */
  close(limit: string, closed: Closed, nowMs: number): HostRecord[] {
    const { untilMs = 0, times = 0 } = this.#closed.get(limit) ?? {};
    if (closed.untilMs > Math.max(untilMs, nowMs)) this.#closed.set(limit, { ...closed, times: times + 1 });
    return this.#giveBack(limit);
  }

  /** Somebody has opened the limit. */
  opened(limit: string): void {
    this.#closed.delete(limit);
  }

  closed(limit: string, nowMs: number): Closed | undefined {
    const closed = this.#closed.get(limit);
    return closed === undefined || nowMs >= closed.untilMs ? undefined : closed;
  }

  /**
   * Says what a call has used.
   *
   * @param wallMs - by the clock that people read, for what the edge is told
   */
  settle(request: HostSettle, nowMs: number, wallMs = nowMs): HostSettled {
    const { reservation: id, limit, outcome } = request;
    if (this.#ended.has(id)) return { state: "repeated", records: [] };
    if (outcome === undefined || !isRefusal(request)) return sentOrSettled(id, this.#end(id, request));
    const forMs = lengthMs(outcome, wallMs);
    // When it is told late, it must not close for longer than the provider said.
    const said = { ...outcome, retry_after_seconds: undefined, ...(forMs !== undefined && { until: wallMs + forMs }) };
    const reason = outcome.reason ?? `the provider answered ${outcome.status}`;
    const closed = { reason, untilMs: nowMs + (forMs ?? closedMs(this.#times(limit, nowMs))) };
    const records = [
      ...this.#end(id, { ...request, outcome: said }),
      // The edge knows the block and not the call: it is told by a settlement of nothing.
      ...(id.startsWith("h-") ? [closingOf(limit, id, said)] : []),
      ...this.close(limit, closed, nowMs),
    ];
    return { ...sentOrSettled(id, records), closed };
  }

  /** A call was granted to a caller who has gone. */
  giveUp(id: string): HostRecord[] {
    const call = this.#open.get(id);
    return call === undefined ? [] : this.#endCall(id, call, NO_USE);
  }

  /** What is over by now: idle and used-up blocks, and those whose time is over. */
  advance(nowMs: number): HostRecord[] {
    const records: HostRecord[] = [];
    for (const [key, pool] of this.#pools) {
      for (const of of pool.over(nowMs)) records.push(...this.#settleBlock(pool, of));
      if (pool.blocks.size === 0 && nowMs - pool.demand.lastMs > 10 * ALONE_MS) this.#pools.delete(key);
    }
    for (const [limit, { untilMs }] of this.#closed) if (nowMs - untilMs > 60 * ALONE_MS) this.#closed.delete(limit);
    return records;
  }

  /** When {@link advance} has something to do, if nothing else happens. */
  nextMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const pool of this.#pools.values()) {
      const poolMs = pool.nextMs(nowMs);
      if (poolMs !== undefined) next = Math.min(next ?? poolMs, poolMs);
    }
    return next;
  }

  /** Gives back all that is held: the agent stops. Calls that are open settle for themselves. */
  stop(): HostRecord[] {
    const records: HostRecord[] = [];
    for (const pool of this.#pools.values())
      for (const of of pool.blocks) records.push(settlementOf(pool.limit, of.block.reservation, of.block.used));
    this.#pools.clear();
    this.#open.clear();
    return records;
  }

  /** For people: what is held of each limit. */
  get held(): { readonly limit: string; readonly blocks: number; readonly calls: number }[] {
    const limits = new Map<string, { blocks: number; calls: number }>();
    for (const { limit, blocks, open } of this.#pools.values()) {
      const sum = limits.get(limit) ?? { blocks: 0, calls: 0 };
      limits.set(limit, { blocks: sum.blocks + blocks.size, calls: sum.calls + open });
    }
    return [...limits].map(([limit, sum]) => ({ limit, ...sum })).filter(({ blocks }) => blocks > 0);
  }

  #end(id: string, request: HostSettle): HostRecord[] {
    const call = this.#open.get(id);
    const { limit, outcome, model } = request;
    if (call !== undefined) return this.#endCall(id, call, usedOf(request, call.took, model ?? call.model));
    const { took } = this.#ended.counted(id) ?? {};
    const reserved = took ?? { ...NO_USE, ...askOf({ amounts: request.reserved, model }) };
    const use = usedOf(request, reserved, model);
    this.#ended.add(id);
    const subject = { ...subjectOf(request) };
    // The edge reserved it for the call alone, or nobody did: it is told as it is. The limit is closed by a call of its own.
    if (!id.startsWith("h-")) {
      const amounts = id.startsWith("r-") ? request.amounts : amountsOf(use);
      const said = { reservation: id, ...(amounts && { amounts }), ...(outcome && { outcome }), ...subject };
      return [ended(id, null, use), { kind: "settlement", settlement: { limit, request: said } }];
    }
    const beyond = took === undefined ? use : lessOf(use, took);
    if (isNothing(beyond)) return [ended(id, null, use)];
    return [ended(id, null, use), settlementOf(limit, id, beyond, subject)];
  }

  #endCall(id: string, { pool, of, number }: HostCall, use: Use): HostRecord[] {
    this.#open.delete(id);
    this.#ended.add(id);
    of.block.count(number, use);
    const records: HostRecord[] = [ended(id, of.block.reservation, use)];
    // Nothing is left of it, and nothing open: the edge may know.
    if (of.block.open === 0 && (of.block.isSpent() || of.ended === true)) records.push(...this.#settleBlock(pool, of));
    return records;
  }

  #settleBlock(pool: HostPool, of: HostBlock): HostRecord[] {
    pool.blocks.delete(of);
    const records: HostRecord[] = [];
    if (of.block.open > 0)
      for (const [id, call] of this.#open) {
        if (call.of !== of) continue;
        this.#open.delete(id);
        this.#ended.count(id, call.took);
        records.push({ kind: "counted", id, took: call.took });
      }
    return [...records, settlementOf(pool.limit, of.block.reservation, of.block.taken)];
  }

  /** Blocks with open calls stay until these have ended: a process may settle for itself until then, if the agent is gone. */
  #giveBack(limit: string): HostRecord[] {
    const records: HostRecord[] = [];
    for (const pool of this.#pools.values()) {
      if (pool.limit !== limit) continue;
      for (const of of pool.blocks) {
        of.ended = true;
        if (of.block.open === 0) records.push(...this.#settleBlock(pool, of));
      }
    }
    return records;
  }

  #times(limit: string, nowMs: number): number {
    const known = this.#closed.get(limit);
    if (known === undefined) return 0;
    return nowMs < known.untilMs ? known.times - 1 : known.times;
  }

  /** Budgets count the names of a block: calls of names that no budget counts share their blocks. */
  #pool(limit: string, names: Subject, nowMs: number): HostPool | undefined {
    const counted = this.#counted.get(limit) ?? ["agent", "task", "chain"];
    const subject = Object.fromEntries(
      counted.map((name) => [name, names[name]]).filter(([, named]) => named !== undefined),
    );
    const key = JSON.stringify([limit, subject.agent, subject.task, subject.chain]);
    let pool = this.#pools.get(key);
    if (pool === undefined && this.#pools.size < MAX_POOLS) {
      pool = new HostPool(limit, subject);
      pool.demand.lastMs = nowMs;
      this.#pools.set(key, pool);
    }
    return pool;
  }
}

const sentOrSettled = (id: string, records: readonly HostRecord[]) => ({
  state: records.some((one) => one.kind === "settlement" && one.settlement.request.reservation === id)
    ? ("sent" as const)
    : ("settled" as const),
  records,
});
