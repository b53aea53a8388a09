import { describe, expect, it } from "vitest";
import { traceSignals } from "../../../local-agent/commands/trace-signals.ts";

const context = {
  host: "a",
  cursor: 10,
  subscriptions: [
    { sink: "bus", signals: ["Q_*", "!Q_SECRET"], because: "" },
    { sink: "reactions", signals: ["Q_BUILD"], because: "" },
    { sink: "quiet", signals: [], because: "" },
  ],
  cameFromBus: (id: string) => id.startsWith("own"),
  runsOf: (id: string) => (id === "ran" ? [{ reaction: "notify", state: "done" as const, attempts: 1 }] : []),
};
const traced = (id: string, seq: number, signal: string) =>
  traceSignals({ signals: [{ id, seq, signal }] }, context).signals;

describe("what a host did with a signal", () => {
  it("is that it received the signal for what reads signals of this name", () => {
    expect(traced("x", 10, "Q_BUILD")).toEqual([{ id: "x", received_for: ["bus", "reactions"], reactions: [] }]);
    expect(traced("x", 10, "Q_OTHER")).toEqual([{ id: "x", received_for: ["bus"], reactions: [] }]);
  });

  it("is nothing for a name to which nothing subscribes, and for a signal that is still on its way", () => {
    expect(traced("x", 10, "Q_SECRET")).toEqual([]);
    expect(traced("x", 11, "Q_BUILD")).toEqual([]);
    expect(
      traceSignals({ signals: [{ id: "x", seq: 1, signal: "Q_BUILD" }] }, { ...context, cursor: null }).signals,
    ).toEqual([]);
  });

  it("is no receipt on the bus from which the signal came", () => {
    expect(traced("own.1", 3, "Q_BUILD")).toEqual([{ id: "own.1", received_for: ["reactions"], reactions: [] }]);
  });

  it("is each of its reactions, also where the subscription has changed since", () => {
    expect(traced("ran", 3, "Q_SECRET")).toEqual([
      { id: "ran", received_for: [], reactions: [{ reaction: "notify", state: "done", attempts: 1 }] },
    ]);
  });

  it("is refused for a payload that names no signals", () => {
    expect(() => traceSignals({ signals: [] }, context)).toThrow("Give {signals:");
  });
});
