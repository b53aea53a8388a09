import { createHash } from "node:crypto";
import { readStoredDecision } from "../../core/policy/stored.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { decisionSpans } from "../../core/telemetry/decision-spans.ts";
import { otlpSpan } from "../../core/telemetry/otlp.ts";
import { reactionSpans } from "../../core/telemetry/reaction-spans.ts";
import type { ExportSettings } from "../../core/telemetry/settings.ts";
import { queueOfSource, type SourceBatch } from "../../core/telemetry/sources.ts";
import type { Span, SpanContext } from "../../core/telemetry/span.ts";
import { readTaskItem } from "../../core/telemetry/task-item.ts";
import { taskSpans } from "../../core/telemetry/task-spans.ts";
import { type ToolCalls, toolCallSpan } from "../../core/telemetry/tool-call-spans.ts";
import { readableRows } from "../shell/readable-rows.ts";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Makes spans of finished work, as JSON texts. */
export class SpansOf {
  readonly #settings: ExportSettings;
  readonly #context: SpanContext;

  constructor(settings: ExportSettings, ecosystem: string) {
    this.#settings = settings;
    this.#context = { ecosystem, payload: settings.payload, digest };
  }

  items(items: readonly string[], { source, payload }: Pick<SourceBatch, "source" | "payload">): string[] {
    const queue = queueOfSource(source);
    // What was gathered under other settings holds more, or less, than may leave now: then nothing of it does.
    const mayLeave = payload === this.#settings.payload;
    const spans = readableRows("exported work", items, (item) =>
      queue === undefined
        ? decisionSpans(readStoredDecision(...idAndBody(item)), this.#context)
        : taskSpans(readTaskItem(queue, item, mayLeave), this.#context),
    );
    return [...spans].flat().map((span) => this.text(span));
  }

  toolCalls({ calls, payload }: ToolCalls): string[] {
    const mayLeave = payload === this.#settings.payload;
    return calls.map((call) => this.text(toolCallSpan(call, mayLeave)));
  }

  /** @param trigger - traceparent of the signal that the reaction was about */
  reaction(signal: Signal, trigger: string | undefined): string[] {
    return reactionSpans(signal, trigger, this.#context).map((span) => this.text(span));
  }

  text(span: Span): string {
    return JSON.stringify(otlpSpan(span, { ecosystem: this.#context.ecosystem, preset: this.#settings.preset }));
  }
}

/** An item of the rules: the id of the decision, a space, and the decision as it is stored. */
function idAndBody(item: string): [id: string, body: string] {
  const end = item.indexOf(" ");
  return [item.slice(0, end), item.slice(end + 1)];
}
