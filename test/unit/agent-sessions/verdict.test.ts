import { describe, expect, it } from "vitest";
import { nextNoticeMs, noticesOf, takeNotice } from "../../../src/core/agent-sessions/notices.ts";
import type { Session } from "../../../src/core/agent-sessions/session.ts";
import { DEFAULT_LIMITS, judgeSession, sessionInWords } from "../../../src/core/agent-sessions/verdict.ts";
import { exported, Followed, fixture, hooked, hooks, MINUTE, SECOND, START_MS } from "./telling.ts";

const judge = (session: Session, nowMs: number) => judgeSession(session, DEFAULT_LIMITS, nowMs);
const words = (session: Session, nowMs: number) => sessionInWords(judge(session, nowMs), nowMs);
const notices = (session: Session, nowMs: number) =>
  noticesOf(session, DEFAULT_LIMITS, nowMs).map(({ signal }) => signal);

/** The session of the hooks, as it stands after so many seconds. */
async function toldFor(seconds: number): Promise<Session> {
  const followed = new Followed();
  for (const { after_seconds, input } of hooks())
    if (after_seconds <= seconds) followed.take(await hooked(input, START_MS + after_seconds * SECOND));
  return followed.only;
}
const at = (seconds: number) => START_MS + seconds * SECOND;

const PROMPT = { session_id: "s", hook_event_name: "UserPromptSubmit", prompt: "go" };
const tool = (event: string, call: string, name = "Bash", more = {}) => ({
  session_id: "s",
  hook_event_name: event,
  tool_name: name,
  tool_use_id: call,
  tool_input: {},
  ...more,
});

