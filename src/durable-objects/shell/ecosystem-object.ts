import { DurableObject } from "cloudflare:workers";
import { heapBytes, type ObjectSize } from "../../core/billing/heap-budget.ts";
import { type Usage, UsageMeter } from "../../core/billing/usage.ts";
import type { ObjectUsage } from "../../core/billing/usage-days.ts";
import { Suspended } from "../../core/problem/object-refusals.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { type CallCounter, countCalls } from "./count-calls.ts";
import { ObjectHeap } from "./isolate-heap.ts";
import { type Fetch, limitedFetch } from "./limited-fetch.ts";
import { limitedSql } from "./limited-storage.ts";
import { logLine } from "./log-line.ts";
import { meteredSql } from "./metered-storage.ts";
import { type ErasedPage, type ErasureStep, ObjectErasure } from "./object-erasure.ts";
import { ObjectName } from "./object-name.ts";
import { ObjectTransfer, type TransferAnswer, type TransferRequest } from "./object-transfer.ts";
import { isLimited } from "./platform-limits.ts";
import { openSchema, type Schema } from "./schema.ts";
import { TaggedSockets } from "./sockets.ts";
import { StateReports } from "./state-reports.ts";
import { Suspension } from "./suspension.ts";
import { UsageStore } from "./usage-store.ts";

/**
 * The base of every object: its name, its metered storage, its alarm, its sockets, and the count of its calls.
 *
 * A class gets properties of the instance from here, and no methods: RPC reaches the methods of the prototype alone, so
 * every holder of a stub could call a protected method.
 *
 * Two later additions belong here: limits of storage into {@link meteredSql}, through which every statement goes, and
 * checks of the caller into {@link countCalls}, where every call comes in.
 */
export abstract class EcosystemObject<Bindings> extends DurableObject<Bindings> {
  /** What the class stores. */
  static readonly schema: Schema;

