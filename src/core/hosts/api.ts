import * as z from "zod";
import { Timestamp } from "../signals/timestamp.ts";

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

/** The result of asking all hosts. */
export const MonitorRun = z.object({
  answered: z.array(z.string()).readonly().meta({ description: "Hosts that answered" }),
  silent: z.array(z.string()).readonly().meta({ description: "Hosts that are linked and did not answer" }),
  told: z.array(z.string()).readonly().meta({ description: "Names of the signals that were emitted" }),
});
export type MonitorRun = Readonly<z.infer<typeof MonitorRun>>;
