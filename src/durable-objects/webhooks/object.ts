import { type InboxSource, type InboxSourceInput, MAX_SOURCES, type SourceAtDoor } from "../../core/inbox/source.ts";
import { webhookSamples } from "../../core/metrics/samples.ts";
import type { FieldError } from "../../core/problem/field-error.ts";
import type {
  DeliveryView,
  Endpoint,
  EndpointAnswer,
  EndpointDelivery,
  NewDelivery,
  TestOutcome,
} from "../../core/webhooks/api.ts";
import type { Redelivery } from "../../core/webhooks/delivery.ts";
import { MAX_WAITING } from "../../core/webhooks/delivery-scheduler.ts";
import { type EndpointChange, type EndpointInput, MAX_ENDPOINTS } from "../../core/webhooks/endpoint.ts";
import type { Permission } from "../../core/webhooks/settings.ts";
import { settingsProblems } from "../../core/webhooks/settings-problems.ts";
import { urlProblem } from "../../core/webhooks/url-rule.ts";
import { allowsPrivate } from "../../core/wire/network-address.ts";
import { AttentionNudge, type WatchCalls } from "../shell/attention-nudge.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { Outbox } from "../shell/outbox.ts";
import { type AppendCalls, OutboxRelay, type RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { withoutSigningSecrets } from "./copy.ts";
import { Deliveries } from "./deliveries.ts";
import { DeliveryRun } from "./delivery-run.ts";
import {
  changedRow,
  endpointStateOf,
  newRow,
  newSecret,
  viewOf,
  withFailuresCleared,
  withSecret,
} from "./endpoint-row.ts";
import { readSettings, takeQuestions, writeSettings } from "./endpoint-settings.ts";
import { webhooksErasure } from "./erasure.ts";
import { InboxStore, type PutSource } from "./inbox-store.ts";
import { webhookSteps } from "./migrations/all.ts";
import { NO_SIGNALS } from "./no-signals.ts";
import { Sender } from "./sender.ts";
import { type EndpointRow, WebhookStore } from "./webhook-store.ts";

/** Bindings that the webhooks use. */
export interface WebhooksBindings extends RelayBindings {
  readonly SIGNAL_LOG: Namespace<AppendCalls & WatchCalls>;
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
  static override readonly schema: Schema = {
    of: "Webhooks",
    steps: webhookSteps,
    copy: withoutSigningSecrets,
    erasure: webhooksErasure,
  };
  readonly #store: WebhookStore;
  readonly #inbox: InboxStore;
  readonly #deliveries: Deliveries;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  readonly #sender: Sender;
  readonly #run: DeliveryRun;
  readonly #nudge: AttentionNudge;
  /** Dead letters are not handed over before this time, in milliseconds since the epoch. */
  #deadLettersAtMs = 0;

  constructor(ctx: DurableObjectState, env: WebhooksBindings) {
    super(ctx, env);
    this.#store = new WebhookStore(this.sql);
    this.#inbox = new InboxStore(this.sql, this.ecosystem);
    this.#sender = new Sender(this.outgoing, this.ecosystem, (id, permission) => this.#allow(id, permission));
    this.#nudge = new AttentionNudge({ ctx, env, ecosystem: this.ecosystem });
    this.#outbox = new Outbox(this.sql, NO_SIGNALS);
    this.#deliveries = new Deliveries(this.#store, (record) => this.#outbox.deadLetter(record));
    this.reports.of(() => {
      const { scheduler } = this.#deliveries;
      const endpoints = this.#store.endpoints().map(({ id, enabled, failing_since_ms }) => {
        return { enabled: enabled === 1, failing: failing_since_ms !== null, waiting: scheduler.waitingFor(id) };
      });
      const { counts } = this.#store;
      return { samples: [...counts.list(), ...webhookSamples(endpoints)], folded: counts.folded };
    });
    this.#run = new DeliveryRun({
      ecosystem: this.ecosystem,
      store: this.#store,
      deliveries: this.#deliveries,
      sender: this.#sender,
      change: (change) => this.#change(change),
      failureChanged: () => this.#nudge.changed(),
    });
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

  /** Endpoints that take the questions for one of these recipients. */
  questionEndpoints(recipients: readonly string[]): { id: string; edge: string | undefined }[] {
    return takeQuestions(this.#store.endpoints(), recipients);
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

  /** @param edge - the origin through which the endpoint is set: messages for people lead back there */
  put(id: string, input: EndpointInput, edge?: string): EndpointAnswer {
    const nowMs = Date.now();
    const before = this.#store.endpoint(id);
    if (before !== undefined) {
      const { secret = before.secret } = input;
      const row = changedRow(
        before,
        { format: "raw", template: null, handshake: false, questions: [], ...input },
        edge,
      );
      return this.#write(secret === before.secret ? row : withSecret(row, secret, nowMs), before, true);
    }
    if (this.#store.endpoints().length >= MAX_ENDPOINTS) return { full: true };
    const secret = input.secret ?? newSecret();
    const answer = this.#write(newRow(id, input, secret, nowMs, edge), undefined, true);
    return "refused" in answer ? answer : { ...answer, secret };
  }

  change(id: string, change: EndpointChange, edge?: string): EndpointAnswer {
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    return this.#write(changedRow(before, change, edge), before, change.url !== undefined);
  }

  /** Generates a new secret. Messages are signed with both for a day, so that no receiver misses one meanwhile. */
  rotateSecret(id: string): EndpointAnswer {
    const before = this.#store.endpoint(id);
    if (before === undefined) return { unknown: true };
    const secret = newSecret();
    return { ...this.#accept(withSecret(before, secret, Date.now()), before), secret };
  }

  /** Removes the endpoint; the deliveries that wait for it become dead letters. @returns whether it existed */
  remove(id: string): boolean {
    if (this.#store.endpoint(id) === undefined) return false;
    this.#change(() => this.#deliveries.removeEndpoint(id));
    this.#nudge.changed();
    this.#arm();
    return true;
  }

  /** Sends a message of type `webhook.test` now and once, whether or not the endpoint is switched on. */
  async ping(id: string): Promise<TestOutcome | null> {
    const row = this.#store.endpoint(id);
    return row === undefined ? null : this.#sender.test(row);
  }

  inboxSources(): InboxSource[] {
    return this.#inbox.list(Date.now());
  }

  inboxSource(name: string): InboxSource | null {
    return this.#inbox.get(name, Date.now());
  }

  /** What the Worker needs to verify a request. It holds the secrets, and goes no further. */
  inboxDoor(name: string): SourceAtDoor | null {
    return this.#inbox.atDoor(name, Date.now());
  }

  putInboxSource(name: string, input: InboxSourceInput): PutSource | { readonly full: true } {
    if (!this.#inbox.has(name) && this.#inbox.size >= MAX_SOURCES) return { full: true };
    return this.#inbox.put(name, input, Date.now());
  }

  removeInboxSource(name: string): boolean {
    return this.#inbox.remove(name);
  }

  override async alarm(): Promise<void> {
    this.#run.begin();
    try {
      this.#change(() => this.#deliveries.giveUpExpired(Date.now()));
      await this.#run.sendAll();
      await this.#relay.run();
    } finally {
      this.#run.end();
      this.#arm();
    }
  }

  /** Stores an endpoint, or names what is wrong with it. */
  #write(row: EndpointRow, before: EndpointRow | undefined, urlGiven: boolean): EndpointAnswer {
    const refused = this.#problems(row, urlGiven);
    return refused.length > 0 ? { refused } : this.#accept(row, before);
  }

  #accept(row: EndpointRow, before: EndpointRow | undefined): { endpoint: Endpoint; created: boolean } {
    const written = withFailuresCleared(row, before);
    if (this.#deliveries.fails(row.id)) this.#nudge.changed();
    this.#store.writeEndpoint(written);
    this.#deliveries.scheduler.open(written.id, endpointStateOf(written, Date.now()));
    this.#sendDue();
    return { endpoint: this.#view(written), created: before === undefined };
  }

  #problems(row: EndpointRow, urlGiven: boolean): FieldError[] {
    const wrong = urlGiven ? urlProblem(row.url, allowsPrivate(this.env.WEBHOOKS_ALLOW_PRIVATE)) : undefined;
    if (wrong !== undefined) return [{ pointer: "/url", message: wrong }];
    return settingsProblems(readSettings(row), row.url);
  }

  /** An endpoint that was asked allows messages. */
  #allow(id: string, permission: Permission): void {
    const row = this.#store.endpoint(id);
    if (row === undefined) return;
    const settings = writeSettings({ ...readSettings(row), permission });
    this.#store.writeSettings(id, settings ?? "{}");
    this.#deliveries.scheduler.open(id, endpointStateOf({ ...row, settings }, Date.now()));
  }

  #view(row: EndpointRow): Endpoint {
    return viewOf(row, this.#deliveries.scheduler.waitingFor(row.id), Date.now());
  }

  #change(change: () => void): void {
    this.transaction(change, () => this.#deliveries.load());
  }

  #sendDue(): void {
    this.#run.look();
    this.#arm();
  }

  /** Sets the alarm for the next due delivery or dead letter. A running alarm sets the next one when it ends. */
  #arm(): void {
    if (this.#run.runs) return;
    const deadLettersMs = this.#outbox.empty ? Number.POSITIVE_INFINITY : this.#deadLettersAtMs;
    const dueMs = Math.min(this.#deliveries.scheduler.nextDueMs ?? Number.POSITIVE_INFINITY, deadLettersMs);
    if (dueMs !== Number.POSITIVE_INFINITY) this.alarms.wakeBy(Math.max(dueMs, Date.now()));
  }
}
