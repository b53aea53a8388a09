/** A setting of those who ask, and every name under which it is read. */
export interface SettingRow {
  readonly name: SettingName;
  /** In the section `intelligence` of a settings file. */
  readonly key: string;
  /** Our variable. */
  readonly variable: string;
  /** Names of the design that this one replaces, so that an existing `.env` goes on to work. */
  readonly older: readonly string[];
  readonly kind: "switch" | "ms" | "text" | "topic" | "percent" | "paths" | "url";
  readonly min?: number;
  readonly max?: number;
  readonly meaning: string;
}

export type SettingName =
  | "enabled"
  | "live"
  | "environment"
  | "requestTimeoutMs"
  | "discoveryTimeoutMs"
  | "analysisTimeoutMs"
  | "topicRequest"
  | "topicCompleted"
  | "topicFailed"
  | "filesystemFallback"
  | "paths"
  | "retrieval"
  | "retrievalUrl"
  | "correlationTracking"
  | "metrics"
  | "share"
  | "preferLive"
  | "library";

const OLD_LIMITS = { min: 1_000, max: 60_000 } as const;

const row = (
  name: SettingName,
  key: string,
  kind: SettingRow["kind"],
  older: readonly string[],
  meaning: string,
  limits: { readonly min?: number; readonly max?: number } = {},
): SettingRow => ({
  name,
  key,
  variable: `GANGLION_INTELLIGENCE_${key.toUpperCase()}`,
  older,
  kind,
  meaning,
  ...limits,
});

/** In the order in which they are shown. */
export const SETTING_TABLE: readonly SettingRow[] = [
  row(
    "enabled",
    "enabled",
    "switch",
    ["KAFKA_ENABLE_INTELLIGENCE"],
    "false: the library alone, without any connection",
  ),
  row(
    "live",
    "live",
    "switch",
    ["ENABLE_EVENT_INTELLIGENCE", "ENABLE_EVENT_BASED_DISCOVERY"],
    "whether live hosts are asked at all; false is the instant rollback",
  ),
  row("environment", "environment", "text", [], "names the topics; development is dev"),
  row("requestTimeoutMs", "request_timeout_ms", "ms", ["KAFKA_REQUEST_TIMEOUT_MS"], "limit of a request", OLD_LIMITS),
  row(
    "discoveryTimeoutMs",
    "discovery_timeout_ms",
    "ms",
    ["KAFKA_PATTERN_DISCOVERY_TIMEOUT_MS"],
    "limit of a request for patterns",
    OLD_LIMITS,
  ),
  row(
    "analysisTimeoutMs",
    "analysis_timeout_ms",
    "ms",
    ["KAFKA_CODE_ANALYSIS_TIMEOUT_MS"],
    "limit of a request for an analysis",
    { min: 1_000, max: 120_000 },
  ),
  row("topicRequest", "topic_request", "topic", ["KAFKA_TOPIC_REQUEST"], "signal of a request"),
  row("topicCompleted", "topic_completed", "topic", ["KAFKA_TOPIC_COMPLETED"], "signal of an answer"),
  row("topicFailed", "topic_failed", "topic", ["KAFKA_TOPIC_FAILED"], "signal of a failure"),
  row(
    "filesystemFallback",
    "filesystem_fallback",
    "switch",
    ["ENABLE_FILESYSTEM_FALLBACK"],
    "whether similar nodes are looked for below `paths` where no host answers",
  ),
  row("paths", "paths", "paths", [], "directories that similar nodes are looked for in"),
  row("retrieval", "retrieval", "switch", ["ENABLE_ARCHON_RAG"], "a third source, at `retrieval_url`"),
  row("retrievalUrl", "retrieval_url", "url", [], "where the third source is asked, over HTTP"),
  row(
    "correlationTracking",
    "correlation_tracking",
    "switch",
    ["CORRELATION_TRACKING_ENABLED"],
    "whether the logs of askers and responders name the correlation id of each request",
  ),
  row("metrics", "metrics", "switch", ["METRICS_ENABLED"], "whether requests are measured, and reported to the edge"),
  row("share", "share", "percent", [], "share of the keys that ask live hosts, 0 to 100"),
  row("preferLive", "prefer_live", "switch", [], "false: a live answer counts 0.8"),
  row("library", "library", "text", [], "a YAML file that adds to the built-in library"),
];

/** Variables of the old design that name code roots; they still work, and are told to be deprecated. */
export const DEPRECATED_PATHS = ["OMNIARCHON_PATH", "OMNINODE_BRIDGE_PATH"] as const;
/** Says where a message broker was. */
export const UNUSED_ADDRESS = "KAFKA_BOOTSTRAP_SERVERS";
