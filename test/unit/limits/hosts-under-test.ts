import { expect } from "vitest";
import { NO_USE, type Use } from "../../../src/core/limits/amounts.ts";
import type { SettleRequest } from "../../../src/core/limits/api.ts";
import { HostReserve, HostSettle } from "../../../src/core/limits/host/api.ts";
import { EndedCalls } from "../../../src/core/limits/host/ended-calls.ts";
import { BLOCK_SECONDS, type HostPool } from "../../../src/core/limits/host/host-pool.ts";
import { HostShare } from "../../../src/core/limits/host/host-share.ts";
import {
  amountsOf,
  askedAmounts,
  type HostRecord,
  type Settlement,
  settlementOf,
} from "../../../src/core/limits/host/records.ts";
import { LimitMachine } from "../../../src/core/limits/machine.ts";
import { askOf, isRefusal, usedOf } from "../../../src/core/limits/request.ts";
import type { LimitSettings } from "../../../src/core/limits/settings.ts";
import { newState } from "../../../src/core/limits/state.ts";
import { mostOf, sumOf } from "../../../src/core/limits/uses.ts";
import { MemoryLedger } from "./ledger-under-test.ts";

const LIMIT = "api";
const WHERE = { url: "http://edge", ecosystem: "default", limit: LIMIT };

interface Call {
  readonly id: string;
  readonly host: number;
  readonly took: Use;
  readonly untilMs: number;
  /** Its agent was killed while it was open in a block: nothing but its own settlement counts it. */
  orphan?: true;
}

/** A host: its share, and what its disk has. */
class Host {
  share = new HostShare();
  readonly blocks = new Map<string, Use>();
  readonly ended = new Set<string>();
  readonly counted = new Map<string, Use>();
  outbox: Settlement[] = [];
  away = false;
  down = false;

  write(records: readonly HostRecord[]): void {
    for (const record of records) {
      if (record.kind === "block") this.blocks.set(record.reservation, NO_USE);
      else if (record.kind === "counted") this.counted.set(record.id, record.took);
      else if (record.kind === "ended") {
        this.ended.add(record.id);
        const { block, use } = record;
        if (block !== null) this.blocks.set(block, sumOf(this.blocks.get(block) ?? NO_USE, use));
      } else {
        this.blocks.delete(record.settlement.request.reservation);
        this.outbox.push(record.settlement);
      }
    }
  }

  /** Starts again from the disk, as the agent does. */
  restart(): void {
    const ended = new EndedCalls();
    for (const [id, took] of this.counted) ended.count(id, took);
    for (const id of this.ended) ended.add(id);
    this.share = new HostShare(ended);
    this.write([...this.blocks].map(([reservation, used]) => settlementOf(LIMIT, reservation, used)));
    this.down = false;
  }
}

/** Hosts whose processes reserve through their agents, one limit, and a provider who notes each call. */
export class HostsUnderTest {
  readonly hosts: readonly Host[];
  readonly #settings: LimitSettings;
  readonly state;
  readonly #ledger = new MemoryLedger();
  open: Call[] = [];
  readonly made: { readonly atMs: number; use: Use }[] = [];
  nowMs: number;
  /** What everything together must have charged, when all is told. */
  charged = NO_USE;
  /** Money beyond the limit that histories explain: what was used beyond reservations, and what kills let go. */
  slackNanos = 0;
  /** Calls that were open when their agent was killed: the minute does not know of them before they settle. */
  slackCalls = 0;
  #number = 0;

  constructor(settings: LimitSettings, hosts: number, startMs: number) {
    this.#settings = settings;
    this.hosts = Array.from({ length: hosts }, () => new Host());
    this.nowMs = startMs;
    this.state = newState(startMs);
  }

