import * as z from "zod";
import { DeadLettersPage, Replayed } from "../../../../core/dead-letters/api.ts";
import { DEAD_LETTER_KINDS } from "../../../../core/dead-letters/kinds.ts";
import { Simulated } from "../../../../core/policy/simulated.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

const simulateRule = defineTool({
  name: "simulate_rule",
  title: "Simulate a rule",
  description:
    "What a rule would have decided on stored signals, and what would have been different: nothing is written. Simulate a " +
    "change before you propose it.",
  operations: ["simulatePolicy"],
  scopes: ["policy:write"],
  annotations: READS,
  args: z.strictObject({
    id: z.string().min(1).meta({ description: "Id of the rule" }),
    since: z.string().meta({ description: "Signals from this time on (RFC 3339)" }),
    until: z.string().optional().meta({ description: "Signals before this time; default: now" }),
    warm_up: z
      .string()
      .optional()
      .meta({ description: "How far back the state at `since` is derived from, such as 2h; 0: begin without state" }),
    rule: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: "The changed rule; absent: the one in force, as if it were enabled" }),
  }),
  answer: Simulated,
  run: ({ id, ...body }, edge) => edge({ method: "POST", path: path`/policies/${id}/simulate`, body }),
});

const deadLetters = defineTool({
  name: "dead_letters",
  title: "List dead letters",
  description:
    "Items that could not be processed, with the reason, newest first. A page may be short or empty and still have a " +
    "`next`: go on with it as `after`.",
  operations: ["listDeadLetters"],
  scopes: ["signals:read"],
  annotations: READS,
  args: z.strictObject({
    kind: z.enum(DEAD_LETTER_KINDS).optional().meta({ description: "Only items of this kind" }),
    daemon: z.string().optional().meta({ description: "The component that gave up; * stands for any text" }),
    signal: z.string().optional().meta({ description: "Names of signals; * stands for any characters" }),
    host: z.string().optional().meta({ description: "The host that keeps the failed item" }),
    since: z.string().optional().meta({ description: "Last failure at this time or later (RFC 3339)" }),
    until: z.string().optional().meta({ description: "Last failure before this time" }),
    text: z.string().optional().meta({ description: "Text in the id, the error or the failed item" }),
    limit: z.int().min(1).max(1_000).default(20).meta({ description: "Dead letters in a page; default 20" }),
    after: z.string().optional().meta({ description: "`next` of the page before" }),
  }),
  answer: DeadLettersPage,
  run: (query, edge) => edge({ method: "GET", path: "/dead-letters", query }),
});

const replayDeadLetter = defineTool({
  name: "replay_dead_letter",
  title: "Replay a dead letter",
  description:
    "Processes a dead letter again, under its own id: no effect happens twice. Repair what was wrong first; what fails again " +
    "stays, with one more attempt.",
  operations: ["replayDeadLetter"],
  scopes: ["admin"],
  // It has whatever effect the failed item would have had.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  args: z.strictObject({
    id: z.string().min(1).meta({ description: "Id of the dead letter" }),
    signal: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: "Takes the place of a signal that the log refused" }),
  }),
  answer: Replayed,
  run: ({ id, signal }, edge) =>
    edge({ method: "POST", path: path`/dead-letters/${id}/replay`, body: signal === undefined ? {} : { signal } }),
});

/** Tools for those who keep an ecosystem running. */
export const operationTools = [simulateRule, deadLetters, replayDeadLetter];
