import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import {
  readIntelligenceSettings,
  type SettingProblem,
  type ShownSetting,
} from "../../src/core/intelligence/settings.ts";
import { IDENTIFIER } from "../../src/core/signals/signal.ts";
import type { SessionsFeatureOptions } from "../agent-sessions/settings.ts";
import { configFile, defaultState, type Environment, SYSTEM_CONFIG, SYSTEM_TOKEN } from "../base/locations.ts";
import { ExpectedError } from "../base/service.ts";
import type { BusFeatureOptions } from "../bus/settings.ts";
import type { ChecksFeatureOptions } from "../checks/settings.ts";
import type { FileTasksFeatureOptions } from "../file-tasks/settings.ts";
import type { IntelligenceFeatureOptions } from "../intelligence/settings.ts";
import { type IntentsFeatureOptions, intentRoutes } from "../intents/settings.ts";
import type { LimitsFeatureOptions } from "../limits/settings.ts";
import type { MaintenanceFeatureOptions } from "../maintenance/settings.ts";
import type { MetricFilesFeatureOptions } from "../metric-files/settings.ts";
import { type MonitorsFeatureOptions, withAbsolutePaths } from "../monitors/settings.ts";
import type { ReactionsFeatureOptions } from "../reactions/settings.ts";
import type { SamplerFeatureOptions } from "../sampler/settings.ts";
import type { SupervisorFeatureOptions } from "../supervisor/settings.ts";
import type { TelemetryFeatureOptions } from "../telemetry/settings.ts";
import { applyClassicVariables } from "./classic-variables.ts";
import { applyOverrides, type Override, readEnvironment, SOURCES, type SourceName, variableOf } from "./environment.ts";
import { findingsOf, type Problem, type SettingsFinding } from "./problems.ts";
import { withProfile } from "./profile.ts";
import { AgentFile, FeatureSections } from "./schema.ts";
import { type TokenSource, tokenSource, tokenWarnings } from "./token.ts";
import { YamlFile } from "./yaml-file.ts";

/** All settings of an agent: those of the host, those of each feature, and those of the agent itself. */
export interface AgentSettings
  extends BusFeatureOptions,
    ChecksFeatureOptions,
    FileTasksFeatureOptions,
    IntelligenceFeatureOptions,
    IntentsFeatureOptions,
    LimitsFeatureOptions,
    MaintenanceFeatureOptions,
    MetricFilesFeatureOptions,
    MonitorsFeatureOptions,
    ReactionsFeatureOptions,
    SamplerFeatureOptions,
    SessionsFeatureOptions,
    SupervisorFeatureOptions,
    TelemetryFeatureOptions {
  readonly sources: readonly SourceName[];
  readonly log: "text" | "json";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly spoolMaxBytes: number;
}

export interface Loaded {
  /** `undefined` when there are errors. */
  readonly settings: AgentSettings | undefined;
  readonly problems: readonly Problem[];
  readonly file: string | undefined;
  /** Settings of those who ask about code, and where each comes from. */
  readonly asking: readonly ShownSetting[];
}

/**
 * Reads and checks the settings. The environment (variables in docs/agent.md) overrides the file.
 *
 * @param config - path of the file, which overrides `GANGLION_CONFIG`
 */
