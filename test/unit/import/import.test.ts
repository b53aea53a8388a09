import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { importDeadLetters } from "../../../local-agent/commands/import-dead-letters.ts";
import { AgentsSettings } from "../../../local-agent/supervisor/settings.ts";
import { readOlderLetter } from "../../../src/core/dead-letters/older-letter.ts";
import { admitSignal } from "../../../src/core/signals/admit.ts";
import { ganglion } from "../cli/ganglion.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

/** As older daemons write them. */
const SIGNAL =
  '{"signal": {"signal": "Q_DREAM_TRIGGER", "ecosystem": "kloros", "intensity": 1.0, "facts": {"reason": "x", "topic": null, "promotion_count": 1}, "incident_id": null, "trace": null, "ts": 1769860800.5, "schema_version": 1}, "error": "timed out", "timestamp": 1769860801.0, "daemon": "dream_runner"}';
const INTENT =
  '{"intent_file": "/srv/intents/discover_vision.json", "error": "KeyError: data", "timestamp": "2026-01-31T12:00:00.123456", "daemon": "intent_router"}';
const NAME = '{"signal": "Q_HEALTH_ALERT", "error": "no handler", "timestamp": 1769860801.0, "daemon": "orchestrator"}';

const TEAM = `
team:
  agents:
    triager: { enabled: true, auto_approve: false, sleep_interval: 5, github_poll_interval: 300 }
    reviewer: { enabled: false, review_schedule: "0 9 * * 1" }
    "no/name": { enabled: true }
message_queue: { backend: sqlite, max_slowest_tasks: 10, max_completed_tasks: 10000 }
health_check: { interval: 30, timeout: 5 }
resource_limits: { max_memory_mb: 500, max_cpu_percent: 80 }
observability: { langfuse: { enabled: true, export_interval: 60 } }
bottleneck_alerts: { slow_task_seconds: 60, p95_ms: 30000, failed_tasks: 5, queue_depth: 100, colour: red }
`;

const fileWith = (name: string, text: string) => {
  const file = join(temporaryDirectory(), name);
  writeFileSync(file, text);
  return file;
};

describe("a dead letter of an older daemon", () => {
  it("keeps its signal in a form that can be replayed", () => {
    const letter = readOlderLetter(JSON.parse(SIGNAL));
    expect(letter).toMatchObject({
      kind: "signal",
      daemon: "dream_runner",
      error: expect.stringContaining("timed out"),
    });
    expect(letter.signal).toEqual({
      signal: "Q_DREAM_TRIGGER",
      source: "dream_runner",
      facts: { reason: "x", topic: null, promotion_count: 1 },
      timestamp: 1769860800.5,
    });
    expect(admitSignal(letter.signal).ok).toBe(true);
    expect(admitSignal(readOlderLetter(JSON.parse(NAME)).signal).ok).toBe(true);
  });

  it("names the intent file that failed, with the time and the daemon", () => {
    expect(readOlderLetter(JSON.parse(INTENT))).toEqual({
      kind: "intent",
      intent: { file: "/srv/intents/discover_vision.json" },
      error: "KeyError: data (imported; failed at 2026-01-31T12:00:00.123456)",
      daemon: "intent_router",
    });
  });

  it.each([["7"], ["[]"], ['{"error": "x"}'], ['{"signal": null, "error": "x"}']])("is not %s", (line) => {
    expect(() => readOlderLetter(JSON.parse(line))).toThrow(TypeError);
  });

  it("is imported once, however often its line is", async () => {
    const put: { id: string; kind: string }[] = [];
    const outbox = { put: async (letter: { id: string; kind: string }) => void put.push(letter) };
    const letters = [JSON.parse(SIGNAL), { what: 1 }, JSON.parse(INTENT)];
    const outcome = await importDeadLetters({ letters }, outbox, "h");
    expect(outcome).toEqual({ imported: 2, refused: [{ line: 1, reason: expect.stringContaining("neither") }] });
    await importDeadLetters({ letters: [letters[0]] }, outbox, "h");
    expect(put.map(({ id }) => id)).toEqual([put[0]?.id, put[1]?.id, put[0]?.id]);
    expect(put[0]?.id).toMatch(/^h\.imported\.[0-9a-f]{24}$/);
    await expect(importDeadLetters({ letters: [] }, outbox, "h")).rejects.toThrow("Give {letters");
  });
});

describe("ganglion import", () => {
  it("shows in a dry run what would be imported, and names each line that is no dead letter", async () => {
    const file = fileWith("failed_signals.jsonl", `${SIGNAL}\n\nnot json\n${INTENT}\n{"error": "x"}\n`);
    const { code, out, err } = await ganglion(["import", "dead-letters", file, "--dry-run", "--json"]);
    expect(JSON.parse(out)).toEqual({ would_import: 2, refused: 2 });
    expect(err).toContain(`${file}:3: `);
    expect(err).toContain(`${file}:5: the line names neither a signal nor an intent_file`);
    expect(code).toBe(1);
  });

  it("turns the configuration of a team into settings that the agent takes, and says what has no equivalent", async () => {
    const file = fileWith("team_daemon.yaml", TEAM);
    const { code, out, err } = await ganglion(["import", "team-config", file, "--command", "python3 -m team.{name}"]);
    expect(code).toBe(0);
    const { agents } = parse(out) as { agents: unknown };
    const read = AgentsSettings.parse(agents);
    expect(read.triager).toMatchObject({
      command: ["python3", "-m", "team.triager"],
      autostart: true,
      memory_mb: 500,
      cpu_percent: 80,
      heartbeat_seconds: 35,
      environment: { AUTO_APPROVE: "false", SLEEP_INTERVAL: "5", GITHUB_POLL_INTERVAL: "300" },
    });
    expect(read.reviewer).toMatchObject({ autostart: false, schedules: [{ cron: "0 9 * * 1" }] });
    expect(Object.keys(read)).toEqual(["triager", "reviewer"]);
    for (const line of [
      "team.agents.no/name: not imported",
      "message_queue.backend: has no equivalent: every queue is durable",
      "message_queue.max_completed_tasks: has no equivalent",
      "observability.langfuse: is set at the edge: ganglion export set --langfuse",
      "bottleneck_alerts.colour: has no equivalent",
      '{"alert_task_ms":60000,"alert_p95_ms":30000,"alert_failed":5,"alert_depth":100}',
    ])
      expect(err).toContain(line);
  });

  it("writes the settings into a new file, and over none that is there", async () => {
    const file = fileWith("team_daemon.yaml", TEAM);
    const output = join(temporaryDirectory(), "agent.yaml");
    expect((await ganglion(["import", "team-config", file, "--output", output, "--dry-run"])).code).toBe(0);
    expect(existsSync(output)).toBe(false);
    expect((await ganglion(["import", "team-config", file, "--output", output])).out).toMatch(/written +\S+agent.yaml/);
    expect(parse(readFileSync(output, "utf8"))).toMatchObject({ agents: { triager: {} } });
    const again = await ganglion(["import", "team-config", file, "--output", output]);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("is there already")]);
    const wrong = await ganglion(["import", "team-config", fileWith("x.yaml", "team: 7")]);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("no configuration of a team daemon")]);
  });
});