describe("the verdict on a session with hooks", () => {
  it.each([
    [0, 3, "idle", "idle for 3 s"],
    [5, 8, "working", "working for 3 s"],
    [9, 9 + 12 * 60, "working", "in a tool call (Bash) for 12 min"],
    [9, 9 + 25 * 60 - 1, "working", "in a tool call (Bash) for 25 min"],
    [1509, 1511, "working", "working for 2 s"],
    [1514, 1514 + 3 * 60, "waiting", "waits for a person for 3 min (Bash)"],
    [1520, 1514 + 4 * 60, "waiting", "waits for a person for 4 min (Bash)"],
    [2014, 2016, "working", "working for 2 s"],
    [2030, 2090, "idle", "idle for 60 s"],
    [2400, 2400 + 7200, "ended", "ended for 2 h"],
  ])("after %i s, looked at after %i s: %s", async (told, looked, verdict, text) => {
    const session = await toldFor(told);
    expect(judge(session, at(looked)).verdict).toBe(verdict);
    expect(words(session, at(looked))).toBe(text);
  });

  it("tells within two minutes that a session is frozen, and says since when", async () => {
    const session = await toldFor(5);
    expect(judge(session, at(5) + 109 * SECOND).verdict).toBe("working");
    const frozen = judge(session, at(5) + 115 * SECOND);
    expect(frozen).toMatchObject({ verdict: "frozen", sinceMs: at(5) });
    expect(nextNoticeMs(session, DEFAULT_LIMITS)).toBeLessThan(at(5) + 2 * MINUTE);
  });

  it("tells of a frozen session once, and once that it goes on", async () => {
    const followed = new Followed().take(await hooked(PROMPT, at(0)));
    const session = followed.only;
    expect(notices(session, at(60))).toEqual([]);
    expect(notices(session, at(111))).toEqual(["Q_SESSION_FROZEN"]);
    expect(notices(session, at(112))).toEqual([]);
    expect(notices(session, at(3_000))).toEqual([]);
    followed.take(await hooked(tool("PreToolUse", "t1"), at(3_001)));
    expect(notices(session, at(3_001))).toEqual(["Q_SESSION_RESUMED"]);
    expect(notices(session, at(3_002))).toEqual([]);
  });

  it("is told of after five minutes of waiting for a person, and once that somebody answered", async () => {
    const followed = new Followed().take(await hooked(PROMPT, at(0)));
    followed.take(await hooked(tool("PreToolUse", "t1"), at(1)));
    followed.take(await hooked(tool("PermissionRequest", "", "Bash", { tool_use_id: undefined }), at(2)));
    const session = followed.only;
    expect(nextNoticeMs(session, DEFAULT_LIMITS)).toBeLessThanOrEqual(at(2) + 5 * MINUTE);
    expect(notices(session, at(301))).toEqual([]);
    expect(notices(session, at(302))).toEqual(["Q_SESSION_WAITING"]);
    expect(notices(session, at(9_000))).toEqual([]);
    followed.take(await hooked(tool("PostToolUse", "t1"), at(9_001)));
    expect(notices(session, at(9_001))).toEqual(["Q_SESSION_RESUMED"]);
    expect(judge(session, at(9_002)).verdict).toBe("working");
  });

  it("is not told of again where its state is derived anew, and the log holds what was told", async () => {
    const followed = new Followed().take(await hooked(PROMPT, at(0)));
    const told = noticesOf(followed.only, DEFAULT_LIMITS, at(120));
    const anew = new Followed().take(await hooked(PROMPT, at(0)));
    for (const { signal, facts } of told) takeNotice(anew.only, signal, facts);
    expect(notices(anew.only, at(130))).toEqual([]);
    anew.take(await hooked(tool("PreToolUse", "t1"), at(140)));
    // What was told of an earlier state comes late, and says nothing of this one.
    const [resumed] = noticesOf(anew.only, DEFAULT_LIMITS, at(140));
    expect(resumed).toMatchObject({ signal: "Q_SESSION_RESUMED", facts: { was: "frozen", seconds: 140 } });
    for (const { signal, facts } of told) takeNotice(anew.only, signal, facts);
    expect(anew.only.notice).toBeNull();
  });

  it("waits for a person while it asks a question of its own", async () => {
    const followed = new Followed().take(await hooked(tool("PreToolUse", "t1", "AskUserQuestion"), at(0)));
    expect(words(followed.only, at(180))).toBe("waits for a person for 3 min (AskUserQuestion)");
    followed.take(await hooked(tool("PostToolUse", "t1", "AskUserQuestion"), at(181)));
    expect(judge(followed.only, at(182)).verdict).toBe("working");
  });

  it("stays in the longest of several calls, and comes out of it when all have ended", async () => {
    const followed = new Followed();
    for (const [seconds, event, call] of [
      [0, "PreToolUse", "a"],
      [10, "PreToolUse", "b"],
      [20, "PostToolUse", "a"],
    ] as const)
      followed.take(await hooked(tool(event, call), at(seconds)));
    expect(words(followed.only, at(10 + 20 * 60))).toBe("in a tool call (Bash) for 20 min");
    followed.take(await hooked(tool("PostToolUseFailure", "b"), at(2_000)));
    expect(words(followed.only, at(2_005))).toBe("working for 5 s");
  });

  it("counts as frozen in a call of a tool after four hours of silence", async () => {
    const followed = new Followed().take(await hooked(tool("PreToolUse", "a"), at(0)));
    expect(judge(followed.only, at(4 * 3_600 - 1)).verdict).toBe("working");
    expect(judge(followed.only, at(4 * 3_600)).verdict).toBe("frozen");
  });

  it("is not frozen when somebody stopped it, of which no hook tells", async () => {
    const followed = new Followed().take(await hooked(PROMPT, at(0)));
    const idle = { session_id: "s", hook_event_name: "Notification", notification_type: "idle_prompt", message: "?" };
    followed.take(await hooked(idle, at(60)));
    expect(judge(followed.only, at(600)).verdict).toBe("idle");
  });

  it("does not come back by what was on its way when it ended", async () => {
    const followed = new Followed().take(await hooked(PROMPT, START_MS - 60 * SECOND));
    followed.take(await hooked({ session_id: "s", hook_event_name: "SessionEnd", reason: "exit" }, at(0)));
    followed.take(await hooked({ session_id: "s", hook_event_name: "SubagentStop" }, at(1)));
    expect(judge(followed.only, at(2)).verdict).toBe("ended");
    followed.take(await hooked({ session_id: "s", hook_event_name: "SessionStart", source: "resume" }, at(60)));
    expect(judge(followed.only, at(61)).verdict).toBe("idle");
  });
});