export function loadSettings(env: Environment, cwd: string, config?: string): Loaded {
  const path = configFile(env, cwd, config);
  const file = path === undefined ? undefined : YamlFile.read(path);
  const { overrides, problems: wrongVariables } = readEnvironment(env);
  const { document: withVariables, problems: wrongWatcher } = applyClassicVariables(
    applyOverrides(file?.value ?? {}, overrides),
    env,
    cwd,
  );
  const document = withProfile(withVariables);
  const parsed = AgentFile.safeParse(document);
  const problems: Problem[] = [...wrongVariables, ...wrongWatcher, ...(file?.problems ?? [])];
  if (!parsed.success) {
    for (const finding of findingsOf(parsed.error, AgentFile, document))
      problems.push(located(finding, file, overrides));
  }
  const given = parsed.data;
  if (
    given?.host.id === undefined &&
    !parsed.error?.issues.some(({ path: at }) => at[0] === "host") &&
    !IDENTIFIER.test(hostname())
  ) {
    const message = "set it: the hostname contains characters other than letters, digits and . _ -";
    problems.push({ severity: "error", where: file === undefined ? "GANGLION_HOST_ID" : "host.id", message });
  }
  // A relative path in the environment starts at the working directory, one in the file at the directory of the file.
  const from = (variable: string) => (env[variable] || path === undefined ? cwd : dirname(path));
  const stateDir = resolve(
    from("GANGLION_STATE_DIR"),
    given?.host.state_dir ?? (env.GANGLION_STATE_DIR || defaultState(env, cwd, path)),
  );
  const tokenFile = given?.edge.token_file;
  const token = tokenSource(
    env,
    tokenFile && resolve(from("GANGLION_TOKEN_FILE"), tokenFile),
    stateDir,
    // The token of the service, for commands that people run with the settings of the service.
    path === SYSTEM_CONFIG ? SYSTEM_TOKEN : undefined,
  );
  problems.push(...tokenProblems(token), ...tokenWarnings(token));
  const asking = readIntelligenceSettings({
    environment: env,
    section: given?.intelligence,
    // A file that cannot be read names no address, and that is not what is wrong with it.
    address: given === undefined ? "unknown" : given.edge.url,
  });
  problems.push(...asking.problems.map((problem) => inFile(problem, file)));
  if (given === undefined || problems.some(({ severity }) => severity === "error"))
    return { settings: undefined, problems, file: path, asking: asking.shown };
  const { edge, bus, intents, metrics, sampler, log, spool, host: _, ...sections } = given;
  const settings: AgentSettings = {
    // Absent sections are named, too: the removal of a section is a change.
    ...Object.fromEntries(Object.keys(FeatureSections.shape).map((name) => [name, undefined])),
    ...sections,
    ...(sections.monitors !== undefined && {
      monitors: withAbsolutePaths(sections.monitors, (variable, relative) => resolve(from(variable), relative)),
    }),
    configFile: path,
    asking: asking.settings,
    url: edge.url,
    token: token.read,
    ecosystem: edge.ecosystem,
    hostId: given.host.id ?? hostname(),
    stateDir,
    intentsDir: resolve(from("GANGLION_INTENTS_DIR"), intents.directory ?? join(stateDir, "intents")),
    intentMap: intentRoutes(intents),
    intentMode: intents.mode,
    metricsDir: resolve(from("GANGLION_METRICS_DIR"), metrics.directory ?? join(stateDir, "metrics")),
    metricFiles: Object.fromEntries(
      Object.entries(metrics.files).map(([name, at]) => [name, resolve(path === undefined ? cwd : dirname(path), at)]),
    ),
    subscribe: edge.subscribe,
    sampleSeconds: sampler.seconds,
    gpuCommand: sampler.gpu_command,
    xsub: bus.xsub,
    xpub: bus.xpub,
    bus: {
      connect: bus.connect,
      messages: bus.messages,
      heartbeats: bus.heartbeats,
      ...(bus.replay === undefined ? {} : { replay: bus.replay }),
    },
    sources: SOURCES.filter((name) => given[name].enabled),
    log: log.format,
    logLevel: log.level,
    spoolMaxBytes: spool.max_mb * 1024 * 1024,
  };
  return { settings, problems, file: path, asking: asking.shown };
}

/**
 * Reads the settings, or throws an error that lists every problem with its fix. Values are not shown: they may be
 * secrets.
 *
 * @throws ExpectedError
 */
export function readSettings(env: Environment, cwd: string, config?: string): AgentSettings {
  const { settings, problems } = loadSettings(env, cwd, config);
  if (settings !== undefined) return settings;
  const errors = problems.filter(({ severity }) => severity === "error");
  throw new ExpectedError(["Invalid settings:", ...errors.map((error) => `  ${problemText(error)}`)].join("\n"));
}

/** `/etc/ganglion/agent.yaml:3:5: edge.url: give …`, or `GANGLION_URL: give …`. */
export function problemText({ file, line, column, where, message }: Problem): string {
  return `${file === undefined ? "" : `${file}:${line}:${column}: `}${where}: ${message}`;
}

function located(finding: SettingsFinding, file: YamlFile | undefined, overrides: readonly Override[]): Problem {
  const [section, name] = finding.path;
  const override = overrides.find(({ path }) => path[0] === section && path[1] === name);
  if (override === undefined && file !== undefined) return file.problem(finding);
  const where = override?.variable ?? variableOf(finding.path) ?? finding.path.join(".");
  return { severity: "error", where, message: finding.message };
}

/** A problem of a key of the file is shown at its place. */
function inFile({ severity, where, message }: SettingProblem, file: YamlFile | undefined): Problem {
  const [section, key] = where.split(".");
  if (section !== "intelligence" || key === undefined || file === undefined) return { severity, where, message };
  return { ...file.problem({ path: [section, key], message }), severity };
}

function tokenProblems(token: TokenSource): Problem[] {
  try {
    token.read();
    return [];
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    return [{ severity: "error", where: "GANGLION_TOKEN", message: error.message }];
  }
}
