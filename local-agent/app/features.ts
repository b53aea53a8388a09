import { AGENT_SESSIONS_FEATURE } from "../agent-sessions/feature.ts";
import { BUS_FEATURE } from "../bus/feature.ts";
import { CHECKS_FEATURE } from "../checks/feature.ts";
import { COMMANDS_FEATURE } from "../commands/feature.ts";
import type { Feature } from "../feature/feature.ts";
import { FILE_TASKS_FEATURE } from "../file-tasks/feature.ts";
import { INTELLIGENCE_FEATURE } from "../intelligence/feature.ts";
import { INTENTS_FEATURE } from "../intents/feature.ts";
import { LIMITS_FEATURE } from "../limits/feature.ts";
import { MAINTENANCE_FEATURE } from "../maintenance/feature.ts";
import { METRIC_FILES_FEATURE } from "../metric-files/feature.ts";
import { MONITORS_FEATURE } from "../monitors/feature.ts";
import { REACTIONS_FEATURE } from "../reactions/feature.ts";
import { SAMPLER_FEATURE } from "../sampler/feature.ts";
import { SUPERVISOR_FEATURE } from "../supervisor/feature.ts";
import { TELEMETRY_FEATURE } from "../telemetry/feature.ts";
import type { AgentOptions } from "./agent-options.ts";

/** Everything that an agent can do, in the order of start. A new feature is one more line. */
// biome-ignore format: a line for each
export const FEATURES: readonly Feature<AgentOptions>[] = [
  SAMPLER_FEATURE,
  INTENTS_FEATURE,
  METRIC_FILES_FEATURE,
  BUS_FEATURE,
  FILE_TASKS_FEATURE,
  REACTIONS_FEATURE,
  INTELLIGENCE_FEATURE,
  MONITORS_FEATURE,
  MAINTENANCE_FEATURE,
  AGENT_SESSIONS_FEATURE,
  TELEMETRY_FEATURE,
  SUPERVISOR_FEATURE,
  CHECKS_FEATURE,
  LIMITS_FEATURE,
  COMMANDS_FEATURE,
];
