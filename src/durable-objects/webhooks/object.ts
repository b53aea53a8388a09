import { DurableObject } from "cloudflare:workers";
import { type Usage, UsageMeter } from "../../core/billing/usage.ts";
import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { EndpointAnswer } from "../../core/webhooks/api.ts";
import {
  DEFAULT_TYPE,
  type DeliveryStanding,
  type DeliveryView,
  messageOf,
  type NewDelivery,
  TEST_TYPE,
  type TestOutcome,
} from "../../core/webhooks/delivery.ts";
import { DeliveryScheduler, MAX_WAITING, type Waiting } from "../../core/webhooks/delivery-scheduler.ts";
import { type Endpoint, type EndpointChange, type EndpointInput, MAX_ENDPOINTS } from "../../core/webhooks/endpoint.ts";
import { type Answer, judge } from "../../core/webhooks/schedule.ts";
import { refusalOfUrl } from "../../core/webhooks/url-rule.ts";
import type { Environment } from "../../workers/environment.ts";
import { meteredSql } from "../shell/metered-storage.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay } from "../shell/outbox-relay.ts";
import {
  changedRow,
  endpointQueueOf,
  forgiven,
  newRow,
  newSecret,
  secretsOf,
  viewOf,
  withSecret,
} from "./endpoint-row.ts";
import { send } from "./send.ts";
import { type EndpointRow, WebhookStore } from "./webhook-store.ts";

/** Deliveries that have ended, kept for each endpoint: to be shown, and so that their ids are recognised. */
const KEEP_ENDED = 200;
/** An alarm's handler may take fifteen minutes; what is left after this goes on in the next. */
const RUN_MS = 60_000;

/**
 * The webhooks of one ecosystem: sends messages to endpoints, signed as Standard Webhooks, and tries again for about a
 * day. Whoever hands a delivery over may forget it: it is durable when the call resolves.
 *
 * All sending happens within an alarm. The runtime repeats an alarm whose object was lost before it ended, so nothing
 * has to be written to have what was on its way sent again: with the same id, by which receivers drop repeats. While
 * nothing is due the object sleeps.
 */
