import * as z from "zod";
import { EcosystemName } from "../../src/core/signals/signal.ts";
import { WorkersSettings } from "../file-tasks/settings.ts";
import { IntentsSettings } from "../intents/settings.ts";
import { MonitorsSettings } from "../monitors/settings.ts";
import { ReactionsSettings } from "../reactions/settings.ts";
import { AgentsSettings } from "../supervisor/settings.ts";
import { ObservabilitySettings } from "../telemetry/settings.ts";

/** Where a host's ZMQ bus listens when nobody says otherwise (R6). */
export const DEFAULT_XSUB = "tcp://127.0.0.1:5556";
export const DEFAULT_XPUB = "tcp://127.0.0.1:5557";

/** A number in a range; whatever is wrong with it, the fix is the same. */
const number = (from: number, to: number, message: string) => z.number(message).min(from, message).max(to, message);

const Endpoint = z.string().regex(/^(tcp:\/\/[^\s:/]+:\d{1,5}|ipc:\/\/\S+)$/, {
  message: "give an address such as tcp://127.0.0.1:5556 or ipc:///run/bus.sock",
});

const HostId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  message: "give letters, digits and . _ - (128 at most), beginning with a letter or digit",
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
  .min(1, "give at least one pattern, such as *")
  .max(64, "give 64 patterns at most");

const Path = z.string().min(1, "give a path");
const Enabled = z.boolean("give true or false").default(true);

const Edge = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, message: "give an http:// or https:// address such as http://127.0.0.1:8787" })
    .default("http://127.0.0.1:8787"),
  ecosystem: EcosystemName.default("default"),
  token_file: Path.optional(),
  subscribe: Patterns.default(["*", "!OBSERVATION"]),
});

const Host = z.strictObject({ id: HostId.optional(), state_dir: Path.optional() });

const SpoolLimits = z.strictObject({ max_mb: number(1, 1_000_000, "give megabytes, 1 at least").default(256) });

const Bus = z
  .strictObject({ enabled: Enabled, xsub: Endpoint.default(DEFAULT_XSUB), xpub: Endpoint.default(DEFAULT_XPUB) })
  .refine(({ xsub, xpub }) => xsub !== xpub, {
    path: ["xpub"],
    message: "give it another address than xsub (KLR_CHEM_XSUB): publishers and subscribers connect to different ones",
  });

const Metrics = z.strictObject({ enabled: Enabled, directory: Path.optional() });

const Sampler = z.strictObject({
  enabled: Enabled,
  seconds: number(0.1, 3600, "give seconds between 0.1 and 3600").default(5),
  gpu_command: Path.optional(),
});

const Log = z.strictObject({
  format: z.enum(["text", "json"], "give text or json").default("text"),
  level: z.enum(["debug", "info", "warn", "error"], "give debug, info, warn or error").default("info"),
});

/**
 * The sections that rooms own: their schemas stand in their folders, and an absent section means that the room is off,
 * or as it is by default. To plug a room in: its schema here, and its name in AgentSettings.
 */
export const FeatureSections = z.strictObject({
  monitors: MonitorsSettings.optional(),
  observability: ObservabilitySettings.optional(),
  workers: WorkersSettings.optional(),
  reactions: ReactionsSettings.optional(),
  agents: AgentsSettings.optional(),
});
export type FeatureSections = z.output<typeof FeatureSections>;

/** `ganglion-agent.yaml`. */
export const AgentFile = z.strictObject({
  edge: Edge.prefault({}),
  host: Host.prefault({}),
  spool: SpoolLimits.prefault({}),
  bus: Bus.prefault({}),
  intents: IntentsSettings.prefault({}),
  metrics: Metrics.prefault({}),
  sampler: Sampler.prefault({}),
  log: Log.prefault({}),
  ...FeatureSections.shape,
});
export type AgentFile = z.output<typeof AgentFile>;