  #machine(): LimitMachine {
    // A block that its host could not settle in time: its money comes back, also what was used of it and is told later.
    const ownMs = this.state.ownMs + Math.max(0, this.nowMs - this.state.clockMs);
    for (const { calls, use } of this.#ledger.expiring(ownMs)) if (calls !== undefined) this.slackNanos += use.nanos;
    const machine = new LimitMachine(LIMIT, this.#settings, this.state, this.#ledger);
    machine.advance(this.nowMs);
    return machine;
  }

  call(at: number, use: Use): string | undefined {
    const host = this.#host(at);
    if (host.down) return undefined;
    const id = `h-${String(this.#number++).padStart(8, "0")}`;
    const request = HostReserve.parse({ ...WHERE, id, amounts: amountsOf(use) });
    let taken = host.share.take(request, this.nowMs);
    if (taken.kind === "none" && taken.pool !== undefined && !host.away && this.nowMs >= taken.pool.aloneUntilMs) {
      taken.pool.wait(id, use);
      this.#ask(host, taken.pool);
      taken.pool.endWait(id);
      taken = host.share.take(request, this.nowMs, true);
    }
    if (taken.kind === "granted") return this.#begin({ id, host: at, took: use, untilMs: taken.untilMs });
    if (taken.kind === "closed" || host.away) return undefined;
    const alone = `r-${id}`;
    if (this.#machine().reserve(alone, askOf({ amounts: amountsOf(use) })) !== undefined) return undefined;
    return this.#begin({ id: alone, host: at, took: use, untilMs: Number.POSITIVE_INFINITY });
  }

  /** The same request again, whose answer was lost: nothing is held twice. */
  again(which: number): void {
    const call = this.open[which % Math.max(1, this.open.length)];
    if (call === undefined || !call.id.startsWith("h-")) return;
    const host = this.#host(call.host);
    if (host.down || call.orphan || this.nowMs >= call.untilMs) return;
    const held = JSON.stringify(host.share.held);
    const request = HostReserve.parse({ ...WHERE, id: call.id, amounts: amountsOf(call.took) });
    const taken = host.share.take(request, this.nowMs);
    expect(taken).toEqual({ kind: "granted", untilMs: call.untilMs });
    expect(JSON.stringify(host.share.held)).toBe(held);
  }

  end(which: number, use: (took: Use) => Use, times = 1, outcome?: SettleRequest["outcome"]): void {
    const place = which % Math.max(1, this.open.length);
    const call = this.open[place];
    if (call === undefined) return;
    const host = this.#host(call.host);
    if (host.down) return;
    this.open.splice(place, 1);
    const used = outcome === undefined ? use(call.took) : { ...NO_USE, requests: 1 };
    const made = this.made.find((one) => one.use === call.took);
    if (made !== undefined) made.use = used;
    this.slackNanos += Math.max(0, used.nanos - call.took.nanos);
    const isCounted = this.nowMs >= call.untilMs && !call.orphan;
    this.charged = sumOf(this.charged, isCounted ? mostOf(used, call.took) : used);
    const amounts = amountsOf(used);
    const request = HostSettle.parse({
      ...WHERE,
      reservation: call.id,
      amounts,
      reserved: amountsOf(call.took),
      ...(outcome && { outcome }),
    });
    for (let time = 0; time < times; time++) host.write(host.share.settle(request, this.nowMs).records);
    this.deliver();
  }

  /** A process dies: nobody settles its call. */
  die(which: number): void {
    const [call] = this.open.splice(which % Math.max(1, this.open.length), 1);
    if (call === undefined) return;
    // What its block held of it counts; where nothing holds it, nobody knows that it was made.
    const isHeld = call.id.startsWith("h-") && !call.orphan;
    if (isHeld) this.charged = sumOf(this.charged, call.took);
    else this.slackNanos += call.took.nanos;
    this.dead.push(call);
  }
  readonly dead: Call[] = [];

  kill(at: number, downMs: number): void {
    const host = this.#host(at);
    if (host.down) return;
    host.down = true;
    for (const call of this.open)
      if (call.host === at && call.id.startsWith("h-") && this.nowMs < call.untilMs && !call.orphan) {
        call.orphan = true;
        this.slackCalls++;
        this.slackNanos += call.took.nanos;
      }
    for (const call of this.dead)
      if (call.host === at && call.id.startsWith("h-") && this.nowMs < call.untilMs && !call.orphan) {
        call.orphan = true;
        this.slackCalls++;
        this.charged = lessExactly(this.charged, call.took);
        this.slackNanos += call.took.nanos;
      }
    this.wait(downMs);
    host.restart();
    this.deliver();
  }

  away(at: number, isAway: boolean): void {
    this.#host(at).away = isAway;
    this.deliver();
  }

  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.nowMs += Math.min(100, left);
      this.advance();
    }
  }

  advance(): void {
    for (const host of this.hosts) if (!host.down) host.write(host.share.advance(this.nowMs));
    this.deliver();
  }

  /** Sends what waits, each twice: answers are lost. */
  deliver(): void {
    for (const host of this.hosts) {
      if (host.away || host.down) continue;
      for (const { request } of host.outbox.splice(0)) {
        const machine = this.#machine();
        const settle = () =>
          machine.settle(request.reservation, (reserved) => usedOf(request, reserved), !isRefusal(request));
        const state = settle();
        if (state !== "repeated" && isRefusal(request)) machine.close("429", 5_000);
        expect(settle()).toBe("repeated");
      }
    }
  }

  /** What the provider sees is within the limit. */
  check(): void {
    const { requests_per_minute: requests, concurrency, usd_per_day } = this.#settings;
    const recent = this.made.filter(({ atMs }) => atMs > this.nowMs - 60_000);
    if (requests !== undefined) expect(recent.length - this.slackCalls).toBeLessThanOrEqual(requests);
    if (concurrency !== undefined) expect(this.state.held).toBeLessThanOrEqual(concurrency);
    const nanos = this.made.reduce((sum, { use }) => sum + use.nanos, 0);
    if (usd_per_day !== undefined) expect(nanos - this.slackNanos).toBeLessThanOrEqual(usd_per_day * 1e9 + 1);
  }

  get spentNanos(): number {
    return this.state.days.reduce((sum, { spent }) => sum + spent, 0);
  }

  #begin(call: Call): string {
    this.open.push(call);
    this.made.push({ atMs: this.nowMs, use: call.took });
    this.check();
    return call.id;
  }

  #ask(host: Host, pool: HostPool): void {
    for (const least of [false, true]) {
      const wish = pool.wish(least, this.nowMs);
      const id = `b${this.#number++}`;
      const share = { calls: wish.calls, seconds: BLOCK_SECONDS };
      if (this.#machine().reserve(id, askOf({ amounts: askedAmounts(wish.use) }), {}, share) !== undefined) continue;
      host.write(host.share.granted(pool, wish, id, this.nowMs, []));
      return;
    }
    host.share.refused(pool, this.nowMs);
  }

  #host(at: number): Host {
    const host = this.hosts[at];
    if (host === undefined) throw new Error("no such host");
    return host;
  }
}

const lessExactly = (one: Use, other: Use): Use => ({
  requests: one.requests - other.requests,
  input_tokens: one.input_tokens - other.input_tokens,
  output_tokens: one.output_tokens - other.output_tokens,
  nanos: one.nanos - other.nanos,
});
