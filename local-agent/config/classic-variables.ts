import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment } from "../base/locations.ts";
import type { Problem } from "./problems.ts";

/** Limits of the older watcher's variables. */
interface NumberVariable {
  readonly variable: string;
  readonly from: number;
  readonly to: number;
  readonly whole?: true;
  /** Where the older watcher has another default than this agent. */
  readonly otherwise?: number;
  /** Sets a field of each worker, or of the section. */
  readonly set: (value: number) => { readonly worker: object } | { readonly section: object };
}

const NUMBERS: readonly NumberVariable[] = [
  {
    variable: "MAX_CONCURRENT_TASKS",
    from: 1,
    to: 10,
    whole: true,
    otherwise: 3,
    set: (concurrency) => ({ worker: { concurrency } }),
  },
  { variable: "TASK_TIMEOUT", from: 10, to: 3_600, set: (timeout_seconds) => ({ worker: { timeout_seconds } }) },
  {
    variable: "MAX_RETRIES",
    from: 0,
    to: 19,
    whole: true,
    otherwise: 3,
    // Retries come after the first attempt.
    set: (retries) => ({ worker: { attempts: retries + 1 } }),
  },
  { variable: "RETRY_BACKOFF", from: 1, to: 10, set: (retry_factor) => ({ worker: { retry_factor } }) },
  { variable: "INITIAL_RETRY_DELAY", from: 0.001, to: 3_600, set: (retry_seconds) => ({ worker: { retry_seconds } }) },
  {
    variable: "CIRCUIT_BREAKER_THRESHOLD",
    from: 1,
    to: 1_000_000,
    whole: true,
    set: (breaker_failures) => ({ worker: { breaker_failures } }),
  },
  {
    variable: "CIRCUIT_BREAKER_TIMEOUT",
    from: 0.001,
    to: 86_400,
    set: (breaker_seconds) => ({ worker: { breaker_seconds } }),
  },
  {
    variable: "HEARTBEAT_INTERVAL",
    from: 0.1,
    to: 3_600,
    set: (heartbeat_seconds) => ({
      section: { heartbeat_seconds, stale_seconds: Math.max(60, 3 * heartbeat_seconds) },
    }),
  },
];

const DIRECTORIES = {
  TASK_DIR: "tasks",
  TRIGGER_DIR: "triggers",
  RESULT_DIR: "results",
  HEARTBEAT_DIR: "heartbeats",
  DLQ_DIR: "dlq",
} as const;

const LEVELS: ReadonlyMap<string, string> = new Map([
  ["debug", "debug"],
  ["info", "info"],
  ["warning", "warn"],
  ["warn", "warn"],
  ["error", "error"],
  ["critical", "error"],
]);
const LAYOUT = "GANGLION_WORKERS_LAYOUT";
const DEFAULT_PORT = 9_090;

type Section = Record<string, unknown>;

/**
 * With `layout: classic`, the variables of the older watcher of file tasks set what they set there. Their names are too common
 * to be read by an agent that does not take its place.
 *
 * @returns the document with their values in it, which override those of the file
 */
export function applyClassicVariables(
  document: unknown,
  env: Environment,
  cwd: string,
): { readonly document: unknown; readonly problems: readonly Problem[] } {
  const root = sectionOf(document);
  const before = sectionOf(root?.workers);
  if (root === undefined || before === undefined) return { document, problems: [] };
  if ((env[LAYOUT] || before.layout) !== "classic") return { document, problems: [] };
  const problems: Problem[] = [];
  const wrong = (where: string, message: string) => void problems.push({ severity: "error", where, message });
  const workers: Section = { ...before, layout: "classic" };
  const directories: Section = { ...sectionOf(before.directories) };
  for (const [variable, name] of Object.entries(DIRECTORIES)) {
    const path = env[variable];
    if (path) directories[name] = resolve(cwd, path);
  }
  workers.directories = directories;
  let defaults: Section = {};
  let overrides: Section = {};
  for (const { variable, from, to, whole, otherwise, set } of NUMBERS) {
    const text = env[variable]?.trim();
    const value = text === undefined || text === "" ? otherwise : Number(text);
    if (value === undefined) continue;
    if (!(value >= from && value <= to) || (whole && !Number.isInteger(value))) {
      wrong(variable, `give ${whole ? "a whole number" : "a number"} between ${from} and ${to}`);
      continue;
    }
    const change = set(value);
    if ("section" in change) Object.assign(workers, change.section);
    else if (text) overrides = { ...overrides, ...change.worker };
    else defaults = { ...defaults, ...change.worker };
  }
  const command = env.CLAUDE_COMMAND?.trim();
  if (command) overrides.command = commandOf(command);
  workers.run = runOf(before.run, directories.tasks, command, wrong).map((worker) =>
    sectionOf(worker) === undefined ? worker : { ...defaults, ...sectionOf(worker), ...overrides },
  );
  return { document: { ...root, workers, ...logOf(root, env, wrong), ...portOf(root, env, wrong) }, problems };
}

/** The configured workers; where there are none, one for each directory of tasks. */
function runOf(
  run: unknown,
  tasks: unknown,
  command: string | undefined,
  wrong: (where: string, message: string) => void,
): unknown[] {
  if (Array.isArray(run) && run.length > 0) return run;
  if (typeof tasks !== "string") return [];
  if (!command) {
    wrong("CLAUDE_COMMAND", "give the command that does tasks, or name workers in workers.run");
    return [];
  }
  try {
    const entries = readdirSync(tasks, { withFileTypes: true });
    return entries.flatMap((entry) =>
      entry.isDirectory() && !entry.name.startsWith(".") ? [{ name: entry.name }] : [],
    );
  } catch (error) {
    wrong("TASK_DIR", `the directory cannot be read (${(error as NodeJS.ErrnoException).code}): ${tasks}`);
    return [];
  }
}

/** A program and its arguments. What a shell would have to take apart is given to one. */
function commandOf(text: string): string[] {
  return /["'\\$`|&;<>()*?~]/.test(text) ? ["/bin/sh", "-c", text] : text.split(/\s+/);
}

function logOf(root: Section, env: Environment, wrong: (where: string, message: string) => void): Section {
  const log: Section = { ...sectionOf(root.log) };
  const { LOG_LEVEL, LOG_FORMAT } = env;
  if (LOG_LEVEL && !env.GANGLION_LOG_LEVEL) {
    log.level = LEVELS.get(LOG_LEVEL.trim().toLowerCase());
    if (log.level === undefined) wrong("LOG_LEVEL", "give DEBUG, INFO, WARNING, ERROR or CRITICAL");
  }
  if (LOG_FORMAT && !env.GANGLION_LOG) {
    log.format = LOG_FORMAT.trim().toLowerCase();
    if (log.format !== "json" && log.format !== "text") wrong("LOG_FORMAT", "give json or text");
  }
  return { log };
}

function portOf(root: Section, env: Environment, wrong: (where: string, message: string) => void): Section {
  const before = sectionOf(root.observability);
  const text = env.METRICS_PORT?.trim();
  if (env.GANGLION_OBSERVABILITY_PORT || (!text && before?.port !== undefined)) return {};
  const port = text ? Number(text) : DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) wrong("METRICS_PORT", "give a port between 1 and 65535");
  return { observability: { ...before, port } };
}

function sectionOf(value: unknown): Section | undefined {
  if (value === undefined || value === null) return {};
  return typeof value === "object" && !Array.isArray(value) ? (value as Section) : undefined;
}
