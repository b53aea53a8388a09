import type { Feature } from "../base/feature.ts";
import { BUS_ROOM } from "../bus/feature.ts";
import { COMMANDS_ROOM } from "../commands/feature.ts";
import { WORKERS_ROOM } from "../file-tasks/feature.ts";
import { INTENTS_ROOM } from "../intents/feature.ts";
import { METRICS_ROOM } from "../metric-files/feature.ts";
import { MONITORS_ROOM } from "../monitors/feature.ts";
import { REACTIONS_ROOM } from "../reactions/feature.ts";
import { SAMPLER_ROOM } from "../sampler/feature.ts";
import { SUPERVISOR_ROOM } from "../supervisor/feature.ts";
import { OBSERVABILITY_ROOM } from "../telemetry/feature.ts";

/** Everything that an agent can do, in the order in which it is started. A new room is one more line. */
// biome-ignore format: a line for each
export const ROOMS: readonly Feature[] = [
  SAMPLER_ROOM,
  INTENTS_ROOM,
  METRICS_ROOM,
  BUS_ROOM,
  WORKERS_ROOM,
  REACTIONS_ROOM,
  MONITORS_ROOM,
  OBSERVABILITY_ROOM,
  SUPERVISOR_ROOM,
  COMMANDS_ROOM,
];
