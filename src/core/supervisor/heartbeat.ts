import * as z from "zod";

/** What a supervised process says of itself: one line of JSON on the file descriptor `GANGLION_HEARTBEAT_FD`. */
export const Heartbeat = z.object({
  /** `waiting`: for something that is not its own, such as an edge that is away. `idle`: for work. */
  state: z.enum(["working", "waiting", "idle"]),
  /** What it is at; shown to people. */
  task: z.string().max(256).nullish(),
  /** Any number that changes as the work moves on. */
  progress: z.number().nullish(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** Lines longer than this are not heartbeats. */
export const MAX_HEARTBEAT_BYTES = 4_096;

/** @returns `undefined` for a line that is no heartbeat: a process that writes nonsense is as silent as before */
export function readHeartbeat(line: string): Heartbeat | undefined {
  try {
    return Heartbeat.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
