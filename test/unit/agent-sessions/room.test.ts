import { describe, expect, it } from "vitest";
import { readSessionLimits } from "../../../src/core/agent-sessions/limits.ts";
import { toForget } from "../../../src/core/agent-sessions/room.ts";
import { newSession, Session } from "../../../src/core/agent-sessions/session.ts";
import { DEFAULT_LIMITS } from "../../../src/core/agent-sessions/verdict.ts";

const DAY = 86_400_000;
const aSession = (sender: string, seen_ms: number, ended_ms: number | null = null): Session => ({
  ...newSession("s", "a", "src", 0),
  sender,
  seen_ms,
  ended_ms,
});

describe("the room for sessions", () => {
  it("is made by the sender that has the most: first by what has ended, then by what was seen longest ago", () => {
    const sessions = new Map([
      ["small", aSession("x", 1)],
      ["old", aSession("y", 2)],
      ["ended", aSession("y", 5, 5)],
      ["new", aSession("y", 9)],
    ]);
    expect(toForget(sessions, 10, 5)).toEqual([]);
    expect(toForget(sessions, 10, 4)).toEqual(["ended"]);
    sessions.delete("ended");
    expect(toForget(sessions, 10, 3)).toEqual(["old"]);
  });

  it("is made by all that were not seen for a week", () => {
    const sessions = new Map([
      ["a", aSession("x", 0)],
      ["b", aSession("x", 2 * DAY)],
    ]);
    expect(toForget(sessions, 8 * DAY)).toEqual(["a"]);
  });

  it("holds a session as it was stored", () => {
    const session = aSession("x", 1);
    expect(Session.parse(JSON.parse(JSON.stringify(session)))).toEqual(session);
  });
});

describe("the limits of sessions", () => {
  it("are seconds of the deployment; a text that is none leaves the default, and is told", () => {
    const told: string[] = [];
    const limits = readSessionLimits(
      { SESSION_WAITING_SECONDS: "60", SESSION_FROZEN_SECONDS: "soon", SESSION_TOOL_SECONDS: "" },
      (setting) => told.push(setting),
    );
    expect(limits).toEqual({ ...DEFAULT_LIMITS, waitingMs: 60_000 });
    expect(told).toEqual(["SESSION_FROZEN_SECONDS"]);
  });
});