export class Webhooks extends DurableObject<Environment> {
  readonly #ecosystem: string;
  readonly #store: WebhookStore;
  readonly #meter = new UsageMeter();
  readonly #box: Outbox;
  readonly #delivery: OutboxRelay;
  readonly #onTheWay = new Set<Promise<void>>();
  /** Numbers of deliveries that have ended, oldest first, by endpoint. */
  #ended = new Map<string, { number: number; id: string }[]>();
  #desk = new DeliveryScheduler(Math.random);
  #alarmMs: number | undefined;
  /** Not before this are dead letters handed over. */
  #lettersAtMs = 0;
  /** Until when the alarm that is running takes more. */
  #runsUntilMs: number | undefined;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env);
    this.#ecosystem = ctx.id.name ?? "default";
    const sql = meteredSql(ctx.storage.sql, this.#meter);
    this.#store = new WebhookStore(sql);
    this.#box = new Outbox(sql);
    this.#delivery = new OutboxRelay({
      ...{ env, box: this.#box, ecosystem: this.#ecosystem, name: "webhooks" },
      // The alarm that is set when the present one ends comes back to them.
      wakeBy: (atMs) => {
        this.#lettersAtMs = atMs;
      },
    });
    this.#load();
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmMs = (await ctx.storage.getAlarm()) ?? undefined;
    });
  }

  /**
   * Takes deliveries, durably. The same id again changes nothing.
   *
   * @returns ids whose endpoint does not exist: they were not taken
   */
  async deliver(deliveries: readonly NewDelivery[]): Promise<{ unknown: string[] }> {
    this.#meter.add({ requests: 1 });
    const nowMs = Date.now();
    const unknown: string[] = [];
    this.#transaction(() => {
      for (const delivery of deliveries) if (!this.#accept(delivery, nowMs)) unknown.push(delivery.id);
    });
    this.#fill();
    this.#arm();
    return { unknown };
  }

  /**
   * Takes a delivery again that was given up.
   *
   * @returns `known`: it waits, or was delivered; nothing was changed
   */
  async redeliver(
    delivery: NewDelivery & { timestampMs: number },
  ): Promise<"waiting" | "known" | "unknown_endpoint" | "disabled" | "full"> {
    this.#meter.add({ requests: 1 });
    const before = this.#store.stateOf(delivery.id);
    if (before?.state === "waiting" || before?.state === "delivered") return "known";
    const lane = this.#desk.stateOf(delivery.endpoint);
    if (lane === undefined) return "unknown_endpoint";
    if (!lane.enabled) return "disabled";
    if (this.#desk.waitingFor(delivery.endpoint) >= MAX_WAITING) return "full";
    this.#transaction(() => {
      if (before !== undefined) {
        this.#store.remove(before.number);
        const ended = this.#ended.get(delivery.endpoint) ?? [];
        this.#ended.set(
          delivery.endpoint,
          ended.filter(({ number }) => number !== before.number),
        );
      }
      this.#desk.forget(delivery.id);
      this.#accept(delivery, Date.now(), delivery.timestampMs);
    });
    this.#fill();
    this.#arm();
    return "waiting";
  }

  list(): Endpoint[] {
    this.#meter.add({ requests: 1 });
    return this.#store.endpoints().map((row) => this.#view(row));
  }

  /** Newest first; `null`: there is no such endpoint. */
  deliveries(endpoint: string, limit: number): DeliveryView[] | null {
    this.#meter.add({ requests: 1 });
    return this.#store.endpoint(endpoint) === undefined ? null : this.#store.recent(endpoint, limit);
  }

  /** How deliveries stand, by their ids; those that are not known (any more) are left out. */
  deliveriesOf(ids: readonly string[]): DeliveryStanding[] {
    this.#meter.add({ requests: 1 });
    const numbers = ids.flatMap((id) => this.#desk.numberOf(id) ?? []);
    return this.#store.standing(numbers);
  }

  put(id: string, input: EndpointInput): EndpointAnswer {
    this.#meter.add({ requests: 1 });
    const refusal = this.#refusal(input.url);
    if (refusal !== undefined) return { refused: [{ pointer: "/url", message: refusal }] };
    const nowMs = Date.now();
    const before = this.#store.endpoint(id);
    if (before !== undefined) {
      const { secret = before.secret } = input;
      const row = changedRow(before, input);
      return this.#write(secret === before.secret ? row : withSecret(row, secret, nowMs), before);
    }
    if (this.#store.endpoints().length >= MAX_ENDPOINTS) return { full: true };
    const secret = input.secret ?? newSecret();
    return { ...this.#write(newRow(id, input, secret, nowMs), undefined), secret };
  }

  change(id: string, change: EndpointChange): EndpointAnswer {
    this.#meter.add({ requests: 1 });
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    const refusal = change.url === undefined ? undefined : this.#refusal(change.url);
    if (refusal !== undefined) return { refused: [{ pointer: "/url", message: refusal }] };
    return this.#write(changedRow(before, change), before);
  }

  /** Makes a new secret. The old one signs along for a day, so that receivers can be changed without a gap. */
  rotateSecret(id: string): EndpointAnswer {
    this.#meter.add({ requests: 1 });
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    const secret = newSecret();
    return { ...this.#write(withSecret(before, secret, Date.now()), before), secret };
  }

  /** Takes the endpoint away, and what waits for it. @returns whether there was one */
  remove(id: string): boolean {
    this.#meter.add({ requests: 1 });
    if (this.#store.endpoint(id) === undefined) return false;
    this.#store.removeEndpoint(id);
    this.#desk.close(id);
    for (const ended of this.#ended.get(id) ?? []) this.#desk.forget(ended.id);
    this.#ended.delete(id);
    return true;
  }

  /** Sends a message of type `webhook.test` now and once, whether or not the endpoint is switched on. */
  async ping(id: string): Promise<TestOutcome | null> {
    this.#meter.add({ requests: 1 });
    const row = this.#store.endpoint(id);
    if (row === undefined) return null;
    const startedMs = Date.now();
    const body = messageOf(TEST_TYPE, JSON.stringify({ ecosystem: this.#ecosystem, endpoint: id }), startedMs);
    const answer = await send(row.url, { id: `test.${crypto.randomUUID()}`, body, secrets: secretsOf(row, startedMs) });
    const verdict = judge(answer, startedMs);
    return {
      delivered: verdict.kind === "delivered",
      ...("status" in answer ? { status: answer.status } : {}),
      ...("error" in verdict ? { error: verdict.error } : {}),
      duration_ms: Date.now() - startedMs,
    };
  }

  /** What this object has used since it was last woken. */
  usage(): Usage {
    return this.#meter.usage;
  }

  override async alarm(): Promise<void> {
    this.#meter.add({ requests: 1 });
    this.#alarmMs = undefined;
    this.#runsUntilMs = Date.now() + RUN_MS;
    try {
      this.#giveUpOld();
      this.#fill();
      // Each that ends makes room for others: `fill` is called with every one of them, and whenever more is handed in.
      while (this.#onTheWay.size > 0) await Promise.race(this.#onTheWay);
      await this.#delivery.run("ganglion.webhooks");
    } finally {
      this.#runsUntilMs = undefined;
      this.#arm();
    }
  }

  /** @returns whether the endpoint exists */
  #accept(delivery: NewDelivery, nowMs: number, timestampMs = nowMs): boolean {
    const { id, endpoint, body, type = DEFAULT_TYPE } = delivery;
    const number = this.#store.takeNumber();
    const waiting: Waiting = { number, id, endpoint, acceptedMs: nowMs, attempts: 0, nextMs: nowMs };
    const acceptance = this.#desk.accept(waiting);
    if (acceptance === "known") return true;
    if (acceptance === "unknown_endpoint") return false;
    const message = messageOf(type, body, timestampMs);
    const state = acceptance === "waiting" || acceptance === "skipped" ? acceptance : "failed";
    this.#store.add(waiting, { ...delivery, type }, state, state === "skipped" ? "" : message);
    if (state === "failed") {
      const why =
        acceptance === "full" ? `${MAX_WAITING} deliveries wait for it already` : "it answered 410 Gone before";
      this.#bury(waiting, `not sent to the endpoint: ${why}`);
      this.#store.giveUp(number, why);
    }
    if (state !== "waiting") this.#ends(waiting);
    return true;
  }

  /** Sends what is due, as much as may be on its way at a time. Only an alarm sends: see the class. */
  #fill(): void {
    while (this.#runsUntilMs !== undefined && Date.now() < this.#runsUntilMs) {
      const delivery = this.#desk.take(Date.now());
      if (delivery === undefined) return;
      const done: Promise<void> = this.#attempt(delivery)
        .catch((error: unknown) => {
          // Memory and disk disagree: the disk's word counts, and what it says is not sent is sent again.
          console.error("webhooks: an attempt could not be noted", this.#ecosystem, String(error));
          this.#load();
        })
        .finally(() => {
          this.#onTheWay.delete(done);
          this.#fill();
        });
      this.#onTheWay.add(done);
    }
  }

  async #attempt(delivery: Waiting): Promise<void> {
    const row = this.#store.endpoint(delivery.endpoint);
    const stored = this.#store.message(delivery.number);
    if (row === undefined || stored === undefined) return this.#desk.abandon(delivery);
    const secrets = secretsOf(row, Date.now());
    this.#note(delivery, await send(row.url, { id: delivery.id, body: stored.message, secrets }));
  }

  #note(delivery: Waiting, answer: Answer): void {
    const nowMs = Date.now();
    const verdict = judge(answer, nowMs);
    this.#transaction(() => {
      const settled = this.#desk.settle(delivery, verdict, nowMs);
      if (settled === undefined) return;
      const status = "status" in answer ? answer.status : null;
      const error = "error" in verdict ? verdict.error : null;
      if (settled.state === "failed") this.#bury(delivery, settled.error ?? "given up");
      this.#store.attempted(delivery, settled.state, nowMs, status, settled.error ?? error);
      const lane = this.#desk.stateOf(delivery.endpoint);
      if (settled.laneChanged && lane !== undefined) this.#store.writeLane(delivery.endpoint, lane, error);
      if (settled.state !== "waiting") this.#ends(delivery);
    });
  }

  #giveUpOld(): void {
    this.#transaction(() => {
      for (const delivery of this.#desk.expire(Date.now())) {
        const since = this.#desk.stateOf(delivery.endpoint)?.failingSinceMs;
        const error =
          since === null || since === undefined
            ? "given up after a day"
            : `given up after a day: the endpoint fails since ${new Date(since).toISOString()}`;
        this.#bury(delivery, error);
        this.#store.giveUp(delivery.number, error);
        this.#ends(delivery);
      }
    });
  }

  #ends({ number, id, endpoint }: Waiting): void {
    const ended = this.#ended.get(endpoint) ?? [];
    ended.push({ number, id });
    this.#ended.set(endpoint, ended);
    const oldest = ended.length > KEEP_ENDED ? ended.shift() : undefined;
    if (oldest === undefined) return;
    this.#desk.forget(oldest.id);
    this.#store.remove(oldest.number);
  }

  #bury({ id, number, endpoint, attempts }: Waiting, error: string): void {
    const stored = this.#store.message(number);
    if (stored === undefined) return;
    const { timestamp, data } = JSON.parse(stored.message) as { timestamp: string; data: unknown };
    const letter: DeadLetterRecord = {
      id: `webhook.${id}`,
      kind: "webhook",
      webhook: {
        ...{ id, endpoint, type: stored.type, timestamp, data, attempts },
        ...(stored.cause === null ? {} : { cause: stored.cause }),
        ...(stored.rule === null ? {} : { rule: stored.rule }),
      },
      error,
      daemon: `ganglion/webhooks/${endpoint}`,
    };
    this.#box.bury(letter);
  }

  #write(row: EndpointRow, before: EndpointRow | undefined): { endpoint: Endpoint; created: boolean } {
    const written = forgiven(row, before);
    this.#store.writeEndpoint(written);
    this.#desk.open(written.id, endpointQueueOf(written));
    this.#fill();
    this.#arm();
    return { endpoint: this.#view(written), created: before === undefined };
  }

  #refusal(url: string): string | undefined {
    const allowed = this.env.WEBHOOKS_ALLOW_PRIVATE;
    return refusalOfUrl(url, allowed !== undefined && /^(1|true|yes)$/i.test(allowed));
  }

  #view(row: EndpointRow): Endpoint {
    return viewOf(row, this.#desk.waitingFor(row.id), Date.now());
  }

  #transaction(change: () => void): void {
    try {
      this.ctx.storage.transactionSync(change);
    } catch (error) {
      this.#load();
      throw error;
    }
  }

  #load(): void {
    this.#store.reload();
    this.#desk = new DeliveryScheduler(Math.random);
    this.#ended = new Map();
    for (const row of this.#store.endpoints()) this.#desk.open(row.id, endpointQueueOf(row));
    for (const { state, delivery } of this.#store.known()) {
      if (state === "waiting") {
        this.#desk.restore(delivery);
        continue;
      }
      this.#desk.remember(delivery);
      const ended = this.#ended.get(delivery.endpoint) ?? [];
      ended.push({ number: delivery.number, id: delivery.id });
      this.#ended.set(delivery.endpoint, ended);
    }
  }

  /** Sets the alarm for what is to be done next. While one runs it looks after everything, and sets the next itself. */
  #arm(): void {
    if (this.#runsUntilMs !== undefined) return;
    const nowMs = Date.now();
    const letters = this.#box.empty ? Number.POSITIVE_INFINITY : this.#lettersAtMs;
    const due = Math.min(this.#desk.nextDueMs ?? Number.POSITIVE_INFINITY, letters);
    if (due === Number.POSITIVE_INFINITY || (this.#alarmMs !== undefined && this.#alarmMs <= due)) return;
    this.#alarmMs = Math.max(due, nowMs);
    this.#meter.add({ rows_written: 1 });
    void this.ctx.storage.setAlarm(this.#alarmMs);
  }
}
