import { describe, expect, test } from "vitest";
import { byNeed, tally } from "../../../dashboard/agents/tally.ts";
import type { AgentSession } from "../../../src/core/agent-sessions/api.ts";

const session = (id: string, verdict: AgentSession["verdict"], since: string) =>
  ({ session: id, verdict, since: `2026-01-31T${since}:00.000Z` }) as AgentSession;

const SESSIONS = [
  session("ended", "ended", "10:00"),
  session("working", "working", "11:00"),
  session("waits", "waiting", "12:00"),
  session("waits-longest", "waiting", "11:30"),
  session("frozen", "frozen", "12:30"),
];

describe("the sessions of agents", () => {
  test("stand by who needs somebody, and of those by who has waited for longest", () => {
    const order = byNeed(SESSIONS).map((one) => one.session);
    expect(order).toEqual(["frozen", "waits-longest", "waits", "working", "ended"]);
  });

  test("are counted by verdict, without those that none has", () => {
    expect(tally(SESSIONS)).toEqual([
      ["frozen", 1],
      ["waiting", 2],
      ["working", 1],
      ["ended", 1],
    ]);
  });
});
