import { type Export, type ExportTest, NO_EXPORT, viewOf } from "../../core/telemetry/api.ts";
import { ATTRIBUTE, SPAN_NAME } from "../../core/telemetry/attributes.ts";
import { healthOf, NOTHING_EXPORTED } from "../../core/telemetry/progress.ts";
import { outcomeOf, type ReceiverAnswer } from "../../core/telemetry/receiver-answer.ts";
import {
  type ExportSettings,
  endpointOf,
  type NewExport,
  type SourceExport,
  settingsOf,
  sourceExport,
} from "../../core/telemetry/settings.ts";
import type { SourceAnswer, SourceBatch } from "../../core/telemetry/sources.ts";
import { KIND, type Payload } from "../../core/telemetry/span.ts";
import type { ToolCalls } from "../../core/telemetry/tool-call-spans.ts";
import { urlProblem } from "../../core/webhooks/url-rule.ts";
import { allowsPrivate } from "../../core/wire/network-address.ts";
import { ConnectionPlaces } from "../shell/connection-places.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import { objectNamed } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { telemetryErasure } from "./erasure.ts";
import { ExportStore } from "./export-store.ts";
import { Exporter } from "./exporter.ts";
import type { TelemetryBindings } from "./ports.ts";
import { lookForReactions } from "./reactions.ts";
import { sendSpans } from "./send-spans.ts";
import { SpansOf } from "./spans-of.ts";
import { tellSources } from "./tell-sources.ts";

/** An alarm sends for this long, in milliseconds; the next alarm sends the rest. */
const RUN_MS = 60_000;
/** How long a test waits for those before it. */
const TEST_WAIT_MS = 4_000;

export type SetAnswer = { readonly export: Export } | { readonly refused: string };

/**
 * Exports the finished work of an ecosystem as spans of OpenTelemetry: tasks, decisions, questions to models, reactions,
 * calls of tools.
 *
 * Queues and rules hand over what has ended, and number it; the log is read for reactions. All of it waits here, already in
 * the form of the wire, until an alarm has sent it: the runtime repeats an alarm whose object was lost. The id of a span
 * follows from what it is about, so a request that is sent twice doubles nothing at the receiver.
 *
 * Off by default. While it is off nothing is stored, and nothing but a look at what the ecosystem uses calls this object.
 */
export class Telemetry extends EcosystemObject<TelemetryBindings> {
  static override readonly schema: Schema = {
    of: "Telemetry",
    steps: [],
    // The settings hold keys, and what waits belongs to the receiver of this deployment.
    copy: { leftOut: ["kept", "sources", "batches"] },
    erasure: telemetryErasure,
  };
  readonly #store: ExportStore;
  readonly #exporter: Exporter;
  readonly #tests = new ConnectionPlaces(1, 16);
  /** When the running alarm began, or the last one. */
  #ranMs = 0;
  #running = false;

