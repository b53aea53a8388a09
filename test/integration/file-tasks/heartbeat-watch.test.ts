import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { HeartbeatWatch } from "../../../local-agent/file-tasks/heartbeat-watch.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function aWatch({ directory = temporaryDirectory(), state = temporaryDirectory(), host = "a" } = {}) {
  const heartbeats = join(directory, "heartbeats");
  mkdirSync(heartbeats, { recursive: true });
  const db = StateDatabase.open(state);
  closing.push(() => db.close());
  const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
  let nowMs = Date.UTC(2026, 0, 6);
  const watch = new HeartbeatWatch({
    directory: heartbeats,
    host,
    own: () => ["own"],
    staleMs: () => 30_000,
    spool,
    now: () => nowMs,
    log: silent,
  });
  return {
    directory,
    write: (name: string, content: unknown) =>
      writeFileSync(join(heartbeats, name), typeof content === "string" ? content : JSON.stringify(content)),
    async later(ms: number) {
      nowMs += ms;
      await watch.look();
      return (spool.read("local", 1, 1_000, 1e9)?.texts ?? []).map((text) => {
        const { signal, facts } = JSON.parse(text) as { signal: string; facts: Record<string, unknown> };
        return `${signal} ${facts.worker}${facts.beats_on === undefined ? "" : ` on ${facts.beats_on}`}`;
      });
    },
  };
}

/** As the older watcher writes it. */
const classic = (worker: string, timestamp: string, status = "running") => ({
  worker,
  timestamp,
  uptime_seconds: 12.5,
  queue_size: 0,
  active_tasks: 0,
  circuit_breaker_state: "closed",
  stats: { tasks_processed: 1, tasks_failed: 0, tasks_retried: 0, tasks_dlq: 0 },
  status,
});

describe("a worker whose heartbeat file stops", () => {
  it("is reported once after 30 s, and once when it beats again", async () => {
    const { write, later } = aWatch();
    write("claude.json", classic("claude", "2026-01-06T00:00:00Z"));
    expect(await later(0)).toEqual([]);
    expect(await later(30_000)).toEqual([]);
    expect(await later(1)).toEqual(["Q_WORKER_SILENT claude"]);
    expect(await later(60_000)).toEqual(["Q_WORKER_SILENT claude"]);
    write("claude.json", classic("claude", "2026-01-06T00:02:00Z"));
    expect(await later(1_000)).toEqual(["Q_WORKER_SILENT claude", "Q_WORKER_BACK claude"]);
    expect(await later(31_000)).toHaveLength(3);
  });

  it("is reported by itself where several hosts share the directory, and the agent's own are not", async () => {
    const { write, later } = aWatch();
    const beat = (host: string, state = "idle") => ({
      worker: "review",
      host,
      state,
      timestamp: "2026-01-06T00:00:00Z",
    });
    write("review.json", { ...beat("a"), hosts: [beat("a"), beat("b"), beat("c", "stopped")] });
    write("own.json", classic("own", "2026-01-06T00:00:00Z"));
    await later(0);
    expect(await later(31_000)).toEqual(["Q_WORKER_SILENT review on b"]);
  });

  it("is reported by the first of the hosts that live and see it", async () => {
    const directory = temporaryDirectory();
    const hosts = ["a", "b"].map((host) => aWatch({ directory, host }));
    const beat = (host: string, minute: number) => ({
      worker: "review",
      host,
      timestamp: `2026-01-06T00:0${minute}:00Z`,
    });
    const [first, second] = hosts;
    first?.write("review.json", { ...beat("a", 0), hosts: [beat("a", 0), beat("b", 0), beat("c", 0)] });
    for (const one of hosts) await one.later(0);
    first?.write("review.json", { ...beat("a", 1), hosts: [beat("a", 1), beat("b", 1), beat("c", 0)] });
    expect(await first?.later(31_000)).toEqual(["Q_WORKER_SILENT review on c"]);
    expect(await second?.later(31_000)).toEqual([]);
    first?.write("review.json", { ...beat("a", 2), hosts: [beat("a", 2), beat("b", 2), beat("c", 0)] });
    expect(await second?.later(20_000)).toEqual([]);
    // The first host is gone, too: the next one says that, and not what was said.
    first?.write("review.json", { ...beat("b", 3), hosts: [beat("a", 2), beat("b", 3), beat("c", 0)] });
    expect(await second?.later(60_000)).toEqual(["Q_WORKER_SILENT review on a"]);
  });

  it("is not reported when it said that it was stopped, or when the file is no heartbeat", async () => {
    const { write, later } = aWatch();
    write("claude.json", classic("claude", "2026-01-06T00:00:00Z", "stopped"));
    write("half.json", '{"worker": ');
    write("notes.json", { any: "thing" });
    await later(0);
    expect(await later(31_000)).toEqual([]);
  });

  it("is reported once across a restart of the agent", async () => {
    const place = { directory: temporaryDirectory(), state: temporaryDirectory() };
    const first = aWatch(place);
    first.write("claude.json", classic("claude", "2026-01-06T00:00:00Z"));
    await first.later(0);
    expect(await first.later(31_000)).toHaveLength(1);
    for (const close of closing.splice(0)) close();
    const second = aWatch(place);
    await second.later(60_000);
    expect(await second.later(31_000)).toHaveLength(1);
  });
});