  /** Name of the object: of its ecosystem, for a queue `<ecosystem>/<queue>`; `default` where the name is unknown. */
  protected readonly objectName: string;
  /** Ecosystem of the object. */
  protected readonly ecosystem: string;
  protected readonly meter: UsageMeter;
  /** The meter's counts by day, on the disk. */
  protected readonly used: UsageStore;
  /** What the object reports of itself to those who scrape metrics. */
  protected readonly reports: StateReports;
  /** Statements on the object's database; each counts the rows that it reads and writes. */
  protected readonly sql: SqlStorage;
  protected readonly alarms: AlarmClock;
  protected readonly tagged: TaggedSockets;
  protected readonly heap: ObjectHeap;
  protected readonly size: () => ObjectSize;
  /** Whether the object is held still for a copy of its ecosystem, or for its deletion. */
  protected readonly isSuspended: () => boolean;
  /** Calls of other services. The object itself sees to it that no more wait at a time than the platform opens. */
  protected readonly outgoing: Fetch;
  /**
   * Changes storage and memory together, or neither.
   *
   * @param change - must not await: a transaction is one turn
   * @param reload - reads memory back from storage: where `change` failed, memory has gone ahead of the disk
   * @throws what `change` throws
   */
  protected readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const meter = new UsageMeter();
    // An object that has no alarm must not wait at its start for the time of one.
    const restored = "alarm" in new.target.prototype ? ctx.blockConcurrencyWhile.bind(ctx) : async () => undefined;
    this.meter = meter;
    const limited = isLimited(env);
    this.sql = meteredSql(limited ? limitedSql(ctx.storage.sql) : ctx.storage.sql, meter);
    this.outgoing = limited ? limitedFetch(fetchOut) : fetchOut;
    // Before anything else is read or written: the store may be of a later release.
    openSchema(ctx.storage, this.sql, new.target.schema, ctx.id.name ?? String(ctx.id));
    const name = new ObjectName(ctx.id, this.sql);
    const alarms = new AlarmClock(ctx.storage, meter, restored, () => name.store());
    this.alarms = alarms;
    this.tagged = new TaggedSockets(ctx, () => name.store(), limited);
    const invalid = (text: string) =>
      logLine("warn", "invalid-setting", { setting: "HEAP_MB", value: text, allowed: "a number from 32 on" });
    const heap = new ObjectHeap(heapBytes(heapMbOf(env), invalid));
    this.heap = heap;
    this.size = () => ({ database_bytes: ctx.storage.sql.databaseSize, heap: heap.uses });
    this.objectName = name.value;
    this.ecosystem = ecosystemOf(this.objectName);
    this.transaction = (change, reload) => {
      try {
        return ctx.storage.transactionSync(change);
      } catch (error) {
        name.rolledBack();
        reload();
        throw error;
      }
    };
    const suspension = new Suspension();
    const suspended = () => suspension.untilMs(Date.now) !== undefined;
    this.isSuspended = suspended;
    this.used = new UsageStore({ storage: ctx.storage, meter, alarmMs: () => alarms.atMs, suspended });
    const { used, objectName } = this;
    const { schema } = new.target;
    const databaseSize = () => ctx.storage.sql.databaseSize;
    const wakeBy = "alarm" in new.target.prototype ? (atMs: number) => alarms.wakeBy(atMs) : undefined;
    this.reports = new StateReports({ env, of: schema.of, objectName, used, databaseSize, suspended, wakeBy });
    const { reports } = this;
    const storeName = () => {
      name.rolledBack();
      name.store();
    };
    transfers.set(
      this,
      new ObjectTransfer({ ctx, sql: this.sql, meter, used, schema, name: this.objectName, suspension, storeName }),
    );
    erasures.set(this, new ObjectErasure({ ctx, sql: this.sql, schema }));
    counters.set(this, {
      called: (method) => {
        meter.add({ requests: 1 });
        if (method !== "transfer" && suspended()) throw new Suspended();
        return used.began();
      },
      alarmFired: () => {
        alarms.fired();
        meter.add({ requests: 1 });
        const untilMs = suspension.untilMs(Date.now);
        if (untilMs === undefined) return used.began();
        void ctx.storage.setAlarm(untilMs);
        return undefined;
      },
      messageCame: (socket) => {
        meter.add({ socket_messages: 1 });
        if (!suspended()) return used.began();
        if (socket instanceof WebSocket) socket.close(1013, "suspended for a copy: connect again");
        return undefined;
      },
      ended: (nowMs) => {
        used.ended(nowMs);
        reports.changed(nowMs);
      },
    });
    countCalls(new.target.prototype, DurableObject.prototype, counterOf);
  }

  /** A step of an export, an import or the deletion of the ecosystem. */
  transfer(request: TransferRequest): Promise<TransferAnswer> {
    const transfer = transfers.get(this);
    if (transfer === undefined) throw new Error("an object without a transfer");
    return transfer.answer(request);
  }

  /** A step of the erasure of a source. */
  eraseSource(step: ErasureStep): ErasedPage {
    const erasure = erasures.get(this);
    if (erasure === undefined) throw new Error("an object without an erasure");
    return erasure.step(step);
  }

  /** Counts of what the object has used since it was last woken, this call included. */
  usage(): Usage {
    return this.meter.usage;
  }

  /** Counts of what the object has used, by day. @param since - the first day, such as `2026-01-31` */
  usageByDay(since: string): ObjectUsage {
    return this.used.usage(since);
  }
}

function heapMbOf(env: unknown): string | undefined {
  if (typeof env !== "object" || env === null || !("HEAP_MB" in env)) return undefined;
  return typeof env.HEAP_MB === "string" ? env.HEAP_MB : undefined;
}

const fetchOut: Fetch = (url, init) => fetch(url, init);

const counters = new WeakMap<object, CallCounter>();
const transfers = new WeakMap<object, ObjectTransfer>();
const erasures = new WeakMap<object, ObjectErasure>();
const UNCOUNTED: CallCounter = {
  called: () => Date.now(),
  alarmFired: () => Date.now(),
  messageCame: () => Date.now(),
  ended: () => undefined,
};
const counterOf = (instance: object): CallCounter => counters.get(instance) ?? UNCOUNTED;

/** `<ecosystem>` or `<ecosystem>/<queue>`; an ecosystem's name holds no slash. */
export function ecosystemOf(name: string): string {
  const end = name.indexOf("/");
  return end === -1 ? name : name.slice(0, end);
}
