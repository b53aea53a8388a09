import type { EndpointAnswer } from "../../core/webhooks/api.ts";
import type { DeliveryStanding, DeliveryView, NewDelivery, TestOutcome } from "../../core/webhooks/delivery.ts";
import { MAX_WAITING, type Waiting } from "../../core/webhooks/delivery-scheduler.ts";
import { type Endpoint, type EndpointChange, type EndpointInput, MAX_ENDPOINTS } from "../../core/webhooks/endpoint.ts";
import { refusalOfUrl } from "../../core/webhooks/url-rule.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, type RelayBindings } from "../shell/outbox-relay.ts";
import { Deliveries } from "./deliveries.ts";
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
import { sendTest } from "./send-test.ts";
import { type EndpointRow, WebhookStore } from "./webhook-store.ts";

/** An alarm's handler may take fifteen minutes; what is left after this goes on in the next. */
const RUN_MS = 60_000;

/** Bindings that the webhooks use. */
export interface WebhooksBindings extends RelayBindings {
  /** `true`: webhooks may go to http: URLs and to addresses of private networks. Default: they may not. */
  readonly WEBHOOKS_ALLOW_PRIVATE?: string;
}

/**
 * The webhooks of one ecosystem: sends messages to endpoints, signed as Standard Webhooks, and tries again for about a
 * day. A delivery is durable when the call that hands it over resolves.
 *
 * All sending happens within an alarm. The runtime repeats an alarm whose object was lost before it ended, so nothing
 * has to be written to have what was on its way sent again: with the same id, by which receivers drop repeats. While
 * nothing is due the object sleeps.
 */
export class Webhooks extends EcosystemObject<WebhooksBindings> {
  readonly #store: WebhookStore;
  readonly #deliveries: Deliveries;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #onTheWay = new Set<Promise<void>>();
  /** Dead letters are not handed over before this time. */
  #deadLettersAtMs = 0;
  /** Until when the alarm that is running takes more. */
  #runsUntilMs: number | undefined;

