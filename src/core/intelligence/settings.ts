import { parseUrl } from "../wire/parse-url.ts";
import { DEPRECATED_PATHS, SETTING_TABLE, type SettingName, type SettingRow, UNUSED_ADDRESS } from "./setting-table.ts";
import { isTopic, TOPIC_RULE, topicsOf } from "./topics.ts";

/** Settings of those who ask. */
export interface IntelligenceSettings {
  readonly enabled: boolean;
  readonly live: boolean;
  readonly environment: string;
  readonly requestTimeoutMs: number;
  readonly discoveryTimeoutMs: number;
  readonly analysisTimeoutMs: number;
  readonly topicRequest: string;
  readonly topicCompleted: string;
  readonly topicFailed: string;
  readonly filesystemFallback: boolean;
  readonly paths: readonly string[];
  readonly retrieval: boolean;
  readonly retrievalUrl: string | undefined;
  readonly correlationTracking: boolean;
  readonly metrics: boolean;
  readonly share: number;
  readonly preferLive: boolean;
  readonly library: string | undefined;
}

/** A setting that is wrong, or one that does not do what its name says. */
export interface SettingProblem {
  readonly severity: "error" | "warning";
  /** The variable or key. */
  readonly where: string;
  readonly message: string;
}

/** What counts, and where it comes from: a variable, `intelligence.<key>` of the file, or `default`. */
export interface ShownSetting {
  readonly name: string;
  readonly value: unknown;
  readonly origin: string;
}

export interface ReadSettings {
  /** Where there are errors, those settings have their defaults. */
  readonly settings: IntelligenceSettings;
  readonly shown: readonly ShownSetting[];
  readonly problems: readonly SettingProblem[];
}

export interface SettingSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The section `intelligence` of a file. */
  readonly section?: Readonly<Record<string, unknown>> | undefined;
  /** Address of the edge; empty: none. */
  readonly address: string | undefined;
}

interface Given {
  readonly value: unknown;
  readonly origin: string;
}

/** Reads the settings: our variable, then an older name, then the file, then the default. An empty variable counts as unset. */
export function readIntelligenceSettings({ environment, section = {}, address }: SettingSources): ReadSettings {
  const problems: SettingProblem[] = [];
  const given = new Map<SettingName, Given>();
  for (const row of SETTING_TABLE) {
    const found = find(row, environment, section);
    if (found === undefined) continue;
    const read = readValue(row, found.value);
    if ("message" in read) problems.push({ severity: "error", where: found.origin, message: read.message });
    else given.set(row.name, { value: read.value, origin: found.origin });
  }
  const deprecated = DEPRECATED_PATHS.filter((name) => environment[name] !== undefined && environment[name] !== "");
  if (deprecated.length > 0 && !given.has("paths")) {
    given.set("paths", { value: deprecated.map((name) => environment[name]), origin: deprecated.join(", ") });
  }
  for (const name of deprecated) {
    const message = "is deprecated: name the directories in GANGLION_INTELLIGENCE_PATHS, or in intelligence.paths";
    problems.push({ severity: "warning", where: name, message });
  }
  const defaults = defaultsFor(textOf(given.get("environment")) ?? "development");
  const settings = settingsOf(given, defaults);
  problems.push(...conflicts(settings, given, address), ...unusedAddress(environment, address));
  const shown = SETTING_TABLE.map(({ name, key }) => ({
    name: key,
    value: settings[name] ?? null,
    origin: given.get(name)?.origin ?? "default",
  }));
  return { settings, shown, problems };
}

function find(row: SettingRow, environment: SettingSources["environment"], section: object): Given | undefined {
  for (const variable of [row.variable, ...row.older]) {
    const text = environment[variable];
    if (text !== undefined && text.trim() !== "") return { value: text.trim(), origin: variable };
    // A topic that is set to nothing is a mistake, and not a wish for the default.
    if (text !== undefined && row.kind === "topic") return { value: "", origin: variable };
  }
  const entry = Object.entries(section).find(([key]) => key === row.key);
  return entry?.[1] === undefined ? undefined : { value: entry[1], origin: `intelligence.${row.key}` };
}

const TRUE = ["true", "1", "yes", "on"];
const FALSE = ["false", "0", "no", "off"];

function readValue({ kind, min = 0, max = 100 }: SettingRow, value: unknown): { value: unknown } | { message: string } {
  switch (kind) {
    case "switch": {
      if (typeof value === "boolean") return { value };
      const lower = String(value).toLowerCase();
      if (TRUE.includes(lower)) return { value: true };
      return FALSE.includes(lower) ? { value: false } : { message: "give true or false" };
    }
    case "ms":
    case "percent": {
      const number =
        typeof value === "number" ? value : /^\d{1,9}(\.\d+)?$/.test(String(value)) ? Number(value) : Number.NaN;
      const whole = kind === "percent" || Number.isInteger(number);
      const unit = kind === "ms" ? "milliseconds" : "percent";
      return whole && number >= min && number <= max
        ? { value: number }
        : { message: `give ${unit} from ${min} to ${max}` };
    }
    case "topic":
      return isTopic(String(value))
        ? { value: String(value) }
        : { message: `${value === "" ? "is empty: " : ""}${TOPIC_RULE}` };
    case "paths":
      return {
        value: (Array.isArray(value) ? value.map(String) : String(value).split(/[:,]/))
          .map((path) => path.trim())
          .filter(Boolean),
      };
    case "url": {
      const url = parseUrl(String(value));
      const usable = url !== null && ["http:", "https:"].includes(url.protocol) && url.username === "";
      return usable ? { value: url.href } : { message: "give an address such as https://rag.example.org/query" };
    }
    case "text":
      return typeof value === "string" && value.trim() !== "" ? { value: value.trim() } : { message: "give a text" };
  }
}

