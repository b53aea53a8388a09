import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** Any JSON object; its fields belong to the host. */
const AnyObject = z.record(z.string(), z.unknown()).readonly().meta({ type: "object", additionalProperties: true });

const AgentAlert = z.object({ subject: z.string(), since: Timestamp, value: z.number(), limit: z.number() });

/** `linked`: a link was opened; `answered`: the host answers again; `link_lost`: no link for longer than the grace period; `silent`: linked, but without answers. */
export const PresenceReason = z.enum(["linked", "answered", "link_lost", "silent"]);
export type PresenceReason = z.infer<typeof PresenceReason>;

/** A host as people see it. */
export const AgentView = z.object({
  host: z.string().meta({ example: "gpu-01" }),
  state: z.enum(["up", "down"]),
  since: Timestamp.meta({ description: "Time since which the state holds; for a lost link, the time of the loss" }),
  reason: PresenceReason,
  last_seen: Timestamp,
  links: z.int().meta({
    description: "Number of open links: more than one for a moment, while a new link replaces another",
  }),
  version: z.string().nullable(),
  runs: AnyObject.nullable().meta({
    description: "Sources, processes and workers of the host, as the host reports them; null before its first report",
    type: ["object", "null"],
  }),
  alerts: z.array(AgentAlert).readonly().meta({ description: "Open health alerts, with the value that opened each" }),
  failing: z
    .record(z.string(), z.string())
    .readonly()
    .meta({ description: "Monitors that failed in the last round, with the reason" }),
  facts: AnyObject.nullable().meta({
    description: "Facts of the last answer, as long as they are in memory",
    type: ["object", "null"],
  }),
});
export type AgentView = Readonly<z.infer<typeof AgentView>>;

/** Hosts by name. `next` names the host after which the next page begins. */
export interface AgentPage {
  readonly agents: readonly AgentView[];
  readonly next: string | null;
}

/** A page of hosts in the API. */
export const Agents = z.object({
  agents: z.array(AgentView),
  next: z.string().optional().meta({ description: "There are more hosts: ask again with `after` at `next`" }),
});

/** The result of asking all hosts. */
export const MonitorRun = z.object({
  answered: z.array(z.string()).readonly().meta({ description: "Hosts that answered" }),
  silent: z.array(z.string()).readonly().meta({ description: "Hosts that are linked and did not answer" }),
  told: z.array(z.string()).readonly().meta({ description: "Names of the signals that were emitted" }),
});
export type MonitorRun = Readonly<z.infer<typeof MonitorRun>>;

/** Both values of a band, or `null`: no alerts. */
const BandView = z
  .object({ raise_above: z.number(), resolve_below: z.number() })
  .nullable()
  .meta({ type: ["object", "null"] });

/** The settings as they are answered: every field is present. {@link MonitorSettings} reads them, with limits and defaults. */
export const MonitorSettingsView = z.object({
  agent_grace_seconds: z.number(),
  agent_silent_after: z.int(),
  answer_within_seconds: z.number(),
  health_readings: z.int(),
  promotions_remind_hours: z.number().nullable(),
  health: z.object({
    disk: BandView,
    memory: BandView,
    load: BandView,
    gpu_temperature: BandView,
    bus_down: BandView,
    spool: BandView,
  }),
});
export type MonitorSettingsView = Readonly<z.infer<typeof MonitorSettingsView>>;

/** A link of an agent that is open at the log. */
export const OpenLink = z.object({ host: z.string(), openedMs: z.number() }).readonly();
export type OpenLink = z.infer<typeof OpenLink>;

/** The open links of a log. A report with a lower version of the same instance is older. */
export const LinkReport = z.object({
  instance: z.string().meta({ description: "Identifies one life of the log in memory" }),
  version: z.int(),
  links: z.array(OpenLink).readonly(),
});
export type LinkReport = Readonly<z.infer<typeof LinkReport>>;
