import { z } from "@hono/zod-openapi";
import type { LogStatus } from "../../../core/signals/api.ts";
import { describes, time } from "../http/schema-parts.ts";

const LogStatusSchema = z.object({
  head_seq: z.int(),
  oldest_seq: z.int().nullable(),
  signals_last_minute: z.int(),
  subscribers: z.int(),
  hosts: z.array(z.string()).readonly(),
  unknown_frames: z.int().openapi({ description: "Frames of newer agents, passed over since the log woke" }),
});
export const StatusSchema = z
  .object({
    ecosystem: z.string(),
    log: LogStatusSchema,
    window: z.object({ seconds: z.number(), size: z.int(), oldest: time.nullable(), newest: time.nullable() }),
    gaps: z.object({ open: z.int() }),
    dead_letters: z.int().openapi({ description: "What could not be processed and waits for somebody" }),
  })
  .openapi("Status");

describes<LogStatus>()(LogStatusSchema);