function defaultsFor(environment: string): IntelligenceSettings {
  const topics = topicsOf(environment);
  return {
    enabled: true,
    live: true,
    environment,
    requestTimeoutMs: 5_000,
    discoveryTimeoutMs: 5_000,
    analysisTimeoutMs: 10_000,
    topicRequest: topics.request,
    topicCompleted: topics.completed,
    topicFailed: topics.failed,
    filesystemFallback: environment.toLowerCase() !== "production",
    paths: [],
    retrieval: false,
    retrievalUrl: undefined,
    correlationTracking: true,
    metrics: true,
    share: 100,
    preferLive: true,
    library: undefined,
  };
}

function settingsOf(given: ReadonlyMap<SettingName, Given>, defaults: IntelligenceSettings): IntelligenceSettings {
  const flag = (
    name: "enabled" | "live" | "filesystemFallback" | "retrieval" | "correlationTracking" | "metrics" | "preferLive",
  ) => {
    const value = given.get(name)?.value;
    return typeof value === "boolean" ? value : defaults[name];
  };
  const number = (
    name: "requestTimeoutMs" | "discoveryTimeoutMs" | "analysisTimeoutMs" | "share",
    otherwise: number,
  ) => {
    const value = given.get(name)?.value;
    return typeof value === "number" ? value : otherwise;
  };
  const text = (name: "topicRequest" | "topicCompleted" | "topicFailed") => textOf(given.get(name)) ?? defaults[name];
  const requestTimeoutMs = number("requestTimeoutMs", defaults.requestTimeoutMs);
  const paths = given.get("paths")?.value;
  return {
    enabled: flag("enabled"),
    live: flag("live"),
    environment: defaults.environment,
    requestTimeoutMs,
    // The general limit counts where a finer one is not set.
    discoveryTimeoutMs: number("discoveryTimeoutMs", requestTimeoutMs),
    analysisTimeoutMs: number("analysisTimeoutMs", Math.max(requestTimeoutMs, defaults.analysisTimeoutMs)),
    topicRequest: text("topicRequest"),
    topicCompleted: text("topicCompleted"),
    topicFailed: text("topicFailed"),
    filesystemFallback: flag("filesystemFallback"),
    paths: Array.isArray(paths) ? paths.map(String) : [],
    retrieval: flag("retrieval"),
    retrievalUrl: textOf(given.get("retrievalUrl")),
    correlationTracking: flag("correlationTracking"),
    metrics: flag("metrics"),
    share: number("share", defaults.share),
    preferLive: flag("preferLive"),
    library: textOf(given.get("library")),
  };
}

function conflicts(
  { enabled, live, filesystemFallback, retrieval, retrievalUrl }: IntelligenceSettings,
  given: ReadonlyMap<SettingName, Given>,
  address: string | undefined,
): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const named = (name: SettingName, otherwise: string) => given.get(name)?.origin ?? otherwise;
  if (enabled && live && (address === undefined || address.trim() === "")) {
    const message = `live hosts are asked, but there is no address of an edge: set it, or ${named("live", "ENABLE_EVENT_INTELLIGENCE")} to false`;
    problems.push({ severity: "error", where: "GANGLION_URL", message });
  }
  if (enabled && !live && !filesystemFallback) {
    const where = named("filesystemFallback", "ENABLE_FILESYSTEM_FALLBACK");
    const message = `live hosts and the file system are both switched off: set ${named("live", "ENABLE_EVENT_INTELLIGENCE")} or ENABLE_FILESYSTEM_FALLBACK to true, or KAFKA_ENABLE_INTELLIGENCE to false for the library alone`;
    problems.push({ severity: "error", where, message });
  }
  if (retrieval && retrievalUrl === undefined) {
    const message =
      "has no effect: name the address of the retrieval service in GANGLION_INTELLIGENCE_RETRIEVAL_URL, or in intelligence.retrieval_url";
    problems.push({ severity: "warning", where: named("retrieval", "ENABLE_ARCHON_RAG"), message });
  }
  return problems;
}

function unusedAddress(environment: SettingSources["environment"], address: string | undefined): SettingProblem[] {
  if (!environment[UNUSED_ADDRESS]) return [];
  const message = `is not used, because no broker is spoken to: what counts is edge.url (GANGLION_URL), which is ${address || "not set"}`;
  return [{ severity: "warning", where: UNUSED_ADDRESS, message }];
}

const textOf = (given: Given | undefined): string | undefined =>
  typeof given?.value === "string" ? given.value : undefined;