  constructor(ctx: DurableObjectState, env: TelemetryBindings) {
    super(ctx, env);
    this.#store = new ExportStore(this.sql);
    this.#exporter = new Exporter({
      store: this.#store,
      transaction: this.transaction,
      send: async (spans) => {
        const { settings } = this.#store;
        return settings === undefined ? { error: "the export was switched off" } : this.#send(settings, spans);
      },
    });
  }

  show(): Export {
    const { settings, progress, waiting } = this.#store;
    return settings === undefined ? NO_EXPORT : viewOf(settings, healthOf(progress, waiting));
  }

  /** Switches the export on, or changes it. What ends from now on is exported. */
  async set(change: NewExport): Promise<SetAnswer> {
    const problem = this.#urlProblem(endpointOf(change));
    if (problem !== undefined) return { refused: problem };
    const before = this.#store.settings;
    const settings = settingsOf(change, before);
    const { ecosystem, env } = this;
    const { head_seq: seq, epoch } = await objectNamed(env.SIGNAL_LOG, ecosystem, env).reached();
    // Before the queues are listed: one that begins meanwhile is told by the directory.
    await objectNamed(env.DIRECTORY, "directory", env).mark("exporting", ecosystem, true);
    this.#change(() => {
      const store = this.#store;
      // What waits was made as the settings before said: it may hold more than may leave now.
      const given = before !== undefined && before.payload !== settings.payload ? store.clear() : 0;
      store.settings = settings;
      store.progress =
        before?.url === settings.url
          ? { ...store.progress, dropped: store.progress.dropped + given, retry_ms: 0 }
          : NOTHING_EXPORTED;
      if (store.logPlace === undefined) store.logPlace = { epoch, seq };
      store.setNote("untold", "");
    });
    // Those who cannot be told now are told by the alarm, also after a crash.
    this.alarms.wakeBy(Date.now() + RETRY_MS);
    await this.#tell().catch((error: unknown) =>
      logLine("warn", "export-not-told", { ecosystem, object: "telemetry", error }),
    );
    return { export: viewOf(settings, healthOf(this.#store.progress, this.#store.waiting)) };
  }

  /** Switches the export off and forgets everything. @returns whether there was one */
  async remove(): Promise<boolean> {
    if (this.#store.settings === undefined) return false;
    this.#change(() => this.#store.erase());
    // Sources are told when they next hand something over.
    await objectNamed(this.env.DIRECTORY, "directory", this.env).mark("exporting", this.ecosystem, false);
    return true;
  }

  /** Sends one marked span now. @returns `null`: nothing is exported */
  async probe(): Promise<ExportTest | null> {
    const { settings } = this.#store;
    if (settings === undefined) return null;
    const startMs = Date.now();
    const id = crypto.randomUUID().replaceAll("-", "");
    const answer = await this.#inTurn(() => this.#send(settings, [this.#testSpan(settings, id, startMs)]));
    const nowMs = Date.now();
    const outcome = outcomeOf(answer, nowMs);
    const { rejected = 0, message } = outcome.kind === "taken" ? outcome : {};
    const error = outcome.kind === "taken" ? (message ?? "the receiver rejected the span") : outcome.error;
    const delivered = outcome.kind === "taken" && rejected === 0;
    return {
      delivered,
      ...("status" in answer ? { status: answer.status, answer: answer.body.slice(0, 500) } : {}),
      ...(delivered ? {} : { error }),
      trace_id: id,
      duration_ms: nowMs - startMs,
    };
  }

  /** What a source is to hand over; `null`: nothing. */
  sourceExport(): SourceExport | null {
    const { settings } = this.#store;
    return settings === undefined ? null : sourceExport(settings);
  }

  /** Takes over finished work of a queue, or of the rules. Rows that are known change nothing. */
  take(batch: SourceBatch): SourceAnswer {
    const store = this.#store;
    const { settings } = store;
    if (settings === undefined) return { off: true };
    const { source, epoch, rows, dropped } = batch;
    const known = store.numberOf(source, epoch);
    const fresh = rows.filter(({ number }) => number > known);
    const through = fresh.at(-1)?.number ?? known;
    if (fresh.length === 0) return { through };
    const items = fresh.flatMap((row) => row.items);
    const spans = new SpansOf(settings, this.ecosystem).items(items, batch);
    this.#change(() => {
      this.#add(spans, dropped);
      store.setNumber(source, epoch, through);
    });
    this.#wakeSoon();
    return { through };
  }

  /** Takes calls of tools that have ended. What is not answered is not sent again: nothing durable tells of a call. */
  takeCalls(handed: ToolCalls): { readonly payload: Payload } | { readonly off: true } {
    const { settings } = this.#store;
    if (settings === undefined) return { off: true };
    const spans = new SpansOf(settings, this.ecosystem).toolCalls(handed);
    this.#change(() => this.#add(spans, handed.dropped));
    this.#wakeSoon();
    return { payload: settings.payload };
  }

  /** The minute's round: the ecosystem was active, so reactions may have ended. */
  tick(): void {
    if (this.#store.settings !== undefined) this.#wakeSoon();
  }

  override async alarm(): Promise<void> {
    this.#ranMs = Date.now();
    this.#running = true;
    let more = false;
    try {
      more = await this.#tell();
      more = (await this.#look()) || more;
    } catch (error) {
      logLine("warn", "export-not-gathered", { ecosystem: this.ecosystem, object: "telemetry", error });
      more = true;
    }
    try {
      await this.#exporter.run(this.#ranMs + RUN_MS);
    } finally {
      this.#running = false;
      this.#arm(more);
    }
  }

  /** @returns whether some sources are not told yet */
  async #tell(): Promise<boolean> {
    const [{ settings }, untold] = [this.#store, this.#store.note("untold")];
    if (settings === undefined || untold === undefined) return false;
    const rest = await tellSources(this.env, this.ecosystem, settings, untold);
    // Changed meanwhile: all are told again.
    if (this.#store.settings !== settings) return true;
    this.#change(() => this.#store.setNote("untold", rest));
    return rest !== undefined;
  }

  async #look(): Promise<boolean> {
    const store = this.#store;
    const { settings, logPlace: place } = store;
    if (settings === undefined || place === undefined) return false;
    return lookForReactions({
      env: this.env,
      ecosystem: this.ecosystem,
      place,
      patterns: settings.reactions,
      spansOf: new SpansOf(settings, this.ecosystem),
      store: (spans, next) => {
        // Switched off, or changed, meanwhile.
        if (store.settings !== settings) return;
        this.#change(() => {
          this.#add(spans, 0);
          store.logPlace = next;
        });
      },
    });
  }

  /** @param dropped - what was given up before it came here */
  #add(spans: readonly string[], dropped: number): void {
    const lost = dropped + this.#store.add(spans);
    if (lost > 0) this.#store.progress = { ...this.#store.progress, dropped: this.#store.progress.dropped + lost };
  }

  /** With the interval between two alarms. A running alarm sets the next one when it ends. */
  #wakeSoon(): void {
    const { settings } = this.#store;
    if (settings === undefined || this.#running) return;
    this.alarms.wakeBy(Math.max(Date.now(), this.#ranMs + settings.interval_ms));
  }

  #arm(more: boolean): void {
    const { settings, waiting, progress } = this.#store;
    if (settings === undefined) return;
    const nowMs = Date.now();
    if (more) this.alarms.wakeBy(nowMs + RETRY_MS);
    if (waiting === 0) return;
    // Time is over, or something came while the last request was under way.
    const nextMs = progress.retry_ms > nowMs ? progress.retry_ms : Math.max(nowMs, this.#ranMs + settings.interval_ms);
    this.alarms.wakeBy(nextMs);
  }

  async #send(settings: ExportSettings, spans: readonly string[]): Promise<ReceiverAnswer> {
    // The settings may be older than the permission that was withdrawn.
    const problem = this.#urlProblem(settings.url);
    if (problem !== undefined) return { error: `not sent: ${problem}` };
    return sendSpans(settings, spans, this.ecosystem, this.outgoing);
  }

  /** Tests take one connection, and the export another one, of the six that may wait for an answer. */
  async #inTurn(send: () => Promise<ReceiverAnswer>): Promise<ReceiverAnswer> {
    if (!(await this.#tests.take(TEST_WAIT_MS))) return { error: "not sent: other tests are running. Try again" };
    return send().finally(() => this.#tests.release());
  }

  #testSpan(settings: ExportSettings, id: string, atMs: number): string {
    return new SpansOf(settings, this.ecosystem).text({
      traceId: id,
      spanId: id.slice(0, 16),
      parentSpanId: undefined,
      name: SPAN_NAME.test,
      kind: KIND.internal,
      startMs: atMs,
      endMs: atMs,
      attributes: { [ATTRIBUTE.test]: true },
      observation: { type: "span", traceName: SPAN_NAME.test, tags: ["ganglion-test"] },
    });
  }

  #urlProblem(url: string): string | undefined {
    return urlProblem(url, allowsPrivate(this.env.WEBHOOKS_ALLOW_PRIVATE));
  }

  #change(change: () => void): void {
    this.transaction(change, () => this.#store.reload());
  }
}
