import * as z from "zod";

/** Heartbeat of a supervised process: one line of JSON on the file descriptor `GANGLION_HEARTBEAT_FD`. */
export const Heartbeat = z.object({
  /** `waiting`: for another system, such as an edge that cannot be reached. `idle`: for work. */
  state: z.enum(["working", "waiting", "idle"]),
  /** The current task, shown to people. */
  task: z.string().max(256).nullish(),
  /** Any number that changes as the work progresses. */
  progress: z.number().nullish(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** Lines longer than this are not heartbeats. */
export const MAX_HEARTBEAT_BYTES = 4_096;

/** @returns `undefined` for a line that is no heartbeat: an invalid line does not count as a sign of life */
export function readHeartbeat(line: string): Heartbeat | undefined {
  try {
    return Heartbeat.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
