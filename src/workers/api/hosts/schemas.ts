import { z } from "@hono/zod-openapi";
import { AgentView, MonitorRun } from "../../../core/hosts/api.ts";
import { DEFAULT_MONITOR_SETTINGS, type MonitorSettings } from "../../../core/hosts/monitors/monitor-settings.ts";
import { describes, named } from "../http/schema-parts.ts";

export const AgentSchema = named("Agent", AgentView);
export const AgentsSchema = z
  .object({
    agents: z.array(AgentSchema),
    next: z.string().optional().openapi({ description: "There are more hosts: ask again with `after` at `next`" }),
  })
  .openapi("Agents");
export const MonitorRunSchema = named("MonitorRun", MonitorRun);

const BandSchema = z
  .object({ raise_above: z.number(), resolve_below: z.number() })
  .nullable()
  .openapi({ type: ["object", "null"] });

// The settings as they are answered: every field is present. The schema in src/core reads them, with limits and defaults.
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

describes<MonitorSettings>()(MonitorSettingsSchema);