  constructor(ctx: DurableObjectState, env: WebhooksBindings) {
    super(ctx, env);
    this.#store = new WebhookStore(this.sql);
    this.#outbox = new Outbox(this.sql, NO_SIGNALS);
    this.#deliveries = new Deliveries(this.#store, (record) => this.#outbox.deadLetter(record));
    this.#relay = new OutboxRelay({
      env,
      outbox: this.#outbox,
      ecosystem: this.ecosystem,
      name: "webhooks",
      // The alarm that is set when the present one ends comes back to them.
      wakeBy: (atMs) => {
        this.#deadLettersAtMs = atMs;
      },
    });
  }

  /**
   * Takes deliveries, durably. The same id again changes nothing.
   *
   * @returns ids whose endpoint does not exist: they were not taken
   */
  async deliver(deliveries: readonly NewDelivery[]): Promise<{ unknown: string[] }> {
    const nowMs = Date.now();
    const unknown: string[] = [];
    this.#change(() => {
      for (const delivery of deliveries) if (!this.#deliveries.accept(delivery, nowMs)) unknown.push(delivery.id);
    });
    this.#goOn();
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
    const { scheduler } = this.#deliveries;
    const before = this.#store.stateOf(delivery.id);
    if (before?.state === "waiting" || before?.state === "delivered") return "known";
    const endpointQueue = scheduler.stateOf(delivery.endpoint);
    if (endpointQueue === undefined) return "unknown_endpoint";
    if (!endpointQueue.enabled) return "disabled";
    if (scheduler.waitingFor(delivery.endpoint) >= MAX_WAITING) return "full";
    const ended = before === undefined ? undefined : { number: before.number, id: delivery.id };
    this.#change(() => this.#deliveries.acceptAgain(delivery, ended, Date.now()));
    this.#goOn();
    return "waiting";
  }

  list(): Endpoint[] {
    return this.#store.endpoints().map((row) => this.#view(row));
  }

  /** Newest first; `null`: there is no such endpoint. */
  deliveries(endpoint: string, limit: number): DeliveryView[] | null {
    return this.#store.endpoint(endpoint) === undefined ? null : this.#store.recent(endpoint, limit);
  }

  /** How deliveries stand, by their ids; those that are not known (any more) are left out. */
  deliveriesOf(ids: readonly string[]): DeliveryStanding[] {
    const numbers = ids.flatMap((id) => this.#deliveries.scheduler.numberOf(id) ?? []);
    return this.#store.standing(numbers);
  }

  put(id: string, input: EndpointInput): EndpointAnswer {
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
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    const refusal = change.url === undefined ? undefined : this.#refusal(change.url);
    if (refusal !== undefined) return { refused: [{ pointer: "/url", message: refusal }] };
    return this.#write(changedRow(before, change), before);
  }

  /** Makes a new secret. The old one signs along for a day, so that receivers can be changed without a gap. */
  rotateSecret(id: string): EndpointAnswer {
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    const secret = newSecret();
    return { ...this.#write(withSecret(before, secret, Date.now()), before), secret };
  }

  /** Takes the endpoint away, and what waits for it. @returns whether there was one */
  remove(id: string): boolean {
    if (this.#store.endpoint(id) === undefined) return false;
    this.#deliveries.removeEndpoint(id);
    return true;
  }

  /** Sends a message of type `webhook.test` now and once, whether or not the endpoint is switched on. */
  async ping(id: string): Promise<TestOutcome | null> {
    const row = this.#store.endpoint(id);
    if (row === undefined) return null;
    return sendTest(row, this.ecosystem);
  }

  override async alarm(): Promise<void> {
    this.#runsUntilMs = Date.now() + RUN_MS;
    try {
      this.#change(() => this.#deliveries.giveUpOld(Date.now()));
      this.#fill();
      // Each that ends makes room for others: `fill` is called with every one of them, and whenever more is handed in.
      while (this.#onTheWay.size > 0) await Promise.race(this.#onTheWay);
      await this.#relay.run();
    } finally {
      this.#runsUntilMs = undefined;
      this.#arm();
    }
  }

  /** Sends what is due, as much as may be on its way at a time. Only an alarm sends: see the class. */
  #fill(): void {
    while (this.#runsUntilMs !== undefined && Date.now() < this.#runsUntilMs) {
      const delivery = this.#deliveries.scheduler.take(Date.now());
      if (delivery === undefined) return;
      const done: Promise<void> = this.#attempt(delivery)
        .catch((error: unknown) => {
          // Memory and disk disagree: the disk counts, and what it does not show as sent is sent again.
          console.error("webhooks: an attempt could not be noted", this.ecosystem, String(error));
          this.#deliveries.load();
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
    if (row === undefined || stored === undefined) return this.#deliveries.scheduler.abandon(delivery);
    const secrets = secretsOf(row, Date.now());
    const answer = await send(row.url, { id: delivery.id, body: stored.message, secrets });
    this.#change(() => this.#deliveries.settle(delivery, answer, Date.now()));
  }

  #write(row: EndpointRow, before: EndpointRow | undefined): { endpoint: Endpoint; created: boolean } {
    const written = forgiven(row, before);
    this.#store.writeEndpoint(written);
    this.#deliveries.scheduler.open(written.id, endpointQueueOf(written));
    this.#goOn();
    return { endpoint: this.#view(written), created: before === undefined };
  }

  #refusal(url: string): string | undefined {
    const allowed = this.env.WEBHOOKS_ALLOW_PRIVATE;
    return refusalOfUrl(url, allowed !== undefined && /^(1|true|yes)$/i.test(allowed));
  }

  #view(row: EndpointRow): Endpoint {
    return viewOf(row, this.#deliveries.scheduler.waitingFor(row.id), Date.now());
  }

  #change(change: () => void): void {
    this.transaction(change, () => this.#deliveries.load());
  }

  #goOn(): void {
    this.#fill();
    this.#arm();
  }

  /** Sets the alarm for what is to be done next. While one runs it looks after everything, and sets the next itself. */
  #arm(): void {
    if (this.#runsUntilMs !== undefined) return;
    const deadLettersMs = this.#outbox.empty ? Number.POSITIVE_INFINITY : this.#deadLettersAtMs;
    const dueMs = Math.min(this.#deliveries.scheduler.nextDueMs ?? Number.POSITIVE_INFINITY, deadLettersMs);
    if (dueMs !== Number.POSITIVE_INFINITY) this.alarms.wakeBy(Math.max(dueMs, Date.now()));
  }
}

/** The webhooks hand dead letters over and emit no signals. */
const NO_SIGNALS = {
  producer: "ganglion.webhooks",
  next: (): number => {
    throw new Error("webhooks emit no signals");
  },
};
