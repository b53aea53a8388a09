import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadSettings } from "../../../local-agent/config/settings.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const BASE = { GANGLION_TOKEN: "t", GANGLION_HOST_ID: "h", GANGLION_WORKERS_LAYOUT: "classic" };
const tasks = (...workers: string[]) => {
  const directory = temporaryDirectory();
  for (const worker of workers) mkdirSync(join(directory, worker));
  writeFileSync(join(directory, "README"), "");
  return directory;
};
const loaded = (env: Record<string, string>, config = "none") => loadSettings({ ...BASE, ...env }, "/srv", config);

describe("the variables of the older watcher", () => {
  it("make a worker of each directory of tasks, with the watcher's defaults", () => {
    const TASK_DIR = tasks("claude", "review", ".claimed");
    const { settings, problems } = loaded({ TASK_DIR, CLAUDE_COMMAND: "claude --print" });
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(settings?.workers).toMatchObject({
      layout: "classic",
      directories: { tasks: TASK_DIR },
      heartbeat_seconds: 10,
    });
    expect(settings?.workers?.run.map(({ name }) => name).sort()).toEqual(["claude", "review"]);
    expect(settings?.workers?.run[0]).toMatchObject({
      command: ["claude", "--print"],
      concurrency: 3,
      timeout_seconds: 600,
      attempts: 4,
      retry_seconds: 1,
      retry_factor: 2,
      breaker_failures: 5,
      breaker_seconds: 60,
    });
    expect(settings?.observability).toEqual({ port: 9090 });
  });

  it("set what they set there", () => {
    const { settings } = loaded({
      TASK_DIR: tasks("claude"),
      TRIGGER_DIR: "triggers",
      RESULT_DIR: "/r",
      HEARTBEAT_DIR: "/h",
      DLQ_DIR: "/d",
      MAX_CONCURRENT_TASKS: "10",
      TASK_TIMEOUT: "30",
      HEARTBEAT_INTERVAL: "30",
      MAX_RETRIES: "0",
      RETRY_BACKOFF: "1.5",
      INITIAL_RETRY_DELAY: "2.5",
      CIRCUIT_BREAKER_THRESHOLD: "2",
      CIRCUIT_BREAKER_TIMEOUT: "5",
      LOG_LEVEL: "WARNING",
      LOG_FORMAT: "json",
      METRICS_PORT: "9191",
      CLAUDE_COMMAND: 'echo "$(cat)"',
    });
    expect(settings?.workers).toMatchObject({
      directories: { triggers: "/srv/triggers", results: "/r", heartbeats: "/h", dlq: "/d" },
      heartbeat_seconds: 30,
      stale_seconds: 90,
      run: [
        {
          command: ["/bin/sh", "-c", 'echo "$(cat)"'],
          concurrency: 10,
          timeout_seconds: 30,
          attempts: 1,
          retry_factor: 1.5,
          retry_seconds: 2.5,
          breaker_failures: 2,
          breaker_seconds: 5,
        },
      ],
    });
    expect(settings).toMatchObject({ log: "json", logLevel: "warn", observability: { port: 9191 } });
  });

  it("override the file, whose workers keep what no variable sets", () => {
    const config = join(temporaryDirectory(), "agent.yaml");
    writeFileSync(
      config,
      "workers:\n  layout: classic\n  run:\n    - { name: review, command: [a], concurrency: 2, attempts: 9 }\n",
    );
    const { settings } = loaded(
      { MAX_RETRIES: "1", GANGLION_WORKERS_LAYOUT: "", GANGLION_OBSERVABILITY_PORT: "off" },
      config,
    );
    expect(settings?.workers?.run).toMatchObject([{ name: "review", command: ["a"], concurrency: 2, attempts: 2 }]);
    expect(settings?.observability).toEqual({ port: null });
  });

  it.each([
    ["MAX_CONCURRENT_TASKS", "11", "give a whole number between 1 and 10"],
    ["TASK_TIMEOUT", "5", "give a number between 10 and 3600"],
    ["MAX_RETRIES", "many", "give a whole number between 0 and 19"],
    ["LOG_LEVEL", "LOUD", "give DEBUG, INFO, WARNING, ERROR or CRITICAL"],
    ["METRICS_PORT", "0", "give a port between 1 and 65535"],
    ["TASK_DIR", "/nowhere", "the directory cannot be read (ENOENT): /nowhere"],
  ])("are refused by name: %s=%s", (variable, value, message) => {
    const { settings, problems } = loaded({ TASK_DIR: tasks("a"), CLAUDE_COMMAND: "c", [variable]: value });
    expect(settings).toBeUndefined();
    expect(problems).toContainEqual({ severity: "error", where: variable, message });
  });

  it("are not read by an agent that does not take the watcher's place", () => {
    const { settings } = loaded({
      GANGLION_WORKERS_LAYOUT: "",
      TASK_TIMEOUT: "5",
      LOG_LEVEL: "LOUD",
      METRICS_PORT: "x",
    });
    expect(settings).toMatchObject({ logLevel: "info", workers: undefined, observability: undefined });
  });
});
