import { BUS_ROOM } from "./bus/room.ts";
import { COMMANDS_ROOM } from "./host-work/room.ts";
import { INTENTS_ROOM } from "./intents/room.ts";
import { METRICS_ROOM } from "./metrics/room.ts";
import { MONITORS_ROOM } from "./monitors/room.ts";
import { OBSERVABILITY_ROOM } from "./observability/room.ts";
import { REACTIONS_ROOM } from "./reactions/room.ts";
import type { Room } from "./room.ts";
import { SAMPLER_ROOM } from "./sampler/room.ts";
import { SUPERVISOR_ROOM } from "./supervisor/room.ts";
import { WORKERS_ROOM } from "./workers/room.ts";

/** Everything that an agent can do, in the order in which it is started. A new room is one more line. */
// biome-ignore format: a line for each
export const ROOMS: readonly Room[] = [
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
