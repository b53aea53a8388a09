import { z } from "@hono/zod-openapi";
import type { AgentView, MonitorRun } from "../../../core/hosts/agent-view.ts";
import { DEFAULT_MONITOR_SETTINGS, type MonitorSettings } from "../../../core/hosts/monitors/monitor-settings.ts";
import { describes, time } from "../http/schema-parts.ts";

/** What the calls about hosts answer, as OpenAPI shows it; held to the types of src/core at the end. */
const anything = z.record(z.string(), z.unknown()).readonly().openapi({ type: "object", additionalProperties: true });

export const AgentSchema = z
  .object({
    host: z.string().openapi({ example: "gpu-01" }),
    state: z.enum(["up", "down"]),
    since: time.openapi({ description: "Since when it is so; of one whose link was lost, that moment" }),
    reason: z.enum(["linked", "answered", "link_lost", "silent"]),
    last_seen: time,
    links: z.int().openapi({ description: "Links open now: more than one for a moment, while one replaces another" }),
    version: z.string().nullable(),
    runs: anything
      .nullable()
      .openapi({ description: "Its sources, processes and workers, in its own words", type: ["object", "null"] }),
    alerts: z
      .array(z.object({ subject: z.string(), since: time, value: z.number(), limit: z.number() }))
      .readonly()
      .openapi({ description: "Health alerts that stand" }),
    failing: z
      .record(z.string(), z.string())
      .readonly()
      .openapi({ description: "Monitors that failed at the last look, and why" }),
    facts: anything
      .nullable()
      .openapi({ description: "What it answered last, while that is remembered", type: ["object", "null"] }),
  })
  .openapi("Agent");
export const AgentsSchema = z.object({ agents: z.array(AgentSchema) }).openapi("Agents");

export const MonitorRunSchema = z
  .object({
    answered: z.array(z.string()).readonly().openapi({ description: "Hosts that answered" }),
    silent: z.array(z.string()).readonly().openapi({ description: "Hosts that are linked and did not" }),
    told: z.array(z.string()).readonly().openapi({ description: "Names of the signals that followed" }),
  })
  .openapi("MonitorRun");

const BandSchema = z
  .object({ raise_above: z.number(), resolve_below: z.number() })
  .nullable()
  .openapi({ type: ["object", "null"] });

export const MonitorSettingsSchema = z
  .object({
    agent_grace_seconds: z.number(),
    agent_silent_after: z.int(),
    answer_within_seconds: z.number(),
    health_readings: z.int(),
    promotions_remind_hours: z.number().nullable(),
    health: z.object({
      disk: BandSchema,
      memory: BandSchema,
      load: BandSchema,
      gpu_temperature: BandSchema,
      bus_down: BandSchema,
      spool: BandSchema,
    }),
  })
  .openapi("MonitorSettings", { example: DEFAULT_MONITOR_SETTINGS });

describes<AgentView>()(AgentSchema);
describes<MonitorRun>()(MonitorRunSchema);
describes<MonitorSettings>()(MonitorSettingsSchema);
