import type { Author } from "../../core/access/author.ts";
import { STATE_IMPORTED } from "../../core/policy/decision-record.ts";
import { endedMarks } from "../../core/policy/ended-marks.ts";
import type { HeldBack } from "../../core/policy/hold-back.ts";
import type { Rule } from "../../core/policy/rule.ts";
import {
  type HeldMark,
  planStateImport,
  recordOfMarks,
  type StateImport,
  type StateImportAnswer,
} from "../../core/policy/state-import.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { readSignalLine } from "../../core/signals/signal-line.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { Decisions } from "../shell/decisions.ts";
import type { Projection } from "../shell/projection.ts";
import type { DecisionStore } from "./decision-store.ts";
import { SOURCE } from "./effects.ts";
import type { ContextPorts } from "./question-context.ts";
import type { ReplayOverrides } from "./replay-overrides.ts";
import type { PolicyLog, RuleProjection } from "./rule-projection.ts";
import type { RuleVersions } from "./rule-versions.ts";
import type { StateStore } from "./state-store.ts";

/** Signals that are looked at for the end of imported work. */
const MAX_ENDS = 1_000;

export interface StateImportsOptions {
  readonly projection: Projection;
  readonly log: () => Pick<PolicyLog, "reached"> & Pick<ContextPorts, "read">;
  readonly rules: RuleVersions;
  readonly state: StateStore;
  readonly overrides: ReplayOverrides;
  readonly decisions: DecisionStore;
  readonly work: RuleProjection;
}

/** Takes over what an older system has begun and fired for, so that the rules do not begin it again. */
export class StateImports {
  readonly #options: StateImportsOptions;

  constructor(options: StateImportsOptions) {
    this.#options = options;
  }

  /**
   * First every signal that the log has received is decided on: the end of work in flight that lies there unread must not
   * come after its mark. Call it in the projection's turn.
   */
  async take(id: string, request: StateImport, by: Author): Promise<StateImportAnswer> {
    const { log, rules, work, projection } = this.#options;
    const reached = await log().reached();
    await work.takeInUpTo(reached);
    const rule = rules.current.get(id);
    if (rule === undefined) return null;
    const plan = planStateImport(rule, request, reached.now_ms);
    if ("errors" in plan) return { ok: false, errors: plan.errors };
    const ended = endedMarks(rule, plan.marks, await this.#ends(rule, plan.marks));
    const open = plan.marks.filter((mark) => !ended.has(mark));
    let held: HeldBack = { kept: [], unchanged: [], refused: [], mutations: [] };
    projection.decide((decisions) => {
      held = this.#write(rule, open, by, decisions);
    });
    const kept = pointersOf(held.kept);
    const isNew = (pointer: string) => !kept.includes(pointer);
    const full = pointersOf(held.refused).filter(isNew);
    return {
      ok: true,
      policy: id,
      in_flight: kept.filter((pointer) => pointer.startsWith("/in_flight/")).length,
      fired: kept.filter((pointer) => pointer.startsWith("/fired/")).length,
      unchanged: pointersOf(held.unchanged).filter((pointer) => isNew(pointer) && !full.includes(pointer)),
      ignored: [
        ...plan.ignored,
        ...[...ended].map(([{ pointer }, { signal, id: end, timestamp }]) => ({
          pointer,
          message: `ended at ${timestamp}, by ${signal} ${end}`,
        })),
        ...full.map((pointer) => ({ pointer, message: FULL })),
      ],
      held_until: held.kept.length === 0 ? null : formatTimestamp(Math.max(...held.kept.map((mark) => mark.untilMs))),
    };
  }

  /** The newest signals in the log that may have ended what the marks say. */
  async #ends({ while_in_flight }: Rule, marks: readonly HeldMark[]): Promise<Signal[]> {
    const inFlight = marks.filter(({ kind }) => kind === "in_flight");
    if (while_in_flight === undefined || inFlight.length === 0) return [];
    const sinceMs = Math.min(...inFlight.map((mark) => mark.sinceMs));
    const query = { signals: while_in_flight.until, sinceMs, limit: MAX_ENDS, order: "desc" } as const;
    const { lines } = await this.#options.log().read(query);
    return lines.map((line) => readSignalLine(line));
  }

  #write(
    { id, version }: { readonly id: string; readonly version: number },
    marks: readonly HeldMark[],
    by: Author,
    decisions: Decisions,
  ): HeldBack {
    const { state, overrides, projection, work, decisions: record } = this.#options;
    const held = work.engine.holdBack(id, marks, by.name);
    state.write(held.mutations);
    const atMs = Date.now();
    const seq = projection.cursor;
    // The log does not record the marks themselves: a rebuild takes them from here.
    overrides.add({ seq, atMs }, held.mutations);
    if (held.kept.length === 0) return held;
    const inFlight = held.kept.filter(({ kind }) => kind === "in_flight").length;
    const facts = { policy: id, in_flight: inFlight, fired: held.kept.length - inFlight, by: by.name, by_id: by.id };
    const signal = decisions.emit({ signal: STATE_IMPORTED, source: SOURCE, facts, timestampMs: atMs });
    record.addImport({ rule: id, version, by: by.name, marks: recordOfMarks(held.kept), signal, atMs }, seq);
    return held;
  }
}

const FULL =
  "the rule keeps as much as it may: import it when some of that has ended, or discard what the rule need not know";

/** A mark of a request may be two for the rule: its cooldown and its value. */
const pointersOf = (marks: readonly HeldMark[]): string[] => [...new Set(marks.map(({ pointer }) => pointer))];
