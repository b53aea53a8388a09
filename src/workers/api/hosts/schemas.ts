import { Agents, AgentView, MonitorRun, MonitorSettingsView } from "../../../core/hosts/api.ts";
import { DEFAULT_MONITOR_SETTINGS, type MonitorSettings } from "../../../core/hosts/monitors/monitor-settings.ts";
import { describes, named } from "../http/schema-parts.ts";

export const AgentSchema = named("Agent", AgentView);
export const AgentsSchema = named("Agents", Agents.extend({ agents: AgentSchema.array() }));
export const MonitorRunSchema = named("MonitorRun", MonitorRun);
export const MonitorSettingsSchema = named(
  "MonitorSettings",
  MonitorSettingsView.meta({ example: DEFAULT_MONITOR_SETTINGS }),
);

describes<MonitorSettings>()(MonitorSettingsSchema);
