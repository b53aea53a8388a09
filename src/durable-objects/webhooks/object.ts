import type {
  DeliveryView,
  Endpoint,
  EndpointAnswer,
  EndpointDelivery,
  NewDelivery,
  TestOutcome,
} from "../../core/webhooks/api.ts";
import type { Redelivery } from "../../core/webhooks/delivery.ts";
import { MAX_WAITING, type WaitingDelivery } from "../../core/webhooks/delivery-scheduler.ts";
import { type EndpointChange, type EndpointInput, MAX_ENDPOINTS } from "../../core/webhooks/endpoint.ts";
import { urlProblem } from "../../core/webhooks/url-rule.ts";
import { allowsPrivate } from "../../core/wire/network-address.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { logLine } from "../shell/log-line.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, type RelayBindings } from "../shell/outbox-relay.ts";
import type { Schema } from "../shell/schema.ts";
import { withoutSigningSecrets } from "./copy.ts";
import { Deliveries } from "./deliveries.ts";
import {
  changedRow,
  endpointStateOf,
  newRow,
  newSecret,
  secretsOf,
  viewOf,
  withFailuresCleared,
  withSecret,
} from "./endpoint-row.ts";
import { Sender } from "./sender.ts";
import { type EndpointRow, WebhookStore } from "./webhook-store.ts";

/**
 * An alarm sends for this long, in milliseconds; the next alarm sends the rest. The runtime allows a handler 15 minutes.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
const RUN_MS = 60_000;

/** Bindings that the webhooks use. */
export interface WebhooksBindings extends RelayBindings {
  /** `true`: endpoints may have http: URLs and addresses of private networks. Default: they may not. */
  readonly WEBHOOKS_ALLOW_PRIVATE?: string;
}

/**
 * The webhooks of one ecosystem. Sends messages to endpoints, signed as Standard Webhooks, and retries each for about a
 * day. A delivery is durable when the call that hands it over resolves.
 *
 * Only an alarm sends. The runtime repeats an alarm whose object was lost before the alarm ended, so the deliveries that
 * were in flight are sent again without a write that marks them. They keep their ids, by which receivers drop repeats.
 * While nothing is due the object sleeps.
 */
export class Webhooks extends EcosystemObject<WebhooksBindings> {
  static override readonly schema: Schema = { of: "Webhooks", steps: [], copy: withoutSigningSecrets };
  readonly #store: WebhookStore;
  readonly #deliveries: Deliveries;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #sender: Sender;
  /** Dead letters are not handed over before this time, in milliseconds since the epoch. */
  #deadLettersAtMs = 0;
  /** Ends {@link #pause}. */
  #wake: () => void = () => undefined;
  /** The running alarm starts attempts until this time, in milliseconds since the epoch; `undefined`: none runs. */
  #runsUntilMs: number | undefined;

