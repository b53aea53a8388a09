import * as z from "zod";
import { Lineage } from "../../../../core/lineage/api.ts";
import { AppendResult, SignalPage } from "../../../../core/signals/api.ts";
import { SignalInput } from "../../../../core/signals/signal.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

const DEFAULT_LIMIT = 20;

const readSignals = defineTool({
  name: "read_signals",
  title: "Read signals",
  description:
    "Reads the log of what happened. `signal` has names in which * stands for any characters, such as Q_*. `filter` is a " +
    "condition in CEL over `signal`, `id`, `source`, `facts` and `now`, such as `facts.cpu_percent > 90.0`. With order desc " +
    "the newest come first. A page may be short or empty and still have a `next`: go on with it as `after`.",
  operations: ["listSignals"],
  scopes: ["signals:read"],
  annotations: READS,
  args: z.strictObject({
    signal: z
      .union([z.string(), z.array(z.string()).max(64)])
      .optional()
      .meta({ description: "Names of signals; a leading ! excludes" }),
    source: z.string().optional().meta({ description: "Only signals of this source" }),
    after: z
      .int()
      .min(0)
      .optional()
      .meta({ description: "Only signals after this sequence number; with order desc, before it" }),
    since: z.string().optional().meta({ description: "Only signals at this time or later (RFC 3339)" }),
    until: z.string().optional().meta({ description: "Only signals before this time (RFC 3339)" }),
    limit: z
      .int()
      .min(1)
      .max(1_000)
      .default(DEFAULT_LIMIT)
      .meta({ description: `Signals in a page; default ${DEFAULT_LIMIT}` }),
    order: z.enum(["asc", "desc"]).optional().meta({ description: "Oldest (asc, the default) or newest first" }),
    filter: z.string().optional().meta({ description: "A condition in CEL" }),
  }),
  answer: SignalPage,
  run: ({ signal, ...query }, edge) =>
    edge({ method: "GET", path: "/signals", query: { ...query, signal: signal === undefined ? [] : [signal].flat() } }),
});

const explain = defineTool({
  name: "explain",
  title: "Explain a signal",
  description:
    "Why a signal came and what came of it: its causes, its effects, the decisions of rules, and their tasks, webhooks and " +
    "dead letters.",
  operations: ["getLineage"],
  scopes: ["signals:read"],
  annotations: READS,
  args: z.strictObject({
    id: z.string().min(1).meta({ description: "Id of the signal" }),
    source: z.string().optional().meta({ description: "Of several signals with this id, the one of this source" }),
    before: z.int().min(0).optional().meta({ description: "`searched_from` of a problem search-incomplete, to go on" }),
  }),
  answer: Lineage,
  run: ({ id, source, before }, edge) =>
    edge({ method: "GET", path: path`/signals/${id}/lineage`, query: { source, before } }),
});

const { signal, source, facts, timestamp, id, cause, trace } = SignalInput.shape;

const emitSignal = defineTool({
  name: "emit_signal",
  title: "Emit a signal",
  description:
    "Says that something happened: rules and other agents may react to it. Give an `id`, so that sending it again after a " +
    "lost answer is harmless; a signal that follows from another one names its id as `cause`.",
  operations: ["emitSignals"],
  scopes: ["signals:write"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  args: z.strictObject({
    signal: signal.meta({ description: "Its name, such as Q_BUILD_DONE" }),
    source: source.meta({ description: "Who says so: your own name" }),
    facts: facts.meta({ description: "What happened" }),
    id: id.meta({ description: "Id of your own; a second signal of this id and source is a duplicate" }),
    cause: cause.meta({ description: "Id of the signal that led to this one" }),
    timestamp: timestamp.meta({ description: "When it happened (RFC 3339); default: now" }),
    trace: trace.meta({ description: "W3C traceparent" }),
  }),
  answer: AppendResult,
  run: (args, edge) => edge({ method: "POST", path: "/signals", body: args }),
});

/** Tools about the log. */
export const signalTools = [readSignals, explain, emitSignal];
