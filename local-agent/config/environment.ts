import type { Environment } from "../base/locations.ts";
import type { Problem } from "./problems.ts";

export const SOURCES = ["sampler", "intents", "metrics", "bus"] as const;
export type SourceName = (typeof SOURCES)[number];

/** A setting from the environment, and its path in the document. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly variable: string;
}

const text = (value: string): unknown => value;
/** Converts the text of a variable to a number; `Number("")` would be 0. The schema refuses texts that are no numbers. */
const number = (value: string): unknown => (value.trim() === "" ? value : Number(value));
const list = (value: string) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const VARIABLES: readonly { variable: string; path: readonly string[]; read: (value: string) => unknown }[] = [
  { variable: "GANGLION_URL", path: ["edge", "url"], read: text },
  { variable: "GANGLION_ECOSYSTEM", path: ["edge", "ecosystem"], read: text },
  { variable: "GANGLION_TOKEN_FILE", path: ["edge", "token_file"], read: text },
  { variable: "GANGLION_SUBSCRIBE", path: ["edge", "subscribe"], read: list },
  { variable: "GANGLION_HOST_ID", path: ["host", "id"], read: text },
  { variable: "GANGLION_STATE_DIR", path: ["host", "state_dir"], read: text },
  { variable: "GANGLION_PROFILE", path: ["host", "profile"], read: text },
  { variable: "GANGLION_INTENTS_DIR", path: ["intents", "directory"], read: text },
  { variable: "GANGLION_METRICS_DIR", path: ["metrics", "directory"], read: text },
  { variable: "GANGLION_PROMOTIONS_DIR", path: ["monitors", "promotions_directory"], read: text },
  { variable: "GANGLION_INVESTIGATION_LOG", path: ["monitors", "investigation_log"], read: text },
  { variable: "GANGLION_SAMPLE_SECONDS", path: ["sampler", "seconds"], read: number },
  { variable: "GANGLION_SPOOL_MAX_MB", path: ["spool", "max_mb"], read: number },
  { variable: "KLR_CHEM_XSUB", path: ["bus", "xsub"], read: text },
  { variable: "KLR_CHEM_XPUB", path: ["bus", "xpub"], read: text },
  { variable: "GANGLION_LOG", path: ["log", "format"], read: text },
  { variable: "GANGLION_LOG_LEVEL", path: ["log", "level"], read: text },
  {
    variable: "GANGLION_OBSERVABILITY_PORT",
    path: ["observability", "port"],
    read: (value) => (value === "off" ? null : number(value)),
  },
];

/** Reads the settings from the environment. An empty variable counts as unset. */
export function readEnvironment(env: Environment): { overrides: Override[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const overrides: Override[] = VARIABLES.flatMap(({ variable, path, read }) => {
    const value = env[variable];
    return value === undefined || value === "" ? [] : [{ variable, path, value: read(value) }];
  });
  const wrong = (where: string, message: string) => problems.push({ severity: "error", where, message });
  if (env.GANGLION_PORT) {
    const port = Number(env.GANGLION_PORT.trim() || Number.NaN);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) wrong("GANGLION_PORT", "give a port between 1 and 65535");
    else if (!env.GANGLION_URL)
      overrides.push({ variable: "GANGLION_PORT", path: ["edge", "url"], value: `http://127.0.0.1:${port}` });
  }
  if (env.GANGLION_SOURCES) {
    const names = env.GANGLION_SOURCES.trim() === "none" ? [] : list(env.GANGLION_SOURCES);
    if (names.some((name) => !(SOURCES as readonly string[]).includes(name)))
      wrong("GANGLION_SOURCES", `name some of ${SOURCES.join(", ")}, separated by commas, or none`);
    for (const source of SOURCES) {
      overrides.push({ variable: "GANGLION_SOURCES", path: [source, "enabled"], value: names.includes(source) });
    }
  }
  return { overrides, problems };
}

/** The document, overridden by the environment. Sections of a wrong type stay, and the schema refuses them. */
export function applyOverrides(document: unknown, overrides: readonly Override[]): unknown {
  if (!isSection(document ?? {})) return document;
  const root: Record<string, unknown> = { ...(document as object | null) };
  for (const { path, value } of overrides) {
    const [section = "", name = ""] = path;
    const before = root[section] ?? {};
    if (isSection(before)) root[section] = { ...before, [name]: value };
  }
  return root;
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The variable that sets the value at `path` of the document. */
export function variableOf(path: readonly (string | number)[]): string | undefined {
  return VARIABLES.find((each) => each.path[0] === path[0] && each.path[1] === path[1])?.variable;
}
