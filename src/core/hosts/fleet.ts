import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { AgentView } from "./api.ts";

const { host, state, since, reason, last_seen, version, alerts } = AgentView.shape;

/** A process that a host supervises, as the host reported it last. */
export const FleetProcess = z.object({
  name: z.string().meta({ description: "Name of the supervised agent" }),
  state: z.string().meta({ description: "stopped, starting, up, stopping, backing_off or gave_up", example: "up" }),
  verdict: z.string().meta({ description: "working, waiting, idle, hung or dead", example: "working" }),
  task: z.string().nullable().meta({ description: "What it works on, in its own words" }),
  waiting_for: z
    .string()
    .nullable()
    .meta({ description: "What it waits for, in its own words; null: it does not wait" }),
  since: Timestamp.nullable().meta({ description: "When its process was started; null: it has none" }),
  restarts: z.int().meta({ description: "How often it was restarted" }),
  detail: z.string().nullable().meta({ description: "Why it is in this state" }),
  wakes_on_mail: z.literal(true).optional().meta({ description: "A message starts it where it does not run" }),
  next_wake_at: Timestamp.optional().meta({ description: "When a schedule starts it next; absent: none does" }),
});
export type FleetProcess = Readonly<z.infer<typeof FleetProcess>>;

/** A host and what it supervises, without the figures of its sources. */
export const FleetHost = z.object({
  host,
  state: state.meta({ description: "Whether the host is up or down" }),
  since,
  reason: reason.meta({ description: "Why the host is in this state" }),
  last_seen: last_seen.meta({ description: "When the edge last received anything from the host" }),
  version,
  alerts,
  processes: z
    .array(FleetProcess)
    .readonly()
    .meta({ description: "What the host supervises, as it reported last: of a host that is down, before it went" }),
});
export type FleetHost = Readonly<z.infer<typeof FleetHost>>;

/** A page of hosts, by name. */
export interface FleetPage {
  readonly hosts: readonly FleetHost[];
  /** Hosts in all. */
  readonly total: number;
}