describe("the verdict on a session with events alone", () => {
  const until = async (ms: number) => {
    const document = fixture("claude-code-logs.json") as {
      resourceLogs: { scopeLogs: { logRecords: { timeUnixNano: string }[] }[] }[];
    };
    const scope = document.resourceLogs[0]?.scopeLogs[0];
    if (scope === undefined) throw new Error("the fixture holds no records");
    scope.logRecords = scope.logRecords.filter(({ timeUnixNano }) => Number(timeUnixNano) / 1e6 <= START_MS + ms);
    return new Followed().take(await exported("logs", document, START_MS + ms)).only;
  };

  it.each([
    [0, 60 * SECOND, "working"],
    [0, 115 * SECOND, "frozen"],
    [3_000, 600 * SECOND, "idle"],
    [3_100, 25 * MINUTE, "working"],
    [5_600, 60 * SECOND, "working"],
    [5_600, 130 * SECOND, "frozen"],
    [12_000, 600 * SECOND, "idle"],
  ])("with the events of the first %i ms, after %i ms: %s", async (told, looked, verdict) => {
    expect(judge(await until(told), START_MS + looked).verdict).toBe(verdict);
  });

  it("is not changed by an older part that comes again, or late", async () => {
    const followed = new Followed();
    const all = await exported("logs", fixture("claude-code-logs.json"), START_MS + 13_000);
    followed.take([...all].reverse());
    expect(judge(followed.only, START_MS + 20 * MINUTE).verdict).toBe("idle");
    expect(followed.only.calls).toEqual([]);
  });

  it.each([-3_600_000, -30_000, 45_000, 7_200_000])(
    "is the same where the sender's clock is off by %i ms",
    async (offMs) => {
      const shifted = JSON.parse(
        JSON.stringify(fixture("claude-code-logs.json")).replace(/"(\d{19})"/g, (_, nanos: string) =>
          JSON.stringify(String(BigInt(nanos) + BigInt(offMs) * 1_000_000n)),
        ),
      ) as { resourceLogs: { scopeLogs: { logRecords: unknown[] }[] }[] };
      const scope = shifted.resourceLogs[0]?.scopeLogs[0];
      if (scope !== undefined) scope.logRecords = scope.logRecords.slice(0, 3);
      const session = new Followed().take(await exported("logs", shifted, START_MS + 3_200)).only;
      expect(judge(session, START_MS + 25 * MINUTE)).toMatchObject({ verdict: "working", tool: "Bash" });
      const { sinceMs } = judge(session, START_MS + 25 * MINUTE);
      expect(Math.abs(sinceMs - START_MS - 3_100)).toBeLessThanOrEqual(Math.abs(offMs) <= 30_000 ? 30_000 : 200);
    },
  );

  it("is not frozen while its model writes a long answer, of which each part is an event", async () => {
    const document = fixture("codex-logs.json") as { resourceLogs: { scopeLogs: { logRecords: unknown[] }[] }[] };
    const scope = document.resourceLogs[0]?.scopeLogs[0];
    const [, prompt, , part] = scope?.logRecords ?? [];
    const followed = new Followed();
    for (let seconds = 0; seconds <= 400; seconds += 5) {
      const nanos = String((START_MS + seconds * SECOND) * 1e6);
      const parts = [1, 2, 3].map((place) => ({
        ...(part as object),
        observedTimeUnixNano: `${nanos.slice(0, -1)}${place}`,
      }));
      if (scope) scope.logRecords = seconds === 0 ? [prompt] : parts;
      const told = await exported("logs", document, at(seconds));
      expect(told).toHaveLength(1);
      followed.take(told);
    }
    expect(judge(followed.only, at(500))).toMatchObject({ verdict: "working" });
    expect(judge(followed.only, at(511)).verdict).toBe("frozen");
  });
});
