import { describe, expect, it } from "vitest";
import { emissionsOf } from "../../../local-agent/reactions/emission.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const signal: Signal = {
  seq: 7,
  id: "s7.abc",
  signal: "Q_A_WANTED",
  source: "gpu-01",
  ecosystem: "default",
  facts: {},
  timestamp: "2026-01-31T12:00:00.000Z",
  received_at: "2026-01-31T12:00:00.000Z",
};
const emitted = (cause: Signal) => {
  const emissions = emissionsOf([{ signal: "Q_A_DONE", facts: {} }], { cause, source: "reaction/a/gpu-01", nowMs: 0 });
  if (!emissions.ok) throw new Error(emissions.error);
  return emissions.signals[0];
};

describe("a signal that a reaction emits", () => {
  it("names the signal as its cause, one deeper in the chain", () => {
    expect(emitted({ ...signal, cause: "s1.abc", depth: 2 })).toMatchObject({ cause: "s7.abc", depth: 3 });
  });

  it("names the cause of the task where the reaction ran for a task", () => {
    const task = { ...signal, seq: 0, id: "job-1" };
    expect(emitted({ ...task, cause: "s1.abc", depth: 2 })).toMatchObject({ cause: "s1.abc", depth: 2 });
    expect(emitted(task)).toMatchObject({ cause: "job-1", depth: 1 });
  });

  it("writes the / of a task's id as ~1 in its cause and its own id, which signals may not hold", () => {
    const task = { ...signal, seq: 0, id: "user/234" };
    const emissions = emissionsOf([{ signal: "Q_A_DONE", facts: {}, id: "user/234.complete" }], {
      cause: task,
      source: "reaction/a/gpu-01",
      nowMs: 0,
    });
    expect(emissions).toMatchObject({ signals: [{ cause: "user~1234", id: "user~1234.complete" }] });
  });
});
