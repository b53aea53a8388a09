import { describe, expect, test } from "vitest";
import { BridgeCounter } from "../../../src/core/federation/bridge-counter.ts";
import { type Forward, fateOf, forwardRun } from "../../../src/core/federation/forward-run.ts";
import { LogState } from "../../../src/core/signals/log/log-state.ts";
import { lineId, readSignalLine } from "../../../src/core/signals/signal-line.ts";
import fc from "../../fast-check.ts";

const T0 = Date.UTC(2026, 0, 1);

/** The log of the other ecosystem. */
class Target {
  #state = new LogState("b", { epoch: "abcdef", nextSeq: 1, receivedMs: 0 });
  lines: string[] = [];

  append(request: Parameters<LogState["append"]>[0][number]) {
    const stored = (producer: string, number: number) =>
      this.lines.find((line) => lineId(line) === `${producer}.${number}`);
    const { segments, results } = this.#state.append([request], T0, stored);
    this.lines.push(...segments.flatMap(({ lines }) => lines));
    const [result] = results;
    if (result === undefined) throw new Error("no answer");
    return result;
  }

  /** How often each signal of the source is there. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of this.lines) {
      const id = readSignalLine(line).via?.id ?? "";
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }
}

/** The rules of the ecosystem that forwards, with all that a copy of their storage holds. */
interface Stored {
  readonly cursor: number;
  readonly waiting: readonly Forward[];
  readonly bridge: ReturnType<BridgeCounter["get"]>;
}

class Source {
  log: string[] = [];
  stored: Stored = { cursor: 0, waiting: [], bridge: undefined };
  #made = 0;

  receive(count: number): void {
    for (let one = 0; one < count; one++) this.log.push(`s${++this.#made}`);
  }

  get #counter(): BridgeCounter {
    return new BridgeCounter("a", this.stored.bridge === undefined ? [] : [["b", this.stored.bridge]]);
  }

  /** Decides on all signals, in one transaction. */
  decide(): void {
    const counter = this.#counter;
    const waiting = this.log.slice(this.stored.cursor).map((id): Forward => {
      const via = { ecosystem: "a", seq: 1, id, signal: "X", source: "s" };
      const rest = { cause: undefined, trace: undefined, depth: 1, hops: 1, via };
      const signal = {
        id: undefined,
        signal: "X",
        source: "ganglion/bridge/a",
        timestampMs: T0,
        factsJson: "{}",
        ...rest,
      };
      return { id: counter.next("b", () => "e0"), signal, author: "t1" };
    });
    this.stored = {
      cursor: this.log.length,
      waiting: [...this.stored.waiting, ...waiting],
      bridge: counter.get("b"),
    };
  }

  /** @param crash - between the answer of the other log and the own storage */
  deliver(target: Target, limit: number, crash: boolean): void {
    if (this.stored.waiting.length === 0) return;
    const run = forwardRun(this.stored.waiting.slice(0, limit));
    const { producer, first, signals } = run;
    const fate = fateOf(run, target.append({ producer: { name: producer, first, remote: true }, signals }));
    if (fate === undefined || crash) return;
    const waiting = this.stored.waiting.slice(fate.held);
    if (!fate.renew) {
      this.stored = { ...this.stored, waiting };
      return;
    }
    const counter = this.#counter;
    counter.renew("b", waiting[0]?.id ?? "");
    const renamed = waiting.map((one) => ({ ...one, id: counter.next("b", () => "never") }));
    this.stored = { ...this.stored, waiting: renamed, bridge: counter.get("b") };
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant("receive" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant("decide" as const) }),
  fc.record({ do: fc.constant("deliver" as const), limit: fc.integer({ min: 1, max: 5 }), crash: fc.boolean() }),
);

function walk(
  source: Source,
  target: Target,
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
) {
  for (const one of steps) {
    if (one.do === "receive") source.receive(one.count);
    if (one.do === "decide") source.decide();
    if (one.do === "deliver") source.deliver(target, one.limit, one.crash);
  }
}

function finish(source: Source, target: Target): void {
  source.decide();
  for (let turn = 0; source.stored.waiting.length > 0; turn++) {
    if (turn > 200) throw new Error("what waits is never delivered");
    source.deliver(target, 100, false);
  }
}

const steps = fc.array(step, { maxLength: 30 });

describe("forwarded signals", () => {
  test("are each in the other log once, whatever crashes between the answer and the own storage", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const [source, target] = [new Source(), new Target()];
        walk(source, target, history);
        finish(source, target);
        expect([...target.counts()]).toEqual(source.log.map((id) => [id, 1]));
      }),
    );
  });

  test("are each there once after the rules were set back to a copy, and decided again", () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const [source, target] = [new Source(), new Target()];
        walk(source, target, before);
        const copy = source.stored;
        walk(source, target, after);
        source.stored = copy;
        finish(source, target);
        expect([...target.counts()]).toEqual(source.log.map((id) => [id, 1]));
      }),
    );
  });

  test("are each there once after the whole ecosystem was set back, and what came since is not lost", () => {
    fc.assert(
      fc.property(steps, steps, steps, (before, lost, after) => {
        const [source, target] = [new Source(), new Target()];
        walk(source, target, before);
        const copy = { log: [...source.log], stored: source.stored };
        walk(source, target, lost);
        source.log = copy.log;
        source.stored = copy.stored;
        walk(source, target, after);
        finish(source, target);
        const counts = target.counts();
        expect(source.log.map((id) => [id, counts.get(id)])).toEqual(source.log.map((id) => [id, 1]));
        expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(1);
      }),
    );
  });
});