  constructor(ctx: DurableObjectState, env: WebhooksBindings) {
    super(ctx, env);
    this.#store = new WebhookStore(this.sql);
    this.#sender = new Sender(this.outgoing, this.ecosystem);
    this.#outbox = new Outbox(this.sql, NO_SIGNALS);
    this.#deliveries = new Deliveries(this.#store, (record) => this.#outbox.deadLetter(record));
    this.#relay = new OutboxRelay({
      env,
      outbox: this.#outbox,
      ecosystem: this.ecosystem,
      name: "webhooks",
      // The next alarm is set when the running one ends, and takes this time into account.
      wakeBy: (atMs) => {
        this.#deadLettersAtMs = atMs;
      },
    });
  }

  /**
   * Accepts deliveries durably. A delivery with a known id changes nothing.
   *
   * @returns ids of the deliveries that were not accepted, because their endpoint does not exist
   */
  async deliver(deliveries: readonly NewDelivery[]): Promise<{ unknown: string[] }> {
    const nowMs = Date.now();
    const unknown: string[] = [];
    this.#change(() => {
      for (const delivery of deliveries) if (!this.#deliveries.accept(delivery, nowMs)) unknown.push(delivery.id);
    });
    this.#sendDue();
    return { unknown };
  }

  /**
   * Accepts a delivery again that was given up.
   *
   * @returns `known`: the delivery waits or was delivered, and nothing changed
   */
  async redeliver(delivery: Redelivery): Promise<"waiting" | "known" | "unknown_endpoint" | "disabled" | "full"> {
    const { scheduler } = this.#deliveries;
    const before = this.#store.stateOf(delivery.id);
    if (before?.state === "waiting" || before?.state === "delivered") return "known";
    const endpointState = scheduler.stateOf(delivery.endpoint);
    if (endpointState === undefined) return "unknown_endpoint";
    if (!endpointState.enabled) return "disabled";
    if (scheduler.waitingFor(delivery.endpoint) >= MAX_WAITING) return "full";
    const ended = before === undefined ? undefined : { number: before.number, id: delivery.id };
    this.#change(() => this.#deliveries.acceptAgain(delivery, ended, Date.now()));
    this.#sendDue();
    return "waiting";
  }

  list(): Endpoint[] {
    return this.#store.endpoints().map((row) => this.#view(row));
  }

  /** @returns deliveries, newest first; `null`: unknown endpoint */
  deliveries(endpoint: string, limit: number): DeliveryView[] | null {
    return this.#store.endpoint(endpoint) === undefined ? null : this.#store.recent(endpoint, limit);
  }

  /** @returns the deliveries of these ids; unknown and forgotten ones are left out */
  deliveriesOf(ids: readonly string[]): EndpointDelivery[] {
    const numbers = ids.flatMap((id) => this.#deliveries.scheduler.numberOf(id) ?? []);
    return this.#store.byNumbers(numbers);
  }

  put(id: string, input: EndpointInput): EndpointAnswer {
    const refused = this.#urlProblem(input.url);
    if (refused !== undefined) return { refused: [{ pointer: "/url", message: refused }] };
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
    const refused = change.url === undefined ? undefined : this.#urlProblem(change.url);
    if (refused !== undefined) return { refused: [{ pointer: "/url", message: refused }] };
    return this.#write(changedRow(before, change), before);
  }

  /** Generates a new secret. Messages are signed with both for a day, so that no receiver misses one meanwhile. */
  rotateSecret(id: string): EndpointAnswer {
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    const secret = newSecret();
    return { ...this.#write(withSecret(before, secret, Date.now()), before), secret };
  }

  /** Removes the endpoint with the deliveries that wait for it. @returns whether it existed */
  remove(id: string): boolean {
    if (this.#store.endpoint(id) === undefined) return false;
    this.#deliveries.removeEndpoint(id);
    return true;
  }

  /** Sends a message of type `webhook.test` now and once, whether or not the endpoint is switched on. */
  async ping(id: string): Promise<TestOutcome | null> {
    const row = this.#store.endpoint(id);
    if (row === undefined) return null;
    return this.#sender.test(row);
  }

  override async alarm(): Promise<void> {
    this.#runsUntilMs = Date.now() + RUN_MS;
    try {
      this.#change(() => this.#deliveries.giveUpExpired(Date.now()));
      this.#fill();
      // The alarm that a retry would need is set only when this one ends. Until then a timer stands in for it, so that
      // no endpoint waits until another one has answered.
      while (this.#inFlight.size > 0) {
        await this.#pause();
        this.#fill();
      }
      await this.#relay.run();
    } finally {
      this.#runsUntilMs = undefined;
      this.#arm();
    }
  }

  /** Resolves when an attempt has ended, a delivery was accepted, or the next one is due in this alarm. */
  async #pause(): Promise<void> {
    const untilMs = this.#runsUntilMs ?? 0;
    const dueMs = this.#deliveries.scheduler.nextTakeMs ?? Number.POSITIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | null = null;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (dueMs < untilMs) timer = setTimeout(resolve, Math.max(0, dueMs - Date.now()));
    });
    clearTimeout(timer);
  }

  /** Starts attempts until the maximum is in flight. Does nothing outside an alarm: see the class. */
  #fill(): void {
    while (this.#runsUntilMs !== undefined && Date.now() < this.#runsUntilMs) {
      const delivery = this.#deliveries.scheduler.take(Date.now());
      if (delivery === undefined) return;
      const done: Promise<void> = this.#attempt(delivery)
        .catch((error: unknown) => {
          // Memory and disk disagree: memory is read from the disk, and deliveries that it shows as waiting are sent.
          logLine("error", "attempt-not-stored", { ecosystem: this.ecosystem, object: "webhooks", error });
          this.#deliveries.load();
        })
        .finally(() => {
          this.#inFlight.delete(done);
          this.#fill();
          this.#wake();
        });
      this.#inFlight.add(done);
    }
  }

  async #attempt(delivery: WaitingDelivery): Promise<void> {
    const row = this.#store.endpoint(delivery.endpoint);
    const stored = this.#store.message(delivery.number);
    if (row === undefined || stored === undefined) return this.#deliveries.scheduler.abandon(delivery);
    const secrets = secretsOf(row, Date.now());
    const response = await this.#sender.send(row.url, { id: delivery.id, body: stored.message, secrets });
    this.#change(() => this.#deliveries.settle(delivery, response, Date.now()));
  }

  #write(row: EndpointRow, before: EndpointRow | undefined): { endpoint: Endpoint; created: boolean } {
    const written = withFailuresCleared(row, before);
    this.#store.writeEndpoint(written);
    this.#deliveries.scheduler.open(written.id, endpointStateOf(written));
    this.#sendDue();
    return { endpoint: this.#view(written), created: before === undefined };
  }

  #urlProblem(url: string): string | undefined {
    return urlProblem(url, allowsPrivate(this.env.WEBHOOKS_ALLOW_PRIVATE));
  }

  #view(row: EndpointRow): Endpoint {
    return viewOf(row, this.#deliveries.scheduler.waitingFor(row.id), Date.now());
  }

  #change(change: () => void): void {
    this.transaction(change, () => this.#deliveries.load());
  }

  #sendDue(): void {
    this.#fill();
    this.#wake();
    this.#arm();
  }

  /** Sets the alarm for the next due delivery or dead letter. A running alarm sets the next one when it ends. */
  #arm(): void {
    if (this.#runsUntilMs !== undefined) return;
    const deadLettersMs = this.#outbox.empty ? Number.POSITIVE_INFINITY : this.#deadLettersAtMs;
    const dueMs = Math.min(this.#deliveries.scheduler.nextDueMs ?? Number.POSITIVE_INFINITY, deadLettersMs);
    if (dueMs !== Number.POSITIVE_INFINITY) this.alarms.wakeBy(Math.max(dueMs, Date.now()));
  }
}

/** Webhooks hand over dead letters and emit no signals. */
const NO_SIGNALS = {
  producer: "ganglion.webhooks",
  next: (): number => {
    throw new Error("webhooks emit no signals");
  },
};
