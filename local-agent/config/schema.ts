import * as z from "zod";
import { EcosystemName } from "../../src/core/signals/signal.ts";
import { SessionsSection } from "../agent-sessions/settings.ts";
import { limitedNumber, PathSetting } from "../base/setting-schemas.ts";
import { BusSettings } from "../bus/settings.ts";
import { ChecksSettings } from "../checks/settings.ts";
import { WorkersSettings } from "../file-tasks/settings.ts";
import { IntelligenceSection } from "../intelligence/settings.ts";
import { IntentsSettings } from "../intents/settings.ts";
import { LimitsSection } from "../limits/settings.ts";
import { MaintenanceSection } from "../maintenance/settings.ts";
import { MetricFilesSettings } from "../metric-files/settings.ts";
import { MonitorsSettings } from "../monitors/settings.ts";
import { ReactionsSettings } from "../reactions/settings.ts";
import { SamplerSettings } from "../sampler/settings.ts";
import { AgentsSettings } from "../supervisor/settings.ts";
import { ObservabilitySettings } from "../telemetry/settings.ts";

/** Of deployments; those for which an agent has defaults of its own are in profile.ts. */
const PROFILES = ["paid", "free", "local"] as const;

const HostId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  message: "give letters, digits and . _ - (128 at most), starting with a letter or digit",
});

const Patterns = z
  .array(
    z
      .string()
      .regex(
        /^!?[A-Za-z0-9_.:*-]{1,128}$/,
        "a pattern is a signal's name in which * stands for any characters, such as Q_* or !OBSERVATION",
      ),
  )
  .min(1)
  .max(64);

/** `auto`, also as a list of this one word, in which the environment gives it. */
const Subscription = z.union(
  [
    z.literal("auto"),
    Patterns.transform((list) => (list.length === 1 && list[0] === "auto" ? ("auto" as const) : list)),
  ],
  "give auto, or a list of 1 to 64 patterns of signals' names, such as Q_* or !OBSERVATION",
);

const Edge = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, message: "give an http:// or https:// address such as http://127.0.0.1:8787" })
    .default("http://127.0.0.1:8787"),
  ecosystem: EcosystemName.default("default"),
  token_file: PathSetting.optional(),
  subscribe: Subscription.default("auto"),
});

const Host = z.strictObject({
  id: HostId.optional(),
  state_dir: PathSetting.optional(),
  profile: z.enum(PROFILES, "give paid, free or local").default("paid"),
});

const SpoolLimits = z.strictObject({ max_mb: limitedNumber(1, 1_000_000, "give megabytes, 1 at least").default(256) });

const Log = z.strictObject({
  format: z.enum(["text", "json"], "give text or json").default("text"),
  level: z.enum(["debug", "info", "warn", "error"], "give debug, info, warn or error").default("info"),
});

/**
 * Sections of features. An absent section switches the feature off, or leaves its defaults. A new feature adds its
 * schema here and its options to AgentSettings.
 */
export const FeatureSections = z.strictObject({
  monitors: MonitorsSettings.optional(),
  maintenance: MaintenanceSection.optional(),
  observability: ObservabilitySettings.optional(),
  workers: WorkersSettings.optional(),
  reactions: ReactionsSettings.optional(),
  agents: AgentsSettings.optional(),
  checks: ChecksSettings.optional(),
  limits: LimitsSection.optional(),
  sessions: SessionsSection.optional(),
  intelligence: IntelligenceSection.optional(),
});
export type FeatureSections = z.output<typeof FeatureSections>;

/** `ganglion-agent.yaml`. */
export const AgentFile = z.strictObject({
  edge: Edge.prefault({}),
  host: Host.prefault({}),
  spool: SpoolLimits.prefault({}),
  bus: BusSettings.prefault({}),
  intents: IntentsSettings.prefault({}),
  metrics: MetricFilesSettings.prefault({}),
  sampler: SamplerSettings.prefault({}),
  log: Log.prefault({}),
  ...FeatureSections.shape,
});
export type AgentFile = z.output<typeof AgentFile>;
